//! The loop inside `async with`, as text.

use edit::Edit;
use engine::{Context, Layout, Piece, Refusal, arguments, width, withheld};
use python::ast::{AnyNodeRef, Expr};
use python::{BindingKind, Ranged, ScopeId, Symbol, TextLen, TextRange};

use super::Loop;

/// One edit for the whole statement: what another fix does inside of it waits for the next round,
/// when its lines are where they will be.
pub(super) fn edits<'a>(cx: &Context<'a, '_>, site: &Loop<'a>) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let stmt = site.stmt;
    let iterable = module.parenthesized(&stmt.iter);
    let around = [
        TextRange::new(stmt.start(), stmt.target.start()),
        TextRange::new(stmt.target.end(), site.call.start()),
        TextRange::new(site.call.end(), iterable.end()),
    ];
    if around
        .iter()
        .any(|range| !module.comments(*range).is_empty())
    {
        return Err(withheld!(
            "a comment stands between `async for` and what it loops over: move it out"
        ));
    }
    let Some(indent) = module.indentation_at(stmt.start()) else {
        return Err(Refusal::NotOurs); // compound statements have lines of their own
    };
    let name = cx
        .fresh_local(site.function, &["agen"], |symbol| {
            is_finished(cx, site, symbol)
        })
        .ok_or_else(|| {
            withheld!(
                "there is no free name for the generator in `{}`",
                site.function.name
            )
        })?;
    let (aclosing, import) = aclosing(cx, site)?;
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let iterable_piece = if iterable == stmt.iter.range() {
        Piece::Expr(&stmt.iter)
    } else {
        // Without the parentheses around it.
        let open = format!("{}(", module.text(site.call.func.range()));
        Piece::Call(open, arguments(site.call).collect(), ")")
    };
    let piece = Piece::Call(format!("async with {aclosing}("), vec![iterable_piece], ")");
    let tail = format!(" as {name}:");
    let header = layout.piece(&piece, indent, width(indent), width(&tail));
    let newline = module.newline();
    let end = module.end_with_comments(stmt);
    let start = module.indentation_start(stmt.start());

    let deeper = deeper(cx, site, indent);
    let mut text = format!("{indent}{header}{tail}{newline}");
    let mut copied = start;
    let mut replaced = false;
    for line in module.lines_to_indent(TextRange::new(stmt.start(), end)) {
        if line > iterable.start() && !replaced {
            text.push_str(module.text(TextRange::new(copied, iterable.start())));
            text.push_str(&name);
            copied = iterable.end();
            replaced = true;
        }
        if iterable.start() < line && line <= iterable.end() {
            continue;
        }
        // Behind the indentation that the loop has: tabs and spaces keep their order.
        let own = &module.source().as_bytes()[line.to_usize()..];
        let common = indent.bytes().zip(own).take_while(|(a, b)| a == *b).count();
        let at = line + indent[..common].text_len();
        text.push_str(module.text(TextRange::new(copied, at)));
        text.push_str(deeper);
        copied = at;
    }
    if !replaced {
        text.push_str(module.text(TextRange::new(copied, iterable.start())));
        text.push_str(&name);
        copied = iterable.end();
    }
    text.push_str(module.text(TextRange::new(copied, end)));
    let mut edits = vec![Edit::replace(TextRange::new(start, end), text)];
    edits.extend(import);
    Ok(edits)
}

/// One level of indentation, as the loop's body has it.
fn deeper<'a, 'm>(cx: &Context<'a, 'm>, site: &Loop<'a>, indent: &str) -> &'m str {
    let first = site.stmt.body.first();
    first
        .and_then(|first| cx.module.indentation_at(first.start()))
        .and_then(|body| body.strip_prefix(indent))
        .filter(|unit| !unit.is_empty())
        .unwrap_or(cx.module.indent())
}

/// What `contextlib.aclosing` is called at the loop, and the edit that imports it if need be.
fn aclosing<'a>(cx: &Context<'a, '_>, site: &Loop<'a>) -> Result<(String, Option<Edit>), Refusal> {
    let module = cx.module;
    let imported = module.imported_symbols().find(|symbol| {
        let is_it = module
            .imported_as(symbol)
            .is_some_and(|name| name == "contextlib.aclosing");
        let at_top = symbol.bindings.iter().any(|binding| {
            let statement = module.statement(module.node(binding.node));
            !binding.typing_only
                && matches!(module.parent(statement), Some(AnyNodeRef::ModModule(_)))
        });
        let is_visible = module
            .lookup(symbol.name, site.stmt)
            .is_some_and(|seen| std::ptr::eq(seen, *symbol));
        is_it && symbol.scope == ScopeId::MODULE && at_top && is_visible
    });
    if let Some(symbol) = imported {
        return Ok((symbol.name.to_string(), None));
    }
    let import = cx.import(site.stmt, "contextlib")?;
    Ok((format!("{}.aclosing", import.name), import.edit))
}

/// Whether a name is bound to nothing but generators that `aclosing` closes before this loop.
fn is_finished<'a>(cx: &Context<'a, '_>, site: &Loop<'a>, symbol: &Symbol<'a>) -> bool {
    let module = cx.module;
    let block = |node| module.statement(module.node(node));
    symbol.bindings.iter().all(|binding| {
        let BindingKind::With(Expr::Call(call), true) = binding.kind else {
            return false;
        };
        module.refers_to(&call.func, "contextlib.aclosing")
            && !module.contains(block(binding.node), site.stmt)
    }) && symbol.reads.iter().all(|read| {
        let mut bindings = symbol.bindings.iter();
        bindings.any(|binding| module.contains(block(binding.node), module.node(*read)))
    })
}
