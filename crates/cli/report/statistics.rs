//! How much was found, what can be fixed, and why the rest is not: what one wants to know before a
//! migration.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use edit::Applicability;
use engine::{Applied, Finding, Outcome, Severity};
use serde::Serialize;

use super::reasons::Reasons;
use super::{Entry, Failure, Places, as_json};
use crate::terminal::{paint, width, wrap};

/// What is counted over all files of a run.
#[derive(Default)]
pub struct Statistics {
    /// By the name of the codemod.
    rows: BTreeMap<&'static str, Row>,
    total: Row,
    /// Whether fixes were written, so that what is left is not what was found.
    fixed: bool,
    files: Files,
}

/// What is counted of one codemod, or of all.
#[derive(Default, Serialize)]
struct Row {
    /// Before anything was fixed.
    found: usize,
    /// How many files have such a finding.
    files: usize,
    /// How many of those that are left use what the target version no longer has.
    errors: usize,
    /// How many fixes were written.
    fixed: usize,
    /// What is left, by what its fix may change.
    safe: usize,
    intended: usize,
    #[serde(rename = "unsafe")]
    unsafe_: usize,
    /// What is left and has no fix.
    withheld: usize,
    #[serde(skip_serializing_if = "Reasons::is_empty")]
    reasons: Reasons,
}

/// How many files there were.
#[derive(Default, Serialize)]
struct Files {
    checked: usize,
    not_analysed: usize,
    not_written: usize,
}

impl Statistics {
    /// Nothing yet, in so many files. `fixed`: whether fixes were written.
    pub fn new(checked: usize, fixed: bool) -> Self {
        let files = Files {
            checked,
            ..Files::default()
        };
        Self {
            fixed,
            files,
            ..Self::default()
        }
    }

    /// Counts one file: what was `found` in it, what was `applied`, and what is left, which the
    /// entry holds.
    pub fn count(&mut self, found: &[Finding], applied: &[Applied], entry: &Entry) {
        let mut names: Vec<&str> = found.iter().map(|finding| finding.codemod.name).collect();
        names.sort_unstable();
        names.dedup();
        self.total.files += usize::from(!names.is_empty());
        for name in names {
            self.rows.entry(name).or_default().files += 1;
        }
        for finding in found {
            self.each(finding.codemod.name, |row| row.found += 1);
        }
        for Applied { codemod, fixes, .. } in applied {
            self.each(codemod.name, |row| row.fixed += fixes);
        }
        let places = Places::new(entry.source, entry.text);
        for finding in &entry.findings {
            self.each(finding.codemod.name, |row| {
                row.count(&finding.outcome, finding.severity);
            });
            if let Outcome::Withheld(reason) = &finding.outcome {
                let place = || {
                    let place = places.of(finding.range.start);
                    format!("{}:{place}", entry.path.display())
                };
                let reasons = &mut self.rows.entry(finding.codemod.name).or_default().reasons;
                reasons.count(reason, place);
            }
        }
    }

    /// Counts a file that something went wrong with.
    pub fn count_failure(&mut self, failure: &Failure) {
        if failure.unwritten {
            self.files.not_written += 1;
        } else {
            self.files.not_analysed += 1;
        }
    }

    fn each(&mut self, name: &'static str, count: impl Fn(&mut Row)) {
        count(self.rows.entry(name).or_default());
        count(&mut self.total);
    }

    /// The codemods with most findings first.
    fn sorted(&self) -> Vec<(&'static str, &Row)> {
        let mut rows: Vec<_> = self.rows.iter().map(|(name, row)| (*name, row)).collect();
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.found));
        rows
    }

    /// Prints a table.
    pub fn print(&self, color: bool, out: &mut impl Write) -> io::Result<()> {
        let styled = |style: Style| if color { style } else { Style::new() };
        let (bold, name_style, red) = (styled(BOLD), styled(NAME), styled(RED));
        let second = if self.fixed { "fixed" } else { "files" };
        let head = ["found", second, "safe", "intended", "unsafe", "withheld"];
        writeln!(
            out,
            "{}",
            line("codemod", &head.map(str::to_string), bold, bold)
        )?;
        for (name, row) in self.sorted() {
            writeln!(out, "{}", self.line(name, row, name_style, Style::new()))?;
            if row.errors > 0 {
                let number = paint(red, &format!("{:>6}", row.errors));
                writeln!(out, "{number}  {ERRORS}")?;
            }
            for reason in row.reasons.sorted() {
                let first = format!("{:>6}  ", reason.count);
                for line in wrap(&reason.text, width(), &first, "        ") {
                    writeln!(out, "{line}")?;
                }
            }
            if row.errors > 0 || !row.reasons.is_empty() {
                writeln!(out)?;
            }
        }
        writeln!(out, "{}", self.line("all", &self.total, bold, bold))?;
        for (number, what) in [
            (self.files.not_analysed, "could not be analysed"),
            (self.files.not_written, "could not be written"),
        ] {
            if number > 0 {
                let files = if number == 1 { "file" } else { "files" };
                writeln!(
                    out,
                    "{}  {files} {what}",
                    paint(red, &format!("{number:>6}"))
                )?;
            }
        }
        Ok(())
    }

    fn line(&self, name: &str, row: &Row, name_style: Style, style: Style) -> String {
        let second = if self.fixed { row.fixed } else { row.files };
        let numbers = [
            row.found,
            second,
            row.safe,
            row.intended,
            row.unsafe_,
            row.withheld,
        ];
        let number = |number: usize| match number {
            0 => "-".to_string(),
            number => number.to_string(),
        };
        line(name, &numbers.map(number), name_style, style)
    }

    /// The codemods with most findings first, as JSON has them.
    pub fn codemods(&self) -> impl Serialize + '_ {
        let rows = self.sorted().into_iter();
        let named = rows.map(|(codemod, row)| Named { codemod, row });
        named.collect::<Vec<_>>()
    }

    /// How many files could not be analysed.
    pub fn not_analysed(&self) -> usize {
        self.files.not_analysed
    }

    /// Prints one JSON object.
    pub fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        let rows = self.sorted().into_iter();
        let object = Object {
            files: &self.files,
            total: &self.total,
            codemods: rows.map(|(codemod, row)| Named { codemod, row }).collect(),
        };
        as_json::whole(&object, out)
    }
}

impl Row {
    fn count(&mut self, outcome: &Outcome, severity: Severity) {
        self.errors += usize::from(severity == Severity::Error);
        match outcome {
            Outcome::Withheld(_) => self.withheld += 1,
            Outcome::Fix(fix) => match fix.applicability {
                Applicability::Safe => self.safe += 1,
                Applicability::Intended => self.intended += 1,
                Applicability::Unsafe => self.unsafe_ += 1,
            },
        }
    }
}

#[derive(Serialize)]
struct Object<'a> {
    files: &'a Files,
    total: &'a Row,
    codemods: Vec<Named<'a>>,
}

#[derive(Serialize)]
struct Named<'a> {
    codemod: &'static str,
    #[serde(flatten)]
    row: &'a Row,
}

/// A name and six columns, in 79.
fn line(name: &str, columns: &[String; 6], name_style: Style, style: Style) -> String {
    let [found, second, safe, intended, unsafe_, withheld] = columns;
    let columns = format!("{found:>7}{second:>7}{safe:>7}{intended:>10}{unsafe_:>8}{withheld:>10}");
    let padding = " ".repeat(30_usize.saturating_sub(name.len()));
    let name = paint(name_style, name);
    format!("{name}{padding}{}", paint(style, &columns))
}

const ERRORS: &str = "are errors: the target version no longer has what they use";

const BOLD: Style = Style::new().bold();
const NAME: Style = AnsiColor::Cyan.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
