//! What the author of a handler says about the cancellation, without raising it.

use engine::{Context, Refusal, cleans_up, withheld};
use python::ast::{AnyNodeRef, ExceptHandlerExceptHandler, Expr, Stmt, StmtFunctionDef, StmtTry};
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
    if is_on_purpose(cx, handler) {
        return Err(Refusal::NotOurs);
    }
    if let Some(comment) = comment(cx, stmt, handler, caught) {
        return Err(withheld!(
            "a comment says what the cancellation stands for: `{comment}`; re-raise by hand if it is the coroutine's own"
        ));
    }
    if let Some(coroutine) = module.function(handler)
        && let Some(said) = docstring(coroutine)
            .and_then(|text| said_of_cancellation(text).or_else(|| handled_class(text)))
    {
        return Err(withheld!(
            "the docstring says what becomes of a cancellation: \"{said}\"; re-raise by hand if that is to change"
        ));
    }
    Ok(())
}

fn docstring(function: &StmtFunctionDef) -> Option<&str> {
    let Some(Stmt::Expr(first)) = function.body.first() else {
        return None;
    };
    match &*first.value {
        Expr::StringLiteral(literal) => Some(literal.value.to_str()),
        _ => None,
    }
}

/// The sentence of a docstring that says that a cancellation does not get out.
fn said_of_cancellation(text: &str) -> Option<String> {
    const KEEPS: &[&str] = &[
        "ignor",
        "never raise",
        "not propagate",
        "not raise",
        "quiet",
        "return when",
        "returns on",
        "returns when",
        "silent",
        "suppress",
        "swallow",
        "without raising",
    ];
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let mut sentences = text.split_inclusive(". ");
    let said = sentences.find(|sentence| {
        let sentence = sentence.to_lowercase();
        sentence.contains("cancel") && KEEPS.iter().any(|it| sentence.contains(it))
    });
    said.map(|sentence| sentence.trim().to_string())
}

/// The sentence of a docstring that names the class of the cancellation and does not say that it is
/// raised: it says what is done then.
fn handled_class(text: &str) -> Option<String> {
    const RAISES: &[&str] = &["propagat", "raise"];
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let mut sentences = text.split_inclusive(". ");
    let says_raised = RAISES.iter().any(|it| text.to_lowercase().contains(it));
    let named = sentences.find(|sentence| {
        let sentence = sentence.to_lowercase();
        CLASSES.iter().any(|it| sentence.contains(it))
    });
    named
        .filter(|_| !says_raised)
        .map(|sentence| sentence.trim().to_string())
}

/// The comment that says what the cancellation stands for: one in the body that names its class, for
/// what is awaited there raises it by itself; one at the handler that does, or says that it is meant
/// to end there; and at a handler of everything one that speaks of cancellations at all.
fn comment<'a>(
    cx: &Context<'a, '_>,
    stmt: &'a StmtTry,
    handler: &'a ExceptHandlerExceptHandler,
    caught: &Caught<'a>,
) -> Option<&'a str> {
    let module = cx.module;
    let body_end = module.line_end(stmt.body.last()?.end());
    let about = |range: TextRange, words: &[&str]| {
        let comments = module.comments(range).iter();
        comments.map(|comment| module.text(*comment)).find(|text| {
            let text = text.to_lowercase();
            words.iter().any(|word| text.contains(word))
        })
    };
    let first = TextRange::empty(stmt.start());
    let above: Vec<&str> = module.comments_about(first).collect();
    let whole = above.join(" ").replace(" # ", " ");
    if said_of_cancellation(&whole).is_some() {
        return above.first().copied();
    }
    about(TextRange::new(stmt.start(), body_end), CLASSES).or_else(|| {
        // With the comments above `except`, and those below the last statement.
        let before = stmt.handlers.iter().map(Ranged::end);
        let before = before.filter(|end| *end <= handler.start()).max();
        let start = before.map_or(body_end, |end| module.line_end(end));
        let end = module.end_with_comments(handler);
        let whole = TextRange::new(start.min(handler.start()), end);
        if caught.is_named() {
            about(whole, CLASSES)
                .filter(|text| !is_open(text))
                .or_else(|| about(whole, SAYS))
        } else {
            about(whole, &["cancel", "everything"])
        }
    })
}

/// The classes of a cancellation, as comments name them. `Cancelled` alone may be a plain word.
const CLASSES: &[&str] = &[
    "cancellederror",
    "trio.cancelled",
    "get_cancelled_exc_class",
];

/// Whether a comment in the handler says that the cancellation is swallowed on purpose.
fn is_on_purpose<'a>(cx: &Context<'a, '_>, handler: &'a ExceptHandlerExceptHandler) -> bool {
    const PURPOSE: &[&str] = &[
        "deliberately ignor",
        "deliberately not re-raise",
        "deliberately swallow",
        "intentionally ignor",
        "intentionally not re-raise",
        "intentionally swallow",
        "n't re-raise the cancel",
        "not re-raise the cancel",
        "swallowed on purpose",
    ];
    let end = cx.module.end_with_comments(handler);
    let comments = cx.module.comments(TextRange::new(handler.start(), end));
    let lines = comments.iter().map(|comment| cx.module.text(*comment));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let text = words.join(" ").replace(" # ", " ").to_lowercase();
    PURPOSE.iter().any(|it| text.contains(it))
}

/// Whether a comment says that the code is not as it is meant to be.
fn is_open(comment: &str) -> bool {
    let text = comment.trim_start_matches(['#', ' ']).to_lowercase();
    ["fixme", "todo", "xxx"]
        .iter()
        .any(|word| text.starts_with(word))
}

/// What a comment in a handler of the cancellation says where it is meant to end there, or whose it
/// is.
const SAYS: &[&str] = &[
    "cancellation =",
    "cancellation is",
    "cancellation means",
    "cancelled because",
    "cancelled by",
    "cancelled due",
    "cancelled when",
    "cancelled while",
    "already set",
    "boundary",
    "if cancelled",
    "on cancel",
    "when cancelled",
    "deliberate",
    "expected",
    "gets cancelled",
    "intention",
    "normal exit",
    "on purpose",
    "quiet",
    "silent",
    "stopped by",
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
