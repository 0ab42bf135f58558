//! What a page knows, as plain data.

use std::collections::BTreeSet;
use std::ops::Range;

use edit::{Applicability, LineIndex};
use engine::{Finding, Outcome, Severity};
use serde::Serialize;

use super::About;
use crate::report::{Entry, Failure, Places};

/// A run.
#[derive(Serialize)]
pub struct Document<'a> {
    pub about: About,
    /// Those that found something, in the order of the list.
    pub codemods: Vec<Codemod>,
    /// Those in which something was found, by path.
    pub files: Vec<File<'a>>,
    /// What went wrong, by path.
    pub failures: Vec<Problem>,
}

/// What is said of a codemod. Markdown, of which only backticks are used.
#[derive(Serialize)]
pub struct Codemod {
    pub name: &'static str,
    pub summary: &'static str,
    pub effect: &'static str,
    /// The version that deprecates, and the one that removes, what it takes out.
    pub deprecated: Option<String>,
    pub removed: Option<String>,
}

/// A file in which something was found.
#[derive(Serialize)]
pub struct File<'a> {
    pub path: String,
    /// Of a notebook: the number of each cell, and the row before its first.
    pub cells: Vec<(usize, usize)>,
    /// How many rows it has; the last is empty where the file ends in a line break.
    pub rows: usize,
    /// The lines that the findings are shown with.
    pub lines: Vec<Stretch<'a>>,
    /// By position.
    pub findings: Vec<Item<'a>>,
}

/// Lines that follow each other, without their ends.
#[derive(Serialize)]
pub struct Stretch<'a> {
    /// The one-based row of the first.
    pub row: usize,
    pub lines: Vec<&'a str>,
}

/// One finding.
#[derive(Serialize)]
pub struct Item<'a> {
    pub codemod: &'static str,
    pub severity: &'static str,
    pub message: &'a str,
    /// `row:column` or `cell N:row:column`, as reports name it.
    pub at: String,
    pub range: Span,
    pub fix: Option<Fix<'a>>,
    /// Why there is no fix.
    pub withheld: Option<&'a str>,
}

/// What removes a finding.
#[derive(Serialize)]
pub struct Fix<'a> {
    pub applicability: &'static str,
    pub edits: Vec<Edit<'a>>,
}

/// The text in a range becomes another one.
#[derive(Serialize)]
pub struct Edit<'a> {
    pub range: Span,
    pub content: &'a str,
}

/// First row, column in it, last row, column in it. Rows are one-based; columns are offsets in
/// UTF-16, as JavaScript counts.
pub type Span = [usize; 4];

/// What went wrong with a file.
#[derive(Serialize)]
pub struct Problem {
    /// `path:row:column`, as far as it is known.
    pub place: String,
    pub message: String,
    /// Whether the file was analysed all the same.
    pub analysed: bool,
}

/// How many findings are in which state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub safe: usize,
    pub intended: usize,
    pub unsafe_: usize,
    pub withheld: usize,
    /// Of all of these.
    pub errors: usize,
}

/// So many lines around a change are shown.
const CONTEXT: usize = 3;

/// So many lines of a finding that is withheld are shown.
const ROWS: usize = 8;

impl<'a> Document<'a> {
    /// Puts together what is to be shown.
    pub fn new(about: About, entries: &[Entry<'a>], failures: &[Failure]) -> Self {
        let mut files: Vec<File> = entries
            .iter()
            .filter(|entry| !entry.findings.is_empty())
            .map(File::new)
            .collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let found: BTreeSet<&str> = files
            .iter()
            .flat_map(|file| file.findings.iter().map(|item| item.codemod))
            .collect();
        let mut failures: Vec<Problem> = failures.iter().map(Problem::new).collect();
        failures.sort_by(|one, other| one.place.cmp(&other.place));
        Self {
            about,
            codemods: codemods::ALL
                .iter()
                .filter(|codemod| found.contains(codemod.name))
                .map(|codemod| Codemod::new(codemod))
                .collect(),
            files,
            failures,
        }
    }

    /// All of its findings.
    pub fn items(&self) -> impl Iterator<Item = &Item<'a>> {
        self.files.iter().flat_map(|file| &file.findings)
    }

    /// How many files could not be analysed.
    pub fn unanalysed(&self) -> usize {
        self.failures.iter().filter(|it| !it.analysed).count()
    }
}

impl Codemod {
    fn new(codemod: &engine::Codemod) -> Self {
        let dated = codemod.dated;
        Self {
            name: codemod.name,
            summary: codemod.summary(),
            effect: codemod.effect(),
            deprecated: dated.and_then(|it| it.deprecated).map(|it| it.to_string()),
            removed: dated.and_then(|it| it.removed).map(|it| it.to_string()),
        }
    }
}

impl<'a> File<'a> {
    fn new(entry: &Entry<'a>) -> Self {
        let text = Text {
            text: entry.text,
            index: LineIndex::new(entry.text),
            places: Places::new(entry.source, entry.text),
        };
        let mut rows = BTreeSet::new();
        let findings = entry
            .findings
            .iter()
            .map(|finding| {
                let item = Item::new(finding, &text);
                rows.extend(item.rows().flatten());
                item
            })
            .collect();
        Self {
            path: entry.path.display().to_string(),
            cells: text.places.cells().to_vec(),
            rows: text.index.rows(),
            lines: text.stretches(rows),
            findings,
        }
    }
}

impl<'a> Item<'a> {
    fn new(finding: &'a Finding, text: &Text) -> Self {
        let (fix, withheld) = match &finding.outcome {
            Outcome::Withheld(reason) => (None, Some(reason.as_str())),
            Outcome::Fix(fix) => {
                let edits = fix.edits.iter().map(|edit| Edit {
                    range: text.span(&edit.range),
                    content: &edit.content,
                });
                let fix = Fix {
                    applicability: fix.applicability.as_str(),
                    edits: edits.collect(),
                };
                (Some(fix), None)
            }
        };
        Self {
            codemod: finding.codemod.name,
            severity: finding.severity.as_str(),
            message: &finding.message,
            at: text.places.of(finding.range.start).to_string(),
            range: text.span(&finding.range),
            fix,
            withheld,
        }
    }

    /// The rows that it is shown with.
    fn rows(&self) -> impl Iterator<Item = Range<usize>> {
        let around = |[first, _, last, _]: Span| first.saturating_sub(CONTEXT)..last + CONTEXT + 1;
        let [first, _, last, _] = self.range;
        let own = match &self.fix {
            None => Some(around([first, 0, last.min(first + ROWS), 0])),
            Some(_) => None,
        };
        let edits = self.fix.iter().flat_map(|fix| &fix.edits);
        edits.map(move |edit| around(edit.range)).chain(own)
    }

    /// `safe`, `intended`, `unsafe` or `withheld`.
    pub fn state(&self) -> &'static str {
        self.fix.as_ref().map_or("withheld", |it| it.applicability)
    }
}

impl Problem {
    fn new(failure: &Failure) -> Self {
        let mut place = failure.path.display().to_string();
        let cell = failure.cell.map(|cell| format!("cell {cell}"));
        let numbers = [failure.row, failure.column];
        let numbers = numbers.into_iter().flatten().map(|it| it.to_string());
        for part in cell.into_iter().chain(numbers) {
            place.extend([":", &part]);
        }
        Self {
            place,
            message: failure.message.clone(),
            analysed: failure.unwritten,
        }
    }
}

impl Counts {
    /// Counts these.
    pub fn of<'a>(items: impl Iterator<Item = &'a Item<'a>>) -> Self {
        let mut counts = Self::default();
        for item in items {
            match item.state() {
                state if state == Applicability::Safe.as_str() => counts.safe += 1,
                state if state == Applicability::Intended.as_str() => counts.intended += 1,
                state if state == Applicability::Unsafe.as_str() => counts.unsafe_ += 1,
                _ => counts.withheld += 1,
            }
            counts.errors += usize::from(item.severity == Severity::Error.as_str());
        }
        counts
    }

    /// Those that have a fix.
    pub fn fixable(self) -> usize {
        self.safe + self.intended + self.unsafe_
    }

    /// All of them.
    pub fn all(self) -> usize {
        self.fixable() + self.withheld
    }
}

/// A text, by rows.
#[expect(
    clippy::struct_field_names,
    reason = "the text of a text is its content"
)]
struct Text<'a> {
    text: &'a str,
    index: LineIndex,
    places: Places<'a>,
}

impl<'a> Text<'a> {
    fn span(&self, range: &Range<usize>) -> Span {
        let (first, from) = self.place(range.start);
        let (last, to) = self.place(range.end);
        [first, from, last, to]
    }

    fn place(&self, offset: usize) -> (usize, usize) {
        let row = self.index.position(self.text, offset).row;
        let line = self.index.line_range(self.text, row);
        let before = self.text.get(line.start..offset).unwrap_or_default();
        (row, before.encode_utf16().count())
    }

    /// The lines of these rows, as far as there are such.
    fn stretches(&self, rows: BTreeSet<usize>) -> Vec<Stretch<'a>> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for row in rows {
            if row == 0 || row > self.index.rows() {
                continue;
            }
            let line = &self.text[self.index.line_range(self.text, row)];
            // Not a line of a cell.
            if line == python::CELL_END && !self.places.cells().is_empty() {
                continue;
            }
            match stretches.last_mut() {
                Some(last) if last.row + last.lines.len() == row => last.lines.push(line),
                _ => stretches.push(Stretch {
                    row,
                    lines: vec![line],
                }),
            }
        }
        stretches
    }
}
