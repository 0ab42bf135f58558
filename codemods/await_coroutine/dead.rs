//! Code that a constant of the module switches off.

use engine::Context;
use python::ast::{AnyNodeRef, BoolOp, Expr, UnaryOp};
use python::{BindingKind, Ranged};

/// Whether `node` never runs, as in `if not IS_SYNC:` where the module says `IS_SYNC = True`: code
/// that is kept in two forms, of which only the other one runs here.
pub fn is_dead<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let module = cx.module;
    let mut child = node;
    while let Some(parent) = module.parent(child) {
        let holds = |expr: &Expr| expr.range().contains_range(child.range());
        let is = |expr: &'a Expr, value: bool| truth(cx, expr, 0) == Some(value);
        let dead = match parent {
            AnyNodeRef::StmtIf(stmt) if holds(&stmt.test) => false,
            AnyNodeRef::StmtIf(stmt) => match child {
                AnyNodeRef::ElifElseClause(clause) => {
                    let mut before = stmt
                        .elif_else_clauses
                        .iter()
                        .take_while(|other| other.start() < clause.start())
                        .filter_map(|other| other.test.as_ref());
                    is(&stmt.test, true)
                        || before.any(|test| is(test, true))
                        || clause.test.as_ref().is_some_and(|test| {
                            is(test, false) && !test.range().contains_range(node.range())
                        })
                }
                _ => is(&stmt.test, false),
            },
            AnyNodeRef::ExprIf(branch) if holds(&branch.body) => is(&branch.test, false),
            AnyNodeRef::ExprIf(branch) if holds(&branch.orelse) => is(&branch.test, true),
            AnyNodeRef::ExprBoolOp(operation) => {
                let decides = operation.op == BoolOp::Or;
                operation
                    .values
                    .iter()
                    .take_while(|value| value.end() <= child.start())
                    .any(|value| is(value, decides))
            }
            _ => false,
        };
        if dead {
            return true;
        }
        child = parent;
    }
    false
}

/// What a test gives in every run, if the module shows it.
fn truth<'a>(cx: &Context<'a, '_>, expr: &'a Expr, depth: usize) -> Option<bool> {
    if depth > 8 {
        return None;
    }
    let inner = |expr: &'a Expr| truth(cx, expr, depth + 1);
    match expr {
        Expr::BooleanLiteral(literal) => Some(literal.value),
        Expr::Name(name) => match cx.module.only_binding(name)?.kind {
            BindingKind::Value(Expr::BooleanLiteral(literal)) => Some(literal.value),
            _ => None,
        },
        Expr::UnaryOp(operation) if operation.op == UnaryOp::Not => {
            inner(&operation.operand).map(|value| !value)
        }
        Expr::BoolOp(operation) => {
            let decides = operation.op == BoolOp::Or;
            let values: Vec<_> = operation.values.iter().map(inner).collect();
            if values.contains(&Some(decides)) {
                return Some(decides);
            }
            values
                .iter()
                .all(|value| *value == Some(!decides))
                .then_some(!decides)
        }
        _ => None,
    }
}
