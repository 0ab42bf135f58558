//! Places in a text as the protocol counts them: lines from 0, and columns in code units of the
//! encoding that was agreed upon.

use std::ops::Range;

use edit::LineIndex;
use lsp_types::{Position, PositionEncodingKind};

/// What columns count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// What the protocol takes where nothing was agreed upon.
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

impl Encoding {
    /// The first of the client's that is known, which is the one it likes best.
    pub fn negotiated(offered: &[String]) -> Self {
        let known = offered.iter().find_map(|name| match name.as_str() {
            "utf-8" => Some(Self::Utf8),
            "utf-16" => Some(Self::Utf16),
            "utf-32" => Some(Self::Utf32),
            _ => None,
        });
        known.unwrap_or(Self::Utf16)
    }

    /// Its name in the protocol.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn units(self, character: char) -> usize {
        match self {
            Self::Utf8 => character.len_utf8(),
            Self::Utf16 => character.len_utf16(),
            Self::Utf32 => 1,
        }
    }
}

/// Turns places in one text into byte offsets, and back.
#[derive(Debug)]
pub struct Places<'t> {
    text: &'t str,
    index: LineIndex,
    encoding: Encoding,
}

impl<'t> Places<'t> {
    /// For `text`, in this encoding.
    pub fn new(text: &'t str, encoding: Encoding) -> Self {
        Self {
            text,
            index: LineIndex::new(text),
            encoding,
        }
    }

    /// Where the byte at `offset` stands. Between `\r` and `\n` there is no place: it is before
    /// both.
    pub fn position(&self, offset: usize) -> Position {
        let row = self.index.position(self.text, offset).row;
        let line = self.index.line_range(self.text, row);
        let offset = self.text.floor_char_boundary(offset.min(line.end));
        let before = self.text.get(line.start..offset).unwrap_or_default();
        let units: usize = before.chars().map(|it| self.encoding.units(it)).sum();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position::new(number(row.saturating_sub(1)), number(units))
    }

    /// Where the bytes in `range` stand.
    pub fn range(&self, range: &Range<usize>) -> lsp_types::Range {
        lsp_types::Range::new(self.position(range.start), self.position(range.end))
    }

    /// The byte that stands at a place. Past the end of a line it is the end, past the last line
    /// the end of the text, and inside of a character its beginning.
    pub fn offset(&self, position: Position) -> usize {
        let row = usize::try_from(position.line)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let line = self.index.line_range(self.text, row);
        let mut left = usize::try_from(position.character).unwrap_or(usize::MAX);
        let content = self.text.get(line.clone()).unwrap_or_default();
        for (at, character) in content.char_indices() {
            let units = self.encoding.units(character);
            if left < units {
                return line.start + at;
            }
            left -= units;
        }
        line.end
    }

    /// The bytes between two places.
    pub fn bytes(&self, range: lsp_types::Range) -> Range<usize> {
        let start = self.offset(range.start);
        start..self.offset(range.end).max(start)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    #[track_caller]
    fn check(text: &str, offset: usize, line: u32, columns: [u32; 3]) {
        for (encoding, column) in ENCODINGS.into_iter().zip(columns) {
            let places = Places::new(text, encoding);
            let position = Position::new(line, column);
            assert_eq!(places.position(offset), position, "{encoding:?}");
            assert_eq!(places.offset(position), offset, "{encoding:?}");
        }
    }

    #[test]
    fn columns_count_units_of_the_encoding() {
        check("x", 1, 0, [1, 1, 1]);
        check("é𝒳x", 6, 0, [6, 3, 2]);
        check("a\r\né𝒳x", 9, 1, [6, 3, 2]);
        check("a\rb\n", 2, 1, [0, 0, 0]);
        check("a\n", 2, 1, [0, 0, 0]);
        check("", 0, 0, [0, 0, 0]);
    }

    #[test]
    fn places_outside_of_the_text_are_its_edges() {
        let places = Places::new("ab\r\nc", Encoding::Utf16);
        assert_eq!(places.offset(Position::new(0, 99)), 2);
        assert_eq!(places.offset(Position::new(7, 0)), 5);
        assert_eq!(places.offset(Position::new(u32::MAX, u32::MAX)), 5);
        assert_eq!(places.position(3), Position::new(0, 2)); // between \r and \n
        assert_eq!(places.position(99), Position::new(1, 1));
        let backwards = lsp_types::Range::new(Position::new(1, 1), Position::new(0, 0));
        assert_eq!(places.bytes(backwards), 5..5);
    }

    #[test]
    fn a_place_inside_of_a_character_is_its_beginning() {
        assert_eq!(
            Places::new("𝒳x", Encoding::Utf16).offset(Position::new(0, 1)),
            0
        );
        assert_eq!(
            Places::new("é", Encoding::Utf8).offset(Position::new(0, 1)),
            0
        );
    }

    #[test]
    fn the_client_says_which_encoding_it_likes_best() {
        let negotiated = |offered: &[&str]| {
            let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
            Encoding::negotiated(&offered)
        };
        assert_eq!(negotiated(&[]), Encoding::Utf16);
        assert_eq!(negotiated(&["utf-7"]), Encoding::Utf16);
        assert_eq!(negotiated(&["utf-7", "utf-32", "utf-8"]), Encoding::Utf32);
        assert_eq!(negotiated(&["utf-8", "utf-16"]), Encoding::Utf8);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 128,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn there_and_back(text in "[a\né\r𝒳]{0,24}") {
            for encoding in ENCODINGS {
                let places = Places::new(&text, encoding);
                for (offset, _) in text.char_indices() {
                    let is_between = offset > 0
                        && text.as_bytes()[offset - 1] == b'\r'
                        && text.as_bytes()[offset] == b'\n';
                    if !is_between {
                        prop_assert_eq!(places.offset(places.position(offset)), offset);
                    }
                }
            }
        }
    }
}
