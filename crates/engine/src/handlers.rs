//! Handlers around a place that name errors of the library called there.

use python::ast::{AnyNodeRef, ExceptHandler, Expr, StmtTry, StmtWith};
use python::{BindingKind, Block, TryPart};

use crate::Context;

/// Exceptions that no library raises for a request, and those that stand for all.
const UNRELATED: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "CancelledError",
    "Exception",
    "GeneratorExit",
    "ImportError",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "ModuleNotFoundError",
    "NameError",
    "NotImplementedError",
    "StopAsyncIteration",
    "StopIteration",
    "SystemExit",
    "UnboundLocalError",
    "ZeroDivisionError",
];

/// The type in a handler around one of `places`, or around a call of their functions in this
/// module, through any number of functions, that an error of a library called there may be: one
/// that is not known to be something else, nor to stand for all errors.
pub fn handled_around<'a>(cx: &Context<'a, '_>, places: Vec<AnyNodeRef<'a>>) -> Option<&'a Expr> {
    let module = cx.module;
    let mut places = places;
    let mut known: Vec<&str> = Vec::new();
    while let Some(place) = places.pop() {
        if let Some(type_) = handled(cx, place) {
            return Some(type_);
        }
        let Some(function) = module.function(place) else {
            continue;
        };
        let name = function.name.as_str();
        if known.contains(&name) {
            continue;
        }
        known.push(name);
        let callers = module.calls().iter().filter(|call| match &*call.func {
            Expr::Name(func) => func.id == name,
            Expr::Attribute(func) => func.attr.as_str() == name,
            _ => false,
        });
        places.extend(callers.map(|call| AnyNodeRef::from(*call)));
    }
    None
}

/// The type that is handled around `place`, in its function, and that an error of the library may be.
fn handled<'a>(cx: &Context<'a, '_>, place: AnyNodeRef<'a>) -> Option<&'a Expr> {
    let blocks = cx.module.blocks(place);
    blocks.into_iter().find_map(|block| match block {
        Block::Try(stmt, TryPart::Body) => types(stmt).find_map(|it| related(cx, it)),
        Block::With(with) => suppressed(cx, with),
        _ => None,
    })
}

fn types(stmt: &StmtTry) -> impl Iterator<Item = &Expr> {
    stmt.handlers.iter().filter_map(|handler| {
        let ExceptHandler::ExceptHandler(handler) = handler;
        handler.type_.as_deref()
    })
}

/// Whether a handler is for errors that have nothing to do with a library: not for all of them.
pub fn is_unrelated(cx: &Context<'_, '_>, handler: &ExceptHandler) -> bool {
    let ExceptHandler::ExceptHandler(handler) = handler;
    handler.type_.as_deref().is_some_and(|it| {
        let is_all = |expr: &Expr| {
            matches!(expr, Expr::Name(name) if matches!(name.id.as_str(), "Exception" | "BaseException"))
        };
        let holds_all = match it {
            Expr::Tuple(tuple) => tuple.elts.iter().any(is_all),
            _ => is_all(it),
        };
        !holds_all && related(cx, it).is_none()
    })
}

/// `contextlib.suppress(OSError)`, and what of tests expects an error.
fn suppressed<'a>(cx: &Context<'a, '_>, with: &'a StmtWith) -> Option<&'a Expr> {
    with.items.iter().find_map(|item| {
        let Expr::Call(call) = &item.context_expr else {
            return None;
        };
        let is_handler = match &*call.func {
            Expr::Attribute(method) => matches!(
                method.attr.as_str(),
                "suppress" | "raises" | "assertRaises" | "assertRaisesRegex"
            ),
            func => cx.module.refers_to(func, "contextlib.suppress"),
        };
        let mut types = call.arguments.args.iter();
        is_handler
            .then(|| types.find_map(|it| related(cx, it)))
            .flatten()
    })
}

/// The type in a handler's `types` that an error of the library may be, as far as the module tells.
fn related<'a>(cx: &Context<'a, '_>, types: &'a Expr) -> Option<&'a Expr> {
    match types {
        Expr::Tuple(tuple) => tuple.elts.iter().find_map(|it| related(cx, it)),
        _ => (!is_known_other(cx, types, 0)).then_some(types),
    }
}

fn is_known_other(cx: &Context<'_, '_>, expr: &Expr, depth: usize) -> bool {
    let module = cx.module;
    if let Some(name) = module.qualified_name(expr) {
        return match name.split_once('.') {
            Some(("builtins" | "asyncio", name)) => UNRELATED.contains(&name),
            _ => false,
        };
    }
    let Expr::Name(name) = expr else {
        return false;
    };
    match module.only_binding(name).map(|binding| binding.kind) {
        // A class of the module's own that is no special case of another library's.
        Some(BindingKind::Class(class)) => class.arguments.as_ref().is_some_and(|arguments| {
            depth < 10
                && arguments
                    .args
                    .iter()
                    .all(|base| is_known_other(cx, base, depth + 1))
        }),
        _ => module.symbol(name).is_none() && UNRELATED.contains(&name.id.as_str()),
    }
}
