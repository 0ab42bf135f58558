//! What runs only while the process waits for its own end.

use engine::Context;
use python::NodeId;
use python::ast::{AnyNodeRef, Expr, ExprCall, Stmt};

/// Whether the process has been told to end before `call`, in a list of statements around it:
/// `os.kill(os.getpid(), signal.SIGKILL)`.
pub(super) fn is_told_before(cx: &Context<'_, '_>, call: NodeId) -> bool {
    let module = cx.module;
    let around = module.ancestors(module.node(call));
    around
        .take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)))
        .filter(|node| node.is_statement())
        .any(|statement| {
            module
                .siblings(statement)
                .is_some_and(|(body, position)| body.iter().take(position).any(|it| tells(cx, it)))
        })
}

/// Whether a statement sends the process itself a signal.
fn tells(cx: &Context<'_, '_>, stmt: &Stmt) -> bool {
    let module = cx.module;
    let Stmt::Expr(stmt) = stmt else {
        return false;
    };
    let Expr::Call(call) = &*stmt.value else {
        return false;
    };
    let is_own = |call: &ExprCall| match call.arguments.find_argument_value("pid", 0) {
        Some(Expr::Call(process)) => module.refers_to(&process.func, "os.getpid"),
        _ => false,
    };
    module.refers_to(&call.func, "signal.raise_signal")
        || module.refers_to(&call.func, "os.abort")
        || module.refers_to(&call.func, "os.kill") && is_own(call)
}
