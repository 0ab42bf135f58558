//! A notebook as a client has it, cell by cell.

use serde_json::{Value, json};

use super::client::{Client, applied_among, edited, position};
use crate::project::Project;

pub const FIX_NOTEBOOK: &str = "notebook.source.fixAll.asyncfix";

/// A cell as the client has it.
#[derive(Clone, Debug)]
pub struct Cell {
    pub uri: String,
    pub kind: &'static str,
    pub text: String,
    pub version: i64,
}

impl Cell {
    pub fn as_cell(&self) -> Value {
        let is_code = !matches!(self.kind, "markdown");
        json!({ "kind": if is_code { 2 } else { 1 }, "document": self.uri, "metadata": { "a": [] } })
    }

    pub fn as_text(&self) -> Value {
        let language = match self.kind {
            "code" => "python",
            other => other,
        };
        json!({ "uri": self.uri, "languageId": language, "version": self.version, "text": self.text })
    }
}

/// A notebook as the client has it.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub uri: String,
    pub version: i64,
    pub cells: Vec<Cell>,
    /// How many cells there have been.
    number: usize,
}

impl Sheet {
    /// Opens a notebook with these cells: the type, or the language, and the text.
    pub fn open(client: &mut Client, uri: &str, cells: &[(&'static str, &str)]) -> Self {
        let mut sheet = Self {
            uri: uri.to_string(),
            version: 1,
            cells: Vec::new(),
            number: 0,
        };
        for (kind, text) in cells {
            let cell = sheet.new_cell(kind, text);
            sheet.cells.push(cell);
        }
        sheet.open_again(client);
        sheet
    }

    pub fn open_again(&self, client: &mut Client) {
        let cells: Vec<Value> = self.cells.iter().map(Cell::as_cell).collect();
        let texts: Vec<Value> = self.cells.iter().map(Cell::as_text).collect();
        client.notify(
            "notebookDocument/didOpen",
            json!({
                "notebookDocument": {
                    "uri": self.uri, "notebookType": "jupyter-notebook", "version": self.version,
                    "metadata": { "custom": 7 }, "cells": cells,
                },
                "cellTextDocuments": texts,
            }),
        );
    }

    pub fn close(&self, client: &mut Client) {
        let texts = self.cells.iter().map(|it| json!({ "uri": it.uri }));
        let params = json!({
            "notebookDocument": { "uri": self.uri },
            "cellTextDocuments": texts.collect::<Vec<Value>>(),
        });
        client.notify("notebookDocument/didClose", params);
    }

    pub fn new_cell(&mut self, kind: &'static str, text: &str) -> Cell {
        self.number += 1;
        let uri = self.uri.replace("file:", "vscode-notebook-cell:");
        Cell {
            uri: format!("{uri}#W{}sZmlsZQ%3D%3D", self.number),
            kind,
            text: text.to_string(),
            version: 1,
        }
    }

    pub fn change(&mut self, client: &mut Client, cells: Value) {
        self.version += 1;
        let params = json!({
            "notebookDocument": { "uri": self.uri, "version": self.version },
            "change": { "cells": cells },
        });
        client.notify("notebookDocument/didChange", params);
    }

    /// Puts cells in the place of others. Those that are not new stay open.
    pub fn splice(&mut self, client: &mut Client, start: usize, deleted: usize, cells: Vec<Cell>) {
        let before = self.cells.clone();
        let added: Vec<Value> = cells.iter().map(Cell::as_cell).collect();
        self.cells.splice(start..start + deleted, cells);
        let is_in = |cells: &[Cell], cell: &Cell| cells.iter().any(|it| it.uri == cell.uri);
        let opened = self.cells.iter().filter(|it| !is_in(&before, it));
        let opened: Vec<Value> = opened.map(Cell::as_text).collect();
        let closed = before.iter().filter(|it| !is_in(&self.cells, it));
        let closed: Vec<Value> = closed.map(|it| json!({ "uri": it.uri })).collect();
        let structure = json!({
            "array": { "start": start, "deleteCount": deleted, "cells": added },
            "didOpen": opened, "didClose": closed,
        });
        self.change(client, json!({ "structure": structure }));
    }

    pub fn insert(&mut self, client: &mut Client, at: usize, kind: &'static str, text: &str) {
        let cell = self.new_cell(kind, text);
        self.splice(client, at, 0, vec![cell]);
    }

    /// As VS Code says it: what lies between is taken out and put in again.
    pub fn swap(&mut self, client: &mut Client, one: usize, other: usize) {
        let (start, end) = (one.min(other), one.max(other) + 1);
        let mut cells = self.cells[start..end].to_vec();
        let last = cells.len() - 1;
        cells.swap(0, last);
        self.splice(client, start, end - start, cells);
    }

    /// Replaces bytes of the text of a cell.
    pub fn edit(
        &mut self,
        client: &mut Client,
        cell: usize,
        range: std::ops::Range<usize>,
        part: &str,
        encoding: &str,
    ) {
        let edited = &mut self.cells[cell];
        edited.version += 1;
        let places = json!({
            "start": position(&edited.text, range.start, encoding),
            "end": position(&edited.text, range.end, encoding),
        });
        edited.text.replace_range(range, part);
        let change = json!([{
            "document": { "uri": edited.uri, "version": edited.version },
            "changes": [{ "range": places, "text": part }],
        }]);
        self.change(client, json!({ "textContent": change }));
    }

    pub fn replace(&mut self, client: &mut Client, cell: usize, text: &str) {
        let edited = &mut self.cells[cell];
        edited.version += 1;
        edited.text = text.to_string();
        let change = json!([{
            "document": { "uri": edited.uri, "version": edited.version },
            "changes": [{ "text": text }],
        }]);
        self.change(client, json!({ "textContent": change }));
    }

    /// What is found in each cell.
    pub fn pulled(&self, client: &mut Client) -> Vec<Vec<Value>> {
        let cells = self.cells.iter();
        cells.map(|cell| client.pulled(&cell.uri)).collect()
    }

    /// The codemods of it.
    pub fn codes(&self, client: &mut Client) -> Vec<Vec<String>> {
        let code = |it: &Value| it["code"].as_str().unwrap_or_default().to_string();
        let found = self.pulled(client);
        let cells = found.iter().map(|it| it.iter().map(code).collect());
        cells.collect()
    }

    /// The texts of the cells after an edit.
    pub fn applied(&self, edit: &Value, encoding: &str) -> Vec<String> {
        let cells = self.cells.iter();
        for uri in edited(edit) {
            assert!(self.cells.iter().any(|it| it.uri == uri), "{uri}");
        }
        cells
            .map(|it| applied_among(&it.text, edit, &it.uri, encoding))
            .collect()
    }

    /// The texts after all fixes, asked for in this cell.
    pub fn fixed(&self, client: &mut Client, cell: usize) -> Vec<String> {
        let actions = client.actions(&self.cells[cell].uri, &at_the_start(), &[FIX_NOTEBOOK]);
        match actions.as_slice() {
            [] => self.cells.iter().map(|it| it.text.clone()).collect(),
            [action] => self.applied(&action["edit"], "utf-16"),
            more => panic!("{more:?}"),
        }
    }

    /// As it is in a file.
    pub fn file(&self) -> String {
        let cells: Vec<Value> = self
            .cells
            .iter()
            .map(|cell| {
                let kind = match cell.kind {
                    "code" | "markdown" | "raw" => cell.kind,
                    _ => "code",
                };
                let mut written = json!({
                    "cell_type": kind, "metadata": {},
                    "source": cell.text.split_inclusive('\n').collect::<Vec<_>>(),
                });
                if kind == "code" {
                    written["outputs"] = json!([]);
                    written["execution_count"] = Value::Null;
                }
                if kind == "code" && cell.kind != "code" {
                    written["metadata"] = json!({ "vscode": { "languageId": cell.kind } });
                }
                written
            })
            .collect();
        json!({ "nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells }).to_string()
    }
}

pub fn at_the_start() -> Value {
    json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } })
}

/// The texts of the cells of a file.
pub fn texts(file: &str) -> Vec<String> {
    let file: Value = serde_json::from_str(file).unwrap();
    let text = |cell: &Value| match &cell["source"] {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().map(|it| it.as_str().unwrap()).collect(),
        other => panic!("{other}"),
    };
    file["cells"].as_array().unwrap().iter().map(text).collect()
}

/// What `--fix` makes of the notebook, with whatever options.
pub fn fixed_in_file(project: &Project, sheet: &Sheet, options: &[&str]) -> Vec<String> {
    project.write("fixed/a.ipynb", sheet.file());
    let ran = project.run([&["--fix", "--quiet", "fixed/a.ipynb"], options].concat());
    assert!(ran.status < 2, "{ran:?}");
    texts(&project.read("fixed/a.ipynb"))
}
