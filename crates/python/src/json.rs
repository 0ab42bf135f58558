//! Where values stand in a JSON text, which is known to be valid.

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

/// The values of the key `source` in the objects of the array `cells` of a notebook: byte offsets.
pub(crate) fn cell_sources(json: &str) -> Vec<Range<usize>> {
    let mut sources = Vec::new();
    let mut outer = Reader { json, at: 0 };
    outer.each_member(|outer, key| {
        if key != "\"cells\"" {
            outer.skip_value();
            return;
        }
        outer.each_item(|cells| {
            cells.each_member(|cell, key| {
                cell.skip_space();
                let start = cell.at;
                cell.skip_value();
                if key == "\"source\"" {
                    sources.push(start..cell.at);
                }
            });
        });
    });
    sources
}

/// The text as a value that is written like `old`: a string, or a list of lines, with the same white
/// space around them. Lines that `old` has too keep their bytes.
pub(crate) fn source_like(old: &str, text: &str) -> Result<String, String> {
    // Characters beyond ASCII are written as they were.
    let escaped = old.is_ascii() && has_escapes(old);
    if !old.starts_with('[') {
        return quoted(text, escaped);
    }
    let mut reader = Reader { json: old, at: 0 };
    let mut items: Vec<Range<usize>> = Vec::new();
    reader.each_item(|reader| {
        reader.skip_space();
        let start = reader.at;
        reader.skip_value();
        items.push(start..reader.at);
    });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let known: HashMap<String, &str> = items
        .iter()
        .filter_map(|item| Some((unquoted(&old[item.clone()])?, &old[item.clone()])))
        .collect();
    let (Some(first), Some(last)) = (items.first(), items.last()) else {
        let lines: Result<Vec<String>, String> =
            lines.iter().map(|line| quoted(line, escaped)).collect();
        return Ok(format!("[{}]", lines?.join(", ")));
    };
    if lines.is_empty() {
        return Ok("[]".to_string());
    }
    let before = &old[..first.start];
    let between = match items.get(1) {
        Some(second) => old[first.end..second.start].to_string(),
        None if before == "[" => ", ".to_string(),
        None => format!(",{}", &before[1..]),
    };
    let mut written = before.to_string();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            written.push_str(&between);
        }
        match known.get(*line) {
            Some(item) => written.push_str(item),
            None => written.push_str(&quoted(line, escaped)?),
        }
    }
    written.push_str(&old[last.end..]);
    Ok(written)
}

/// Where in `value`, a string or a list of them, the byte at `offset` of its text is written: a byte
/// offset. Where a line starts, that is after the quote; at the end of the text, before it.
pub(crate) fn place(value: &str, offset: usize) -> usize {
    let mut reader = Reader { json: value, at: 0 };
    let mut place = Place {
        rest: offset,
        at: 0,
        is_found: false,
    };
    if value.starts_with('[') {
        reader.each_item(|reader| {
            reader.skip_space();
            place.look_in(reader);
        });
    } else {
        place.look_in(&mut reader);
    }
    place.at
}

/// What [`place`] found so far.
struct Place {
    /// How many bytes of the text are still to be passed.
    rest: usize,
    at: usize,
    is_found: bool,
}

impl Place {
    /// Goes over a value that may be a string.
    fn look_in(&mut self, reader: &mut Reader) {
        let start = reader.at;
        reader.skip_value();
        let string = reader.json.get(start..reader.at).unwrap_or_default();
        let inner = string.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        let Some(mut inner) = inner.filter(|_| !self.is_found) else {
            return;
        };
        self.at = start + 1;
        while let Some((written, length)) = character(inner) {
            if self.rest < length {
                self.is_found = true;
                return;
            }
            self.rest -= length;
            self.at += written;
            inner = inner.get(written..).unwrap_or_default();
        }
    }
}

/// How many bytes the first character of a string is written with, and how many it has itself.
fn character(inner: &str) -> Option<(usize, usize)> {
    let first = inner.chars().next()?;
    if first != '\\' {
        return Some((first.len_utf8(), first.len_utf8()));
    }
    let unit = |at: usize| {
        let digits = inner.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else {
        return Some((2, 1)); // `\n`
    };
    let units = [first, unit(6).unwrap_or_default()];
    match char::decode_utf16(units).next()? {
        Ok(it) => Some((6 * it.len_utf16(), it.len_utf8())),
        Err(_) => Some((6, 0)), // half a character, which no text has
    }
}

fn quoted(text: &str, escaped: bool) -> Result<String, String> {
    let quoted = serde_json::to_string(text).map_err(|error| error.to_string())?;
    if !escaped {
        return Ok(quoted);
    }
    let mut ascii = String::with_capacity(quoted.len());
    for character in quoted.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    Ok(ascii)
}

fn unquoted(item: &str) -> Option<String> {
    serde_json::from_str(item).ok()
}

/// Whether a character beyond ASCII is escaped.
fn has_escapes(text: &str) -> bool {
    text.match_indices("\\u").any(|(at, _)| {
        let digits = text.get(at + 2..at + 6);
        digits.is_some_and(|it| u32::from_str_radix(it, 16).is_ok_and(|it| it > 0x7f))
    })
}

/// A place in a JSON text.
struct Reader<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn byte(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes over one byte, if it is that.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let taken = self.byte() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    /// Calls `read` before the value of each member of an object, with the key as it is written.
    fn each_member(&mut self, mut read: impl FnMut(&mut Self, &'a str)) {
        if !self.take(b'{') {
            self.skip_value();
            return;
        }
        while !self.take(b'}') && self.at < self.json.len() {
            self.skip_space();
            let start = self.at;
            self.skip_value();
            let key = &self.json[start..self.at];
            self.take(b':');
            read(self, key);
            self.take(b',');
        }
    }

    /// Calls `read` before each item of an array.
    fn each_item(&mut self, mut read: impl FnMut(&mut Self)) {
        if !self.take(b'[') {
            self.skip_value();
            return;
        }
        while !self.take(b']') && self.at < self.json.len() {
            read(self);
            self.take(b',');
        }
    }

    fn skip_value(&mut self) {
        self.skip_space();
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => self.skip_string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' | b':' if depth == 0 => {
                    // Not a value. Go on: what is read was parsed before, and is none such.
                    self.at += usize::from(self.at == start);
                    return;
                }
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ if depth == 0 && byte.is_ascii_whitespace() => return,
                _ => self.at += 1,
            }
            if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.byte() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{cell_sources, place, source_like};

    #[test]
    fn only_the_sources_of_cells_are_found() {
        let json = r#" { "source": 1, "a": [{"cells": [{"source": 2}]}], "cells" : [ {"x": {"source": "3"},
            "source" : [ "4\"]}", "5" ] , "y": -1.5e3}, {"source":"6"}, {"source": []} ] , "b": null } "#;
        let found: Vec<&str> = cell_sources(json).into_iter().map(|it| &json[it]).collect();
        assert_eq!(found, [r#"[ "4\"]}", "5" ]"#, r#""6""#, "[]"]);
    }

    #[track_caller]
    fn check(old: &str, text: &str, expected: &str) {
        assert_eq!(source_like(old, text).unwrap(), expected);
    }

    #[test]
    fn the_style_of_the_file_is_kept() {
        check(r#""a\nb""#, "a\nc\"", r#""a\nc\"""#);
        check(
            "[\n   \"a\\n\",\n   \"b\"\n  ]",
            "a\nc\nb",
            "[\n   \"a\\n\",\n   \"c\\n\",\n   \"b\"\n  ]",
        );
        check("[\n\t\"a\"\n]", "b\nc", "[\n\t\"b\\n\",\n\t\"c\"\n]");
        check(r#"["a"]"#, "a\nb", r#"["a\n", "b"]"#);
        check(r#"["a\n","b"]"#, "b\nc\n", r#"["b\n","c\n"]"#);
        check("[\n\"a\"\n]", "", "[]");
        check("[]", "a\nb", r#"["a\n", "b"]"#);
    }

    #[test]
    fn characters_are_written_as_they_were() {
        check(
            r#"["x = 1\n", "\u00E9"]"#,
            "x\n\u{e9}\u{1f600}\n\u{e9}",
            r#"["x\n", "\u00e9\ud83d\ude00\n", "\u00E9"]"#,
        );
        check("[\"\u{e9}\"]", "\u{e9}x", "[\"\u{e9}x\"]");
        check(r#"["\u001b"]"#, "\u{e9}", "[\"\u{e9}\"]");
        check(r#"["a\/b\n", "c"]"#, "a/b\nd", r#"["a\/b\n", "d"]"#);
    }

    #[test]
    fn each_byte_of_a_text_has_its_place() {
        #[track_caller]
        fn check(value: &str, offset: usize, rest: &str) {
            assert_eq!(&value[place(value, offset)..], rest);
        }
        let value = r#"[ "a\n" , "\u00E9\ud83d\ude00\"é" ]"#;
        check(value, 0, &value[3..]);
        check(value, 1, &value[4..]);
        check(value, 2, &value[11..]); // the line after
        check(value, 3, &value[11..]); // within a character
        check(value, 4, &value[17..]);
        check(value, 8, &value[29..]);
        check(value, 9, "é\" ]");
        check(value, 11, "\" ]");
        check(value, 99, "\" ]");
        check(r#""a\tb""#, 2, "b\"");
        check(r#""a""#, 1, "\"");
        check("[]", 0, "[]");
        check(r#"["", ""]"#, 0, r#""]"#);
    }
}
