//! What a function does only the first time that it is called, `if _client is None: _client = ...`.

use engine::Context;
use python::ast::{AnyNodeRef, CmpOp, Expr, ExprContext, Stmt, StmtFunctionDef, UnaryOp};
use python::{NodeId, Ranged};

use super::effects::own_nodes;

/// The calls of a function that are made only the first time, where something that it sets is not
/// set yet.
pub(super) struct FirstTime<'a> {
    /// The statements that they stand in.
    within: Vec<AnyNodeRef<'a>>,
    /// From here on everything is.
    after: Option<python::TextSize>,
}

impl<'a> FirstTime<'a> {
    pub(super) fn of(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Self {
        let module = cx.module;
        let mut first = FirstTime {
            within: Vec::new(),
            after: is_cached(cx, function).then(|| function.start()),
        };
        let is_guard = |expr: &'a Expr| is_kept(cx, function, expr);
        for node in own_nodes(cx, function.into()) {
            let AnyNodeRef::StmtIf(stmt) = node else {
                continue;
            };
            if after_the_first(cx, function, &stmt.test) == Some(false) {
                first.within.push(node);
                continue;
            }
            // `if _client is not None: return _client`
            let is_outermost = module
                .parent(stmt)
                .is_some_and(|parent| module.id(parent) == module.id(function));
            let returns = matches!(stmt.body.last(), Some(Stmt::Return(_)));
            let is_known = present(&stmt.test).is_some_and(is_guard) || is_of_cache(cx, &stmt.test);
            if is_outermost && returns && is_known {
                first.after.get_or_insert(stmt.end());
            }
        }
        first
    }

    pub(super) fn has(&self, cx: &Context<'a, '_>, call: NodeId) -> bool {
        let call = cx.module.node(call);
        self.after.is_some_and(|after| after <= call.start())
            || self.within.iter().any(|it| cx.module.contains(*it, call))
    }
}

/// Whether the function is decorated to keep what it gives: `@functools.cache`.
fn is_cached<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    let module = cx.module;
    let is_cache = |decorator: &'a Expr| {
        let name = match decorator {
            Expr::Call(call) => &*call.func,
            name => name,
        };
        module.refers_to(name, "functools.cache") || module.refers_to(name, "functools.lru_cache")
    };
    let mut decorators = function.decorator_list.iter();
    decorators.any(|it| is_cache(&it.expression))
}

/// Whether a test asks if what is kept is still right: `not self._dirty and self._cached == key`.
fn is_of_cache<'a>(cx: &Context<'a, '_>, test: &'a Expr) -> bool {
    const WORDS: &[&str] = &["cached", "dirty", "initialised", "initialized", "loaded"];
    cx.module.descendants(test).any(|node| {
        let name = match node {
            AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str(),
            AnyNodeRef::ExprName(name) => name.id.as_str(),
            _ => return false,
        };
        name.to_ascii_lowercase()
            .split('_')
            .any(|word| WORDS.contains(&word))
    })
}

/// What a test finds missing: `not x`, `x is None`.
pub(super) fn missing(test: &Expr) -> Option<&Expr> {
    match test {
        Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => Some(&unary.operand),
        Expr::Compare(_) => compared(test, CmpOp::Is),
        _ => None,
    }
}

/// Whether a test asks if an attribute that the function sets is missing: `not hasattr(self, "_user")`.
fn lacks<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, test: &'a Expr) -> bool {
    let Some(Expr::Call(call)) = missing(test) else {
        return false;
    };
    let ([object, Expr::StringLiteral(name)], Some("hasattr")) =
        (&*call.arguments.args, cx.module.builtin(&call.func))
    else {
        return false;
    };
    let wanted = name.value.to_str();
    own_nodes(cx, function.into()).any(|node| match node {
        AnyNodeRef::ExprAttribute(it) => {
            it.ctx == ExprContext::Store
                && it.attr.as_str() == wanted
                && cx.module.text(&*it.value) == cx.module.text(object)
        }
        _ => false,
    })
}

/// What a test finds there: `x`, `x is not None`.
pub(super) fn present(test: &Expr) -> Option<&Expr> {
    match test {
        Expr::Name(_) | Expr::Attribute(_) => Some(test),
        _ => compared(test, CmpOp::IsNot),
    }
}

fn compared(test: &Expr, wanted: CmpOp) -> Option<&Expr> {
    match test {
        Expr::Compare(compare)
            if *compare.ops == [wanted]
                && compare.comparators.iter().all(Expr::is_none_literal_expr) =>
        {
            Some(&compare.left)
        }
        _ => None,
    }
}

/// What a test that asks if something is there, which the function sets, gives but the first time.
pub(super) fn after_the_first<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    test: &'a Expr,
) -> Option<bool> {
    let is_guard = |expr: &'a Expr| is_kept(cx, function, expr);
    if missing(test).is_some_and(is_guard) || lacks(cx, function, test) {
        return Some(false);
    }
    present(test).is_some_and(is_guard).then_some(true)
}

/// Whether a function sets `expr`, and what it sets stays when it has returned.
fn is_kept<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, expr: &'a Expr) -> bool {
    let module = cx.module;
    match expr {
        Expr::Name(name) => module.symbol(name).is_some_and(|symbol| {
            symbol.scope == python::ScopeId::MODULE
                && symbol
                    .bindings
                    .iter()
                    .any(|it| module.contains(function, module.node(it.node)))
        }),
        Expr::Attribute(attribute) => own_nodes(cx, function.into()).any(|node| match node {
            AnyNodeRef::ExprAttribute(other) => {
                other.ctx == ExprContext::Store && module.text(other) == module.text(attribute)
            }
            _ => false,
        }),
        _ => false,
    }
}
