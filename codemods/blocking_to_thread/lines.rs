//! A line that gets too long by what moves, laid out anew.

use edit::Edit;
use engine::{Context, Lines, Standing, joined, width};
use python::ast::{Expr, ExprCall};
use python::{Ranged, TextRange, TextSize, first_line};

use super::arguments::Given;
use super::meaning::{Callee, callee};
use super::reach;

/// The line that a call stands on, laid out anew with the call as it becomes: `open`, its arguments,
/// `close`. None where it fits as it is, or has no place to break at.
pub(super) fn in_a_long_line<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    open: &str,
    close: &str,
) -> Option<Edit> {
    let module = cx.module;
    let inside = TextRange::new(
        call.arguments.start() + TextSize::new(1),
        call.arguments.end() - TextSize::new(1),
    );
    let comma = if call.arguments.is_empty() { "" } else { ", " };
    if matches!(&*call.arguments.args, [Expr::Generator(_)]) {
        return None;
    }
    let new = format!("{open}{comma}{}){close}", module.text(inside).trim());
    in_its_line(cx, call.range(), &new)
}

/// The same with `new` in the place of an expression.
pub(super) fn in_its_line(cx: &Context<'_, '_>, place: TextRange, new: &str) -> Option<Edit> {
    let module = cx.module;
    let text = module.text(place);
    if new.contains(['\n', '\r']) {
        return None;
    }
    let (line, end) = (
        module.line_start(place.start()),
        module.line_end(place.end()),
    );
    let indent = module.line_indentation(place.start());
    let range = TextRange::new(line + TextSize::of(indent), end);
    let before = module.text(TextRange::new(range.start(), place.start()));
    let after = module.text(TextRange::new(place.end(), end)).trim_end();
    let longest = cx.settings.line_length;
    let long = width(indent) + width(before) + width(new) + width(after);
    let is_beside_another = module.calls().iter().any(|it| {
        let is_there = range.contains_range(it.range()) && !place.contains_range(it.range());
        is_there && may_move(cx, it)
    });
    let grows = width(new).saturating_sub(width(text));
    if long <= longest && !(is_beside_another && long + grows > longest) {
        return None;
    }
    let flat = format!("{before}{new}{after}");
    let edit = |text: String| Some(Edit::replace(range, text));
    if long <= longest {
        // The other one is written when this is done, and breaks the line.
        return edit(flat);
    }
    let logical = module.logical_line(place.start());
    let lines = Lines {
        width: longest,
        indent: module.indent(),
        newline: module.newline(),
    };
    let standing = if logical.start() == range.start() {
        if logical.end() != range.start() + TextSize::of(module.text(range).trim_end()) {
            return None;
        }
        Standing::Statement
    } else if range.start() < logical.start() || logical.end() < end {
        return None;
    } else {
        let above = module
            .text(TextRange::new(logical.start(), line))
            .trim_end();
        let below = module.text(TextRange::new(end, logical.end())).trim_start();
        if above.ends_with(['(', '[', '{']) && below.starts_with([')', ']', '}']) {
            Standing::Content
        } else {
            Standing::Element
        }
    };
    edit(lines.broken(&flat, indent, standing)?)
}

/// The statement, or its header, around an expression, on several lines, where a formatter laid it out and
/// `new`, in the place of an expression, would make the line that it starts on too long: laid out anew.
pub(super) fn in_a_laid_out_line(
    cx: &Context<'_, '_>,
    place: TextRange,
    new: &str,
) -> Option<Edit> {
    let module = cx.module;
    let before = TextRange::new(module.line_start(place.start()), place.start());
    let after = if new.contains(['\n', '\r']) {
        ""
    } else {
        module.text(TextRange::new(place.end(), module.line_end(place.end())))
    };
    let long = width(module.text(before)) + width(first_line(new)) + width(after.trim_end());
    if long <= cx.settings.line_length {
        return None;
    }
    laid_out_anew(cx, place, new)
}

/// The same whether the line gets too long or not.
pub(super) fn laid_out_anew(cx: &Context<'_, '_>, place: TextRange, new: &str) -> Option<Edit> {
    let module = cx.module;
    let logical = module.logical_line(place.start());
    let indent = module.indentation_at(logical.start())?;
    if !module.text(logical).contains(['\n', '\r'])
        || !module.comments(logical).is_empty()
        || module.has_multiline_string(logical)
    {
        return None;
    }
    let lines = Lines {
        width: cx.settings.line_length,
        indent: module.indent(),
        newline: module.newline(),
    };
    let old = lines.broken(&joined(module.text(logical))?, indent, Standing::Statement)?;
    if old != module.text(logical) {
        return None;
    }
    let new = format!(
        "{}{new}{}",
        module.text(TextRange::new(logical.start(), place.start())),
        module.text(TextRange::new(place.end(), logical.end())),
    );
    let text = lines.broken(&joined(&new)?, indent, Standing::Statement)?;
    Some(Edit::replace(logical, text))
}

/// Whether a call may be one that moves as well.
fn may_move<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    match callee(cx, call) {
        Callee::Blocking(_) => true,
        Callee::Function(function) => {
            let reach = reach::of(cx, function, Given::alone(cx, call));
            reach.path.is_some()
        }
        Callee::Named(_) | Callee::Unknown => false,
    }
}
