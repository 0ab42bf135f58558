//! Which lines changed since a git revision, for `--since` and for what is proposed on a pull
//! request.

mod git;
mod hunks;

use std::collections::{BTreeMap, HashMap};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::place;
use crate::walk::File;

pub use git::Repository;

/// What changed in the files of a run, those included that are not committed or not tracked.
pub struct Changes {
    /// The revision as it was typed.
    pub revision: String,
    /// By the files' absolute paths; those without a changed line are not there.
    changed: HashMap<PathBuf, Lines>,
}

/// The lines of a file that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The file is new, or a notebook.
    All,
    /// One-based rows as git counts them, which ends lines at `\n` only; in order, none empty.
    Rows(Vec<Range<usize>>),
}

/// What of a file that changed counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// The lines that changed.
    Added,
    /// And those that are shown around them.
    Context,
    /// All of it.
    File,
}

impl Changes {
    /// What changed in `files` since `revision`, or, where that is on another branch, since that
    /// branch and the current one parted. Each file is asked for in its own repository.
    pub fn since(revision: &str, files: &[File]) -> Result<Self> {
        Self::of_width(revision, "--since", Width::Added, files)
    }

    /// The same for what counts beside. `option` is what messages say that asks.
    pub fn of_width(revision: &str, option: &str, width: Width, files: &[File]) -> Result<Self> {
        let mut roots = Roots::default();
        let mut repositories: BTreeMap<PathBuf, Vec<&File>> = BTreeMap::new();
        for file in files {
            let folder = file.canonical.parent().unwrap_or(Path::new("/"));
            let Some(root) = roots.of(folder) else {
                bail!(
                    "`{}` is in no git repository: `{option}` takes only files that are in one",
                    place::shown(&file.path)
                );
            };
            repositories.entry(root).or_default().push(file);
        }
        let mut changed = HashMap::new();
        for (root, files) in repositories {
            let repository = Repository::of(&root, option)?;
            let base = repository.base(revision)?;
            let context = if width == Width::Context {
                git::SHOWN
            } else {
                0
            };
            let changed_there = repository.changed(&base, context)?;
            let tracked = repository.tracked()?;
            for file in files {
                let Ok(name) = file.canonical.strip_prefix(&repository.root) else {
                    // Its folder is part of another repository's work tree.
                    bail!(
                        "`{}` lies outside of the work tree of its git repository, `{}`",
                        place::shown(&file.path),
                        place::shown(&repository.root)
                    );
                };
                let lines = match changed_there.get(name) {
                    Some(_) if width == Width::File => Lines::All,
                    Some(file) if file.hunks.is_empty() => continue,
                    // Its rows are not those of its cells.
                    Some(_) if file.is_notebook() => Lines::All,
                    Some(file) => Lines::Rows(file.rows()),
                    None if tracked.contains(name) => continue,
                    None => Lines::All,
                };
                changed.insert(file.canonical.clone(), lines);
            }
        }
        Ok(Self {
            revision: revision.to_string(),
            changed,
        })
    }

    /// The lines of `file` that changed; none where it has no such line.
    pub fn of(&self, file: &File) -> Option<&Lines> {
        self.changed.get(&file.canonical)
    }

    /// How many of the files changed.
    pub fn count(&self) -> usize {
        self.changed.len()
    }
}

impl Lines {
    /// Whether one of these rows changed.
    pub fn touch(&self, rows: &RangeInclusive<usize>) -> bool {
        match self {
            Lines::All => true,
            Lines::Rows(changed) => {
                let next = changed.partition_point(|range| range.end <= *rows.start());
                changed
                    .get(next)
                    .is_some_and(|range| range.start <= *rows.end())
            }
        }
    }
}

/// The closest folders that hold a `.git`, which git makes sure of.
#[derive(Default)]
struct Roots {
    known: HashMap<PathBuf, Option<PathBuf>>,
}

impl Roots {
    fn of(&mut self, folder: &Path) -> Option<PathBuf> {
        if let Some(known) = self.known.get(folder) {
            return known.clone();
        }
        let root = if folder.join(".git").exists() {
            Some(folder.to_path_buf())
        } else {
            folder.parent().and_then(|parent| self.of(parent))
        };
        self.known.insert(folder.to_path_buf(), root.clone());
        root
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn rows_are_touched_by_any_of_theirs() {
        let lines = Lines::Rows(vec![2..4, 7..8]);
        for rows in [1..=1, 4..=6, 8..=9] {
            assert!(!lines.touch(&rows), "{rows:?}");
        }
        for rows in [1..=2, 2..=2, 3..=3, 3..=5, 6..=7, 1..=9] {
            assert!(lines.touch(&rows), "{rows:?}");
        }
        assert!(!Lines::Rows(Vec::new()).touch(&(1..=1)));
        assert!(Lines::All.touch(&(1..=1)));
    }
}
