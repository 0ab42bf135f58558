//! Lists of tasks that run already, and that a gather only waits for.

use engine::Context;
use python::BindingKind;
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprName, Stmt};

use super::fanout::has;

fn is_task_name(name: &str) -> bool {
    has(name, &["fut", "future", "task"])
}

/// `[task for task in self.tasks.values() if not task.done()]`: a choice of tasks that run already.
pub(super) fn is_chosen<'a>(cx: &Context<'a, '_>, element: &'a Expr) -> bool {
    let Expr::Name(name) = element else {
        return false;
    };
    let is_of_loop = cx
        .module
        .only_binding(name)
        .is_some_and(|binding| matches!(binding.kind, BindingKind::Loop));
    is_of_loop && is_task_name(&name.id)
}

/// Whether a statement just before the gather cancels what `name` holds: `for task in tasks:
/// task.cancel()`. Whoever made them, they are only waited for here.
pub(super) fn are_cancelled_before<'a>(
    cx: &Context<'a, '_>,
    name: &'a ExprName,
    gather: &'a ExprCall,
) -> bool {
    let module = cx.module;
    let holds = |iterable: &'a Expr| {
        module.descendants(iterable).any(|node| {
            matches!(node, AnyNodeRef::ExprName(it) if module.symbol_id(it) == module.symbol_id(name))
        })
    };
    let cancels = |stmt: &'a Stmt| match stmt {
        Stmt::For(stmt) => {
            holds(&stmt.iter)
                && matches!(&*stmt.target, Expr::Name(name) if is_cancelled_name(cx, name))
        }
        _ => false,
    };
    // Also before the `with` or `try` that the gather stands in.
    module
        .ancestors(gather)
        .filter(|around| around.is_statement())
        .take_while(|around| !matches!(around, AnyNodeRef::StmtFunctionDef(_)))
        .filter_map(|around| module.siblings(around))
        .any(|(body, position)| body.iter().take(position).any(cancels))
}

/// Whether an element of a list is cancelled where it is put into it.
pub(super) fn is_cancelled<'a>(cx: &Context<'a, '_>, element: &'a Expr) -> bool {
    matches!(element, Expr::Name(name) if is_cancelled_name(cx, name))
}

fn is_cancelled_name<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> bool {
    let module = cx.module;
    module.symbol(name).is_some_and(|symbol| {
        symbol.reads.iter().any(|read| {
            matches!(module.parent(module.node(*read)),
                Some(AnyNodeRef::ExprAttribute(it)) if it.attr.as_str() == "cancel")
        })
    })
}
