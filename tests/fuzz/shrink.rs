//! Of a text that fails, the least that fails in the same way.

use std::time::{Duration, Instant};

/// Longer than this nobody waits for a shorter text.
const LONGEST: Duration = Duration::from_secs(40);

/// Takes parts away, as long as `fails` says that what is left fails.
pub fn shrink(text: &str, fails: impl Fn(&str) -> bool) -> String {
    let start = Instant::now();
    let mut current = text.to_string();
    loop {
        let before = current.len();
        for split in [lines, words, characters] {
            current = without_parts(&current, split, &|text| {
                start.elapsed() < LONGEST && fails(text)
            });
        }
        if current.len() == before || start.elapsed() > LONGEST {
            return current;
        }
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive(['\n', '\r']).collect()
}

/// Names and numbers, and every other character by itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = match rest.find(|letter| !is_part(letter)) {
            _ if !is_part(first) => first.len_utf8(),
            found => found.unwrap_or(rest.len()),
        };
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    words
}

fn characters(text: &str) -> Vec<&str> {
    text.split_inclusive(|_| true).collect()
}

/// Takes away parts that follow each other: first many, then ever fewer.
fn without_parts(text: &str, split: fn(&str) -> Vec<&str>, fails: &dyn Fn(&str) -> bool) -> String {
    let mut current = text.to_string();
    let mut length = split(text).len() / 2;
    while length > 0 {
        let mut at = 0;
        loop {
            let parts = split(&current);
            if at >= parts.len() {
                break;
            }
            let end = (at + length).min(parts.len());
            let shorter = [&parts[..at], &parts[end..]].concat().concat();
            if fails(&shorter) {
                current = shorter;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    current
}
