//! Changes to Python text that leave it near to Python: what people and merges do to code, and
//! what nobody would do.

pub mod bytes;
mod lines;
mod tokens;
mod tree;

use python::ast::PythonVersion;

use crate::chance::Chance;
use crate::seeds::Scraps;

/// A way to change a text; none where it finds nothing to change.
type Mutate = fn(&mut Chance, &str, &Scraps) -> Option<String>;

/// No text grows beyond this, in bytes: what fails in a long one fails in a short one.
const LONGEST: usize = 16 << 10;

/// The text with a few changes, which is Python if `text` is.
pub fn code(chance: &mut Chance, text: &str, scraps: &Scraps) -> String {
    let mut current = text.to_string();
    let changes = 1 + chance.below(4);
    let (mut made, mut tried) = (0, 0);
    while made < changes && tried < 12 {
        tried += 1;
        let Some(next) = any(chance, &current, scraps) else {
            continue;
        };
        // Some of what does not parse is let through: the next change may make it good again.
        if next.len() <= LONGEST && next != current && (parses(&next) || chance.once_in(40)) {
            current = next;
            made += 1;
        }
    }
    current
}

fn any(chance: &mut Chance, text: &str, scraps: &Scraps) -> Option<String> {
    let group = match chance.below(10) {
        0..6 => tree::ALL,
        6..8 => lines::ALL,
        _ => tokens::ALL,
    };
    chance.of(group)?(chance, text, scraps)
}

fn parses(text: &str) -> bool {
    // Whatever `python::parse` gives is freed here, however deep it is.
    match python::parse(text, PythonVersion::PY313) {
        Ok(parsed) if text.len() > 2_000 && text.contains("((((((((((((((((") => {
            parsed.forget();
            true
        }
        parsed => parsed.is_ok(),
    }
}

/// The text with `part` in the place of `range`.
fn with(text: &str, range: std::ops::Range<usize>, part: &str) -> String {
    [&text[..range.start], part, &text[range.end..]].concat()
}

/// The start of the line that `offset` is in.
fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind(['\n', '\r']).map_or(0, |end| end + 1)
}

/// The end of the line that `offset` is in, behind its ending.
fn line_end(text: &str, offset: usize) -> usize {
    match text[offset..].find(['\n', '\r']) {
        None => text.len(),
        Some(at) if text[offset + at..].starts_with("\r\n") => offset + at + 2,
        Some(at) => offset + at + 1,
    }
}

/// The line ending that the text has most likely.
fn newline(text: &str) -> &'static str {
    match text.find(['\n', '\r']) {
        Some(at) if text[at..].starts_with("\r\n") => "\r\n",
        Some(at) if text[at..].starts_with('\r') => "\r",
        _ => "\n",
    }
}
