//! What a coroutine suspends on: `yield from`, a bare `yield`, and `with (yield from lock)`.

use edit::Edit;
use engine::{Context, HeaderItem, Refusal, with_headers, withheld};
use python::ast::{AnyNodeRef, Expr, ExprYield, ExprYieldFrom, StmtFunctionDef, StmtWith};
use python::{AwaitPlace, BindingKind, NodeId, Ranged, TextRange};

use super::iteration;

/// The edits to the own code of `function`; none where it never suspends.
pub fn edits<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let is_own = |node: AnyNodeRef<'a>| {
        module
            .function(node)
            .is_some_and(|owner| module.id(owner) == module.id(function))
    };
    let mut edits: Vec<Edit> = Vec::new();
    // The operands that a `with` statement takes over.
    let mut locks: Vec<NodeId> = Vec::new();
    for stmt in &function.body {
        for node in module.descendants(stmt) {
            let new = match node {
                AnyNodeRef::StmtWith(with) if is_own(node) => lock(cx, with, &mut locks)?,
                AnyNodeRef::ExprYieldFrom(_) | AnyNodeRef::ExprYield(_)
                    if !is_own(node) || locks.contains(&module.id(node)) =>
                {
                    continue;
                }
                AnyNodeRef::ExprYieldFrom(expr) => {
                    check_place(cx, node)?;
                    awaited(cx, expr)?
                }
                AnyNodeRef::ExprYield(expr) => {
                    check_place(cx, node)?;
                    pause(cx, expr)?
                }
                _ => continue,
            };
            // An import is asked for once.
            for edit in new {
                let is_known = edits
                    .iter()
                    .any(|known| known.range == edit.range && known.content == edit.content);
                if !is_known {
                    edits.push(edit);
                }
            }
        }
    }
    Ok(edits)
}

fn check_place<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Result<(), Refusal> {
    if !matches!(cx.module.await_place(node), AwaitPlace::Function(_)) {
        return Err(withheld!(
            "`{}` stands in a generator expression: write a loop",
            cx.module.first_line(node)
        ));
    }
    if cx.module.is_printed_source(node) {
        return Err(withheld!(
            "`f\"{{...=}}\"` prints its source, which would change: move the expression out of the string"
        ));
    }
    Ok(())
}

/// `yield from f()` => `await f()`
fn awaited<'a>(cx: &Context<'a, '_>, expr: &'a ExprYieldFrom) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let operand = &*expr.value;
    if let Some(what) = iteration::plain(cx, operand) {
        return Err(withheld!(
            "`{}` goes through {what}, which `await` does not take: write a loop, or make an `async def` of it",
            cx.module.first_line(expr)
        ));
    }
    let with_parentheses = module.parenthesized(operand);
    let keywords = TextRange::new(expr.start(), with_parentheses.start());
    if !module.comments(keywords).is_empty() {
        return Err(withheld!(
            "a comment stands between `yield from` and what it awaits: move it above the statement"
        ));
    }
    let has_parentheses = with_parentheses != operand.range();
    let mut edits = unwrapped(cx, expr.into());
    match (is_primary(operand), has_parentheses) {
        (true, true) if is_one_line(cx, with_parentheses) => {
            let before = TextRange::new(expr.start(), operand.start());
            edits.push(Edit::replace(before, "await "));
            let after = TextRange::new(operand.end(), with_parentheses.end());
            edits.push(Edit::delete(after));
        }
        (true, _) | (false, true) => edits.push(Edit::replace(keywords, "await ")),
        (false, false) => {
            edits.push(Edit::replace(keywords, "await ("));
            edits.push(Edit::insert(operand.end(), ")"));
        }
    }
    Ok(edits)
}

/// A bare `yield` gives the event loop one turn, and so does `await asyncio.sleep(0)`.
fn pause<'a>(cx: &Context<'a, '_>, expr: &'a ExprYield) -> Result<Vec<Edit>, Refusal> {
    match expr.value.as_deref() {
        None | Some(Expr::NoneLiteral(_)) => {}
        Some(_) => {
            return Err(withheld!(
                "`{}` gives a value to the event loop, which takes none: write `yield from` if it was meant, and then this again",
                cx.module.first_line(expr)
            ));
        }
    }
    let import = cx.import(expr, "asyncio")?;
    let mut edits = unwrapped(cx, expr.into());
    edits.push(Edit::replace(
        expr.range(),
        format!("await {}.sleep(0)", import.name),
    ));
    edits.extend(import.edit);
    Ok(edits)
}

/// The edits that take away the parentheses around a `yield` which an `await` does not need:
/// `return (yield from f())` => `return await f()`.
fn unwrapped<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Vec<Edit> {
    let module = cx.module;
    let Some(expr) = expr_of(cx, node) else {
        return Vec::new();
    };
    let range = module.parenthesized(expr);
    let before = &module.source()[..range.start().to_usize()];
    let after = &module.source()[range.end().to_usize()..];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    // `return(yield)` has no space of its own.
    if range == expr.range()
        || !may_stand_alone(cx, expr, range)
        || before.ends_with(is_word)
        || after.starts_with(is_word)
        || before.ends_with('(') && after.starts_with(')')
    {
        return Vec::new();
    }
    vec![
        Edit::delete(TextRange::new(range.start(), expr.start())),
        Edit::delete(TextRange::new(expr.end(), range.end())),
    ]
}

/// A `yield` that is the whole value of a statement, or its condition.
fn expr_of<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Option<&'a Expr> {
    let whole: Option<&'a Expr> = match cx.module.parent(node)? {
        AnyNodeRef::StmtExpr(stmt) => Some(&stmt.value),
        AnyNodeRef::StmtAssign(stmt) => Some(&stmt.value),
        AnyNodeRef::StmtAnnAssign(stmt) => stmt.value.as_deref(),
        AnyNodeRef::StmtAugAssign(stmt) => Some(&stmt.value),
        AnyNodeRef::StmtReturn(stmt) => stmt.value.as_deref(),
        AnyNodeRef::StmtIf(stmt) => Some(&stmt.test),
        AnyNodeRef::ElifElseClause(clause) => clause.test.as_ref(),
        AnyNodeRef::StmtWhile(stmt) => Some(&stmt.test),
        AnyNodeRef::StmtFor(stmt) => Some(&stmt.iter),
        _ => None,
    };
    whole.filter(|expr| cx.module.id(*expr) == cx.module.id(node))
}

fn is_one_line(cx: &Context<'_, '_>, range: TextRange) -> bool {
    !cx.module.text(range).contains(['\n', '\r', '#'])
}

/// Whether `expr` needs the parentheses of `range` for nothing, line breaks included: those that
/// it has are in the brackets of the call that it awaits.
fn may_stand_alone<'a>(cx: &Context<'a, '_>, expr: &'a Expr, range: TextRange) -> bool {
    let Expr::YieldFrom(awaited) = expr else {
        return is_one_line(cx, range);
    };
    let Expr::Call(call) = &*awaited.value else {
        return is_one_line(cx, range);
    };
    let arguments = call.arguments.range();
    is_one_line(cx, TextRange::new(range.start(), arguments.start()))
        && is_one_line(cx, TextRange::new(arguments.end(), range.end()))
}

/// What `await` takes without parentheses.
fn is_primary(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Call(_)
            | Expr::Name(_)
            | Expr::Attribute(_)
            | Expr::Subscript(_)
            | Expr::StringLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::NoneLiteral(_)
    )
}

/// `with (yield from lock):` => `async with lock:`
///
/// Until 3.8 that was the way to hold a lock. What gives its context manager by a call
/// (`yield from pool.acquire()`) is awaited like anything else.
fn lock<'a>(
    cx: &Context<'a, '_>,
    with: &'a StmtWith,
    locks: &mut Vec<NodeId>,
) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let mut items = Vec::new();
    let mut has_lock = false;
    for item in &with.items {
        let operand = match &item.context_expr {
            Expr::YieldFrom(expr) => match &*expr.value {
                operand @ (Expr::Name(_) | Expr::Attribute(_)) => Some((expr, operand)),
                _ => None,
            },
            _ => None,
        };
        let Some((expr, operand)) = operand else {
            items.push(HeaderItem {
                is_async: false,
                context: None,
            });
            continue;
        };
        // What is awaited inside of it would be written as it is.
        let is_plain = module.descendants(operand).all(|node| {
            !matches!(
                node,
                AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_)
            )
        });
        if !is_plain || !is_lock(cx, operand) {
            return Err(withheld!(
                "whether `{}` is a lock cannot be seen here: write `async with` if it is, and `with await` if it gives a context manager",
                module.text(operand)
            ));
        }
        if !module.comments(expr.range()).is_empty() {
            return Err(withheld!(
                "a comment stands between `yield from` and what it awaits: move it above the statement"
            ));
        }
        has_lock = true;
        locks.push(module.id(expr));
        items.push(HeaderItem {
            is_async: true,
            // Over several lines only its parentheses hold it together.
            context: Some(match module.text(operand) {
                text if text.contains(['\n', '\r']) => format!("({text})"),
                text => text.to_string(),
            }),
        });
    }
    if !has_lock {
        return Ok(Vec::new());
    }
    if items.iter().any(|item| !item.is_async) {
        return Err(withheld!(
            "a lock stands in one `with` statement with other context managers: write nested statements"
        ));
    }
    with_headers(module, cx.settings.line_length, with, &items).map_err(|_| Refusal::NotOurs)
}

/// Whether `expr` is a lock of asyncio, or named like one.
fn is_lock<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    let name = match expr {
        Expr::Name(name) => {
            let made = match cx.module.only_binding(name).map(|binding| binding.kind) {
                Some(BindingKind::Value(Expr::Call(call))) => cx.module.qualified_name(&call.func),
                _ => None,
            };
            if let Some(made) = made {
                return matches!(
                    made.as_str(),
                    "asyncio.Lock"
                        | "asyncio.Condition"
                        | "asyncio.Semaphore"
                        | "asyncio.BoundedSemaphore"
                );
            }
            name.id.as_str()
        }
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    let name = name.to_lowercase();
    ["lock", "mutex", "sem", "cond"]
        .iter()
        .any(|word| name.contains(word))
}
