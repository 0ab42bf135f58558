//! A coroutine function that runs something as a task which it hands out: whoever has the task can
//! cancel it, and the cancellation is that of the task alone.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, ExprAwait};
use python::{Awaitable, BindingKind};

use super::{awaiters, child};

/// What is called in one of these places, if it awaits a task that it makes and hands to others.
pub fn out<'a>(cx: &Context<'a, '_>, awaits: &[AnyNodeRef<'a>]) -> Option<&'a str> {
    let module = cx.module;
    awaits.iter().find_map(|node| {
        let AnyNodeRef::ExprAwait(awaited) = node else {
            return None;
        };
        let Expr::Call(call) = &*awaited.value else {
            return None;
        };
        let function = module.coroutine_function(&call.func)?;
        let own = module.id(function);
        let hands_out = module.descendants(function).any(|node| match node {
            AnyNodeRef::ExprAwait(inner) => {
                module.function(inner).map(|it| module.id(it)) == Some(own)
                    && is_task_of_others(cx, inner)
                    && !awaiters::is_guarded(cx, inner)
            }
            _ => false,
        });
        hands_out.then(|| module.first_line(&*call.func))
    })
}

fn is_task_of_others<'a>(cx: &Context<'a, '_>, awaited: &'a ExprAwait) -> bool {
    let Expr::Name(name) = &*awaited.value else {
        return false;
    };
    let is_task = cx.module.only_binding(name).is_some_and(|binding| {
        matches!(binding.kind, BindingKind::Value(Expr::Call(made))
            if cx.module.awaitable_call(made) == Awaitable::Task)
    });
    is_task && !child::is_own_task(cx, name)
}
