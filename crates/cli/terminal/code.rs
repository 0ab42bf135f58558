//! A little colour for code.

use std::sync::LazyLock;

use anstyle::{AnsiColor, Style};
use regex::Regex;

use super::paint;

/// The lines of Python code in colours: comments, strings and keywords.
pub fn python(code: &str) -> Vec<String> {
    let Some(tokens) = &*TOKENS else {
        return code.lines().map(str::to_string).collect();
    };
    let mut text = String::new();
    let mut end = 0;
    for token in tokens.find_iter(code) {
        text.push_str(&code[end..token.start()]);
        let style = match token.as_str() {
            comment if comment.starts_with('#') => COMMENT,
            string if string.ends_with(['"', '\'']) => STRING,
            _ => KEYWORD,
        };
        // No style goes on behind the end of its line.
        let lines: Vec<String> = token
            .as_str()
            .split('\n')
            .map(|it| paint(style, it))
            .collect();
        text.push_str(&lines.join("\n"));
        end = token.end();
    }
    text.push_str(&code[end..]);
    text.lines().map(str::to_string).collect()
}

/// The lines of a diff in colours: what goes and what comes.
pub fn diff(code: &str) -> Vec<String> {
    let line = |line: &str| {
        let style = match line.as_bytes().first() {
            Some(b'-') => REMOVED,
            Some(b'+') => ADDED,
            _ => Style::new(),
        };
        paint(style, line)
    };
    code.lines().map(line).collect()
}

const COMMENT: Style = Style::new().dimmed();
const STRING: Style = AnsiColor::Green.on_default();
const KEYWORD: Style = AnsiColor::Magenta.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const ADDED: Style = AnsiColor::Green.on_default();

/// Comments, strings and keywords: what comes first in the code counts.
static TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r#"(?sx)
        \#[^\n]*
        | \b[rRbBuUfF]{0,2} (?: """.*?""" | '''.*?''' )
        | \b[rRbBuUfF]{0,2} (?: "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
        | (?: """.*?""" | '''.*?''' | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
        | \b(?: False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else
            |except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise
            |return|try|while|with|yield )\b"#;
    Regex::new(pattern).ok()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_strings_and_comments_is_no_keyword() {
        let code = "x = 'if # a'  # for\nformat = f\"\"\"a\nif\"\"\"\nif y: pass\n";
        assert_eq!(
            python(code),
            [
                "x = \x1b[32m'if\x1b[0m \x1b[32m#\x1b[0m \x1b[32ma'\x1b[0m  \x1b[2m#\x1b[0m \x1b[2mfor\x1b[0m",
                "format = \x1b[32mf\"\"\"a\x1b[0m",
                "\x1b[32mif\"\"\"\x1b[0m",
                "\x1b[35mif\x1b[0m y: \x1b[35mpass\x1b[0m",
            ]
        );
    }
}
