//! What a run prints. Findings and patches go to standard output, all else to standard error.

pub mod diff;
mod fingerprint;
pub mod github;
pub mod gitlab;
pub mod ignores;
pub mod json;
pub mod junit;
pub mod rdjson;
mod remark;
pub mod sarif;
pub mod summary;
pub mod text;
mod uri;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use edit::{Applicability, LineIndex, Position};
use engine::{Fault, Finding, Suppression};

use crate::source::Source;
use crate::write;

/// The findings of one file, as they are to be printed.
pub struct Entry<'a> {
    /// As the user would write it.
    pub path: &'a Path,
    /// The same without links.
    pub canonical: &'a Path,
    /// How the text stands in the file.
    pub source: &'a Source,
    /// The text that the findings' ranges are in.
    pub text: &'a str,
    /// What `--fix` makes of it; none where that is the same.
    pub rewritten: Option<&'a str>,
    /// Fixes that were dropped because we made them wrongly.
    pub faults: &'a [Fault],
    pub findings: Vec<&'a Finding>,
    /// What the comments that silence findings say.
    pub suppressions: &'a [Suppression],
    /// The highest applicability that `--fix` applies.
    pub apply: Applicability,
    /// Whether texts list the withheld ones.
    pub show_withheld: bool,
}

/// What went wrong with one file. The run goes on.
#[derive(Clone, Debug)]
pub struct Failure {
    /// As the user would write it.
    pub path: PathBuf,
    /// One-based, where it is known.
    pub row: Option<usize>,
    /// One-based, in characters, where it is known.
    pub column: Option<usize>,
    /// What stands before it in its line.
    pub before: String,
    /// Whether a byte order mark stands before that.
    pub bom: bool,
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
            row: None,
            column: None,
            before: String::new(),
            bom: false,
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

    /// With its place: a byte offset into `text`, which is what `source` holds.
    pub fn at(self, source: &Source, text: &str, offset: usize) -> Self {
        let index = LineIndex::new(text);
        let Position { row, column } = index.position(text, offset);
        let line = index.line_range(text, row);
        let before = text.get(line.start..offset).unwrap_or_default();
        Self {
            row: Some(row),
            column: Some(column),
            before: before.to_string(),
            bom: source.bom && row == 1,
            ..self
        }
    }

    /// With its line.
    pub fn at_row(self, row: Option<usize>) -> Self {
        Self { row, ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        for number in [self.row, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        write!(f, ": {}", self.message)
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
