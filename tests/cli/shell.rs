//! The examples of the documentation, run in a shell as they stand.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::project::Ran;

/// The blocks of a page of the documentation that are in this language, in their order.
pub fn blocks(page: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(page);
    let text = fs::read_to_string(path).unwrap();
    let fence = format!("```{language}\n");
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once("\n```") {
        let after = format!("```{after}");
        let (begin, after) = after.split_once('\n').unwrap();
        let (block, _) = after.split_once("\n```").unwrap();
        if format!("{begin}\n") == fence {
            found.push(format!("{block}\n"));
        }
        // Behind the fence that ends it.
        let (_, after) = rest.split_once("\n```").unwrap();
        let (_, after) = after.split_once("\n```").unwrap();
        rest = after;
    }
    found
}

/// A folder with programs of its own, which come before all others.
pub struct Shell {
    folder: PathBuf,
    programs: PathBuf,
    variables: Vec<(String, String)>,
}

impl Shell {
    /// In `folder`, with programs that are put into `programs`; `asyncfix` is one.
    pub fn new(folder: PathBuf, programs: PathBuf) -> Self {
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(&programs).unwrap();
        let shell = Self {
            folder,
            programs,
            variables: Vec::new(),
        };
        let asyncfix = env!("CARGO_BIN_EXE_asyncfix");
        shell.program("asyncfix", &format!("exec '{asyncfix}' \"$@\""));
        shell
    }

    /// Has a program of this name, which is lines for the shell.
    pub fn program(&self, name: &str, lines: &str) {
        let path = self.programs.join(name);
        fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Has a variable.
    pub fn variable(&mut self, name: &str, value: impl Into<String>) {
        self.variables.push((name.to_string(), value.into()));
    }

    /// Runs lines, of which none may fail.
    #[track_caller]
    pub fn run(&self, lines: &str) -> Ran {
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("sh")
            .args(["-eu", "-c", lines])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", self.programs.display()))
            .env_remove("JOB_COMPLETION_INDEX")
            .env_remove("GITHUB_TOKEN")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let ran = Ran::of(&output);
        assert_eq!(ran.status, 0, "{lines}: {}{}", ran.stdout, ran.stderr);
        ran
    }
}
