//! Coroutines above which there is nobody who expects a cancellation.

use engine::{Context, Refusal, is_command, withheld};
use python::ast::{
    AnyNodeRef, ExceptHandler, ExceptHandlerExceptHandler, Expr, ExprCall, StmtFunctionDef,
};

use super::child;

/// Withheld where the coroutine is what the program, or a test, runs first.
pub fn check<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
) -> Result<(), Refusal> {
    let name = coroutine.name.as_str();
    if is_test(name) || cx.has_tests() {
        return Err(Refusal::NotOurs); // that it swallows the cancellation may be what they test
    }
    if is_main(name)
        || is_command(coroutine)
        || catches_interrupt(cx, handler)
        || is_run(cx, coroutine)
        || cx.settings.entry_points.iter().any(|it| it == name)
    {
        return Err(withheld!(
            "`{name}` is where the program starts, and a cancellation that leaves it ends the program with a traceback and exit status 1: re-raise by hand if that is wanted"
        ));
    }
    Ok(())
}

fn is_test(name: &str) -> bool {
    name.starts_with("test_") || matches!(name, "test" | "asyncSetUp" | "asyncTearDown")
}

fn is_main(name: &str) -> bool {
    matches!(
        name.trim_matches('_'),
        "main" | "amain" | "async_main" | "main_async"
    )
}

/// `except (asyncio.CancelledError, KeyboardInterrupt)`, or a clause beside it: whoever thinks of
/// Ctrl-C is where it ends.
fn catches_interrupt<'a>(cx: &Context<'a, '_>, handler: &'a ExceptHandlerExceptHandler) -> bool {
    let is_interrupt = |expr: &'a Expr| cx.module.refers_to(expr, "builtins.KeyboardInterrupt");
    let names_it = |handler: &'a ExceptHandlerExceptHandler| match handler.type_.as_deref() {
        Some(Expr::Tuple(types)) => types.elts.iter().any(is_interrupt),
        Some(single) => is_interrupt(single),
        None => false,
    };
    let Some(AnyNodeRef::StmtTry(stmt)) = cx.module.parent(handler) else {
        return false;
    };
    stmt.handlers.iter().any(|other| {
        let ExceptHandler::ExceptHandler(other) = other;
        names_it(other)
    })
}

/// Whether `asyncio.run` or the like is given a call of the coroutine in this module.
fn is_run<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> bool {
    let module = cx.module;
    module.calls().iter().any(|call| {
        is_runner(cx, call)
            && call
                .arguments
                .args
                .first()
                .is_some_and(|argument| is_call_of(cx, coroutine, argument))
    })
}

/// `asyncio.run(...)`, `loop.run_until_complete(...)`, `runner.run(...)`, `anyio.run(...)`, and
/// `loop.run_sync(...)` of tornado.
fn is_runner<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    match &*call.func {
        Expr::Attribute(method) => {
            matches!(
                method.attr.as_str(),
                "run_until_complete" | "run_sync" | "run"
            )
        }
        func => ["asyncio.run", "anyio.run", "trio.run", "uvloop.run"]
            .iter()
            .any(|name| cx.module.refers_to(func, name)),
    }
}

/// Whether `argument` is the coroutine's function or a call of it, directly or through functions
/// of asyncio that pass a cancellation on.
fn is_call_of<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    argument: &'a Expr,
) -> bool {
    let module = cx.module;
    let is_it = |func: &'a Expr| child::is_function(cx, coroutine, func);
    let Expr::Call(call) = argument else {
        // `anyio.run(main)` takes the function.
        return is_it(argument);
    };
    if is_it(&call.func) {
        return true;
    }
    let passes = module.qualified_name(&call.func).is_some_and(|name| {
        matches!(
            name.as_str(),
            "asyncio.wait_for"
                | "asyncio.gather"
                | "asyncio.shield"
                | "asyncio.create_task"
                | "asyncio.ensure_future"
        )
    });
    passes
        && call
            .arguments
            .args
            .iter()
            .any(|inner| is_call_of(cx, coroutine, inner))
}
