//! `asyncfix server`: what the protocol's side ([`server`]) asks about texts, answered as in a run
//! over the folder that the editor has open.

mod analyst;
mod known;
mod only;
mod parts;

use std::io::{self, BufReader, BufWriter};
use std::sync::Arc;

use anyhow::{Context, Result};
use server::{About, Ending};

use crate::arguments::Run;
use crate::exit::Exit;
use crate::plan;
use analyst::Desk;

/// Serves the client on standard input and output until it ends. An error is one of usage or
/// configuration, or of a system that starts no threads.
pub fn run(arguments: Run) -> Result<Exit> {
    // What is wrong on the command line is said before a client is kept waiting.
    plan::folders(arguments.clone())?;
    let desk = Arc::new(Desk::new(arguments)?);
    let about = About {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
    };
    let input = BufReader::new(io::stdin());
    let output = BufWriter::new(io::stdout());
    let ending = server::serve(desk, about, input, output).context("no threads can be started")?;
    Ok(match ending {
        Ending::Orderly => Exit::Success,
        Ending::Lost => Exit::Findings,
    })
}
