//! Who awaits the task that runs the coroutine, and does not expect its cancellation.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, ExceptHandler, Expr, ExprAwait, ExprCall, StmtFunctionDef};
use python::{Awaitable, Block, TryPart};

use super::{caught, source, suppressed};

/// Withheld where the module makes a task of the coroutine, cancels it and awaits it: the `await`
/// ended as if nothing was, and would raise the cancellation in whoever cancelled.
pub fn check<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> Result<(), Refusal> {
    let module = cx.module;
    let tasks: Vec<(&'a Expr, String)> = module
        .calls()
        .iter()
        .filter(|call| source::is_call_of(cx, coroutine, call))
        .filter_map(|call| target(cx, call))
        .filter_map(|target| Some((target, source::path(target)?)))
        .collect();
    if tasks.is_empty() {
        return Ok(());
    }
    for node in module.descendants(module.root()) {
        let AnyNodeRef::ExprAwait(awaited) = node else {
            continue;
        };
        let Some(operand) = source::raising(cx, &awaited.value) else {
            continue;
        };
        let same = tasks
            .iter()
            .any(|(target, path)| is_same(cx, target, path, operand));
        if same && is_cancelled_before(cx, awaited, operand) && !is_guarded(cx, awaited) {
            let task = module.text(operand);
            return Err(withheld!(
                "`{task}` is a task of this coroutine that is cancelled and then awaited, which would raise the cancellation there: write `await asyncio.wait([{task}])`, or catch it there"
            ));
        }
    }
    Ok(())
}

/// What a task of the coroutine that `call` makes is assigned to: `self.task` in
/// `self.task = asyncio.create_task(run())`.
fn target<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<&'a Expr> {
    let module = cx.module;
    let AnyNodeRef::Arguments(arguments) = module.parent(call)? else {
        return None;
    };
    let AnyNodeRef::ExprCall(maker) = module.parent(arguments)? else {
        return None;
    };
    // Also a function of the project's own that is called like asyncio's.
    let last = match &*maker.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(method) => method.attr.as_str(),
        _ => "",
    };
    let makes_task = matches!(last, "create_task" | "ensure_future");
    if !makes_task && module.awaitable_call(maker) != Awaitable::Task {
        return None;
    }
    match module.parent(maker)? {
        AnyNodeRef::StmtAssign(assign) => assign.targets.first(),
        AnyNodeRef::StmtAnnAssign(assign) => Some(&assign.target),
        AnyNodeRef::ExprNamed(named) => Some(&named.target),
        _ => None,
    }
}

fn is_same<'a>(cx: &Context<'a, '_>, target: &'a Expr, path: &str, operand: &'a Expr) -> bool {
    match (target, operand) {
        (Expr::Name(target), Expr::Name(operand)) => {
            cx.module.symbol_id(target) == cx.module.symbol_id(operand)
        }
        (Expr::Attribute(_), Expr::Attribute(_)) => {
            source::path(operand).is_some_and(|it| it == path)
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
    let task = source::path(operand);
    module.function(awaited).is_some_and(|function| {
        source::cancels(cx, function, python::Ranged::start(awaited))
            .into_iter()
            .any(|cancel| source::path(&cancel.value) == task)
    })
}

/// Whether a cancellation that the `await` raises is caught.
fn is_guarded<'a>(cx: &Context<'a, '_>, awaited: &'a ExprAwait) -> bool {
    cx.module
        .blocks(awaited)
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
