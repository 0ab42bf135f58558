//! Whether a coroutine waits at all: one that mostly gives what is there needs no limit.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, MatchCase, Stmt, StmtFunctionDef};

use super::elsewhere::{self, Against};
use super::limited;

/// Functions that call each other are followed no further than this.
const DEPTH: usize = 8;

/// Whether the coroutine that a call of `func` gives waits in any case, as far as is seen: what
/// mostly gives what is there would only be slowed down.
pub(super) fn waits_for_sure<'a>(cx: &Context<'a, '_>, func: &'a Expr) -> bool {
    match cx.module.coroutine_function(func) {
        // What never waits is looked at elsewhere.
        Some(function) => limited::is_threads_only(cx, function) || waits(cx, function, 0),
        None => elsewhere::against(cx, func) != Some(Against::WaitsSometimes),
    }
}

/// Whether a coroutine function waits, whichever way it takes. Leaving it early is another matter.
pub(super) fn waits<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, depth: usize) -> bool {
    depth >= DEPTH || suite_waits(cx, &function.body, depth) || ends_in_failure(cx, function, depth)
}

/// Whether a function comes to its end only by raising, and waits for all that it returns: one `if`
/// after the other with a `return await`, and `raise NotImplementedError`.
fn ends_in_failure<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, depth: usize) -> bool {
    let mut returns = cx
        .module
        .descendants(function)
        .filter_map(|node| match node {
            AnyNodeRef::StmtReturn(stmt) => Some(stmt),
            _ => None,
        });
    let waits = |stmt: AnyNodeRef<'a>| {
        let before = cx.module.siblings(stmt);
        awaits_in(cx, stmt, depth)
            || before.is_some_and(|(body, position)| suite_waits(cx, &body[..position], depth))
    };
    let some = returns.next();
    matches!(function.body.last(), Some(Stmt::Raise(_)))
        && some
            .into_iter()
            .chain(returns)
            .all(|stmt| waits(stmt.into()))
        && some.is_some()
}

fn suite_waits<'a>(cx: &Context<'a, '_>, suite: &'a [Stmt], depth: usize) -> bool {
    suite.iter().any(|stmt| statement_waits(cx, stmt, depth))
}

fn statement_waits<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt, depth: usize) -> bool {
    let suite = |body: &'a [Stmt]| suite_waits(cx, body, depth);
    let expr = |expr: &'a Expr| expression_waits(cx, expr, depth);
    match stmt {
        Stmt::If(stmt) => {
            let others = &stmt.elif_else_clauses;
            expr(&stmt.test)
                || suite(&stmt.body)
                    && others.last().is_some_and(|last| last.test.is_none())
                    && others.iter().all(|clause| suite(&clause.body))
        }
        Stmt::Match(stmt) => {
            let waits = |case: &'a MatchCase| suite(&case.body);
            expr(&stmt.subject) || stmt.cases.iter().all(waits)
        }
        Stmt::For(stmt) => stmt.is_async || expr(&stmt.iter) || suite(&stmt.body),
        Stmt::While(stmt) => expr(&stmt.test) || suite(&stmt.body),
        Stmt::With(stmt) => {
            stmt.is_async
                || stmt.items.iter().any(|item| expr(&item.context_expr))
                || suite(&stmt.body)
        }
        Stmt::Try(stmt) => suite(&stmt.body) || suite(&stmt.orelse) || suite(&stmt.finalbody),
        Stmt::FunctionDef(_) | Stmt::ClassDef(_) => false,
        // What such a statement holds are expressions.
        stmt => awaits_in(cx, stmt.into(), depth),
    }
}

fn expression_waits<'a>(cx: &Context<'a, '_>, expr: &'a Expr, depth: usize) -> bool {
    awaits_in(cx, expr.into(), depth)
}

/// Whether something is awaited in `root` in any case.
fn awaits_in<'a>(cx: &Context<'a, '_>, root: AnyNodeRef<'a>, depth: usize) -> bool {
    let module = cx.module;
    let is_conditional = |node: AnyNodeRef<'a>| {
        module
            .ancestors(node)
            .skip(1)
            .take_while(|around| module.contains(root, *around))
            .any(|around| match around {
                AnyNodeRef::ExprLambda(_) => true,
                AnyNodeRef::ExprIf(branch) => !module.contains(&*branch.test, node),
                _ => false,
            })
    };
    module.descendants(root).any(|node| match node {
        AnyNodeRef::Comprehension(clause) => clause.is_async,
        AnyNodeRef::ExprAwait(awaited) if !is_conditional(node) => match &*awaited.value {
            Expr::Call(call) => module
                .coroutine_function(&call.func)
                .is_none_or(|function| waits(cx, function, depth + 1)),
            _ => true,
        },
        _ => false,
    })
}
