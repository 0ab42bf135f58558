//! Merging fixes that know nothing of each other into one text.

use std::ops::Range;

use crate::Edit;

/// Edits that are applied all or not at all, and whose they are.
#[derive(Clone, Debug)]
pub struct Change<T> {
    /// Sorted or not; no two of them overlap.
    pub edits: Vec<Edit>,
    /// Handed back with the parts of the output that these edits wrote.
    pub tag: T,
}

/// A part of a text that an edit wrote. Empty where the edit only deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched<T> {
    /// Byte offsets into the text.
    pub range: Range<usize>,
    /// Whose edit it was.
    pub tag: T,
}

/// The outcome of [`merge`].
#[derive(Clone, Debug)]
pub struct Merged<T> {
    /// The text after the accepted changes.
    pub text: String,
    /// For each change, in the order given: whether it was accepted.
    pub accepted: Vec<bool>,
    /// What the accepted edits wrote, by position in `text`.
    pub touched: Vec<Touched<T>>,
}

/// Applies the changes to `source`, each whole or not at all. (to be written)
pub fn merge<T: Clone>(source: &str, changes: &[Change<T>], _before: &[Touched<T>]) -> Merged<T> {
    Merged {
        text: source.to_string(),
        accepted: vec![false; changes.len()],
        touched: Vec::new(),
    }
}
