//! What stands between two tokens, and tokens that come and go.

use std::ops::Range;

use python::ast::PythonVersion;

use super::{Mutate, newline, with};
use crate::chance::Chance;
use crate::seeds::Scraps;

pub const ALL: &[Mutate] = &[
    comment_in_brackets,
    comment_in_brackets,
    comment_in_brackets,
    line_in_brackets,
    continuation,
    continuation,
    blanks,
    delete,
    duplicate,
    swap,
    replace,
    keyword,
];

/// The tokens, without the empty ones, and how many brackets are open behind each.
fn tokens(text: &str) -> Option<Vec<(Range<usize>, usize)>> {
    let parsed = python::parse(text, PythonVersion::PY313).ok()?;
    let mut open = 0usize;
    let tokens = parsed.code().into_iter().filter_map(|range| {
        let range: Range<usize> = range.into();
        let token = &text[range.clone()];
        match token {
            "(" | "[" | "{" => open += 1,
            ")" | "]" | "}" => open = open.saturating_sub(1),
            _ => {}
        }
        (!token.trim().is_empty()).then_some((range, open))
    });
    Some(tokens.collect())
}

fn comment_in_brackets(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let mut tokens = tokens(text)?;
    tokens.retain(|(_, open)| *open > 0);
    let (token, _) = chance.of(&tokens)?;
    let space = chance.of(&["", " ", "  "])?;
    let number = chance.below(1000);
    let line = format!(
        "{space}# c{number}{}{}",
        newline(text),
        " ".repeat(chance.below(9))
    );
    Some(with(text, token.end..token.end, &line))
}

fn line_in_brackets(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let mut tokens = tokens(text)?;
    tokens.retain(|(_, open)| *open > 0);
    let (token, _) = chance.of(&tokens)?;
    let line = newline(text).repeat(1 + chance.below(2)) + &" ".repeat(chance.below(9));
    Some(with(text, token.end..token.end, &line))
}

fn continuation(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tokens = tokens(text)?;
    let (token, _) = chance.of(&tokens)?;
    let line = format!(" \\{}{}", newline(text), " ".repeat(chance.below(9)));
    Some(with(text, token.end..token.end, &line))
}

fn blanks(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tokens = tokens(text)?;
    let (token, _) = chance.of(&tokens)?;
    let at = if chance.once_in(2) {
        token.start
    } else {
        token.end
    };
    Some(with(text, at..at, chance.of(&[" ", "\t", "   ", "\u{c}"])?))
}

fn delete(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tokens = tokens(text)?;
    let (token, _) = chance.of(&tokens)?;
    Some(with(text, token.clone(), ""))
}

fn duplicate(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tokens = tokens(text)?;
    let (token, _) = chance.of(&tokens)?;
    let again = format!(" {}", &text[token.clone()]);
    Some(with(text, token.end..token.end, &again))
}

fn swap(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tokens = tokens(text)?;
    let at = chance.below(tokens.len().checked_sub(1)?.max(1));
    let (first, second) = (&tokens.get(at)?.0, &tokens.get(at + 1)?.0);
    let between = &text[first.end..second.start];
    let swapped = [&text[second.clone()], between, &text[first.clone()]].concat();
    Some(with(text, first.start..second.end, &swapped))
}

fn replace(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tokens = tokens(text)?;
    let (token, _) = chance.of(&tokens)?;
    let (other, _) = chance.of(&tokens)?;
    Some(with(text, token.clone(), &text[other.clone()]))
}

/// `async` and `await` come and go.
fn keyword(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tokens = tokens(text)?;
    let found = |words: &[&str]| -> Vec<Range<usize>> {
        let is_one = |(token, _): &&(Range<usize>, usize)| words.contains(&&text[token.clone()]);
        let found = tokens.iter().filter(is_one);
        found.map(|(token, _)| token.clone()).collect()
    };
    match chance.below(3) {
        0 => {
            let token = chance.of(&found(&["async", "await"]))?.clone();
            let blank = text[token.end..].len() - text[token.end..].trim_start_matches(' ').len();
            Some(with(text, token.start..token.end + blank, ""))
        }
        1 => {
            let token = chance.of(&found(&["def", "with", "for"]))?.clone();
            Some(with(text, token.start..token.start, "async "))
        }
        _ => {
            let token = chance
                .of(&found(&["=", "return", "(", ",", ":", "+"]))?
                .clone();
            Some(with(text, token.end..token.end, " await "))
        }
    }
}
