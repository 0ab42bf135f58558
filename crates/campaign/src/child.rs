//! What a run starts: with a time limit, and with nothing on standard input.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::keeper::{GRACE, KEEP, NOT_STARTED};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit status.
    Status(u8),
    /// By this signal, which was not ours.
    Signal(i32),
    /// It was ended since it took longer than this.
    Late(Duration),
    /// It was ended since the run is to end.
    Interrupted,
}

/// What a process came to.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub ended: Ended,
    /// All that it printed on standard output.
    pub stdout: Vec<u8>,
    /// The last of what it printed on standard error.
    pub stderr: String,
}

/// What keeps processes: asyncfix itself, and whether the run is to end.
#[derive(Clone, Copy)]
pub struct Keeper<'a> {
    /// The program that [`crate::keep`] is in.
    pub program: &'a Path,
    /// Whether somebody wants the run to end.
    pub is_interrupted: &'a (dyn Fn() -> bool + Sync),
}

/// A process that is to be started.
pub struct Job<'a> {
    program: OsString,
    arguments: Vec<OsString>,
    folder: &'a Path,
    lock: &'a Path,
    variables: Vec<(OsString, Option<OsString>)>,
    log: Option<PathBuf>,
    is_all_logged: bool,
}

/// So much of standard error is kept in hand.
const TAIL: u64 = 4096;

impl<'a> Job<'a> {
    /// A program in `folder`, during which `lock` is locked.
    pub fn new(program: impl AsRef<OsStr>, folder: &'a Path, lock: &'a Path) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            folder,
            lock,
            variables: Vec::new(),
            log: None,
            is_all_logged: false,
        }
    }

    /// A line for the shell.
    pub fn shell(line: &str, folder: &'a Path, lock: &'a Path) -> Self {
        if cfg!(windows) {
            return Self::new("cmd", folder, lock).arguments(["/D", "/S", "/C", line]);
        }
        Self::new("sh", folder, lock).arguments(["-c", line])
    }

    /// With more arguments.
    pub fn arguments<T: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        let arguments = arguments.into_iter().map(|it| it.as_ref().to_owned());
        self.arguments.extend(arguments);
        self
    }

    /// With a variable of the environment, or without it.
    pub fn variable(mut self, name: &str, value: Option<&str>) -> Self {
        self.variables
            .push((name.into(), value.map(OsString::from)));
        self
    }

    /// What it prints on standard error is kept in this file.
    pub fn log(mut self, path: &Path) -> Self {
        self.log = Some(path.to_path_buf());
        self
    }

    /// All that it prints is kept in this file.
    pub fn log_all(mut self, path: &Path) -> Self {
        self.is_all_logged = true;
        self.log(path)
    }

    /// Runs it for as long as `limit`. The error is one of the system, or that it cannot be started.
    pub fn run(self, keeper: Keeper, limit: Duration) -> io::Result<Output> {
        let started = Instant::now();
        let mut stdout = tempfile::tempfile()?;
        let mut stderr = match &self.log {
            Some(path) => File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(path)?,
            None => tempfile::tempfile()?,
        };
        let mut command = Command::new(keeper.program);
        command
            .arg(KEEP)
            .arg(self.lock)
            .arg(self.program)
            .args(self.arguments)
            .current_dir(self.folder)
            .stdin(Stdio::piped())
            .stdout(if self.is_all_logged {
                stderr.try_clone()?
            } else {
                stdout.try_clone()?
            })
            .stderr(stderr.try_clone()?);
        for (name, value) in self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        // Keys that interrupt the run are for the run.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let mut pause = Duration::from_millis(1);
        let mut ending: Option<(Ended, Instant)> = None;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            match &ending {
                None => {
                    let why = if (keeper.is_interrupted)() {
                        Some(Ended::Interrupted)
                    } else if started.elapsed() >= limit {
                        Some(Ended::Late(limit))
                    } else {
                        None
                    };
                    if let Some(why) = why {
                        // The keeper sees that, and ends what it keeps.
                        drop(child.stdin.take());
                        ending = Some((why, Instant::now()));
                    }
                }
                Some((_, since)) if since.elapsed() > GRACE * 3 => {
                    let _ = child.kill();
                }
                Some(_) => {}
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        };
        let ended = match (ending, status.code()) {
            (Some((why, _)), _) => why,
            (None, Some(code)) => Ended::Status(u8::try_from(code).unwrap_or(u8::MAX)),
            (None, None) => Ended::Signal(signal(status)),
        };
        let tail = tail(&mut stderr)?;
        if ended == Ended::Status(NOT_STARTED) && tail.contains("cannot be started") {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                tail.trim().to_string(),
            ));
        }
        let mut printed = Vec::new();
        stdout.seek(SeekFrom::Start(0))?;
        stdout.read_to_end(&mut printed)?;
        Ok(Output {
            ended,
            stdout: printed,
            stderr: tail,
        })
    }
}

/// The signal that ended a keeper, or what it kept.
#[cfg(unix)]
fn signal(status: ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)
}

#[cfg(windows)]
fn signal(_: ExitStatus) -> i32 {
    0
}

/// The last of what a file holds.
fn tail(file: &mut File) -> io::Result<String> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Output {
    /// Whether it ended with 0.
    pub fn is_success(&self) -> bool {
        self.ended == Ended::Status(0)
    }

    /// The last line that it complained with, for a message.
    pub fn complaint(&self) -> String {
        let lines = self.stderr.lines().map(str::trim);
        let mut lines = lines.filter(|line| !line.is_empty());
        let is_said = |line: &&str| {
            ["fatal:", "error:", "ERROR:", "remote:"]
                .iter()
                .any(|it| line.starts_with(it))
        };
        let first = self.stderr.lines().map(str::trim).find(is_said);
        let line = first.or_else(|| lines.next_back()).unwrap_or_default();
        let line = line
            .trim_start_matches("fatal: ")
            .trim_start_matches("error: ");
        line.chars().take(300).collect()
    }
}
