//! `asyncfix migrate status`.

use std::io::{self, IsTerminal, Write};

use anyhow::{Result, anyhow};
use campaign::{Campaign, Codemod, Row, Summary, Tests};
use serde::Serialize;
use textwrap::core::display_width;

use super::arguments::{Format, Status};
use super::cells::{remark, repositories, state, time};
use super::open;
use crate::exit::Exit;
use crate::report::{Standard, as_json};
use crate::terminal::width;

/// Prints how each repository stands.
pub fn status(arguments: &Status) -> Result<Exit> {
    let campaign = open(&arguments.folder)?;
    let database = campaign.database().map_err(|problem| anyhow!(problem))?;
    let rows = database.rows().map_err(|problem| anyhow!(problem))?;
    let mut out = Standard::lock();
    match arguments.output_format {
        Format::Json => as_json::whole(&object(&campaign, &rows)?, &mut out)?,
        Format::Text => print(&campaign, &rows, &mut out)?,
    }
    out.flush()?;
    Ok(Exit::Success)
}

const HEAD: [&str; 8] = [
    "repository",
    "state",
    "found",
    "fixed",
    "withheld",
    "left",
    "took",
    "tests, or what went wrong",
];

fn print(campaign: &Campaign, rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let mut lines = vec![HEAD.map(str::to_string)];
    lines.extend(rows.iter().map(|row| cells(campaign, row)));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| {
            lines
                .iter()
                .map(|cells| display_width(&cells[column]))
                .max()
                .unwrap_or(0)
        })
        .collect();
    // Who reads it elsewhere than in a terminal gets all of it.
    let most = if io::stdout().is_terminal() {
        width().max(80)
    } else {
        usize::MAX
    };
    for cells in &lines {
        let mut line = String::new();
        for (number, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width - display_width(cell));
            // Numbers stand below each other by their ends.
            if (2..7).contains(&number) {
                line = line + &gap + cell + "  ";
            } else {
                line = line + cell + &gap + "  ";
            }
        }
        let line = line.trim_end();
        if display_width(line) > most {
            let cut: String = line.chars().take(most - 1).collect();
            writeln!(out, "{cut}…")?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out, "\n{}", sentence(&Summary::new(rows)))
}

fn cells(campaign: &Campaign, row: &Row) -> [String; 8] {
    let number = |number: u64| match number {
        0 => "-".to_string(),
        number => number.to_string(),
    };
    let made = row
        .result
        .as_ref()
        .filter(|_| row.state == campaign::State::Done);
    let numbers = made.map_or([0; 4], |it| [it.found, it.fixed, it.withheld, it.left]);
    let [found, fixed, withheld, left] = numbers.map(number);
    [
        row.repository.name.clone(),
        state(row, |run| campaign::is_alive(campaign, run)),
        found,
        fixed,
        withheld,
        left,
        time(row.took),
        remark(row),
    ]
}

/// The whole in a line.
fn sentence(summary: &Summary) -> String {
    format!(
        "{}: {}. {} found, {} fixed, {} withheld, {} left to other options.",
        repositories(summary.repositories),
        states(summary),
        summary.found,
        summary.fixed,
        summary.withheld,
        summary.left
    )
}

/// How many are done, and how many are not: `2 done (1 with problems), 1 failed`.
pub fn states(summary: &Summary) -> String {
    let mut parts = vec![match summary.troubled {
        0 => format!("{} done", summary.done),
        troubled => format!("{} done ({troubled} with problems)", summary.done),
    }];
    for (count, what) in [
        (summary.retry, "failed for now"),
        (summary.permanent, "failed"),
        (summary.pending, "open"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.join(", ")
}

#[derive(Serialize)]
struct Object<'a> {
    campaign: String,
    total: Total,
    repositories: Vec<One<'a>>,
}

#[derive(Serialize)]
struct Total {
    repositories: usize,
    done: usize,
    retry: usize,
    permanent: usize,
    pending: usize,
    changed: usize,
    /// Of those that are done: in how many something went wrong with single files.
    with_problems: usize,
    found: u64,
    fixed: u64,
    withheld: u64,
    left: u64,
}

#[derive(Serialize)]
struct One<'a> {
    name: &'a str,
    url: &'a str,
    branch: Option<&'a str>,
    path: &'a str,
    commit: &'a str,
    /// `pending`, `done`, `retry` or `permanent`.
    state: &'static str,
    /// The step at which it failed.
    step: Option<&'static str>,
    reason: Option<&'a str>,
    /// The step that a run is at now.
    working: Option<&'static str>,
    attempts: u64,
    seconds: f64,
    /// From the campaign's folder.
    mirror: Option<String>,
    result: Option<Made<'a>>,
}

#[derive(Serialize)]
struct Made<'a> {
    checked: u64,
    not_analysed: u64,
    found: u64,
    fixed: u64,
    withheld: u64,
    left: u64,
    /// What went wrong with single files: how often, how often by a fault of asyncfix, and the
    /// first of it.
    problems: u64,
    faults: u64,
    first_problems: &'a [String],
    tests: Option<&'a Tests>,
    codemods: &'a [Codemod],
    commit: Option<&'a str>,
    branch: Option<&'a str>,
    patch: Option<&'a str>,
}

fn object<'a>(campaign: &Campaign, rows: &'a [Row]) -> Result<Object<'a>> {
    let summary = Summary::new(rows);
    let one = |row: &'a Row| -> Result<One<'a>> {
        let repository = &row.repository;
        let mirror = campaign
            .mirror(repository)
            .map_err(|problem| anyhow!(problem))?;
        let mirror = mirror.strip_prefix(campaign.folder()).unwrap_or(&mirror);
        let working = row.working.as_ref();
        let working = working.filter(|it| campaign::is_alive(campaign, &it.run));
        let made = row
            .result
            .as_ref()
            .filter(|_| row.state == campaign::State::Done);
        Ok(One {
            name: &repository.name,
            url: &repository.url,
            branch: repository.branch.as_deref(),
            path: &repository.path,
            commit: &repository.commit,
            state: row.state.as_str(),
            step: row.step.map(campaign::Step::as_str),
            reason: row.reason.as_deref(),
            working: working.and_then(|it| it.step).map(campaign::Step::as_str),
            attempts: row.attempts,
            seconds: row.took.as_secs_f64(),
            mirror: Some(mirror.display().to_string()),
            result: made.map(|made| Made {
                checked: made.checked,
                not_analysed: made.not_analysed,
                found: made.found,
                fixed: made.fixed,
                withheld: made.withheld,
                left: made.left,
                problems: made.problems.count,
                faults: made.problems.faults,
                first_problems: &made.problems.first,
                tests: made.tests.as_ref(),
                codemods: &made.codemods,
                commit: made.commit.as_ref().map(|it| it.id.as_str()),
                branch: made.commit.as_ref().map(|it| it.branch.as_str()),
                patch: made.commit.as_ref().map(|it| it.patch.as_str()),
            }),
        })
    };
    Ok(Object {
        campaign: campaign.name(),
        total: Total {
            repositories: summary.repositories,
            done: summary.done,
            retry: summary.retry,
            permanent: summary.permanent,
            pending: summary.pending,
            changed: summary.changed,
            with_problems: summary.troubled,
            found: summary.found,
            fixed: summary.fixed,
            withheld: summary.withheld,
            left: summary.left,
        },
        repositories: rows.iter().map(one).collect::<Result<_>>()?,
    })
}
