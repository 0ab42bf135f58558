//! Line endings, indentation, comments and blank lines.

use super::{Mutate, line_end, line_start, newline, with};
use crate::chance::Chance;
use crate::seeds::Scraps;

pub const ALL: &[Mutate] = &[
    other_endings,
    mixed_endings,
    last_ending,
    comment_line,
    comment_line,
    comment_behind,
    comment_behind,
    blank_line,
    form_feed,
    other_indentation,
    deeper_line,
    behind_a_semicolon,
    trailing_blanks,
    delete_line,
    duplicate_line,
    swap_lines,
    letters,
];

const ENDINGS: &[&str] = &["\n", "\r\n", "\r"];

fn other_endings(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let ending = chance.of(ENDINGS)?;
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    Some(lines.replace('\n', ending))
}

fn mixed_endings(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = chance.below(text.len() + 1);
    let end = line_end(text, text.floor_char_boundary(at));
    let line = text[..end].trim_end_matches(['\n', '\r']).len();
    Some(with(text, line..end, chance.of(ENDINGS)?))
}

fn last_ending(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let without = text.trim_end();
    Some(match chance.below(4) {
        0 => format!("{without}\n\n\n"),
        1 => format!("{without}  # END"),
        2 => format!("{without}\n# END"),
        _ => without.to_string(),
    })
}

/// A number, so that a comment that changes its place is seen.
fn numbered(chance: &mut Chance) -> String {
    format!("{}", chance.below(1000))
}

fn comment(chance: &mut Chance) -> String {
    const WORDS: &[&str] = &[
        "#",
        "#!",
        "# noqa",
        "# noqa: ASYNC251, RUF006",
        "# type: ignore",
        "# fmt: off",
        "# fmt: skip",
        "# asyncfix: ignore",
        "# asyncfix: ignore[await-sleep, gather-to-taskgroup]",
        "# asyncfix: file-ignore[blocking-to-thread]",
        "# nosec",
        "# é→\u{1f600}",
        "# \u{c}\u{b}\u{85}\u{2028}",
        "# \"\"\"",
        "# (",
        "# \\",
        "# TODO:",
    ];
    let words = chance.of(WORDS).copied().unwrap_or("#");
    format!("{words} {}", numbered(chance))
}

fn comment_line(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = chance.below(text.len() + 1);
    let start = line_start(text, text.floor_char_boundary(at));
    let indent = match chance.below(4) {
        0 => String::new(),
        1 => " ".repeat(chance.below(13)),
        2 => "\t".to_string(),
        _ => blanks(&text[start..]).to_string(),
    };
    let line = format!("{indent}{}{}", comment(chance), newline(text));
    Some(with(text, start..start, &line))
}

fn comment_behind(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = chance.below(text.len() + 1);
    let end = line_end(text, text.floor_char_boundary(at));
    let end = text[..end].trim_end_matches(['\n', '\r']).len();
    let space = chance.of(&["", " ", "  ", "\t"])?;
    let comment = format!("{space}{}", comment(chance));
    Some(with(text, end..end, &comment))
}

fn blank_line(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = chance.below(text.len() + 1);
    let start = line_start(text, text.floor_char_boundary(at));
    let line = chance.of(&["", "", "    ", "\t", "\u{c}", " \u{c} "])?;
    let line = [line, newline(text)].concat();
    Some(with(text, start..start, &line.repeat(1 + chance.below(3))))
}

fn form_feed(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = chance.below(text.len() + 1);
    let start = line_start(text, text.floor_char_boundary(at));
    Some(with(
        text,
        start..start,
        chance.of(&["\u{c}", "\u{c}\u{c}", " \u{c}"])?,
    ))
}

fn blanks(line: &str) -> &str {
    let rest = line.trim_start_matches([' ', '\t']);
    &line[..line.len() - rest.len()]
}

/// The whole text, with something else for each four blanks.
fn other_indentation(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let unit = chance.of(&["\t", "  ", " ", "        ", "   "])?;
    let mut changed = String::new();
    for line in text.split_inclusive('\n') {
        let indent = blanks(line);
        let levels = indent.len() / 4;
        changed.push_str(&unit.repeat(levels));
        changed.push_str(&indent[levels * 4..]);
        changed.push_str(&line[indent.len()..]);
    }
    Some(changed)
}

fn deeper_line(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = chance.below(text.len() + 1);
    let start = line_start(text, text.floor_char_boundary(at));
    let indent = blanks(&text[start..]);
    match chance.below(3) {
        0 => Some(with(text, start..start, "    ")),
        1 => Some(with(text, start..start + indent.len().min(4), "")),
        _ => Some(with(text, start..start + indent.len(), "\t")),
    }
}

/// A line goes on the one before it.
fn behind_a_semicolon(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = chance.below(text.len() + 1);
    let start = line_start(text, text.floor_char_boundary(at));
    let before = text[..start].trim_end_matches(['\n', '\r']).len();
    if before == start {
        return None;
    }
    let code = start + blanks(&text[start..]).len();
    let between = match text[..before].ends_with(':') {
        true => " ",
        false => chance.of(&["; ", ";", " ; "])?,
    };
    Some(with(text, before..code, between))
}

fn trailing_blanks(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = chance.below(text.len() + 1);
    let end = line_end(text, text.floor_char_boundary(at));
    let end = text[..end].trim_end_matches(['\n', '\r']).len();
    Some(with(
        text,
        end..end,
        chance.of(&[" ", "\t", ";", " \u{c}"])?,
    ))
}

fn delete_line(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = text.floor_char_boundary(chance.below(text.len() + 1));
    Some(with(text, line_start(text, at)..line_end(text, at), ""))
}

fn duplicate_line(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = text.floor_char_boundary(chance.below(text.len() + 1));
    let line = line_start(text, at)..line_end(text, at);
    Some(with(text, line.start..line.start, &text[line.clone()]))
}

fn swap_lines(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let at = text.floor_char_boundary(chance.below(text.len() + 1));
    let first = line_start(text, at)..line_end(text, at);
    let second = first.end..line_end(text, first.end);
    let swapped = [&text[second.clone()], &text[first.clone()]].concat();
    Some(with(text, first.start..second.end, &swapped))
}

/// Characters of more than one byte, in the place of a letter or a digit: in names, which Python
/// takes in their normal form, in strings and in comments.
fn letters(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let letters: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, letter)| letter.is_ascii_alphanumeric())
        .collect();
    let (at, letter) = chance.of(&letters)?;
    let number = (*letter as u32).saturating_sub('a' as u32);
    let mathematical = char::from_u32(0x1d68a + number);
    let other = match (chance.below(3), letter.is_ascii_lowercase()) {
        (0, true) => mathematical?,
        (1, _) => 'é',
        _ => *chance.of(&['ſ', 'ﬁ', '中', '\u{1f600}', '\u{200b}', '\u{feff}'])?,
    };
    Some(with(text, *at..at + 1, &other.to_string()))
}
