//! What runs only while the process waits for its own end, or is about to end.

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

/// Whether the process ends after `call`, in the list of statements that it stands in:
/// `time.sleep(1)`, `sys.exit(1)`.
pub(super) fn is_before_exit(cx: &Context<'_, '_>, call: NodeId) -> bool {
    let module = cx.module;
    let statement = module.statement(module.node(call));
    module
        .siblings(statement)
        .is_some_and(|(body, position)| body.iter().skip(position + 1).any(|it| exits(cx, it)))
}

fn exits(cx: &Context<'_, '_>, stmt: &Stmt) -> bool {
    let module = cx.module;
    let name = match stmt {
        Stmt::Expr(stmt) => match &*stmt.value {
            Expr::Call(call) => &*call.func,
            _ => return false,
        },
        Stmt::Raise(stmt) => match stmt.exc.as_deref() {
            Some(Expr::Call(call)) => &*call.func,
            Some(class) => class,
            None => return false,
        },
        _ => return false,
    };
    matches!(module.builtin(name), Some("SystemExit" | "exit" | "quit"))
        || ["sys.exit", "os._exit"]
            .iter()
            .any(|exit| module.refers_to(name, exit))
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
