//! What is to be proposed, as plain data.

use edit::{Applicability, Hunk};

/// A file in which something was found.
#[derive(Clone, Debug)]
pub struct File {
    /// From the root of the repository, with `/` between its parts.
    pub path: String,
    /// What the file holds, without a byte order mark.
    pub text: String,
    /// Why none of its lines can be the anchor of a comment, if that is so.
    pub obstacle: Option<String>,
    /// Whether it begins with a byte order mark, which is no part of the text.
    pub bom: bool,
    /// The fixes, each with those without which it would be half a fix.
    pub groups: Vec<Group>,
    /// What all groups together replace, imports that nothing uses then included.
    pub all: Vec<Hunk>,
    /// What is found and not rewritten.
    pub withheld: Vec<Finding>,
}

/// Fixes that are applied together or not at all.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they are about, by position; not empty.
    pub findings: Vec<Finding>,
    /// The lines that have to be replaced.
    pub needed: Vec<Hunk>,
    /// The same, and those of imports that nothing uses when they are: what a run that applies
    /// this group alone writes.
    pub whole: Vec<Hunk>,
}

/// What was found in a place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The codemod's name.
    pub codemod: String,
    /// What is the matter, without a final stop.
    pub message: String,
    /// The one-based rows of its site in the file.
    pub rows: std::ops::Range<usize>,
    /// Of a notebook: where people look for it, as `cell 3:2:5`.
    pub place: Option<String>,
    /// The codemod's stated effect: sentences.
    pub effect: String,
    /// Where the codemod's page can be read.
    pub url: String,
    /// What can be done about it.
    pub outcome: Outcome,
}

/// What can be done about a finding.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is rewritten.
    Fix {
        /// How much the fix may change.
        applicability: Applicability,
        /// Why: a sentence.
        why: String,
    },
    /// It is not, for this reason.
    Withheld(String),
}
