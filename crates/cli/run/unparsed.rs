//! What is said of a file, or of cells of it, that the parser refused.

use edit::LineIndex;
use engine::SyntaxError;
use python::{Cell, Problem};

use crate::report::spot::Spot;
use crate::report::{Failure, Place};
use crate::source::{FileText, Source};
use crate::walk::File;
use crate::write;

/// The text of `source` cannot be parsed.
pub fn whole(file: &File, source: &Source, error: &SyntaxError) -> Failure {
    let offset = error.range.start;
    let place = Place::of(source, &source.text, offset);
    let failure = failure(file, &error.message).at(place);
    match source.file_text(&source.text) {
        Ok(text) => failure.with_spot(Spot::of(source, text.as_str(), text.place(offset))),
        Err(_) => failure,
    }
}

/// These cells of a notebook cannot be parsed, whose file holds `text`.
pub fn cells(file: &File, source: &Source, text: &str) -> Vec<Failure> {
    let Some(notebook) = source.notebook.as_ref().map(|it| &it.notebook) else {
        return Vec::new();
    };
    if notebook.broken.is_empty() {
        return Vec::new();
    }
    let Ok(FileText::Notebook(written)) = source.file_text(text) else {
        return Vec::new();
    };
    let of_cell = |(cell, problem): &(Cell, Problem)| {
        let offset = problem.range.start().to_usize();
        let place = Place {
            cell: Some(cell.number),
            position: LineIndex::new(&cell.text).position(&cell.text, offset),
        };
        let spot = Spot::of(source, &written.json, written.place_in(cell, offset));
        failure(file, &problem.message).at(place).with_spot(spot)
    };
    notebook.broken.iter().map(of_cell).collect()
}

fn failure(file: &File, message: &str) -> Failure {
    let message = format!("cannot be parsed: {}", write::lowercase_first(message));
    Failure::new(&file.path, message)
}
