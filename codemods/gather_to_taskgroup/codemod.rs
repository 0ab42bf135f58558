//! `await asyncio.gather(f(), g())` => `async with asyncio.TaskGroup() as tg: ...`

mod children;
mod comments;
mod lists;
mod moves;
mod names;
mod place;
mod render;
mod surroundings;
mod unawaited;

use edit::Applicability;
use engine::{Choices, Codemod, Context, On, OptionSpec, Refusal, Rewrite, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprAwait, ExprCall, PythonVersion, StmtFunctionDef};
use python::{AwaitPlace, BindingKind, Library, Ranged};

pub const CODEMOD: Codemod = Codemod {
    name: "gather-to-taskgroup",
    page: include_str!("README.md"),
    python: PythonVersion::PY311,
    headline: true,
    rules: &[],
    dated: None,
    options: &[
        OptionSpec {
            name: "exceptions",
            help: "\"group\" lets the ExceptionGroup out, \"unwrap\" raises the first failure as it is",
            choices: Choices::Words(&["group", "unwrap"]),
        },
        OptionSpec {
            name: "wrap-awaitables",
            help: "wrap what may be no coroutine, so that the group takes any awaitable",
            choices: Choices::Flag,
        },
    ],
    on: &[On::CallUnless(
        &["asyncio.gather"],
        unawaited::is_not_ours,
        rewrite,
    )],
};

/// A gather that is awaited, and what stands around it.
struct Gather<'a> {
    call: &'a ExprCall,
    /// The whole expression that gives the results: the `await`, with `wait_for` if there is one.
    site: &'a ExprAwait,
    timeout: Option<&'a Expr>,
    coroutine: &'a StmtFunctionDef,
}

/// `await asyncio.gather(f(), g())` =>
/// ```python
/// async with asyncio.TaskGroup() as tg:
///     tg.create_task(f())
///     tg.create_task(g())
/// ```
/// and, where the results are used, `tasks = [...]` in the block and
/// `[task.result() for task in tasks]` after it.
///
/// Where every child succeeds the two are the same: order of start and of results, number of
/// loop turns, contexts, names of tasks. Where one fails they differ as the stated effect says.
/// So the argument stops where an argument may be no coroutine, which `create_task` refuses even
/// if all goes well; where starting the children at the start of the statement changes what is
/// evaluated before; and where somebody relies on the exception that gather raised, or on the
/// siblings going on.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let gather = awaited(cx, call)?;
    if call.arguments.is_empty() {
        return Err(Refusal::NotOurs); // gives [] at once, as it should
    }
    let module = cx.module;
    if module.is_reflective(gather.coroutine) {
        return Err(withheld!(
            "`{}` reads its local variables by `locals()` or the like, and would see new ones: rewrite it by hand",
            gather.coroutine.name
        ));
    }
    let place = place::Place::of(cx, &gather)?;
    let surroundings = surroundings::check(cx, &gather)?;
    check_timeout(&gather)?;
    let children = children::Children::of(cx, &gather)?;
    let edits = render::edits(cx, &gather, &place, &children)?;
    surroundings::check_callers(cx, &gather)?;
    Ok(Rewrite {
        message: "`asyncio.gather` leaves its other children running when one fails: a TaskGroup cancels them"
            .to_string(),
        applicability: surroundings
            .max(children.applicability)
            .max(timeout_applicability(cx, &gather)),
        edits,
        python: None,
    })
}

/// The gather, if it is awaited in a coroutine and asks for what a group can give.
fn awaited<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<Gather<'a>, Refusal> {
    let module = cx.module;
    for keyword in &call.arguments.keywords {
        let is_false = matches!(&keyword.value, Expr::BooleanLiteral(value) if !value.value);
        if keyword.arg.as_deref() != Some("return_exceptions") || !is_false {
            return Err(Refusal::NotOurs); // children are told to go on: no group does that
        }
    }
    if !matches!(module.library(), Library::Asyncio | Library::Several) {
        return Err(Refusal::NotOurs); // another library's file
    }
    let mut timeout = None;
    let mut inner = AnyNodeRef::from(call);
    if let Some((wait_for, limit)) = wait_for(cx, call) {
        // `None` is no limit.
        timeout = (!limit.is_none_literal_expr()).then_some(limit);
        inner = AnyNodeRef::from(wait_for);
    }
    let Some(AnyNodeRef::ExprAwait(site)) = module.parent(inner) else {
        return Err(Refusal::NotOurs); // an eager future that somebody else awaits
    };
    let coroutine = match module.await_place(site) {
        AwaitPlace::Coroutine(function) | AwaitPlace::NestedComprehension(function) => function,
        AwaitPlace::GeneratorExpression => {
            return Err(withheld!(
                "it stands in a generator expression, whose elements are made one by one: write a loop"
            ));
        }
        AwaitPlace::Cell => {
            return Err(withheld!(
                "it stands at the top level of a notebook's cell: the notebook would not show its value any more, and the new names would be those of all cells: write a coroutine around it and await that"
            ));
        }
        _ => return Err(Refusal::NotOurs), // no coroutine's code
    };
    cx.check_unprinted(site)?;
    Ok(Gather {
        call,
        site,
        timeout,
        coroutine,
    })
}

/// `wait_for(gather(...), limit)`: the call around the gather, and its time limit.
fn wait_for<'a>(cx: &Context<'a, '_>, gather: &'a ExprCall) -> Option<(&'a ExprCall, &'a Expr)> {
    let outer = cx
        .module
        .ancestors(gather)
        .find(|node| !matches!(node, AnyNodeRef::Arguments(_) | AnyNodeRef::Keyword(_)))?;
    let AnyNodeRef::ExprCall(outer) = outer else {
        return None;
    };
    if !cx.module.refers_to(&outer.func, "asyncio.wait_for") {
        return None;
    }
    let limit = outer.arguments.find_argument_value("timeout", 1)?;
    let first = outer.arguments.find_argument_value("fut", 0)?;
    (outer.arguments.len() == 2 && first.range() == gather.range()).then_some((outer, limit))
}

/// `wait_for` makes the children first, and evaluates its limit then; a limit that is not
/// positive keeps them from starting at all.
fn check_timeout(gather: &Gather<'_>) -> Result<(), Refusal> {
    match gather.timeout {
        None | Some(Expr::Name(_)) => Ok(()),
        Some(limit @ Expr::NumberLiteral(_)) if is_positive(limit) => Ok(()),
        Some(Expr::NumberLiteral(_) | Expr::UnaryOp(_)) => Err(withheld!(
            "`wait_for` with a limit that is not positive never starts the children, `asyncio.timeout` does"
        )),
        Some(_) => Err(withheld!(
            "`asyncio.timeout` would evaluate the limit before the arguments of `gather`: give it a name first"
        )),
    }
}

fn timeout_applicability<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>) -> Applicability {
    let Some(Expr::Name(name)) = gather.timeout else {
        return Applicability::Intended;
    };
    match cx.module.only_binding(name).map(|binding| binding.kind) {
        Some(BindingKind::Value(value)) if is_positive(value) => Applicability::Intended,
        _ => Applicability::Unsafe, // it may hold zero
    }
}

fn is_positive(limit: &Expr) -> bool {
    use python::ast::{ExprNumberLiteral, Number};
    match limit {
        Expr::NumberLiteral(ExprNumberLiteral { value, .. }) => match value {
            Number::Int(int) => int.as_u64() != Some(0),
            Number::Float(float) => *float > 0.0,
            Number::Complex { .. } => false,
        },
        _ => false,
    }
}
