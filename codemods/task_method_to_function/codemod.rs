//! `asyncio.Task.current_task()` => `asyncio.current_task()`, and `all_tasks`

use edit::{Applicability, Edit};
use engine::{Codemod, Context, Dated, On, Refusal, Rewrite, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, NodeKind, PythonVersion, UnaryOp};
use python::{AwaitPlace, Library, Ranged, TextRange};

pub const CODEMOD: Codemod = Codemod {
    name: "task-method-to-function",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: Some(Dated::removed(PythonVersion::PY37, PythonVersion::PY39)),
    options: &[],
    on: &[
        On::Call(&[CURRENT, ALL], rewrite),
        On::Node {
            kinds: &[NodeKind::ExprAttribute],
            words: &["current_task", "all_tasks"],
            decide: named,
        },
    ],
};

const CURRENT: &str = "asyncio.Task.current_task";
const ALL: &str = "asyncio.Task.all_tasks";

/// `Task.current_task(loop)` => `current_task(loop)`
///
/// Both ask the given loop, or else the running one. The argument stops where none is running: the
/// methods took the current loop then, and the functions fail. The method `all_tasks` gave the
/// tasks that are done, too: the stated effect.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    let Expr::Attribute(method) = &*call.func else {
        return Err(Refusal::NotOurs); // no method
    };
    let name = method.attr.as_str();
    let given = match (&*call.arguments.args, &*call.arguments.keywords) {
        ([], []) => None,
        ([given], []) if !given.is_starred_expr() => Some(given),
        ([], [keyword]) if keyword.arg.as_deref() == Some("loop") => Some(&keyword.value),
        _ => return Err(Refusal::NotOurs), // fails in all versions
    };
    let given = given.filter(|given| !given.is_none_literal_expr());
    check_versions(cx, call.into())?;
    if module.library() == Library::Other {
        return Err(Refusal::NotOurs);
    }
    let in_coroutine = module.running_coroutine(call).is_some() || in_old_coroutine(cx, call);
    if given.is_none() && !in_coroutine {
        check_place(cx, call, name)?;
    }
    let catcher = module.catcher(call, &["AttributeError"]);
    if catcher.is_some_and(|catcher| catcher.is_exact) {
        return Err(withheld!(
            "an AttributeError, which `Task.{name}` raises since Python 3.9, is caught here, and may be for that: keep the code that works without it"
        ));
    }
    cx.check_unprinted(call)?;
    let root = module.id(module.root());
    let question = if name == "all_tasks" {
        "all replaced"
    } else {
        "current replaced"
    };
    if cx.once(question, root, || module.replaces("asyncio.Task", name)) {
        return Err(withheld!(
            "the file puts something else in the place of `{name}`, which would have no effect here: replace `asyncio.{name}` instead"
        ));
    }
    let applicability = if name == "all_tasks" {
        if leaves_out_done(cx, call) && catcher.is_none() {
            Applicability::Safe
        } else {
            Applicability::Intended
        }
    } else if in_coroutine || given.is_some_and(|given| module.is_loop(given)) {
        // The AttributeError may have led somewhere else.
        match catcher {
            None => Applicability::Safe,
            Some(_) => Applicability::Intended,
        }
    } else {
        // Without a loop that runs it gave None, and fails now.
        Applicability::Unsafe
    };
    Ok(Rewrite {
        message: format!(
            "`Task.{name}` is gone since Python 3.9: `asyncio.{name}` is its successor"
        ),
        applicability,
        edits: edits(cx, &call.func)?,
        python: None,
    })
}

/// The method itself, not called here.
fn named<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let module = cx.module;
    let AnyNodeRef::ExprAttribute(attribute) = node else {
        return Err(Refusal::NotOurs);
    };
    let name = attribute.attr.as_str();
    if !matches!(name, "current_task" | "all_tasks") {
        return Err(Refusal::NotOurs);
    }
    if !module.refers_to(&attribute.value, "asyncio.Task") {
        return Err(Refusal::NotOurs);
    }
    if let Some(AnyNodeRef::ExprCall(call)) = module.parent(attribute)
        && module.contains(&*call.func, attribute)
    {
        return Err(Refusal::NotOurs); // said above
    }
    check_versions(cx, node)?;
    if module.catcher(attribute, &["AttributeError"]).is_some() {
        return Err(Refusal::NotOurs); // a way around
    }
    Err(withheld!(
        "`Task.{name}` is gone since Python 3.9, and whether a loop runs where this is called does not show: write `asyncio.{name}`, which needs one that runs, or to be given one"
    ))
}

/// Code for versions that have the methods is fine as it is.
fn check_versions<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Result<(), Refusal> {
    let module = cx.module;
    if module.is_for_versions_below(node, PythonVersion::PY39) || module.is_fallback(node) {
        return Err(Refusal::NotOurs);
    }
    Ok(())
}

/// In the body of `@asyncio.coroutine def` or `@types.coroutine def`.
fn in_old_coroutine<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    match cx.module.await_place(call) {
        AwaitPlace::Function(function) => cx.module.is_generator_based(function),
        _ => false,
    }
}

/// Where no coroutine runs the call, and it names no loop.
fn check_place<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, name: &str) -> Result<(), Refusal> {
    let place = match cx.module.await_place(call) {
        // Mostly called by coroutines: unsafe.
        AwaitPlace::Function(_) if name == "current_task" => return Ok(()),
        AwaitPlace::Cell => return Ok(()), // a loop runs
        AwaitPlace::Function(function) => format!("`{}` may run", function.name),
        AwaitPlace::Module => "the module runs".to_string(),
        AwaitPlace::Class => "the class's body may run".to_string(),
        _ => "this may run".to_string(),
    };
    Err(withheld!(
        "{place} where no event loop does, and there `asyncio.{name}` fails, unlike `Task.{name}` up to Python 3.8: pass the loop, as in `asyncio.{name}(loop)`, or write `asyncio.{name}()` if a loop runs"
    ))
}

/// `[t for t in Task.all_tasks() if not t.done()]`
fn leaves_out_done<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let Some(AnyNodeRef::Comprehension(clause)) = module.parent(call) else {
        return false;
    };
    let Expr::Name(target) = &clause.target else {
        return false;
    };
    let is_open = |test: &Expr| match test {
        Expr::UnaryOp(not) if not.op == UnaryOp::Not => match &*not.operand {
            Expr::Call(done) if done.arguments.is_empty() => match &*done.func {
                Expr::Attribute(done) => {
                    done.attr.as_str() == "done"
                        && matches!(&*done.value, Expr::Name(name) if name.id == target.id)
                }
                _ => false,
            },
            _ => false,
        },
        _ => false,
    };
    clause.iter.range() == call.range()
        && clause.ifs.first().is_some_and(|test| match test {
            Expr::BoolOp(both) if both.op == python::ast::BoolOp::And => {
                both.values.first().is_some_and(is_open)
            }
            test => is_open(test),
        })
}

/// `aio.Task.all_tasks` => `aio.all_tasks`, `Task.all_tasks` => `asyncio.all_tasks`
fn edits<'a>(cx: &Context<'a, '_>, func: &'a Expr) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let Expr::Attribute(method) = func else {
        return Err(Refusal::NotOurs);
    };
    if !module.comments(func.range()).is_empty() {
        return Err(withheld!(
            "a comment stands inside the name of the method: move it out"
        ));
    }
    if let Expr::Attribute(class) = &*method.value {
        let base = module.parenthesized(&class.value);
        let between = module.parenthesized(&method.value);
        if between == method.value.range() {
            let gone = TextRange::new(base.end(), method.attr.start());
            return Ok(vec![Edit::replace(gone, ".")]);
        }
    }
    let import = cx.import(func, "asyncio")?;
    let text = format!("{}.{}", import.name, method.attr);
    let mut edits = vec![Edit::replace(func.range(), text)];
    edits.extend(import.edit);
    Ok(edits)
}
