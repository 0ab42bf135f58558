//! What a codemod proposes: edits, grouped into a fix.

use std::ops::Range;

/// How much a fix may change beyond the defect that it removes, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// Nothing changes but the defect itself.
    Safe,
    /// Changes what the codemod exists to change, as the stated effect on its page says.
    Intended,
    /// May change more than the stated effect.
    Unsafe,
}

impl Applicability {
    /// The word that reports, pages and machine formats use.
    pub fn as_str(self) -> &'static str {
        match self {
            Applicability::Safe => "safe",
            Applicability::Intended => "intended",
            Applicability::Unsafe => "unsafe",
        }
    }
}

/// The text in `range` is replaced by `content`. An empty range inserts, empty content deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Byte offsets into the source.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub content: String,
}

impl Edit {
    /// Replaces the bytes in `range` with `content`.
    pub fn replace(range: impl Into<Range<usize>>, content: impl Into<String>) -> Self {
        Self {
            range: range.into(),
            content: content.into(),
        }
    }

    /// Inserts `content` before the byte at `offset`.
    pub fn insert(offset: impl Into<usize>, content: impl Into<String>) -> Self {
        let offset = offset.into();
        Self::replace(offset..offset, content)
    }

    /// Deletes the bytes in `range`.
    pub fn delete(range: impl Into<Range<usize>>) -> Self {
        Self::replace(range, "")
    }
}

/// The edits that belong together: they are applied all or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Whether and when the fix is applied.
    pub applicability: Applicability,
    /// Sorted by position; no two overlap.
    pub edits: Vec<Edit>,
}
