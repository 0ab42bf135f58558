//! `asyncio.wait([f(), g()])` => `asyncio.wait([asyncio.create_task(f()), ...])`

use edit::Applicability;
use engine::{Codemod, Context, Dated, On, Refusal, Rewrite, Verdict, withheld};
use python::ast::{ExprCall, PythonVersion};
use python::{Library, first_line};

#[path = "kinds.rs"]
mod kinds;
#[path = "text.rs"]
mod text;

pub const CODEMOD: Codemod = Codemod {
    name: "wait-on-tasks",
    page: include_str!("README.md"),
    python: PythonVersion::PY311,
    headline: false,
    rules: &[],
    dated: Some(Dated::removed(PythonVersion::PY38, PythonVersion::PY311)),
    options: &[],
    on: &[On::Call(&["asyncio.wait"], rewrite)],
};

/// `asyncio.wait([f()])` => `asyncio.wait([asyncio.create_task(f())])`
///
/// From Python 3.11 on the call raises a `TypeError` for any coroutine among what it is given
/// (M22), so that no run depends on what comes after it. Before that, it made the tasks itself.
/// The argument stops where a coroutine is looked for in the results, which hold tasks (M23), where
/// something may be a future, which `create_task` refuses, and where no loop may be running.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    let given = match &*call.arguments.args {
        [given] => given,
        [] => match call.arguments.find_keyword("fs") {
            Some(keyword) => &keyword.value,
            None => return Err(Refusal::NotOurs),
        },
        _ => return Err(Refusal::NotOurs), // fails on every version
    };
    if module.library() == Library::Other || kinds::is_choice(cx, call) {
        return Err(Refusal::NotOurs);
    }
    let plan = kinds::plan(cx, call, given)?;
    if module.running_coroutine(call).is_none() {
        return Err(withheld!(
            "no event loop may be running here, which `create_task` needs: call `asyncio.wait` in a coroutine"
        ));
    }
    cx.check_unprinted(call)?;
    let root = module.id(module.root());
    if cx.once("replaced", root, || module.replaces("asyncio", "wait")) {
        return Err(withheld!(
            "the file puts something else in the place of `wait`, which may take coroutines: make tasks of them if it does not"
        ));
    }
    let mut applicability = Applicability::Safe;
    if let Some(catcher) = module.catcher(call, &["TypeError"]) {
        if catcher.is_exact {
            let text = catcher.shown(module);
            let text = first_line(&text);
            return Err(withheld!(
                "`{text}` catches the TypeError that coroutines raise since Python 3.11, and may be there for it: keep the code that works without them"
            ));
        }
        applicability = Applicability::Intended;
    }
    Ok(Rewrite {
        message: "`asyncio.wait` takes no coroutines since Python 3.11: tasks are made of them"
            .to_string(),
        applicability,
        edits: text::edits(cx, call, given, &plan)?,
        python: None,
    })
}
