//! What goes wrong around a run: it is killed, the disk is full, files are not what they seem, and
//! there is far too much of everything. Every file is as it was or as it is to be, the others go on,
//! and what is said names what is in the way.

mod interrupted; // killed, twice at once, files that change meanwhile
mod large; // long lines, many findings, deep nesting, many files
mod names; // paths that are no text
mod space; // no space left, for files and for streams
mod special; // pipes, devices, links, attributes
mod surroundings; // folders and variables that are missing

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::project::{Project, Ran};

/// Longer than any of these runs takes on a slow machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is left of files that were being written.
fn left_over(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.to_string_lossy().contains(".asyncfix-") {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// A run that must end by itself.
fn run_in_time<'a>(project: &Project, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
    ended(project.command(arguments))
}

fn ended(mut command: Command) -> Ran {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ran::of(&output(command.spawn().unwrap()))
}

/// What a process gave, which must end by itself.
fn output(child: Child) -> Output {
    let process = child.id().to_string();
    let (sender, receiver) = mpsc::channel();
    // Somebody reads all the while what it prints.
    thread::spawn(move || sender.send(child.wait_with_output()));
    if let Ok(output) = receiver.recv_timeout(PATIENCE) {
        return output.unwrap();
    }
    let killed = Command::new("kill").args(["-KILL", &process]).status();
    assert!(killed.unwrap().success());
    let output = receiver.recv().unwrap().unwrap();
    assert!(output.status.success(), "it hangs: {output:?}");
    output
}

/// asyncfix by way of a shell, which sets limits first.
fn limited(project: &Project, limits: &str, arguments: &[&str]) -> Command {
    let script = format!("{limits}; exec \"$0\" \"$@\"");
    let own = project.command(arguments.iter().copied());
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(own.get_program());
    command.args(own.get_args()).current_dir(project.root());
    command.stdin(Stdio::null());
    command
}
