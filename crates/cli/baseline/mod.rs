//! The baseline: findings that are known, and neither reported nor fixed.

mod file;
mod moved;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use anyhow::{Context, Result, bail};
use engine::Codemod;

use crate::lock::locked;
use crate::place;
use crate::walk::File;
use file::{Entries, count, missing};
pub use file::{Tally, add, line};

/// The baselines of a run: each file has at most one, as its configuration says.
pub struct Baselines {
    all: Vec<Baseline>,
    /// Whether they are to be written.
    update: bool,
    /// The folders that were walked.
    roots: Vec<PathBuf>,
}

struct Baseline {
    path: PathBuf,
    /// Where it lies: absolute, and without symbolic links.
    folder: PathBuf,
    entries: Entries,
    /// The files that were renamed since, by their new names.
    moved: BTreeMap<String, String>,
    /// What was found in the files that were looked at, by name.
    seen: Mutex<BTreeMap<String, Seen>>,
}

/// What was found in a file: all of it, known or not.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// In the file as it was.
    pub before: Tally,
    /// In what the rewrite would make of it.
    pub after: Tally,
}

/// What the summary says of the baselines.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// Findings that are known, and were found.
    pub found: usize,
    /// Findings that are known, and are no more.
    pub gone: usize,
    /// What was written, where that was wanted.
    pub written: Option<Change>,
}

/// What an update of the baselines came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// How many findings they hold.
    pub total: usize,
    pub added: usize,
    pub removed: usize,
}

impl Baselines {
    /// Reads the baselines of `files`, and the one that the command line names. `paths` are those
    /// that were walked.
    pub fn read(
        files: &[File],
        named: Option<&Path>,
        paths: &[PathBuf],
        update: bool,
    ) -> Result<Self> {
        let mut wanted: BTreeSet<&Path> = files
            .iter()
            .filter_map(|file| file.folder.baseline.as_deref())
            .collect();
        wanted.extend(named);
        if update && wanted.is_empty() {
            bail!(
                "there is no baseline to update: name it with --baseline FILE, or by `baseline = \
                 \"FILE\"` in the configuration"
            );
        }
        let mut all = Vec::new();
        for path in wanted {
            all.push(Baseline::read(path, update)?);
        }
        for baseline in &mut all {
            baseline.follow(files);
        }
        let is_folder = |path: &&PathBuf| path.is_dir();
        Ok(Self {
            all,
            update,
            roots: paths
                .iter()
                .filter(is_folder)
                .filter_map(|path| path.canonicalize().ok())
                .collect(),
        })
    }

    /// What is known of a file; none where it has no baseline.
    pub fn of(&self, file: &File) -> Option<&Tally> {
        static NOTHING: Tally = Tally::new();
        let (baseline, name) = self.place(file)?;
        Some(baseline.known(&name).unwrap_or(&NOTHING))
    }

    /// Takes down what was found in a file, in the place of what was taken down before.
    pub fn saw(&self, file: &File, seen: Seen) {
        if let Some((baseline, name)) = self.place(file) {
            baseline.seen().insert(name, seen);
        }
    }

    /// The file could not be looked at: its entries stay.
    pub fn lost(&self, file: &File) {
        if let Some((baseline, name)) = self.place(file) {
            baseline.seen().remove(&name);
        }
    }

    /// Whether what was found in a file is in its baseline after an update.
    pub fn hold(&self, file: &File) -> bool {
        let place = self.place(file);
        place.is_some_and(|(baseline, name)| baseline.seen().contains_key(&name))
    }

    /// Writes the baselines, if that is wanted, and says what there is to say of them.
    /// `is_rewritten` says whether a file was written.
    pub fn conclude(&self, files: &[File], is_rewritten: &dyn Fn(&File) -> bool) -> Result<Known> {
        let mut known = Known::default();
        for baseline in &self.all {
            let (next, found, gone) = baseline.next(files, &self.roots, is_rewritten);
            known.found += found;
            known.gone += gone;
            if self.update {
                let change = known.written.get_or_insert_default();
                let old = &baseline.entries;
                change.total += next.count();
                change.added += difference(&next, old);
                change.removed += difference(old, &next);
                next.write(&baseline.path)?;
            }
        }
        Ok(known)
    }

    /// What was odd: files of a baseline that were renamed.
    pub fn warnings(&self) -> Vec<String> {
        if self.update {
            return Vec::new();
        }
        let moved = |baseline: &Baseline| {
            let path = place::shown(&baseline.path);
            let moves = baseline.moved.iter().map(move |(new, old)| {
                format!(
                    "{path}: `{old}` is gone, and what is known of it is taken for known in \
                     `{new}`: --update-baseline writes that down"
                )
            });
            moves.collect::<Vec<_>>()
        };
        self.all.iter().flat_map(moved).collect()
    }

    fn place(&self, file: &File) -> Option<(&Baseline, String)> {
        let path = file.folder.baseline.as_deref()?;
        let baseline = self.all.iter().find(|baseline| baseline.path == path)?;
        let name = file::name(&file.canonical, &baseline.folder)?;
        Some((baseline, name))
    }
}

/// How many findings `one` has that `other` has not.
fn difference(one: &Entries, other: &Entries) -> usize {
    let nothing = Tally::new();
    let findings = one.findings.iter();
    findings
        .map(|(name, tally)| missing(tally, other.findings.get(name).unwrap_or(&nothing)))
        .sum()
}

impl Baseline {
    fn read(path: &Path, update: bool) -> Result<Self> {
        let shown = place::shown(path);
        let entries = match Entries::read(path)? {
            Some(entries) => entries,
            None if update => Entries::default(),
            None => bail!(
                "there is no baseline `{shown}`: --update-baseline makes it of what is found now"
            ),
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        let folder = folder
            .canonicalize()
            .with_context(|| format!("there is no folder for the baseline `{shown}`"))?;
        Ok(Self {
            path: path.to_path_buf(),
            folder,
            entries,
            moved: BTreeMap::new(),
            seen: Mutex::default(),
        })
    }

    /// Looks for the files that were renamed.
    fn follow(&mut self, files: &[File]) {
        let gone: BTreeMap<&str, &Tally> = self
            .entries
            .findings
            .iter()
            .filter(|(name, _)| !file::named(name, &self.folder).exists())
            .map(|(name, tally)| (name.as_str(), tally))
            .collect();
        if gone.is_empty() {
            return;
        }
        let new: Vec<(String, &Path)> = files
            .iter()
            .filter(|file| file.folder.baseline.as_deref() == Some(&self.path))
            .filter_map(|file| {
                let name = file::name(&file.canonical, &self.folder)?;
                Some((name, file.canonical.as_path()))
            })
            .filter(|(name, _)| !self.entries.findings.contains_key(name))
            .collect();
        self.moved = moved::find(&gone, &new);
    }

    fn known(&self, name: &str) -> Option<&Tally> {
        let name = self.moved.get(name).map_or(name, String::as_str);
        self.entries.findings.get(name)
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        locked(&self.seen)
    }

    /// What an update would write, how many of the known findings were found, and how many are
    /// no more. What this run did not look at stays as it is: files outside of it, files that
    /// could not be analysed, codemods that did not run.
    fn next(
        &self,
        files: &[File],
        roots: &[PathBuf],
        is_rewritten: &dyn Fn(&File) -> bool,
    ) -> (Entries, usize, usize) {
        let seen = self.seen();
        let mut next = Entries::default();
        let (mut found, mut gone) = (0, 0);
        let mut rest: BTreeMap<&str, &Tally> = self
            .entries
            .findings
            .iter()
            .map(|(name, tally)| (name.as_str(), tally))
            .collect();
        for file in files {
            if file.folder.baseline.as_deref() != Some(&self.path) {
                continue;
            }
            let Some(name) = file::name(&file.canonical, &self.folder) else {
                continue;
            };
            let Some(Seen { before, after }) = seen.get(&name) else {
                continue;
            };
            let old = self.moved.get(&name).unwrap_or(&name).as_str();
            let (asked, mut kept) = match rest.remove(old) {
                Some(known) => split(known, &file.settings().codemods),
                None => Default::default(),
            };
            let lost = missing(&asked, before);
            found += count(&asked) - lost;
            gone += lost;
            let left = if is_rewritten(file) { after } else { before };
            kept.extend(left.clone());
            next.findings.insert(name, kept);
        }
        for (name, tally) in rest {
            let path = file::named(name, &self.folder);
            if !path.exists() && roots.iter().any(|root| path.starts_with(root)) {
                gone += count(tally);
            } else {
                next.findings.insert(name.to_string(), tally.clone());
            }
        }
        (next, found, gone)
    }
}

/// The entries of the codemods that ran, and the others. What no codemod is named nobody finds.
fn split(tally: &Tally, ran: &[&'static Codemod]) -> (Tally, Tally) {
    tally.clone().into_iter().partition(|(name, _)| {
        ran.iter().any(|codemod| codemod.name == name) || codemods::find(name).is_none()
    })
}
