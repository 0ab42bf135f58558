//! Who awaits the task that runs the coroutine, and does not expect its cancellation.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, ExceptHandler, Expr, ExprAwait, ExprCall, StmtFunctionDef};
use python::{Block, Ranged, TryPart};

use super::following::{self, Following};
use super::source::Child;
use super::{callbacks, caught, child, source, suppressed};

/// Withheld where the module makes a task of the coroutine, cancels it and awaits it, or has a
/// callback look at its result: what ended as if nothing was would raise the cancellation there.
/// So where what follows an `await` of the coroutine looks like cleanup.
pub fn check<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> Result<(), Refusal> {
    let module = cx.module;
    // `@functools.wraps(function)`: it is called by the name of what is decorated.
    let is_wrapper = coroutine.decorator_list.iter().any(|decorator| {
        matches!(&decorator.expression, Expr::Call(call) if module.refers_to(&call.func, "functools.wraps"))
    });
    if is_wrapper {
        return Err(withheld!(
            "`{}` runs in the place of what is decorated, and who cancels and awaits that is not seen here: look whether they expect the cancellation, and re-raise by hand",
            coroutine.name
        ));
    }
    let calls = module
        .calls()
        .iter()
        .copied()
        .filter(|call| child::is_call_of(cx, coroutine, call));
    let calls: Vec<&'a ExprCall> = calls.collect();
    for call in &calls {
        let is_it = |function| module.id(function) == module.id(coroutine);
        if module.function_definition(&call.func).is_some_and(is_it) {
            check_next(cx, call)?;
        }
    }
    if let Some(wrapper) = calls
        .iter()
        .find_map(|call| callbacks::wrapper_looks(cx, call))
    {
        return Err(withheld!(
            "`{wrapper}` looks at the result of the task that it makes, which would raise the cancellation there: look at `cancelled()` first"
        ));
    }
    let tasks: Vec<(&'a Expr, String)> = calls
        .iter()
        .filter_map(|call| target(cx, call))
        .filter_map(|target| Some((target, child::path(target)?)))
        .collect();
    if tasks.is_empty() {
        return Ok(());
    }
    if let Some(callback) = callbacks::looks_at_result(cx, &tasks) {
        return Err(withheld!(
            "`{callback}` looks at the result of the task when it is done, which would raise the cancellation there: look at `cancelled()` first"
        ));
    }
    for node in module.descendants(module.root()) {
        let AnyNodeRef::ExprAwait(awaited) = node else {
            continue;
        };
        let Some(operand) = child::raising(cx, &awaited.value) else {
            continue;
        };
        let same = tasks
            .iter()
            .any(|(target, path)| is_same(cx, target, path, operand));
        if !same || !is_cancelled_before(cx, awaited, operand) {
            continue;
        }
        let task = Child::of(cx, operand);
        if let Some(next) = skipped(cx, awaited) {
            return Err(withheld!(
                "`{}` {} cancelled and then awaited, which would raise the cancellation there, and skip `{next}`: move that behind the `try` statement, and raise",
                task.text,
                task.is()
            ));
        }
        if !is_guarded(cx, awaited) {
            return Err(withheld!(
                "`{}` {} cancelled and then awaited, which would raise the cancellation there: write `{}`, or catch it there",
                task.text,
                task.is(),
                task.wait()
            ));
        }
    }
    Ok(())
}

/// What stands behind an `await` in the body of a `try` statement that catches a cancellation, and
/// would be skipped by one.
fn skipped<'a>(cx: &Context<'a, '_>, awaited: &'a ExprAwait) -> Option<&'a str> {
    let module = cx.module;
    let statement = module.statement(awaited);
    let (body, position) = module.siblings(statement)?;
    let next = body.get(position + 1)?;
    let innermost = module.blocks(statement).into_iter().next()?;
    let catches = match innermost {
        Block::Try(stmt, TryPart::Body) => {
            stmt.body.iter().any(|it| it.range() == next.range()) && is_guarded(cx, awaited)
        }
        _ => false,
    };
    catches.then(|| module.first_line(next))
}

/// Withheld where the coroutine is awaited before something that looks like cleanup.
fn check_next<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<(), Refusal> {
    let module = cx.module;
    let Some(AnyNodeRef::ExprAwait(awaited)) = module.parent(call) else {
        return Ok(());
    };
    let stands_alone = matches!(
        module.parent(awaited),
        Some(AnyNodeRef::StmtExpr(_) | AnyNodeRef::StmtAssign(_))
    );
    if !stands_alone || is_guarded(cx, awaited) {
        return Ok(());
    }
    match following::after(cx, module.statement(awaited)) {
        Following::Cleanup(cleanup) => Err(withheld!(
            "a `raise` would skip `{cleanup}`, which follows `{}` and looks like cleanup: move that into `finally`, and raise",
            module.first_line(awaited)
        )),
        _ => Ok(()),
    }
}

/// What a task of the coroutine that `call` makes is assigned to, whoever makes it: `self.task` in
/// `self.task = asyncio.create_task(run())`; or the list that it is put into.
fn target<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<&'a Expr> {
    let module = cx.module;
    let AnyNodeRef::Arguments(arguments) = module.parent(call)? else {
        return None;
    };
    let mut child = module.parent(arguments)?;
    loop {
        let parent = module.parent(child)?;
        match parent {
            AnyNodeRef::StmtAssign(assign) => return assign.targets.first(),
            AnyNodeRef::StmtAnnAssign(assign) => return Some(&assign.target),
            AnyNodeRef::ExprNamed(named) => return Some(&named.target),
            AnyNodeRef::ExprList(_) | AnyNodeRef::ExprSet(_) => child = parent,
            AnyNodeRef::Arguments(arguments) => {
                let AnyNodeRef::ExprCall(outer) = module.parent(arguments)? else {
                    return None;
                };
                return match &*outer.func {
                    Expr::Attribute(method) if matches!(method.attr.as_str(), "append" | "add") => {
                        Some(&method.value)
                    }
                    _ => None,
                };
            }
            _ => return None,
        }
    }
}

fn is_same<'a>(cx: &Context<'a, '_>, target: &'a Expr, path: &str, operand: &'a Expr) -> bool {
    match (target, operand) {
        (Expr::Name(target), Expr::Name(operand)) => {
            cx.module.symbol_id(target) == cx.module.symbol_id(operand)
        }
        // `task = self.task`
        (Expr::Attribute(_), Expr::Name(_)) => child::keys(cx, operand).iter().any(|it| it == path),
        (Expr::Attribute(_), Expr::Attribute(_)) => {
            child::path(operand).is_some_and(|it| it == path)
        }
        _ => false,
    }
}

/// Whether the function that awaits the task has cancelled it before.
fn is_cancelled_before<'a>(
    cx: &Context<'a, '_>,
    awaited: &'a ExprAwait,
    operand: &'a Expr,
) -> bool {
    let module = cx.module;
    let task = child::path(operand);
    module.function(awaited).is_some_and(|function| {
        source::cancels(cx, function, awaited.start())
            .into_iter()
            .any(|cancel| {
                child::path(&cancel.value) == task
                    || task
                        .as_ref()
                        .is_some_and(|task| child::keys(cx, &cancel.value).contains(task))
            })
    })
}

/// Whether a cancellation that the `await` raises is caught.
pub(super) fn is_guarded<'a>(cx: &Context<'a, '_>, node: impl Into<AnyNodeRef<'a>>) -> bool {
    cx.module
        .blocks(node.into())
        .into_iter()
        .any(|block| match block {
            Block::Try(stmt, TryPart::Body) => stmt.handlers.iter().any(|handler| {
                let ExceptHandler::ExceptHandler(handler) = handler;
                caught::by(cx, handler.type_.as_deref()).is_some()
            }),
            Block::With(with) => suppressed(cx, with).is_some(),
            _ => false,
        })
}
