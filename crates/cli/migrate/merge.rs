//! `asyncfix migrate merge`.

use anyhow::{Result, anyhow};
use campaign::Keeper;

use super::arguments::Merge;
use super::cells::repositories;
use super::{is_interrupted, program, watch_signals};
use crate::exit::Exit;
use crate::report;

/// Puts parts together, and says how much came of it.
pub fn merge(arguments: &Merge) -> Result<Exit> {
    watch_signals()?;
    let program = program()?;
    let keeper = Keeper {
        program: &program,
        is_interrupted: &is_interrupted,
    };
    let into = &arguments.folder.campaign;
    let merged = campaign::merge(&arguments.parts, into, keeper);
    let merged = merged.map_err(|problem| anyhow!(problem))?;
    report::line(&format!(
        "Took over {} of {}.",
        merged.taken,
        repositories(merged.repositories)
    ));
    Ok(Exit::Success)
}
