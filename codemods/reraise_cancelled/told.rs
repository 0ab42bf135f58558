//! What names say of whose cancellation is swallowed.

use engine::Context;
use python::Ranged;
use python::ast::{AnyNodeRef, Expr, StmtFunctionDef, StmtWith};

/// Whether names say that `with suppress(CancelledError)` is for tasks that were cancelled: a call of
/// `self.cancel_recording` before it, or the name of the coroutine, `_await_cancelled_task`.
///
/// A coroutine that is awaited by its call is cancelled with the one that calls it.
pub fn is_of_task<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    with: &'a StmtWith,
    awaits: &[AnyNodeRef<'a>],
) -> bool {
    let module = cx.module;
    let is_task = |node: &AnyNodeRef<'a>| match node {
        AnyNodeRef::ExprAwait(awaited) => match &*awaited.value {
            Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_) => true,
            Expr::Call(call) => ["gather", "shield", "wait", "wait_for"]
                .iter()
                .any(|name| module.refers_to(&call.func, &format!("asyncio.{name}"))),
            _ => false,
        },
        _ => false,
    };
    let cancels = |name: &str| {
        let name = name.to_ascii_lowercase();
        let mut words = name.split('_');
        words.any(|word| word.starts_with("cancel"))
    };
    let called_before = || {
        module.calls_in(coroutine).iter().any(|call| {
            let name = match &*call.func {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(method) => method.attr.as_str(),
                _ => return false,
            };
            // `task.cancel()` is of that task alone; `task.cancelled()` asks.
            call.start() < with.start()
                && !matches!(name, "cancel" | "cancelled" | "cancelling")
                && cancels(name)
        })
    };
    awaits.iter().all(is_task) && (cancels(&coroutine.name) || called_before())
}
