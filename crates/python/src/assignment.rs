//! What a statement assigns.

use ruff_python_ast::{Expr, Stmt};

/// The target and the value of `target = value` or `target: T = value`; none of a statement with several targets, or
/// without a value.
pub fn assignment(stmt: &Stmt) -> Option<(&Expr, &Expr)> {
    match stmt {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [target] => Some((target, &assign.value)),
            _ => None,
        },
        Stmt::AnnAssign(assign) => Some((&assign.target, assign.value.as_deref()?)),
        _ => None,
    }
}
