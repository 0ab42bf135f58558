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
        // A single line that does not end has no kind of ending to keep to.
        if has(after) && !has(before) && before.contains(['\n', '\r']) {
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

#[cfg(test)]
mod tests {
    use python::ast::PythonVersion;

    use super::verify;
    use crate::text::Text;

    /// What is said of a rewrite of the first text into the second.
    fn said(before: &str, after: &str) -> Result<(), String> {
        let [before, after] = [before, after]
            .map(|source| Text::new(source.to_string(), PythonVersion::PY311).expect("both parse"));
        verify(&before, &after, PythonVersion::PY311)
    }

    #[test]
    fn what_is_broken_is_said() {
        for (before, after, reason) in [
            (
                "async def f():\n    g()\n",
                "def f():\n    await g()\n",
                "a new syntax error",
            ),
            ("f(1,  # one\n)\n", "f(1)\n", "a comment is lost: # one"),
            ("f(1)  # one\n", "f('# one')\n", "a comment is lost: # one"),
            (
                "f()  # one\n",
                "f()  # one\n# one\n",
                "a comment comes twice",
            ),
            ("f()  # one\n", "f()  # two\n", "a comment is lost: # one"),
            (
                "s = '''a\n  b'''\n",
                "s = '''a\n    b'''\n",
                "a string of several lines",
            ),
            ("f()\r\n", "f()\n", "a lone line feed"),
            ("f()\r\n", "g()\rf()\r\n\n", "a lone line feed"),
            ("f()\n", "g()\rf()\n", "a carriage return"),
            (
                "g()\rf()\n",
                "g()\r\nf()\n",
                "a carriage return before a line feed",
            ),
            ("f()\n", "f()", "the final line ending"),
            ("f()", "f()\n", "the final line ending"),
        ] {
            let problem = said(before, after).expect_err(after);
            assert!(problem.contains(reason), "{after:?}: {problem}");
        }
    }

    #[test]
    fn what_is_kept_is_accepted() {
        for (before, after) in [
            ("f()  # one\ng()  # two\n", "g()  # two\n\n# one\nf()\n"),
            ("await f()\n", "await g()\n"),
            ("s = '''a\n  b'''\n", "if x:\n    s = '''a\n  b'''\n"),
            ("f()\r\ng()\n", "g()\n\nf()\r\n"),
            ("", "import a\n"),
            ("f()", "import a\nf()"),
        ] {
            assert_eq!(said(before, after), Ok(()), "{after:?}");
        }
    }
}
