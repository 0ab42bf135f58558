//! How long a local name would outlive its use.

use python::ast::{AnyNodeRef, ExprCall, Stmt};
use python::{Module, Ranged};

/// How control leaves a list of statements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaves {
    AtTheEnd,
    Break,
    Continue,
    Raise,
    Return,
}

/// Whether the function goes on after the statement that `call` belongs to, so that the event loop
/// runs before the name which the statement binds is bound again or gone.
///
/// asyncio logs the failure of a task that nobody asked when the task goes. A name in a frame that
/// goes on, such as that of a server's main loop, would keep the failed task, and nobody would
/// hear of it. Where this cannot tell, it says yes. `binds` says which statements bind the name
/// again.
pub fn goes_on<'a>(
    module: &Module<'a>,
    call: &'a ExprCall,
    binds: impl Fn(&'a Stmt) -> bool,
) -> bool {
    let mut child = module.statement(call);
    let mut leaves = Leaves::AtTheEnd;
    // Whether anything is executed after the statement.
    let mut followed = false;
    loop {
        if leaves == Leaves::AtTheEnd
            && let Some((body, position)) = module.siblings(child)
        {
            for stmt in body.iter().skip(position + 1) {
                if binds(stmt) {
                    return false;
                }
                if waits(module, stmt.into()) {
                    return true;
                }
                followed = true;
                leaves = match stmt {
                    Stmt::Break(_) => Leaves::Break,
                    Stmt::Continue(_) => Leaves::Continue,
                    Stmt::Raise(_) => Leaves::Raise,
                    Stmt::Return(_) => Leaves::Return,
                    _ => continue,
                };
                break;
            }
        }
        let Some(parent) = module.parent(child) else {
            return false;
        };
        match parent {
            AnyNodeRef::StmtFunctionDef(_) => return false,
            // Leaving it waits.
            AnyNodeRef::StmtWith(with) if with.is_async => return true,
            AnyNodeRef::StmtTry(stmt) => {
                let is_in = |body: &[Stmt]| body.iter().any(|it| module.contains(it, child));
                let waits_in = |body: &[Stmt]| body.iter().any(|it| waits(module, it.into()));
                if is_in(&stmt.body) {
                    if leaves == Leaves::AtTheEnd && waits_in(&stmt.orelse) {
                        return true;
                    }
                    if followed && stmt.handlers.iter().any(|it| waits(module, it.into())) {
                        return true;
                    }
                    if leaves == Leaves::Raise && !stmt.handlers.is_empty() {
                        leaves = Leaves::AtTheEnd;
                    }
                }
                if !is_in(&stmt.finalbody) && waits_in(&stmt.finalbody) {
                    return true;
                }
            }
            AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_) => match leaves {
                Leaves::AtTheEnd | Leaves::Continue => {
                    if waits(module, parent) {
                        return true;
                    }
                    followed = true;
                    leaves = Leaves::AtTheEnd;
                }
                Leaves::Break => leaves = Leaves::AtTheEnd,
                Leaves::Raise | Leaves::Return => {}
            },
            _ => {}
        }
        child = parent;
    }
}

/// Whether the event loop may run while `node`, a part of a function, is executed.
fn waits(module: &Module<'_>, node: AnyNodeRef<'_>) -> bool {
    let function = module.function(node).map(Ranged::range);
    module.descendants(node).any(|inner| {
        let waits = match inner {
            AnyNodeRef::ExprAwait(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => {
                true
            }
            AnyNodeRef::StmtFor(stmt) => stmt.is_async,
            AnyNodeRef::StmtWith(stmt) => stmt.is_async,
            AnyNodeRef::Comprehension(clause) => clause.is_async,
            AnyNodeRef::ExprCall(call) => runs_a_loop(module, call),
            _ => false,
        };
        waits && module.function(inner).map(Ranged::range) == function
    })
}

/// `loop.run_forever()`, `loop.run_until_complete(...)`, `web.run_app(...)`, `app.run()`.
fn runs_a_loop(module: &Module<'_>, call: &ExprCall) -> bool {
    let is_sync = module.function(call).is_some_and(|it| !it.is_async);
    is_sync
        && matches!(
            &*call.func,
            python::ast::Expr::Attribute(method)
                if matches!(
                    method.attr.as_str(),
                    "exec" | "exec_" | "mainloop" | "run" | "run_app" | "run_forever" | "run_until_complete"
                )
        )
}
