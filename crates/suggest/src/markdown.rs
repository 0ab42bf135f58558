//! Markdown, as GitHub and GitLab read it.

/// A block of code. Its fence is longer than any in the code.
pub fn block(info: &str, code: &str) -> String {
    let fence = "`".repeat(3.max(longest_run(code) + 1));
    let end = if code.is_empty() || code.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{fence}{info}\n{code}{end}{fence}")
}

/// A span of code.
pub fn span(code: &str) -> String {
    let ticks = "`".repeat(longest_run(code) + 1);
    let blank = if code.starts_with('`') || code.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{ticks}{blank}{code}{blank}{ticks}")
}

/// A sentence that may quote code in backticks. What else it holds is text: no tag, nobody who
/// is called by a mention.
pub fn prose(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut parts = text.split('`').peekable();
    let mut is_code = false;
    while let Some(part) = parts.next() {
        let is_closed = parts.peek().is_some();
        if is_code && is_closed {
            written.push_str(part);
        } else {
            for c in part.chars() {
                match c {
                    '<' => written.push_str("&lt;"),
                    '@' => written.push_str("@<!-- -->"),
                    '\n' => written.push(' '),
                    c => written.push(c),
                }
            }
        }
        if is_closed {
            written.push('`');
        }
        is_code = !is_code;
    }
    written
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// `line 3`, `lines 3 and 5`, `lines 3, 5 and 9`.
pub fn lines(rows: &[usize]) -> String {
    match rows {
        [] => "no line".to_string(),
        [row] => format!("line {row}"),
        [rows @ .., last] => {
            let rows: Vec<String> = rows.iter().map(usize::to_string).collect();
            format!("lines {} and {last}", rows.join(", "))
        }
    }
}

/// `1 fix`, `2 fixes`.
pub fn count(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::{block, lines, prose, span};

    #[test]
    fn fences_are_longer_than_those_in_the_code() {
        assert_eq!(block("diff", "x"), "```diff\nx\n```");
        assert_eq!(block("", ""), "```\n```");
        assert_eq!(block("x", "\n"), "```x\n\n```");
        assert_eq!(block("x", "a\n````\n"), "`````x\na\n````\n`````");
        assert_eq!(span("a`b"), "``a`b``");
        assert_eq!(span("`b"), "`` `b ``");
    }

    #[test]
    fn text_calls_nobody_and_opens_no_tag() {
        assert_eq!(prose("`@a <b>` is"), "`@a <b>` is");
        assert_eq!(prose("@a <b>\n`c"), "@<!-- -->a &lt;b> `c");
    }

    #[test]
    fn rows_are_listed() {
        assert_eq!(lines(&[3]), "line 3");
        assert_eq!(lines(&[3, 5, 9]), "lines 3, 5 and 9");
    }
}
