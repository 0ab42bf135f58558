//! The first and cheapest question: can this file hold anything for the selected codemods?

use crate::Codemod;

/// The words without which a file holds no site of the selected codemods.
#[derive(Debug)]
pub struct Prefilter {
    /// For each name that a codemod starts from: the words that must all occur.
    needles: Vec<Vec<memchr::memmem::Finder<'static>>>,
}

impl Prefilter {
    /// The prefilter for `codemods`.
    pub fn new(_codemods: &[&'static Codemod]) -> Self {
        Self {
            needles: Vec::new(),
        }
    }

    /// Whether a file with these bytes, in whatever encoding that has ASCII as a subset, may hold
    /// a site. False positives cost a parse; there are no false negatives.
    pub fn may_match(&self, bytes: &[u8]) -> bool {
        self.needles
            .iter()
            .any(|words| words.iter().all(|word| word.find(bytes).is_some()))
    }
}
