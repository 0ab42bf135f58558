//! `time.sleep(x)` => `await asyncio.sleep(x)`

mod surroundings;

use edit::{Applicability, Edit};
use engine::{
    Codemod, Context, Layout, On, Piece, Refusal, Rewrite, Verdict, arguments, width, withheld,
};
use python::ast::{AnyNodeRef, Expr, ExprCall, Number, PythonVersion, StmtFunctionDef, UnaryOp};
use python::{AwaitPlace, Library, NodeId, Ranged};

pub const CODEMOD: Codemod = Codemod {
    name: "await-sleep",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: true,
    rules: &["ASYNC251"],
    dated: None,
    options: &[],
    // What matters is in a coroutine, or is called by one of the same module.
    on: &[On::CallBeside("async def", &["time.sleep"], rewrite)],
};

/// `time.sleep(x)` => `await asyncio.sleep(x)`, or the sleep of the library that the file uses.
///
/// Both return None after `x` seconds. What changes is the stated effect: other tasks run in
/// between, and a cancellation can arrive. So the argument stops where something relies on that
/// not happening: while a lock is held or global state is replaced, and in cleanup that must not
/// be interrupted. It stops, too, where the two differ on their argument, and where the file puts
/// something else in the place of `time.sleep`.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    let [seconds] = &*call.arguments.args else {
        return Err(Refusal::NotOurs); // fails today
    };
    if !call.arguments.keywords.is_empty() {
        return Err(Refusal::NotOurs); // fails today
    }
    let coroutine = coroutine(cx, call)?;
    let library = library(cx, coroutine)?;
    check_argument(cx, seconds)?;
    surroundings::check(cx, call, coroutine)?;
    cx.check_unprinted(call)?;
    let name = module.parenthesized(&call.func);
    if !module.comments(name).is_empty() {
        return Err(withheld!(
            "a comment stands inside the name of the function: move it out"
        ));
    }

    let (sleep, import) = sleep(cx, call, library)?;
    let mut edits = edits(cx, call, &sleep);
    edits.extend(import);
    Ok(Rewrite {
        message: format!(
            "`time.sleep` blocks the event loop: `await {library}.sleep` lets other tasks run"
        ),
        applicability: if cx.module.handles_exit(call) {
            Applicability::Unsafe
        } else {
            Applicability::Intended
        },
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
        AwaitPlace::GeneratorExpression if running(cx, call.into()).is_some() => Err(withheld!(
            "`await` would turn the generator expression into an asynchronous one, which cannot be iterated as it is: write a list comprehension or a loop"
        )),
        AwaitPlace::Function(function) => match caller(cx, function) {
            Some((caller, None)) => Err(withheld!(
                "the function `{}` is called by the coroutine `{}`, whose event loop it blocks: make it `async` and await it at every call",
                function.name,
                caller.name
            )),
            Some((caller, Some(way))) => Err(withheld!(
                "the function `{}` is called through `{}` by the coroutine `{}`, whose event loop it blocks: make them `async` and await them at every call",
                function.name,
                way.name,
                caller.name
            )),
            None => Err(Refusal::NotOurs), // no coroutine's code
        },
        AwaitPlace::GeneratorExpression
        | AwaitPlace::Lambda
        | AwaitPlace::Class
        | AwaitPlace::Module
        | AwaitPlace::Cell // where nothing else is to run, mostly
        | AwaitPlace::Annotation => Err(Refusal::NotOurs), // no coroutine's code
    }
}

/// The coroutine in whose own code `node` stands, be it in a generator expression there.
fn running<'a>(cx: &Context<'a, '_>, mut node: AnyNodeRef<'a>) -> Option<&'a StmtFunctionDef> {
    loop {
        match cx.module.await_place(node) {
            AwaitPlace::Coroutine(function) | AwaitPlace::NestedComprehension(function) => {
                return Some(function);
            }
            AwaitPlace::GeneratorExpression => {
                node = cx
                    .module
                    .ancestors(node)
                    .find(|ancestor| matches!(ancestor, AnyNodeRef::ExprGenerator(_)))?;
            }
            _ => return None,
        }
    }
}

/// A coroutine of this module that runs `function`, and the plain function that it calls for that
/// if it does not call it itself.
fn caller<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
) -> Option<(&'a StmtFunctionDef, Option<&'a StmtFunctionDef>)> {
    let module = cx.module;
    let mut reached: Vec<NodeId> = vec![module.id(function)];
    let mut next = 0;
    while let Some(id) = reached.get(next).copied() {
        next += 1;
        let AnyNodeRef::StmtFunctionDef(function) = module.node(id) else {
            continue;
        };
        // A decorator may run it elsewhere, and calling a generator function runs none of it.
        if !function.decorator_list.is_empty() || module.is_generator(function) {
            continue;
        }
        for call in module.calls() {
            let called = module.function_definition(&call.func);
            if called.is_none_or(|called| module.id(called) != id) {
                continue;
            }
            if let Some(coroutine) = running(cx, (*call).into()) {
                return Some((coroutine, (next > 1).then_some(function)));
            }
            if let AwaitPlace::Function(outer) = module.await_place(*call) {
                let outer = module.id(outer);
                if !reached.contains(&outer) {
                    reached.push(outer);
                }
            }
        }
    }
    None
}

/// The library that the coroutine runs under.
fn library<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
) -> Result<&'static str, Refusal> {
    match cx.module.library_for(coroutine) {
        Library::Asyncio => match cx.library_beside_asyncio() {
            Some(other) => Err(withheld!(
                "the file imports no asynchronous library, and another file of the project imports {other}, under which `{}` may run as well: write the `await` of the right library",
                coroutine.name
            )),
            None if cx.may_have_own_loop() => Err(withheld!(
                "the file imports no asynchronous library, and another file of the project makes coroutines by `types.coroutine`, so that `{}` need not run under asyncio: write `await asyncio.sleep` by hand if it does",
                coroutine.name
            )),
            None => Ok("asyncio"),
        },
        Library::Trio => Ok("trio"),
        Library::Anyio => Ok("anyio"),
        Library::Curio => Ok("curio"),
        Library::Other => Err(Refusal::NotOurs), // its sleep may be patched
        Library::Several => Err(withheld!(
            "the file uses asyncio and another library, and `{}` does not show under which it runs: write the `await` of that library",
            coroutine.name
        )),
    }
}

/// What the library's sleep is called at the site, with the edit that imports it if need be.
fn sleep<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    library: &str,
) -> Result<(String, Option<Edit>), Refusal> {
    let module = cx.module;
    let import = cx.import(call, library)?;
    if import.edit.is_none() || library == "asyncio" {
        return Ok((format!("{}.sleep", import.name), import.edit));
    }
    let Some(from) = module.import_from_package(library) else {
        return Err(withheld!(
            "`{library}` is imported only in parts: add `import {library}`"
        ));
    };
    let line = format!("import {library}{}", module.newline());
    let edit = Edit::insert(module.line_start(from.start()), line);
    Ok((format!("{}.sleep", import.name), Some(edit)))
}

/// The arguments on which the two differ: `time.sleep` refuses what is negative, not a number or
/// infinite; `asyncio.sleep` returns at once, or never.
fn check_argument<'a>(cx: &Context<'a, '_>, seconds: &'a Expr) -> Result<(), Refusal> {
    let differs = match seconds {
        Expr::Starred(_) => return Err(Refusal::NotOurs), // nobody knows with how many arguments
        Expr::UnaryOp(unary) => {
            unary.op == UnaryOp::USub
                && (unary.operand.is_number_literal_expr() || is_not_finite(cx, &unary.operand))
        }
        _ => is_not_finite(cx, seconds),
    };
    if differs {
        return Err(withheld!(
            "`time.sleep` raises an error for a negative, infinite or undefined time, `asyncio.sleep` does not: write the time as a finite number of seconds"
        ));
    }
    Ok(())
}

/// `math.inf`, `float("nan")`, `1e999`, and `float("-1")`, which is as bad.
fn is_not_finite<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    match expr {
        Expr::NumberLiteral(number) => {
            matches!(number.value, Number::Float(value) if value.is_infinite())
        }
        Expr::Call(call) => {
            let ([Expr::StringLiteral(text)], Expr::Name(name)) =
                (&*call.arguments.args, &*call.func)
            else {
                return false;
            };
            name.id == "float"
                && text
                    .value
                    .to_str()
                    .trim()
                    .parse::<f64>()
                    .is_ok_and(|value| !value.is_finite() || value < 0.0)
        }
        Expr::Attribute(attribute) => matches!(attribute.attr.as_str(), "inf" | "nan"),
        Expr::Name(_) => cx
            .module
            .qualified_name(expr)
            .is_some_and(|name| matches!(name.rsplit('.').next(), Some("inf" | "nan"))),
        _ => false,
    }
}

/// `time.sleep` => `await asyncio.sleep`, the arguments left as they are unless the line gets
/// too long.
fn edits<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, sleep: &str) -> Vec<Edit> {
    let module = cx.module;
    let parent = module.parent(call);
    // `await time.sleep(1)` slept, and then failed to await None.
    let keyword = match parent {
        Some(AnyNodeRef::ExprAwait(_)) => "",
        _ => "await ",
    };
    let name = module.parenthesized(&call.func);
    // `await` binds less than what follows: `(await asyncio.sleep(1)).real`.
    let trailed = match parent {
        Some(AnyNodeRef::ExprAttribute(outer)) => Some(&outer.value),
        Some(AnyNodeRef::ExprSubscript(outer)) => Some(&outer.value),
        Some(AnyNodeRef::ExprCall(outer)) => Some(&outer.func),
        _ => None,
    }
    .is_some_and(|value| {
        value.range() == call.range() && module.parenthesized(value) == call.range()
    });
    if trailed {
        return vec![
            Edit::replace(name, format!("({keyword}{sleep}")),
            Edit::insert(call.end(), ")"),
        ];
    }
    let statement = module.statement(call);
    if let (AnyNodeRef::StmtExpr(_), Some(indent)) =
        (statement, module.indentation_at(statement.start()))
    {
        let layout = Layout {
            module,
            width: cx.settings.line_length,
        };
        let text = module.text(call);
        let grown =
            width(indent) + width(keyword) + width(sleep) + width(text) - width(module.text(name));
        if statement.range() == call.range() && grown > layout.width && !text.contains(['\n', '\r'])
        {
            let open = format!("{keyword}{sleep}(");
            let piece = Piece::Call(open, arguments(call).collect(), ")");
            let text = layout.piece(&piece, indent, width(indent), 0);
            return vec![Edit::replace(call.range(), text)];
        }
    }
    vec![Edit::replace(name, format!("{keyword}{sleep}"))]
}
