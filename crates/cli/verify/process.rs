//! A shell command and all that it starts, which end together.

use std::io;
use std::process::{Child, Command, ExitStatus};

/// The shell that runs a command line.
#[cfg(unix)]
pub fn shell(line: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("sh");
    // A group of its own: a key that interrupts asyncfix does not reach it before asyncfix does.
    command.arg("-c").arg(line).process_group(0);
    command
}

/// The shell that runs a command line.
#[cfg(windows)]
pub fn shell(line: &str) -> Command {
    use std::os::windows::process::CommandExt;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    let mut command = Command::new("cmd");
    command
        .args(["/D", "/S", "/C"])
        .raw_arg(format!("\"{line}\""))
        .creation_flags(CREATE_NEW_PROCESS_GROUP);
    command
}

/// Whether the shell has ended. It is still known to the system then, so that its group is no
/// other's.
#[cfg(unix)]
pub fn has_ended(child: &mut Child) -> io::Result<bool> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
}

/// Whether the shell has ended.
#[cfg(windows)]
pub fn has_ended(child: &mut Child) -> io::Result<bool> {
    child.try_wait().map(|status| status.is_some())
}

/// Asks the whole group to end.
#[cfg(unix)]
pub fn terminate(child: &Child) {
    signal(child, rustix::process::Signal::TERM);
}

/// Nobody can be asked there.
#[cfg(windows)]
pub fn terminate(_: &Child) {}

/// Ends whatever is left of the group, and says how the shell ended.
pub fn end(child: &mut Child) -> io::Result<ExitStatus> {
    kill(child);
    child.wait()
}

#[cfg(unix)]
fn kill(child: &mut Child) {
    signal(child, rustix::process::Signal::KILL);
}

#[cfg(windows)]
fn kill(child: &mut Child) {
    let pid = child.id().to_string();
    let _ = Command::new("taskkill")
        .args(["/T", "/F", "/PID", &pid])
        .output();
    let _ = child.kill();
}

#[cfg(unix)]
fn signal(child: &Child, signal: rustix::process::Signal) {
    // There may be nobody left to hear it.
    let group = rustix::process::Pid::from_child(child);
    let _ = rustix::process::kill_process_group(group, signal);
}
