//! Methods of objects of which the module does not show the class: their types do.

use engine::Context;
use python::AwaitPlace;
use python::ast::{AnyNodeRef, Expr, ExprAttribute, ExprCall};
use types::Answer;

use super::meaning::{Blocking, Configured, canonical};

/// Methods that objects of all kinds have. To ask of each `get` would hand all files to whoever
/// infers types: these are asked of only where the module imports the package of a class whose
/// method blocks.
const COMMON: &[&str] = &[
    "connect", "delete", "get", "group", "head", "move", "options", "patch", "post", "put",
    "replace", "request", "resolve", "result", "send", "stream", "wait",
];

/// The call of `method` as one that blocks, if the type of its receiver says so: asked last, after
/// all that costs nothing.
pub(super) fn blocking(
    cx: &Context<'_, '_>,
    call: &ExprCall,
    method: &ExprAttribute,
    configured: &Configured,
    is_imported: bool,
) -> Option<Blocking> {
    let name = method.attr.as_str();
    if COMMON.contains(&name) && !is_imported
        || configured.classes_with(name).next().is_none()
        || !may_be_it(call, method)
        || !is_in_coroutine(cx, call)
        || !super::is_looked_at(cx)
    {
        return None;
    }
    let value = cx.value(&method.value);
    let classes = &value.value()?.classes;
    let (position, found) = classes.iter().enumerate().find_map(|(position, class)| {
        let full = format!("{}.{name}", canonical(class.clone()));
        Some((position, configured.blocking(&full)?))
    })?;
    // A class that derives from it may have a method of its own.
    let is_own = position == 0
        || matches!(cx.callee(&call.func), Answer::Callee(function)
        if function.module.as_ref().is_some_and(|module| {
            canonical(format!("{module}.{}", function.name)) == found.name
        }));
    is_own.then_some(found)
}

/// Whether the call can be that of a method of the table, by what it is given and asked for:
/// `", ".join(names)` and `text.replace("a", "b")` are not.
fn may_be_it(call: &ExprCall, method: &ExprAttribute) -> bool {
    let is_literal = matches!(
        &*method.value,
        Expr::StringLiteral(_)
            | Expr::FString(_)
            | Expr::BytesLiteral(_)
            | Expr::Dict(_)
            | Expr::DictComp(_)
            | Expr::List(_)
            | Expr::ListComp(_)
            | Expr::Set(_)
            | Expr::SetComp(_)
            | Expr::Tuple(_)
            | Expr::Await(_)
    );
    let given = &call.arguments.args;
    !is_literal
        && match method.attr.as_str() {
            "copy" => !call.arguments.is_empty(),
            "get" => is_no_dictionary(call, &method.value),
            "group" | "owner" => call.arguments.is_empty(),
            "join" => given.iter().all(Expr::is_number_literal_expr),
            "replace" => given.len() < 2,
            _ => true,
        }
}

/// Whether `receiver.get(...)` can be more than the most frequent of all methods: a dictionary
/// takes one or two arguments without names.
fn is_no_dictionary(call: &ExprCall, receiver: &Expr) -> bool {
    let name = match receiver {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    };
    let name = name.to_lowercase();
    match &*call.arguments.args {
        [] | [Expr::BooleanLiteral(_), ..] => true,
        [_] => {
            !call.arguments.keywords.is_empty()
                || ["client", "http", "pool", "requests", "session"]
                    .iter()
                    .any(|word| name.contains(word))
        }
        _ => false,
    }
}

/// Whether the call is a coroutine's own, and nothing awaits what it gives.
fn is_in_coroutine(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    let module = cx.module;
    let is_awaited = match module.parent(call) {
        Some(AnyNodeRef::ExprAwait(_)) => true,
        Some(AnyNodeRef::StmtFor(stmt)) => stmt.is_async,
        Some(AnyNodeRef::Comprehension(clause)) => clause.is_async,
        Some(item @ AnyNodeRef::WithItem(_)) => {
            matches!(module.parent(item), Some(AnyNodeRef::StmtWith(with)) if with.is_async)
        }
        _ => false,
    };
    !is_awaited
        && matches!(
            module.await_place(call),
            AwaitPlace::Coroutine(_)
                | AwaitPlace::NestedComprehension(_)
                | AwaitPlace::GeneratorExpression
        )
}

#[cfg(test)]
mod tests {
    use super::COMMON;
    use crate::blocking_to_thread::table;

    #[test]
    fn what_is_common_is_in_the_table() {
        for name in COMMON {
            assert!(!table::classes_with(name).is_empty(), "{name}");
        }
    }
}
