//! git, asked as a program. It is given no shell, starts nothing of what a repository's
//! configuration names (external diffs, text conversions, file system monitors, hooks) but the
//! filters without which it cannot compare a file, and writes nothing.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Result, bail};

use super::hunks;
use crate::place;

/// A work tree.
pub struct Repository {
    /// The top of the work tree: absolute, and without symbolic links.
    pub root: PathBuf,
}

impl Repository {
    /// The repository whose work tree `folder` is in.
    pub fn of(folder: &Path) -> Result<Self> {
        let output = git(folder, ["rev-parse", "--show-toplevel"])?;
        let output = checked(output, folder)?;
        let root = hunks::path(output.strip_suffix(b"\n").unwrap_or(&output));
        Ok(Self {
            root: fs_err::canonicalize(root)?,
        })
    }

    /// The commit that changes are counted from: the last one that `revision` and the current
    /// branch have in common, which is `revision` itself where it is an ancestor.
    pub fn base(&self, revision: &str) -> Result<String> {
        let shown = place::shown(&self.root);
        if revision.is_empty() || revision.starts_with('-') {
            bail!("`--since` takes a git revision, as in `--since main`, not `{revision}`");
        }
        let commit = format!("{revision}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let output = self.git(arguments.into_iter().chain([commit.as_str()]))?;
        let Some(commit) = first_line(&output) else {
            bail!(
                "`--since {revision}`: there is no such commit in the git repository `{shown}`{}: \
                 fetch it, or name another branch, tag or commit",
                said(&output)
            );
        };
        let output = self.git(["merge-base", commit.as_str(), "HEAD"])?;
        let Some(base) = first_line(&output) else {
            bail!(
                "`--since {revision}`: it has no commit in common with HEAD in the git repository \
                 `{shown}`{}: in a shallow clone, fetch more of the history (`git fetch \
                 --unshallow`)",
                said(&output)
            );
        };
        Ok(base)
    }

    /// The rows that changed since `commit` in each file that is tracked, by its path from the
    /// root.
    pub fn hunks(&self, commit: &str) -> Result<HashMap<PathBuf, Vec<Range<usize>>>> {
        let output = self.git([
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--no-relative",
            "--text",
            "--unified=0",
            "--inter-hunk-context=0",
            "--find-renames",
            "--ignore-submodules=all",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "-O/dev/null",
            commit,
            "--",
        ])?;
        Ok(hunks::read(&checked(output, &self.root)?))
    }

    /// The files that git knows, by their paths from the root. Of all others each line is new.
    pub fn tracked(&self) -> Result<HashSet<PathBuf>> {
        let output = self.git(["ls-files", "--cached", "-z"])?;
        let output = checked(output, &self.root)?;
        let names = output.split(|byte| *byte == 0);
        Ok(names.map(hunks::path).collect())
    }

    fn git<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Output> {
        git(&self.root, arguments)
    }
}

fn git<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Result<Output> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.quotepath=off"])
        // A monitor is a program of the repository's.
        .args(["-c", "core.fsmonitor=false"])
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
            "`--since` asks git, which is not installed: install it, or leave `--since` out"
        } else {
            "`--since` asks git, which cannot be started"
        })
    })
}

/// What git printed, unless it failed.
fn checked(output: Output, folder: &Path) -> Result<Vec<u8>> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let shown = place::shown(folder);
    bail!("`--since`: git failed in `{shown}`{}", said(&output));
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
