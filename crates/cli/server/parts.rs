//! The parts of a document that an editor has open, and the text that is analysed.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use server::{Cell, CellKind, Content, Problem, Site};

use crate::source::{FileText, Source, Unreadable};

/// What is between them.
pub struct Parts<'s> {
    source: &'s Source,
    /// The file, where one that is no plain text is open as the text that it is on the disk.
    file: Option<FileText<'s>>,
    is_by_cell: bool,
}

impl<'s> Parts<'s> {
    /// Of `content`, which was decoded as `source`.
    pub fn new(content: &Content, source: &'s Source) -> Result<Self, Problem> {
        let is_by_cell = matches!(content, Content::Notebook(_));
        let file = if is_by_cell || source.notebook.is_none() {
            None
        } else {
            Some(source.file_text(&source.text).map_err(ours)?)
        };
        Ok(Self {
            source,
            file,
            is_by_cell,
        })
    }

    /// The part that these bytes of the analysed text are in, and where in it they stand; none of
    /// what is between two cells.
    pub fn place(&self, range: &Range<usize>) -> Option<(usize, Range<usize>)> {
        if self.is_by_cell {
            let notebook = &self.source.notebook.as_ref()?.notebook;
            let (cell, start) = notebook.cell_at(range.start)?;
            let end = range.end.saturating_sub(range.start).saturating_add(start);
            return Some((cell.number - 1, start..end.min(cell.text.len())));
        }
        let mark = self.source.text_start();
        let place = |offset: usize| match &self.file {
            Some(file) => file.place(offset) + mark,
            None => offset + mark,
        };
        Some((0, place(range.start)..place(range.end)))
    }

    /// Whether what is found at these bytes of the analysed text is what is meant.
    pub fn is_at(&self, range: &Range<usize>, site: &Site) -> bool {
        self.place(range) == Some((site.part, site.range.clone()))
    }

    /// What the parts are where `text` is what was made of the analysed text: those that change.
    pub fn of(&self, text: &str) -> Result<Vec<(usize, String)>, Problem> {
        if self.is_by_cell
            && let Some(file) = &self.source.notebook
        {
            let texts = file.notebook.parts(text).map_err(Problem::Ours)?;
            let cells = file.notebook.cells.iter().zip(texts);
            let changed = cells.filter(|(cell, text)| cell.text != *text);
            let changed = changed.map(|(cell, text)| (cell.number - 1, text.to_string()));
            return Ok(changed.collect());
        }
        let file = self.source.file_text(text).map_err(ours)?;
        let mark = if self.source.bom { "\u{feff}" } else { "" };
        Ok(vec![(0, format!("{mark}{}", file.as_str()))])
    }
}

fn ours(error: Unreadable) -> Problem {
    Problem::Ours(error.message)
}

/// The file that a document is, or would be: cells are in notebooks.
pub fn path(path: &Path, content: &Content) -> PathBuf {
    match content {
        Content::Plain(_) => path.to_path_buf(),
        Content::Notebook(_) => path.with_extension("ipynb"),
    }
}

/// The bytes of a file that holds it.
pub fn bytes(content: &Content) -> Result<Vec<u8>, Unreadable> {
    match content {
        Content::Plain(text) => Source::bytes_of(text),
        Content::Notebook(cells) => {
            let cells: Vec<Value> = cells.iter().map(cell).collect();
            let notebook = json!({
                "cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4,
            });
            Ok(notebook.to_string().into_bytes())
        }
    }
}

/// As nbformat, version 4, has it.
fn cell(cell: &Cell) -> Value {
    let source = &*cell.text;
    let code = |metadata: Value| {
        json!({
            "cell_type": "code", "execution_count": null, "metadata": metadata, "outputs": [],
            "source": source,
        })
    };
    match cell.kind {
        CellKind::Python => code(json!({})),
        CellKind::OtherCode => code(json!({ "vscode": { "languageId": "plaintext" } })),
        CellKind::Raw => json!({ "cell_type": "raw", "metadata": {}, "source": source }),
        CellKind::Markup => json!({ "cell_type": "markdown", "metadata": {}, "source": source }),
    }
}
