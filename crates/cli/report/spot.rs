//! Where something stands in a file, as services that read the file count.

use edit::LineIndex;

use super::{Entry, Place, Places};
use crate::source::{FileText, Source};

/// A place in a file, in each of the units in which services count columns. All are one-based.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Of a notebook: in its JSON.
    pub row: usize,
    /// In characters (Unicode scalar values).
    pub column: usize,
    /// In bytes of UTF-8, with those of a byte order mark: what a service finds in the line when it
    /// reads the file as bytes.
    pub utf8: usize,
    /// In code units of UTF-16, without a byte order mark.
    pub utf16: usize,
}

impl Spot {
    /// The beginning of a row.
    pub fn start_of(row: usize) -> Self {
        Self::after("", row, false)
    }

    /// Where the byte at `offset` of `text` stands, which `source` holds or becomes. Counts all lines
    /// before: for one place, or few.
    pub fn of(source: &Source, text: &str, offset: usize) -> Self {
        Self::find(&LineIndex::new(text), text, offset, source.bom)
    }

    fn find(index: &LineIndex, text: &str, offset: usize, bom: bool) -> Self {
        let row = index.position(text, offset).row;
        let line = index.line_range(text, row);
        let before = text.get(line.start..offset).unwrap_or_default();
        Self::after(before, row, bom && row == 1)
    }

    /// After `before` in its line, and after a byte order mark.
    fn after(before: &str, row: usize, bom: bool) -> Self {
        let mark = if bom { '\u{feff}'.len_utf8() } else { 0 };
        let characters = before.chars().count();
        // These take two units: those that take four bytes.
        let astral = before.bytes().filter(|byte| *byte >= 0xf0).count();
        Self {
            row,
            column: 1 + characters,
            utf8: 1 + mark + before.len(),
            utf16: 1 + characters + astral,
        }
    }
}

/// Turns byte offsets into the text of an entry into places.
pub struct Spots<'a> {
    text: &'a str,
    places: Places<'a>,
    /// What the file holds.
    pub file: FileText<'a>,
    /// Its lines.
    index: LineIndex,
    bom: bool,
}

impl<'a> Spots<'a> {
    pub fn new(entry: &Entry<'a>) -> Self {
        let file = entry.source.file_text(entry.text);
        // It was written before, to see whether it can be.
        let file = file.unwrap_or(FileText::Plain(entry.text));
        Self {
            text: entry.text,
            places: Places::new(entry.source, entry.text),
            index: LineIndex::new(file.as_str()),
            file,
            bom: entry.source.bom,
        }
    }

    /// Where in the file a byte of the entry's text stands.
    pub fn at(&self, offset: usize) -> Spot {
        self.in_file(self.file.place(offset))
    }

    /// Where a byte of the file's text stands.
    pub fn in_file(&self, offset: usize) -> Spot {
        Spot::find(&self.index, self.file.as_str(), offset, self.bom)
    }

    /// Where people look for it.
    pub fn place(&self, offset: usize) -> Place {
        self.places.of(offset)
    }

    /// The line of Python that a byte of the entry's text is in.
    pub fn line(&self, offset: usize) -> &'a str {
        let ends = ['\n', '\r'];
        let (before, after) = self.text.split_at_checked(offset).unwrap_or_default();
        let start = before.rfind(ends).map_or(0, |end| end + 1);
        let end = after.find(ends).map_or(self.text.len(), |end| offset + end);
        self.text.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Spot;

    #[test]
    fn columns_count_what_each_service_counts() {
        let columns = |before, bom| {
            let spot = Spot::after(before, 1, bom);
            (spot.column, spot.utf8, spot.utf16)
        };
        assert_eq!(columns("", false), (1, 1, 1));
        assert_eq!(columns("\t", false), (2, 2, 2));
        assert_eq!(columns("\u{e9}", false), (2, 3, 2));
        assert_eq!(columns("e\u{301}", false), (3, 4, 3));
        assert_eq!(columns("\u{ffff}", false), (2, 4, 2));
        assert_eq!(columns("\u{1f600}", false), (2, 5, 3));
        assert_eq!(columns("x", true), (2, 5, 2));
    }
}
