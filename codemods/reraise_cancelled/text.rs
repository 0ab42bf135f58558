//! The edits: `raise`, and the name of the exception where it needs one.

use edit::Edit;
use engine::{
    Context, Layout, Line, Piece, Refusal, insert_before, replace_statement, width, withheld,
};
use python::ast::{AnyNodeRef, ExceptHandlerExceptHandler, Expr, Stmt, StmtFunctionDef};
use python::{BindingKind, Library, Module, Ranged, Symbol, TextRange, TextSize};

use super::End;
use super::caught::{self, Caught};

/// The edits that let the cancellation leave the handler.
pub fn edits<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
    caught: &Caught<'a>,
    end: &End<'a>,
) -> Result<Vec<Edit>, Refusal> {
    let last = handler.body.last().ok_or(Refusal::NotOurs)?;
    let Caught::AmongOthers(named) = caught else {
        return Ok(vec![match end {
            End::Returns(stmt) | End::Breaks(stmt) => Edit::replace(stmt.range(), "raise"),
            End::FallsThrough if is_placeholder(last) => Edit::replace(last.range(), "raise"),
            End::FallsThrough => append(cx.module, handler, last, &[Line::new(0, "raise")])?,
        }]);
    };
    if cx.module.lookup("isinstance", handler).is_some() {
        return Err(withheld!(
            "the name `isinstance` is bound to something else here: re-raise the cancellation by hand"
        ));
    }
    let mut edits = Vec::new();
    let class = class(cx, handler, *named, &mut edits)?;
    let name = name(cx, coroutine, handler, &mut edits)?;
    let lines = condition(cx, handler, &name, &class);
    edits.push(match end {
        End::Returns(stmt) | End::Breaks(stmt) => insert_before(cx.module, *stmt, &lines),
        // `pass  # not there yet`: what the comment says is of the others.
        End::FallsThrough if is_placeholder(last) && is_explained(cx.module, last) => {
            insert_before(cx.module, last, &lines)
        }
        End::FallsThrough if is_placeholder(last) => replace_statement(cx.module, last, &lines),
        End::FallsThrough => append(cx.module, handler, last, &lines)?,
    });
    Ok(edits)
}

/// `pass` or `...`, which does nothing.
fn is_placeholder(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Pass(_) => true,
        Stmt::Expr(stmt) => stmt.value.is_ellipsis_literal_expr(),
        _ => false,
    }
}

/// Whether a comment stands behind a statement.
fn is_explained<'a>(module: &Module<'a>, stmt: &'a Stmt) -> bool {
    let behind = TextRange::new(stmt.end(), module.line_end(stmt.end()));
    !module.comments(behind).is_empty()
}

/// `if isinstance(error, asyncio.CancelledError):` and `raise`.
fn condition<'a>(
    cx: &Context<'a, '_>,
    handler: &'a ExceptHandlerExceptHandler,
    name: &str,
    class: &str,
) -> Vec<Line> {
    let module = cx.module;
    let indent = handler
        .body
        .first()
        .map(|first| module.placement(first).indent)
        .unwrap_or_default();
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let pieces = vec![
        Piece::Text(name.to_string()),
        Piece::Text(class.to_string()),
    ];
    let piece = Piece::Call("isinstance(".to_string(), pieces, ")");
    let test = layout.piece(&piece, &indent, width(&indent) + 3, 1);
    vec![Line::new(0, format!("if {test}:")), Line::new(1, "raise")]
}

/// The class of the cancellation, as it is called here.
fn class<'a>(
    cx: &Context<'a, '_>,
    handler: &'a ExceptHandlerExceptHandler,
    named: Option<&'a Expr>,
    edits: &mut Vec<Edit>,
) -> Result<String, Refusal> {
    let module = cx.module;
    if let Some(named) = named {
        let text = module.text(named);
        if !text.contains(['\n', '\r']) {
            return Ok(text.to_string());
        }
    }
    let library = match module.library() {
        Library::Several => module
            .function(handler)
            .and_then(|function| module.library_of(function))
            .ok_or_else(|| {
                withheld!(
                    "the file uses asyncio and another library, and the coroutine does not show under which it runs: re-raise the cancellation of that library by hand"
                )
            })?,
        library => library,
    };
    let (package, class) = match library {
        Library::Trio => ("trio", "Cancelled"),
        Library::Anyio => ("anyio", "get_cancelled_exc_class()"),
        _ => ("asyncio", "CancelledError"),
    };
    if package == "asyncio"
        && let Some(name) = from_import(module, handler)
    {
        return Ok(name.to_string());
    }
    let import = cx.import(handler, package)?;
    edits.extend(import.edit);
    Ok(format!("{}.{class}", import.name))
}

/// The name that `from asyncio import CancelledError` gives the class, where the module does not
/// import asyncio itself.
fn from_import<'a, 'm>(
    module: &'m Module<'a>,
    handler: &'a ExceptHandlerExceptHandler,
) -> Option<&'a str> {
    let is =
        |symbol: &Symbol<'a>, name: &str| module.imported_as(symbol).is_some_and(|it| it == name);
    if module.globals().any(|symbol| is(symbol, "asyncio")) {
        return None;
    }
    let symbol = module
        .globals()
        .find(|symbol| is(symbol, "asyncio.CancelledError"))?;
    let is_visible = module
        .lookup(symbol.name, handler)
        .is_some_and(|seen| std::ptr::eq(seen, symbol));
    is_visible.then_some(symbol.name)
}

/// The name of the exception in the handler, which gets one if it has none.
fn name<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
    edits: &mut Vec<Edit>,
) -> Result<String, Refusal> {
    let module = cx.module;
    if let Some(name) = &handler.name {
        let symbol = handler
            .body
            .first()
            .and_then(|first| module.lookup(name.as_str(), first));
        let is_kept = symbol.is_some_and(|symbol| {
            symbol.scope == module.scope(handler)
                && symbol.bindings.iter().all(|binding| {
                    let node = module.node(binding.node);
                    binding.from == symbol.scope
                        && (!module.contains(handler, node) || binding.node == module.id(handler))
                })
        });
        if !is_kept {
            return Err(withheld!(
                "the handler binds `{name}` again, and its end does not know the exception any longer: give that another name"
            ));
        }
        return Ok(name.to_string());
    }
    if module.is_reflective(coroutine) {
        return Err(withheld!(
            "`{}` reads its local names by `locals()`, `eval` or `exec`, which would see a new one: re-raise the cancellation by hand",
            coroutine.name
        ));
    }
    let name = fresh_name(cx, coroutine, handler).ok_or(Refusal::NotOurs)?;
    match handler.type_.as_deref() {
        None => {
            if module.lookup("BaseException", handler).is_some() {
                return Err(withheld!(
                    "the name `BaseException` is bound to something else here: re-raise the cancellation by hand"
                ));
            }
            let keyword = handler.start() + TextSize::of("except");
            edits.push(Edit::insert(keyword, format!(" BaseException as {name}")));
        }
        Some(types) => {
            let range = module.parenthesized(types);
            let is_open = matches!(types, Expr::Tuple(tuple) if !tuple.parenthesized);
            if is_open {
                edits.push(Edit::insert(range.start(), "("));
            }
            let close = if is_open { ")" } else { "" };
            edits.push(Edit::insert(range.end(), format!("{close} as {name}")));
        }
    }
    Ok(name)
}

/// A name for the exception. A handler inside others that get a name too, in this round or a later
/// one, must not have theirs: it unbinds its own at its end.
fn fresh_name<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
) -> Option<String> {
    let module = cx.module;
    let outer = module
        .ancestors(handler)
        .take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)))
        .filter(|node| match node {
            AnyNodeRef::ExceptHandlerExceptHandler(outer) => {
                outer.name.is_none()
                    && matches!(
                        caught::by(cx, outer.type_.as_deref()),
                        Some(Caught::AmongOthers(_))
                    )
            }
            _ => false,
        })
        .count();
    let mut candidates: Vec<&str> = house_name(module)
        .into_iter()
        .chain(["error", "exc", "err", "exception"])
        .collect();
    let draw = |candidates: &[&str]| {
        cx.fresh_local(coroutine, candidates, |symbol| {
            is_reusable(module, handler, symbol)
        })
    };
    for _ in 0..outer {
        let taken = draw(&candidates)?;
        candidates.retain(|name| *name != taken);
    }
    draw(&candidates).filter(|_| !candidates.is_empty())
}

/// The name that the handlers of this module give to their exceptions most often.
fn house_name<'a>(module: &Module<'a>) -> Option<&'a str> {
    let mut counts: Vec<(&'a str, usize)> = Vec::new();
    for symbol in module.symbols() {
        let number = symbol
            .bindings
            .iter()
            .filter(|binding| matches!(binding.kind, BindingKind::Except))
            .count();
        if number == 0 {
            continue;
        }
        match counts.iter_mut().find(|(name, _)| *name == symbol.name) {
            Some((_, known)) => *known += number,
            None => counts.push((symbol.name, number)),
        }
    }
    counts.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    counts
        .first()
        .map(|(name, _)| *name)
        .filter(|name| *name != "_")
}

/// Whether the name can be bound by this handler too: only other handlers bind it, each for
/// itself, and none of them is inside this one or around it.
fn is_reusable<'a>(
    module: &Module<'a>,
    handler: &'a ExceptHandlerExceptHandler,
    symbol: &Symbol<'a>,
) -> bool {
    let handlers: Vec<AnyNodeRef<'a>> = symbol
        .bindings
        .iter()
        .map(|binding| module.node(binding.node))
        .collect();
    let are_others = symbol
        .bindings
        .iter()
        .zip(&handlers)
        .all(|(binding, node)| {
            matches!(binding.kind, BindingKind::Except)
                && binding.from == symbol.scope
                && !module.contains(handler, *node)
                && !module.contains(*node, handler)
        });
    are_others
        && symbol.reads.iter().all(|read| {
            let read = module.node(*read);
            handlers.iter().any(|node| module.contains(*node, read))
        })
}

/// The edit that puts `lines` after `last`, the last statement of the handler, and after the
/// comments that belong to its suite.
fn append<'a>(
    module: &Module<'a>,
    handler: &'a ExceptHandlerExceptHandler,
    last: &'a Stmt,
    lines: &[Line],
) -> Result<Edit, Refusal> {
    let own_indent = handler
        .body
        .first()
        .and_then(|first| module.indentation_at(first.start()));
    let Some(indent) = own_indent else {
        // The suite is on the line of its header.
        let mut all = vec![Line::new(0, module.text(last))];
        all.extend_from_slice(lines);
        return Ok(replace_statement(module, last, &all));
    };
    let newline = module.newline();
    let mut text = String::new();
    for line in lines {
        text.push_str(newline);
        text.push_str(indent);
        // In a file with both, as it is around.
        let unit = if indent.starts_with('\t') {
            "\t"
        } else {
            module.indent()
        };
        text.push_str(&unit.repeat(line.depth));
        text.push_str(&line.text);
    }
    let end = suite_end(module, last, indent);
    let holds_handlers = module
        .descendants(last)
        .any(|node| matches!(node, AnyNodeRef::ExceptHandlerExceptHandler(_)));
    if !holds_handlers {
        return Ok(Edit::insert(end, text));
    }
    // A handler in here may end on the same line and get lines of its own, which come first: they
    // are inserted at the start of what is replaced here.
    let line_break = TextRange::new(end, module.next_line(end));
    if line_break.is_empty() {
        return Err(withheld!(
            "the file ends without a line ending, and with more than one handler: end its last line"
        ));
    }
    text.push_str(module.text(line_break));
    Ok(Edit::replace(line_break, text))
}

/// The end of the last line of the suite: that of the statement, or of a comment below it that is
/// indented like it or deeper.
fn suite_end(module: &Module<'_>, last: &Stmt, indent: &str) -> TextSize {
    let mut end = module.line_end(last.end());
    let mut line = end;
    loop {
        let start = module.next_line(line);
        if start <= line {
            return end;
        }
        line = module.line_end(start);
        let text = module.text(TextRange::new(start, line));
        let content = text.trim_start();
        if content.starts_with('#') && text.starts_with(indent) {
            end = line;
        } else if !content.is_empty() {
            return end;
        }
        if line >= TextSize::of(module.source()) {
            return end;
        }
    }
}
