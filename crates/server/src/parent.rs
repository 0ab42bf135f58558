//! The process that started the server, which is to end with it.
//!
//! Mostly the end of the input tells that it is gone; not where another process holds the other end.

use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::session::Event;

/// How often to look.
const EVERY: Duration = Duration::from_secs(3);

/// Watches the process that the parameters of `initialize` name, and says when it is gone. One that
/// is not there now is one of another machine, or container.
pub fn watch(parameters: &Value, events: &Sender<Event>) {
    let number = parameters.get("processId").and_then(Value::as_i64);
    let Some(process) = number.and_then(|it| i32::try_from(it).ok()) else {
        return;
    };
    if !is_there(process) {
        return;
    }
    let events = events.clone();
    // Without a thread there is the end of the input.
    let _ = thread::Builder::new().spawn(move || {
        while is_there(process) {
            thread::sleep(EVERY);
        }
        let _ = events.send(Event::Gone);
    });
}

#[cfg(unix)]
fn is_there(process: i32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    // Those below 1 are groups.
    let process = if process > 0 {
        Pid::from_raw(process)
    } else {
        None
    };
    process.is_some_and(|process| test_kill_process(process) != Err(Errno::SRCH))
}

/// Elsewhere the end of the input has to do.
#[cfg(not(unix))]
fn is_there(_process: i32) -> bool {
    false
}
