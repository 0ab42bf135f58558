//! `asyncio.run(f())` in a coroutine => `await f()`

mod surroundings;
mod text;

use edit::Applicability;
use engine::{Codemod, Context, On, Refusal, Rewrite, Verdict, asks_for_loop, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, PythonVersion, StmtFunctionDef};
use python::{AwaitPlace, BindingKind, Library, Ranged};

pub const CODEMOD: Codemod = Codemod {
    name: "await-nested-run",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: None,
    options: &[],
    on: &[
        On::Call(&["asyncio.run", ".run_until_complete"], rewrite),
        On::Call(&["nest_asyncio.apply"], applied),
    ],
};

/// `asyncio.run(x)` and `loop.run_until_complete(x)` in a coroutine => `await x`
///
/// While an event loop runs, no other can run in its thread: the call raised `RuntimeError`,
/// whatever the loop, so that nothing can rely on what it gave. `await` takes all that
/// `run_until_complete` takes. So the argument stops where the call does not fail: under another
/// library, with a loop that was patched, or where somebody catches the error on purpose.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    if !is_run(cx, call)? {
        return Err(Refusal::NotOurs); // some other object's method
    }
    if !matches!(module.library(), Library::Asyncio | Library::Anyio) {
        return Err(Refusal::NotOurs); // under trio and curio the call works
    }
    place(cx, call)?;
    let place = match module.await_place(call) {
        AwaitPlace::Cell => "notebook",
        _ => "coroutine",
    };
    let awaited = awaited(cx, call)?;
    surroundings::check(cx, call)?;
    check_loop(cx, call, awaited)?;
    let edits = text::edits(cx, call, awaited)?;
    let name = match &*call.func {
        Expr::Attribute(method) if method.attr.as_str() == "run_until_complete" => {
            "run_until_complete"
        }
        _ => "asyncio.run",
    };
    Ok(Rewrite {
        message: format!(
            "`{name}` fails in a {place}, whose event loop runs already: `await` its argument"
        ),
        applicability: if surroundings::may_work(cx) {
            Applicability::Unsafe
        } else {
            Applicability::Safe
        },
        edits,
        python: None,
    })
}

/// `nest_asyncio.apply()`, which serves all modules.
fn applied<'a>(_: &Context<'a, '_>, _: &'a ExprCall) -> Verdict {
    Err(withheld!(
        "`nest_asyncio.apply` lets an event loop run inside another, in every module: remove it when no coroutine, here or elsewhere, and no function that one calls runs a loop any more"
    ))
}

/// Whether the call runs an event loop.
fn is_run<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<bool, Refusal> {
    let module = cx.module;
    let Expr::Attribute(method) = &*call.func else {
        return Ok(true); // a name that was imported from asyncio
    };
    if method.attr.as_str() != "run_until_complete" {
        return Ok(true);
    }
    if call.arguments.is_empty() {
        return Ok(false); // a loop has to be told what to run
    }
    let receiver = &*method.value;
    if module.is_loop(receiver) {
        return Ok(true);
    }
    match receiver {
        Expr::Name(name) => {
            let Some(symbol) = module.symbol(name) else {
                return Ok(is_named_loop(&name.id)); // a star import
            };
            let is_other = symbol.bindings.iter().any(|binding| match binding.kind {
                BindingKind::Value(Expr::Call(call)) => !gives_a_loop(cx, call),
                BindingKind::Class(_) | BindingKind::Function(_) | BindingKind::Import(_) => true,
                _ => false,
            });
            if !is_other && is_named_loop(&name.id) {
                return Ok(true);
            }
        }
        Expr::Attribute(attribute) if is_named_loop(&attribute.attr) => return Ok(true),
        Expr::Call(call) if gives_a_loop(cx, call) => return Ok(true),
        _ => {}
    }
    let is_cell = matches!(module.await_place(call), AwaitPlace::Cell);
    if module.coroutine_around(call).is_none() && !is_cell {
        return Ok(false);
    }
    Err(withheld!(
        "`{}` is not known to be an event loop: if it is one, the call fails here, and its argument can be awaited",
        cx.module.first_line(receiver)
    ))
}

/// `loop`, `_loop`, `event_loop`, `mainLoop`
fn is_named_loop(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("loop")
}

/// `asyncio.get_event_loop()`, `policy.new_event_loop()`, `uvloop.new_event_loop()`,
/// `SelectorEventLoop()`
fn gives_a_loop<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    match &*call.func {
        Expr::Attribute(attribute) => is_named_loop(&attribute.attr),
        Expr::Name(name) => {
            let name = cx
                .module
                .qualified_name(&call.func)
                .unwrap_or_else(|| name.id.to_string());
            is_named_loop(&name)
        }
        _ => false,
    }
}

/// Whether `await` can stand in the place of the call.
fn place<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<(), Refusal> {
    let module = cx.module;
    match module.await_place(call) {
        AwaitPlace::Coroutine(_) => Ok(()),
        AwaitPlace::NestedComprehension(_) if cx.supports(PythonVersion::PY311) => Ok(()),
        AwaitPlace::Cell => match module.cell_magic(call) {
            None => Ok(()),
            Some(magic) => Err(withheld!(
                "an event loop runs already in the notebook, and `%%{}` may run the cell in a way in which `await` fails: take the magic away and await the argument",
                magic.value.split_whitespace().next().unwrap_or_default()
            )),
        },
        AwaitPlace::NestedComprehension(_) => Err(withheld!(
            "`await` in a comprehension inside a comprehension needs Python 3.11: write a loop"
        )),
        AwaitPlace::GeneratorExpression if module.coroutine_around(call).is_some() => {
            Err(withheld!(
                "`await` would turn the generator expression into an asynchronous one, which cannot be iterated as it is: write a list comprehension or a loop"
            ))
        }
        AwaitPlace::Class if is_in_coroutine(cx, call) => Err(withheld!(
            "it stands in the body of a class, where `await` cannot stand: await the value before the class, and use it there"
        )),
        AwaitPlace::Function(function) => Err(called(cx, call, function)),
        AwaitPlace::GeneratorExpression
        | AwaitPlace::Lambda
        | AwaitPlace::Class
        | AwaitPlace::Module
        | AwaitPlace::Annotation => Err(Refusal::NotOurs), // may run in another thread
    }
}

/// Whether the body of a class that the call stands in runs as part of a coroutine.
fn is_in_coroutine<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let class = cx
        .module
        .ancestors(call)
        .find(|node| matches!(node, AnyNodeRef::StmtClassDef(_)));
    class.is_some_and(|class| cx.module.coroutine_around(class).is_some())
}

/// Why a call in a plain function is not rewritten: it is a defect only if a coroutine calls the
/// function.
fn called<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, function: &'a StmtFunctionDef) -> Refusal {
    // It looks first whether a loop runs.
    if asks_for_loop(cx.module, function) || surroundings::catches_error(cx, call) {
        return Refusal::NotOurs;
    }
    if is_turned_on(cx, call, function) {
        return Refusal::NotOurs; // whether a coroutine does that is not known
    }
    let caller = cx.module.calling_coroutine(function);
    let is_called_by_cell = is_called_by_cell(cx, function);
    let elsewhere = if caller.is_none() && !is_called_by_cell {
        let caller = cx.caller(function, |it| it.coroutine.is_some());
        caller.and_then(|it| Some((it.coroutine?, it.file, it.row)))
    } else {
        None
    };
    if caller.is_none() && !is_called_by_cell && elsewhere.is_none() {
        return Refusal::NotOurs;
    }
    let why = if surroundings::may_work(cx) {
        "whose event loop runs already, so that this works only where loops are patched"
    } else {
        "whose event loop runs already, and fails there"
    };
    if let Some((coroutine, file, row)) = elsewhere {
        return withheld!(
            "the function `{}` is reached by the coroutine `{coroutine}`, {}:{row}, {why}: make it `async`, and what it is called through, and await them at every call",
            function.name,
            file.display()
        );
    }
    let Some(caller) = caller else {
        return withheld!(
            "the function `{}` is called by the notebook, {why}: make it `async` and await it at every call",
            function.name
        );
    };
    match caller.through {
        None => withheld!(
            "the function `{}` is called by the coroutine `{}`, {why}: make it `async` and await it at every call",
            function.name,
            caller.coroutine.name
        ),
        Some(through) => withheld!(
            "the function `{}` is called through `{}` by the coroutine `{}`, {why}: make them `async` and await them at every call",
            function.name,
            through.name,
            caller.coroutine.name
        ),
    }
}

/// Whether the call stands under `if FLAG:`, a parameter of the function that is off by default.
fn is_turned_on<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    function: &'a StmtFunctionDef,
) -> bool {
    let is_off = |test: &Expr| {
        let Expr::Name(flag) = test else {
            return false;
        };
        function.parameters.iter_non_variadic_params().any(|it| {
            it.name().as_str() == flag.id.as_str()
                && matches!(
                    it.default(),
                    Some(Expr::BooleanLiteral(literal)) if !literal.value
                )
        })
    };
    cx.module
        .ancestors(call)
        .take_while(|around| !around.ptr_eq(function.into()))
        .any(|around| match around {
            AnyNodeRef::StmtIf(stmt) => {
                is_off(&stmt.test) && stmt.body.iter().any(|it| cx.module.contains(it, call))
            }
            _ => false,
        })
}

/// Whether the top level of a notebook's cell calls the function.
fn is_called_by_cell<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    let module = cx.module;
    module.is_notebook()
        && module.calls().iter().any(|call| {
            let called = module.function_definition(&call.func);
            called.is_some_and(|it| it.range() == function.range())
                && matches!(module.await_place(*call), AwaitPlace::Cell)
        })
}

/// What is run, if it can be awaited.
fn awaited<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<&'a Expr, Refusal> {
    let module = cx.module;
    let mut awaited = None;
    match &*call.arguments.args {
        [] => {}
        [argument] if !argument.is_starred_expr() => awaited = Some(argument),
        _ => return Err(Refusal::NotOurs), // fails whether a loop runs or not
    }
    for keyword in &call.arguments.keywords {
        let value = &keyword.value;
        match keyword.arg.as_deref() {
            Some("main" | "future") if awaited.is_none() => awaited = Some(value),
            Some("debug") if value.is_literal_expr() || value.is_name_expr() => {}
            Some("loop_factory") if value.is_none_literal_expr() => {}
            Some("loop_factory") => {
                return Err(withheld!(
                    "`loop_factory` asks for a loop of another kind, which cannot run inside this one: decide whether the argument can run on this one"
                ));
            }
            _ => {
                return Err(withheld!(
                    "it is given more than what it is to run: decide what becomes of that"
                ));
            }
        }
    }
    let awaited = awaited.ok_or(Refusal::NotOurs)?; // fails whether a loop runs or not
    let is_no_awaitable = awaited.is_literal_expr()
        || matches!(
            awaited,
            Expr::Lambda(_)
                | Expr::Generator(_)
                | Expr::List(_)
                | Expr::ListComp(_)
                | Expr::Tuple(_)
                | Expr::Dict(_)
                | Expr::FString(_)
        );
    if is_no_awaitable {
        return Err(Refusal::NotOurs); // fails whether a loop runs or not
    }
    if matches!(module.parent(call), Some(AnyNodeRef::ExprAwait(_))) {
        return Err(withheld!(
            "its result is awaited in turn: decide which of the two is meant"
        ));
    }
    if let Expr::Call(inner) = awaited
        && let Some(function) = module.function_definition(&inner.func)
        && function.decorator_list.is_empty()
        && module.is_generator(function)
    {
        return Err(withheld!(
            "`{}` is a generator function, and what it gives cannot be awaited: iterate over it",
            function.name
        ));
    }
    if let Expr::Call(inner) = awaited
        && inner.arguments.is_empty()
        && let Some(function) = module.function_definition(&inner.func)
        && let Some(around) = module.coroutine_around(call)
        && function.range() == around.range()
    {
        return Err(withheld!(
            "`{}` runs itself here, and `await` would do that again and again: decide what is to be run",
            function.name
        ));
    }
    cx.check_unprinted(call)?;
    Ok(awaited)
}

/// What is made by a loop that is not the running one cannot be awaited on the running one.
fn check_loop<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    awaited: &'a Expr,
) -> Result<(), Refusal> {
    let Expr::Attribute(method) = &*call.func else {
        return Ok(());
    };
    let Expr::Name(receiver) = &*method.value else {
        return Ok(());
    };
    let Some(symbol) = cx.module.symbol(receiver) else {
        return Ok(());
    };
    let is_new = symbol.bindings.iter().any(|binding| {
        matches!(binding.kind, BindingKind::Value(Expr::Call(made))
            if matches!(&*made.func, Expr::Attribute(it) if it.attr.as_str() != "get_event_loop" && it.attr.as_str() != "get_running_loop")
                || cx.module.refers_to(&made.func, "asyncio.new_event_loop"))
    });
    let uses_it = cx.module.descendants(awaited).any(|node| {
        matches!(node, AnyNodeRef::ExprName(name)
            if cx.module.symbol(name).is_some_and(|it| std::ptr::eq(it, symbol)))
    });
    if is_new && uses_it {
        return Err(withheld!(
            "what it runs belongs to `{}`, which is not the loop that runs here: make it with the running loop",
            receiver.id
        ));
    }
    Ok(())
}
