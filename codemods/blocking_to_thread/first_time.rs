//! What a function does only the first time that it is called, `if _client is None: _client = ...`.

use engine::{Context, has_word};
use python::ast::{AnyNodeRef, BoolOp, CmpOp, Expr, ExprContext, Stmt, StmtFunctionDef, UnaryOp};
use python::{BindingKind, NodeId, Ranged};

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
        let mut first = FirstTime {
            within: Vec::new(),
            after: is_cached(cx, function).then(|| function.start()),
        };
        let is_guard = |expr: &'a Expr| is_kept(cx, function, expr);
        for node in own_nodes(cx, function.into()) {
            // `try: return _cache[key]`
            if let AnyNodeRef::StmtTry(stmt) = node
                && let [.., Stmt::Return(given)] = &*stmt.body
                && given
                    .value
                    .as_deref()
                    .is_some_and(|it| is_from_cache(cx, function, it))
                && is_outermost(cx, function, node)
            {
                first.after.get_or_insert(given.end());
            }
            let AnyNodeRef::StmtIf(stmt) = node else {
                continue;
            };
            if after_the_first(cx, function, &stmt.test) == Some(false) {
                first.within.push(node);
                continue;
            }
            let is_outermost = is_outermost(cx, function, stmt.into());
            let clauses = stmt.elif_else_clauses.iter();
            let mut branches = std::iter::once((Some(&*stmt.test), &stmt.body))
                .chain(clauses.map(|clause| (clause.test.as_ref(), &clause.body)));
            let gives_what_is_kept = branches.any(|(test, body)| {
                let (Some(test), Some(Stmt::Return(given))) = (test, body.last()) else {
                    return false;
                };
                // `if _client is not None: return _client`
                present(test).is_some_and(is_guard)
                    || is_in_cache(cx, function, test) == Some(true)
                    || is_of_cache(cx, test)
                    || is_still_right(cx, function, test, given.value.as_deref())
            });
            if is_outermost && gives_what_is_kept {
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

/// Whether a statement runs whenever the function does: a lock around it, or another try, changes
/// nothing of that.
fn is_outermost<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    stmt: AnyNodeRef<'a>,
) -> bool {
    cx.module
        .ancestors(stmt)
        .take_while(|outer| cx.module.id(*outer) != cx.module.id(function))
        .all(|outer| {
            matches!(
                outer,
                AnyNodeRef::StmtWith(_) | AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtTry(_)
            )
        })
}

/// Whether a test finds a key in what the function keeps by key: `key in _cache`.
fn is_in_cache<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    test: &'a Expr,
) -> Option<bool> {
    let Expr::Compare(compare) = test else {
        return None;
    };
    let ([op], [kept]) = (&*compare.ops, &*compare.comparators) else {
        return None;
    };
    let is_there = match op {
        CmpOp::In => true,
        CmpOp::NotIn => false,
        _ => return None,
    };
    keeps_by_key(cx, function, kept).then_some(is_there)
}

/// Whether an expression gives what the function has kept by key: `_cache.get(key)`, `_cache[key]`.
fn is_from_cache<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, value: &'a Expr) -> bool {
    match value {
        Expr::Subscript(subscript) => keeps_by_key(cx, function, &subscript.value),
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "get" => {
                keeps_by_key(cx, function, &method.value)
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether the function sets items of what stays when it has returned: `_cache[key] = value`,
/// `_cache.setdefault(key, value)`.
fn keeps_by_key<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, kept: &'a Expr) -> bool {
    let module = cx.module;
    let stays = match kept {
        Expr::Name(name) => module
            .symbol(name)
            .is_some_and(|symbol| symbol.scope == python::ScopeId::MODULE),
        Expr::Attribute(_) => true,
        _ => false,
    };
    stays
        && own_nodes(cx, function.into()).any(|node| match node {
            AnyNodeRef::ExprSubscript(it) => {
                it.ctx == ExprContext::Store && module.text(&*it.value) == module.text(kept)
            }
            AnyNodeRef::ExprCall(call) => match &*call.func {
                Expr::Attribute(method) => {
                    method.attr.as_str() == "setdefault"
                        && module.text(&*method.value) == module.text(kept)
                }
                _ => false,
            },
            _ => false,
        })
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
    let mut nodes = cx.module.descendants(test);
    nodes.any(|node| speaks_of(node, WORDS))
}

/// Whether a test asks if what the function keeps is there and still right, and `given`, what is
/// returned then, is that: `if _settings and _matches(path): return _settings`. What gets old by
/// itself is found out again and again.
fn is_still_right<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    test: &'a Expr,
    given: Option<&'a Expr>,
) -> bool {
    let (Expr::BoolOp(operation), Some(given)) = (test, given) else {
        return false;
    };
    let module = cx.module;
    let is_it = |expr: &'a Expr| {
        present(expr).is_some_and(|kept| {
            is_kept(cx, function, kept)
                && module
                    .descendants(given)
                    .any(|node| module.text(node) == module.text(kept))
        })
    };
    operation.op == BoolOp::And
        && operation.values.iter().any(is_it)
        && !module.descendants(test).any(is_of_time)
}

/// Whether a name speaks of age: `time.monotonic`, `self._expires_at`, `TTL`.
fn is_of_time(node: AnyNodeRef<'_>) -> bool {
    const WORDS: &[&str] = &[
        "age",
        "datetime",
        "expired",
        "expires",
        "expiry",
        "max",
        "monotonic",
        "now",
        "time",
        "timestamp",
        "ttl",
    ];
    speaks_of(node, WORDS)
}

/// Whether a name, or that of an attribute, has one of these words.
fn speaks_of(node: AnyNodeRef<'_>, words: &[&str]) -> bool {
    match node {
        AnyNodeRef::ExprAttribute(attribute) => has_word(&attribute.attr, words),
        AnyNodeRef::ExprName(name) => has_word(&name.id, words),
        _ => false,
    }
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
        Expr::Name(_) | Expr::Attribute(_) | Expr::Named(_) => Some(test),
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
    if let Some(is_there) = is_in_cache(cx, function, test) {
        return Some(is_there);
    }
    present(test).is_some_and(is_guard).then_some(true)
}

/// Whether a function sets `expr`, and what it sets stays when it has returned.
fn is_kept<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, expr: &'a Expr) -> bool {
    let module = cx.module;
    match expr {
        Expr::Name(name) => module.symbol(name).is_some_and(|symbol| {
            let mut bindings = symbol.bindings.iter();
            if symbol.scope != python::ScopeId::MODULE {
                // `cached = _cache.get(key)`
                return bindings.any(|it| match it.kind {
                    BindingKind::Value(value) => is_from_cache(cx, function, value),
                    _ => false,
                });
            }
            bindings.any(|it| module.contains(function, module.node(it.node)))
        }),
        Expr::Named(named) => is_from_cache(cx, function, &named.value),
        Expr::Attribute(attribute) => own_nodes(cx, function.into()).any(|node| match node {
            AnyNodeRef::ExprAttribute(other) => {
                other.ctx == ExprContext::Store && module.text(other) == module.text(attribute)
            }
            _ => false,
        }),
        _ => false,
    }
}
