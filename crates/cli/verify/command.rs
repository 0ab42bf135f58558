//! One run of the command that verifies: how it ended, what it said, which tests failed.
//!
//! It runs in the current directory, with the environment of asyncfix and nothing on standard
//! input. What it leaves running in its process group is ended with it.

use std::fmt;
use std::io::{self, Read};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::interrupt;
use super::output::{Output, Printed};
use super::process;

use crate::lock::locked;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// It was ended, because it took longer than this.
    Late(Duration),
    /// It was ended, because asyncfix was interrupted.
    Interrupted,
}

/// A run that is over.
#[derive(Clone, Debug)]
pub struct Ran {
    pub ended: Ended,
    pub printed: Printed,
    pub took: Duration,
}

/// Whoever is asked to end has so much time for it.
const GRACE: Duration = Duration::from_secs(2);

/// What the shell ended without may still be printed so long.
const REST: Duration = Duration::from_millis(500);

/// How often is looked whether it ended.
const PAUSE: Duration = Duration::from_millis(10);

/// Runs a command line, for as long as `limit`. The error is one of the system.
pub fn run(line: &str, limit: Option<Duration>) -> io::Result<Ran> {
    let started = Instant::now();
    let (reader, writer) = io::pipe()?;
    let mut command = process::shell(line);
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn()?;
    // It holds the pipe's end, which would never close.
    drop(command);
    let reading = Reading::start(reader);
    let ended = loop {
        if process::has_ended(&mut child)? {
            break None;
        }
        if interrupt::is_wanted() {
            break Some(Ended::Interrupted);
        }
        if let Some(limit) = limit.filter(|limit| started.elapsed() >= *limit) {
            break Some(Ended::Late(limit));
        }
        thread::sleep(PAUSE);
    };
    if ended.is_some() {
        process::terminate(&child);
        let asked = Instant::now();
        while asked.elapsed() < GRACE && !process::has_ended(&mut child)? {
            thread::sleep(PAUSE);
        }
    }
    let status = process::end(&mut child)?;
    let took = started.elapsed();
    let printed = reading.finish();
    Ok(Ran {
        ended: ended.unwrap_or_else(|| Ended::of(status)),
        printed,
        took,
    })
}

/// What a command prints, read as it comes.
struct Reading {
    output: Arc<Mutex<Output>>,
    /// Nothing comes of it but its end.
    end: Receiver<()>,
}

impl Reading {
    fn start(mut reader: io::PipeReader) -> Self {
        let output = Arc::new(Mutex::new(Output::default()));
        let (sender, end) = channel::<()>();
        let taking = Arc::clone(&output);
        thread::spawn(move || {
            let _sender = sender;
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                locked(&taking).take(&buffer[..length]);
            }
        });
        Self { output, end }
    }

    /// What was printed. Who left the group may hold the pipe open for good: nobody waits for it.
    fn finish(self) -> Printed {
        let _ = self.end.recv_timeout(REST);
        std::mem::take(&mut *locked(&self.output)).finish()
    }
}

impl Ended {
    fn of(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signal(signal);
        }
        Self::Status(status.code().unwrap_or(-1))
    }

    pub fn is_success(self) -> bool {
        self == Self::Status(0)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
            Self::Late(limit) => write!(f, "not done after {}", shown(*limit)),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// `0.4 s`, `12 s`, `3 min 20 s`.
pub fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 10 {
        format!("{:.1} s", time.as_secs_f64())
    } else if seconds < 120 {
        format!("{seconds} s")
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::{Ended, PAUSE, run, shown};
    use std::process::Command;
    use std::time::{Duration, Instant};

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn both_streams_and_the_status_are_kept() {
        let ran = run("echo out; echo err >&2; exit 3", Some(LONG)).unwrap();
        assert_eq!(ran.ended, Ended::Status(3));
        assert_eq!(ran.printed.tail, ["out", "err"]);
        assert_eq!(run("kill -9 $$", None).unwrap().ended, Ended::Signal(9));
        assert_eq!(
            run("nothing-of-this-name", None).unwrap().ended,
            Ended::Status(127)
        );
    }

    #[test]
    fn nothing_comes_on_standard_input() {
        assert_eq!(run("cat", Some(LONG)).unwrap().ended, Ended::Status(0));
    }

    #[test]
    fn what_takes_too_long_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let started = Instant::now();
        let line = format!(
            "trap '' TERM; sleep 60 & echo $! > '{}'; wait",
            path.display()
        );
        let limit = Duration::from_millis(300);
        let ran = run(&line, Some(limit)).unwrap();
        assert_eq!(ran.ended, Ended::Late(limit));
        assert!(started.elapsed() < LONG);
        let pid = std::fs::read_to_string(path).unwrap();
        assert!(ends(pid.trim()));
    }

    #[test]
    fn what_is_left_running_is_ended() {
        let ran = run("sleep 60 & echo $!", Some(LONG)).unwrap();
        assert_eq!(ran.ended, Ended::Status(0));
        assert!(ends(&ran.printed.tail[0]));
    }

    /// Whether a process ends long before it would by itself. Whoever was killed is still known
    /// until its parent has waited for it.
    fn ends(pid: &str) -> bool {
        let is_running = || {
            let ps = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
            let stat = ps.map_or_else(|_| Vec::new(), |ps| ps.stdout);
            stat.iter().any(u8::is_ascii_alphabetic) && !stat.starts_with(b"Z")
        };
        let started = Instant::now();
        while is_running() {
            if started.elapsed() > LONG {
                return false;
            }
            std::thread::sleep(PAUSE);
        }
        true
    }

    #[test]
    fn times_are_short() {
        assert_eq!(shown(Duration::from_millis(420)), "0.4 s");
        assert_eq!(shown(Duration::from_secs(61)), "61 s");
        assert_eq!(shown(Duration::from_secs(200)), "3 min 20 s");
    }
}
