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

    /// One edit in the place of `edits`, which replaces `range` and all that they touch: where two
    /// fixes meet, nobody else writes between them.
    ///
    /// `source` is the text that all ranges are offsets into. Of edits that overlap, which those of
    /// one fix do not, the later ones begin where the earlier end.
    pub fn joined(source: &str, range: Range<usize>, mut edits: Vec<Self>) -> Self {
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let touched = |end: usize, edit: &Self| end.max(edit.range.end);
        let start = edits
            .first()
            .map_or(range.start, |edit| edit.range.start.min(range.start));
        let end = edits.iter().fold(range.end, touched);
        let (mut content, mut copied) = (String::new(), start);
        for edit in &edits {
            content.push_str(source.get(copied..edit.range.start).unwrap_or_default());
            content.push_str(&edit.content);
            copied = touched(copied, edit);
        }
        content.push_str(source.get(copied..end).unwrap_or_default());
        Self::replace(start..end, content)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_become_one() {
        let edits = vec![Edit::insert(6_usize, "!"), Edit::replace(1..3, "x")];
        let joined = Edit::joined("abcdefgh", 2..7, edits);
        assert_eq!(joined, Edit::replace(1..7, "xdef!g"));
    }

    #[test]
    fn without_edits_the_range_stays() {
        assert_eq!(
            Edit::joined("abc", 1..2, Vec::new()),
            Edit::replace(1..2, "b")
        );
    }
}
