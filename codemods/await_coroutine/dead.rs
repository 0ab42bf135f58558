//! Code that never runs with a coroutine function: a constant of the module switches it off, or a
//! test asks for the kind of the function.

use engine::Context;
use python::ast::{AnyNodeRef, BoolOp, Expr, ExprCall, UnaryOp};
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

/// Whether a decorator says that the function around `node` runs only where all functions are plain:
/// `@context.require_sync`, in code that is kept in two forms.
pub fn is_of_other_form<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    cx.module.ancestors(node).any(|around| {
        let AnyNodeRef::StmtFunctionDef(function) = around else {
            return false;
        };
        function.decorator_list.iter().any(|decorator| {
            let decorator = match &decorator.expression {
                Expr::Call(call) => &*call.func,
                decorator => decorator,
            };
            let name = match decorator {
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                Expr::Name(name) => name.id.as_str(),
                _ => return false,
            };
            let has = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
            has(&["sync"]) && has(&["require", "requires", "only"])
        })
    })
}

/// Whether a test around `call` asks if what it calls is a coroutine function, or an asynchronous
/// generator function: code that takes both kinds, and knows which one it calls.
pub fn is_asked_about<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let func = module.text(&*call.func);
    let asks = |test: &'a Expr| {
        module.descendants(test).any(|node| {
            let AnyNodeRef::ExprCall(question) = node else {
                return false;
            };
            let name = match &*question.func {
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                Expr::Name(name) => name.id.as_str(),
                _ => return false,
            };
            matches!(name, "iscoroutinefunction" | "isasyncgenfunction")
                && question
                    .arguments
                    .args
                    .iter()
                    .any(|it| module.text(it) == func)
        })
    };
    module.ancestors(call).any(|around| match around {
        AnyNodeRef::StmtIf(stmt) => {
            let others = stmt.elif_else_clauses.iter();
            asks(&stmt.test) || others.filter_map(|it| it.test.as_ref()).any(asks)
        }
        AnyNodeRef::ExprIf(branch) => asks(&branch.test),
        AnyNodeRef::ExprBoolOp(operation) => operation.values.iter().any(asks),
        _ => false,
    })
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
