//! What the modules of the run say of their coroutine functions, for lists that are made of calls of
//! them elsewhere.

use std::collections::HashMap;
use std::sync::Arc;

use engine::{Context, Summary};
use python::BindingKind;
use python::ast::Expr;

use super::reach::Functions;
use super::{limited, waiting};

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

/// What is said of a module. There is one summary of it, which all questions are answered from.
pub(super) struct Seen {
    against: HashMap<String, Against>,
    pub(super) functions: Functions,
}

pub(super) fn summarise(cx: &Context<'_, '_>) -> Summary {
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
        functions: Functions::of(cx),
    })
}
