//! The edits.

use edit::Edit;
use engine::{Context, Layout, Piece, Refusal, arguments, width, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall};
use python::{Ranged, TextRange, TextSize, is_blank};

use super::kinds::Plan;

pub(super) fn edits<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    given: &'a Expr,
    plan: &Plan<'a>,
) -> Result<Vec<Edit>, Refusal> {
    let import = cx.import_function(call, "asyncio", "create_task")?;
    let create = format!("{}(", import.name);
    let mut edits = match plan {
        Plan::Elements(elements) => elements
            .iter()
            .flat_map(|element| around(element.range(), &create, ")"))
            .collect(),
        Plan::Generator(generator) => {
            let range = generator.range();
            let mut edits = around(generator.elt.range(), &create, ")");
            if generator.parenthesized {
                let one = TextSize::new(1);
                edits.push(Edit::replace(
                    TextRange::new(range.start(), range.start() + one),
                    "[",
                ));
                edits.push(Edit::replace(
                    TextRange::new(range.end() - one, range.end()),
                    "]",
                ));
            } else {
                // `wait(f() for ...)`: the first edit at one place opens what is outside.
                edits.insert(0, Edit::insert(range.start(), "["));
                edits.push(Edit::insert(range.end(), "]"));
            }
            edits
        }
        Plan::All(iterable) => {
            let binds = |node| matches!(node, AnyNodeRef::ExprNamed(_));
            if cx.module.descendants(*iterable).any(binds) {
                return Err(withheld!(
                    "`:=` stands in what is waited for, and may not stand in what a comprehension goes through: write it as a statement before"
                ));
            }
            let range = cx.module.parenthesized(iterable);
            let head = format!("[{create}coro) for coro in ");
            around(range, &head, "]")
        }
    };
    if given.is_starred_expr() {
        return Err(withheld!("what is waited for is unpacked: pass a list"));
    }
    let laid_out = opened(cx, call, given, &edits, &create, plan)
        .or_else(|| opened_display(cx, given, &create, plan));
    if let Some(edit) = laid_out {
        edits = vec![edit];
    }
    edits.extend(import.edit);
    Ok(edits)
}

fn around(range: TextRange, open: &str, close: &str) -> Vec<Edit> {
    vec![
        Edit::insert(range.start(), open),
        Edit::insert(range.end(), close),
    ]
}

/// The arguments on lines of their own, where the call stood on a line that gets too long.
fn opened<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    given: &'a Expr,
    edits: &[Edit],
    create: &str,
    plan: &Plan<'a>,
) -> Option<Edit> {
    let module = cx.module;
    let limit = cx.settings.line_length;
    let range = call.arguments.range();
    let text = module.text(range);
    let is_in_string = module
        .ancestors(call)
        .take_while(|ancestor| !ancestor.is_statement())
        .any(|ancestor| matches!(ancestor, AnyNodeRef::InterpolatedElement(_)));
    let line = TextRange::new(module.line_start(call.start()), module.line_end(call.end()));
    // What follows on the line would hang behind the closing parenthesis.
    let ends_line = is_blank(module.text(TextRange::new(call.end(), line.end())));
    if text.contains(['\n', '\r']) || is_in_string || !ends_line {
        return None;
    }
    let inside = |edit: &Edit| {
        let range = given.range();
        edit.range.start >= range.start().to_usize() && edit.range.end <= range.end().to_usize()
    };
    if !edits.iter().all(inside) {
        return None; // the tasks are made elsewhere
    }
    let changed = edit::merge(
        module.source(),
        &[edit::Change {
            edits: edits.to_vec(),
            tag: (),
        }],
        &[],
    )
    .text;
    let longer_by = changed.len().checked_sub(module.source().len())?;
    if width(module.text(line)) + longer_by <= limit {
        return None;
    }
    let start = given.start().to_usize();
    let new = changed.get(start..given.end().to_usize() + longer_by)?;
    let before = module.text(TextRange::new(line.start(), range.start()));
    let indent = &before[..before.len() - before.trim_start().len()];
    let room = width(indent) + width(module.indent());
    let first = match (plan, given) {
        (Plan::Elements(elements), Expr::List(list))
            if room + width(new) > limit
                && elements.len() == list.elts.len()
                && !list.elts.iter().any(Expr::is_starred_expr) =>
        {
            let pieces = elements
                .iter()
                .map(|it| Piece::Call(create.to_string(), vec![Piece::Expr(it)], ")"));
            Piece::Call("[".to_string(), pieces.collect(), "]")
        }
        _ => Piece::Text(new.to_string()),
    };
    if call.arguments.args.is_empty() {
        return None;
    }
    let pieces = std::iter::once(first).chain(arguments(call).skip(1));
    let layout = Layout {
        module,
        width: limit,
    };
    let after = width(module.text(TextRange::new(range.end(), line.end())));
    let piece = Piece::Call("(".to_string(), pieces.collect(), ")");
    Some(Edit::replace(
        range,
        layout.piece(&piece, indent, width(before), after),
    ))
}

/// The same for a list or comprehension that stands on a line of its own.
fn opened_display<'a>(
    cx: &Context<'a, '_>,
    given: &'a Expr,
    create: &str,
    plan: &Plan<'a>,
) -> Option<Edit> {
    let module = cx.module;
    let limit = cx.settings.line_length;
    let Plan::Elements(elements) = plan else {
        return None;
    };
    let indent = module.indentation_at(given.start())?;
    let range = given.range();
    let line = TextRange::new(
        module.line_start(range.start()),
        module.line_end(range.end()),
    );
    let added = (width(create) + 1) * elements.len();
    if module.text(range).contains(['\n', '\r'])
        || module.parenthesized(given) != range
        || width(module.text(line)) + added <= limit
    {
        return None;
    }
    let layout = Layout {
        module,
        width: limit,
    };
    let task =
        |coroutine: &'a Expr| Piece::Call(create.to_string(), vec![Piece::Expr(coroutine)], ")");
    let text = match (given, elements.as_slice()) {
        (Expr::ListComp(comprehension), [element])
            if element.range() == comprehension.elt.range() =>
        {
            layout.comprehension("[", &task(element), &comprehension.generators, "]", indent)
        }
        (Expr::List(list), _)
            if elements.len() == list.elts.len()
                && !list.elts.iter().any(Expr::is_starred_expr) =>
        {
            let pieces = elements.iter().map(|element| task(element));
            let list = Piece::Call("[".to_string(), pieces.collect(), "]");
            layout.piece(&list, indent, width(indent), 1)
        }
        _ => return None,
    };
    Some(Edit::replace(range, text))
}
