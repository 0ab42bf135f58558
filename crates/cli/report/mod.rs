//! What a run prints. Findings and patches go to standard output, all else to standard error.

pub mod as_json;
pub mod diff;
pub mod fingerprint;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod ignores;
pub mod json;
pub mod junit;
pub mod outcome;
pub mod rdjson;
mod reasons;
mod remark;
pub mod sarif;
pub mod spot;
pub mod statistics;
pub mod summary;
pub mod text;
mod uri;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use edit::{Applicability, LineIndex, Position};
use engine::{Fault, Finding, Outcome, Suppression};
use serde::Serialize;

use self::spot::Spot;
use crate::source::{NotebookFile, Source};
use crate::write;

/// Where something stands, as a user counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of a notebook: the cell, one-based among all cells.
    pub cell: Option<usize>,
    /// In the file, or in the cell.
    pub position: Position,
}

impl Place {
    /// Where `offset` stands in `text`, which is what `source` holds or becomes. Counts all lines
    /// before: for one place, or few.
    pub fn of(source: &Source, text: &str, offset: usize) -> Self {
        Places::new(source, text).of(offset)
    }
}

impl fmt::Display for Place {
    /// `row:column`, or `cell N:row:column`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cell) = self.cell {
            write!(f, "cell {cell}:")?;
        }
        let Position { row, column } = self.position;
        write!(f, "{row}:{column}")
    }
}

/// Turns offsets into a text into places.
pub struct Places<'a> {
    text: &'a str,
    index: LineIndex,
    /// Of a notebook: the number of each cell, and the row before its first.
    cells: Vec<(usize, usize)>,
}

impl<'a> Places<'a> {
    /// For `text`, which is what `source` holds or becomes.
    pub fn new(source: &Source, text: &'a str) -> Self {
        let index = LineIndex::new(text);
        let mut cells = Vec::new();
        if let Some(NotebookFile { notebook, .. }) = &source.notebook {
            for (cell, part) in notebook.cells.iter().zip(python::split(text)) {
                let start = part.as_ptr() as usize - text.as_ptr() as usize;
                cells.push((cell.number, index.position(text, start).row - 1));
            }
        }
        Self { text, index, cells }
    }

    pub fn of(&self, offset: usize) -> Place {
        let position = self.index.position(self.text, offset);
        let next = self
            .cells
            .partition_point(|(_, before)| *before < position.row);
        match next.checked_sub(1).and_then(|cell| self.cells.get(cell)) {
            None => Place {
                cell: None,
                position,
            },
            Some((cell, before)) => Place {
                cell: Some(*cell),
                position: Position {
                    row: position.row - before,
                    ..position
                },
            },
        }
    }

    /// Where the lines of the text start.
    pub fn index(&self) -> &LineIndex {
        &self.index
    }

    /// Of a notebook: the number of each cell, and the row before its first.
    pub fn cells(&self) -> &[(usize, usize)] {
        &self.cells
    }
}

/// The findings of one file, as they are to be printed.
pub struct Entry<'a> {
    /// As the user would write it.
    pub path: &'a Path,
    /// The same without links.
    pub canonical: &'a Path,
    /// The file as it was read.
    pub source: &'a Source,
    /// The text that the findings' ranges are in.
    pub text: &'a str,
    /// What `--fix` makes of it; none where that is the same.
    pub rewritten: Option<&'a str>,
    /// Fixes that were dropped because we made them wrongly.
    pub faults: &'a [Fault],
    /// The fixes that were taken back after they had been tried.
    pub taken_back: &'a [TakenBack],
    pub findings: Vec<&'a Finding>,
    /// What the comments that silence findings say.
    pub suppressions: &'a [Suppression],
    /// The highest applicability that `--fix` applies.
    pub apply: Applicability,
    /// Whether texts list the withheld ones.
    pub show_withheld: bool,
}

impl<'a> Entry<'a> {
    /// What there is to say of a finding whose fix was tried, and taken back.
    pub fn taken_back(&self, finding: &Finding) -> Option<&'a TakenBack> {
        let Outcome::Withheld(reason) = &finding.outcome else {
            return None;
        };
        self.taken_back.iter().find(|back| back.reason == *reason)
    }
}

/// Why a fix was taken back after it had been tried.
#[derive(Clone, Debug)]
pub struct TakenBack {
    /// The reason why its finding is withheld.
    pub reason: String,
    /// What it breaks, if that is known.
    pub breakage: Option<Breakage>,
}

/// A command that failed.
#[derive(Clone, Debug, Serialize)]
pub struct Breakage {
    pub command: String,
    /// As `exit status 1`.
    pub ended: String,
    /// The tests that failed newly, as far as the output names them.
    pub failed: Vec<String>,
    /// The last lines that it printed.
    pub output: Vec<String>,
}

impl TakenBack {
    /// For a reason that needs no more words.
    pub fn of(reason: String) -> Self {
        Self {
            reason,
            breakage: None,
        }
    }
}

/// What went wrong with one file. The run goes on.
#[derive(Clone, Debug)]
pub struct Failure {
    /// As the user would write it.
    pub path: PathBuf,
    /// Of a notebook: the cell, one-based, where it is one that is wrong.
    pub cell: Option<usize>,
    /// One-based, where it is known.
    pub row: Option<usize>,
    /// One-based, in characters, where it is known.
    pub column: Option<usize>,
    /// Where it is in the file, where that is known so well.
    pub spot: Option<Box<Spot>>,
    /// What is wrong and what to do about it; follows the path.
    pub message: String,
    /// Whether it is our fault.
    pub ours: bool,
    /// Whether the file was analysed, and only could not be written.
    pub unwritten: bool,
}

impl Failure {
    /// The file at `path` cannot be analysed.
    pub fn new(path: &Path, message: impl Into<String>) -> Self {
        Self {
            path: path.to_path_buf(),
            cell: None,
            row: None,
            column: None,
            spot: None,
            message: message.into(),
            ours: false,
            unwritten: false,
        }
    }

    /// The system does not let the file be `done` ("read").
    pub fn io(path: &Path, done: &str, error: &io::Error) -> Self {
        Self::new(path, format!("cannot be {done}: {}", write::reason(error)))
    }

    /// We failed.
    pub fn ours(path: &Path, problem: &str) -> Self {
        let message = format!(
            "a fault of asyncfix, please report it ({}/issues): {problem}",
            env!("CARGO_PKG_REPOSITORY")
        );
        Self {
            ours: true,
            ..Self::new(path, message)
        }
    }

    /// The rewritten file could not be written.
    pub fn unwritten(path: &Path, message: String) -> Self {
        Self {
            unwritten: true,
            ..Self::new(path, message)
        }
    }

    /// Where it is; the first column of its line where no column is known.
    pub fn position(&self) -> Option<Position> {
        let column = self.column.unwrap_or(1);
        self.row.map(|row| Position { row, column })
    }

    /// The same, as people look for it.
    pub fn place(&self) -> Option<Place> {
        let cell = self.cell;
        self.position().map(|position| Place { cell, position })
    }

    /// With its place, as people look for it.
    pub fn at(self, place: Place) -> Self {
        Self {
            cell: place.cell,
            row: Some(place.position.row),
            column: Some(place.position.column),
            ..self
        }
    }

    /// With its place in the file.
    pub fn with_spot(self, spot: Spot) -> Self {
        let spot = Some(Box::new(spot));
        Self { spot, ..self }
    }

    /// With its line.
    pub fn at_row(self, row: Option<usize>) -> Self {
        Self { row, ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let message = &self.message;
        let cell = self
            .cell
            .map(|cell| format!("cell {cell}:"))
            .unwrap_or_default();
        match (self.row, self.column) {
            (Some(row), Some(column)) => write!(f, "{path}:{cell}{row}:{column}: {message}"),
            (Some(row), None) => write!(f, "{path}:{row}: {message}"),
            (None, _) => write!(f, "{path}: {message}"),
        }
    }
}

/// Standard output, whose errors say that they are its own. That nobody reads it is none of those.
pub struct Standard(io::StdoutLock<'static>);

impl Standard {
    /// For this thread alone.
    pub fn lock() -> Self {
        Self(io::stdout().lock())
    }

    fn named(error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted => error,
            kind => {
                let reason = write::reason(&error);
                io::Error::new(kind, format!("standard output cannot be written: {reason}"))
            }
        }
    }
}

impl Write for Standard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(Self::named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(Self::named)
    }
}

/// Prints what went wrong with a file.
pub fn message(failure: &Failure) {
    line(&failure.to_string());
}

/// Prints what stops the run.
pub fn error(message: &str) {
    line(&format!("error: {message}"));
}

/// Prints a line on standard error. Where this fails nobody listens, which is no reason to stop.
pub fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
