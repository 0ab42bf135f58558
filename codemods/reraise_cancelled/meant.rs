//! What the author of a handler says about the cancellation, without raising it.

use engine::{Context, Refusal, cleans_up, withheld};
use python::ast::{AnyNodeRef, ExceptHandlerExceptHandler, Stmt, StmtFunctionDef, StmtTry};
use python::{Block, Ranged, TextRange, TryPart};

use super::caught::Caught;
use super::following;

/// Withheld where the handler gives its caller something for the cancellation, or a comment says
/// what the cancellation stands for.
pub fn check<'a>(
    cx: &Context<'a, '_>,
    stmt: &'a StmtTry,
    handler: &'a ExceptHandlerExceptHandler,
    caught: &Caught<'a>,
) -> Result<(), Refusal> {
    let module = cx.module;
    let scope = module.scope(handler);
    let yields = module.descendants(handler).find(|node| {
        matches!(
            node,
            AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_)
        ) && module.scope(*node) == scope
    });
    if let Some(yields) = yields {
        return Err(withheld!(
            "the handler gives `{}` to whoever iterates, in the place of the exception: decide who needs it",
            module.first_line(yields)
        ));
    }
    if let Some(comment) = comment(cx, stmt, handler, caught) {
        return Err(withheld!(
            "a comment says what the cancellation stands for: `{comment}`; re-raise by hand if it is the coroutine's own"
        ));
    }
    Ok(())
}

/// The comment in the body that says that what is awaited there raises the cancellation by itself;
/// in a handler of everything also one that says that cancellations are meant.
fn comment<'a>(
    cx: &Context<'a, '_>,
    stmt: &'a StmtTry,
    handler: &'a ExceptHandlerExceptHandler,
    caught: &Caught<'a>,
) -> Option<&'a str> {
    let module = cx.module;
    let first = stmt.body.first()?;
    let last = stmt.body.last()?;
    let body = TextRange::new(stmt.start(), module.line_end(last.end()).max(first.end()));
    let about = |range: TextRange, word: &str| {
        module
            .comments(range)
            .iter()
            .map(|comment| module.text(*comment))
            .find(|text| text.to_lowercase().contains(word))
    };
    about(body, "cancellederror").or_else(|| {
        let end = module.line_end(handler.end());
        let whole = TextRange::new(handler.start(), end);
        if caught.is_named() {
            SAYS.iter().find_map(|word| about(whole, word))
        } else {
            about(whole, "cancel")
        }
    })
}

/// What a comment in a handler of the cancellation says where it is meant to end there.
const SAYS: &[&str] = &[
    "deliberate",
    "expected",
    "intention",
    "on purpose",
    "quiet",
    "silent",
    "swallow",
];

/// Whether the handler is a part of cleanup, which is there to go on: of a `finally` clause, or,
/// if it names the cancellation and does nothing about it, of a function like `close`.
pub fn is_in_cleanup<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
    caught: &Caught<'a>,
) -> bool {
    let does_nothing = || {
        handler
            .body
            .iter()
            .all(|stmt| matches!(stmt, Stmt::Pass(_)) || following::is_harmless(cx, stmt))
    };
    let blocks = cx.module.blocks(handler);
    blocks
        .iter()
        .any(|block| matches!(block, Block::Try(_, TryPart::Finally)))
        || caught.is_named() && cleans_up(coroutine.name.as_str()) && does_nothing()
}
