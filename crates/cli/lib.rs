//! The command line of asyncfix: the world around the engine. Arguments, configuration, walking,
//! reading and writing files, reports, the exit status.
//!
//! The way of a run: [`Arguments`] as typed -> [`Plan`] as meant -> [`run::run`] -> [`Exit`].
//!
//! It is a library for two: the program (`main.rs`), and the Python extension (`crates/batch`), which
//! calls [`batch`].

mod admission;
mod argument_file;
mod arguments;
mod baseline;
pub mod batch;
mod callers;
mod completions;
mod config;
mod dependencies;
mod exit;
mod folder;
mod globs;
mod guard;
mod list;
mod lock;
mod manual;
mod meaning;
mod migrate;
mod modules;
mod nearest;
mod page;
mod place;
mod plan;
mod progress;
mod report;
mod requirement;
mod review;
mod run;
mod server;
mod settings;
mod show;
mod since;
mod source;
mod state;
mod stdin;
mod suggest;
mod target;
mod terminal;
mod unused;
mod usage;
mod verify;
mod walk;
mod write;

use std::io::{self, Write};
use std::process::ExitCode;

use arguments::{Arguments, Command, ListFormat};
use exit::Exit;
use plan::Plan;

/// The program, from its arguments to its exit status.
pub fn main() -> ExitCode {
    #[cfg(feature = "types")]
    if let Some(memory) = child_memory() {
        // Whoever asks sees that the pipe is closed.
        return match types::serve(memory) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == campaign::KEEP) {
        return ExitCode::from(campaign::keep(words));
    }
    let arguments = match argument_file::expand(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            report::error(&format!("{error:#}"));
            return Exit::Failure.into();
        }
    };
    let arguments = match Arguments::parse(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Also the way of --help and --version, which are no errors.
            let printed = error.print();
            let is_help = !error.use_stderr();
            return match printed {
                Err(error) if is_help && error.kind() != io::ErrorKind::BrokenPipe => {
                    let reason = write::reason(&error);
                    report::error(&format!("standard output cannot be written: {reason}"));
                    Exit::Failure
                }
                _ if is_help => Exit::Success,
                _ => Exit::Failure,
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

/// The memory limit, in MiB, of a process that was started to infer types.
#[cfg(feature = "types")]
fn child_memory() -> Option<u64> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != types::ARGUMENT {
        return None;
    }
    arguments.next()?.parse().ok()
}

fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    match arguments.command {
        None => return run::run(&Plan::new(arguments.run)?),
        Some(Command::Server(arguments)) => return server::run(*arguments),
        Some(Command::Report(report)) => return run::run(&Plan::of_report(*report)?),
        Some(Command::Suggest(suggest)) => return run::run(&Plan::of_suggest(*suggest)?),
        Some(Command::Migrate(arguments)) => return migrate::run(*arguments),
        Some(Command::Explain {
            codemod,
            no_pager,
            color,
        }) => {
            let page = if plan::colored(color, &io::stdout()) {
                terminal::markdown::render(codemod.page, terminal::width())
            } else {
                codemod.page.to_string()
            };
            terminal::pager::print(&page, !no_pager)?;
        }
        Some(Command::List {
            output_format,
            color,
        }) => match output_format {
            ListFormat::Json => print(list::json()?.as_bytes())?,
            ListFormat::Text => {
                let color = plan::colored(color, &io::stdout());
                print(list::text(terminal::width(), color).as_bytes())?;
            }
        },
        Some(Command::Completions { shell }) => print(&completions::script(shell))?,
        Some(Command::Man) => print(&manual::man()?)?,
    }
    Ok(Exit::Success)
}

fn print(text: &[u8]) -> io::Result<()> {
    let mut out = report::Standard::lock();
    out.write_all(text)?;
    out.flush()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
