//! What becomes of the task that a call gives.

use python::ast::{AnyNodeRef, Expr, ExprCall, ExprLambda, StmtFunctionDef};
use python::{Module, Ranged, ScopeKind, TextRange};

/// Where a call stands whose task nothing keeps.
pub enum Place<'a> {
    /// It is a statement.
    Statement(Statement<'a>),
    /// It is a part of an expression whose value is dropped, or is given to whoever calls a
    /// lambda.
    Expression,
    /// It is bound to this local name, which nothing reads.
    Bound(&'a str),
}

/// `asyncio.create_task(...)`, or a method called on that, as a statement.
pub struct Statement<'a> {
    /// The function that it belongs to.
    pub function: &'a StmtFunctionDef,
    /// The call, as an expression.
    pub expr: &'a Expr,
    /// The call of `.add_done_callback` or `.set_name`.
    pub method: Option<&'a ExprCall>,
}

/// Where `call` stands; none where something has the task, or may have it, and at module and class
/// level, where no event loop runs.
pub fn of<'a>(module: &Module<'a>, call: &'a ExprCall) -> Option<Place<'a>> {
    let method = method_on(module, call);
    let whole = method.unwrap_or(call);
    let parent = module.parent(whole)?;
    match parent {
        AnyNodeRef::StmtExpr(statement) => {
            let expr = match (method, &*statement.value) {
                (None, value) => value,
                (Some(_), Expr::Call(method)) => match &*method.func {
                    Expr::Attribute(attribute) => &attribute.value,
                    _ => return None,
                },
                (Some(_), _) => return None,
            };
            return Some(Place::Statement(Statement {
                function: module.function(call)?,
                expr,
                method,
            }));
        }
        AnyNodeRef::StmtAssign(assign) if method.is_none() => {
            let [Expr::Name(target)] = assign.targets.as_slice() else {
                return None;
            };
            return never_read(module, target).then(|| Place::Bound(target.id.as_str()));
        }
        AnyNodeRef::StmtAnnAssign(assign) if method.is_none() => {
            let Expr::Name(target) = &*assign.target else {
                return None;
            };
            return never_read(module, target).then(|| Place::Bound(target.id.as_str()));
        }
        AnyNodeRef::ExprNamed(named) if method.is_none() => {
            let Expr::Name(target) = &*named.target else {
                return None;
            };
            let is_statement = matches!(module.parent(parent), Some(AnyNodeRef::StmtExpr(_)));
            return (is_statement && never_read(module, target))
                .then(|| Place::Bound(target.id.as_str()));
        }
        _ => {}
    }
    is_dropped(module, whole).then_some(Place::Expression)
}

/// The call of a method that gives nothing back: what calls it has dropped the task.
fn method_on<'a>(module: &Module<'a>, call: &'a ExprCall) -> Option<&'a ExprCall> {
    let AnyNodeRef::ExprAttribute(attribute) = module.parent(call)? else {
        return None;
    };
    let AnyNodeRef::ExprCall(method) = module.parent(attribute)? else {
        return None;
    };
    let gives_nothing = matches!(attribute.attr.as_str(), "add_done_callback" | "set_name");
    (gives_nothing && method.func.range() == attribute.range()).then_some(method)
}

/// Whether `target` is a local name of its function that nothing reads.
fn never_read(module: &Module<'_>, target: &python::ast::ExprName) -> bool {
    let Some(symbol) = module.symbol(target) else {
        return false;
    };
    let is_own = symbol.scope == module.scope(target)
        && matches!(
            module.scope_data(symbol.scope).kind,
            ScopeKind::Function(function) if !module.is_reflective(function)
        );
    is_own && symbol.reads.is_empty()
}

/// Whether the value of `whole`, which is not a statement of its own, ends up as the value of a
/// statement or of a lambda.
fn is_dropped<'a>(module: &Module<'a>, whole: &'a ExprCall) -> bool {
    let mut child = whole.range();
    for parent in module.ancestors(whole) {
        match parent {
            AnyNodeRef::ExprIf(choice) => {
                if choice.test.range() == child {
                    return false;
                }
            }
            AnyNodeRef::ExprBoolOp(_)
            | AnyNodeRef::ExprTuple(_)
            | AnyNodeRef::ExprList(_)
            | AnyNodeRef::ExprSet(_) => {}
            AnyNodeRef::ExprDict(_) => {}
            AnyNodeRef::ExprListComp(comprehension) if comprehension.elt.range() == child => {}
            AnyNodeRef::ExprSetComp(comprehension) if comprehension.elt.range() == child => {}
            AnyNodeRef::ExprDictComp(comprehension) if comprehension.value.range() == child => {}
            AnyNodeRef::StmtExpr(_) => return module.function(whole).is_some(),
            AnyNodeRef::ExprLambda(lambda) => {
                return lambda.body.range() == child && !is_kept_of(module, lambda);
            }
            _ => return false,
        }
        child = parent.range();
    }
    false
}

/// Whether `lambda` is given to something that is known to use what it gives.
fn is_kept_of(module: &Module<'_>, lambda: &ExprLambda) -> bool {
    const USE_IT: &[&str] = &[
        "collections.defaultdict",
        "builtins.filter",
        "builtins.map",
        "builtins.max",
        "builtins.min",
        "builtins.sorted",
        "functools.reduce",
    ];
    let uses = |call: &ExprCall| {
        module
            .qualified_name(&call.func)
            .is_some_and(|name| USE_IT.contains(&name.as_str()))
            || is(call, lambda.range())
    };
    match module.parent(lambda) {
        // (lambda: ...)()
        Some(AnyNodeRef::ExprCall(call)) => uses(call),
        Some(AnyNodeRef::Arguments(_)) => module
            .ancestors(lambda)
            .find_map(|node| match node {
                AnyNodeRef::ExprCall(call) => Some(uses(call)),
                _ => None,
            })
            .unwrap_or_default(),
        Some(AnyNodeRef::Keyword(keyword)) => keyword.arg.as_ref().is_some_and(|name| {
            matches!(
                name.as_str(),
                "default_factory" | "key" | "new" | "return_value" | "side_effect" | "wraps"
            )
        }),
        // mock.side_effect = lambda: ...
        Some(AnyNodeRef::StmtAssign(assign)) => assign.targets.iter().any(|target| {
            matches!(target, Expr::Attribute(attribute)
                if matches!(attribute.attr.as_str(), "return_value" | "side_effect"))
        }),
        Some(AnyNodeRef::StmtReturn(_)) | None => false,
        Some(_) => false,
    }
}

fn is(call: &ExprCall, func: TextRange) -> bool {
    call.func.range() == func
}
