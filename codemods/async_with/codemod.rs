//! `with ClientSession() as session:` => `async with ClientSession() as session:`

mod closed;
mod flow;
mod gather;
mod kept;
mod managers;
mod places;
mod sessions;
mod sources;

use edit::Applicability;
use engine::{Codemod, Context, HeaderItem, On, Refusal, Rewrite, Verdict, with_headers, withheld};
use python::ast::{AnyNodeRef, Expr, NodeKind, PythonVersion, StmtWith};
use python::{AwaitPlace, CaughtByKind, Library};

use managers::Manager;

pub const CODEMOD: Codemod = Codemod {
    name: "async-with",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: None,
    options: &[],
    on: &[
        On::Node {
            kinds: &[NodeKind::StmtWith],
            words: managers::WORDS,
            decide: statement,
        },
        On::Call(sessions::NAMES, sessions::never_closed),
    ],
};

/// `with a, b:` => `async with a, b:`, or nested statements where only some of the items are
/// asynchronous.
///
/// What is entered by `async with` alone has no `__enter__`, or one that only raises: today the
/// statement fails there with a `TypeError`, in every run, so that no run depends on anything that
/// comes after. The argument stops where something around it catches that error: then what
/// catches it is what runs today.
fn statement<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let AnyNodeRef::StmtWith(with) = node else {
        return Err(Refusal::NotOurs);
    };
    let module = cx.module;
    if with.is_async || module.library() == Library::Other {
        return Err(Refusal::NotOurs);
    }
    let managers: Vec<Manager> = with
        .items
        .iter()
        .map(|item| managers::manager(cx, &item.context_expr))
        .collect();
    let entered: Vec<&Expr> = managers
        .iter()
        .zip(&with.items)
        .filter(|(manager, _)| **manager == Manager::Async)
        .map(|(_, item)| &item.context_expr)
        .collect();
    // One that raises in each version before one that raises in some.
    let always = entered.iter().find(|it| !managers::was_sync(cx, it));
    let Some(first) = always.or(entered.first()) else {
        return Err(Refusal::NotOurs);
    };
    let because = match always {
        Some(_) => "raises a TypeError",
        None => "is deprecated, and raises a TypeError since async-timeout 5.0",
    };
    let first = python::first_line(module.text(managers::unwrapped(first)));
    check_catchers(cx, with, always.is_some())?;
    check_place(cx, with, first)?;
    let unknown = managers.iter().position(|it| *it == Manager::Unknown);
    if let Some(item) = unknown.and_then(|position| with.items.get(position)) {
        return Err(withheld!(
            "`{first}` needs `async with`, and whether `{}` does cannot be seen here: write two nested statements",
            line(cx, &item.context_expr)
        ));
    }
    let items: Vec<HeaderItem> = managers
        .iter()
        .zip(&with.items)
        .map(|(manager, item)| HeaderItem {
            is_async: *manager == Manager::Async,
            context: match &item.context_expr {
                // `with await lock:` needs no `await` of its own any longer.
                Expr::Await(awaited) if managers::is_lock(cx, &awaited.value) => Some(
                    module
                        .text(module.parenthesized(&awaited.value))
                        .to_string(),
                ),
                _ => None,
            },
        })
        .collect();
    let edits = with_headers(module, cx.settings.line_length, with, &items).map_err(|_| {
        withheld!(
            "the statement has to be split, and a comment stands between its items: move it above the statement"
        )
    })?;
    if edits.is_empty() {
        return Err(Refusal::NotOurs);
    }
    Ok(Rewrite {
        message: format!("`{first}` is entered by `async with`: `with` {because}"),
        applicability: Applicability::Safe,
        edits,
        python: None,
    })
}

/// The first line of an expression, for messages.
fn line<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> &'a str {
    cx.module.first_line(expr)
}

/// `async with` may be written in coroutines only.
fn check_place<'a>(cx: &Context<'a, '_>, with: &'a StmtWith, first: &str) -> Result<(), Refusal> {
    match cx.module.await_place(with) {
        AwaitPlace::Coroutine(_) | AwaitPlace::NestedComprehension(_) => Ok(()),
        AwaitPlace::Cell if cx.module.cell_magic(with).is_none() => Ok(()),
        AwaitPlace::Function(function) => Err(withheld!(
            "`{first}` needs `async with`, which a plain function cannot have: make `{}` an `async def` and await it at every call",
            function.name
        )),
        _ => Err(withheld!(
            "`{first}` needs `async with`, which only an `async def` can have: move the statement into one"
        )),
    }
}

/// Where the `TypeError` is caught, the code that catches it runs today and would not any longer.
fn check_catchers<'a>(
    cx: &Context<'a, '_>,
    with: &'a StmtWith,
    raises_always: bool,
) -> Result<(), Refusal> {
    // What an object without `__enter__` raised before 3.11; trio's nurseries raise RuntimeError.
    const RAISED: &[&str] = &["TypeError", "AttributeError", "RuntimeError"];
    let module = cx.module;
    let around = module
        .catching_item(&with.items, RAISED)
        .or_else(|| module.catcher(with, RAISED));
    let Some(catcher) = around else {
        return Ok(());
    };
    let is_expected = matches!(
        catcher.kind,
        CaughtByKind::Context(call) if !module.refers_to(&call.func, "contextlib.suppress")
    );
    if is_expected && catcher.is_exact {
        return Err(Refusal::NotOurs); // a test that `with` fails
    }
    let (since, then) = if raises_always {
        ("today", "")
    } else {
        ("since async-timeout 5.0", " then")
    };
    Err(match catcher.kind {
        CaughtByKind::Handler(_) => withheld!(
            "`{}` catches the TypeError that the statement raises {since}, so that its code always runs{then}: decide whether it still has a purpose, and write `async with`",
            catcher.shown(module)
        ),
        CaughtByKind::Context(call) => withheld!(
            "`{}` catches the TypeError that the statement raises {since}: decide whether that is what it is for, and write `async with`",
            module.first_line(call)
        ),
    })
}
