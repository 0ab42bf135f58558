//! git, asked as a program. It is given no shell, starts nothing of what a repository's
//! configuration names (external diffs, text conversions, file system monitors, hooks) but the
//! filters without which it cannot compare a file, and writes nothing.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Result, bail};

use super::hunks::{self, Patched};
use crate::place;

/// A work tree.
pub struct Repository {
    /// The top of the work tree: absolute, and without symbolic links.
    pub root: PathBuf,
    /// What asks, as messages name it: `--since`.
    option: String,
}

impl Repository {
    /// The repository whose work tree `folder` is in. `option` is what messages say that asks.
    pub fn of(folder: &Path, option: &str) -> Result<Self> {
        let output = git(folder, option, ["rev-parse", "--show-toplevel"])?;
        let output = checked(output, option, folder)?;
        let root = hunks::path(output.strip_suffix(b"\n").unwrap_or(&output));
        Ok(Self {
            root: fs_err::canonicalize(root)?,
            option: option.to_string(),
        })
    }

    /// The commit that changes are counted from: the last one that `revision` and the current
    /// branch have in common, which is `revision` itself where it is an ancestor.
    pub fn base(&self, revision: &str) -> Result<String> {
        let commit = self.commit(revision)?;
        self.parted(revision, &commit, "HEAD")
    }

    /// The commit that a revision names.
    pub fn commit(&self, revision: &str) -> Result<String> {
        let (shown, option) = (place::shown(&self.root), &self.option);
        if revision.is_empty() || revision.starts_with('-') {
            bail!("`{option}` takes a git revision, as in `{option} main`, not `{revision}`");
        }
        let commit = format!("{revision}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let output = self.git(arguments.into_iter().chain([commit.as_str()]))?;
        let Some(commit) = first_line(&output) else {
            bail!(
                "`{option} {revision}`: there is no such commit in the git repository `{shown}`{}: \
                 fetch it, or name another branch, tag or commit",
                said(&output)
            );
        };
        Ok(commit)
    }

    /// The last commit that `commit`, which `revision` names, and `other` have in common.
    pub fn parted(&self, revision: &str, commit: &str, other: &str) -> Result<String> {
        let (shown, option) = (place::shown(&self.root), &self.option);
        let output = self.git(["merge-base", commit, other])?;
        let Some(base) = first_line(&output) else {
            bail!(
                "`{option} {revision}`: it has no commit in common with {other} in the git \
                 repository `{shown}`{}: in a shallow clone, fetch more of the history (`git fetch \
                 --unshallow`)",
                said(&output)
            );
        };
        Ok(base)
    }

    /// Whether all that `commit` has is in HEAD.
    pub fn is_merged(&self, commit: &str) -> Result<bool> {
        let output = self.git(["merge-base", "--is-ancestor", commit, "HEAD"])?;
        Ok(output.status.success())
    }

    /// What changed since `commit` in each file that is tracked, by its path from the root, with so
    /// many lines around it.
    pub fn changed(&self, commit: &str, context: usize) -> Result<HashMap<PathBuf, Patched>> {
        self.patch(context, &[], &[commit])
    }

    /// What changed between two commits, as a pull request shows it.
    pub fn between(&self, base: &str, head: &str) -> Result<HashMap<PathBuf, Patched>> {
        // As services do it, whatever is configured here.
        let options = ["--diff-algorithm=myers", "--indent-heuristic"];
        self.patch(SHOWN, &options, &[base, head])
    }

    fn patch(
        &self,
        context: usize,
        options: &[&str],
        commits: &[&str],
    ) -> Result<HashMap<PathBuf, Patched>> {
        let unified = format!("--unified={context}");
        let arguments = [
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--no-relative",
            "--text",
            &unified,
            "--inter-hunk-context=0",
            "--find-renames",
            "--ignore-submodules=all",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "-O/dev/null",
        ];
        let more = options.iter().chain(commits).copied();
        let output = self.git(arguments.into_iter().chain(more).chain(["--"]))?;
        Ok(hunks::read(&checked(output, &self.option, &self.root)?))
    }

    /// The tracked files that are not as in `commit`.
    pub fn differing(&self, commit: &str) -> Result<HashSet<PathBuf>> {
        let output = self.git([
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "--no-relative",
            "--name-only",
            "--no-renames",
            "--ignore-submodules=all",
            "-z",
            commit,
            "--",
        ])?;
        self.names(output)
    }

    /// The files that git knows, by their paths from the root. Of all others each line is new.
    pub fn tracked(&self) -> Result<HashSet<PathBuf>> {
        let output = self.git(["ls-files", "--cached", "-z"])?;
        self.names(output)
    }

    /// Names that are each ended by a NUL.
    fn names(&self, output: Output) -> Result<HashSet<PathBuf>> {
        let output = checked(output, &self.option, &self.root)?;
        let names = output.split(|byte| *byte == 0);
        Ok(names.map(hunks::path).collect())
    }

    fn git<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Output> {
        git(&self.root, &self.option, arguments)
    }
}

/// How many lines services show around a change.
pub const SHOWN: usize = 3;

fn git<'a>(
    folder: &Path,
    option: &str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<Output> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.quotepath=off"])
        // A monitor is a program of the repository's.
        .args(["-c", "core.fsmonitor=false"])
        // What is blank is context all the same.
        .args(["-c", "diff.suppressBlankEmpty=false"])
        .args(arguments.into_iter().map(OsStr::new))
        // Who takes no lock writes no index, and so runs no hook.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C");
    // A hook of git that runs us names its own repository, which need not be the file's.
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_EXTERNAL_DIFF",
        "GIT_DIFF_OPTS",
    ] {
        command.env_remove(name);
    }
    command.output().map_err(|error| {
        let missing = error.kind() == ErrorKind::NotFound;
        anyhow::Error::new(error).context(if missing {
            format!(
                "`{option}` asks git, which is not installed: install it, or leave `{option}` out"
            )
        } else {
            format!("`{option}` asks git, which cannot be started")
        })
    })
}

/// What git printed, unless it failed.
fn checked(output: Output, option: &str, folder: &Path) -> Result<Vec<u8>> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let shown = place::shown(folder);
    bail!("`{option}`: git failed in `{shown}`{}", said(&output));
}

/// The one line that git printed, where it succeeded.
fn first_line(output: &Output) -> Option<String> {
    let text = std::str::from_utf8(&output.stdout).ok()?;
    let line = text.lines().next().filter(|line| !line.is_empty())?;
    output.status.success().then(|| line.to_string())
}

/// What git complained of, to follow our own words.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    match text.lines().find(|line| !line.trim().is_empty()) {
        Some(line) => format!(" ({})", line.trim().trim_start_matches("fatal: ")),
        None => String::new(),
    }
}
