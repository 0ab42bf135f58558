//! `asyncfix migrate`: many repositories. What is done with them is in the crate `campaign`; here
//! is what it cannot know: arguments, signals, the terminal.

mod arguments;
mod cells;
mod live;
mod merge;
mod page;
mod plan;
mod publish;
mod report;
mod run;
mod status;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, anyhow};
use campaign::Campaign;

use crate::exit::Exit;
use arguments::{Command, Folder};

pub use arguments::Migrate;

/// Does what was typed.
pub fn run(arguments: Migrate) -> Result<Exit> {
    match arguments.command {
        Command::Plan(arguments) => plan::plan(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Status(arguments) => status::status(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Retry(arguments) => run::retry(&arguments),
        Command::Publish(arguments) => publish::publish(&arguments),
        Command::Merge(arguments) => merge::merge(&arguments),
    }
}

/// The campaign in the folder that was named.
fn open(folder: &Folder) -> Result<Campaign> {
    Campaign::open(&folder.campaign).map_err(|problem| anyhow!(problem))
}

/// This program.
fn program() -> Result<PathBuf> {
    std::env::current_exe().context("asyncfix does not find itself")
}

static WANTED: AtomicBool = AtomicBool::new(false);

/// From here on it is only noted that somebody wants it to end: with Ctrl-C, SIGTERM or SIGHUP.
fn watch_signals() -> Result<()> {
    ctrlc::set_handler(|| WANTED.store(true, Ordering::SeqCst))
        .map_err(|error| anyhow!("signals cannot be waited for: {error}"))
}

/// Whether somebody wants it to end.
fn is_interrupted() -> bool {
    WANTED.load(Ordering::SeqCst)
}
