//! A process between a run and what it starts: it ends with whoever started it, however that ends,
//! and takes all along that it started itself.
//!
//! A run that is killed cannot end its children. So it does not start them: it starts asyncfix
//! again, with [`KEEP`], and a pipe as its standard input. When the pipe closes, because the run
//! wants it or because there is no run any more, the keeper ends what it keeps.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The first argument of a process that keeps another: then follow the file that is locked
/// meanwhile, the program, and its arguments.
pub const KEEP: &str = "__keep";

/// Whoever is asked to end has so much time for it. `asyncfix --verify` needs some of it to put
/// back files, and to end its command.
pub const GRACE: Duration = Duration::from_secs(5);

/// What a keeper that could not start the program exits with, as shells do.
pub const NOT_STARTED: u8 = 127;

/// Keeps a program, and gives its exit status; where a signal ended it, that ends the keeper too. `arguments` are what follows [`KEEP`].
///
/// The first of them is a file, which is locked as long as the program may be at work: who waits
/// for its lock knows that nothing that was kept works there any longer.
pub fn keep(mut arguments: impl Iterator<Item = OsString>) -> u8 {
    let (Some(lock), Some(program)) = (arguments.next(), arguments.next()) else {
        return NOT_STARTED;
    };
    let Ok(lock) = open_lock(Path::new(&lock)) else {
        return NOT_STARTED;
    };
    if lock.lock_shared().is_err() {
        return NOT_STARTED;
    }
    // Whoever started us may be gone by now, and another may be about to work in the same place.
    if is_closed() {
        return NOT_STARTED;
    }
    adopt();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    in_own_group(&mut command);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(
                io::stderr(),
                "`{}` cannot be started: {error}",
                command.get_program().display()
            );
            return NOT_STARTED;
        }
    };
    let group = Group::of(&child);
    let ending = Arc::clone(&group);
    thread::spawn(move || {
        let mut buffer = [0; 64];
        // Nothing comes but the end.
        while matches!(io::stdin().read(&mut buffer), Ok(1..)) {}
        ending.ask();
        thread::sleep(GRACE);
        ending.kill();
    });
    let status = group.wait(child);
    end_adopted();
    drop(lock);
    code(status)
}

/// The file that keepers lock in a place of work.
pub fn open_lock(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// A child and what is in its process group. As long as it was not waited for, its number is no
/// other's.
struct Group {
    is_over: Mutex<bool>,
    #[cfg(unix)]
    id: rustix::process::Pid,
    #[cfg(windows)]
    id: u32,
}

impl Group {
    fn of(child: &Child) -> Arc<Self> {
        Arc::new(Self {
            is_over: Mutex::new(false),
            #[cfg(unix)]
            id: rustix::process::Pid::from_child(child),
            #[cfg(windows)]
            id: child.id(),
        })
    }

    /// Waits for the end of the child, and ends what is left of its group.
    fn wait(&self, mut child: Child) -> Option<ExitStatus> {
        #[cfg(unix)]
        {
            use rustix::process::{WaitId, WaitIdOptions, waitid};
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(self.id), options) {}
            self.kill();
        }
        let status = child.wait();
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        status.ok()
    }

    #[cfg(unix)]
    fn ask(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    #[cfg(unix)]
    fn kill(&self) {
        self.signal(rustix::process::Signal::KILL);
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_over {
            let _ = rustix::process::kill_process_group(self.id, signal);
        }
    }

    /// Nobody can be asked there.
    #[cfg(windows)]
    fn ask(&self) {}

    #[cfg(windows)]
    fn kill(&self) {
        let id = self.id.to_string();
        let _ = Command::new("taskkill")
            .args(["/T", "/F", "/PID", &id])
            .output();
    }
}

#[cfg(unix)]
fn code(status: Option<ExitStatus>) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let Some(status) = status else {
        return NOT_STARTED;
    };
    if let Some(signal) = status
        .signal()
        .and_then(rustix::process::Signal::from_named_raw)
    {
        let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    // As shells say it, where the signal did nothing to us.
    code.unwrap_or_else(|| 128 | u8::try_from(status.signal().unwrap_or(0)).unwrap_or(0))
}

#[cfg(windows)]
fn code(status: Option<ExitStatus>) -> u8 {
    let code = status.and_then(|status| status.code());
    code.map_or(NOT_STARTED, |code| u8::try_from(code).unwrap_or(u8::MAX))
}

#[cfg(unix)]
fn in_own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(windows)]
fn in_own_group(command: &mut Command) {
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NEW_PROCESS_GROUP);
}

/// Whether nobody holds the other end of standard input.
#[cfg(unix)]
fn is_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = io::stdin();
    let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
    let now = Timespec::default();
    // Nothing is ever written to it: what can be read is its end.
    matches!(poll(&mut polled, Some(&now)), Ok(1..))
}

#[cfg(windows)]
fn is_closed() -> bool {
    false
}

/// From here on whoever leaves its group, and loses its parent, is our child.
#[cfg(target_os = "linux")]
fn adopt() {
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

#[cfg(not(target_os = "linux"))]
fn adopt() {}

/// Ends who left the group: daemons that a command started, and the tests of an asyncfix that was
/// killed.
#[cfg(target_os = "linux")]
fn end_adopted() {
    use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
    // Who is ended may leave children behind, which are ours then.
    for _ in 0..100 {
        let path = format!("/proc/self/task/{}/children", std::process::id());
        let Ok(children) = std::fs::read_to_string(path) else {
            return;
        };
        let children: Vec<Pid> = children
            .split_whitespace()
            .filter_map(|it| it.parse().ok().and_then(Pid::from_raw))
            .collect();
        if children.is_empty() {
            return;
        }
        for child in children {
            let _ = kill_process(child, Signal::KILL);
        }
        let _ = wait(WaitOptions::empty());
    }
}

#[cfg(not(target_os = "linux"))]
fn end_adopted() {}
