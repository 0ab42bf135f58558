//! The command line of asyncfix: the world around the engine. Arguments, configuration, walking,
//! reading and writing files, reports, the exit status.
//!
//! The way of a run: [`Arguments`] as typed -> [`Plan`] as meant -> [`run::run`] -> [`Exit`].

mod arguments;
mod config;
mod exit;
mod folder;
mod guard;
mod page;
mod place;
mod plan;
mod progress;
mod report;
mod run;
mod source;
mod suggest;
mod target;
mod usage;
mod walk;
mod write;

use std::io::{self, Write};
use std::process::ExitCode;

use arguments::{Arguments, Command};
use exit::Exit;
use plan::Plan;

/// A syntax tree is made of many small pieces, which the system's allocator takes long over.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Also the way of --help and --version, which are no errors.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Failure
            } else {
                Exit::Success
            }
            .into();
        }
    };
    guard::install();
    let exit = run(arguments).unwrap_or_else(|error| {
        // Whoever reads our output has read enough, as in `asyncfix --diff | head`. Rust ignores
        // SIGPIPE, so that a closed pipe is seen as an error of a write; it is not one of ours.
        if is_broken_pipe(&error) {
            return Exit::Success;
        }
        report::error(&format!("{error:#}"));
        Exit::Failure
    });
    exit.into()
}

fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    match arguments.command {
        None => run::run(&Plan::new(arguments.run)?),
        Some(Command::Explain { codemod }) => print(codemod.page),
        Some(Command::List) => print(&page::list()),
    }
}

fn print(text: &str) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Exit::Success)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
