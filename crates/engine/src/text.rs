//! A text and its tree, so that nothing is parsed twice.

use python::ast::PythonVersion;
use python::{Module, Parsed, Problem, parse, parse_cells};

/// The text of a module that parses.
#[derive(Debug)]
pub struct Text {
    /// Without a byte order mark.
    pub source: String,
    /// Its tree.
    pub parsed: Parsed,
}

impl Text {
    /// Parses `source` for Python `version`.
    pub fn new(source: String, version: PythonVersion) -> Result<Self, Problem> {
        let parsed = parse(&source, version)?;
        Ok(Self { source, parsed })
    }

    /// The tokens that are no comments, as text.
    pub fn code(&self) -> impl Iterator<Item = &str> {
        let ranges = self.parsed.code().into_iter();
        ranges.map(|range| &self.source[range])
    }

    /// Parses the text of a notebook for Python `version`.
    pub fn of_notebook(source: String, version: PythonVersion) -> Result<Self, Problem> {
        let parsed = parse_cells(&source, version)?;
        Ok(Self { source, parsed })
    }

    /// What the names in it mean.
    pub fn module(&self) -> Module<'_> {
        Module::new(&self.source, &self.parsed)
    }
}
