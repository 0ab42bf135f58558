//! `asyncfix migrate report`: a campaign for those who decide about it.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Result, anyhow};
use campaign::{Campaign, Row, State, Summary};

use super::arguments::Report;
use super::cells::{repositories, time};
use super::status::states;
use super::{open, page};
use crate::exit::Exit;
use crate::report::{Standard, summary::plural};
use crate::terminal::{width, wrap};
use crate::write;

/// Prints a summary, or writes the page.
pub fn report(arguments: &Report) -> Result<Exit> {
    let campaign = open(&arguments.folder)?;
    let database = campaign.database().map_err(|problem| anyhow!(problem))?;
    let rows = database.rows().map_err(|problem| anyhow!(problem))?;
    let mut out = Standard::lock();
    let Some(path) = &arguments.html else {
        text(&campaign, &rows, &mut out)?;
        out.flush()?;
        return Ok(Exit::Success);
    };
    let page = page::page(&campaign, &rows)?;
    if path == Path::new("-") {
        out.write_all(page.as_bytes())?;
        out.flush()?;
    } else {
        write::create(path, page.as_bytes())
            .map_err(|problem| anyhow!("--html: `{}` {problem}", path.display()))?;
    }
    Ok(Exit::Success)
}

/// So many reasons are listed of each codemod.
const REASONS: usize = 5;

/// So many problems are listed of each repository.
const PROBLEMS: usize = 5;

fn text(campaign: &Campaign, rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let summary = Summary::new(rows);
    writeln!(
        out,
        "Campaign {}: {}: {}. With fixes on a branch: {}.",
        campaign.name(),
        repositories(summary.repositories),
        states(&summary),
        summary.changed
    )?;
    writeln!(
        out,
        "Found in {}: {}. Fixed: {}. Withheld, for a person to decide: {}. Left to other options: {}.",
        plural(size(summary.checked), "file"),
        summary.found,
        summary.fixed,
        summary.withheld,
        summary.left
    )?;
    if summary.verified > 0 {
        let back = match summary.taken_back {
            0 => String::new(),
            1 => "; 1 fix was taken back, with which they do not".to_string(),
            count => format!("; {count} fixes were taken back, with which they do not"),
        };
        let count = repositories(summary.verified);
        writeln!(out, "In {count} the tests pass with the fixes{back}.")?;
    }
    if summary.not_analysed > 0 {
        writeln!(
            out,
            "{} could not be analysed.",
            plural(size(summary.not_analysed), "file")
        )?;
    }
    if summary.faults > 0 {
        writeln!(
            out,
            "{} dropped, by a fault of asyncfix: please report it.",
            match summary.faults {
                1 => "1 fix was".to_string(),
                count => format!("{count} fixes were"),
            }
        )?;
    }
    writeln!(out, "All steps took {} together.", time(summary.took))?;
    let head = ["found", "fixed", "withheld", "left"];
    let line = |name: &str, [found, fixed, withheld, left]: [String; 4]| {
        format!("{name:<30}{found:>8}{fixed:>8}{withheld:>10}{left:>8}")
    };
    if !summary.codemods.is_empty() {
        writeln!(out, "\n{}", line("codemod", head.map(str::to_string)))?;
    }
    for it in &summary.codemods {
        let numbers = [it.found, it.fixed, it.withheld, it.left()];
        writeln!(out, "{}", line(&it.name, numbers.map(|it| it.to_string())))?;
    }
    let withheld = summary.codemods.iter().filter(|it| !it.reasons.is_empty());
    for (number, codemod) in withheld.enumerate() {
        if number == 0 {
            writeln!(out, "\nWhy findings are withheld")?;
        }
        writeln!(out, "{}", codemod.name)?;
        for reason in codemod.reasons.iter().take(REASONS) {
            let first = format!("{:>6}  ", reason.count);
            for line in wrap(&reason.reason, width(), &first, "        ") {
                writeln!(out, "{line}")?;
            }
        }
        if let Some(more) = codemod
            .reasons
            .len()
            .checked_sub(REASONS)
            .filter(|it| *it > 0)
        {
            writeln!(out, "        and {}", plural(more, "more reason"))?;
        }
    }
    problems(rows, out)?;
    for (state, title) in [
        (State::Permanent, "Failed"),
        (
            State::Retry,
            "Failed for now: `asyncfix migrate run` tries them again",
        ),
    ] {
        let failed: Vec<&Row> = rows.iter().filter(|row| row.state == state).collect();
        if failed.is_empty() {
            continue;
        }
        writeln!(out, "\n{title}")?;
        for row in failed {
            let step = row.step.map_or("", campaign::Step::as_str);
            let reason = row.reason.as_deref().unwrap_or_default();
            let said = format!("{} ({step}): {reason}", row.repository.name);
            for line in wrap(&said, width(), "  ", "    ") {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

/// What went wrong with single files of what is done.
fn problems(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let done = rows.iter().filter(|row| row.state == State::Done);
    let made = done.filter_map(|row| Some((&row.repository.name, row.result.as_ref()?)));
    for (number, (name, made)) in made.filter(|it| it.1.problems.count > 0).enumerate() {
        if number == 0 {
            writeln!(out, "\nDone, with problems in single files")?;
        }
        let first = made.problems.first.iter().take(PROBLEMS);
        let shown = first.len();
        for problem in first {
            for line in wrap(&format!("{name}: {problem}"), width(), "  ", "    ") {
                writeln!(out, "{line}")?;
            }
        }
        let more = size(made.problems.count).saturating_sub(shown);
        if more > 0 {
            let log = format!("logs/{name}.transform.log");
            writeln!(out, "    and {more} more in {log}")?;
        }
    }
    Ok(())
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
