//! Findings for reviewdog: diagnostics with suggestions, in one JSON object or one a line.
//!
//! Source: reviewdog, `proto/rdf/reviewdog.proto`, and how its reporters read it. Columns count
//! bytes of UTF-8 from 1 on. A suggestion has no columns: it replaces the lines from its start to
//! its end, all but the line break of the last, by its text. Reporters show only the first one of
//! a diagnostic, so that each has at most one, and what else a fix changes in its file, as an
//! import, has a diagnostic of its own, which names the lines that need it.
//!
//! The suggestions are those fixes that `--fix` with the same options writes. To apply all of them,
//! take equal ones of a file once, for findings in the same lines share one; the others share no
//! line, and can be applied in any order, best from the last to the first. That gives the bytes of
//! `--fix`. One alone may need others: the related locations of its diagnostic say which. Of a
//! notebook, the lines are those of its JSON.

use std::collections::BTreeSet;
use std::io::{self, Write};

use edit::{Hunk, hunks};
use engine::{Codemod, Finding, Outcome, Severity};
use serde::Serialize;

use super::remark::{Remark, shown, unanalysed};
use super::spot::{Spot, Spots};
use super::{Entry, Failure, as_json};
use crate::page;

/// Prints all findings, and the files that could not be analysed, as one object.
pub fn print(entries: &[Entry], failures: &[Failure], out: &mut impl Write) -> io::Result<()> {
    let result = DiagnosticResult {
        source: Source::US,
        diagnostics: diagnostics(entries, failures),
    };
    as_json::whole(&result, out)
}

/// Prints the same diagnostics, each on a line.
pub fn print_lines(
    entries: &[Entry],
    failures: &[Failure],
    out: &mut impl Write,
) -> io::Result<()> {
    let diagnostics = diagnostics(entries, failures).into_iter();
    let with_source = diagnostics.map(|diagnostic| Diagnostic {
        source: Some(Source::US),
        ..diagnostic
    });
    as_json::lines(with_source, out)
}

#[derive(Serialize)]
struct DiagnosticResult {
    source: Source,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
    url: &'static str,
}

impl Source {
    const US: Self = Self {
        name: env!("CARGO_PKG_NAME"),
        url: env!("CARGO_PKG_REPOSITORY"),
    };
}

#[derive(Serialize)]
struct Diagnostic {
    message: String,
    location: Location,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<RelatedLocation>,
}

#[derive(Clone, Serialize)]
struct Location {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

/// The end is excluded, but where there are no columns: then it is the last line.
#[derive(Clone, Serialize)]
struct Range {
    start: Position,
    end: Position,
}

/// One-based.
#[derive(Clone, Serialize)]
struct Position {
    line: usize,
    /// In bytes of UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

#[derive(Serialize)]
struct Code {
    value: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Suggestion {
    range: Range,
    text: String,
}

#[derive(Serialize)]
struct RelatedLocation {
    message: &'static str,
    location: Location,
}

fn diagnostics(entries: &[Entry], failures: &[Failure]) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<Diagnostic> = unanalysed(failures)
        .map(|failure| Remark::of_failure(failure, shown(&failure.path)))
        .map(Diagnostic::of_remark)
        .collect();
    for entry in entries {
        diagnostics.extend(of_entry(entry));
    }
    diagnostics.sort_by(|one, other| {
        let line = |it: &Diagnostic| it.location.range.as_ref().map(|range| range.start.line);
        let path = one.location.path.cmp(&other.location.path);
        path.then_with(|| line(one).cmp(&line(other)))
    });
    diagnostics
}

fn of_entry(entry: &Entry) -> Vec<Diagnostic> {
    let spots = Spots::new(entry);
    let path = shown(entry.path);
    let after = entry.rewritten.map(|text| entry.source.file_text(text));
    let hunks = match after {
        Some(Ok(after)) => hunks(spots.file.as_str(), after.as_str()),
        _ => Vec::new(),
    };
    let location = |hunk: &Hunk| Location {
        path: path.clone(),
        range: Some(Range::of_hunk(hunk)),
    };
    // For each hunk, the findings that need it.
    let mut needed: Vec<Vec<&Finding>> = vec![Vec::new(); hunks.len()];
    let mut is_shown = vec![false; hunks.len()];
    let mut diagnostics = Vec::new();
    for finding in &entry.findings {
        let remark = Remark::of_finding(finding, path.clone(), &spots);
        let mut diagnostic = Diagnostic::of_remark(remark);
        let touched = touched(finding, entry, &spots, &hunks);
        let rows = spots.at(finding.range.start).row..spots.at(finding.range.end).row + 1;
        let meets = |index: &&usize| {
            let hunk = hunks.get(**index).map_or(0..0, |hunk| hunk.rows.clone());
            hunk.start < rows.end && rows.start < hunk.end
        };
        let main = touched.iter().find(meets).or(touched.first()).copied();
        for index in touched {
            let Some(hunk) = hunks.get(index) else {
                continue;
            };
            needed[index].push(finding);
            let is_large = hunk.content.len() > LARGE && is_shown[index];
            if Some(index) == main && !is_large {
                is_shown[index] = true;
                diagnostic.suggestions.push(suggestion(hunk, entry));
            } else {
                diagnostic.related_locations.push(RelatedLocation {
                    message: "the fix needs this change too",
                    location: location(hunk),
                });
            }
        }
        diagnostics.push(diagnostic);
    }
    for (index, hunk) in hunks
        .iter()
        .enumerate()
        .filter(|(index, _)| !is_shown[*index])
    {
        let needed = &needed[index];
        let rows: BTreeSet<usize> = needed
            .iter()
            .map(|it| spots.at(it.range.start).row)
            .collect();
        diagnostics.push(Diagnostic {
            message: goes_with(&rows),
            location: location(hunk),
            severity: "INFO",
            source: None,
            code: needed.first().map(|finding| Code::of(finding.codemod)),
            suggestions: vec![suggestion(hunk, entry)],
            related_locations: Vec::new(),
        });
    }
    diagnostics
}

/// A suggestion of more bytes is made once only, however many findings share it: a notebook may be
/// a single line, and a function that does nothing but sleep a single change.
const LARGE: usize = 1 << 10;

/// The hunks that hold an edit of the finding, if `--fix` applies it.
fn touched(finding: &Finding, entry: &Entry, spots: &Spots, hunks: &[Hunk]) -> BTreeSet<usize> {
    let Outcome::Fix(fix) = &finding.outcome else {
        return BTreeSet::new();
    };
    if fix.applicability > entry.apply {
        return BTreeSet::new();
    }
    let hunk_of = |edit: &edit::Edit| {
        let first = spots.at(edit.range.start).row;
        // The break at the end of whole lines leaves the next one alone.
        let last = spots
            .at(edit.range.end.saturating_sub(1).max(edit.range.start))
            .row;
        let at = hunks.partition_point(|hunk| hunk.rows.end <= first);
        let meets = hunks.get(at).is_some_and(|it| it.rows.start <= last);
        // A line that is written after this one is shown with the next.
        let next = hunks.partition_point(|hunk| hunk.rows.start <= last);
        let follows = |at: &usize| hunks.get(*at).is_some_and(|it| it.rows.start == last + 1);
        if meets {
            Some(at)
        } else {
            Some(next).filter(follows)
        }
    };
    fix.edits.iter().filter_map(hunk_of).collect()
}

fn suggestion(hunk: &Hunk, entry: &Entry) -> Suggestion {
    // It is part of the first line.
    let mark = if entry.source.bom && hunk.rows.start == 1 {
        "\u{feff}"
    } else {
        ""
    };
    Suggestion {
        range: Range::of_hunk(hunk),
        text: format!("{mark}{}", hunk.content),
    }
}

/// What is said of a change that is needed in other lines.
fn goes_with(rows: &BTreeSet<usize>) -> String {
    let rows: Vec<String> = rows.iter().map(usize::to_string).collect();
    let place = match rows.as_slice() {
        [] => "this file".to_string(),
        [row] => format!("line {row}"),
        rows => format!("lines {}", rows.join(", ")),
    };
    format!("belongs to what is suggested for {place}: apply it too")
}

impl Diagnostic {
    fn of_remark(remark: Remark) -> Self {
        let range = remark.start.zip(remark.end).map(|(start, end)| Range {
            start: Position::of_spot(start),
            end: Position::of_spot(end),
        });
        Self {
            severity: match remark.finding.map(|finding| finding.severity) {
                Some(Severity::Warning) => "WARNING",
                Some(Severity::Error) | None => "ERROR",
            },
            code: remark.finding.map(|finding| Code::of(finding.codemod)),
            message: remark.message,
            location: Location {
                path: remark.path,
                range,
            },
            source: None,
            suggestions: Vec::new(),
            related_locations: Vec::new(),
        }
    }
}

impl Range {
    fn of_hunk(hunk: &Hunk) -> Self {
        let line = |line| Position { line, column: None };
        Self {
            start: line(hunk.rows.start),
            end: line(hunk.rows.end - 1),
        }
    }
}

impl Position {
    fn of_spot(spot: Spot) -> Self {
        Self {
            line: spot.row,
            column: Some(spot.utf8),
        }
    }
}

impl Code {
    fn of(codemod: &Codemod) -> Self {
        Self {
            value: codemod.name,
            url: page::url(codemod),
        }
    }
}
