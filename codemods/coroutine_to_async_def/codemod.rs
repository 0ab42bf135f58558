//! `@asyncio.coroutine` => `async def`

mod body;
mod header;
mod iteration;
mod returns;

use edit::Applicability;
use engine::{Codemod, Context, Dated, Kept, On, Refusal, Rewrite, Verdict, withheld};
use python::Ranged;
use python::ast::{
    AnyNodeRef, Decorator, Expr, ExprCall, NodeKind, PythonVersion, StmtFunctionDef,
};

pub const CODEMOD: Codemod = Codemod {
    name: "coroutine-to-async-def",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: Some(Dated::removed(PythonVersion::PY38, PythonVersion::PY311)),
    options: &[],
    on: &[
        On::Node {
            kinds: &[NodeKind::StmtFunctionDef],
            words: &["coroutine"],
            decide: decorated,
        },
        On::Call(&[NAME], called),
    ],
};

const NAME: &str = "asyncio.coroutine";

/// `@asyncio.coroutine` `def f(): x = yield from g()` => `async def f(): x = await g()`
///
/// The event loop runs both in the same way, one step from suspension to suspension. `await`
/// takes what `yield from` took, except for plain iterables; it binds closer, so that its operand
/// may need parentheses. The argument stops where something takes the function's result for a
/// generator, and where the decorator awaited what a function without `yield` returns.
///
/// From Python 3.11 on the decorator does not exist, so that no run depends on it. Before, what
/// inspects the function sees the difference.
fn decorated<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let AnyNodeRef::StmtFunctionDef(function) = node else {
        return Err(Refusal::NotOurs);
    };
    let decorators = &function.decorator_list;
    let Some(position) = decorators.iter().position(|it| is_ours(cx, it)) else {
        return Err(Refusal::NotOurs);
    };
    check_import(cx, &decorators[position])?;
    if !cx.module.comments(decorators[position].range()).is_empty() {
        return Err(withheld!(
            "a comment stands inside the decorator, which goes: move it above"
        ));
    }
    let mut edits = header::without_decorator(cx, function, &decorators[position]);
    let mut applicability = if cx.supports(PythonVersion::PY311) {
        Applicability::Safe
    } else {
        Applicability::Unsafe
    };
    if matches!(
        function.name.as_str(),
        "__iter__" | "__await__" | "__next__"
    ) {
        return Err(withheld!(
            "Python itself calls `{}`, which has to give an iterator: take the decorator away where it is a generator, and write `return f().__await__()` where it awaits something",
            function.name
        ));
    }
    if !function.is_async {
        check_decorators(cx, &decorators[position + 1..])?;
        iteration::check(cx, function)?;
        let body = body::edits(cx, function)?;
        if body.is_empty() {
            let returns = returns::edits(cx, function)?;
            if !returns.is_empty() {
                applicability = Applicability::Unsafe;
            }
            edits.extend(returns);
        }
        edits.extend(body);
        edits.extend(header::asynchronous(cx, function));
    }
    Ok(Rewrite {
        message: format!(
            "`@asyncio.coroutine` is gone since Python 3.11: `{}` becomes an `async def`",
            function.name
        ),
        applicability,
        edits,
        python: None,
    })
}

/// `asyncio.coroutine(f)`, which makes a coroutine function of any function.
fn called<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let text = cx.module.first_line(call);
    Err(withheld!(
        "`{text}` fails since Python 3.11: write an `async def` that does the same, and use that"
    ))
}

fn is_ours<'a>(cx: &Context<'a, '_>, decorator: &'a Decorator) -> bool {
    cx.module.refers_to(&decorator.expression, NAME)
}

/// `from asyncio import coroutine` fails as well where the decorator does not exist: without the
/// decorator it has to go, and goes as what is unused, if nothing keeps it.
fn check_import<'a>(cx: &Context<'a, '_>, decorator: &'a Decorator) -> Result<(), Refusal> {
    let Expr::Name(name) = &decorator.expression else {
        return Ok(()); // `asyncio.coroutine`
    };
    let Some(kept) = cx.module.symbol(name).and_then(|symbol| cx.kept(symbol)) else {
        return Ok(());
    };
    let why = match kept {
        Kept::Comment => "a comment stands beside it: move it above the import",
        Kept::Exported => {
            "other files may take the name from this one: remove it, and write `@asyncio.coroutine`"
        }
        Kept::Quoted => "a string annotation names it: remove it, and write `@asyncio.coroutine`",
        Kept::Several => "the name is bound in several places: leave one",
        Kept::Line => "another statement stands on its line: put each on a line of its own",
        // Where it fails, something else is done; or it does not run.
        Kept::Alone | Kept::Conditional | Kept::Typing => return Ok(()),
    };
    Err(withheld!(
        "the import of `{}` fails since Python 3.11 and has to go, and {why}",
        name.id
    ))
}

/// Whether a function is decorated by `asyncio.coroutine`.
fn is_generator_based<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    function.decorator_list.iter().any(|it| is_ours(cx, it))
}

/// The decorators below are given the function itself.
fn check_decorators<'a>(cx: &Context<'a, '_>, below: &'a [Decorator]) -> Result<(), Refusal> {
    /// What only looks at the function, or leaves a note on it.
    const HARMLESS: &[&str] = &[
        "abc.abstractmethod",
        "functools.wraps",
        "typing.final",
        "typing.no_type_check",
        "typing.overload",
        "typing.override",
    ];
    for decorator in below {
        let expr = match &decorator.expression {
            Expr::Call(call) => &*call.func,
            expr => expr,
        };
        let name = cx.module.qualified_name(expr).unwrap_or_default();
        if !HARMLESS.contains(&name.as_str()) && !name.starts_with("pytest.mark.") {
            let text = cx.module.first_line(decorator);
            return Err(withheld!(
                "`{text}` stands below the decorator and would be given a coroutine function in the place of a generator function: decide whether it takes one, and move it above"
            ));
        }
    }
    Ok(())
}
