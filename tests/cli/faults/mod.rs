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
use std::time::{Duration, Instant};

use crate::project::{Project, Ran};

/// Longer than any of these runs takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

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
fn output(mut child: Child) -> Output {
    let start = Instant::now();
    // What it prints here is little: no pipe is full before it ends.
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            panic!("it hangs: {output:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
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
