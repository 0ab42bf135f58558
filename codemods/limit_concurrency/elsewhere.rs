//! What the modules of the run say of their coroutine functions, for lists that are made of calls of
//! them elsewhere.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use engine::{Context, Summary};
use python::BindingKind;
use python::ast::{AnyNodeRef, Expr, StmtFunctionDef};

use super::own::Functions;
use super::{limited, number, waiting};

/// What speaks against a limit around a coroutine function's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    /// It waits for a semaphore itself.
    Limited,
    /// It waits for threads only, or for nothing.
    WaitsForNothing,
    /// It waits in some cases only.
    WaitsSometimes,
}

/// What speaks against it for the imported function that a call of `func` runs, as far as the run
/// holds its module. Methods may be others in a subclass, and are not looked for.
pub(super) fn against<'a>(cx: &Context<'a, '_>, func: &'a Expr) -> Option<Against> {
    if cx.module.function_definition(func).is_some() {
        return None;
    }
    let name = cx.module.qualified_name(func)?;
    let found = cx.elsewhere(None, &name, summarise)?;
    let module = found.summary.downcast_ref::<Seen>()?;
    module.against.get(&found.name).copied()
}

/// Whether a call of `func` gives a list of a few, as far as is seen.
pub(super) fn gives_few<'a>(cx: &Context<'a, '_>, func: &'a Expr, left: usize) -> bool {
    if let Some(function) = cx.module.function_definition(func) {
        return returns_few(cx, function, left);
    }
    let Some(name) = cx.module.qualified_name(func) else {
        return false;
    };
    cx.elsewhere(None, &name, summarise).is_some_and(|found| {
        let module = found.summary.downcast_ref::<Seen>();
        module.is_some_and(|module| module.gives_few.contains(&found.name))
    })
}

/// The functions of a module that do.
fn few(cx: &Context<'_, '_>) -> HashSet<String> {
    let nodes = cx.module.descendants(cx.module.root());
    let functions = nodes.filter_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(function) if returns_few(cx, function, number::STEPS) => {
            cx.module.path_of(function)
        }
        _ => None,
    });
    functions.collect()
}

fn returns_few<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, left: usize) -> bool {
    let returned: Vec<Option<&Expr>> = cx
        .module
        .descendants(function)
        .filter_map(|node| match node {
            AnyNodeRef::StmtReturn(stmt) => Some(stmt.value.as_deref()),
            _ => None,
        })
        .collect();
    // `return []` where there is nothing.
    let is_few = |value: Option<&'a Expr>| {
        value.is_none_or(|value| {
            value.is_none_literal_expr() || number::is_limited_in(cx, value, left)
        })
    };
    returned.iter().any(Option::is_some) && returned.into_iter().all(is_few)
}

/// What is said of a module. There is one summary of it, which all questions are answered from.
pub(super) struct Seen {
    against: HashMap<String, Against>,
    /// The functions that give a list of a few.
    gives_few: HashSet<String>,
    pub(super) functions: Functions,
}

pub(super) fn summarise(cx: &Context<'_, '_>) -> Summary {
    seen(cx)
}

pub(super) fn seen(cx: &Context<'_, '_>) -> Arc<Seen> {
    let functions = cx.module.globals().filter_map(|symbol| {
        let [binding] = symbol.bindings.as_slice() else {
            return None;
        };
        let BindingKind::Function(function) = binding.kind else {
            return None;
        };
        // What a decorator makes of it is not known.
        if !function.is_async || !function.decorator_list.is_empty() {
            return None;
        }
        let against = if limited::waits_for_limiter(cx, function) {
            Against::Limited
        } else if limited::is_threads_only(cx, function) {
            Against::WaitsForNothing
        } else if !waiting::waits(cx, function, 0) {
            Against::WaitsSometimes
        } else {
            return None;
        };
        Some((symbol.name.to_string(), against))
    });
    Arc::new(Seen {
        against: functions.collect(),
        gives_few: few(cx),
        functions: Functions::of(cx),
    })
}
