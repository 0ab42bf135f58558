//! `async for x in g(): ...` => `async with contextlib.aclosing(g()) as agen: ...`

mod declared;
mod generator;
mod iterators;
mod text;

use engine::{Codemod, Context, On, Refusal, Rewrite, Verdict, withheld};
use python::ast::{AnyNodeRef, ExprCall, NodeKind, PythonVersion, StmtFor, StmtFunctionDef};
use python::{Block, Ranged};

use generator::Generator;

pub const CODEMOD: Codemod = Codemod {
    name: "close-async-generator",
    page: include_str!("README.md"),
    python: PythonVersion::PY310,
    headline: false,
    rules: &[],
    dated: None,
    options: &[],
    on: &[On::Node {
        kinds: &[NodeKind::StmtFor],
        words: &["async"],
        decide: rewrite,
    }],
};

/// A loop over what an asynchronous generator function gives.
struct Loop<'a> {
    stmt: &'a StmtFor,
    /// `g()`, without parentheses around it.
    call: &'a ExprCall,
    /// The function whose code the loop is part of.
    function: &'a StmtFunctionDef,
}

/// `async for x in g(): ...` =>
/// ```python
/// async with contextlib.aclosing(g()) as agen:
///     async for x in agen:
///         ...
/// ```
///
/// A loop that runs to its end leaves a finished generator, and closing that does nothing. One
/// that is left early leaves the generator where it yielded, until the garbage collector has the
/// event loop close it, in another task: that is the stated effect. Nothing else refers to the
/// generator, so that nobody can go on with it. The argument stops where the iterator may be of
/// another kind, which has no `aclose`, or does not let itself be closed.
fn rewrite<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let module = cx.module;
    let AnyNodeRef::StmtFor(stmt) = node else {
        return Err(Refusal::NotOurs);
    };
    if !stmt.is_async || !cx.supports(PythonVersion::PY310) {
        return Err(Refusal::NotOurs);
    }
    let Some(call) = stmt.iter.as_call_expr() else {
        return Err(Refusal::NotOurs); // whoever made it may go on with it
    };
    let Some(function) = module.function(stmt) else {
        return Err(Refusal::NotOurs); // top-level `await` of a notebook
    };
    if !function.is_async {
        return Err(Refusal::NotOurs); // it does not compile
    }
    if !can_leave(cx, stmt) {
        return Err(Refusal::NotOurs); // the generator runs to its end
    }
    let given = cast(cx, call).ok_or(Refusal::NotOurs)?;
    let generator = generator::of(cx, stmt, given)?;
    let applicability = generator::applicability(cx, given, &generator);
    generator::check_closing(cx, &generator)?;
    if module.is_reflective(function) {
        return Err(withheld!(
            "`{}` reads its local variables by `locals()` or the like, and would see a new one: rewrite it by hand",
            function.name
        ));
    }
    let site = Loop {
        stmt,
        call,
        function,
    };
    let mut edits = text::edits(cx, &site)?;
    let declared = match generator {
        Generator::Function(function) if !module.contains(stmt, function) => {
            declared::edits(cx, function)
        }
        _ => None,
    };
    let is_less = declared.is_none() && generator::is_declared_less(cx, given, &generator);
    if is_less && is_annotated(function) {
        // Type checkers look into this function.
        return Err(match generator {
            Generator::Elsewhere(name, true) => withheld!(
                "`{name}` of an installed package is declared to give less than an `AsyncGenerator`, and type checkers refuse `aclosing` then: write it by hand, with a comment for them"
            ),
            _ => withheld!(
                "`{}` is declared to give less than an `AsyncGenerator`, and type checkers refuse `aclosing` then: declare it so first, and what overrides it",
                generator.name()
            ),
        });
    }
    edits.extend(declared.into_iter().flatten());
    Ok(Rewrite {
        message: format!(
            "a loop that is left early leaves `{}` open: `aclosing` closes it{}",
            generator.name(),
            match generator {
                Generator::Declared(_) => {
                    "; it is declared to be a generator, and what has no `aclose` would fail"
                }
                _ if is_less => {
                    "; type checkers take that only of what is declared to be an `AsyncGenerator`"
                }
                _ => "",
            }
        ),
        applicability,
        edits,
        python: None,
    })
}

/// Whether type checkers look into a function: it has an annotation.
fn is_annotated(function: &StmtFunctionDef) -> bool {
    function.returns.is_some()
        || (function.parameters.iter()).any(|parameter| parameter.annotation().is_some())
}

/// The call in `typing.cast(T, call)`, or else the call itself. None where a name is cast.
fn cast<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<&'a ExprCall> {
    let is_cast = cx.module.refers_to(&call.func, "typing.cast")
        || cx.module.refers_to(&call.func, "typing_extensions.cast");
    match &*call.arguments.args {
        [_, value] if is_cast => value.as_call_expr(),
        _ => Some(call),
    }
}

/// Whether the body may leave the loop before the generator is at its end: by a statement that
/// says so, or by what is raised while it waits.
fn can_leave<'a>(cx: &Context<'a, '_>, stmt: &'a StmtFor) -> bool {
    let module = cx.module;
    let own = module.function(stmt).map(Ranged::range);
    let leaves = |node: AnyNodeRef<'a>| {
        let leaves = match node {
            AnyNodeRef::StmtBreak(_) => {
                let left = module
                    .blocks(node)
                    .into_iter()
                    .find_map(|block| match block {
                        Block::For(inner) => Some(inner.range()),
                        Block::While(inner) => Some(inner.range()),
                        _ => None,
                    });
                left == Some(stmt.range())
            }
            AnyNodeRef::StmtReturn(_)
            | AnyNodeRef::StmtRaise(_)
            | AnyNodeRef::ExprAwait(_)
            | AnyNodeRef::ExprYield(_)
            | AnyNodeRef::ExprYieldFrom(_) => true,
            AnyNodeRef::StmtFor(inner) => inner.is_async,
            AnyNodeRef::StmtWith(inner) => inner.is_async,
            AnyNodeRef::Comprehension(clause) => clause.is_async,
            _ => false,
        };
        // What a nested function does, it does elsewhere.
        leaves && module.function(node).map(Ranged::range) == own
    };
    let mut body = stmt.body.iter();
    body.any(|stmt| module.descendants(stmt).any(leaves))
}
