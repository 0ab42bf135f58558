//! Taking an argument out of a call, and joining the lines that it then leaves half empty.

use edit::Edit;
use python::ast::token::TokenKind;
use python::ast::{ExprCall, Keyword};
use python::{Module, Ranged, TextRange, TextSize, is_blank};

use crate::layout::{Layout, Piece, arguments, width};

/// The edits that take `keyword` out of `call`; none where a comment stands beside it, which
/// would be lost or would come to stand beside another argument.
///
/// A call whose lines were broken only because it was too long becomes one line again.
pub fn without_argument<'a>(
    module: &Module<'a>,
    line_length: usize,
    call: &'a ExprCall,
    keyword: &'a Keyword,
) -> Option<Vec<Edit>> {
    let tokens = module.tokens();
    let inside = TextRange::new(
        call.arguments.start() + TextSize::new(1),
        call.arguments.end() - TextSize::new(1),
    );
    if call.arguments.len() == 1 {
        let is_bare = module.comments(inside).is_empty();
        return is_bare.then(|| vec![Edit::delete(inside)]);
    }
    let comma_before = tokens
        .in_range(TextRange::new(inside.start(), keyword.start()))
        .iter()
        .rfind(|token| token.kind() == TokenKind::Comma);
    let mut rest = tokens
        .in_range(TextRange::new(keyword.end(), inside.end()))
        .iter()
        .filter(|token| token.kind() != TokenKind::NonLogicalNewline);
    let comma_after = rest.next().filter(|it| it.kind() == TokenKind::Comma);
    let next = rest.next();

    let mut deleted = Vec::new();
    let own = TextRange::new(
        keyword.start(),
        comma_after.map_or(keyword.end(), Ranged::end),
    );
    let rest_of_line = TextRange::new(own.end(), module.line_end(own.end()));
    let starts_line = module.indentation_at(own.start()).is_some();
    let line_above = || {
        let line = module.line_start(own.start());
        let above = line.checked_sub(TextSize::new(1))?;
        Some(module.text(TextRange::new(module.line_start(above), above)))
    };
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    if starts_line
        && (is_comment(module.text(rest_of_line)) || line_above().is_some_and(is_comment))
    {
        return None; // the comment speaks of it
    }
    if starts_line && is_blank(module.text(rest_of_line)) {
        // Its lines go; a comma that was needed before it goes with them.
        deleted.push(TextRange::new(
            module.line_start(own.start()),
            module.next_line(own.end()),
        ));
        if comma_after.is_none() {
            deleted.extend(comma_before.map(Ranged::range));
        }
    } else if let (Some(_), Some(next)) = (comma_after, next)
        && next.kind() != TokenKind::Comment
    {
        deleted.push(TextRange::new(keyword.start(), next.start()));
    } else {
        deleted.push(TextRange::new(comma_before?.start(), keyword.end()));
    }
    let is_commented = |range: &TextRange| !module.comments(*range).is_empty();
    if deleted.iter().any(is_commented) {
        return None;
    }
    let pieces = |call| {
        arguments(call)
            .filter(|piece| !matches!(piece, Piece::Keyword(it) if it.range() == keyword.range()))
            .collect()
    };
    Some(
        joined_arguments(module, line_length, call, pieces(call), 0).map_or_else(
            || deleted.into_iter().map(Edit::delete).collect(),
            |edit| vec![edit],
        ),
    )
}

/// The arguments of a call that goes over several lines on one, where they fit and no trailing
/// comma asks for more. What stands before them becomes `shorter_by` characters shorter.
pub fn joined_arguments<'a>(
    module: &Module<'a>,
    line_length: usize,
    call: &'a ExprCall,
    pieces: Vec<Piece<'a>>,
    shorter_by: usize,
) -> Option<Edit> {
    let range = call.arguments.range();
    let text = module.text(range);
    let layout = Layout {
        module,
        width: line_length,
    };
    if !text.contains(['\n', '\r'])
        || layout.has_trailing_comma(range)
        || !module.comments(range).is_empty()
    {
        return None;
    }
    let flat = |pieces| layout.flat_piece(&Piece::Call("(".to_string(), pieces, ")"));
    let old = flat(arguments(call).collect())?;
    let new = flat(pieces)?;
    let before = TextRange::new(module.line_start(range.start()), range.start());
    let after = TextRange::new(range.end(), module.line_end(range.end()));
    let around = width(module.text(before)) + width(module.text(after));
    // What fitted already was broken for another reason.
    (around + width(&old) > line_length && around + width(&new) <= line_length + shorter_by)
        .then(|| Edit::replace(range, new))
}

#[cfg(test)]
mod tests {
    use edit::{Change, merge};
    use python::ast::PythonVersion;

    use super::*;

    /// `source` without the keyword arguments `x` of its calls.
    fn removed(source: &str) -> String {
        let parsed = python::parse(source, PythonVersion::PY311).unwrap();
        let module = Module::new(source, &parsed);
        let call = module.calls()[0];
        let keyword = call.arguments.find_keyword("x").unwrap();
        let Some(edits) = without_argument(&module, 30, call, keyword) else {
            return "comment".to_string();
        };
        merge(source, &[Change { edits, tag: () }], &[]).text
    }

    #[test]
    fn a_comment_beside_it_is_in_the_way() {
        for text in [
            "f(x=1  # c\n)",
            "f(\n    a,\n    x=1,  # c\n)",
            "f(\n    x=1,  # c\n    a=1,\n)",
            "f(\n    a,  # c\n    x=1)",
            "f(\n    a,\n    # c\n    x=1,\n)",
        ] {
            assert_eq!(removed(text), "comment", "{text}");
        }
    }

    #[test]
    fn what_is_around_stays_as_it_is() {
        for (before, after) in [
            ("f(x=1)", "f()"),
            ("f(\n    x=1,\n)", "f()"),
            ("f(a, x=1)", "f(a)"),
            ("f((a), x=(1))", "f((a))"),
            ("f(a, x=(1),)", "f(a,)"),
            ("f(x=(1), a=(2))", "f(a=(2))"),
            ("f(x=1, **a)", "f(**a)"),
            ("f(a, x=1,  # c\n  b=2)", "f(a,  # c\n  b=2)"),
            ("f(a, x=1, *b)", "f(a, *b)"),
            (
                "f(\n    a,  # c\n    x=1,\n    b=2,\n)",
                "f(\n    a,  # c\n    b=2,\n)",
            ),
            ("f(\n    a,\n    x=1,\n)", "f(\n    a,\n)"),
            (
                "f(\n    a, x=1, bbbbbbbbbbbbbb=22222\n)",
                "f(a, bbbbbbbbbbbbbb=22222)",
            ),
            ("f(\n    a, x=1, b=2\n)", "f(\n    a, b=2\n)"),
            (
                "f(\n    a, x=1, bbbbbbbbbbbbbbbbbbb=22222\n)",
                "f(\n    a, bbbbbbbbbbbbbbbbbbb=22222\n)",
            ),
        ] {
            assert_eq!(removed(before), after);
        }
    }
}
