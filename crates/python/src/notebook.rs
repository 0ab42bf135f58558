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
    /// Cells that IPython could not run either, and what is wrong with each.
    pub broken: Vec<(Cell, Problem)>,
    /// What may use names of the cells although nobody reads it: cells of other languages, broken
    /// ones, and lines of the cells in which there may be a magic.
    pub unread: String,
}

/// Why a file is no notebook that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNotebook {
    /// What is wrong and what to do about it.
    pub message: String,
    /// One-based, where it is one line that is wrong.
    pub row: Option<usize>,
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

/// The text of a notebook's file, and what of it is the text of its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// All of it.
    pub json: String,
    cells: Vec<WrittenCell>,
}

/// Where a cell stands in a file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct WrittenCell {
    /// Where its part of the text starts.
    text: usize,
    /// Where its value ended in the file before.
    before: usize,
    /// The JSON value that holds it.
    range: Range<usize>,
}

impl Written {
    /// Where in the file the byte at `offset` of the text is written.
    pub fn place(&self, offset: usize) -> usize {
        let next = self.cells.partition_point(|cell| cell.text <= offset);
        match next.checked_sub(1).and_then(|cell| self.cells.get(cell)) {
            Some(cell) => place(&self.json, &cell.range, offset - cell.text),
            None => 0,
        }
    }

    /// Where in the file the byte at `offset` of the text of a broken cell is written.
    pub fn place_in(&self, broken: &Cell, offset: usize) -> usize {
        let Range { mut start, mut end } = broken.range;
        let next = self.cells.partition_point(|cell| cell.before <= start);
        if let Some(cell) = next.checked_sub(1).and_then(|cell| self.cells.get(cell)) {
            start = start - cell.before + cell.range.end;
            end = end - cell.before + cell.range.end;
        }
        place(&self.json, &(start..end), offset)
    }

    /// The JSON values that hold the text: byte offsets into the file.
    pub fn values(&self) -> impl Iterator<Item = Range<usize>> {
        self.cells.iter().map(|cell| cell.range.clone())
    }
}

fn place(json: &str, range: &Range<usize>, offset: usize) -> usize {
    let value = json.get(range.clone()).unwrap_or_default();
    range.start + json::place(value, offset)
}

/// One-based, among cells of all kinds.
pub type CellNumber = usize;

impl Notebook {
    /// The notebook in the text of a file; none where it is for another language. The error says
    /// what is wrong with it.
    pub fn read(json: &str, version: PythonVersion) -> Result<Option<Self>, NoNotebook> {
        let notebook = RuffNotebook::from_source_code(json).map_err(|error| said(&error))?;
        if !notebook.is_python_notebook() {
            return Ok(None);
        }
        let sources = json::cell_sources(json);
        if sources.len() != notebook.cells().len() {
            return Err(NoNotebook {
                message: "its cells cannot be told apart".to_string(),
                row: None,
            });
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
            // Each by itself: what is open at its end does not go on in the next.
            let problem = match parse_cells(&text, version) {
                Ok(_) if text.contains(CELL_END) => continue,
                Ok(_) => None,
                Err(problem) => Some(problem),
            };
            let may_be_read = |line: &&str| problem.is_some() || line.contains(['%', '!', '?']);
            for line in text.lines().filter(may_be_read) {
                read.unread.push_str(line);
                read.unread.push('\n');
            }
            let cell = Cell {
                number,
                text,
                range,
            };
            match problem {
                None => read.cells.push(cell),
                Some(problem) => read.broken.push((cell, problem)),
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

    /// The cell that the byte at `offset` of [`Notebook::text`] is in, and where in that it stands;
    /// none of what is not in a cell.
    pub fn cell_at(&self, offset: usize) -> Option<(&Cell, usize)> {
        let mut rest = offset;
        for cell in &self.cells {
            if rest <= cell.text.len() {
                return Some((cell, rest));
            }
            rest = rest.checked_sub(cell.text.len() + CELL_END.len() + 2)?;
        }
        None
    }

    /// The texts of the cells in `text`, which a rewrite made of [`Notebook::text`]. The error is a
    /// fault of ours.
    pub fn parts<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, String> {
        let parts: Vec<&str> = split(text).collect();
        if parts.len() != self.cells.len() {
            return Err("the rewritten text has more or fewer cells".to_string());
        }
        // Where a definition was added at the end of a cell, the blank lines after that go.
        let of_cell = |(cell, part): (&Cell, &'t str)| {
            if cell.text.ends_with(['\n', '\r']) {
                part
            } else {
                part.trim_end_matches(['\n', '\r'])
            }
        };
        Ok(self.cells.iter().zip(parts).map(of_cell).collect())
    }

    /// The file `json` with the cells' parts of `text` in it. Everything else keeps its bytes, and so
    /// do the lines of the cells that are still the same. The error is a fault of ours.
    pub fn write(&self, json: &str, text: &str) -> Result<Written, String> {
        let parts = self.parts(text)?;
        let mut written = String::with_capacity(json.len());
        let mut cells = Vec::with_capacity(parts.len());
        let mut copied = 0;
        for (cell, part) in self.cells.iter().zip(parts) {
            written.push_str(&json[copied..cell.range.start]);
            let start = written.len();
            let part_start = part.as_ptr() as usize - text.as_ptr() as usize;
            let old = &json[cell.range.clone()];
            if part == cell.text {
                written.push_str(old);
            } else {
                written.push_str(&json::source_like(old, part)?);
            }
            cells.push(WrittenCell {
                text: part_start,
                before: cell.range.end,
                range: start..written.len(),
            });
            copied = cell.range.end;
        }
        written.push_str(&json[copied..]);
        Ok(Written {
            json: written,
            cells,
        })
    }
}

/// The parts of a notebook's text, without the line ending before each [`CELL_END`].
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest
            .match_indices(CELL_END)
            .map(|(at, _)| at)
            .find(|at| *at == 0 || rest[..*at].ends_with(['\n', '\r']))?;
        let part = &rest[..end];
        let after = &rest[end + CELL_END.len()..];
        rest = after.strip_prefix('\n').unwrap_or(after);
        Some(part.strip_suffix('\n').unwrap_or(part))
    })
}

fn said(error: &NotebookError) -> NoNotebook {
    let (row, message) = match error {
        NotebookError::InvalidJson(error) => {
            let (row, problem) = apart(error);
            (row, format!("it is not valid JSON: {problem}"))
        }
        NotebookError::InvalidSchema(error) => {
            let (row, problem) = apart(error);
            let message = format!("it is not as notebooks of format 4 are: {problem}");
            (row, message)
        }
        NotebookError::InvalidFormat(format) => (
            None,
            format!(
                "it has format {format}, and only format 4 is known: convert it by `jupyter nbconvert --to notebook`"
            ),
        ),
        NotebookError::Io(error) => (None, error.to_string()),
        NotebookError::Json(error) => (None, error.to_string()),
    };
    NoNotebook { message, row }
}

/// The row of an error, and what it says without that.
fn apart(error: &serde_json::Error) -> (Option<usize>, String) {
    let message = error.to_string();
    let (row, column) = (error.line(), error.column());
    let place = format!(" at line {row} column {column}");
    match message.strip_suffix(&place) {
        // At the end of the file there may be none.
        Some(problem) if column == 0 => (Some(row), problem.to_string()),
        Some(problem) => (Some(row), format!("{problem} at column {column}")),
        None => (None, message),
    }
}

#[cfg(test)]
mod tests {
    use ruff_text_size::Ranged;

    use super::*;
    use crate::module::Module;

    fn read(cells: &str) -> Result<Option<Notebook>, NoNotebook> {
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
        for (text, row, said) in [
            ("", Some(1), "it is not valid JSON: "),
            (
                "{\n\"cells\": x",
                Some(2),
                "it is not valid JSON: expected value at column ",
            ),
            ("{}", Some(1), "it is not as notebooks of format 4 are: "),
            (
                r#"{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "cells": []}"#,
                None,
                "it has format 3, and only",
            ),
        ] {
            let error = Notebook::read(text, PythonVersion::PY311).unwrap_err();
            assert!(error.message.starts_with(said), "{error:?}");
            assert_eq!(error.row, row, "{error:?}");
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
        assert_eq!(notebook.broken[0].0.number, 4);
        assert_eq!(notebook.unread, "%%bash\nsleep\n%time f(a)\ndef f(:\n");
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
        assert_eq!(notebook.write(&json, &text).unwrap().json, json);
        let text = text.replace('b', "dd");
        let written = notebook.write(&json, &text).unwrap();
        assert_eq!(written.json, json.replace("\"b\"", "\"dd\""));
        let values: Vec<&str> = written.values().map(|it| &written.json[it]).collect();
        assert_eq!(values, [r#"["a\u0020= 1\n", "dd"]"#, r#""c""#]);
        for (what, there) in [("= 1", "= 1\\n\""), ("dd", "dd\"]"), ("c\n", "c\"}")] {
            let place = written.place(text.find(what).unwrap());
            assert!(written.json[place..].starts_with(there), "{what}");
        }
        notebook.write(&json, "a").unwrap_err();
    }

    #[test]
    fn broken_cells_move_with_those_before_them() {
        let json = file(&[code(r#""q""#), code(r#""\t(""#), code(r#""z""#)].join(", "));
        let notebook = Notebook::read(&json, PythonVersion::PY311)
            .unwrap()
            .unwrap();
        let text = notebook.text().replace('q', "qq").replace('z', "");
        let written = notebook.write(&json, &text).unwrap();
        let (cell, _) = &notebook.broken[0];
        assert!(written.json[written.place_in(cell, 1)..].starts_with("(\"}"));
    }

    #[test]
    fn cells_are_split_where_they_were_joined() {
        let cells = [code(r#""a""#), code(r#""""#), code(r#""b\n""#)].join(",");
        let notebook = read(&cells).unwrap().unwrap();
        let text = notebook.text();
        assert_eq!(split(&text).collect::<Vec<_>>(), ["a", "", "b\n"]);
        assert_eq!(notebook.parts(&text).unwrap(), ["a", "", "b\n"]);
        let place = |offset: usize| notebook.cell_at(offset).map(|(cell, at)| (cell.number, at));
        assert_eq!(place(0), Some((1, 0)));
        assert_eq!(place(1), Some((1, 1)));
        assert_eq!(place(3), None); // in the line that ends the cell
        assert_eq!(place(text.find('b').unwrap()), Some((3, 0)));
        assert_eq!(place(text.len()), None);
        // A line that goes takes its ending along.
        let text = text.replace("a\n", "");
        assert_eq!(split(&text).collect::<Vec<_>>(), ["", "", "b\n"]);
    }

    #[test]
    fn a_carriage_return_ends_the_line_before_the_end_of_a_cell() {
        let json = file(&[code(r#""a\rb""#), code(r#""c\r\fb\r""#), code(r#""d""#)].join(", "));
        let notebook = Notebook::read(&json, PythonVersion::PY311)
            .unwrap()
            .unwrap();
        let text = notebook.text().replace("\x0cb\r\n", "").replace("b\n", "");
        assert_eq!(split(&text).collect::<Vec<_>>(), ["a\r", "c\r", "d"]);
        let written = notebook.write(&json, &text).unwrap();
        let values: Vec<&str> = written.values().map(|it| &written.json[it]).collect();
        assert_eq!(values, [r#""a""#, r#""c\r""#, r#""d""#]);
    }
}
