//! Whose cancellation arrives at an `await`: the coroutine's own, or that of a task that it awaits.

use engine::Context;
use python::ast::{AnyNodeRef, ExceptHandler, Expr, ExprAttribute, Stmt, StmtFunctionDef};
use python::{AwaitPlace, Awaitable, BindingKind, Block, Ranged, TextSize, TryPart};

use super::child::{keys, may_be_child};
use super::{caught, suppressed};

/// Whose cancellation the awaits of a `try` body may raise.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// The coroutine's own.
    Own,
    /// That of a task which the coroutine itself cancelled before.
    Child,
    /// That of this, if it is a task, or of one of several.
    Unknown(Child<'a>),
    /// Perhaps that of what this call cancelled before.
    Near(&'a str),
}

/// What may be a task that somebody else cancels.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    /// As it is written.
    pub text: &'a str,
    /// Whether it is a list of such, which is unpacked.
    pub is_list: bool,
}

impl<'a> Child<'a> {
    pub fn of(cx: &Context<'a, '_>, expr: &'a Expr) -> Self {
        let is_list = matches!(cx.module.parent(expr), Some(AnyNodeRef::ExprStarred(_)));
        Self {
            text: cx.module.first_line(expr),
            is_list,
        }
    }

    /// What it is.
    pub fn is(&self) -> &'static str {
        if self.is_list {
            "holds tasks of this coroutine that are"
        } else {
            "is a task of this coroutine that is"
        }
    }

    /// How it is waited for without its own cancellation being raised.
    pub fn wait(&self) -> String {
        if self.is_list {
            format!("await asyncio.wait({})", self.text)
        } else {
            format!("await asyncio.wait([{}])", self.text)
        }
    }
}

/// The places in `body` at which a cancellation of `coroutine` can arrive, less those where it is
/// caught inside the body already.
pub fn awaits<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    body: impl IntoIterator<Item = &'a Stmt>,
) -> Vec<AnyNodeRef<'a>> {
    let module = cx.module;
    let is_own = |node: AnyNodeRef<'a>| match module.await_place(node) {
        AwaitPlace::Coroutine(function) | AwaitPlace::NestedComprehension(function) => {
            module.id(function) == module.id(coroutine)
        }
        _ => false,
    };
    let mut found = Vec::new();
    for stmt in body {
        let awaits = module.descendants(stmt).filter(|node| match node {
            AnyNodeRef::ExprAwait(_) => true,
            AnyNodeRef::StmtFor(stmt) => stmt.is_async,
            AnyNodeRef::StmtWith(stmt) => stmt.is_async,
            AnyNodeRef::Comprehension(clause) => clause.is_async,
            _ => false,
        });
        found.extend(awaits.filter(|node| {
            is_own(*node) && !is_guarded(cx, stmt, *node) && !ends_at_once(cx, *node)
        }));
    }
    found
}

/// Whether what is awaited is a call of a coroutine function of this module that awaits nothing:
/// it ends before a cancellation can arrive.
fn ends_at_once<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let module = cx.module;
    let AnyNodeRef::ExprAwait(awaited) = node else {
        return false;
    };
    let Expr::Call(call) = &*awaited.value else {
        return false;
    };
    let Some(function) = module.coroutine_function(&call.func) else {
        return false;
    };
    let waits = module.descendants(function).any(|inner| match inner {
        AnyNodeRef::ExprAwait(_) => true,
        AnyNodeRef::StmtFor(stmt) => stmt.is_async,
        AnyNodeRef::StmtWith(stmt) => stmt.is_async,
        AnyNodeRef::Comprehension(clause) => clause.is_async,
        // It is there to be overridden, or raises.
        AnyNodeRef::StmtRaise(_) | AnyNodeRef::ExprEllipsisLiteral(_) => true,
        _ => false,
    });
    !waits && function.body.len() > 1
}

/// Whether a cancellation that arrives at `node` is caught inside `stmt`.
fn is_guarded<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt, node: AnyNodeRef<'a>) -> bool {
    let module = cx.module;
    module.blocks(node).into_iter().any(|block| match block {
        Block::Try(inner, TryPart::Body) => {
            module.contains(stmt, inner)
                && inner.handlers.iter().any(|handler| {
                    let ExceptHandler::ExceptHandler(handler) = handler;
                    caught::by(cx, handler.type_.as_deref()).is_some()
                        && !super::exception::raises(cx, handler)
                })
        }
        Block::With(with) => module.contains(stmt, with) && suppressed(cx, with).is_some(),
        _ => false,
    })
}

/// Whose cancellation may be raised at these places.
pub fn of<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    awaits: &[AnyNodeRef<'a>],
) -> Source<'a> {
    let module = cx.module;
    let last = awaits.iter().map(Ranged::end).max().unwrap_or_default();
    let cancelled: Vec<(&'a ExprAttribute, Vec<String>)> = cancels(cx, coroutine, last)
        .into_iter()
        .map(|cancel| (cancel, keys(cx, &cancel.value)))
        .collect();
    let mut source = Source::Own;
    for node in awaits {
        let AnyNodeRef::ExprAwait(awaited) = node else {
            continue;
        };
        if is_thrown(cx, &awaited.value) || is_from_canceller(cx, &awaited.value) {
            return Source::Child;
        }
        let awaited_keys = keys(cx, &awaited.value);
        // `scope.cancel()` and then `await scope.wait()`.
        let receiver = match &*awaited.value {
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) => keys(cx, &method.value),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let before = cancelled
            .iter()
            .filter(|(cancel, _)| cancel.start() < node.end());
        for (cancel, names) in before {
            // `session.cancel()` cancels `session.task` too.
            let is_part = |name: &String| {
                awaited_keys.iter().any(|it| {
                    it.strip_prefix(name.as_str())
                        .is_some_and(|rest| rest.starts_with('.'))
                })
            };
            let is_same = |name: &String| {
                awaited_keys.contains(name) || receiver.contains(name) || is_part(name)
            };
            if names.iter().any(is_same) {
                return Source::Child;
            }
            if matches!(source, Source::Own) && !is_asyncio(cx, &awaited.value) {
                let text = match module.parent(*cancel) {
                    Some(parent @ AnyNodeRef::ExprCall(_)) => module.text(parent),
                    _ => module.text(*cancel),
                };
                source = Source::Near(python::first_line(text));
            }
        }
        if let Some(task) = may_be_child(cx, &awaited.value, 0) {
            source = Source::Unknown(Child::of(cx, task));
        }
    }
    source
}

/// `for task in self.cancel_all(): await task`: what is awaited comes from a function of this module
/// that cancels something.
fn is_from_canceller<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    let module = cx.module;
    let Expr::Name(name) = expr else {
        return false;
    };
    let Some(binding) = module.only_binding(name) else {
        return false;
    };
    let from = match binding.kind {
        BindingKind::Value(value) => Some(value),
        BindingKind::Loop => module
            .ancestors(module.node(binding.node))
            .find_map(|around| match around {
                AnyNodeRef::StmtFor(stmt) => Some(&*stmt.iter),
                AnyNodeRef::Comprehension(clause) => Some(&clause.iter),
                _ => None,
            }),
        _ => None,
    };
    let Some(Expr::Call(call)) = from else {
        return false;
    };
    module
        .function_definition(&call.func)
        .is_some_and(|function| !cancels(cx, function, function.end()).is_empty())
}

/// `generator.athrow(asyncio.CancelledError())`: the coroutine itself has thrown it in.
fn is_thrown<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    let Expr::Call(call) = expr else {
        return false;
    };
    let throws = matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "athrow");
    throws
        && call.arguments.args.iter().any(|thrown| {
            caught::is_cancellation(cx, thrown)
                || matches!(thrown, Expr::Call(made) if caught::is_cancellation(cx, &made.func))
        })
}

/// The `x.cancel` in the coroutine before `end`, called or given to somebody who calls it, but for
/// those of what is no task, and of the coroutine's own task.
pub fn cancels<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    end: TextSize,
) -> Vec<&'a ExprAttribute> {
    cx.module
        .descendants(coroutine)
        .filter_map(|node| match node {
            AnyNodeRef::ExprAttribute(attribute) => Some(attribute),
            _ => None,
        })
        .filter(|attribute| attribute.attr.as_str() == "cancel" && attribute.start() < end)
        .filter(|attribute| !is_other(cx, &attribute.value))
        .collect()
}

/// Whether `expr` is the running task, or the handle of a callback.
fn is_other<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Call(call) => {
            cx.module.refers_to(&call.func, "asyncio.current_task")
                || matches!(&*call.func, Expr::Attribute(method) if matches!(method.attr.as_str(), "call_later" | "call_at" | "call_soon"))
        }
        Expr::Name(name) => match cx.module.only_binding(name).map(|binding| binding.kind) {
            Some(BindingKind::Value(value @ Expr::Call(_))) => is_other(cx, value),
            _ => false,
        },
        _ => false,
    }
}

/// Whether `expr` is a call of one of asyncio's own coroutine functions, which cannot have to do
/// with what was cancelled but by its arguments.
fn is_asyncio<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Call(call) => {
            let name = cx.module.qualified_name(&call.func);
            cx.module.coroutine_function(&call.func).is_none()
                && (name.is_some_and(|name| name.starts_with("asyncio."))
                    || cx.module.awaitable_call(call) == Awaitable::Coroutine)
        }
        _ => false,
    }
}
