//! `asyncio.run(f())` => `await f()`, as text.

use edit::Edit;
use engine::{Context, Layout, Piece, Refusal, width, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall};
use python::{Ranged, TextRange, TextSize};

pub(super) fn edits<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    awaited: &'a Expr,
) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let (open, close) = if cx.module.is_trailed(call) {
        ("(await ", ")")
    } else {
        ("await ", "")
    };
    let operand = module.parenthesized(awaited);
    let before = TextRange::new(call.start(), operand.start());
    let after = TextRange::new(operand.end(), call.end());
    let commented = |range| !module.comments(range).is_empty();
    if !commented(before) && !commented(after) && stands_without_brackets(cx, awaited) {
        let text = operand_text(cx, call, awaited, open, close);
        return Ok(vec![Edit::replace(
            call.range(),
            format!("{open}{text}{close}"),
        )]);
    }
    // The brackets of the call stay, and hold the lines and comments together.
    let name = TextRange::new(call.start(), call.arguments.start());
    let is_positional = !call.arguments.args.is_empty();
    if commented(name)
        || !is_positional
        || (commented(after) && !call.arguments.keywords.is_empty())
    {
        return Err(withheld!("a comment stands inside the call: move it out"));
    }
    let mut edits = vec![Edit::replace(name, open)];
    // Without what follows the operand: a comma, which would make a tuple of it, and options.
    let rest = TextRange::new(operand.end(), call.end() - TextSize::new(1));
    if commented(rest) {
        let text = module.text(rest);
        let comma = text
            .find(['#', ','])
            .filter(|at| text[*at..].starts_with(','));
        if let Some(comma) = comma {
            let comma = operand.end().to_usize() + comma;
            edits.push(Edit::delete(comma..comma + 1));
        }
    } else if let Some(comma) = module.text(rest).find(',') {
        let end = call.arguments.keywords.last().map_or(
            operand.end().to_usize() + comma + 1,
            |keyword| {
                let end = keyword.end().to_usize();
                let tail = &module.source()[end..rest.end().to_usize()];
                let comma = tail.trim_start().starts_with(',');
                end + if comma {
                    tail.len() - tail.trim_start().len() + 1
                } else {
                    0
                }
            },
        );
        edits.push(Edit::delete(operand.end().to_usize()..end));
    }
    if !close.is_empty() {
        edits.push(Edit::insert(call.end(), close));
    }
    Ok(edits)
}

/// What stands after `await`, laid out as if it had stood there before.
fn operand_text<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    awaited: &'a Expr,
    open: &str,
    close: &str,
) -> String {
    let module = cx.module;
    let range = module.parenthesized(awaited);
    if range == awaited.range() && !is_primary(awaited) {
        return format!("({})", module.text(range));
    }
    let text = module.text(range);
    let in_string = module
        .ancestors(call)
        .take_while(|node| !node.is_statement())
        .any(|node| matches!(node, AnyNodeRef::InterpolatedElement(_)));
    if in_string
        || !text.contains(['\n', '\r']) && !module.text(call.range()).contains(['\n', '\r'])
    {
        return text.to_string();
    }
    let line = module.line_start(call.start());
    let preceding = module.text(TextRange::new(line, call.start()));
    let indent = module.line_indentation(call.start());
    let following = TextRange::new(call.end(), module.line_end(call.end()));
    let following = match module.comments(following).first() {
        Some(comment) => module
            .text(TextRange::new(call.end(), comment.start()))
            .trim_end(),
        None => module.text(following),
    };
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    layout.piece(
        &Piece::Expr(awaited),
        indent,
        width(preceding) + width(open),
        width(close) + width(following),
    )
}

/// Whether the line breaks of an expression, if it has any, are inside brackets of its own.
fn stands_without_brackets<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    let module = cx.module;
    // What is no primary gets parentheses anyway.
    module.parenthesized(expr) != expr.range()
        || !is_primary(expr)
        || !python::breaks_outside_brackets(module.text(expr))
}

/// What `await` can stand before: all else needs parentheses.
fn is_primary(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Call(_) | Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_)
    )
}
