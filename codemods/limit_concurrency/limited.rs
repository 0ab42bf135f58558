//! Whether something limits the coroutines already: this codemod's own wrapper, or another.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, ExprCall, StmtFunctionDef};
use python::{BindingKind, Ranged};

use super::elsewhere::{self, Against};
use super::fanout::has;

/// Whether the coroutine that `element` makes waits for a semaphore of its own, or is given one, or
/// needs none.
pub(super) fn is_limited<'a>(cx: &Context<'a, '_>, element: &'a Expr) -> bool {
    waits_for_threads(cx, element)
        || cx.module.calls_in(element).iter().any(|call| {
            is_limited_function(cx, &call.func)
                || call.arguments.iter_source_order().any(|argument| {
                    let value = argument.value();
                    matches!(value, Expr::Name(_) | Expr::Attribute(_)) && is_limiter(cx, value)
                })
        })
}

/// Whether a call of `func` runs a function of this run that waits for a semaphore.
pub(super) fn is_limited_function<'a>(cx: &Context<'a, '_>, func: &'a Expr) -> bool {
    let function = cx.module.function_definition(func);
    function.is_some_and(|function| waits_for_limiter(cx, function))
        || elsewhere::against(cx, func) == Some(Against::Limited)
}

/// Whether a coroutine function of this run only waits for threads, or for nothing at all.
pub(super) fn needs_no_limit<'a>(cx: &Context<'a, '_>, func: &'a Expr) -> bool {
    let function = cx.module.coroutine_function(func);
    function.is_some_and(|function| is_threads_only(cx, function))
        || elsewhere::against(cx, func) == Some(Against::WaitsForNothing)
}

/// Whether what `element` gives only waits for threads, of which the executor has so many and no
/// more, or for nothing at all: it ends before the next one begins.
fn waits_for_threads<'a>(cx: &Context<'a, '_>, element: &'a Expr) -> bool {
    let Expr::Call(call) = element else {
        return false;
    };
    if cx.module.refers_to(&call.func, "asyncio.wait_for") {
        let inner = call.arguments.args.first();
        return inner.is_some_and(|inner| waits_for_threads(cx, inner));
    }
    is_thread_call(cx, call) || needs_no_limit(cx, &call.func)
}

/// Methods of asynchronous paths. Files have no asynchronous interface: all that wrap them run their
/// calls in threads.
const OF_PATHS: &[&str] = &[
    "is_dir",
    "is_file",
    "isdir",
    "isfile",
    "read_bytes",
    "read_text",
    "write_bytes",
    "write_text",
];

/// `asyncio.to_thread(...)`, `loop.run_in_executor(...)`, and what libraries have in their place:
/// `run_in_executor(None, ...)`, `hass.async_add_executor_job(...)`, `anyio.Path(path).is_file()`.
fn is_thread_call<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let name = match &*call.func {
        Expr::Attribute(method) => method.attr.as_str(),
        Expr::Name(name) => name.id.as_str(),
        _ => return false,
    };
    cx.module.refers_to(&call.func, "asyncio.to_thread")
        || name.split('_').any(|word| word == "executor")
        || OF_PATHS.contains(&name)
}

pub(super) fn is_threads_only<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    let module = cx.module;
    let own = module.id(function);
    let is_own = |node: AnyNodeRef<'a>| {
        module
            .function(node)
            .is_some_and(|around| module.id(around) == own)
    };
    module.descendants(function).all(|node| match node {
        AnyNodeRef::ExprAwait(awaited) => {
            let is_thread = matches!(&*awaited.value, Expr::Call(call) if is_thread_call(cx, call));
            is_thread || !is_own(node)
        }
        AnyNodeRef::StmtFor(stmt) => !stmt.is_async || !is_own(node),
        AnyNodeRef::StmtWith(stmt) => !stmt.is_async || !is_own(node),
        AnyNodeRef::Comprehension(clause) => !clause.is_async || !is_own(node),
        _ => true,
    })
}

/// Whether a function itself lets so many through and no more, or one at a time, or is made to by a
/// decorator; or gives what it gave before.
pub(super) fn limits_itself<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    const WORDS: &[&str] = &[
        "cache",
        "cached",
        "concurrency",
        "limit",
        "limited",
        "limiter",
        "lock",
        "once",
        "ratelimit",
        "semaphore",
        "serialize",
        "singleton",
        "throttle",
        "throttled",
    ];
    let decorated = function
        .decorator_list
        .iter()
        .any(|it| has(cx.module.text(&it.expression), WORDS));
    decorated
        || cx
            .module
            .descendants(function)
            .any(|node| is_limit(cx, node) || is_lock(cx, node))
}

/// `async with lock:` and `async with self.pool.acquire():` around what waits.
fn is_lock<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    const WORDS: &[&str] = &["lock", "mutex", "pool", "slot", "permit"];
    let AnyNodeRef::StmtWith(with) = node else {
        return false;
    };
    let waits = || {
        with.body.iter().any(|stmt| {
            cx.module
                .descendants(stmt)
                .any(|node| matches!(node, AnyNodeRef::ExprAwait(_)))
        })
    };
    with.is_async
        && with
            .items
            .iter()
            .any(|item| has(cx.module.text(&item.context_expr), WORDS))
        && waits()
}

pub(super) fn waits_for_limiter<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    limits(cx, function, 0)
}

/// Functions that call each other are followed no further than this.
const DEPTH: usize = 4;

/// The same, also through functions of this module that it awaits.
fn limits<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, depth: usize) -> bool {
    depth < DEPTH
        && cx.module.descendants(function).any(|node| {
            is_limit(cx, node)
                || match node {
                    AnyNodeRef::ExprAwait(awaited) => match &*awaited.value {
                        Expr::Call(call) => cx
                            .module
                            .coroutine_function(&call.func)
                            .is_some_and(|inner| limits(cx, inner, depth + 1)),
                        _ => false,
                    },
                    _ => false,
                }
        })
}

/// `async with semaphore:`, `await semaphore.acquire()`
fn is_limit<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    match node {
        AnyNodeRef::StmtWith(with) => {
            with.is_async
                && with
                    .items
                    .iter()
                    .any(|item| is_limiter(cx, &item.context_expr))
        }
        AnyNodeRef::ExprAwait(awaited) => match &*awaited.value {
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) => {
                    method.attr.as_str() == "acquire" && is_limiter(cx, &method.value)
                }
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

/// A semaphore, or what is called like one: `sem`, `self._semaphore`, `limiter`, `throttler`.
fn is_limiter<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    let is_called_so = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.split('_').any(|word| word == "sem")
            || ["semaphore", "limiter", "throttle"]
                .iter()
                .any(|it| name.contains(it))
    };
    match expr {
        Expr::Name(name) => {
            let made = cx.module.only_binding(name).map(|binding| binding.kind);
            let is_made_so = match made {
                Some(BindingKind::Value(Expr::Call(call))) => {
                    let made = cx.module.text(call.func.range()).to_ascii_lowercase();
                    ["semaphore", "limiter"].iter().any(|it| made.ends_with(it))
                }
                _ => false,
            };
            is_made_so || is_called_so(&name.id)
        }
        Expr::Attribute(attribute) => is_called_so(&attribute.attr),
        Expr::Subscript(subscript) => is_limiter(cx, &subscript.value),
        Expr::Call(call) => is_limiter(cx, &call.func),
        _ => false,
    }
}
