//! `except asyncio.CancelledError: ...` => the same, and `raise`

mod awaiters;
mod callbacks;
mod caught;
mod child;
mod entry;
mod exception;
mod following;
mod forwarding;
mod handed;
mod meant;
mod source;
mod text;
mod told;

use edit::Applicability;
use engine::{Codemod, Context, On, Refusal, Rewrite, Verdict, withheld};
use python::ast::{
    AnyNodeRef, ExceptHandler, ExceptHandlerExceptHandler, Expr, NodeKind, PythonVersion, Stmt,
    StmtFunctionDef, StmtTry, StmtWith,
};
use python::{Block, Library, Ranged, TryPart};

use caught::Caught;
use following::Following;
use source::Source;

pub const CODEMOD: Codemod = Codemod {
    name: "reraise-cancelled",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &["ASYNC103", "ASYNC104"],
    dated: None,
    options: &[],
    on: &[On::Node {
        kinds: &[
            NodeKind::ExceptHandlerExceptHandler,
            NodeKind::StmtWith,
            NodeKind::StmtReturn,
            NodeKind::StmtBreak,
            NodeKind::StmtContinue,
        ],
        // A bare `except` needs no name, but a coroutine around it.
        words: &["async"],
        decide: rewrite,
    }],
};

/// `except asyncio.CancelledError: ...` => the same with `raise` at its end, and where the clause
/// catches other exceptions too, `if isinstance(error, asyncio.CancelledError): raise`.
///
/// The handler runs as before, whatever it does, and then the cancellation goes on to whoever
/// waits for it: `asyncio.timeout`, a `TaskGroup`, the caller of `cancel()`. Every other exception
/// keeps its way. The argument stops where the cancellation is not the coroutine's own but that of
/// a task which it awaits; where the code after the handler is what has to run next; and where
/// there is nobody above who expects a cancellation.
fn rewrite<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let coroutine = cx
        .module
        .function(node)
        .filter(|function| function.is_async)
        .ok_or(Refusal::NotOurs)?; // nobody cancels a plain function
    if matches!(cx.module.library(), Library::Curio | Library::Other) {
        return Err(Refusal::NotOurs); // cancellation is another matter there
    }
    match node {
        AnyNodeRef::ExceptHandlerExceptHandler(handler) => at_handler(cx, coroutine, handler),
        AnyNodeRef::StmtWith(with) => Err(at_suppress(cx, coroutine, with)),
        AnyNodeRef::StmtReturn(_) => Err(in_finally(cx, coroutine, node, "return")),
        AnyNodeRef::StmtBreak(_) => Err(in_finally(cx, coroutine, node, "break")),
        AnyNodeRef::StmtContinue(_) => Err(in_finally(cx, coroutine, node, "continue")),
        _ => Err(Refusal::NotOurs),
    }
}

/// An `except` clause.
fn at_handler<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
) -> Verdict {
    let module = cx.module;
    let Some(AnyNodeRef::StmtTry(stmt)) = module.parent(handler) else {
        return Err(Refusal::NotOurs);
    };
    let caught = caught::by(cx, handler.type_.as_deref()).ok_or(Refusal::NotOurs)?;
    if is_caught_before(cx, stmt, handler) {
        return Err(Refusal::NotOurs); // it does not get here
    }
    let awaits = source::awaits(cx, coroutine, &stmt.body);
    if awaits.is_empty() {
        return Err(Refusal::NotOurs); // it cannot arrive there
    }
    if exception::is_shielded(cx, handler.into()) || exception::is_decided(cx, coroutine, handler) {
        return Err(Refusal::NotOurs);
    }
    let source = source::of(cx, coroutine, &awaits);
    if let Source::Child = source {
        return Err(Refusal::NotOurs); // that of a task which the coroutine itself cancelled
    }

    if stmt.is_star {
        return Err(withheld!(
            "`except*` would re-raise the cancellation in a group: catch it by a plain `except` clause, and re-raise it there"
        ));
    }
    entry::check(cx, coroutine, handler)?;
    if let Some(timer) = exception::own_timer(cx, coroutine) {
        return Err(withheld!(
            "the coroutine asks for its own cancellation by `{}`, as for a time limit: write `asyncio.timeout` in its place, and no handler",
            cx.module.text(&*timer.func)
        ));
    }
    meant::check(cx, stmt, handler, &caught)?;
    if let Some(what) = forwarding::forwarded(cx, handler) {
        if forwarding::ends_there(cx, coroutine, handler) {
            return Err(Refusal::NotOurs); // the exception is not lost, and nothing goes on
        }
        return Err(withheld!(
            "the handler hands the exception on by `{what}`, and a `raise` would end the coroutine that is there to go on: re-raise by hand if it should end"
        ));
    }
    if let Some(name) = exception::noted(cx, handler) {
        return Err(withheld!(
            "the handler notes the cancellation in `{name}`, which is looked at later, and a `raise` would leave before that: raise there, when what had to be done is done"
        ));
    }
    if let Source::Unknown(task) = source {
        return Err(withheld!(
            "`{}` may {} itself cancelled, and a `raise` would then cancel the coroutine that awaits it: write `{}`, which does not raise the task's own cancellation, or `if asyncio.current_task().cancelling(): raise` in the handler",
            task.text,
            if task.is_list {
                "hold tasks of which one was"
            } else {
                "be a task that was"
            },
            task.wait()
        ));
    }
    if let Source::Near(call) = source {
        return Err(withheld!(
            "`{call}` is called before, and what is awaited here may raise the cancellation that it asked for: decide whose cancellation it is"
        ));
    }

    if let Some(function) = handed::out(cx, &awaits) {
        return Err(withheld!(
            "`{function}` awaits a task that it hands to others, who may cancel it, and a `raise` would then end this coroutine: decide whose cancellation it is"
        ));
    }

    let end = End::of(cx, handler)?;
    awaiters::check(cx, coroutine)?;
    let mut applicability = check_end(cx, handler, &caught, &end)?;
    if goes_to_handler(cx, stmt) {
        applicability = Applicability::Unsafe;
    }
    if meant::is_in_cleanup(cx, coroutine, handler, &caught) {
        if applicability == Applicability::Unsafe {
            return Err(withheld!(
                "a `raise` would skip the rest of the cleanup that this is a part of: move that into a `finally` of its own, and raise"
            ));
        }
        applicability = Applicability::Unsafe; // it would take the place of what is raised there
    }
    let edits = text::edits(cx, coroutine, handler, &caught, &end)?;
    Ok(Rewrite {
        message:
            "the handler swallows the cancellation of the coroutine: `raise` lets it through after the handler has run"
                .to_string(),
        applicability,
        edits,
        python: None,
    })
}

/// How a handler is left.
enum End<'a> {
    /// Past its last statement.
    FallsThrough,
    /// By this `return` without a value, its last statement.
    Returns(&'a Stmt),
    /// By this `break`, its last statement.
    Breaks(&'a Stmt),
}

impl<'a> End<'a> {
    fn of(cx: &Context<'a, '_>, handler: &'a ExceptHandlerExceptHandler) -> Result<Self, Refusal> {
        let module = cx.module;
        let last = handler.body.last().ok_or(Refusal::NotOurs)?;
        for (exit, word) in exits(cx, handler) {
            if exit.range() != last.range() {
                return Err(withheld!(
                    "the handler is left by `{word}` on some of its ways, and that is perhaps meant for the cancellations that are expected: end these ways by `raise`, or re-raise by hand"
                ));
            }
        }
        match last {
            Stmt::Return(stmt) => match stmt.value.as_deref() {
                None => Ok(End::Returns(last)),
                Some(Expr::NoneLiteral(_)) if !returns_values(cx, handler) => {
                    Ok(End::Returns(last))
                }
                Some(value) => Err(withheld!(
                    "the handler returns `{}`, and a `raise` in its place would take that from the caller: decide who needs it",
                    module.first_line(value)
                )),
            },
            Stmt::Break(_) => Ok(End::Breaks(last)),
            Stmt::Continue(_) => Err(goes_on()),
            Stmt::While(stmt) if never_ends(cx, last, &stmt.test) => Err(withheld!(
                "the end of the handler is never reached: re-raise the cancellation where the handler ends"
            )),
            _ => Ok(End::FallsThrough),
        }
    }
}

fn goes_on() -> Refusal {
    withheld!(
        "the handler goes on with the loop, and so the task cannot be cancelled here: decide how the loop ends, and `raise`"
    )
}

/// The statements by which a handler is left before its end, with their keywords.
fn exits<'a>(
    cx: &Context<'a, '_>,
    handler: &'a ExceptHandlerExceptHandler,
) -> Vec<(AnyNodeRef<'a>, &'static str)> {
    let module = cx.module;
    let own = module.scope(handler);
    let leaves_loop = |node: AnyNodeRef<'a>| {
        let around = module
            .blocks(node)
            .into_iter()
            .find_map(|block| match block {
                Block::For(stmt) => Some(module.contains(handler, stmt)),
                Block::While(stmt) => Some(module.contains(handler, stmt)),
                _ => None,
            });
        !around.unwrap_or(false)
    };
    module
        .descendants(handler)
        .filter(|node| module.scope(*node) == own)
        .filter_map(|node| match node {
            AnyNodeRef::StmtReturn(_) => Some((node, "return")),
            AnyNodeRef::StmtBreak(_) if leaves_loop(node) => Some((node, "break")),
            AnyNodeRef::StmtContinue(_) if leaves_loop(node) => Some((node, "continue")),
            _ => None,
        })
        .collect()
}

/// Whether the coroutine returns something else than None elsewhere, so that None tells its caller
/// something.
fn returns_values<'a>(cx: &Context<'a, '_>, handler: &'a ExceptHandlerExceptHandler) -> bool {
    let module = cx.module;
    let own = module.scope(handler);
    module.function(handler).is_some_and(|function| {
        module.descendants(function).any(|node| match node {
            AnyNodeRef::StmtReturn(stmt) => {
                module.scope(node) == own
                    && stmt
                        .value
                        .as_deref()
                        .is_some_and(|value| !value.is_none_literal_expr())
            }
            _ => false,
        })
    })
}

/// `while True:` without a `break`.
fn never_ends<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt, test: &Expr) -> bool {
    let is_true = match test {
        Expr::BooleanLiteral(literal) => literal.value,
        Expr::NumberLiteral(_) => true,
        _ => false,
    };
    let breaks = cx
        .module
        .descendants(stmt)
        .any(|node| matches!(node, AnyNodeRef::StmtBreak(_)));
    is_true && !breaks
}

/// What of the code after the handler would no longer run.
fn check_end<'a>(
    cx: &Context<'a, '_>,
    handler: &'a ExceptHandlerExceptHandler,
    caught: &Caught<'a>,
    end: &End<'a>,
) -> Result<Applicability, Refusal> {
    match end {
        End::Returns(_) => Ok(Applicability::Intended),
        End::Breaks(stmt) => match following::after_loop(cx, stmt) {
            Following::Nothing | Following::Harmless => Ok(Applicability::Intended),
            _ => Err(withheld!(
                "a `raise` in the place of the `break` would skip the code after the loop: move that into `finally`, and raise"
            )),
        },
        End::FallsThrough => match following::after_try(cx, handler) {
            Following::NextTurn { ends } if ends && caught.is_named() => Err(goes_on()),
            Following::Value(Expr::NoneLiteral(_))
                if caught.is_named() && returns_values(cx, handler) =>
            {
                Err(withheld!(
                    "the code after the handler returns `None`, and a `raise` would take that from the caller: decide who needs it"
                ))
            }
            Following::Nothing
            | Following::NextTurn { .. }
            | Following::Harmless
            | Following::Value(_) => Ok(Applicability::Intended),
            Following::Cleanup(call) => Err(withheld!(
                "a `raise` would skip `{call}` further down, which looks like cleanup: move that into `finally`, and raise"
            )),
            Following::Raise => Err(withheld!(
                "the code after the handler raises in any case, and the cancellation would leave in the place of that: decide which of the two the caller needs"
            )),
            Following::Code => Ok(Applicability::Unsafe),
        },
    }
}

/// Whether an earlier clause of the same `try` catches the cancellation.
fn is_caught_before<'a>(
    cx: &Context<'a, '_>,
    stmt: &'a StmtTry,
    handler: &'a ExceptHandlerExceptHandler,
) -> bool {
    stmt.handlers
        .iter()
        .map(|other| {
            let ExceptHandler::ExceptHandler(other) = other;
            other
        })
        .take_while(|other| other.start() < handler.start())
        .any(|other| caught::by(cx, other.type_.as_deref()).is_some())
}

/// Whether something further out in the coroutine catches what is raised, and keeps it.
fn goes_to_handler<'a>(cx: &Context<'a, '_>, stmt: &'a StmtTry) -> bool {
    let module = cx.module;
    module.blocks(stmt).into_iter().any(|block| match block {
        Block::Try(outer, TryPart::Body) => outer.handlers.iter().any(|handler| {
            let ExceptHandler::ExceptHandler(handler) = handler;
            caught::by(cx, handler.type_.as_deref()).is_some()
                && !is_caught_before(cx, outer, handler)
                && !exception::raises(cx, handler)
        }),
        Block::With(with) => suppressed(cx, with).is_some(),
        _ => false,
    })
}

/// `with contextlib.suppress(asyncio.CancelledError):`, with its `suppress(...)`.
fn suppressed<'a>(cx: &Context<'a, '_>, with: &'a StmtWith) -> Option<&'a Expr> {
    let module = cx.module;
    with.items
        .iter()
        .map(|item| &item.context_expr)
        .find(|expr| match expr {
            Expr::Call(call) => {
                module.refers_to(&call.func, "contextlib.suppress")
                    && call
                        .arguments
                        .args
                        .iter()
                        .any(|caught| caught::by(cx, Some(caught)).is_some())
            }
            _ => false,
        })
}

fn at_suppress<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    with: &'a StmtWith,
) -> Refusal {
    let Some(suppress) = suppressed(cx, with) else {
        return Refusal::NotOurs;
    };
    let awaits = source::awaits(cx, coroutine, &with.body);
    if awaits.is_empty()
        || matches!(source::of(cx, coroutine, &awaits), Source::Child)
        || cx.has_tests()
        || exception::knows_cancelling(cx, coroutine)
        || exception::is_shielded(cx, with.into())
        || told::is_of_task(cx, coroutine, with, &awaits)
        || exception::is_leaving(cx, with.into())
        || exception::is_raising(cx, with.into())
    {
        return Refusal::NotOurs;
    }
    withheld!(
        "`{}` swallows the cancellation of the coroutine too: if that of another task is meant, write `await asyncio.wait([task])`, else catch it, clean up and `raise`",
        cx.module.first_line(suppress)
    )
}

/// `return` in `finally`, and `break` and `continue` that lead out of it: whatever was raised is
/// lost.
fn in_finally<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    node: AnyNodeRef<'a>,
    word: &str,
) -> Refusal {
    for block in cx.module.blocks(node) {
        match block {
            Block::Try(stmt, TryPart::Finally) => {
                let handlers = stmt.handlers.iter().flat_map(|handler| {
                    let ExceptHandler::ExceptHandler(handler) = handler;
                    &handler.body
                });
                let guarded = stmt.body.iter().chain(handlers).chain(&stmt.orelse);
                if source::awaits(cx, coroutine, guarded).is_empty() {
                    continue;
                }
                return withheld!(
                    "`{word}` in `finally` drops whatever was raised, the cancellation of the coroutine included: move it behind the `try` statement"
                );
            }
            Block::For(_) | Block::While(_) if word != "return" => break,
            _ => {}
        }
    }
    Refusal::NotOurs
}
