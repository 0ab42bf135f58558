//! `asyncio.TimeoutError` => `TimeoutError`

use edit::{Applicability, Edit};
use engine::{Codemod, Context, Dated, On, Refusal, Rewrite, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprAttribute, ExprName, ExprTuple, NodeKind, PythonVersion};
use python::{Ranged, TextRange};

pub const CODEMOD: Codemod = Codemod {
    name: "builtin-timeout-error",
    page: include_str!("README.md"),
    python: PythonVersion::PY311,
    headline: false,
    rules: &["UP041"],
    dated: Some(Dated::deprecated(PythonVersion::PY311)),
    options: &[],
    on: &[On::Node {
        kinds: &[NodeKind::ExprAttribute, NodeKind::ExprName],
        words: &["TimeoutError"],
        decide: rewrite,
    }],
};

/// `asyncio.TimeoutError` => `TimeoutError`
///
/// They are one class from Python 3.11 on. The argument stops where the name `TimeoutError` is
/// bound to something else, where the file puts something else in the place of asyncio's, and in
/// a pattern, where a name without a dot would match everything.
fn rewrite<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let module = cx.module;
    let is_old = match node {
        AnyNodeRef::ExprAttribute(attribute) => is_old_attribute(cx, attribute),
        AnyNodeRef::ExprName(name) => is_old_name(cx, name),
        _ => false,
    };
    if !is_old || module.stores_attribute("TimeoutError") {
        return Err(Refusal::NotOurs);
    }
    if module.lookup("TimeoutError", node).is_some() {
        return Err(Refusal::NotOurs); // the name means something else, or is asyncio's already
    }
    if let Some(other) = module.star_imports().find(|name| *name != "asyncio") {
        return Err(withheld!(
            "`from {other} import *` may bind the name `TimeoutError`: import the names that are used"
        ));
    }
    if module.is_printed_source(node) {
        return Err(withheld!(
            "`f\"{{...=}}\"` prints its source, which would change: move the name out of the string"
        ));
    }
    if let Some(AnyNodeRef::PatternMatchValue(_)) = module.parent(node) {
        return Err(withheld!(
            "`case TimeoutError`, without a dot, would match everything and bind the name: write `case error if error is TimeoutError`"
        ));
    }
    if !module.comments(node.range()).is_empty() {
        return Err(withheld!("a comment stands inside the name: move it out"));
    }
    let edits =
        collapsed(cx, node).unwrap_or_else(|| vec![Edit::replace(node.range(), "TimeoutError")]);
    Ok(Rewrite {
        message: "`asyncio.TimeoutError` is the builtin `TimeoutError`".to_string(),
        applicability: Applicability::Safe,
        edits,
        python: None,
    })
}

/// `asyncio.TimeoutError`, and `asyncio.exceptions.TimeoutError`, where it is defined.
fn is_old_attribute<'a>(cx: &Context<'a, '_>, attribute: &'a ExprAttribute) -> bool {
    attribute.attr.as_str() == "TimeoutError"
        && attribute.ctx.is_load()
        && cx
            .module
            .qualified_name(&attribute.value)
            .is_some_and(|name| matches!(name.as_str(), "asyncio" | "asyncio.exceptions"))
}

/// `E` after `from asyncio import TimeoutError as E`.
fn is_old_name<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> bool {
    name.ctx.is_load()
        && cx
            .module
            .symbol(name)
            .and_then(|symbol| cx.module.imported_as(symbol))
            .is_some_and(|name| name == "asyncio.TimeoutError")
}

/// Where a tuple of types holds the class more than once: `TimeoutError` in the place of the
/// first, and without the others.
///
/// Only in `except` clauses and for `isinstance`, where the number of types does not matter. The
/// edits are the same from whichever of them they are asked for.
fn collapsed<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Option<Vec<Edit>> {
    let module = cx.module;
    let AnyNodeRef::ExprTuple(tuple) = module.parent(node)? else {
        return None;
    };
    if !is_list_of_types(cx, tuple) {
        return None;
    }
    let is_same = |expr: &'a Expr| match expr {
        Expr::Attribute(attribute) => is_old_attribute(cx, attribute),
        Expr::Name(name) => is_old_name(cx, name) || module.builtin(expr) == Some("TimeoutError"),
        _ => false,
    };
    let same: Vec<usize> = (0..tuple.elts.len())
        .filter(|position| is_same(&tuple.elts[*position]))
        .collect();
    let (first, others) = same
        .split_first()
        .filter(|(_, others)| !others.is_empty())?;
    if same.len() == tuple.elts.len() {
        if !module.comments(tuple.range()).is_empty() {
            return None;
        }
        return Some(vec![Edit::replace(tuple.range(), "TimeoutError")]);
    }
    let mut edits = vec![Edit::replace(tuple.elts[*first].range(), "TimeoutError")];
    for position in others {
        let previous = module.parenthesized(&tuple.elts[position - 1]);
        let this = module.parenthesized(&tuple.elts[*position]);
        let range = TextRange::new(previous.end(), this.end());
        if !module.comments(range).is_empty() {
            return None;
        }
        edits.push(Edit::delete(range));
    }
    Some(edits)
}

/// `except (A, B):`, `isinstance(error, (A, B))`.
fn is_list_of_types<'a>(cx: &Context<'a, '_>, tuple: &'a ExprTuple) -> bool {
    let module = cx.module;
    match module.parent(tuple) {
        Some(AnyNodeRef::ExceptHandlerExceptHandler(_)) => true,
        Some(arguments @ AnyNodeRef::Arguments(_)) => match module.parent(arguments) {
            Some(AnyNodeRef::ExprCall(call)) => module
                .builtin(&call.func)
                .is_some_and(|name| matches!(name, "isinstance" | "issubclass")),
            _ => false,
        },
        _ => false,
    }
}
