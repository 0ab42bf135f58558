//! `asyncio.Task(coro)` in a coroutine => `asyncio.create_task(coro)`

use edit::{Applicability, Edit};
use engine::{
    Codemod, Context, Dated, Layout, On, Piece, Refusal, Rewrite, Verdict, arguments, width,
    withheld,
};
use python::ast::{Expr, ExprCall, PythonVersion};
use python::{Library, Ranged, TextRange};

pub const CODEMOD: Codemod = Codemod {
    name: "task-to-create-task",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: Some(Dated::SUPERSEDED),
    options: &[],
    on: &[On::Call(&["asyncio.Task"], rewrite)],
};

/// `Task(coro)` => `create_task(coro)`
///
/// In a coroutine both make a task of the running loop, and both refuse what is no coroutine. The
/// function lets the loop's task factory make it: the stated effect. The argument stops where the
/// file has such a factory, where another loop is named, where only the class knows an argument,
/// and where no loop may be running.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    let mut python = None;
    for keyword in &call.arguments.keywords {
        python = python.max(match keyword.arg.as_deref() {
            Some("coro") => None,
            Some("name") => Some(PythonVersion::PY38),
            Some("context") => Some(PythonVersion::PY311),
            // Another loop, an argument that only the class has, or nobody knows which.
            _ => return Err(Refusal::NotOurs),
        });
    }
    let coro = call.arguments.find_keyword("coro").is_some();
    match &*call.arguments.args {
        [argument] if !coro && !argument.is_starred_expr() => {}
        [] if coro => {}
        _ => return Err(Refusal::NotOurs), // fails, or nobody knows
    }
    if module.running_coroutine(call).is_none() || module.library() == Library::Other {
        return Err(Refusal::NotOurs);
    }
    cx.check_unprinted(call)?;
    let root = module.id(module.root());
    if cx.once("replaced", root, || module.replaces("asyncio", "Task")) {
        return Err(withheld!(
            "the file puts something else in the place of `Task`, which would have no effect here: replace `create_task` instead"
        ));
    }
    if cx.once("has a factory", root, || has_factory(cx)) {
        return Err(withheld!(
            "the file sets a task factory, which `create_task` uses and `Task` does not: decide which is meant"
        ));
    }
    let mut edits = cx.call_instead(call, "asyncio", "create_task")?;
    if let [replaced] = edits.as_slice()
        && let Some(edit) = opened(cx, call, replaced)
    {
        edits.push(edit);
    }
    Ok(Rewrite {
        message: "`Task` is not meant to be made by hand: `create_task` makes a task".to_string(),
        applicability: Applicability::Intended,
        edits,
        python,
    })
}

fn has_factory(cx: &Context<'_, '_>) -> bool {
    cx.module.calls().iter().any(
        |call| matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "set_task_factory"),
    )
}

/// The arguments on lines of their own, where the longer name makes the line too long.
fn opened<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, replaced: &Edit) -> Option<Edit> {
    let module = cx.module;
    let statement = module.statement(call);
    let indent = module.indentation_at(statement.start())?;
    let line = TextRange::new(module.line_start(call.start()), module.line_end(call.end()));
    let limit = cx.settings.line_length;
    let length = width(module.text(line));
    let grown = length + width(&replaced.content) - (replaced.range.end - replaced.range.start);
    let is_last = call.end() == statement.end() && line.contains_range(statement.range());
    if length > limit || grown <= limit || !is_last || module.text(line).contains(['\n', '\r']) {
        return None;
    }
    let range = call.arguments.range();
    let before = width(module.text(TextRange::new(line.start(), range.start()))) + grown - length;
    let piece = Piece::Call("(".to_string(), arguments(call).collect(), ")");
    let layout = Layout {
        module,
        width: limit,
    };
    Some(Edit::replace(
        range,
        layout.piece(&piece, indent, before, 0),
    ))
}
