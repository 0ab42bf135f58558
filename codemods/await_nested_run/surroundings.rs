//! What around a nested run, or in its file, keeps it from failing, or catches that it fails.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, ExceptHandler, Expr, ExprCall, StmtFunctionDef, StmtTry, StmtWith};
use python::{BindingKind, Block, Library, Ranged, TryPart};

/// Packages that make a loop run inside another.
const PATCHES: &[&str] = &["nest_asyncio", "nest_asyncio2", "pyodide"];

/// What catches a `RuntimeError`.
const CAUGHT_BY: &[&str] = &[
    "builtins.RuntimeError",
    "builtins.Exception",
    "builtins.BaseException",
];

/// The refusals for what stands around the call, and in the file.
pub(super) fn check<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<(), Refusal> {
    if forks(cx, call) {
        return Err(Refusal::NotOurs);
    }
    if catches_error(cx, call) {
        return Err(withheld!(
            "the `RuntimeError` that it raises today is caught here, and what handles it would not run any more: decide which of the two is meant"
        ));
    }
    if let Some(test) = test_that_never_runs(cx, call) {
        return Err(withheld!(
            "`{}` is a coroutine function of a `unittest.TestCase`, which awaits none, so that nothing of it runs: derive from `unittest.IsolatedAsyncioTestCase`",
            test.name
        ));
    }
    let root = cx.module.id(cx.module.root());
    if cx.once("driven by hand", root, || is_driven_by_hand(cx)) {
        return Err(withheld!(
            "the file drives coroutines by `.send(None)`, without an event loop, where the call works"
        ));
    }
    if cx.once("replaced", root, || is_replaced(cx)) {
        return Err(withheld!(
            "the file puts something else in the place of `asyncio.run`, which may work here: replace what is awaited instead"
        ));
    }
    Ok(())
}

/// The test around the call, if it is a coroutine function in a class for tests that are plain
/// functions.
fn test_that_never_runs<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
) -> Option<&'a StmtFunctionDef> {
    let function = cx.module.coroutine_around(call)?;
    let class = cx.module.class_around(function)?;
    let mut bases = class.arguments.iter().flat_map(|it| &it.args);
    let is_plain = bases.any(|base| cx.module.refers_to(base, "unittest.TestCase"));
    (is_plain && function.name.starts_with("test") && function.decorator_list.is_empty())
        .then_some(function)
}

/// Whether the coroutine calls `os.fork()`: no loop runs in the child, where the call works.
fn forks<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    cx.module.coroutine_around(call).is_some_and(|coroutine| {
        cx.module
            .calls_in(coroutine)
            .iter()
            .any(|other| cx.module.refers_to(&other.func, "os.fork"))
    })
}

/// Whether the call may work although it stands in a coroutine.
pub(super) fn may_work(cx: &Context<'_, '_>) -> bool {
    let imports = |wanted: &[&str]| {
        cx.module.imported_symbols().any(|symbol| {
            symbol.bindings.iter().any(|binding| {
                let module = match binding.kind {
                    BindingKind::Import(alias) => alias.name.as_str(),
                    BindingKind::FromImport(import, _) if import.level == 0 => {
                        import.module.as_deref().unwrap_or_default()
                    }
                    _ => return false,
                };
                let package = module.split('.').next().unwrap_or_default();
                !binding.typing_only && wanted.contains(&package)
            })
        })
    };
    // What is written for anyio may run under trio.
    imports(PATCHES)
        || cx.project_mentions_any(PATCHES)
        || cx.module.library() == Library::Anyio
        || imports(&["anyio"])
}

/// Whether a `RuntimeError` that the call raises is caught, or expected, in its own function.
pub(super) fn catches_error<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    cx.module.blocks(call).into_iter().any(|block| match block {
        Block::Try(stmt, TryPart::Body) => has_handler(cx, stmt),
        Block::With(with) => expects_error(cx, with),
        _ => false,
    })
}

fn has_handler<'a>(cx: &Context<'a, '_>, stmt: &'a StmtTry) -> bool {
    stmt.handlers.iter().any(|handler| {
        let ExceptHandler::ExceptHandler(handler) = handler;
        handler.type_.as_deref().is_none_or(|it| may_catch(cx, it))
    })
}

/// `with suppress(RuntimeError):`, `with pytest.raises(RuntimeError):`
fn expects_error<'a>(cx: &Context<'a, '_>, with: &'a StmtWith) -> bool {
    with.items.iter().any(|item| {
        let Expr::Call(call) = &item.context_expr else {
            return false;
        };
        let name = match &*call.func {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Name(name) => name.id.as_str(),
            _ => return false,
        };
        let expects = matches!(
            name,
            "suppress" | "raises" | "assertRaises" | "assertRaisesRegex" | "RaisesGroup"
        );
        let errors = &call.arguments.args;
        expects && (errors.is_empty() || errors.iter().any(|it| may_catch(cx, it)))
    })
}

/// Whether an exception type, or a tuple of them, may be one that a `RuntimeError` is.
fn may_catch<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    if let Expr::Tuple(types) = expr {
        return types.elts.iter().any(|it| may_catch(cx, it));
    }
    if let Some(name) = cx.module.qualified_name(expr)
        && CAUGHT_BY.contains(&name.as_str())
    {
        return true;
    }
    match expr {
        Expr::Name(name) => match cx.module.symbol(name) {
            Some(symbol) => symbol.bindings.iter().any(|binding| match binding.kind {
                BindingKind::Class(_) => false,
                BindingKind::Import(_) | BindingKind::FromImport(..) => !is_class_name(&name.id),
                _ => true, // a tuple of types, perhaps
            }),
            None => CAUGHT_BY.iter().any(|it| it.ends_with(name.id.as_str())),
        },
        Expr::Attribute(attribute) => !is_class_name(&attribute.attr),
        _ => true,
    }
}

/// `ValueError`, and not `ERRORS` or `errors`. No class but the three builtins is one that a
/// `RuntimeError` is.
fn is_class_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_uppercase()) && name.contains(|c: char| c.is_lowercase())
}

fn is_driven_by_hand(cx: &Context<'_, '_>) -> bool {
    cx.module.calls().iter().any(|call| {
        matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "send")
            && matches!(&*call.arguments.args, [Expr::NoneLiteral(_)])
            && call.arguments.keywords.is_empty()
    })
}

/// `asyncio.run = f`, `patch("asyncio.run")`, `monkeypatch.setattr(asyncio, "run", f)`
fn is_replaced(cx: &Context<'_, '_>) -> bool {
    let module = cx.module;
    let is_run =
        |expr: &Expr| matches!(expr, Expr::StringLiteral(it) if it.value.to_str() == "run");
    let assigned = || {
        module.descendants(module.root()).any(|node| match node {
            AnyNodeRef::ExprAttribute(attribute) => {
                attribute.ctx.is_store()
                    && attribute.attr.as_str() == "run"
                    && module.refers_to(&attribute.value, "asyncio")
            }
            _ => false,
        })
    };
    let patched = module.calls().iter().any(|call| {
        let replaces = match &*call.func {
            Expr::Attribute(method) => {
                matches!(method.attr.as_str(), "patch" | "setattr" | "object")
            }
            Expr::Name(name) => matches!(name.id.as_str(), "patch" | "setattr"),
            _ => false,
        };
        replaces
            && match &*call.arguments.args {
                [Expr::StringLiteral(target), ..]
                    if target.value.to_str().ends_with("asyncio.run") =>
                {
                    true
                }
                [target, name, ..] => {
                    is_run(name) && module.text(target.range()).ends_with("asyncio")
                }
                _ => false,
            }
    });
    patched || (module.stores_attribute("run") && assigned())
}
