//! What was run, where and when.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::plan::Input;
use crate::walk::File;

/// What the head of a page says.
#[derive(Serialize)]
pub struct About {
    /// The name of what was looked at.
    pub title: String,
    /// Of asyncfix.
    pub version: &'static str,
    /// When the page was made: seconds since 1970, UTC.
    pub time: u64,
    /// What was typed, as a shell takes it.
    pub command: String,
    pub revision: Option<Revision>,
    /// The versions that the files are for, and who says so.
    pub targets: Vec<Target>,
    /// The names of the codemods that ran, in the order of the list.
    pub codemods: Vec<&'static str>,
    /// How many files were looked at.
    pub checked: usize,
    /// What was odd about the run.
    pub warnings: Vec<String>,
    /// What was skipped, and what was given up.
    pub notes: Vec<String>,
}

/// What git has checked out.
#[derive(Serialize)]
pub struct Revision {
    /// In hexadecimal digits.
    pub commit: String,
    pub branch: Option<String>,
}

/// A version that files are for.
#[derive(Serialize)]
pub struct Target {
    /// `3.11`
    pub version: String,
    /// Where it was said, with backticks around code.
    pub origin: String,
    /// Of how many files.
    pub files: usize,
}

impl About {
    /// What is known of a run over these files, which `input` leads to. Asks git and the clock.
    pub fn new(input: &Input, files: &[File]) -> Self {
        let paths = match input {
            Input::Paths(paths) => &paths[..],
            Input::Stdin(name) => name.as_slice(),
        };
        let mut targets: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for file in files {
            let target = &file.folder.module.target;
            let key = (target.version.to_string(), target.origin.as_str());
            *targets.entry(key).or_default() += 1;
        }
        let ran = |name: &str| {
            let mut settings = files.iter().map(|file| &file.folder.module.codemods);
            settings.any(|codemods| codemods.iter().any(|it| it.name == name))
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            title: title(paths),
            version: env!("CARGO_PKG_VERSION"),
            time: now.unwrap_or_default().as_secs(),
            command: command(
                std::env::args_os()
                    .skip(1)
                    .map(|it| it.display().to_string()),
            ),
            revision: paths.first().and_then(|path| revision(path)),
            targets: targets
                .into_iter()
                .map(|((version, origin), files)| Target {
                    version,
                    origin: origin.to_string(),
                    files,
                })
                .collect(),
            codemods: codemods::ALL
                .iter()
                .map(|codemod| codemod.name)
                .filter(|name| ran(name))
                .collect(),
            checked: files.len(),
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// The names of the files and folders that were typed.
fn title(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| {
            let full = fs_err::canonicalize(path).unwrap_or_else(|_| path.clone());
            let name = full.file_name().unwrap_or(full.as_os_str());
            name.display().to_string()
        })
        .collect();
    match &names[..] {
        [] => "standard input".to_string(),
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        names => names.join(", "),
    }
}

/// The command line, as a shell takes it.
fn command(arguments: impl Iterator<Item = String>) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=,:@%+".contains(c);
    let quoted = arguments.map(|argument| {
        if !argument.is_empty() && argument.chars().all(is_plain) {
            argument
        } else {
            format!("'{}'", argument.replace('\'', r"'\''"))
        }
    });
    let words: Vec<String> = std::iter::once("asyncfix".to_string())
        .chain(quoted)
        .collect();
    words.join(" ")
}

/// What git has checked out at `path`; none where there is no work tree, or no git. `rev-parse`
/// only reads, and runs no hook.
fn revision(path: &Path) -> Option<Revision> {
    let folder = if path.is_dir() { path } else { path.parent()? };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["rev-parse", "HEAD", "--abbrev-ref", "HEAD"])
        // In a hook they name the repository of the hook.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines();
    let commit = lines.next().filter(|_| output.status.success())?;
    let branch = lines.next().filter(|branch| *branch != "HEAD");
    Some(Revision {
        commit: commit.to_string(),
        branch: branch.map(str::to_string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_pasted() {
        let words = ["report", "a b", "it's", "", "--html=x.html"];
        assert_eq!(
            command(words.into_iter().map(str::to_string)),
            r"asyncfix report 'a b' 'it'\''s' '' --html=x.html"
        );
    }
}
