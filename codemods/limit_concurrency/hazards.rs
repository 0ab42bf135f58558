//! Coroutines that a limit would keep from ever ending, or that have begun before it.

use engine::{Context, Refusal, cleans_up, withheld};
use python::ast::{AnyNodeRef, Expr, ExprAwait, ExprCall, Stmt, StmtFunctionDef};
use python::{BindingKind, Block, Ranged, ScopeKind, TryPart};

use super::fanout::{SETS_UP, has};
use super::lists::{Element, Within};

/// What makes something run at once, whatever it is called on.
const STARTERS: &[&str] = &[
    "create_task",
    "ensure_future",
    "run_coroutine_threadsafe",
    "shield",
    "start_soon",
    "submit",
    "wrap_future",
];

pub(super) fn check<'a>(cx: &Context<'a, '_>, element: &Element<'a>) -> Result<(), Refusal> {
    if let Within::Map(_) = element.within {
        return match cx.module.coroutine_function(element.expr) {
            Some(function) => check_function(cx, function),
            None => Err(withheld!(
                "`{}` is not known to be a coroutine function, and what it gives may run already: write a comprehension of coroutines",
                cx.module.first_line(element.expr)
            )),
        };
    }
    for call in cx.module.calls_in(element.expr) {
        if starts(call) {
            return Err(withheld!(
                "`{}` makes it run at once, and no semaphore around what awaits it limits that: gather the coroutines themselves",
                cx.module.first_line(&*call.func)
            ));
        }
        if let Some(function) = cx.module.coroutine_function(&call.func) {
            check_function(cx, function)?;
        }
    }
    Ok(())
}

pub(super) fn starts(call: &ExprCall) -> bool {
    let name = match &*call.func {
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Name(name) => name.id.as_str(),
        _ => return false,
    };
    STARTERS.iter().any(|it| name.ends_with(it))
}

/// Whether the place of a gather says that all of them are to run at a time: it is a test, or starts
/// or ends the program, or a comment says so.
pub(super) fn is_meant<'a>(
    cx: &Context<'a, '_>,
    around: Option<&'a StmtFunctionDef>,
    gather: &'a ExprCall,
) -> bool {
    let module = cx.module;
    let statement = module.statement(gather).range();
    cx.has_tests()
        || around.is_some_and(|it| cleans_up(&it.name) || has(&it.name, SETS_UP))
        || module
            .comments_about(statement)
            .any(|comment| says_at_a_time(&comment.to_lowercase()))
}

/// Those beyond the limit may not be in time.
pub(super) fn check_time<'a>(cx: &Context<'a, '_>, gather: &'a ExprCall) -> Result<(), Refusal> {
    if let Some(limit) = time_limit(cx, gather) {
        return Err(withheld!(
            "`{limit}` gives all of them together so much time, and with a limit they need more: give each of them a time limit"
        ));
    }
    Ok(())
}

/// Whether a comment says that all run at a time. That they run in parallel they still do with a
/// limit, unless it says why, or that they are few.
fn says_at_a_time(comment: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|it| comment.contains(it));
    has(&["at once", "at the same time", "simultaneous", "together"])
        || has(&["parallel", "concurrent"])
            && has(&[
                "at most",
                "because",
                "deliberate",
                "few",
                "intention",
                "no limit",
                "on purpose",
                "safe",
                "since",
                "small",
                "so that",
                "to avoid",
                "unbounded",
                "unlimited",
            ])
}

/// Whether the coroutine gathers calls of itself, or of a function that calls itself: what these
/// start has another semaphore, or none.
pub(super) fn check_recursion<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    element: &Element<'a>,
) -> Result<(), Refusal> {
    let module = cx.module;
    let calls_itself = module.calls_in(element.expr).iter().any(|call| {
        module
            .function_definition(&call.func)
            .is_some_and(|function| {
                let calls_back = || {
                    module.calls_in(function).iter().any(|inner| {
                        module.function_definition(&inner.func).is_some_and(|it| {
                            let id = module.id(it);
                            // One that calls itself once has the place of the first.
                            id == module.id(function) && is_one_of_many(cx, inner)
                                || id == module.id(coroutine)
                        })
                    })
                };
                module.id(function) == module.id(coroutine) || calls_back()
            })
    });
    if calls_itself {
        return Err(withheld!(
            "`{}` gathers what calls itself, of which a limit here holds for the first alone: limit what does the work",
            coroutine.name
        ));
    }
    Ok(())
}

/// Whether a call is made with others that run at the same time: `gather(f(x), f(y))`.
fn is_one_of_many<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    !matches!(cx.module.parent(call), Some(AnyNodeRef::ExprAwait(_)))
}

/// What limits the time of the whole gather: `asyncio.wait_for(gather(...), 5)`, `timeout(5)`.
fn time_limit<'a>(cx: &Context<'a, '_>, gather: &'a ExprCall) -> Option<&'a str> {
    const BLOCKS: &[&str] = &["timeout", "timeout_at", "fail_after", "move_on_after"];
    let module = cx.module;
    let statement = module.statement(gather);
    let waits = module
        .ancestors(gather)
        .take_while(|around| !around.ptr_eq(statement))
        .find_map(|around| match around {
            AnyNodeRef::ExprCall(call)
                if module.refers_to(&call.func, "asyncio.wait_for")
                    || module.refers_to(&call.func, "asyncio.wait") =>
            {
                Some(&*call.func)
            }
            _ => None,
        });
    let limits = || {
        module
            .blocks(gather)
            .into_iter()
            .find_map(|block| match block {
                Block::With(with) => with.items.iter().find_map(|item| match &item.context_expr {
                    Expr::Call(call)
                        if last_name(&call.func).is_some_and(|it| BLOCKS.contains(&it)) =>
                    {
                        Some(&*call.func)
                    }
                    _ => None,
                }),
                _ => None,
            })
    };
    waits.or_else(limits).map(|func| module.first_line(func))
}

/// The last part of the name of what is called.
fn last_name(func: &Expr) -> Option<&str> {
    match func {
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        Expr::Name(name) => Some(name.id.as_str()),
        _ => None,
    }
}

/// Whether the coroutines that are made for a list are seen to wait for each other at a barrier: with a
/// limit added by hand, they would do so for ever.
pub(super) fn wait_for_others<'a>(cx: &Context<'a, '_>, element: &Element<'a>) -> bool {
    let module = cx.module;
    let is_barrier = |awaited: &str| awaited.to_ascii_lowercase().contains("barrier");
    let awaits_others = |function: &'a StmtFunctionDef| {
        module.descendants(function).any(|node| match node {
            AnyNodeRef::ExprAwait(awaited) => matches!(&*awaited.value, Expr::Call(call)
                if waits_for(cx, function, call).is_some_and(is_barrier)),
            _ => false,
        })
    };
    let calls = module.calls_in(element.expr).iter();
    calls
        .filter_map(|call| module.coroutine_function(&call.func))
        .any(awaits_others)
}

/// Whether tasks are made, all at once, of a coroutine function that returns something and waits for
/// nothing: it stands for one that does.
pub(super) fn starts_stubs<'a>(cx: &Context<'a, '_>, element: &Element<'a>) -> bool {
    let module = cx.module;
    let is_stub = |function: &'a StmtFunctionDef| {
        let waits = |node| {
            matches!(
                node,
                AnyNodeRef::ExprAwait(_) | AnyNodeRef::StmtWith(_) | AnyNodeRef::StmtFor(_)
            )
        };
        matches!(function.body.last(), Some(Stmt::Return(_)))
            && !module.descendants(function).any(waits)
    };
    let calls = module.calls_in(element.expr);
    calls.iter().any(|call| starts(call))
        && calls
            .iter()
            .filter_map(|call| module.coroutine_function(&call.func))
            .any(is_stub)
}

/// Whether a coroutine may wait for what another of its kind does, or run for ever.
fn check_function<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Result<(), Refusal> {
    for node in cx.module.descendants(function) {
        match node {
            AnyNodeRef::ExprAwait(awaited) => {
                if let Expr::Call(call) = &*awaited.value
                    && let Some(awaited) = waits_for(cx, function, call)
                {
                    return Err(withheld!(
                        "`{}` waits for `{awaited}`: if another of the coroutines has to end that, a limit is a deadlock; decide whether one can",
                        function.name
                    ));
                }
                if let Some(delay) = delay(cx, function, awaited) {
                    return Err(withheld!(
                        "`{}` sleeps for `{delay}`, which would begin later for those beyond the limit: decide whether they have to run at a time",
                        function.name
                    ));
                }
            }
            AnyNodeRef::StmtWhile(stmt) if matches!(&*stmt.test, Expr::BooleanLiteral(literal) if literal.value) =>
            {
                let leaves = cx.module.descendants(stmt).any(|node| {
                    matches!(node, AnyNodeRef::StmtBreak(_) | AnyNodeRef::StmtReturn(_))
                });
                if !leaves {
                    return Err(withheld!(
                        "`{}` may run for ever, so that those beyond the limit would never start: decide whether they have to run at a time",
                        function.name
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The parameter that a coroutine sleeps for, once: a delay that is counted from the call.
fn delay<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    awaited: &'a ExprAwait,
) -> Option<&'a str> {
    let module = cx.module;
    let Expr::Call(call) = &*awaited.value else {
        return None;
    };
    let [Expr::Name(name)] = &*call.arguments.args else {
        return None;
    };
    let is_delay = module.refers_to(&call.func, "asyncio.sleep")
        && module
            .only_binding(name)
            .is_some_and(|binding| matches!(binding.kind, BindingKind::Parameter));
    // Between two attempts it is another matter.
    let is_once = module.blocks(awaited).into_iter().all(|block| {
        !matches!(
            block,
            Block::For(_) | Block::While(_) | Block::Try(_, TryPart::Handler(_))
        )
    });
    let is_own = module
        .function(awaited)
        .is_some_and(|it| module.id(it) == module.id(function));
    (is_delay && is_once && is_own).then_some(name.id.as_str())
}

/// The event, queue, condition or barrier of others that `call`, which is awaited, waits for.
///
/// Of others: not an own one of the function that awaits it.
fn waits_for<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    call: &'a ExprCall,
) -> Option<&'a str> {
    let Expr::Attribute(method) = &*call.func else {
        return None;
    };
    let waits = matches!(
        (method.attr.as_str(), call.arguments.len()),
        ("get" | "wait" | "join", 0) | ("wait_for", 1)
    );
    if !waits || cx.module.qualified_name(&call.func).is_some() {
        return None;
    }
    let receiver = &*method.value;
    let text = cx.module.first_line(receiver);
    let is_process = text.to_ascii_lowercase().contains("proc");
    let own = match receiver {
        Expr::Name(name) => cx.module.symbol(name).is_some_and(|symbol| {
            let is_own = matches!(cx.module.scope_data(symbol.scope).kind,
                ScopeKind::Function(owner) if owner.range() == function.range());
            is_own
                && symbol
                    .bindings
                    .iter()
                    .all(|binding| matches!(binding.kind, BindingKind::Value(_)))
        }),
        Expr::Attribute(_) | Expr::Subscript(_) => false,
        _ => true, // a new object
    };
    (!own && !is_process).then_some(text)
}
