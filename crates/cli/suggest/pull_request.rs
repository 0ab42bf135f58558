//! The pull request, as git knows it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use suggest::{Diff, DiffFile, DiffHunk};

use crate::arguments::Scope;
use crate::plan::Proposal;
use crate::since::{Changes, Repository, Width};
use crate::walk::File;

use super::environment::{Named, Surroundings};

/// A pull request whose files are checked out.
pub struct PullRequest {
    pub surroundings: Surroundings,
    /// Its last commit.
    pub head: String,
    /// The commit that its diff begins at: where its branch and the one that it is to be merged
    /// into parted.
    pub parted: String,
    pub diff: Diff,
    /// The top of the work tree.
    pub root: PathBuf,
    /// The files that are not as in its last commit.
    differing: HashSet<PathBuf>,
    /// What lines have to differ from to count.
    lines: Named,
    scope: Scope,
}

impl PullRequest {
    /// That of the environment.
    pub fn new(proposal: &Proposal) -> Result<Self> {
        let get = |name: &str| std::env::var(name).ok();
        let surroundings = Surroundings::new(proposal, &get)?;
        let here = std::env::current_dir().context("the current directory cannot be used")?;
        let base = &surroundings.base;
        let repository = Repository::of(&here, base.of_diff.option)?;
        let shallow = "in GitHub's CI, `actions/checkout` wants `with: fetch-depth: 0`; in \
                       GitLab's, the job `variables: GIT_DEPTH: 0`";
        let head = match &surroundings.head {
            None => repository.commit("HEAD")?,
            Some(head) => {
                let of_head = Repository::of(&here, head.option)?;
                of_head.commit(&head.revision).context(shallow)?
            }
        };
        let merged = repository.commit(&base.of_diff.revision).context(shallow)?;
        let parted = repository
            .parted(&base.of_diff.revision, &merged, &head)
            .context(shallow)?;
        if !repository.is_merged(&head)? {
            bail!(
                "what is checked out is not the pull request: {head}, its last commit, is not in \
                 HEAD; check it out"
            );
        }
        let mut diff = Diff::default();
        for (path, patched) in repository.between(&parted, &head)? {
            let (Some(path), old) = (name(&path), patched.old.as_deref().and_then(name)) else {
                continue;
            };
            let hunks = patched.hunks.into_iter().map(|hunk| DiffHunk {
                rows: hunk.rows,
                unchanged: hunk.unchanged,
            });
            let file = DiffFile {
                old_path: old.unwrap_or_else(|| path.clone()),
                hunks: hunks.collect(),
            };
            diff.files.insert(path, file);
        }
        Ok(Self {
            lines: lines(&surroundings, &repository, &head)?,
            differing: repository.differing(&head)?,
            root: repository.root,
            surroundings,
            head,
            parted,
            diff,
            scope: proposal.scope,
        })
    }

    /// Which lines of the files count; none where all do.
    pub fn changes(&self, files: &[File]) -> Result<Option<Changes>> {
        let width = match self.scope {
            Scope::Added => Width::Added,
            Scope::Context => Width::Context,
            Scope::File => Width::File,
            Scope::All => return Ok(None),
        };
        let Named { revision, option } = &self.lines;
        Changes::of_width(revision, option, width, files).map(Some)
    }

    /// How the pull request names a file, and why no line of it can be pointed at, if that is so.
    pub fn place(&self, file: &File) -> (String, Option<String>) {
        let Ok(path) = file.canonical.strip_prefix(&self.root) else {
            let path = file.path.display().to_string();
            return (path, Some("the file is in another repository".to_string()));
        };
        let Some(shown) = name(path) else {
            let path = path.display().to_string();
            return (
                path,
                Some("the name of the file is not Unicode".to_string()),
            );
        };
        let obstacle = self.differing.contains(path).then(|| {
            "the file is not as in the last commit of the pull request, since it was changed, or \
             merged with changes of the target branch"
                .to_string()
        });
        (shown, obstacle)
    }
}

/// What lines have to differ from. Where the CI checked out the pull request as it would be merged,
/// that is what it is merged into, which may be ahead of what the event says.
fn lines(surroundings: &Surroundings, repository: &Repository, head: &str) -> Result<Named> {
    let typed = surroundings.base.of_lines.clone();
    if typed.option == "--base" || repository.commit("HEAD")? == head {
        return Ok(typed);
    }
    match (repository.commit("HEAD^1"), repository.commit("HEAD^2")) {
        (Ok(into), Ok(merged)) if merged == head => Ok(Named {
            revision: into,
            option: "HEAD^1",
        }),
        _ => Ok(typed),
    }
}

/// A path from the root, with `/` between its parts; none where it is not Unicode.
fn name(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}
