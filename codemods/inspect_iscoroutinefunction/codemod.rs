//! `asyncio.iscoroutinefunction(f)` => `inspect.iscoroutinefunction(f)`

use edit::{Applicability, Edit};
use engine::{Codemod, Context, Dated, On, Refusal, Rewrite, Verdict, withheld};
use python::Ranged;
use python::ast::{AnyNodeRef, Expr, NodeKind, PythonVersion};

pub const CODEMOD: Codemod = Codemod {
    name: "inspect-iscoroutinefunction",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: Some(Dated::removed(
        PythonVersion::PY314,
        PythonVersion {
            major: 3,
            minor: 16,
        },
    )),
    options: &[],
    on: &[On::Node {
        kinds: &[NodeKind::ExprAttribute, NodeKind::ExprName],
        words: &["iscoroutinefunction"],
        decide: rewrite,
    }],
};

const OLD: &str = "asyncio.iscoroutinefunction";
const NEW: &str = "inspect.iscoroutinefunction";

/// `asyncio.iscoroutinefunction` => `inspect.iscoroutinefunction`
///
/// asyncio asks inspect, and then whether the object is marked by its `_is_coroutine`. The two
/// differ for marked objects only (M21): those of code that marks them, and before Python 3.13
/// the functions that `create_autospec` makes.
fn rewrite<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let module = cx.module;
    let is_old = match node {
        AnyNodeRef::ExprAttribute(attribute) => {
            attribute.ctx.is_load()
                && attribute.attr.as_str() == "iscoroutinefunction"
                && module
                    .qualified_name(&attribute.value)
                    .is_some_and(|name| matches!(name.as_str(), "asyncio" | "asyncio.coroutines"))
        }
        AnyNodeRef::ExprName(name) => {
            name.ctx.is_load()
                && module
                    .symbol(name)
                    .and_then(|symbol| module.imported_as(symbol))
                    .is_some_and(|name| name == OLD)
        }
        _ => false,
    };
    if !is_old || is_choice(cx, node) {
        return Err(Refusal::NotOurs);
    }
    if module.is_printed_source(node) {
        return Err(withheld!(
            "`f\"{{...=}}\"` prints its source, which would change: move the name out of the string"
        ));
    }
    let root = module.id(module.root());
    if cx.once("replaced", root, || {
        module.replaces("asyncio", "iscoroutinefunction")
    }) {
        return Err(withheld!(
            "the file puts something else in the place of `iscoroutinefunction`, which would have no effect here: replace inspect's instead"
        ));
    }
    if asks_both(cx, node) {
        return Err(withheld!(
            "`inspect.iscoroutinefunction` stands beside it already: delete this call, which only adds what is marked by `_is_coroutine`"
        ));
    }
    if !module.comments(node.range()).is_empty() {
        return Err(withheld!("a comment stands inside the name: move it out"));
    }
    let import = cx.import_function(node, "inspect", "iscoroutinefunction")?;
    let mut edits = vec![Edit::replace(node.range(), import.name)];
    edits.extend(import.edit);
    let has_marks = cx.once("marks", root, || marks(cx)) || cx.project_mentions("_is_coroutine");
    Ok(Rewrite {
        message: "`asyncio.iscoroutinefunction` is deprecated since Python 3.14: `inspect` has it"
            .to_string(),
        applicability: if has_marks || !cx.supports(PythonVersion::PY313) {
            Applicability::Unsafe
        } else {
            Applicability::Intended
        },
        edits,
        python: None,
    })
}

/// Whether the code around decides between the two by itself: a branch of a choice that asks for
/// the version, or for what inspect has.
fn is_choice<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let decides = |test: &'a Expr| {
        cx.module.descendants(test).any(|part| match part {
            AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str() == "version_info",
            AnyNodeRef::ExprName(name) => {
                matches!(name.id.as_str(), "hasattr" | "version_info") || name.id.starts_with("PY")
            }
            _ => false,
        })
    };
    cx.module.ancestors(node).any(|ancestor| match ancestor {
        AnyNodeRef::StmtIf(stmt) => {
            decides(&stmt.test)
                || stmt
                    .elif_else_clauses
                    .iter()
                    .any(|clause| clause.test.as_ref().is_some_and(decides))
        }
        AnyNodeRef::ExprIf(choice) => decides(&choice.test),
        AnyNodeRef::StmtTry(stmt) => cx.module.descendants(stmt).any(|part| is_new(cx, part)),
        _ => false,
    })
}

/// `asyncio.iscoroutinefunction(f) or inspect.iscoroutinefunction(f)`, and a tuple of the two.
fn asks_both<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let both = cx
        .module
        .ancestors(node)
        .take_while(|ancestor| !ancestor.is_statement())
        .filter(|ancestor| {
            matches!(
                ancestor,
                AnyNodeRef::ExprBoolOp(_) | AnyNodeRef::ExprTuple(_)
            )
        })
        .last();
    both.is_some_and(|both| cx.module.descendants(both).any(|part| is_new(cx, part)))
}

fn is_new<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    match node {
        AnyNodeRef::ExprAttribute(attribute) => {
            attribute.attr.as_str() == "iscoroutinefunction"
                && cx
                    .module
                    .qualified_name(&attribute.value)
                    .is_some_and(|name| name == "inspect")
        }
        AnyNodeRef::ExprName(name) => cx
            .module
            .symbol(name)
            .and_then(|symbol| cx.module.imported_as(symbol))
            .is_some_and(|name| name == NEW),
        _ => false,
    }
}

/// Whether the file marks objects as coroutine functions in asyncio's way.
fn marks(cx: &Context<'_, '_>) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    cx.module
        .source()
        .split(|c| !is_word(c))
        .any(|word| word == "_is_coroutine")
}
