//! Rows and columns for people and for other tools.

use std::ops::Range;

/// A place in a text as editors and compilers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// One-based line; lines end at `\n`, `\r\n` and a lone `\r`, as in Python.
    pub row: usize,
    /// One-based column, in characters (Unicode scalar values).
    pub column: usize,
}

/// Where the lines of a text start.
///
/// The text itself is not kept: it is handed in again with each question. Another text than the
/// one that the index was made from gives wrong answers, but no panic.
#[derive(Clone, Debug)]
pub struct LineIndex {
    /// Byte offsets, ascending; the first is 0. A text that ends in a line break has an empty
    /// last line, so that the offset at its end has a row.
    starts: Vec<usize>,
    /// How many characters begin before each [`BLOCK`] of bytes: a line may be all of the text.
    characters: Vec<usize>,
}

/// In bytes. So many are counted at most, and their number is kept for as many.
const BLOCK: usize = 1 << 10;

impl LineIndex {
    /// Reads through `text` once.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        let mut bytes = text.bytes().enumerate().peekable();
        while let Some((offset, byte)) = bytes.next() {
            let ends_line = match byte {
                b'\n' => true,
                // The `\n` of `\r\n` ends the line.
                b'\r' => !matches!(bytes.peek(), Some((_, b'\n'))),
                _ => false,
            };
            if ends_line {
                starts.push(offset + 1);
            }
        }
        let mut characters = Vec::with_capacity(text.len() / BLOCK + 1);
        let mut counted = 0;
        for block in text.as_bytes().chunks(BLOCK) {
            characters.push(counted);
            counted += begun(block);
        }
        Self { starts, characters }
    }

    /// The place of the byte at `offset` in `text`, the text that the index was made from.
    ///
    /// An offset inside a character is that character's; one past the end is the end.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = text.floor_char_boundary(offset);
        let row = self.starts.partition_point(|start| *start <= offset);
        let start = self.start_of(row).unwrap_or(0);
        let before = self.begun_before(text, offset);
        Position {
            row,
            column: before.saturating_sub(self.begun_before(text, start)) + 1,
        }
    }

    /// How many characters of `text` begin before `offset`.
    fn begun_before(&self, text: &str, offset: usize) -> usize {
        let block = offset / BLOCK;
        let (block, known) = match self.characters.get(block) {
            Some(known) => (block, *known),
            // At the end of a text of whole blocks.
            None => match self.characters.last() {
                Some(known) => (self.characters.len() - 1, *known),
                None => (0, 0),
            },
        };
        let rest = text.as_bytes().get(block * BLOCK..offset);
        known + begun(rest.unwrap_or_default())
    }

    /// The bytes of the one-based `row` of `text`, without the line break that ends it.
    ///
    /// Row 0 and rows past the last one are empty, at the start and at the end of the text.
    pub fn line_range(&self, text: &str, row: usize) -> Range<usize> {
        let Some(start) = self.start_of(row) else {
            let offset = if row == 0 { 0 } else { text.len() };
            return offset..offset;
        };
        let end = self.start_of(row + 1).unwrap_or(text.len());
        let line = text.get(start..end).unwrap_or_default();
        let content = match line.strip_suffix('\n') {
            Some(line) => line.strip_suffix('\r').unwrap_or(line),
            None => line.strip_suffix('\r').unwrap_or(line),
        };
        start..start + content.len()
    }

    /// How many rows there are: at least one, and one more than there are line breaks.
    pub fn rows(&self) -> usize {
        self.starts.len()
    }

    /// The lines of `text`, each with the line break that ends it; no empty one at the end.
    pub(crate) fn lines<'t>(&self, text: &'t str) -> Vec<&'t [u8]> {
        let line = |index| text.get(self.offset(index, text)..self.offset(index + 1, text));
        let lines = (0..self.rows()).filter_map(line).map(str::as_bytes);
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// The byte offset of the line of index `line`, zero-based; the end of `text` past the last.
    pub(crate) fn offset(&self, line: usize, text: &str) -> usize {
        self.starts.get(line).copied().unwrap_or(text.len())
    }

    fn start_of(&self, row: usize) -> Option<usize> {
        self.starts.get(row.checked_sub(1)?).copied()
    }
}

/// How many characters begin in these bytes of a text.
fn begun(bytes: &[u8]) -> usize {
    let goes_on = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    bytes.len() - bytes.iter().filter(goes_on).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, offset: usize, row: usize, column: usize) {
        let position = LineIndex::new(text).position(text, offset);
        assert_eq!(position, Position { row, column });
    }

    #[track_caller]
    fn check_line(text: &str, row: usize, expected: &str) {
        let range = LineIndex::new(text).line_range(text, row);
        assert_eq!(&text[range], expected);
    }

    #[test]
    fn offsets_past_the_end_are_the_end() {
        check("", 7, 1, 1);
        check("ab", 7, 1, 3);
        check("ab\n", usize::MAX, 2, 1);
    }

    #[test]
    fn offsets_inside_a_character_are_that_character() {
        check("é", 1, 1, 1);
        check("aé", 2, 1, 2);
    }

    #[test]
    fn rows_outside_the_text_are_empty() {
        check_line("a\nb", 0, "");
        check_line("a\nb", 3, "");
        check_line("a\nb", usize::MAX, "");
    }

    #[test]
    fn another_text_does_not_panic() {
        let index = LineIndex::new("a\nb\nc\n");
        assert_eq!(index.position("é", 9).column, 1);
        assert_eq!(index.line_range("é", 2), 2..2);
    }

    #[test]
    fn lines_end_as_in_python() {
        check("a\nb", 2, 2, 1);
        check("a\r\nb", 3, 2, 1);
        check("a\rb", 2, 2, 1);
        check("a\r\r\nb", 4, 3, 1);
        check("a\n\rb", 3, 3, 1);
        check("a\x0c\u{2028}\u{85}b", 7, 1, 5);
    }

    #[test]
    fn a_line_break_belongs_to_the_line_it_ends() {
        check("a\r\nb", 1, 1, 2);
        check("a\r\nb", 2, 1, 3);
    }

    #[test]
    fn columns_count_characters() {
        check("é𝒳x", 6, 1, 3);
    }

    #[test]
    fn columns_are_counted_in_long_lines() {
        let text = "é".repeat(3 * BLOCK) + "\n" + &"a𝒳".repeat(BLOCK);
        check(&text, 2 * BLOCK, 1, BLOCK + 1);
        check(&text, 6 * BLOCK, 1, 3 * BLOCK + 1);
        check(&text, 6 * BLOCK + 1 + 5 * 700, 2, 2 * 700 + 1);
        check(&text, text.len(), 2, 2 * BLOCK + 1);
        check(&"a".repeat(BLOCK), BLOCK, 1, BLOCK + 1);
    }

    #[test]
    fn lines_are_given_without_their_break() {
        check_line("a\nb\r\nc\rd", 1, "a");
        check_line("a\nb\r\nc\rd", 2, "b");
        check_line("a\nb\r\nc\rd", 3, "c");
        check_line("a\nb\r\nc\rd", 4, "d");
        check_line("a\n", 2, "");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 128,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn positions_agree_with_counting(text in "[a\né\r𝒳]{0,24}") {
            let index = LineIndex::new(&text);
            let (mut row, mut column) = (1, 1);
            let mut rest = text.chars();
            while let Some(char) = {
                let offset = text.len() - rest.as_str().len();
                prop_assert_eq!(index.position(&text, offset), Position { row, column });
                rest.next()
            } {
                let ends_line = char == '\n' || char == '\r' && !rest.as_str().starts_with('\n');
                (row, column) = if ends_line { (row + 1, 1) } else { (row, column + 1) };
            }
            prop_assert_eq!(index.rows(), row);
        }
    }
}
