//! A rewrite as replacements of whole lines, for services that show and apply them one by one.

use std::ops::Range;

use crate::LineIndex;
use crate::diff::{Group, groups};

/// Lines that a rewrite replaces by others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// One-based rows of the text before.
    pub rows: Range<usize>,
    /// The bytes of these rows in the text before, without the line break that ends the last one.
    pub range: Range<usize>,
    /// What stands there afterwards, before the same line break.
    pub content: String,
}

impl Hunk {
    /// Whether both replace one of the rows.
    pub fn meets(&self, other: &Self) -> bool {
        self.rows.start < other.rows.end && other.rows.start < self.rows.end
    }
}

/// What makes `after` out of `before`, by position; nothing where they are equal.
///
/// No two hunks share a row: each can be applied without the others, and all of them in any order.
/// Services replace lines, and know nothing between two of them, nor line breaks: where lines are
/// only inserted, or only deleted, or the last ones end differently, the hunk takes in the line
/// after them; at the end of the text, the line before. Lines end as in [`LineIndex`].
pub fn hunks(before: &str, after: &str) -> Vec<Hunk> {
    let (old_index, new_index) = (LineIndex::new(before), LineIndex::new(after));
    let (old, new) = (old_index.lines(before), new_index.lines(after));
    let mut found: Vec<Group> = Vec::new();
    for mut group in groups(&old, &new) {
        let is_one_sided = group.old.is_empty() || group.new.is_empty();
        let last_old = old.get(group.old.clone()).and_then(<[&[u8]]>::last);
        let last_new = new.get(group.new.clone()).and_then(<[&[u8]]>::last);
        if is_one_sided || last_old.map(|it| ending(it)) != last_new.map(|it| ending(it)) {
            // Between two groups there is a line that stays.
            if group.old.end < old.len() {
                group.old.end += 1;
                group.new.end += 1;
            } else if is_one_sided && group.old.start > 0 {
                group.old.start -= 1;
                group.new.start -= 1;
            }
        }
        match found.last_mut() {
            Some(before) if before.old.end > group.old.start => {
                before.old.end = group.old.end;
                before.new.end = group.new.end;
            }
            _ => found.push(group),
        }
    }
    let hunk = |group: Group| {
        let range =
            old_index.offset(group.old.start, before)..old_index.offset(group.old.end, before);
        let content =
            new_index.offset(group.new.start, after)..new_index.offset(group.new.end, after);
        let content = after.get(content).unwrap_or_default();
        let lines = before.get(range.clone()).unwrap_or_default();
        let shared = ending(lines.as_bytes());
        let shared = if content.as_bytes().ends_with(shared) {
            shared.len()
        } else {
            0
        };
        Hunk {
            rows: group.old.start + 1..group.old.end + 1,
            range: range.start..range.end - shared,
            content: content[..content.len() - shared].to_string(),
        }
    };
    found.into_iter().map(hunk).collect()
}

/// What `before` becomes by some of its hunks, which are by position and share no row.
pub fn apply_hunks<'a>(before: &str, hunks: impl IntoIterator<Item = &'a Hunk>) -> String {
    let mut after = String::with_capacity(before.len());
    let mut read = 0;
    for hunk in hunks {
        after.push_str(before.get(read..hunk.range.start).unwrap_or_default());
        after.push_str(&hunk.content);
        read = hunk.range.end;
    }
    after.push_str(before.get(read..).unwrap_or_default());
    after
}

/// The line break at the end of a line.
fn ending(line: &[u8]) -> &[u8] {
    let length = match line {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    };
    line.get(line.len() - length..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each hunk as `rows: content`.
    #[track_caller]
    fn check(before: &str, after: &str, expected: &[&str]) {
        let shown: Vec<String> = hunks(before, after)
            .iter()
            .map(|hunk| {
                format!(
                    "{}-{}: {}",
                    hunk.rows.start,
                    hunk.rows.end - 1,
                    hunk.content
                )
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn lines_that_are_only_inserted_or_deleted_take_a_neighbour_in() {
        check("a\nb\n", "x\na\nb\n", &["1-1: x\na"]);
        check("a\nb\n", "a\nx\nb\n", &["2-2: x\nb"]);
        check("a\nb\n", "a\nb\nx\n", &["2-2: b\nx"]);
        check("a\nb\nc\n", "b\nc\n", &["1-2: b"]);
        check("a\nb\nc\n", "a\nb\n", &["2-3: b"]);
    }

    #[test]
    fn hunks_share_no_row() {
        check("a\nb\nc\nd\n", "a\nx\nb\ny\nd\n", &["2-2: x\nb", "3-3: y"]);
        check("a\nb\nc\n", "b\n", &["1-3: b"]);
    }

    #[test]
    fn what_stays_is_in_no_hunk() {
        check("a\nb\n", "a\nb\n", &[]);
        check("a\nb\nc\nd\ne\n", "A\nb\nc\nD\ne\n", &["1-1: A", "4-4: D"]);
    }

    #[test]
    fn line_breaks_are_kept() {
        check("a\r\nb\r\n", "x\r\na\r\nb\r\n", &["1-1: x\r\na"]);
        check("a\rb\rc", "a\rx\rc", &["2-2: x"]);
        check("a\nb", "a\nb\nc", &["2-2: b\nc"]);
        check("", "a\n", &["1-0: a\n"]);
    }

    proptest! {
        #[test]
        fn applied_they_make_the_text_after(
            before in "([ab]?(\n|\r|\r\n)){0,8}[ab]?",
            after in "([ab]?(\n|\r|\r\n)){0,8}[ab]?",
        ) {
            let hunks = hunks(&before, &after);
            prop_assert_eq!(apply_hunks(&before, &hunks), after);
            let apart = |pair: &[Hunk]| pair[0].rows.end <= pair[1].rows.start;
            prop_assert!(hunks.windows(2).all(apart));
        }
    }
}
