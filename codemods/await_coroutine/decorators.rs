//! What a decorator makes of a coroutine function, where its own code shows it.
//!
//! A decorator of which nothing is seen, and of which types tell nothing, may do anything: what it
//! decorates is withheld. No decorator is known here by its name.

use std::collections::HashSet;
use std::sync::Arc;

use engine::{Context, Summary};
use python::ast::{AnyNodeRef, Expr, ExprName, StmtFunctionDef};
use python::{BindingKind, ScopeKind};

/// Whether a decorator, of this module or of another one in the run, puts a plain function in the
/// place of what it decorates, which sees to it that the coroutine runs.
pub fn gives_plain<'a>(cx: &Context<'a, '_>, decorator: &'a Expr) -> bool {
    // `@name` and `@name(...)`
    let decorator = match decorator {
        Expr::Call(call) => &*call.func,
        decorator => decorator,
    };
    if let Some(function) = cx.module.function_definition(decorator) {
        return makes_plain(cx, function);
    }
    let Some(name) = cx.module.qualified_name(decorator) else {
        return false;
    };
    cx.elsewhere(None, &name, summarise).is_some_and(|it| {
        let names = it.summary.downcast_ref::<HashSet<String>>();
        names.is_some_and(|names| names.contains(&it.name))
    })
}

/// The functions of a module that make plain functions of what they decorate.
fn summarise(cx: &Context<'_, '_>) -> Summary {
    let makers = cx.module.globals().filter_map(|symbol| {
        let [binding] = symbol.bindings.as_slice() else {
            return None;
        };
        let BindingKind::Function(function) = binding.kind else {
            return None;
        };
        makes_plain(cx, function).then(|| symbol.name.to_string())
    });
    Arc::new(makers.collect::<HashSet<String>>())
}

/// Whether all functions that a decorator gives back, directly or through one that it makes, are
/// plain ones, and none of them gives what the decorated function gives.
fn makes_plain<'a>(cx: &Context<'a, '_>, decorator: &'a StmtFunctionDef) -> bool {
    let mut made = Vec::new();
    collect(cx, decorator, &mut made, 0);
    !made.is_empty()
        && made
            .iter()
            .all(|function| !function.is_async && uses(cx, function) && !hands_on(cx, function))
}

/// The innermost functions that `function` gives back.
fn collect<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    made: &mut Vec<&'a StmtFunctionDef>,
    depth: usize,
) {
    for value in returned(cx, function) {
        let name = match value {
            Expr::Name(name) => Some(name),
            Expr::Call(call) => call.func.as_name_expr(),
            _ => None,
        };
        let Some(inner) = name.and_then(|name| nested(cx, name)) else {
            continue;
        };
        let makes_more = returned(cx, inner).any(|value| {
            let name = value.as_name_expr();
            name.is_some_and(|name| nested(cx, name).is_some())
        });
        if makes_more && depth < 4 {
            collect(cx, inner, made, depth + 1);
        } else {
            made.push(inner);
        }
    }
}

/// The function inside of another one that a name stands for.
fn nested<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> Option<&'a StmtFunctionDef> {
    match cx.module.only_binding(name)?.kind {
        BindingKind::Function(function) => cx.module.function(function).map(|_| function),
        _ => None,
    }
}

/// What the function's own `return` statements give.
fn returned<'a, 'c>(
    cx: &'c Context<'a, '_>,
    function: &'a StmtFunctionDef,
) -> impl Iterator<Item = &'a Expr> + 'c {
    let own = cx.module.id(function);
    cx.module
        .descendants(function)
        .filter_map(move |node| match node {
            AnyNodeRef::StmtReturn(stmt) => {
                let around = cx.module.function(stmt)?;
                let is_own = cx.module.id(around) == own;
                stmt.value.as_deref().filter(|_| is_own)
            }
            _ => None,
        })
}

/// Whether the code of a wrapper has to do with what is decorated: else nothing runs it.
fn uses<'a>(cx: &Context<'a, '_>, wrapper: &'a StmtFunctionDef) -> bool {
    let nodes = wrapper
        .body
        .iter()
        .flat_map(|stmt| cx.module.descendants(stmt));
    nodes
        .filter_map(|node| match node {
            AnyNodeRef::ExprName(name) => cx.module.symbol(name),
            _ => None,
        })
        .any(|symbol| {
            let is_parameter = |kind| matches!(kind, BindingKind::Parameter);
            let is_own = matches!(cx.module.scope_data(symbol.scope).kind,
                ScopeKind::Function(owner) if cx.module.id(owner) == cx.module.id(wrapper));
            !is_own && symbol.bindings.iter().any(|it| is_parameter(it.kind))
        })
}

/// Whether a wrapper gives back what the decorated function gives: `return function(*args)`, which
/// is the coroutine.
fn hands_on<'a>(cx: &Context<'a, '_>, wrapper: &'a StmtFunctionDef) -> bool {
    returned(cx, wrapper).any(|value| {
        let called = value
            .as_call_expr()
            .and_then(|call| call.func.as_name_expr());
        let binding = called.and_then(|name| cx.module.only_binding(name));
        binding.is_some_and(|binding| matches!(binding.kind, BindingKind::Parameter))
    })
}
