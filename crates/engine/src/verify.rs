//! What is proved of a rewritten text before anybody sees it.

use python::ast::PythonVersion;
use python::{Parsed, TextRange};
use rustc_hash::FxHashMap;

use crate::text::Text;

/// Compares a module before and after: the error says what the rewrite broke.
///
/// The result has no syntax error that was not there, those included that need scopes (`await`
/// outside a coroutine); every comment is still there, once, and every string of several lines; the
/// line endings are of the kinds that were there. That it parses is known, since there is a tree.
pub fn verify(before: &Text, after: &Text, version: PythonVersion) -> Result<(), String> {
    let (original, parsed) = (&before.parsed, &after.parsed);
    let (before, after) = (before.source.as_str(), after.source.as_str());
    let now = parsed.problems(after, version);
    if !now.is_empty() {
        let known = original.problems(before, version);
        let messages = |problems: Vec<python::Problem>| problems.into_iter().map(|it| it.message);
        if let Some((message, _)) = missing(&count(messages(known)), count(messages(now))) {
            return Err(format!("the result has a new syntax error: {message}"));
        }
    }
    let comments = count(texts(before, &original.comments()));
    let written = count(texts(after, &parsed.comments()));
    if let Some((comment, _)) = missing(&written, comments.clone()) {
        return Err(format!("a comment is lost: {comment}"));
    }
    if let Some((comment, _)) = missing(&comments, written) {
        return Err(format!("a comment comes twice: {comment}"));
    }
    let strings = count(texts(before, &multiline_strings(original, before)));
    if missing(
        &count(texts(after, &multiline_strings(parsed, after))),
        strings,
    )
    .is_some()
    {
        return Err("a string of several lines is changed or lost".to_string());
    }
    for (kind, has) in [
        ("a lone line feed", has_line_feed as fn(&str) -> bool),
        ("a carriage return", |text| text.contains('\r')),
        ("a carriage return before a line feed", |text| {
            text.contains("\r\n")
        }),
    ] {
        if has(after) && !has(before) {
            return Err(format!("the result has {kind}, and the file had none"));
        }
    }
    if before.ends_with(['\n', '\r']) != after.ends_with(['\n', '\r']) && !before.is_empty() {
        return Err("the final line ending is added or lost".to_string());
    }
    Ok(())
}

fn has_line_feed(text: &str) -> bool {
    text.match_indices('\n')
        .any(|(at, _)| !text[..at].ends_with('\r'))
}

fn multiline_strings(parsed: &Parsed, source: &str) -> Vec<TextRange> {
    let mut strings = parsed.strings();
    strings.retain(|range| source[*range].contains(['\n', '\r']));
    strings
}

fn texts<'s>(source: &'s str, ranges: &[TextRange]) -> impl Iterator<Item = String> + 's {
    let texts: Vec<String> = ranges
        .iter()
        .map(|range| source[*range].to_string())
        .collect();
    texts.into_iter()
}

fn count(items: impl Iterator<Item = String>) -> FxHashMap<String, usize> {
    let mut counts = FxHashMap::default();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts
}

/// Something of which `have` has less than `wanted`.
fn missing(
    have: &FxHashMap<String, usize>,
    wanted: FxHashMap<String, usize>,
) -> Option<(String, usize)> {
    let mut lacking: Vec<(String, usize)> = wanted
        .into_iter()
        .filter(|(item, number)| have.get(item).copied().unwrap_or(0) < *number)
        .collect();
    lacking.sort();
    lacking.into_iter().next()
}
