//! Text that is no module of its own: what an edit writes.

use ruff_python_ast::PySourceType;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{ParseOptions, parse_unchecked};
use ruff_text_size::Ranged;

/// The comments in a piece of code, in order. Whether it parses does not matter.
pub fn comments(code: &str) -> Vec<&str> {
    if !code.contains('#') {
        return Vec::new();
    }
    let parsed = parse_unchecked(code, ParseOptions::from(PySourceType::Python));
    let tokens = parsed.tokens().iter();
    tokens
        .filter(|token| token.kind() == TokenKind::Comment)
        .map(|token| &code[token.range()])
        .collect()
}

/// Whether an expression is broken where no bracket of its own is open, so that it needs
/// parentheses around it: `a\n.b()`, not `a.b(\n)`.
pub fn breaks_outside_brackets(expression: &str) -> bool {
    if !expression.contains(['\n', '\r']) {
        return false;
    }
    let parsed = parse_unchecked(expression, ParseOptions::from(PySourceType::Python));
    let mut open = 0_usize;
    let mut is_broken = false;
    for token in parsed.tokens() {
        match token.kind() {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => open += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => open = open.saturating_sub(1),
            // The last line ending is not in the text.
            TokenKind::Newline | TokenKind::NonLogicalNewline => {
                is_broken |= open == 0 && !token.range().is_empty();
            }
            _ => {}
        }
    }
    is_broken
}

/// A token of a line, as far as whoever breaks the line has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Where it starts in the line.
    pub start: usize,
    /// The token itself.
    pub text: &'a str,
    /// What it is.
    pub kind: PartKind,
}

/// What a token is to whoever breaks a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// A bracket that opens.
    Open,
    /// A bracket that closes.
    Close,
    /// A string, f-strings as a whole.
    String,
    /// A word, a number or an operator.
    Other,
}

/// The tokens of a line of code, which need not parse; none where a bracket is not closed in it, or
/// a comment stands there.
pub fn parts(line: &str) -> Option<Vec<Part<'_>>> {
    let parsed = parse_unchecked(line, ParseOptions::from(PySourceType::Python));
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut depth = 0_usize;
    // Where an f-string starts, and how many are open.
    let mut string: Option<(usize, usize)> = None;
    for token in parsed.tokens() {
        let (start, end) = (token.start().to_usize(), token.end().to_usize());
        let kind = match token.kind() {
            TokenKind::FStringStart | TokenKind::TStringStart => {
                string = match string {
                    Some((start, open)) => Some((start, open + 1)),
                    None => Some((start, 1)),
                };
                continue;
            }
            TokenKind::FStringEnd | TokenKind::TStringEnd => {
                let (start, open) = string?;
                if open > 1 {
                    string = Some((start, open - 1));
                    continue;
                }
                string = None;
                let text = line.get(start..end)?;
                let kind = PartKind::String;
                parts.push(Part { start, text, kind });
                continue;
            }
            _ if string.is_some() => continue,
            TokenKind::Comment | TokenKind::Unknown => return None,
            TokenKind::Newline | TokenKind::NonLogicalNewline if start == end => continue,
            TokenKind::Indent | TokenKind::Dedent | TokenKind::EndOfFile => continue,
            TokenKind::Newline | TokenKind::NonLogicalNewline => return None,
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                depth += 1;
                PartKind::Open
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                depth = depth.checked_sub(1)?;
                PartKind::Close
            }
            TokenKind::String => PartKind::String,
            _ => PartKind::Other,
        };
        let text = line.get(start..end)?;
        parts.push(Part { start, text, kind });
    }
    (depth == 0 && string.is_none()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_line_that_is_no_statement() {
        let texts = |line| parts(line).map(|it| it.iter().map(|it| it.text).collect::<Vec<_>>());
        assert_eq!(
            texts("and f(f'{a}', b=1),"),
            Some(vec![
                "and", "f", "(", "f'{a}'", ",", "b", "=", "1", ")", ","
            ])
        );
        assert_eq!(
            texts("elif a[0]:"),
            Some(vec!["elif", "a", "[", "0", "]", ":"])
        );
        for line in ["f(a", "a)", "a  # b", "f'{a", "a\nb"] {
            assert_eq!(texts(line), None, "{line}");
        }
    }

    #[test]
    fn comments_are_found_in_what_does_not_parse() {
        assert_eq!(
            comments("):  # a\n  '#' f'#{x  # b\n}' if ("),
            ["# a", "# b"]
        );
    }

    #[test]
    fn a_line_break_counts_where_no_bracket_is_open() {
        for (code, is_broken) in [
            ("a.b(\n)", false),
            ("(a\n.b)[\n0]", false),
            ("'''\n'''.a()", false),
            ("f'{\nx\n}'", false),
            ("a \\\n.b()", false),
            ("a\n.b()", true),
            ("a.b# c\n()", true),
            ("a.b\r()", true),
            ("'a'\n'b'", true),
            ("f(\n) +\n1", true),
        ] {
            assert_eq!(breaks_outside_brackets(code), is_broken, "{code:?}");
        }
    }
}
