//! A word in the bytes of a file that is not parsed yet, and what can be told of a call there.
//!
//! Parsing costs a hundred times what looking at a line does. So a codemod may dismiss a word where
//! the text around it shows that no call by it is a site, or that none is there at all. What is said
//! here holds in whatever a parser makes of the file; where it is not clear, nothing is said.

use std::ops::Range;

use memchr::{memchr2, memmem, memrchr2};

/// A whole word in the bytes of a file, in any encoding that has ASCII as a subset.
#[derive(Clone, Debug)]
pub struct Sighting<'t> {
    bytes: &'t [u8],
    range: Range<usize>,
}

/// Code without comments, in which `""` stands for every string and a blank for every end of a line
/// inside of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Skimmed {
    /// The code.
    pub code: Vec<u8>,
    /// Where it ends.
    pub end: End,
}

/// Where code ends that was skimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The logical line ends, and the next one begins at this byte.
    Line(usize),
    /// A bracket is closed that was opened before.
    Bracket,
    /// It cannot be told: nothing is known of what comes after.
    Unclear,
}

impl<'t> Sighting<'t> {
    /// The places of `word` in `bytes`.
    pub(crate) fn all(
        finder: &memmem::Finder<'_>,
        bytes: &'t [u8],
    ) -> impl Iterator<Item = Sighting<'t>> {
        let length = finder.needle().len();
        finder.find_iter(bytes).filter_map(move |start| {
            let range = start..start + length;
            is_whole(bytes, &range).then_some(Sighting { bytes, range })
        })
    }

    /// Whether a call may start from here: what comes next opens its arguments, or gives the word
    /// another name, or closes a bracket around it.
    pub fn may_be_called(&self) -> bool {
        let mut rest = &self.bytes[self.range.end..];
        loop {
            rest = rest.trim_ascii_start();
            match rest.first() {
                Some(b'#') => {
                    let end = memchr2(b'\r', b'\n', rest);
                    rest = &rest[end.unwrap_or(rest.len())..];
                }
                Some(b')' | b'\\') => rest = &rest[1..],
                Some(b'(' | b'[') => return true,
                Some(_) => {
                    return rest.starts_with(b"as") && !rest.get(2).is_some_and(|it| is_part(*it));
                }
                None => return false,
            }
        }
    }

    /// What stands before the dotted name, or the call without arguments, that the word ends, up to the
    /// start of the line: `x = ` of `x = asyncio.get_running_loop().create_task`. None where the line
    /// above goes on in this one.
    pub fn before(&self) -> Option<&'t [u8]> {
        let start = memrchr2(b'\r', b'\n', &self.bytes[..self.range.start]).map_or(0, |at| at + 1);
        let above = self.bytes[..start].trim_ascii_end();
        if above.last() == Some(&b'\\') {
            return None;
        }
        let mut before = &self.bytes[start..self.range.start];
        loop {
            let name = before.iter().rposition(|it| !is_part(*it) && *it != b'.');
            before = &before[..name.map_or(0, |at| at + 1)];
            match before.strip_suffix(b"()") {
                Some(rest) if rest.last().is_some_and(|it| is_part(*it)) => before = rest,
                _ => return Some(before),
            }
        }
    }

    /// What comes after the word, up to the end of the logical line.
    pub fn rest(&self) -> Skimmed {
        skim(self.bytes, self.range.end)
    }

    /// The logical line that begins at a byte of the file.
    pub fn line_at(&self, start: usize) -> Skimmed {
        skim(self.bytes, start)
    }
}

/// The code from `start` on, which is in no string and no comment.
fn skim(bytes: &[u8], start: usize) -> Skimmed {
    let mut code = Vec::new();
    let mut depth = 0;
    let mut at = start;
    let end = loop {
        let Some(byte) = bytes.get(at).copied() else {
            break if depth == 0 {
                End::Line(at)
            } else {
                End::Unclear
            };
        };
        match byte {
            b'#' => {
                let line = memchr2(b'\r', b'\n', &bytes[at..]);
                at = line.map_or(bytes.len(), |line| at + line);
                continue;
            }
            b'"' | b'\'' => {
                let Some(after) = end_of_string(bytes, at, &code) else {
                    break End::Unclear;
                };
                code.extend(b"\"\"");
                at = after;
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => break End::Bracket,
            b')' | b']' | b'}' => depth -= 1,
            b'\\' => {
                let line = &bytes[at + 1..];
                let length = if line.starts_with(b"\r\n") { 2 } else { 1 };
                if !matches!(line.first(), Some(b'\r' | b'\n')) {
                    break End::Unclear;
                }
                code.push(b' ');
                at += 1 + length;
                continue;
            }
            b'\r' | b'\n' if depth == 0 => {
                let is_pair = byte == b'\r' && bytes.get(at + 1) == Some(&b'\n');
                break End::Line(at + 1 + usize::from(is_pair));
            }
            _ => {}
        }
        code.push(if matches!(byte, b'\r' | b'\n') {
            b' '
        } else {
            byte
        });
        at += 1;
    };
    Skimmed { code, end }
}

/// Where the string ends whose first quote is at `start`; `before` is the code before it. None
/// where it does not end, or may end elsewhere: quotes in a replacement field may be its own.
fn end_of_string(bytes: &[u8], start: usize, before: &[u8]) -> Option<usize> {
    let quote = bytes[start];
    let triple = [quote; 3];
    let is_triple = bytes[start..].starts_with(&triple);
    let (_, prefix) = split_last_word(before);
    let has_fields = prefix
        .iter()
        .any(|it| matches!(it, b'f' | b'F' | b't' | b'T'));
    let mut open = 0_usize;
    let mut at = start + if is_triple { 3 } else { 1 };
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 1,
            b'\r' | b'\n' if !is_triple => return None,
            b'{' if has_fields => open += 1,
            b'}' if has_fields => open = open.checked_sub(1)?,
            byte if byte == quote && (!is_triple || bytes[at..].starts_with(&triple)) => {
                return (open == 0).then_some(at + if is_triple { 3 } else { 1 });
            }
            _ => {}
        }
        at += 1;
    }
}

/// The word at the end of code, and what is before it; the word is empty if none is there.
pub fn split_last_word(code: &[u8]) -> (&[u8], &[u8]) {
    let start = code.iter().rposition(|it| !is_part(*it));
    code.split_at(start.map_or(0, |at| at + 1))
}

/// Whether a word is one of Python's, after which an expression may come: no bracket after it opens
/// arguments.
pub fn is_keyword(word: &[u8]) -> bool {
    matches!(
        word,
        b"and"
            | b"as"
            | b"assert"
            | b"await"
            | b"case"
            | b"del"
            | b"elif"
            | b"else"
            | b"except"
            | b"for"
            | b"from"
            | b"if"
            | b"import"
            | b"in"
            | b"is"
            | b"lambda"
            | b"match"
            | b"not"
            | b"or"
            | b"raise"
            | b"return"
            | b"type"
            | b"while"
            | b"with"
            | b"yield"
    )
}

/// Whether the word in this range of the bytes is no part of a longer one.
pub fn is_whole(bytes: &[u8], word: &Range<usize>) -> bool {
    let before = bytes[..word.start].last();
    let after = bytes.get(word.end);
    !before.is_some_and(|it| is_part(*it)) && !after.is_some_and(|it| is_part(*it))
}

/// Whether a byte is part of a name.
pub fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use memchr::memmem::Finder;

    use super::{End, Sighting};

    fn first(text: &str) -> Sighting<'_> {
        let finder = Finder::new("go");
        let mut all = Sighting::all(&finder, text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(all.len(), 1, "{text}");
        all.remove(0)
    }

    #[test]
    fn only_whole_words_are_seen() {
        for text in ["gone()", "ago()", "go_()", "\u{e9}go()"] {
            let finder = Finder::new("go");
            let mut all = Sighting::all(&finder, text.as_bytes());
            assert!(all.next().is_none(), "{text}");
        }
    }

    #[test]
    fn whatever_may_become_a_call_may_be_called() {
        for text in [
            "go()",
            "go ()",
            "go \\\n ()",
            "(go  # why\n ())",
            "(go)()",
            "go[int]()",
            "import go as g",
            "from m import (go  # (\n as g)",
        ] {
            assert!(first(text).may_be_called(), "{text}");
        }
        for text in [
            "go",
            "x = go\n",
            "from m import go, assert_\n",
            "f(go, g())",
            "go + (1)",
            "go assert",
        ] {
            assert!(!first(text).may_be_called(), "{text}");
        }
    }

    #[test]
    fn what_stands_before_the_name_ends_where_that_begins() {
        for (text, expected) in [
            ("x\n  y = a.b.go()", Some("  y = ")),
            ("return m.f().go()", Some("return ")),
            ("(1)().go()", Some("(1)()")),
            ("f(x).go()", Some("f(x)")),
            ("go()", Some("")),
            ("x = \\\n go()", None),
        ] {
            let before = first(text).before();
            assert_eq!(before, expected.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn what_comes_after_is_skimmed_to_the_end_of_its_line() {
        let check = |text: &str, code: &str, end: &str| {
            let rest = first(text).rest();
            assert_eq!(String::from_utf8_lossy(&rest.code), code, "{text}");
            let rest = match rest.end {
                End::Line(next) => &text[next..],
                End::Bracket => "bracket",
                End::Unclear => "unclear",
            };
            assert_eq!(rest, end, "{text}");
        };
        check("go(1)  # )\nx", "(1)  ", "x");
        check("go(\n'a)', b\"\\\")\")\r\nx", "( \"\", b\"\")", "x");
        check("go('''\n'\n''', \\\r\n r'\\')')\n", "(\"\",   r\"\")", "");
        check("f(go(1), 2)", "(1), 2", "bracket");
        check("go(f'{x}', 2)", "(f\"\", 2)", "");
        check("go(f'{x['a']}', 2)", "(f", "unclear");
        check("go(f'{{', 2)", "(f", "unclear");
        check("go('a\n')", "(", "unclear");
        check("go(1", "(1", "unclear");
        check("go \\ ()", " ", "unclear");
    }
}
