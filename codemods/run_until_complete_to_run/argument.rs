//! What a run is given, and how it can be given to `asyncio.run`.

use engine::{Context, Refusal, withheld};
use python::ast::{self, AnyNodeRef, Expr, ExprCall};
use python::{Awaitable, BindingKind, Module, Ranged};
use types::Answer;

use super::uses::argument;

/// How a run's argument is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is: it is a coroutine.
    Direct,
    /// Awaited by a generated coroutine: it is a future, made by a call that needs a running loop.
    /// Evaluating it there, with the loop running, cannot be told from evaluating it before.
    Generated,
    /// The same, but with calls in it that could tell.
    GeneratedVisibly,
}

/// How the argument of the run `call` can be passed on.
pub fn form<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<Form, Refusal> {
    let module = cx.module;
    let Some(argument) = argument(call) else {
        return Err(Refusal::NotOurs); // fails today
    };
    let text = || text(module, argument);
    if let Some(keyword) = call.arguments.keywords.first() {
        return Err(withheld!(
            "`asyncio.run` has no such argument as `{}`: pass it by position",
            self::text(module, keyword)
        ));
    }
    let known = match argument {
        Expr::Call(inner) => match module.qualified_name(&inner.func).as_deref() {
            Some("asyncio.gather" | "asyncio.wait" | "asyncio.shield") => {
                gives_coroutines(cx, inner)
            }
            Some("asyncio.wait_for") => match inner.arguments.find_argument_value("fut", 0) {
                Some(awaited)
                    if cx.awaitable(awaited) == Awaitable::Coroutine
                        && awaited.is_call_expr()
                        && !is_wait(module, awaited) =>
                {
                    return Ok(Form::Direct);
                }
                Some(Expr::Call(awaited)) if is_future_maker(module, awaited) => {
                    gives_coroutines(cx, awaited)
                }
                _ => false,
            },
            Some("asyncio.ensure_future" | "asyncio.create_task") => {
                return Err(withheld!(
                    "`{}` is a task, and `asyncio.run` takes a coroutine: pass the coroutine itself",
                    text()
                ));
            }
            _ if cx.awaitable(argument) == Awaitable::Coroutine => return Ok(Form::Direct),
            _ => {
                if let Some(known) = known_otherwise(cx, argument) {
                    return Err(known);
                }
                return Err(withheld!(
                    "`{}` is not known to be a coroutine, and `asyncio.run` takes nothing else: if it is one, write `asyncio.run`; if it is a future, await it in a coroutine and run that",
                    text()
                ));
            }
        },
        _ => {
            return Err(withheld!(
                "`{}` may be a task or future of this loop, and `asyncio.run` takes a coroutine only: pass the call that gives the coroutine",
                text()
            ));
        }
    };
    if !known {
        return Err(withheld!(
            "`{}` may hold tasks or futures of this loop, which `asyncio.run` does not use: pass calls of coroutine functions",
            text()
        ));
    }
    check_movable(module, call, argument)?;
    Ok(if is_inert(module, argument) {
        Form::Generated
    } else {
        Form::GeneratedVisibly
    })
}

/// Why an argument that is no coroutine of this module is not passed on, if its type is known, or
/// why it is not.
fn known_otherwise(cx: &Context<'_, '_>, argument: &Expr) -> Option<Refusal> {
    let text = text(cx.module, argument);
    match cx.value(argument) {
        Answer::Value(value) => {
            let place = value.evidence.map(|place| format!(" ({place})"));
            Some(withheld!(
                "`{text}` is a `{}`, not a coroutine, and `asyncio.run` takes nothing else{}: await it in a coroutine and run that",
                value.shown,
                place.unwrap_or_default()
            ))
        }
        Answer::Unknown(reason) => Some(withheld!(
            "the type of `{text}` is unknown, and `asyncio.run` takes a coroutine: {}",
            reason?
        )),
        _ => None,
    }
}

/// Whether a call is what some `run_until_complete` awaits, alone or inside `wait_for` and the
/// like: its future belongs to that loop.
pub fn is_awaited_by_a_run<'a>(module: &Module<'a>, call: &'a ExprCall) -> bool {
    module.ancestors(call).any(|node| match node {
        AnyNodeRef::ExprCall(run) => {
            let is_run = matches!(&*run.func, Expr::Attribute(method) if method.attr.as_str() == "run_until_complete");
            is_run
                && matches!(argument(run), Some(Expr::Call(inner))
                    if is_future_maker(module, inner) || module.refers_to(&inner.func, "asyncio.wait_for"))
        }
        _ => false,
    })
}

/// The start of an expression, for messages.
pub fn text(module: &Module<'_>, node: impl Ranged) -> String {
    let text = module.text(node);
    let line = python::first_line(text);
    if line.len() < text.len() {
        format!("{}...", line.trim_end())
    } else {
        line.to_string()
    }
}

fn is_wait(module: &Module<'_>, expr: &Expr) -> bool {
    matches!(expr, Expr::Call(call) if module.refers_to(&call.func, "asyncio.wait"))
}

fn is_future_maker(module: &Module<'_>, call: &ExprCall) -> bool {
    matches!(
        module.qualified_name(&call.func).as_deref(),
        Some("asyncio.gather" | "asyncio.shield" | "asyncio.wait")
    )
}

/// Whether all that `gather`, `wait` or `shield` waits for is made when they are evaluated: calls
/// of coroutine functions, and tasks made of such. A task that is there already would belong to
/// another loop.
fn gives_coroutines<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let keywords = call.arguments.keywords.iter().all(|keyword| {
        keyword
            .arg
            .as_ref()
            .is_some_and(|name| name.as_str() != "loop")
    });
    let is_wait = module.refers_to(&call.func, "asyncio.wait");
    keywords
        && call
            .arguments
            .args
            .iter()
            .enumerate()
            .all(|(position, argument)| match argument {
                Expr::Starred(starred) => is_list_of_coroutines(cx, &starred.value),
                // The timeout and the like.
                _ if is_wait && position > 0 => true,
                _ if is_wait => is_list_of_coroutines(cx, argument),
                _ => is_made_here(cx, argument),
            })
}

/// `k()`, `asyncio.create_task(k())`, and the same inside further `gather`s.
fn is_made_here<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    let Expr::Call(call) = expr else {
        return false;
    };
    match cx.module.qualified_name(&call.func).as_deref() {
        Some("asyncio.ensure_future" | "asyncio.create_task") => call
            .arguments
            .args
            .first()
            .is_some_and(|inner| is_made_here(cx, inner)),
        Some("asyncio.wait_for") => call
            .arguments
            .args
            .first()
            .is_some_and(|inner| is_made_here(cx, inner)),
        Some("asyncio.gather" | "asyncio.shield" | "asyncio.wait") => gives_coroutines(cx, call),
        _ => cx.awaitable(expr) == Awaitable::Coroutine,
    }
}

fn is_list_of_coroutines<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    match expr {
        Expr::List(ast::ExprList { elts, .. })
        | Expr::Tuple(ast::ExprTuple { elts, .. })
        | Expr::Set(ast::ExprSet { elts, .. }) => elts.iter().all(|element| match element {
            Expr::Starred(starred) => is_list_of_coroutines(cx, &starred.value),
            _ => is_made_here(cx, element),
        }),
        Expr::ListComp(ast::ExprListComp { elt, .. })
        | Expr::SetComp(ast::ExprSetComp { elt, .. })
        | Expr::Generator(ast::ExprGenerator { elt, .. }) => is_made_here(cx, elt),
        Expr::Name(name) => is_name_of_coroutines(cx, name),
        _ => false,
    }
}

/// A name that is bound once, to a list of coroutines, and to which at most more are appended. They
/// were made outside of the loop: coroutines wait for one, tasks belong to one.
fn is_name_of_coroutines(cx: &Context<'_, '_>, name: &ast::ExprName) -> bool {
    let module = cx.module;
    let Some(symbol) = module.symbol(name) else {
        return false;
    };
    let [binding] = symbol.bindings.as_slice() else {
        return false;
    };
    let BindingKind::Value(value) = binding.kind else {
        return false;
    };
    let is_coroutines = match value {
        Expr::List(list) => list.elts.iter().all(|it| is_coroutine_call(cx, it)),
        Expr::ListComp(comprehension) => is_coroutine_call(cx, &comprehension.elt),
        _ => false,
    };
    is_coroutines
        && symbol.reads.iter().all(|read| {
            let read = module.node(*read);
            match module.parent(read) {
                Some(AnyNodeRef::ExprAttribute(method)) => match module.parent(method) {
                    Some(AnyNodeRef::ExprCall(call)) => {
                        method.attr.as_str() == "append"
                            && matches!(&*call.arguments.args, [element] if is_coroutine_call(cx, element))
                    }
                    _ => false,
                },
                _ => true,
            }
        })
}

fn is_coroutine_call(cx: &Context<'_, '_>, expr: &Expr) -> bool {
    expr.is_call_expr() && cx.awaitable(expr) == Awaitable::Coroutine
}

/// Whether evaluating `expr` runs no code that could see whether a loop runs: names, constants,
/// and calls that make coroutines and futures of such.
fn is_inert<'a>(module: &Module<'a>, expr: &'a Expr) -> bool {
    const INERT: &[&str] = &[
        "asyncio.create_task",
        "asyncio.ensure_future",
        "asyncio.gather",
        "asyncio.shield",
        "builtins.dict",
        "builtins.enumerate",
        "builtins.len",
        "builtins.list",
        "builtins.range",
        "builtins.reversed",
        "builtins.set",
        "builtins.sorted",
        "builtins.str",
        "builtins.tuple",
        "builtins.zip",
    ];
    module
        .descendants(AnyNodeRef::from(expr))
        .all(|node| match node {
            AnyNodeRef::ExprCall(call) => {
                module.awaitable_call(call) == Awaitable::Coroutine
                    || module
                        .qualified_name(&call.func)
                        .is_some_and(|name| INERT.contains(&name.as_str()))
            }
            _ => true,
        })
}

/// Whether the argument can be written into a coroutine beside the statement.
fn check_movable<'a>(
    module: &Module<'a>,
    call: &'a ExprCall,
    argument: &'a Expr,
) -> Result<(), Refusal> {
    for node in module.ancestors(call) {
        if node.is_statement() {
            break;
        }
        let comprehension = matches!(
            node,
            AnyNodeRef::ExprListComp(_)
                | AnyNodeRef::ExprSetComp(_)
                | AnyNodeRef::ExprDictComp(_)
                | AnyNodeRef::ExprGenerator(_)
        );
        if comprehension {
            return Err(withheld!(
                "`asyncio.run` takes a coroutine, and `{}` stands in a comprehension, where none can be defined: write a loop",
                text(module, argument)
            ));
        }
    }
    let bound = module.descendants(AnyNodeRef::from(argument)).any(|node| {
        match node {
            AnyNodeRef::ExprNamed(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => true,
            // Without arguments it needs the method's own frame.
            AnyNodeRef::ExprCall(call) => {
                matches!(&*call.func, Expr::Name(name) if matches!(name.id.as_str(), "super" | "locals" | "vars" | "eval"))
            }
            _ => false,
        }
    });
    if bound {
        return Err(withheld!(
            "`{}` means something else in a coroutine of its own, which `asyncio.run` needs: write that coroutine by hand",
            text(module, argument)
        ));
    }
    let inside = module.parenthesized(argument);
    let lost = module
        .comments(call.range())
        .iter()
        .any(|comment| !inside.contains_range(*comment));
    if lost {
        return Err(withheld!(
            "a comment stands between the parentheses of `run_until_complete` and its argument: move it out"
        ));
    }
    Ok(())
}
