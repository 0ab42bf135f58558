//! What belongs to the code that would move alone, so that nothing else can meet it there.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, Stmt};
use python::{BindingKind, Ranged, ScopeKind};

use super::effects::{Frame, one_line};
use super::harmless::{READING, is_exception, is_of_toolkit};
use super::meaning::{Callee, callee};

/// Whether what `expr` stands for was made in the code that would move, or belongs to the
/// function around it alone: nothing else can meet it there.
pub(super) fn is_own<'a>(cx: &Context<'a, '_>, expr: &'a Expr, frame: Frame<'a>) -> bool {
    let module = cx.module;
    let mut expr = expr;
    let name = loop {
        match expr {
            Expr::Name(name) => break name,
            Expr::Attribute(attribute) => expr = &attribute.value,
            Expr::Subscript(subscript) => expr = &subscript.value,
            Expr::Call(call) => expr = &call.func,
            _ => return is_value(expr),
        }
    };
    let Some(symbol) = module.symbol(name) else {
        return false;
    };
    // What is being made is nobody else's yet.
    if let Frame::Function(function) = frame
        && function.name.as_str() == "__init__"
        && module.class_of_self(name).is_some()
    {
        return true;
    }
    let ScopeKind::Function(_) = module.scope_data(symbol.scope).kind else {
        return matches!(
            module.scope_data(symbol.scope).kind,
            ScopeKind::Comprehension | ScopeKind::Lambda
        );
    };
    symbol.bindings.iter().all(|binding| match binding.kind {
        BindingKind::Value(value) => is_made(cx, value),
        BindingKind::With(context, _) => is_made(cx, context),
        BindingKind::Augmented | BindingKind::Deleted | BindingKind::Except => true,
        BindingKind::Loop => {
            let node = module.node(binding.node);
            // `for folder, folders, files in os.walk(path)` makes the lists anew.
            let is_new = module.ancestors(node).find_map(|it| match it {
                AnyNodeRef::StmtFor(stmt) => Some(&*stmt.iter),
                AnyNodeRef::Comprehension(clause) => Some(&clause.iter),
                _ => None,
            });
            let is_new = is_new.is_some_and(|iterable| match iterable {
                Expr::Call(call) => {
                    matches!(callee(cx, call), Callee::Blocking(blocking) if blocking.is_iterator())
                }
                _ => false,
            });
            is_new || matches!(frame, Frame::Block(range) if range.contains_range(node.range()))
        }
        _ => false,
    })
}

/// Whether an expression makes something new, which nobody else has.
fn is_made(cx: &Context<'_, '_>, value: &Expr) -> bool {
    match value {
        Expr::Call(call) => {
            !matches!(callee(cx, call), Callee::Unknown)
                || {
                    // `path.open()`, `csv.reader(f).x()`
                    matches!(&*call.func, Expr::Attribute(method) if READING.contains(&method.attr.as_str()))
                }
        }
        Expr::Await(awaited) => is_made(cx, &awaited.value),
        _ => is_value(value),
    }
}

/// Whether an expression is a value that no other code can change.
pub(super) fn is_value(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::FString(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::List(_)
            | Expr::Dict(_)
            | Expr::Set(_)
            | Expr::Tuple(_)
            | Expr::ListComp(_)
            | Expr::DictComp(_)
            | Expr::SetComp(_)
            | Expr::BinOp(_)
            | Expr::BoolOp(_)
            | Expr::Compare(_)
            | Expr::If(_)
    )
}

/// A class of this module that takes its arguments and does nothing else: a data class, an
/// exception, one without `__init__`.
pub(super) fn is_plain_class(cx: &Context<'_, '_>, name: &python::ast::ExprName) -> bool {
    let Some(binding) = cx.module.only_binding(name) else {
        return false;
    };
    match binding.kind {
        BindingKind::Class(class) => !class.body.iter().any(|stmt| {
            matches!(stmt, Stmt::FunctionDef(method)
                if matches!(method.name.as_str(), "__init__" | "__new__" | "__post_init__"))
        }),
        _ => is_exception(&name.id),
    }
}

/// Why something of a window must stay in its thread.
pub(super) fn of_window(text: &str) -> String {
    format!(
        "`{}` belongs to the thread of the user interface",
        one_line(text)
    )
}

/// Whether an expression is of an object that a person sees, whose class is one of a toolkit's:
/// `self`, `self.menu`.
pub(super) fn is_of_window(cx: &Context<'_, '_>, expr: &Expr) -> bool {
    let mut root = expr;
    while let Expr::Attribute(attribute) = root {
        root = &attribute.value;
    }
    let Expr::Name(name) = root else {
        return false;
    };
    cx.module.class_of_self(name).is_some_and(|class| {
        let mut bases = class.arguments.iter().flat_map(|it| &it.args);
        bases.any(|base| {
            let base = match base {
                Expr::Subscript(generic) => &generic.value,
                base => base,
            };
            let name = cx.module.qualified_name(base);
            name.is_some_and(|name| is_of_toolkit(&name))
        })
    })
}
