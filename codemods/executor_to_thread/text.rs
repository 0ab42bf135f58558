//! The edits: the call's name, its arguments, and the statement that is left without a use.

use edit::Edit;
use engine::{Context, Layout, Piece, Refusal, arguments, joined_arguments, width, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall};
use python::{After, Ranged, TextRange, TextSize, is_blank};

use super::Site;

/// The edits for one call.
pub(super) fn edits<'a>(cx: &Context<'a, '_>, site: &Site<'a>) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let call = site.call;
    let mut edits: Vec<Edit> = site.import.edit.iter().cloned().collect();
    let name = &site.import.name;
    let func = module.parenthesized(&call.func);
    let is_commented = |range: TextRange| !module.comments(range).is_empty();
    if is_commented(func) {
        return Err(withheld!(
            "a comment stands inside of `run_in_executor`: move it out"
        ));
    }
    if let Some(pieces) = unwrapped(cx, site) {
        let line = TextRange::new(module.line_start(call.start()), call.start());
        let before = module.text(line);
        let indent = &before[..before.len() - before.trim_start().len()];
        let rest = TextRange::new(call.end(), module.line_end(call.end()));
        let layout = Layout {
            module,
            width: cx.settings.line_length,
        };
        let piece = Piece::Call(format!("{name}("), pieces, ")");
        let text = if is_in_string(cx, call) {
            layout.flat_piece(&piece)
        } else {
            let after = width(module.text(rest));
            Some(layout.piece(&piece, indent, width(before), after))
        };
        if let Some(text) = text {
            edits.push(Edit::replace(call.range(), text));
            return Ok(edits);
        }
    }
    edits.push(Edit::replace(func, name.clone()));
    if !call.arguments.keywords.is_empty() {
        let function = module.text(module.parenthesized(site.function));
        if is_commented(call.arguments.range()) {
            return Err(withheld!(
                "a comment stands beside the arguments, which are written anew: move it out"
            ));
        }
        edits.push(Edit::replace(
            call.arguments.range(),
            format!("({function})"),
        ));
        return Ok(edits);
    }
    let executor = TextRange::new(
        module.parenthesized(site.executor).start(),
        module.parenthesized(site.function).start(),
    );
    if is_commented(executor) {
        return Err(withheld!(
            "a comment stands beside `None`, which goes: move the comment or delete it"
        ));
    }
    let pieces = arguments(call).skip(1).collect();
    let shorter_by = width(module.text(func)).saturating_sub(width(name));
    let limit = cx.settings.line_length;
    if let Some(edit) = joined_arguments(module, limit, call, pieces, shorter_by) {
        edits.push(edit);
    } else {
        edits.push(Edit::delete(executor));
        edits.extend(aligned(cx, site, width(module.text(func)), width(name)));
    }
    Ok(edits)
}

/// The lines of arguments that stand below the first one, moved as far as that one is.
fn aligned<'a>(cx: &Context<'a, '_>, site: &Site<'a>, old: usize, new: usize) -> Vec<Edit> {
    let module = cx.module;
    let start = module.parenthesized(site.executor).start();
    let is_on_first_line = start == site.call.arguments.start() + TextSize::new(1);
    let column = width(module.text(TextRange::new(module.line_start(start), start)));
    let func = module.text(module.parenthesized(&site.call.func));
    let is_on_first_line = is_on_first_line && !func.contains(['\n', '\r']);
    let Some(shift) = old.checked_sub(new).filter(|_| is_on_first_line) else {
        return Vec::new();
    };
    let lines = module.lines_to_indent(TextRange::new(start, site.call.end()));
    lines
        .into_iter()
        .filter(|line| *line > module.parenthesized(site.function).start())
        .filter_map(|line| {
            let text = module.text(TextRange::new(line, module.line_end(line)));
            let indent = text.len() - text.trim_start_matches(' ').len();
            let end = line + TextSize::try_from(shift).ok()?;
            (indent >= column).then(|| Edit::delete(TextRange::new(line, end)))
        })
        .collect()
}

/// The arguments with those of `functools.partial(f, x, k=v)` among them: `f, x, k=v`.
///
/// None where there is no partial, or where it has to stay: where it gives what cannot be passed
/// in the same order, and where comments or strings of several lines would have to move.
fn unwrapped<'a>(cx: &Context<'a, '_>, site: &Site<'a>) -> Option<Vec<Piece<'a>>> {
    let module = cx.module;
    let Expr::Call(partial) = site.function else {
        return None;
    };
    let inner = &partial.arguments;
    let range = site.call.range();
    if !module.refers_to(&partial.func, "functools.partial")
        || inner.args.first().is_none_or(Expr::is_starred_expr)
        || inner.args.iter().any(|it| is_placeholder(cx, it))
        || !module.comments(range).is_empty()
        || module.has_multiline_string(range)
        || !site.call.arguments.keywords.is_empty()
    {
        return None;
    }
    let first = inner.args.first()?;
    // `partial(partial(f), x)`, and a coroutine function.
    if module.coroutine_function(first).is_some() {
        return None;
    }
    let more = site.call.arguments.args.get(2..).unwrap_or_default();
    // Keyword values are evaluated after the arguments that were after the partial.
    let in_order = more.is_empty()
        || inner.keywords.is_empty()
        || more.iter().all(is_plain)
        || inner
            .keywords
            .iter()
            .all(|keyword| is_plain(&keyword.value));
    if !in_order || (!more.is_empty() && inner.keywords.iter().any(|it| it.arg.is_none())) {
        return None;
    }
    // `f(k=v, *args)`: the order of the text is not the one of the arguments.
    let last = inner.args.last()?;
    if inner.keywords.iter().any(|it| it.start() < last.start()) {
        return None;
    }
    let positional = inner.args.iter().chain(more).map(Piece::Expr);
    let keywords = inner.keywords.iter().map(Piece::Keyword);
    Some(positional.chain(keywords).collect())
}

/// What gives the same whenever it is evaluated.
fn is_plain(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Name(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
    )
}

/// `functools.Placeholder` of Python 3.14.
fn is_placeholder<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    cx.module.refers_to(expr, "functools.Placeholder")
}

fn is_in_string<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    cx.module
        .ancestors(call)
        .take_while(|ancestor| !ancestor.is_statement())
        .any(|ancestor| matches!(ancestor, AnyNodeRef::InterpolatedElement(_)))
}

/// The edit that deletes a statement that other statements of its block stand beside.
pub(super) fn deleted<'a>(cx: &Context<'a, '_>, statement: AnyNodeRef<'a>) -> Option<Edit> {
    let module = cx.module;
    let (block, _) = module.siblings(statement)?;
    if block.len() < 2 {
        return None;
    }
    let placement = module.placement(statement);
    if placement.before.is_some() || placement.after != After::Nothing {
        return None;
    }
    let lines = module.whole_lines(statement)?;
    // A comment above speaks of it.
    let above = lines.start().checked_sub(TextSize::new(1))?;
    let line = module.text(TextRange::new(module.line_start(above), above));
    if line.trim_start().starts_with('#') {
        return None;
    }
    // What was below it comes to stand below what was above: without an empty line at the start
    // of a block.
    let mut end = lines.end();
    let opens = line.trim_end().ends_with(':') || is_blank(line);
    let is_empty =
        |start: TextSize| is_blank(module.text(TextRange::new(start, module.line_end(start))));
    while opens && is_empty(end) && module.next_line(end) > end {
        end = module.next_line(end);
    }
    Some(Edit::delete(TextRange::new(lines.start(), end)))
}
