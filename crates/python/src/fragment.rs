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

#[cfg(test)]
mod tests {
    use super::*;

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
