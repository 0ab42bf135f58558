//! `asyncio.ensure_future(f())` => `asyncio.create_task(f())`

use edit::{Applicability, Edit};
use engine::{
    Codemod, Context, Dated, On, Refusal, Rewrite, Verdict, arguments, joined_arguments, width,
    withheld,
};
use python::ast::{Expr, ExprCall, PythonVersion};
use python::{Awaitable, Library, Ranged};

pub const CODEMOD: Codemod = Codemod {
    name: "ensure-future-to-create-task",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: Some(Dated::SUPERSEDED),
    options: &[],
    on: &[On::Call(&["asyncio.ensure_future"], rewrite)],
};

/// `ensure_future(f())` => `create_task(f())`
///
/// Given a coroutine, `ensure_future` makes a task of it in the current loop, which in a coroutine
/// is the running one; `create_task` does the same. The argument stops where what is given may be
/// a future or any other awaitable, which `create_task` refuses, and where no loop may be running.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    let (argument, keyword) = match (&*call.arguments.args, &*call.arguments.keywords) {
        ([argument], []) => (argument, None),
        ([], [keyword]) if keyword.arg.as_deref() == Some("coro_or_future") => {
            (&keyword.value, keyword.arg.as_ref())
        }
        _ => return Err(Refusal::NotOurs), // another loop, or a call that fails
    };
    if module.running_coroutine(call).is_none() || module.library() == Library::Other {
        return Err(Refusal::NotOurs);
    }
    check_argument(cx, argument)?;
    cx.check_unprinted(call)?;
    let root = module.id(module.root());
    if cx.once("replaced", root, || {
        module.replaces("asyncio", "ensure_future")
    }) {
        return Err(withheld!(
            "the file puts something else in the place of `ensure_future`, which would have no effect here: replace `create_task` instead"
        ));
    }
    let mut edits = cx.call_instead(call, "asyncio", "create_task")?;
    if let Some(name) = keyword {
        edits.push(Edit::replace(name.range(), "coro"));
    } else {
        let shorter_by = match &*call.func {
            Expr::Attribute(_) => width("ensure_future") - width("create_task"),
            _ => 0,
        };
        let pieces = arguments(call).collect();
        edits.extend(joined_arguments(
            module,
            cx.settings.line_length,
            call,
            pieces,
            shorter_by,
        ));
    }
    Ok(Rewrite {
        message: "`ensure_future` is given a coroutine: `create_task` makes a task of it"
            .to_string(),
        applicability: Applicability::Safe,
        edits,
        python: None,
    })
}

/// `create_task` takes coroutines only. Types across files are to be asked where it says that
/// nothing shows.
fn check_argument<'a>(cx: &Context<'a, '_>, argument: &'a Expr) -> Result<(), Refusal> {
    let text = cx.module.first_line(argument);
    match (cx.module.awaitable(argument), argument) {
        (Awaitable::Coroutine, Expr::Call(_)) => Ok(()),
        (Awaitable::Task | Awaitable::Future, _) => Err(Refusal::NotOurs), // what it is for
        (_, Expr::Starred(_)) => Err(Refusal::NotOurs),
        (Awaitable::Coroutine | Awaitable::Unknown, _) => Err(withheld!(
            "whether `{text}` is a coroutine cannot be seen here, and `create_task` refuses futures and other awaitables: write `create_task` if it is one"
        )),
    }
}
