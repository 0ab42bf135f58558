//! What a pull request changes, as its page shows it.

use std::collections::BTreeMap;
use std::ops::Range;

/// The files that it changes, by their paths from the root of the repository.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// Those that are there afterwards.
    pub files: BTreeMap<String, DiffFile>,
}

/// A file of the diff.
#[derive(Clone, Debug, Default)]
pub struct DiffFile {
    /// Its path before; the same where it was not renamed, or is new.
    pub old_path: String,
    /// In order.
    pub hunks: Vec<DiffHunk>,
}

/// Lines that are shown in one piece: those that changed, and the three around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffHunk {
    /// One-based rows of the file afterwards.
    pub rows: Range<usize>,
    /// For each line that stayed: its row afterwards, and its row before.
    pub unchanged: Vec<(usize, usize)>,
}

impl DiffFile {
    /// Whether one piece of the diff shows all of these rows, of which there is at least one.
    pub fn shows(&self, rows: &Range<usize>) -> bool {
        let holds = |hunk: &DiffHunk| hunk.rows.start <= rows.start && rows.end <= hunk.rows.end;
        !rows.is_empty() && self.hunks.iter().any(holds)
    }

    /// The row that a line had before, if it is one that stayed.
    pub fn old_row(&self, row: usize) -> Option<usize> {
        let pairs = self.hunks.iter().flat_map(|hunk| &hunk.unchanged);
        let mut found = pairs.filter(|(new, _)| *new == row).map(|(_, old)| *old);
        found.next()
    }
}
