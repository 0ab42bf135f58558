//! `asyncio.sleep(1, loop=loop)` => `asyncio.sleep(1)`

use edit::Applicability;
use engine::{Codemod, Context, Dated, On, Refusal, Rewrite, Verdict, withheld, without_argument};
use python::ast::{Expr, ExprCall, Keyword, PythonVersion};
use python::{AwaitPlace, BindingKind, first_line};

pub const CODEMOD: Codemod = Codemod {
    name: "drop-loop-argument",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: Some(Dated::removed(PythonVersion::PY38, PythonVersion::PY310)),
    options: &[],
    on: &[
        On::Call(NAMES, called),
        On::CallBeside("asyncio", &["functools.partial"], partial),
    ],
};

/// What took `loop=` up to Python 3.9. `ensure_future`, `Future`, `Task`, `wrap_future`,
/// `StreamReader`, `run_coroutine_threadsafe`, `all_tasks` and `current_task` still take it.
const NAMES: &[&str] = &[
    "asyncio.BoundedSemaphore",
    "asyncio.Condition",
    "asyncio.Event",
    "asyncio.LifoQueue",
    "asyncio.Lock",
    "asyncio.PriorityQueue",
    "asyncio.Queue",
    "asyncio.Semaphore",
    "asyncio.as_completed",
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
    "asyncio.gather",
    "asyncio.open_connection",
    "asyncio.open_unix_connection",
    "asyncio.shield",
    "asyncio.sleep",
    "asyncio.start_server",
    "asyncio.start_unix_server",
    "asyncio.wait",
    "asyncio.wait_for",
];

fn called<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    rewrite(cx, call, &call.func)
}

/// `functools.partial(asyncio.sleep, 1, loop=loop)` fails when the result is called.
fn partial<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    match call.arguments.args.first() {
        Some(function) if NAMES.iter().any(|it| cx.module.refers_to(function, it)) => {
            rewrite(cx, call, function)
        }
        _ => Err(Refusal::NotOurs),
    }
}

/// `f(x, loop=loop)` => `f(x)`
///
/// From Python 3.10 on the call fails with a `TypeError`, whatever the loop is, so that no run
/// depends on what it does. Before that, the argument is the default where it is `None`, or the
/// running loop in a coroutine. The argument stops where that `TypeError` is caught on purpose, and
/// where the value does something when it is evaluated.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, function: &'a Expr) -> Verdict {
    let module = cx.module;
    let Some(keyword) = call.arguments.find_keyword("loop") else {
        return Err(Refusal::NotOurs);
    };
    let name = module.first_line(function);
    if !has_no_effect(cx, &keyword.value) {
        return Err(withheld!(
            "`{}` may do more than to give the loop: evaluate it in a statement of its own, if it is needed, and drop the argument",
            module.first_line(keyword)
        ));
    }
    cx.check_unprinted(call)?;
    let mut applicability = Applicability::Safe;
    if let Some(catcher) = module.catcher(call, &["TypeError"]) {
        if catcher.is_exact {
            let text = catcher.shown(module);
            let text = first_line(&text);
            return Err(withheld!(
                "`{text}` catches the TypeError that `loop=` raises since Python 3.10, and may be there for it: keep the code that works without `loop=`"
            ));
        }
        applicability = Applicability::Intended;
    }
    let Some(edits) = without_argument(module, cx.settings.line_length, call, keyword) else {
        return Err(withheld!(
            "a comment stands beside `{}`: move it or delete it",
            module.first_line(keyword)
        ));
    };
    Ok(Rewrite {
        message: format!("`{name}` takes no `loop=` since Python 3.10"),
        applicability,
        edits,
        // Where the argument still counts, only what it is by default can be left out.
        python: (!is_default(cx, call, keyword)).then_some(PythonVersion::PY310),
    })
}

/// Whether evaluating `expr` does nothing that anybody could notice.
fn has_no_effect<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Name(_) | Expr::NoneLiteral(_) | Expr::StringLiteral(_) | Expr::NumberLiteral(_) => {
            true
        }
        Expr::Attribute(attribute) => has_no_effect(cx, &attribute.value),
        Expr::Subscript(subscript) => {
            has_no_effect(cx, &subscript.value) && has_no_effect(cx, &subscript.slice)
        }
        Expr::If(choice) => [&choice.test, &choice.body, &choice.orelse]
            .into_iter()
            .all(|part| has_no_effect(cx, part)),
        Expr::BoolOp(choice) => choice.values.iter().all(|part| has_no_effect(cx, part)),
        Expr::Compare(compare) => {
            has_no_effect(cx, &compare.left)
                && compare.comparators.iter().all(|it| has_no_effect(cx, it))
        }
        Expr::Call(_) => gives_the_loop(cx, expr),
        _ => false,
    }
}

/// `asyncio.get_event_loop()` and `asyncio.get_running_loop()`.
fn gives_the_loop<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    let Expr::Call(call) = expr else {
        return false;
    };
    call.arguments.is_empty()
        && ["asyncio.get_event_loop", "asyncio.get_running_loop"]
            .iter()
            .any(|name| cx.module.refers_to(&call.func, name))
}

/// Whether the argument is what the function takes without it, also before Python 3.10.
fn is_default<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, keyword: &'a Keyword) -> bool {
    let module = cx.module;
    let value = &keyword.value;
    if value.is_none_literal_expr() {
        return true;
    }
    let (AwaitPlace::Coroutine(function) | AwaitPlace::NestedComprehension(function)) =
        module.await_place(call)
    else {
        return false;
    };
    match value {
        Expr::Call(_) => gives_the_loop(cx, value),
        Expr::Name(name) => module.only_binding(name).is_some_and(|binding| {
            let is_own = module
                .function(module.node(binding.node))
                .is_some_and(|owner| module.id(owner) == module.id(function));
            match binding.kind {
                BindingKind::Value(value) => is_own && gives_the_loop(cx, value),
                _ => false,
            }
        }),
        _ => false,
    }
}
