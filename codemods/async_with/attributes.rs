//! `self.session = ClientSession()`: whoever closes the object has to close the session.

use engine::{Context, Refusal, Verdict, withheld};
use python::BindingKind;
use python::ast::{AnyNodeRef, Expr, ExprAttribute, ExprCall};

use super::closed::is_closed;
use super::gather::{owner, unmangled};
use super::places::Target;
use super::sessions::closing;

/// Withheld: the session lives as long as its owner.
pub fn never_closed<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    attribute: &'a ExprAttribute,
) -> Verdict {
    let module = cx.module;
    if module.function(call).is_none() {
        return Err(Refusal::NotOurs);
    }
    let name = unmangled(&attribute.attr);
    let target = match owner(module, &attribute.value) {
        Some(class) => Target::Own(class.name.to_string(), name.to_string()),
        // A private attribute, which its own class closes.
        None if name != attribute.attr.as_str() => return Err(Refusal::NotOurs),
        None => Target::Others(name.to_string()),
    };
    if is_closed(cx, target) {
        return Err(Refusal::NotOurs);
    }
    let text = module.text(attribute);
    let condition = if may_be_given(cx, &attribute.attr) {
        ", if it was made here,"
    } else {
        ""
    };
    Err(withheld!(
        "`{text}` outlives the function, and nothing in this file closes it: close it with `await {text}.{}()`{condition} where its owner is closed",
        closing(cx, call)
    ))
}

/// Whether something of that name is bound to a parameter: `self.session = session`. Whoever gave
/// it closes it.
fn may_be_given(cx: &Context<'_, '_>, name: &str) -> bool {
    let module = cx.module;
    let is_parameter = |value: &Expr| {
        let Expr::Name(value) = value else {
            return false;
        };
        let bindings = module.symbol(value).map(|symbol| &symbol.bindings);
        let mut bindings = bindings.into_iter().flatten();
        bindings.any(|it| matches!(it.kind, BindingKind::Parameter))
    };
    module.descendants(module.root()).any(|node| match node {
        AnyNodeRef::StmtAssign(assign) => {
            let mut targets = assign.targets.iter();
            targets.any(|it| matches!(it, Expr::Attribute(it) if it.attr.as_str() == name))
                && is_parameter(&assign.value)
        }
        AnyNodeRef::StmtAnnAssign(assign) => {
            matches!(&*assign.target, Expr::Attribute(it) if it.attr.as_str() == name)
                && assign.value.as_deref().is_some_and(is_parameter)
        }
        _ => false,
    })
}
