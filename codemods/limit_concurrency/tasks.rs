//! Lists of tasks that run already, and that a gather only waits for.

use engine::Context;
use python::BindingKind;
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprName, Stmt};

use super::fanout::has;

/// Whether what a list holds is seen to be tasks: asyncio gave them, or they are cancelled.
pub(super) fn are_tasks<'a>(cx: &Context<'a, '_>, list: &'a Expr) -> bool {
    is_given_by_asyncio(cx, list) || are_cancelled(cx, list) || are_kept(list)
}

/// `self.tasks`, `client.reading_tasks`: they run since they were put there.
fn are_kept(list: &Expr) -> bool {
    matches!(list, Expr::Attribute(attribute) if is_task_name(&attribute.attr))
}

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

/// `asyncio.all_tasks()`, and the parts of `done, pending = await asyncio.wait(tasks)`
fn is_given_by_asyncio<'a>(cx: &Context<'a, '_>, list: &'a Expr) -> bool {
    let module = cx.module;
    let given = |value: &'a Expr| {
        module.calls_in(value).iter().any(|call| {
            [
                "asyncio.all_tasks",
                "asyncio.Task.all_tasks",
                "asyncio.wait",
            ]
            .iter()
            .any(|name| module.refers_to(&call.func, name))
        })
    };
    match list {
        Expr::Name(name) => module.symbol(name).is_some_and(|symbol| {
            !symbol.bindings.is_empty()
                && symbol.bindings.iter().all(|binding| match binding.kind {
                    BindingKind::Value(value) | BindingKind::Unpacked(value, ..) => given(value),
                    _ => false,
                })
        }),
        _ => given(list),
    }
}

/// `for task in tasks: task.cancel()`, and the same as a comprehension.
fn are_cancelled<'a>(cx: &Context<'a, '_>, list: &'a Expr) -> bool {
    let module = cx.module;
    let is_same = |iterable: &'a Expr| {
        match (list, iterable) {
        (Expr::Name(name), _) => module.descendants(iterable).any(|node| {
            matches!(node, AnyNodeRef::ExprName(it)
                if it.id == name.id && module.symbol_id(it) == module.symbol_id(name))
        }),
        // `self.tasks`, of any method.
        (Expr::Attribute(attribute), _) => module.descendants(iterable).any(|node| {
            matches!(node, AnyNodeRef::ExprAttribute(it) if it.attr.as_str() == attribute.attr.as_str())
        }),
        _ => false,
    }
    };
    module.descendants(module.root()).any(|node| {
        let (target, iterable) = match node {
            AnyNodeRef::StmtFor(stmt) => (&*stmt.target, &*stmt.iter),
            AnyNodeRef::Comprehension(clause) => (&clause.target, &clause.iter),
            _ => return false,
        };
        matches!(target, Expr::Name(name) if is_cancelled_name(cx, name)) && is_same(iterable)
    })
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
