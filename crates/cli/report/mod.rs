//! What a run prints. Findings and patches go to standard output, all else to standard error.

pub mod diff;
mod fingerprint;
pub mod github;
pub mod gitlab;
pub mod ignores;
pub mod json;
mod remark;
pub mod summary;
pub mod text;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use edit::{Applicability, Position};
use engine::{Finding, Suppression};

use crate::write;

/// The findings of one file, as they are to be printed.
pub struct Entry<'a> {
    /// As the user would write it.
    pub path: &'a Path,
    /// The text that the findings' ranges are in.
    pub text: &'a str,
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

    /// With its place.
    pub fn at(self, position: Position) -> Self {
        Self {
            row: Some(position.row),
            column: Some(position.column),
            ..self
        }
    }

    /// With its line.
    pub fn at_row(self, row: Option<usize>) -> Self {
        Self { row, ..self }
    }
}

/// Prints what went wrong with a file.
pub fn message(failure: &Failure) {
    let path = failure.path.display();
    let message = &failure.message;
    line(&match (failure.row, failure.column) {
        (Some(row), Some(column)) => format!("{path}:{row}:{column}: {message}"),
        (Some(row), None) => format!("{path}:{row}: {message}"),
        (None, _) => format!("{path}: {message}"),
    });
}

/// Prints what stops the run.
pub fn error(message: &str) {
    line(&format!("error: {message}"));
}

/// Prints a line on standard error. Where this fails nobody listens, which is no reason to stop.
pub fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
