//! Coroutines that a limit would keep from ever ending, or that have begun before it.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, StmtFunctionDef};
use python::{BindingKind, Ranged, ScopeKind};

use super::lists::{Element, Within};

/// What makes something run at once, whatever it is called on.
const STARTERS: &[&str] = &[
    "create_task",
    "ensure_future",
    "run_coroutine_threadsafe",
    "run_in_executor",
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
        } else if let Some(awaited) = waits_for(cx, None, call) {
            return Err(withheld!(
                "they only wait for what `{awaited}` and the like do, which no semaphore around the waiting limits: limit that where it is done"
            ));
        }
    }
    Ok(())
}

fn starts(call: &ExprCall) -> bool {
    let name = match &*call.func {
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Name(name) => name.id.as_str(),
        _ => return false,
    };
    STARTERS.iter().any(|it| name.ends_with(it))
}

/// Whether a coroutine may wait for what another of its kind does, or run for ever.
fn check_function<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Result<(), Refusal> {
    for node in cx.module.descendants(function) {
        match node {
            AnyNodeRef::ExprAwait(awaited) => {
                if let Expr::Call(call) = &*awaited.value
                    && let Some(awaited) = waits_for(cx, Some(function), call)
                {
                    return Err(withheld!(
                        "`{}` waits for `{awaited}`: if another of the coroutines has to end that, a limit is a deadlock; decide whether one can",
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

/// The event, queue, condition or barrier of others that `call`, which is awaited, waits for.
///
/// Of others: not an own one of the function that awaits it, if that is known.
fn waits_for<'a>(
    cx: &Context<'a, '_>,
    function: Option<&'a StmtFunctionDef>,
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
    // Of what is not seen, `get` may be a request.
    if function.is_none()
        && method.attr.as_str() == "get"
        && !text.to_ascii_lowercase().contains("queue")
    {
        return None;
    }
    let is_process = function.is_some() && text.to_ascii_lowercase().contains("proc");
    let own = match receiver {
        Expr::Name(name) => cx.module.symbol(name).is_some_and(|symbol| {
            let is_own = matches!(cx.module.scope_data(symbol.scope).kind,
                ScopeKind::Function(owner) if function.is_some_and(|it| owner.range() == it.range()));
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
