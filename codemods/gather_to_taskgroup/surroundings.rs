//! Who around a gather relies on what it raised, or on its children going on.

use edit::Applicability;
use engine::{Context, Refusal, withheld};
use python::ast::{
    AnyNodeRef, ExceptHandler, ExceptHandlerExceptHandler, Expr, ExprCall, StmtFunctionDef,
    StmtWith,
};
use python::{BindingKind, Block, Ranged, TryPart};

use super::Gather;

/// What would happen to a handler of this exception.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Catches {
    /// It goes on catching what it caught: cancellation, Ctrl-C, groups.
    Same,
    /// It catches the group, since it catches everything.
    Everything,
    /// It would no longer catch what a child raises.
    NoLonger,
}

/// The applicability that the surroundings leave, or why they forbid the rewrite.
pub(super) fn check<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
) -> Result<Applicability, Refusal> {
    check_purpose(gather.coroutine)?;
    let unwrap = cx.option("exceptions") == "unwrap";
    let mut applicability = Applicability::Intended;
    // Whether a TimeoutError handler further out is there for a time limit.
    let mut limited = gather.timeout.is_some();
    // Whether what the group raises gets no further.
    let mut caught = false;
    for block in cx.module.blocks(gather.site) {
        match block {
            Block::Try(_, TryPart::Finally) => {
                return Err(withheld!(
                    "it stands in `finally`, where each part of the cleanup should be tried: decide whether one failure may cancel the others"
                ));
            }
            Block::Try(_, TryPart::Handler(_)) => {
                return Err(withheld!(
                    "it stands in an `except` clause, where each part of the cleanup should be tried: decide whether one failure may cancel the others"
                ));
            }
            Block::Try(stmt, TryPart::Body) if !stmt.is_star && !unwrap && !caught => {
                let found = check_handlers(cx, &stmt.handlers, limited)?;
                applicability = applicability.max(found);
                caught = stmt.handlers.iter().any(|handler| is_end(cx, handler));
            }
            Block::Try(stmt, TryPart::Body) if stmt.is_star => {
                applicability = Applicability::Unsafe;
            }
            Block::With(with) => {
                for call in contexts(cx, with, gather) {
                    let name = cx.module.qualified_name(&call.func);
                    match name.as_deref() {
                        Some(
                            "asyncio.timeout" | "asyncio.timeout_at" | "async_timeout.timeout",
                        ) => {
                            limited = true;
                        }
                        _ if !unwrap && !caught => {
                            let found = check_context(cx, call, name.as_deref(), limited)?;
                            applicability = applicability.max(found);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if !unwrap && !caught {
        check_framework(cx, gather.coroutine)?;
    }
    Ok(applicability)
}

/// Best-effort work: maintainers took the rewrite back where one failure then kept the other
/// parts from being closed.
fn check_purpose(coroutine: &StmtFunctionDef) -> Result<(), Refusal> {
    const CLEANUP: &[&str] = &[
        "aclose",
        "aexit",
        "cleanup",
        "close",
        "disconnect",
        "shutdown",
        "stop",
        "teardown",
    ];
    let name = coroutine.name.to_lowercase();
    let is_test = name.trim_start_matches('_').starts_with("test");
    let named_like = name.split('_').any(|word| CLEANUP.contains(&word))
        || name.ends_with("teardown")
        || name.contains("clean_up");
    if named_like && !is_test {
        return Err(withheld!(
            "`{}` looks like cleanup, where each part should be tried: decide whether one failure may cancel the others",
            coroutine.name
        ));
    }
    Ok(())
}

fn check_handlers<'a>(
    cx: &Context<'a, '_>,
    handlers: &'a [ExceptHandler],
    limited: bool,
) -> Result<Applicability, Refusal> {
    let mut applicability = Applicability::Intended;
    for handler in handlers {
        let ExceptHandler::ExceptHandler(handler) = handler;
        let mut everything = handler.type_.is_none();
        for caught in caught_types(handler.type_.as_deref()) {
            match catches(cx, caught, limited) {
                Catches::Same => applicability = Applicability::Unsafe,
                Catches::Everything => everything = true,
                Catches::NoLonger => {
                    return Err(withheld!(
                        "`except {}` would no longer catch what a child raises, which leaves as an ExceptionGroup: set `gather-to-taskgroup.exceptions = \"unwrap\"`, or write `except*` by hand",
                        cx.module.text(caught)
                    ));
                }
            }
        }
        if everything && uses_exception(cx, handler) {
            return Err(withheld!(
                "the handler uses the exception that it catches, which would be an ExceptionGroup: set `gather-to-taskgroup.exceptions = \"unwrap\"`"
            ));
        }
    }
    Ok(applicability)
}

/// Whether a handler catches what a child raises, and raises nothing itself.
fn is_end<'a>(cx: &Context<'a, '_>, handler: &'a ExceptHandler) -> bool {
    let ExceptHandler::ExceptHandler(handler) = handler;
    let types = caught_types(handler.type_.as_deref());
    let everything = handler.type_.is_none()
        || types
            .iter()
            .any(|caught| catches(cx, caught, false) == Catches::Everything);
    let raises = cx
        .module
        .descendants(handler)
        .any(|node| matches!(node, AnyNodeRef::StmtRaise(_)));
    everything && !raises
}

/// The types that an `except` clause or a call lists.
fn caught_types(types: Option<&Expr>) -> &[Expr] {
    match types {
        Some(Expr::Tuple(tuple)) => &tuple.elts,
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
}

fn catches<'a>(cx: &Context<'a, '_>, caught: &'a Expr, limited: bool) -> Catches {
    match cx.module.qualified_name(caught).as_deref() {
        Some("builtins.Exception" | "builtins.BaseException") => Catches::Everything,
        Some(
            "asyncio.CancelledError"
            | "builtins.KeyboardInterrupt"
            | "builtins.SystemExit"
            | "builtins.GeneratorExit"
            | "builtins.ExceptionGroup"
            | "builtins.BaseExceptionGroup",
        ) => Catches::Same,
        Some("builtins.TimeoutError" | "asyncio.TimeoutError") if limited => Catches::Same,
        _ => Catches::NoLonger,
    }
}

fn uses_exception<'a>(cx: &Context<'a, '_>, handler: &'a ExceptHandlerExceptHandler) -> bool {
    handler.name.as_deref().is_some_and(|name| {
        handler
            .body
            .iter()
            .any(|statement| cx.module.mentions(statement, name))
    })
}

/// The calls that make the context managers of a `with`: where they stand in it, where their names
/// are bound, and where an exit stack is given them before the gather.
fn contexts<'a>(
    cx: &Context<'a, '_>,
    with: &'a StmtWith,
    gather: &Gather<'a>,
) -> Vec<&'a ExprCall> {
    let mut contexts = Vec::new();
    for item in &with.items {
        let call = match &item.context_expr {
            Expr::Call(call) => call,
            Expr::Name(name) => match cx.module.only_binding(name).map(|binding| binding.kind) {
                Some(BindingKind::Value(Expr::Call(call))) => call,
                _ => continue,
            },
            _ => continue,
        };
        contexts.push(call);
        let is_stack = cx.module.qualified_name(&call.func).is_some_and(|name| {
            matches!(
                name.as_str(),
                "contextlib.ExitStack" | "contextlib.AsyncExitStack"
            )
        });
        if !is_stack {
            continue;
        }
        let calls = cx.module.calls().iter().copied();
        for entered in calls.take_while(|entered| entered.start() < gather.site.start()) {
            if let Expr::Attribute(method) = &*entered.func
                && matches!(
                    method.attr.as_str(),
                    "enter_context" | "enter_async_context"
                )
                && let Some(Expr::Call(context)) = entered.arguments.args.first()
                && cx.module.contains(with, entered)
            {
                contexts.push(context);
            }
        }
    }
    contexts
}

/// `with suppress(E)`, `with pytest.raises(E)`, `with self.assertRaises(E)` are handlers too.
fn check_context<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    name: Option<&str>,
    limited: bool,
) -> Result<Applicability, Refusal> {
    let suppresses = name == Some("contextlib.suppress");
    let asserts = matches!(name, Some("pytest.raises" | "pytest.warns"))
        || matches!(
            &*call.func,
            Expr::Attribute(method) if matches!(method.attr.as_str(), "assertRaises" | "assertRaisesRegex")
        );
    if !suppresses && !asserts {
        return Ok(Applicability::Intended);
    }
    let mut applicability = Applicability::Intended;
    let types = if suppresses {
        &*call.arguments.args
    } else {
        caught_types(call.arguments.args.first())
    };
    for caught in types {
        match catches(cx, caught, limited) {
            Catches::Same => applicability = Applicability::Unsafe,
            Catches::Everything if suppresses || call.arguments.len() == 1 => {}
            Catches::Everything | Catches::NoLonger => {
                return Err(withheld!(
                    "`{}` would no longer match what a child raises, which leaves as an ExceptionGroup: set `gather-to-taskgroup.exceptions = \"unwrap\"`",
                    cx.module
                        .text(call.range())
                        .lines()
                        .next()
                        .unwrap_or_default()
                ));
            }
        }
    }
    Ok(applicability)
}

/// Frameworks look at the type of what a handler raises: an `HTTPException` becomes a response, a
/// listed error is tried again. A group is none of these.
fn check_framework<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
) -> Result<(), Refusal> {
    const ROUTES: &[&str] = &[
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "options",
        "route",
        "api_route",
        "websocket",
        "exception_handler",
        "errorhandler",
        "middleware",
    ];
    const COMMANDS: &[&str] = &[
        "command",
        "group",
        "callback",
        "hybrid_command",
        "slash_command",
    ];
    const RETRIES: &[&str] = &[
        "retry",
        "on_exception",
        "on_predicate",
        "retrying",
        "retry_async",
    ];
    for decorator in &coroutine.decorator_list {
        let (called, func) = match &decorator.expression {
            Expr::Call(call) => (Some(call), &*call.func),
            other => (None, other),
        };
        let (last, is_method) = match func {
            Expr::Attribute(attribute) => (attribute.attr.as_str(), true),
            Expr::Name(name) => (name.id.as_str(), false),
            _ => continue,
        };
        let what = if RETRIES.contains(&last) {
            "decides by the type of an exception whether to try again"
        } else if is_method && called.is_some() && ROUTES.contains(&last) {
            "makes a response of the exception, by its type"
        } else if COMMANDS.contains(&last) {
            "reports an exception by its type"
        } else {
            continue;
        };
        return Err(withheld!(
            "`@{}` {what}, and would get an ExceptionGroup: set `gather-to-taskgroup.exceptions = \"unwrap\"`",
            cx.module.text(func)
        ));
    }
    Ok(())
}
