//! `asyncio.get_event_loop()` where there may be no loop: reported, never rewritten

use engine::{Codemod, Context, Dated, On, Refusal, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprAttribute, ExprCall, PythonVersion, StmtFunctionDef};
use python::{AwaitPlace, Library, Module, Ranged};

pub const CODEMOD: Codemod = Codemod {
    name: "make-event-loop",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: Some(Dated::deprecated(PythonVersion::PY312)),
    options: &[],
    on: &[On::Call(&["asyncio.get_event_loop"], report)],
};

/// `asyncio.get_event_loop()` outside of coroutines
///
/// It made a loop up to Python 3.13, and fails since. Whether one is to be made there, or the code
/// is to move to where one runs, is for a person to decide. A call whose loop is run is a matter of
/// run-until-complete-to-run, one in a coroutine of running-loop.
fn report<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    if !call.arguments.is_empty() {
        return Err(Refusal::NotOurs); // fails today
    }
    if let Library::Other | Library::Trio | Library::Curio = module.library() {
        return Err(Refusal::NotOurs); // no loop of asyncio's
    }
    if module.is_notebook() {
        return Err(Refusal::NotOurs); // whose loop runs all the time
    }
    if module.running_coroutine(call).is_some() || module.coroutine_around(call).is_some() {
        return Err(Refusal::NotOurs); // the loop that runs
    }
    if is_run(cx, call)
        || is_set_before(cx, call)
        || module.is_for_versions_below(call, PythonVersion::PY314)
        || module.catcher(call, &["RuntimeError"]).is_some()
    {
        return Err(Refusal::NotOurs);
    }
    if follows_running_loop(cx, call) {
        return Err(withheld!(
            "no loop runs where this is reached, and since Python 3.14 `get_event_loop` makes none, and fails where none is set: write `asyncio.new_event_loop()`, and `asyncio.set_event_loop` where other code asks for it"
        ));
    }
    if asks_whether_it_runs(cx, call) {
        return Err(withheld!(
            "`is_running()` shows that no loop may run here, and since Python 3.14 `get_event_loop` makes none, and fails where none is set: ask by `asyncio.get_running_loop()`, whose RuntimeError says that none runs"
        ));
    }
    Err(match module.await_place(call) {
        AwaitPlace::Module => withheld!(
            "no loop runs when the module is imported, and since Python 3.14 `get_event_loop` makes none and fails: ask in the coroutine that needs the loop, by `asyncio.get_running_loop()`"
        ),
        AwaitPlace::Class => withheld!(
            "in the body of a class no loop may run, and since Python 3.14 `get_event_loop` makes none and fails: ask in the coroutine that needs the loop, by `asyncio.get_running_loop()`"
        ),
        AwaitPlace::Function(function) if is_nested(cx, function) => {
            return Err(Refusal::NotOurs); // a callback of a coroutine, mostly
        }
        AwaitPlace::Function(function) => match module.calling_coroutine(function) {
            Some(caller) => withheld!(
                "since Python 3.14 `get_event_loop` makes no loop, and fails where none runs or is set: the coroutine `{}` calls `{}`; write `asyncio.get_running_loop()` if nothing else does",
                caller.coroutine.name,
                function.name
            ),
            None => withheld!(
                "since Python 3.14 `get_event_loop` makes no loop, and fails where none runs or is set: if only coroutines and callbacks call `{}`, write `asyncio.get_running_loop()`; else ask in the coroutine that needs the loop, or make one here by `asyncio.new_event_loop()` and close it",
                function.name
            ),
        },
        _ if module
            .ancestors(call)
            .any(|node| matches!(node, AnyNodeRef::StmtFunctionDef(outer) if outer.is_async)) =>
        {
            return Err(Refusal::NotOurs);
        }
        _ => withheld!(
            "since Python 3.14 `get_event_loop` makes no loop, and fails where none runs or is set: if only coroutines and callbacks run this, write `asyncio.get_running_loop()`"
        ),
    })
}

/// Whether a function is defined in a coroutine, or in a function of that coroutine.
fn is_nested<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    cx.module
        .ancestors(function)
        .any(|ancestor| matches!(ancestor, AnyNodeRef::StmtFunctionDef(outer) if outer.is_async))
}

/// Whether something of the module runs the loop that the call gives: directly, by its name or by
/// its attribute.
fn is_run<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    if let Some(AnyNodeRef::ExprAttribute(method)) = module.parent(call)
        && runs(method)
    {
        return true;
    }
    // `loop = asyncio.get_event_loop()`, `loop = loop or asyncio.get_event_loop()`
    let targets = match module.statement(call) {
        AnyNodeRef::StmtAssign(assign) if module.contains(&*assign.value, call) => {
            assign.targets.iter().collect()
        }
        AnyNodeRef::StmtAnnAssign(assign) => vec![&*assign.target],
        _ => Vec::new(),
    };
    targets.into_iter().any(|target| {
        module.calls().iter().any(|other| {
            let Expr::Attribute(method) = &*other.func else {
                return false;
            };
            runs(method) && is_same(module, target, &method.value)
        })
    })
}

fn runs(method: &ExprAttribute) -> bool {
    matches!(method.attr.as_str(), "run_until_complete" | "run_forever")
}

fn is_same(module: &Module<'_>, one: &Expr, other: &Expr) -> bool {
    match (one, other) {
        (Expr::Name(one), Expr::Name(other)) => {
            one.id == other.id && module.symbol_id(one) == module.symbol_id(other)
        }
        (Expr::Attribute(one), Expr::Attribute(other)) => one.attr.as_str() == other.attr.as_str(),
        _ => false,
    }
}

/// Whether a loop was made the current one in the same function, or by the module.
fn is_set_before<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let home = module.function(call).map(Ranged::start);
    let class = module
        .function(call)
        .and_then(|function| module.class_around(function))
        .map(Ranged::start);
    // `def setUp(self)` of the same class.
    let sets_up = |function: &'a StmtFunctionDef| {
        function.name.to_ascii_lowercase().starts_with("setup")
            && class.is_some()
            && module.class_around(function).map(Ranged::start) == class
    };
    module.calls().iter().any(|other| {
        other.start() < call.start()
            && module
                .function(*other)
                .is_none_or(|function| Some(function.start()) == home || sets_up(function))
            && module.refers_to(&other.func, "asyncio.set_event_loop")
            && matches!(other.arguments.args.first(), Some(given) if !given.is_none_literal_expr())
    })
}

/// `asyncio.get_event_loop().is_running()`, or `loop.is_running()` in the same function.
fn asks_whether_it_runs<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let asks = |method: &ExprAttribute| method.attr.as_str() == "is_running";
    if let Some(AnyNodeRef::ExprAttribute(method)) = module.parent(call) {
        return asks(method);
    }
    let AnyNodeRef::StmtAssign(assign) = module.statement(call) else {
        return false;
    };
    let [target @ Expr::Name(_)] = assign.targets.as_slice() else {
        return false;
    };
    module.calls().iter().any(|other| {
        matches!(&*other.func, Expr::Attribute(method)
            if asks(method) && is_same(module, target, &method.value))
    })
}

/// In the handler of `try: asyncio.get_running_loop()`.
fn follows_running_loop<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let asks = |node: AnyNodeRef<'a>| {
        module
            .calls_in(node)
            .iter()
            .any(|call| module.refers_to(&call.func, "asyncio.get_running_loop"))
    };
    module.ancestors(call).any(|ancestor| match ancestor {
        AnyNodeRef::StmtTry(stmt) => {
            let in_handler = stmt
                .handlers
                .iter()
                .any(|handler| handler.range().contains_range(call.range()));
            in_handler && stmt.body.iter().any(|stmt| asks(stmt.into()))
        }
        _ => false,
    })
}
