//! How many elements a function is told to give, or is given by those who call it.

use engine::Context;
use python::ast::{AnyNodeRef, ArgOrKeyword, Expr, ExprCall, StmtFunctionDef};
use python::{ScopeKind, Symbol};

use super::number;

/// Whether a function is told how many there are to be: `async def search(query, max_pages=3)`.
pub(super) fn is_told_how_many(function: &StmtFunctionDef) -> bool {
    let mut parameters = function.parameters.iter_non_variadic_params();
    parameters.any(|it| {
        let name = it.name().as_str();
        // How large a batch is says nothing about how many there are.
        !name.ends_with("size") && is_number_of_elements(name)
    })
}

/// Whether a parameter of this name says how many of something there are to be.
fn is_number_of_elements(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "age",
        "attempts",
        "char",
        "chars",
        "delay",
        "depth",
        "errors",
        "iterations",
        "len",
        "length",
        "retries",
        "size",
        "time",
        "token",
        "tokens",
        "wait",
    ];
    let words: Vec<&str> = name.trim_start_matches('_').split('_').collect();
    let is_number = match words.as_slice() {
        ["k" | "n" | "limit" | "topk"] | ["top" | "n" | "num", _] => true,
        ["max" | "limit", ..] => true,
        [.., "limit"] => words.len() == 2,
        ["page" | "batch", "size"] => return true,
        _ => false,
    };
    is_number && !words.iter().any(|word| OTHERS.contains(word))
}

/// `search(query, max_results=5)`, `client.list(limit=limit)`: whoever calls it chose how many it
/// gives. So did whoever gave the function of this module a number that it takes where none is said.
pub(super) fn asks_for_few<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, limit: u64) -> bool {
    let is_few = |value: &'a Expr| match value {
        Expr::Call(call) => !cx.module.refers_to(&call.func, "builtins.len"),
        Expr::Subscript(_) => true,
        value => number::is_chosen(value, limit),
    };
    let is_said = call.arguments.keywords.iter().any(|keyword| {
        let name = keyword.arg.as_ref().map_or("", |name| name.as_str());
        is_number_of_elements(name) && is_few(&keyword.value)
    });
    is_said
        || cx
            .module
            .function_definition(&call.func)
            .is_some_and(|function| {
                let mut parameters = function.parameters.iter_non_variadic_params();
                parameters.any(|parameter| {
                    let name = parameter.name().as_str();
                    let is_number = !name.ends_with("size") && is_number_of_elements(name);
                    let value = || argument(cx, call, function, name).or(parameter.default());
                    is_number && value().is_some_and(is_few)
                })
            })
}

/// Whether all that a parameter is ever given are a few: the function is one that only this module
/// calls, by its name or because it stands in another one, or is called where the program starts.
pub(super) fn is_given_few<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>, left: usize) -> bool {
    let module = cx.module;
    let ScopeKind::Function(function) = module.scope_data(symbol.scope).kind else {
        return false;
    };
    let id = module.id(function);
    let calls: Vec<&ExprCall> = module
        .calls()
        .iter()
        .copied()
        .filter(|call| {
            // Most calls are of something else.
            let is_named_so = match &*call.func {
                Expr::Name(name) => name.id.as_str() == function.name.as_str(),
                Expr::Attribute(method) => method.attr.as_str() == function.name.as_str(),
                _ => false,
            };
            let called = || module.function_definition(&call.func);
            is_named_so && called().is_some_and(|it| module.id(it) == id)
        })
        .collect();
    let is_own = function.name.starts_with('_') && !function.name.starts_with("__")
        || module.function(function).is_some()
        || calls.iter().all(|call| module.function(*call).is_none());
    is_own
        && !calls.is_empty()
        && calls.iter().all(|call| {
            argument(cx, call, function, symbol.name)
                .is_some_and(|value| number::is_limited_in(cx, value, left))
        })
}

/// What a call gives for a parameter of the function that it runs.
fn argument<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    function: &'a StmtFunctionDef,
    name: &str,
) -> Option<&'a Expr> {
    let keyword = call.arguments.find_keyword(name);
    if let Some(keyword) = keyword {
        return Some(&keyword.value);
    }
    let is_method = matches!(
        cx.module.parent(function),
        Some(AnyNodeRef::StmtClassDef(_))
    ) && call.func.is_attribute_expr();
    let mut parameters = function.parameters.iter_non_variadic_params();
    let position = parameters.position(|it| it.name().as_str() == name)?;
    let position = position.checked_sub(usize::from(is_method))?;
    let before = call.arguments.iter_source_order().take(position + 1);
    if before
        .filter(|it| matches!(it, ArgOrKeyword::Arg(Expr::Starred(_))))
        .count()
        > 0
    {
        return None; // what is given where is not seen
    }
    call.arguments.args.get(position)
}
