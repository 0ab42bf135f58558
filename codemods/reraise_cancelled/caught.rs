//! What an `except` clause catches.

use engine::Context;
use python::BindingKind;
use python::ast::{Expr, PythonVersion};

/// How a clause catches a cancellation.
#[derive(Clone, Copy, Debug)]
pub enum Caught<'a> {
    /// It catches nothing else.
    Alone,
    /// It catches others too. The expression that names the cancellation, if one does.
    AmongOthers(Option<&'a Expr>),
}

impl Caught<'_> {
    /// Whether the clause names the cancellation: its author thought of it.
    pub fn is_named(&self) -> bool {
        !matches!(self, Self::AmongOthers(None))
    }
}

/// How a clause of these types catches the cancellation of a coroutine, if it does.
pub fn by<'a>(cx: &Context<'a, '_>, types: Option<&'a Expr>) -> Option<Caught<'a>> {
    if let Some(Expr::Name(name)) = types
        && let Some(BindingKind::Value(value @ Expr::Tuple(_))) =
            cx.module.only_binding(name).map(|binding| binding.kind)
    {
        // `EXPECTED = (asyncio.CancelledError, OSError)`, whose names may mean nothing here.
        return by(cx, Some(value)).map(|caught| match caught {
            Caught::AmongOthers(_) => Caught::AmongOthers(None),
            Caught::Alone => Caught::Alone,
        });
    }
    let types = match types {
        None => return Some(Caught::AmongOthers(None)),
        Some(Expr::Tuple(tuple)) => &tuple.elts,
        Some(single) => std::slice::from_ref(single),
    };
    let named = types.iter().find(|expr| is_cancellation(cx, expr));
    if types.iter().all(|expr| is_cancellation(cx, expr)) {
        return named.map(|_| Caught::Alone);
    }
    if named.is_some() || types.iter().any(|expr| is_everything(cx, expr)) {
        return Some(Caught::AmongOthers(named));
    }
    None
}

/// Whether `expr` is the class of cancellations of asyncio, trio or anyio.
pub fn is_cancellation<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    if let Expr::Call(call) = expr {
        return call.arguments.is_empty()
            && cx
                .module
                .refers_to(&call.func, "anyio.get_cancelled_exc_class");
    }
    match cx.module.qualified_name(expr).as_deref() {
        Some("asyncio.CancelledError" | "trio.Cancelled") => true,
        // The same class before Python 3.8, and another since.
        Some("concurrent.futures.CancelledError") => !cx.supports(PythonVersion::PY38),
        _ => false,
    }
}

fn is_everything<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    match cx.module.qualified_name(expr).as_deref() {
        Some("builtins.BaseException") => true,
        // A cancellation is an `Exception` before Python 3.8.
        Some("builtins.Exception") => !cx.supports(PythonVersion::PY38),
        _ => false,
    }
}
