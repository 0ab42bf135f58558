//! Callbacks that look at how a task ended.

use std::collections::HashSet;
use std::sync::Arc;

use engine::{Context, Summary};
use python::BindingKind;
use python::ast::{
    AnyNodeRef, Expr, ExprAttribute, ExprCall, ExprLambda, Parameters, StmtFunctionDef,
};

use super::{awaiters, child};

/// A function that gets the task when it is done, and asks for its result or exception without
/// looking whether it was cancelled.
#[derive(Clone, Copy)]
enum Callback<'a> {
    Lambda(&'a ExprLambda),
    Function(&'a StmtFunctionDef),
}

/// The text of a callback that is given one of these tasks, by `task.add_done_callback(callback)`
/// or beside it, and that would raise its cancellation.
pub fn looks_at_result<'a>(cx: &Context<'a, '_>, tasks: &[(&'a Expr, String)]) -> Option<&'a str> {
    let is_task = |expr: &'a Expr| {
        tasks.iter().any(|(target, path)| match (target, expr) {
            (Expr::Name(target), Expr::Name(name)) => {
                cx.module.symbol_id(target) == cx.module.symbol_id(name)
            }
            _ => child::path(expr).is_some_and(|it| it == *path),
        })
    };
    let gets_task = |call: &&'a ExprCall| {
        let is_receiver = match &*call.func {
            Expr::Attribute(method) => {
                method.attr.as_str() == "add_done_callback" && is_task(&method.value)
            }
            _ => false,
        };
        is_receiver || call.arguments.args.iter().any(is_task)
    };
    let calls = cx.module.calls().iter().copied().filter(gets_task);
    calls
        .flat_map(|call| &call.arguments.args)
        .find(|argument| callback(cx, argument).is_some_and(|it| raises(cx, it)))
        .map(|argument| cx.module.first_line(argument))
}

/// The text of a function of the run that is given the coroutine which `call` makes, and has
/// something look at how its task ended: `spawn` in `spawn(work())`.
pub fn wrapper_looks<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<&'a str> {
    let AnyNodeRef::Arguments(arguments) = cx.module.parent(call)? else {
        return None;
    };
    let AnyNodeRef::ExprCall(outer) = cx.module.parent(arguments)? else {
        return None;
    };
    let looks = if let Some(function) = cx.module.function_definition(&outer.func) {
        looks_at_task(cx, function)
    } else {
        let name = cx.module.qualified_name(&outer.func)?;
        let found = cx.elsewhere(None, &name, summarise)?;
        let names = found.summary.downcast_ref::<HashSet<String>>()?;
        names.contains(&found.name)
    };
    looks.then(|| cx.module.first_line(&*outer.func))
}

/// The functions of a module that have a callback look at how a task ended.
fn summarise(cx: &Context<'_, '_>) -> Summary {
    let names = cx.module.globals().filter_map(|symbol| {
        let [binding] = symbol.bindings.as_slice() else {
            return None;
        };
        let BindingKind::Function(function) = binding.kind else {
            return None;
        };
        looks_at_task(cx, function).then(|| symbol.name.to_string())
    });
    Arc::new(names.collect::<HashSet<String>>())
}

/// Whether a function adds a callback to a task that would raise its cancellation.
fn looks_at_task<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    cx.module.calls_in(function).iter().any(|call| {
        let adds = matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "add_done_callback");
        let mut arguments = call.arguments.args.iter();
        adds && arguments.any(|it| callback(cx, it).is_some_and(|it| raises(cx, it)))
    })
}

fn callback<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<Callback<'a>> {
    match expr {
        Expr::Lambda(lambda) => Some(Callback::Lambda(lambda)),
        Expr::Name(_) | Expr::Attribute(_) => {
            cx.module.function_definition(expr).map(Callback::Function)
        }
        // `functools.partial(done, name)`
        Expr::Call(call) if cx.module.refers_to(&call.func, "functools.partial") => {
            call.arguments.args.first().and_then(|it| callback(cx, it))
        }
        _ => None,
    }
}

fn raises<'a>(cx: &Context<'a, '_>, callback: Callback<'a>) -> bool {
    let (node, parameters) = match callback {
        Callback::Lambda(lambda) => (AnyNodeRef::from(lambda), lambda.parameters.as_deref()),
        Callback::Function(function) => (function.into(), Some(&*function.parameters)),
    };
    let names: Vec<&str> = parameters
        .into_iter()
        .flat_map(Parameters::iter_non_variadic_params)
        .map(|parameter| parameter.name().as_str())
        .collect();
    let of_task = |node: AnyNodeRef<'a>| match node {
        AnyNodeRef::ExprAttribute(attribute) => match &*attribute.value {
            Expr::Name(name) if names.contains(&name.id.as_str()) => Some(attribute),
            _ => None,
        },
        _ => None,
    };
    let looked_at: Vec<&'a ExprAttribute> =
        cx.module.descendants(node).filter_map(of_task).collect();
    let is_called = |name: &str| looked_at.iter().any(|it| it.attr.as_str() == name);
    !is_called("cancelled")
        && looked_at.iter().any(|attribute| {
            matches!(attribute.attr.as_str(), "result" | "exception")
                && !awaiters::is_guarded(cx, *attribute)
        })
}
