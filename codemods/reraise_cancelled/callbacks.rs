//! Callbacks that look at how a task ended.

use engine::Context;
use python::ast::{
    AnyNodeRef, Expr, ExprAttribute, ExprCall, ExprLambda, Parameters, StmtFunctionDef,
};

use super::{awaiters, source};

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
            _ => source::path(expr).is_some_and(|it| it == *path),
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

fn callback<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<Callback<'a>> {
    match expr {
        Expr::Lambda(lambda) => Some(Callback::Lambda(lambda)),
        Expr::Name(_) | Expr::Attribute(_) => {
            cx.module.function_definition(expr).map(Callback::Function)
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
