//! `time.sleep(x)` => `await asyncio.sleep(x)`

use edit::{Applicability, Edit};
use engine::{Codemod, Context, Layout, On, Piece, Refusal, Rewrite, Verdict, arguments, width, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, PythonVersion, StmtFunctionDef, StmtWith, UnaryOp};
use python::{AwaitPlace, Block, Library, Ranged, TryPart};

pub const CODEMOD: Codemod = Codemod {
    name: "await-sleep",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: true,
    options: &[],
    on: On::Call(&["time.sleep"], rewrite),
};

/// `time.sleep(x)` => `await asyncio.sleep(x)`, or the sleep of the library that the file uses.
///
/// Both return None after `x` seconds. What changes is the stated effect: other tasks run in
/// between, and a cancellation can arrive. So the argument stops where something relies on that
/// not happening: while a lock is held or global state is replaced, and in cleanup that must not
/// be interrupted. It stops, too, where the two differ on their argument.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    let [seconds] = &*call.arguments.args else {
        return Err(Refusal::NotOurs); // fails today
    };
    if !call.arguments.keywords.is_empty() {
        return Err(Refusal::NotOurs); // fails today
    }
    let coroutine = coroutine(cx, call)?;
    let library = match module.library() {
        Library::Several => module.library_of(coroutine).unwrap_or(Library::Several),
        library => library,
    };
    let library = match library {
        Library::Asyncio => "asyncio",
        Library::Trio => "trio",
        Library::Anyio => "anyio",
        Library::Curio => "curio",
        Library::Other => return Err(Refusal::NotOurs), // its sleep may be patched
        Library::Several => {
            return Err(withheld!(
                "the file uses asyncio and another library, and `{}` does not show under which it runs: write the `await` of that library",
                coroutine.name
            ));
        }
    };
    check_argument(seconds)?;
    check_surroundings(cx, call, coroutine)?;
    if module.is_printed_source(call) {
        return Err(withheld!(
            "`f\"{{...=}}\"` prints its source, which would change: move the call out of the string"
        ));
    }

    let import = cx.import(call, library)?;
    if import.edit.is_some() && library != "asyncio" {
        return Err(withheld!(
            "`{library}` is imported only in parts: add `import {library}`"
        ));
    }
    let sleep = format!("{}.sleep", import.name);
    let mut edits = vec![edit(cx, call, &sleep)];
    edits.extend(import.edit);
    Ok(Rewrite {
        message: format!("`time.sleep` blocks the event loop: `await {library}.sleep` lets other tasks run"),
        applicability: Applicability::Intended,
        edits,
        python: None,
    })
}

/// The coroutine in whose own code the call stands.
fn coroutine<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<&'a StmtFunctionDef, Refusal> {
    match cx.module.await_place(call) {
        AwaitPlace::Coroutine(function) => Ok(function),
        AwaitPlace::NestedComprehension(function) if cx.supports(PythonVersion::PY311) => {
            Ok(function)
        }
        AwaitPlace::NestedComprehension(_) => Err(withheld!(
            "`await` in a comprehension inside a comprehension needs Python 3.11: write a loop"
        )),
        AwaitPlace::GeneratorExpression => Err(withheld!(
            "`await` would turn the generator expression into an asynchronous one, which cannot be iterated as it is: write a list comprehension or a loop"
        )),
        AwaitPlace::Function(function) => match caller(cx, function) {
            Some(caller) => Err(withheld!(
                "the function `{}` is called by the coroutine `{}`, whose event loop it blocks: make it `async` and await it at every call",
                function.name,
                caller.name
            )),
            None => Err(Refusal::NotOurs), // no coroutine's code
        },
        AwaitPlace::Lambda | AwaitPlace::Class | AwaitPlace::Module | AwaitPlace::Annotation => {
            Err(Refusal::NotOurs) // no coroutine's code
        }
    }
}

/// A coroutine of this module whose own code calls `function`.
fn caller<'a>(cx: &Context<'a, '_>, function: &StmtFunctionDef) -> Option<&'a StmtFunctionDef> {
    let id = cx.module.id(function);
    cx.module.calls().iter().find_map(|call| {
        let called = cx.module.function_definition(&call.func)?;
        if cx.module.id(called) != id {
            return None;
        }
        match cx.module.await_place(*call) {
            AwaitPlace::Coroutine(caller) | AwaitPlace::NestedComprehension(caller) => Some(caller),
            _ => None,
        }
    })
}

/// The arguments on which the two differ: `time.sleep` refuses what is negative, not a number or
/// infinite; `asyncio.sleep` returns at once, or never.
fn check_argument(seconds: &Expr) -> Result<(), Refusal> {
    let differs = match seconds {
        Expr::Starred(_) => true,
        Expr::UnaryOp(unary) => unary.op == UnaryOp::USub && unary.operand.is_number_literal_expr(),
        // float("nan"), float("-inf")
        Expr::Call(call) => {
            matches!(&*call.func, Expr::Name(name) if name.id == "float")
                && call.arguments.args.first().is_some_and(Expr::is_string_literal_expr)
        }
        // math.inf
        Expr::Attribute(attribute) => matches!(attribute.attr.as_str(), "inf" | "nan"),
        _ => false,
    };
    if differs {
        return Err(withheld!(
            "`time.sleep` raises an error for a negative, infinite or undefined time, `asyncio.sleep` does not: write the time as a finite number of seconds"
        ));
    }
    Ok(())
}

fn check_surroundings<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    coroutine: &'a StmtFunctionDef,
) -> Result<(), Refusal> {
    if matches!(coroutine.name.as_str(), "__aexit__" | "aclose" | "__adel__") {
        return Err(withheld!(
            "`{}` is cleanup: a cancellation could arrive in the middle of it, and closing the coroutine there fails; decide whether it may wait",
            coroutine.name
        ));
    }
    for block in cx.module.blocks(call) {
        match block {
            Block::Try(_, TryPart::Finally) => {
                return Err(withheld!(
                    "it stands in `finally`: a cancellation could arrive in the middle of the cleanup, and closing the coroutine there fails; decide whether it may wait"
                ));
            }
            Block::With(with) if !with.is_async => {
                if let Some(context) = exclusive_context(cx, with) {
                    return Err(withheld!(
                        "it stands inside `with {context}`: if that is a lock or replaces global state, other tasks would meet it during the sleep; move the sleep out of the block"
                    ));
                }
            }
            _ => {}
        }
    }
    let driven_by_hand = cx.module.calls().iter().any(|call| {
        matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "send")
            && matches!(&*call.arguments.args, [Expr::NoneLiteral(_)])
    });
    if driven_by_hand {
        return Err(withheld!(
            "the file drives coroutines by `.send(None)`, without an event loop, which `asyncio.sleep` needs"
        ));
    }
    Ok(())
}

/// The first item of a `with` that may be a lock or replace global state.
fn exclusive_context<'a>(cx: &Context<'a, '_>, with: &'a StmtWith) -> Option<&'a str> {
    const HARMLESS: &[&str] = &[
        "builtins.open",
        "bz2.open",
        "concurrent.futures.ProcessPoolExecutor",
        "concurrent.futures.ThreadPoolExecutor",
        "contextlib.closing",
        "contextlib.nullcontext",
        "contextlib.suppress",
        "gzip.open",
        "io.BytesIO",
        "io.StringIO",
        "io.open",
        "lzma.open",
        "os.scandir",
        "pytest.raises",
        "socket.create_connection",
        "socket.socket",
        "tarfile.open",
        "tempfile.NamedTemporaryFile",
        "tempfile.SpooledTemporaryFile",
        "tempfile.TemporaryDirectory",
        "tempfile.TemporaryFile",
        "zipfile.ZipFile",
    ];
    let item = with.items.iter().find(|item| {
        let Expr::Call(call) = &item.context_expr else {
            return true;
        };
        let harmless = cx
            .module
            .qualified_name(&call.func)
            .is_some_and(|name| HARMLESS.contains(&name.as_str()));
        let assertion = matches!(
            &*call.func,
            Expr::Attribute(method) if matches!(method.attr.as_str(), "assertRaises" | "assertRaisesRegex" | "subTest")
        );
        !harmless && !assertion
    })?;
    Some(cx.module.text(&item.context_expr).lines().next().unwrap_or_default())
}

/// `time.sleep` => `await asyncio.sleep`, the arguments left as they are unless the line gets
/// too long.
fn edit<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, sleep: &str) -> Edit {
    let module = cx.module;
    let parent = module.parent(call);
    // `await time.sleep(1)` slept, and then failed to await None.
    let keyword = match parent {
        Some(AnyNodeRef::ExprAwait(_)) => "",
        _ => "await ",
    };
    let has_trailer = match parent {
        Some(AnyNodeRef::ExprAttribute(_) | AnyNodeRef::ExprSubscript(_)) => true,
        Some(AnyNodeRef::ExprCall(outer)) => outer.func.range() == call.range(),
        _ => false,
    };
    if has_trailer {
        let arguments = module.text(call.arguments.range());
        return Edit::replace(call.range(), format!("({keyword}{sleep}{arguments})"));
    }
    let statement = module.statement(call);
    if let (AnyNodeRef::StmtExpr(_), Some(indent)) =
        (statement, module.indentation_at(statement.start()))
    {
        let layout = Layout { module, width: cx.settings.line_length };
        let text = module.text(call);
        let grown = width(indent) + width(keyword) + width(sleep) + width(text) - width(module.text(&*call.func));
        if statement.range() == call.range() && grown > layout.width && !text.contains(['\n', '\r']) {
            let piece = Piece::Call(format!("{keyword}{sleep}("), arguments(call).collect(), ")");
            return Edit::replace(call.range(), layout.piece(&piece, indent, width(indent), 0));
        }
    }
    Edit::replace(call.func.range(), format!("{keyword}{sleep}"))
}
