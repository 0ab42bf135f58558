//! A folder that is made for one test, and asyncfix run in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A program with one finding that has an intended fix, and leaves no import unused.
pub const SLEEPS: &str = "\
import asyncio
import time

print(time.time())


async def main():
    time.sleep(1)
";

/// What becomes of [`SLEEPS`].
pub const AWAITS: &str = "\
import asyncio
import time

print(time.time())


async def main():
    await asyncio.sleep(1)
";

/// A program with one finding that is withheld.
pub const WITHHELD: &str = "\
import asyncio
import time


async def main():
    try:
        pass
    finally:
        time.sleep(1)
";

/// A program without findings.
pub const CLEAN: &str = "\
import asyncio


async def main():
    await asyncio.sleep(1)
";

/// The folder. It is removed with the value.
pub struct Project {
    folder: tempfile::TempDir,
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (name, text) in files {
            project.write(name, text);
        }
        project
    }

    /// With one file, `a.py`.
    pub fn of(text: impl AsRef<[u8]>) -> Self {
        let project = Self::new([]);
        project.write("a.py", text);
        project
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// The names in the root, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// asyncfix, about to run in the root, with nothing of the developer's environment that
    /// changes what it does.
    pub fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_asyncfix"));
        command
            .args(arguments)
            .current_dir(self.root())
            .env_remove("NO_COLOR")
            .env_remove("FORCE_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("VIRTUAL_ENV")
            .env_remove("CONDA_PREFIX")
            .stdin(Stdio::null());
        command
    }

    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// Like [`Project::run`], with something on standard input; what it printed there as bytes.
    pub fn pipe<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
        input: &[u8],
    ) -> (Ran, Vec<u8>) {
        let child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = feed(child, input);
        (Ran::of(&output), output.stdout)
    }

    /// Like [`Project::run`], by a user who has to ask for permission. Tests may run as root.
    #[cfg(unix)]
    pub fn run_unprivileged<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        Ran::of(&self.command_unprivileged(arguments).output().unwrap())
    }

    /// Like [`Project::command`], by a user who has to ask for permission.
    #[cfg(unix)]
    pub fn command_unprivileged<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = self.command(arguments);
        if is_root() {
            command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
        }
        command
    }

    /// Gives everything to the user of [`Project::run_unprivileged`].
    #[cfg(unix)]
    pub fn give_away(&self) {
        use std::os::unix::fs::chown;
        if is_root() {
            let mut folders = vec![self.root().to_path_buf()];
            while let Some(path) = folders.pop() {
                chown(&path, Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
                if path.is_dir() {
                    let entries = fs::read_dir(path).unwrap();
                    folders.extend(entries.map(|entry| entry.unwrap().path()));
                }
            }
        }
    }

    /// Runs another program in the root; it must succeed.
    pub fn tool(&self, program: &str, arguments: &[&str], input: &[u8]) -> Output {
        let child = Command::new(program)
            .args(arguments)
            .current_dir(self.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = feed(child, input);
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }
}

/// Gives a process its input, and waits. It may have its reasons not to read it.
fn feed(mut child: Child, input: &[u8]) -> Output {
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    })
}

/// Whether the tests run as root, to whom nothing is forbidden.
#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0
}

/// The number of `nobody` in most systems; that nobody may have it does no harm.
#[cfg(unix)]
const UNPRIVILEGED: u32 = 65534;

impl Ran {
    pub fn of(output: &Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Compares with a snapshot in `snapshots/cli`.
pub fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
