//! What a handler does with the exception, and whether its author has decided about it.

use engine::{Context, has_word};
use python::ast::{
    AnyNodeRef, ExceptHandlerExceptHandler, Expr, ExprAttribute, ExprCall, Stmt, StmtFunctionDef,
};
use python::{BindingKind, Block, Ranged, TryPart};

use super::caught::{self, Caught};

/// Whether the author has decided about the cancellation: the handler raises on some path, or the
/// coroutine deals with cancellations by hand.
pub fn is_decided<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
) -> bool {
    raises(cx, handler)
        || knows_cancelling(cx, coroutine)
        || raises_cancellation(cx, coroutine)
        || raises_later(cx, coroutine, handler)
        || raises_for_flag(cx, handler)
        || cancels_itself(cx, coroutine, handler)
        || is_leaving(cx, handler.into())
        || is_replaced(cx, handler)
}

/// Whether `node` stands in a scope of anyio or trio that is shielded: what is done there has to end
/// whatever happens.
pub fn is_shielded<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let module = cx.module;
    let is_shield = |expr: &'a Expr| match expr {
        Expr::Call(call) => {
            let is_scope = ["CancelScope", "move_on_after", "fail_after"]
                .iter()
                .any(|name| {
                    module.refers_to(&call.func, &format!("anyio.{name}"))
                        || module.refers_to(&call.func, &format!("trio.{name}"))
                });
            let shield = call.arguments.find_keyword("shield");
            is_scope
                && shield.is_some_and(
                    |it| matches!(&it.value, Expr::BooleanLiteral(literal) if literal.value),
                )
        }
        _ => false,
    };
    module.blocks(node).into_iter().any(|block| match block {
        Block::With(with) => with.items.iter().any(|it| is_shield(&it.context_expr)),
        _ => false,
    })
}

/// Whether `finally` raises something in any case, in the place of what the handler would raise.
fn is_replaced<'a>(cx: &Context<'a, '_>, handler: &'a ExceptHandlerExceptHandler) -> bool {
    match cx.module.parent(handler) {
        Some(AnyNodeRef::StmtTry(stmt)) => matches!(stmt.finalbody.last(), Some(Stmt::Raise(_))),
        _ => false,
    }
}

/// Whether the handler raises something on some path, by `raise` or by ending the program.
pub fn raises<'a>(cx: &Context<'a, '_>, handler: &'a ExceptHandlerExceptHandler) -> bool {
    own(cx, handler.into()).any(|node| match node {
        // A bare `raise` in a handler in here raises what that one has caught.
        AnyNodeRef::StmtRaise(stmt) if stmt.exc.is_none() => {
            let around = cx.module.ancestors(node).find_map(|node| match node {
                AnyNodeRef::ExceptHandlerExceptHandler(around) => Some(around),
                _ => None,
            });
            around.is_some_and(|around| around.range() == handler.range())
        }
        AnyNodeRef::StmtRaise(_) => true,
        AnyNodeRef::ExprCall(call) => ends_program(cx, call) || never_returns(cx, call),
        _ => false,
    })
}

/// Whether the function that is called raises in any case: its name says so, it is annotated by
/// `NoReturn`, or ends in a `raise` and has no `return`.
fn never_returns<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(method) => method.attr.as_str(),
        _ => return false,
    };
    // `_raise_or_report(error)`, wherever it is defined. `raise_for_status` raises something else.
    if has_word(name, &["raise", "reraise"]) && !has_word(name, &["for"]) {
        return true;
    }
    let Some(function) = module.function_definition(&call.func) else {
        return false;
    };
    let is_annotated = function.returns.as_deref().is_some_and(|returns| {
        [
            "typing.NoReturn",
            "typing.Never",
            "typing_extensions.NoReturn",
            "typing_extensions.Never",
        ]
        .iter()
        .any(|name| module.refers_to(returns, name))
    });
    // A lone `raise` is there for subclasses.
    let ends_in_raise = function.body.len() > 1
        && matches!(function.body.last(), Some(Stmt::Raise(_)))
        && !own(cx, function.into()).any(|node| {
            matches!(
                node,
                AnyNodeRef::StmtReturn(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_)
            )
        });
    is_annotated || ends_in_raise
}

/// Whether the handler keeps the exception in a variable that the coroutine raises or returns later:
/// `error = e`, and then `if error: raise error`; `errors.append(e)`, and then `raise errors[0]`. So
/// where it returns the exception itself.
fn raises_later<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
) -> bool {
    let module = cx.module;
    let Some(name) = &handler.name else {
        return false;
    };
    let is_name = |expr: &Expr| matches!(expr, Expr::Name(value) if value.id == name.id);
    // `first = first or error`, `first = error if first is None else first`
    let is_exception = |expr: &Expr| match expr {
        Expr::BoolOp(operation) => operation.values.iter().any(is_name),
        Expr::If(choice) => is_name(&choice.body) || is_name(&choice.orelse),
        expr => is_name(expr),
    };
    if let Some(Stmt::Return(stmt)) = handler.body.last()
        && stmt.value.as_deref().is_some_and(is_name)
    {
        return true;
    }
    let kept: Vec<_> = own(cx, handler.into())
        .filter_map(|node| match node {
            AnyNodeRef::StmtAssign(assign) if is_exception(&assign.value) => {
                match assign.targets.as_slice() {
                    [Expr::Name(target)] => Some(target),
                    _ => None,
                }
            }
            AnyNodeRef::ExprCall(call) if call.arguments.args.iter().any(is_exception) => {
                match &*call.func {
                    Expr::Attribute(method) if method.attr.as_str() == "append" => {
                        method.value.as_name_expr()
                    }
                    _ => None,
                }
            }
            _ => None,
        })
        .filter_map(|name| module.symbol_id(name))
        .collect();
    let is_kept = |expr: &'a Expr| {
        let name = expr.as_name_expr();
        let symbol = name.and_then(|name| module.symbol_id(name));
        symbol.is_some_and(|id| kept.contains(&id))
    };
    !kept.is_empty()
        && own(cx, coroutine.into()).any(|node| {
            let raised = match node {
                AnyNodeRef::StmtRaise(stmt) => stmt.exc.as_deref(),
                // `return error`: the caller has it.
                AnyNodeRef::StmtReturn(stmt) => {
                    return stmt.value.as_deref().is_some_and(is_kept);
                }
                _ => None,
            };
            let Some(raised) = raised else {
                return false;
            };
            // `raise errors[0]`, `raise Failures(errors)`
            module.descendants(raised).any(|inner| match inner {
                AnyNodeRef::ExprName(name) => {
                    module.symbol_id(name).is_some_and(|id| kept.contains(&id))
                }
                _ => false,
            })
        })
}

/// Whether the handler sets a flag for which something is raised later: `cancelled = True`, and then
/// `if cancelled: raise error`, perhaps in the function around.
fn raises_for_flag<'a>(cx: &Context<'a, '_>, handler: &'a ExceptHandlerExceptHandler) -> bool {
    let module = cx.module;
    let raises_if = |read: AnyNodeRef<'a>| {
        let mut child = read;
        while let Some(parent) = module.parent(child) {
            if let AnyNodeRef::StmtIf(stmt) = parent {
                return stmt.test.range() == child.range()
                    && stmt.body.iter().any(Stmt::is_raise_stmt);
            }
            if parent.is_statement() {
                return false;
            }
            child = parent;
        }
        false
    };
    own(cx, handler.into()).any(|node| {
        let AnyNodeRef::StmtAssign(assign) = node else {
            return false;
        };
        let ([Expr::Name(target)], true) =
            (assign.targets.as_slice(), assign.value.is_literal_expr())
        else {
            return false;
        };
        module.symbol(target).is_some_and(|flag| {
            let reads = flag.reads.iter().map(|read| module.node(*read));
            reads
                .filter(|read| !module.contains(handler, *read))
                .any(raises_if)
        })
    })
}

/// Whether `node` is in a handler of a cancellation which raises that at its end, or keeps it to be
/// raised later: it leaves the coroutine, and a second one that arrives meanwhile adds nothing.
pub fn is_leaving<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let function = cx
        .module
        .function(node)
        .map(|function| cx.module.id(function));
    cx.module
        .ancestors(node)
        .skip(1)
        .take_while(|around| cx.module.function(*around).map(|it| cx.module.id(it)) == function)
        .any(|around| {
            let AnyNodeRef::ExceptHandlerExceptHandler(outer) = around else {
                return false;
            };
            let function = cx.module.function(outer);
            match caught::by(cx, outer.type_.as_deref()) {
                Some(Caught::Alone) => {
                    matches!(outer.body.last(), Some(Stmt::Raise(_)))
                        || function.is_some_and(|it| raises_later(cx, it, outer))
                }
                // The cancellation itself, if it was one.
                Some(Caught::AmongOthers(_)) => {
                    matches!(outer.body.last(), Some(Stmt::Raise(stmt)) if stmt.exc.is_none())
                }
                None => false,
            }
        })
}

/// Whether `node` is in a handler that ends in `raise`, whatever it caught: the coroutine ends.
pub fn is_raising<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let module = cx.module;
    module.blocks(node).into_iter().any(|block| {
        let Block::Try(_, TryPart::Handler(handler)) = block else {
            return false;
        };
        matches!(handler.body.last(), Some(Stmt::Raise(_)))
    })
}

fn ends_program<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    const ENDS: &[&str] = &[
        "sys.exit",
        "os._exit",
        "os.abort",
        "pytest.fail",
        "pytest.skip",
    ];
    match &*call.func {
        Expr::Name(name) if cx.module.symbol(name).is_none() => {
            matches!(name.id.as_str(), "exit" | "quit")
        }
        // `self.exit(1)` of applications
        Expr::Attribute(method)
            if method.attr.as_str() == "exit"
                && matches!(&*method.value, Expr::Name(it) if it.id == "self") =>
        {
            true
        }
        func => ENDS.iter().any(|name| cx.module.refers_to(func, name)),
    }
}

/// Whether the coroutine uses `uncancel()` or `cancelling()`, by which a cancellation is taken
/// back, or told from that of a child.
pub fn knows_cancelling<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> bool {
    own(cx, coroutine.into()).any(|node| {
        matches!(node, AnyNodeRef::ExprAttribute(attribute) if matches!(attribute.attr.as_str(), "uncancel" | "cancelling"))
    })
}

/// Whether the coroutine raises a cancellation of its own later: `raise asyncio.CancelledError`.
fn raises_cancellation<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> bool {
    own(cx, coroutine.into()).any(|node| {
        let AnyNodeRef::StmtRaise(stmt) = node else {
            return false;
        };
        match stmt.exc.as_deref() {
            Some(Expr::Call(call)) => caught::is_cancellation(cx, &call.func),
            Some(expr) => caught::is_cancellation(cx, expr),
            None => false,
        }
    })
}

/// `asyncio.current_task().cancel()`: the cancellation comes again at the next `await`.
fn cancels_itself<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
) -> bool {
    own_cancel(cx, coroutine).any(|cancel| cx.module.contains(handler, cancel))
}

/// The call by which a coroutine has its own task cancelled later: `call_later(5, task.cancel)`.
pub fn own_timer<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> Option<&'a ExprCall> {
    own_cancel(cx, coroutine).find_map(|cancel| {
        let arguments = cx.module.parent(cancel)?;
        match (arguments, cx.module.parent(arguments)?) {
            (AnyNodeRef::Arguments(_), AnyNodeRef::ExprCall(call)) => Some(call),
            _ => None,
        }
    })
}

/// Where the code of a coroutine has the method that cancels the task which runs it.
fn own_cancel<'c, 'a: 'c>(
    cx: &'c Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
) -> impl Iterator<Item = &'a ExprAttribute> + 'c {
    let is_own_task = |expr: &'a Expr| matches!(expr, Expr::Call(call) if cx.module.refers_to(&call.func, "asyncio.current_task"));
    own(cx, coroutine.into()).filter_map(move |node| {
        let AnyNodeRef::ExprAttribute(attribute) = node else {
            return None;
        };
        let is_own = match &*attribute.value {
            Expr::Name(name) => cx.module.only_binding(name).is_some_and(
                |binding| matches!(binding.kind, BindingKind::Value(value) if is_own_task(value)),
            ),
            value => is_own_task(value),
        };
        (attribute.attr.as_str() == "cancel" && is_own).then_some(attribute)
    })
}

/// The name in which the handler notes the cancellation, for an `if` or `while` that runs later, or
/// in which it prepares something for the code after the `try` statement.
pub fn noted<'a>(cx: &Context<'a, '_>, handler: &'a ExceptHandlerExceptHandler) -> Option<&'a str> {
    let module = cx.module;
    own(cx, handler.into()).find_map(|node| {
        let AnyNodeRef::StmtAssign(assign) = node else {
            return None;
        };
        let (target, is_part) = match assign.targets.as_slice() {
            [Expr::Name(target)] => (target, false),
            // `errors["base"] = "cannot connect"`
            [Expr::Subscript(part)] => (part.value.as_name_expr()?, true),
            _ => return None,
        };
        let is_literal = assign.value.is_literal_expr();
        let symbol = module.symbol(target)?;
        let is_used = symbol.reads.iter().any(|read| {
            let read = module.node(*read);
            let is_meant = if is_literal || is_part {
                is_test(cx, read) || is_returned(cx, read)
            } else {
                is_after(cx, handler, read)
            };
            is_meant && !module.contains(handler, read) && !is_in_finally(cx, handler, read)
        });
        is_used.then_some(symbol.name)
    })
}

/// Whether `read` stands behind the `try` statement of the handler.
fn is_after<'a>(
    cx: &Context<'a, '_>,
    handler: &'a ExceptHandlerExceptHandler,
    read: AnyNodeRef<'a>,
) -> bool {
    cx.module
        .parent(handler)
        .is_some_and(|stmt| read.start() >= stmt.end())
}

/// Whether `read` is in the test of an `if` or `while` statement.
fn is_test<'a>(cx: &Context<'a, '_>, read: AnyNodeRef<'a>) -> bool {
    let mut child = read;
    while let Some(parent) = cx.module.parent(child) {
        let test = match parent {
            AnyNodeRef::StmtIf(stmt) => Some(&*stmt.test),
            AnyNodeRef::StmtWhile(stmt) => Some(&*stmt.test),
            AnyNodeRef::ElifElseClause(clause) => clause.test.as_ref(),
            _ if parent.is_statement() => return false,
            _ => None,
        };
        if test.is_some_and(|test| test.range() == child.range()) {
            return true;
        }
        child = parent;
    }
    false
}

/// Whether `read` is returned, by itself or in a tuple.
fn is_returned<'a>(cx: &Context<'a, '_>, read: AnyNodeRef<'a>) -> bool {
    let mut around = cx.module.ancestors(read);
    match around.next() {
        Some(AnyNodeRef::StmtReturn(_)) => true,
        Some(AnyNodeRef::ExprTuple(_)) => {
            matches!(around.next(), Some(AnyNodeRef::StmtReturn(_)))
        }
        _ => false,
    }
}

/// Whether `read` is in a `finally` clause that runs after the handler, whatever it raises.
fn is_in_finally<'a>(
    cx: &Context<'a, '_>,
    handler: &'a ExceptHandlerExceptHandler,
    read: AnyNodeRef<'a>,
) -> bool {
    let module = cx.module;
    module.blocks(read).into_iter().any(|block| {
        matches!(block, Block::Try(stmt, TryPart::Finally) if module.contains(stmt, handler))
    })
}

/// The nodes of `node` in its own function's code.
fn own<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> impl Iterator<Item = AnyNodeRef<'a>> {
    let module = cx.module;
    let function = match node {
        AnyNodeRef::StmtFunctionDef(function) => Some(function),
        other => module.function(other),
    }
    .map(|function| module.id(function));
    module.descendants(node).filter(move |inner| {
        module.function(*inner).map(|function| module.id(function)) == function
    })
}
