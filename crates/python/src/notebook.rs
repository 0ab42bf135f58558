//! Jupyter notebooks: which cells hold Python, and where in the file their text stands.
//!
//! Source: "The Notebook file format" of nbformat, version 4. The cells are told apart as ruff does
//! it; where their text stands in the file is found by reading the JSON once more, because the file is
//! to keep every byte outside of the cells that change.

use std::collections::HashSet;
use std::ops::Range;

use ruff_notebook::{Notebook as RuffNotebook, NotebookError};
use ruff_python_ast::PythonVersion;

use crate::check::Problem;
use crate::json;
use crate::module::parse_cells;

/// The line that stands after each cell in the text of a notebook: a comment, so that no fix that
/// keeps all comments moves code from one cell into another.
pub const CELL_END: &str = "# ---- asyncfix, end of the cell ----";

/// The cells of a notebook that hold Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notebook {
    /// In their order.
    pub cells: Vec<Cell>,
    /// Cells that IPython could not run either.
    pub broken: Vec<(CellNumber, String, Problem)>,
    /// What may use names of the cells although it is no Python: cells of other languages, and
    /// lines of the cells in which there may be a magic.
    pub unread: String,
}

/// A cell that holds Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which of the notebook's cells it is.
    pub number: CellNumber,
    /// Its text.
    pub text: String,
    /// The JSON value that holds the text: byte offsets into the file.
    pub range: Range<usize>,
}

/// One-based, among cells of all kinds.
pub type CellNumber = usize;

impl Notebook {
    /// The notebook in the text of a file; none where it is for another language. The error says
    /// what is wrong with it.
    pub fn read(json: &str, version: PythonVersion) -> Result<Option<Self>, String> {
        let notebook = RuffNotebook::from_source_code(json).map_err(|error| said(&error))?;
        if !notebook.is_python_notebook() {
            return Ok(None);
        }
        let sources = json::cell_sources(json);
        if sources.len() != notebook.cells().len() {
            return Err("its cells cannot be told apart".to_string());
        }
        let python: HashSet<usize> = notebook
            .index()
            .iter()
            .map(|start| start.cell_index().get())
            .collect();
        let mut read = Self {
            cells: Vec::new(),
            broken: Vec::new(),
            unread: String::new(),
        };
        for (position, (cell, range)) in notebook.cells().iter().zip(sources).enumerate() {
            let number = position + 1;
            let text = cell.source().to_string();
            if !python.contains(&number) {
                if cell.is_code_cell() {
                    read.unread.push_str(&text);
                    read.unread.push('\n');
                }
                continue;
            }
            for line in text.lines().filter(|line| line.contains(['%', '!', '?'])) {
                read.unread.push_str(line);
                read.unread.push('\n');
            }
            // Each by itself: what is open at its end does not go on in the next.
            match parse_cells(&text, version) {
                Ok(_) if !text.contains(CELL_END) => read.cells.push(Cell {
                    number,
                    text,
                    range,
                }),
                Ok(_) => {}
                Err(problem) => read.broken.push((number, text, problem)),
            }
        }
        Ok(Some(read))
    }

    /// The text of all cells, each followed by [`CELL_END`] on a line of its own.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for cell in &self.cells {
            text.push_str(&cell.text);
            text.push('\n');
            text.push_str(CELL_END);
            text.push('\n');
        }
        text
    }

    /// The file `json` with the cells' parts of `text` in it, and where in it the cells stand now.
    /// Everything else keeps its bytes, and so do the lines of the cells that are still the same.
    /// The error is a fault of ours.
    pub fn write(&self, json: &str, text: &str) -> Result<(String, Vec<Range<usize>>), String> {
        let parts: Vec<&str> = split(text).collect();
        if parts.len() != self.cells.len() {
            return Err("the rewritten text has more or fewer cells".to_string());
        }
        let mut written = String::with_capacity(json.len());
        let mut ranges = Vec::with_capacity(parts.len());
        let mut copied = 0;
        for (cell, part) in self.cells.iter().zip(parts) {
            written.push_str(&json[copied..cell.range.start]);
            let start = written.len();
            let old = &json[cell.range.clone()];
            // Where a definition was added at its end, the blank lines after that go.
            let part = if cell.text.ends_with('\n') {
                part
            } else {
                part.trim_end_matches(['\n', '\r'])
            };
            if part == cell.text {
                written.push_str(old);
            } else {
                written.push_str(&json::source_like(old, part)?);
            }
            ranges.push(start..written.len());
            copied = cell.range.end;
        }
        written.push_str(&json[copied..]);
        Ok((written, ranges))
    }
}

/// The parts of a notebook's text, without the line ending before each [`CELL_END`].
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest
            .match_indices(CELL_END)
            .map(|(at, _)| at)
            .find(|at| *at == 0 || rest[..*at].ends_with('\n'))?;
        let part = &rest[..end];
        let after = &rest[end + CELL_END.len()..];
        rest = after.strip_prefix('\n').unwrap_or(after);
        Some(part.strip_suffix('\n').unwrap_or(part))
    })
}

fn said(error: &NotebookError) -> String {
    match error {
        NotebookError::InvalidJson(error) => format!("it is not valid JSON: {error}"),
        NotebookError::InvalidSchema(error) => {
            format!("it is not as notebooks of format 4 are: {error}")
        }
        NotebookError::InvalidFormat(format) => format!(
            "it has format {format}, and only format 4 is known: convert it by `jupyter nbconvert --to notebook`"
        ),
        NotebookError::Io(error) => error.to_string(),
        NotebookError::Json(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use ruff_text_size::Ranged;

    use super::*;
    use crate::module::Module;

    fn read(cells: &str) -> Result<Option<Notebook>, String> {
        Notebook::read(&file(cells), PythonVersion::PY311)
    }

    fn file(cells: &str) -> String {
        format!(r#"{{"nbformat": 4, "nbformat_minor": 4, "metadata": {{}}, "cells": [{cells}]}}"#)
    }

    fn code(source: &str) -> String {
        format!(
            r#"{{"cell_type": "code", "execution_count": null, "metadata": {{}}, "outputs": [{{"source": ["x"]}}], "source": {source}}}"#
        )
    }

    #[test]
    fn what_is_no_notebook_is_said() {
        for (text, said) in [
            ("", "it is not valid JSON: "),
            ("{", "it is not valid JSON: "),
            ("{}", "it is not as notebooks of format 4 are: "),
            (
                r#"{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "cells": []}"#,
                "it has format 3, and only",
            ),
        ] {
            let error = Notebook::read(text, PythonVersion::PY311).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn another_language_is_none() {
        let text = r#"{"nbformat": 4, "nbformat_minor": 4, "metadata": {"language_info": {"name": "R"}}, "cells": []}"#;
        assert_eq!(Notebook::read(text, PythonVersion::PY311), Ok(None));
    }

    #[test]
    fn cells_that_are_no_python_are_left_out() {
        let markdown = r#"{"cell_type": "markdown", "metadata": {}, "source": ["time"]}"#;
        let cells = [
            markdown.to_string(),
            code(r#"["%%bash\n", "sleep"]"#),
            code(r#""%time f(a)\nb = 1""#),
            code(r#"["def f(:"]"#),
            code(r"[]"),
        ];
        let notebook = read(&cells.join(", ")).unwrap().unwrap();
        let numbers: Vec<usize> = notebook.cells.iter().map(|cell| cell.number).collect();
        assert_eq!(numbers, [3, 5]);
        assert_eq!(notebook.broken[0].0, 4);
        assert_eq!(notebook.unread, "%%bash\nsleep\n%time f(a)\n");
    }

    #[test]
    fn rows_and_magics_are_those_of_the_cell() {
        let cells = [code(r#""a\nb""#), code(r#""%%time\nc""#)].join(",");
        let text = read(&cells).unwrap().unwrap().text();
        let parsed = parse_cells(&text, PythonVersion::PY311).unwrap();
        let module = Module::new(&text, &parsed);
        let of = |name: &str| {
            let stmt = module.body().iter().find(|stmt| module.text(*stmt) == name);
            let stmt = stmt.unwrap();
            let magic = module.cell_magic(stmt).map(|magic| &*magic.value);
            (module.cell(stmt.start()), module.row(stmt.start()), magic)
        };
        assert_eq!(of("b"), (0, 2, None));
        assert_eq!(of("c"), (1, 2, Some("time")));
    }

    #[test]
    fn what_does_not_change_keeps_its_bytes() {
        let json = file(&[code(r#"["a\u0020= 1\n", "b"]"#), code(r#""c""#)].join(",\n "));
        let notebook = Notebook::read(&json, PythonVersion::PY311)
            .unwrap()
            .unwrap();
        let text = notebook.text();
        assert_eq!(notebook.write(&json, &text).unwrap().0, json);
        let (written, ranges) = notebook.write(&json, &text.replace('b', "d")).unwrap();
        assert_eq!(written, json.replace("\"b\"", "\"d\""));
        assert_eq!(&written[ranges[1].clone()], r#""c""#);
        notebook.write(&json, "a").unwrap_err();
    }

    #[test]
    fn cells_are_split_where_they_were_joined() {
        let cells = [code(r#""a""#), code(r#""""#), code(r#""b\n""#)].join(",");
        let notebook = read(&cells).unwrap().unwrap();
        let text = notebook.text();
        assert_eq!(split(&text).collect::<Vec<_>>(), ["a", "", "b\n"]);
        // A line that goes takes its ending along.
        let text = text.replace("a\n", "");
        assert_eq!(split(&text).collect::<Vec<_>>(), ["", "", "b\n"]);
    }
}
