//! `asyncfix migrate status`.

use std::io::{self, Write};

use anyhow::{Result, anyhow};
use campaign::{Row, State};
use serde::Serialize;

use super::arguments::{Format, Status};
use super::open;
use crate::exit::Exit;
use crate::report::Standard;

/// Prints how each repository stands.
pub fn status(arguments: &Status) -> Result<Exit> {
    let campaign = open(&arguments.folder)?;
    let database = campaign.database().map_err(|problem| anyhow!(problem))?;
    let rows = database.rows().map_err(|problem| anyhow!(problem))?;
    let mut out = Standard::lock();
    match arguments.output_format {
        Format::Json => {
            let objects: Vec<Object> = rows.iter().map(Object::new).collect();
            serde_json::to_writer_pretty(&mut out, &objects).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Format::Text => {
            for row in &rows {
                writeln!(out, "{}", line(row))?;
            }
        }
    }
    out.flush()?;
    Ok(Exit::Success)
}

#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    url: &'a str,
    branch: Option<&'a str>,
    path: &'a str,
    commit: &'a str,
    state: &'static str,
    step: Option<&'static str>,
    reason: Option<&'a str>,
    attempts: u64,
}

impl<'a> Object<'a> {
    fn new(row: &'a Row) -> Self {
        Self {
            name: &row.repository.name,
            url: &row.repository.url,
            branch: row.repository.branch.as_deref(),
            path: &row.repository.path,
            commit: &row.repository.commit,
            state: row.state.as_str(),
            step: row.step.map(campaign::Step::as_str),
            reason: row.reason.as_deref(),
            attempts: row.attempts,
        }
    }
}

fn line(row: &Row) -> String {
    let name = &row.repository.name;
    match (row.state, &row.result, &row.reason) {
        (State::Done, Some(made), _) => format!(
            "{name}  done  {} found, {} fixed, {} withheld",
            made.found, made.fixed, made.withheld
        ),
        (state, _, Some(reason)) => format!("{name}  {}  {reason}", state.as_str()),
        (state, ..) => format!("{name}  {}", state.as_str()),
    }
}
