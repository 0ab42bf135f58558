//! `self.session = ClientSession()`, `app["session"] = ClientSession()`, `global session`: whoever
//! closes the object, or ends the program, has to close the session.

use engine::{Context, Refusal, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprName};
use python::{BindingKind, ScopeId};

use super::closed::is_closed;
use super::sessions::closing;
use super::sources::{owner, targets, unmangled};

/// Withheld: the session lives as long as its owner.
pub fn never_closed<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, target: &'a Expr) -> Verdict {
    let module = cx.module;
    if module.function(call).is_none() {
        return Err(Refusal::NotOurs);
    }
    match target {
        // A private attribute, which its own class closes.
        Expr::Attribute(it)
            if unmangled(&it.attr) != it.attr.as_str() && owner(module, &it.value).is_none() =>
        {
            return Err(Refusal::NotOurs);
        }
        // What the function itself makes and holds gets elsewhere as a whole.
        Expr::Subscript(it) if !outlives(cx, &it.value) => return Err(Refusal::NotOurs),
        _ => {}
    }
    if is_target_closed(cx, target) {
        return Err(Refusal::NotOurs);
    }
    let text = module.text(target);
    let condition = if may_be_given(cx, target) {
        ", if it was made here,"
    } else {
        ""
    };
    let ends = if target.is_name_expr() {
        "the program ends"
    } else {
        "its owner is closed"
    };
    Err(withheld!(
        "`{text}` outlives the function, and nothing in this file closes it: close it with `await {text}.{}()`{condition} where {ends}",
        closing(cx, call)
    ))
}

/// Whether anything closes what `target` binds.
pub fn is_target_closed(cx: &Context<'_, '_>, target: &Expr) -> bool {
    let mut into = targets(cx.module, target).into_iter();
    into.any(|(step, target)| is_closed(cx, target, step.depth(0).unwrap_or_default()))
}

/// Whether what holds a session is more than the function's own: an attribute, a parameter, a
/// name of the module.
fn outlives(cx: &Context<'_, '_>, holder: &Expr) -> bool {
    match holder {
        Expr::Attribute(_) => true,
        Expr::Name(name) => {
            let symbol = cx.module.symbol(name);
            symbol.is_some_and(|it| it.scope == ScopeId::MODULE) || is_parameter(cx, name)
        }
        _ => false,
    }
}

fn is_parameter(cx: &Context<'_, '_>, name: &ExprName) -> bool {
    let bindings = cx.module.symbol(name).map(|symbol| &symbol.bindings);
    let mut bindings = bindings.into_iter().flatten();
    bindings.any(|it| matches!(it.kind, BindingKind::Parameter))
}

/// Whether an attribute of that name is bound to a parameter: `self.session = session`. Whoever
/// gave it closes it.
fn may_be_given(cx: &Context<'_, '_>, target: &Expr) -> bool {
    let module = cx.module;
    let Expr::Attribute(attribute) = target else {
        return false;
    };
    let is_it = |target: &Expr| matches!(target, Expr::Attribute(it) if it.attr.as_str() == attribute.attr.as_str());
    let is_given = |value: &Expr| matches!(value, Expr::Name(name) if is_parameter(cx, name));
    module.descendants(module.root()).any(|node| match node {
        AnyNodeRef::StmtAssign(assign) => {
            assign.targets.iter().any(is_it) && is_given(&assign.value)
        }
        AnyNodeRef::StmtAnnAssign(assign) => {
            is_it(&assign.target) && assign.value.as_deref().is_some_and(is_given)
        }
        _ => false,
    })
}
