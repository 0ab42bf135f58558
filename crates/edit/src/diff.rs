//! The unified diff, as `git apply` and `patch -p1` read it.

use std::ops::Range;

/// A part of the new file and the words to print after the `@@` of the hunks that hold it.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    /// Byte offsets into the new file's bytes.
    pub range: Range<usize>,
    /// One line.
    pub heading: &'a str,
}

/// The patch that makes `after` out of `before`; empty where they are equal. (to be written)
pub fn unified_diff(_path: &str, _before: &[u8], _after: &[u8], _sections: &[Section]) -> Vec<u8> {
    Vec::new()
}
