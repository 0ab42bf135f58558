//! What around a sleep relies on nothing else running during it.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprStringLiteral, Stmt, StmtFunctionDef, WithItem};
use python::{Block, Ranged, TryPart};

/// What may stand in a `with` around a sleep: it is no lock and replaces nothing that other tasks
/// would see.
const HARMLESS: &[&str] = &[
    "anyio.CancelScope",
    "anyio.fail_after",
    "anyio.move_on_after",
    "builtins.open",
    "bz2.open",
    "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.ThreadPoolExecutor",
    "contextlib.closing",
    "contextlib.nullcontext",
    "contextlib.suppress",
    "gzip.open",
    "io.BytesIO",
    "io.StringIO",
    "io.open",
    "lzma.open",
    "os.scandir",
    "pytest.raises",
    "socket.create_connection",
    "socket.socket",
    "subprocess.Popen",
    "tarfile.open",
    "tempfile.NamedTemporaryFile",
    "tempfile.SpooledTemporaryFile",
    "tempfile.TemporaryDirectory",
    "tempfile.TemporaryFile",
    "trio.CancelScope",
    "trio.fail_after",
    "trio.move_on_after",
    "zipfile.ZipFile",
];

/// Methods of test cases that only look at what is raised.
const ASSERTIONS: &[&str] = &["assertRaises", "assertRaisesRegex", "subTest"];

/// The refusals for what stands around the call.
pub fn check<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    coroutine: &'a StmtFunctionDef,
) -> Result<(), Refusal> {
    if matches!(coroutine.name.as_str(), "__aexit__" | "aclose" | "__adel__") {
        return Err(withheld!(
            "`{}` is cleanup: a cancellation could arrive in the middle of it, and closing the coroutine there fails; decide whether it may wait",
            coroutine.name
        ));
    }
    let contexts = cx.module.entered_before(call);
    check_contexts(cx, contexts)?;
    for block in cx.module.blocks(call) {
        match block {
            Block::Try(_, TryPart::Finally) => {
                return Err(withheld!(
                    "it stands in `finally`: a cancellation could arrive in the middle of the cleanup, and closing the coroutine there fails; decide whether it may wait"
                ));
            }
            Block::With(with) if !with.is_async => check_contexts(cx, &with.items)?,
            _ => {}
        }
    }
    if let Some(lock) = cx.module.acquired_around(call, coroutine) {
        return Err(withheld!(
            "`{lock}` is acquired before it and released after it: another task that wants it would block the event loop, and with it the release; move the sleep out of there"
        ));
    }
    if let Some(comment) = wanted_by_comment(cx, call) {
        return Err(withheld!(
            "the comment `{comment}` says that blocking is meant: decide whether it still is"
        ));
    }
    if has_choice(cx, call) {
        return Err(withheld!(
            "the other branch awaits the same sleep: the coroutine chooses to block here; decide whether it has to"
        ));
    }
    if cx.module.stores_attribute("slow_callback_duration") {
        return Err(withheld!(
            "the file sets `slow_callback_duration`, and may block the event loop in order to have it noticed: decide whether that is meant"
        ));
    }
    let root = cx.module.id(cx.module.root());
    if cx.once("driven by hand", root, || is_driven_by_hand(cx)) {
        return Err(withheld!(
            "the file drives coroutines by `.send(None)`, without an event loop, which `asyncio.sleep` needs"
        ));
    }
    if cx.once("replaced", root, || replacement(cx).is_some())
        && let Some(replacement) = replacement(cx)
    {
        return Err(withheld!(
            "the file replaces `time.sleep` by `{replacement}`, which would have no effect here: replace the sleep of the event loop instead"
        ));
    }
    Ok(())
}

fn check_contexts<'a>(cx: &Context<'a, '_>, items: &'a [WithItem]) -> Result<(), Refusal> {
    let Some(item) = items.iter().find(|item| !is_harmless(cx, item)) else {
        return Ok(());
    };
    let context = cx.module.first_line(&item.context_expr);
    Err(withheld!(
        "it stands inside `with {}`: if that is a lock or replaces global state, other tasks would meet it during the sleep; move the sleep out of the block",
        context
    ))
}

fn is_harmless<'a>(cx: &Context<'a, '_>, item: &'a WithItem) -> bool {
    let Expr::Call(call) = &item.context_expr else {
        return false;
    };
    let is_known = cx
        .module
        .qualified_name(&call.func)
        .is_some_and(|name| HARMLESS.contains(&name.as_str()));
    is_known
        || matches!(&*call.func, Expr::Attribute(method) if ASSERTIONS.contains(&method.attr.as_str()))
}

/// The comment on the lines of the statement, or on those directly above, that speaks of blocking
/// on purpose or compares the two sleeps.
fn wanted_by_comment<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<&'a str> {
    cx.module.comments_about(call.range()).find(|comment| {
        let text = comment.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        has(&["block"]) && has(&["purpose", "intention", "deliberate"])
            || has(&["asyncio.sleep"]) && !has(&["todo", "fixme", "xxx", "should"])
    })
}

/// Whether the call stands in one branch of an `if` whose other branch awaits a sleep for the same
/// time.
fn has_choice<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let time = module.text(call.arguments.range());
    let awaits_it = |stmt: &'a Stmt| {
        module.descendants(stmt).any(|node| {
            let AnyNodeRef::ExprAwait(awaited) = node else {
                return false;
            };
            let Expr::Call(other) = &*awaited.value else {
                return false;
            };
            module.text(other.arguments.range()) == time
                && ["asyncio.sleep", "anyio.sleep", "trio.sleep"]
                    .iter()
                    .any(|name| module.refers_to(&other.func, name))
        })
    };
    let choice = module
        .ancestors(call)
        .take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)))
        .find_map(|node| match node {
            AnyNodeRef::StmtIf(choice) => Some(choice),
            _ => None,
        });
    choice.is_some_and(|choice| {
        let clauses = choice.elif_else_clauses.iter().map(|clause| &clause.body);
        std::iter::once(&choice.body)
            .chain(clauses)
            .filter(|branch| !branch.iter().any(|stmt| module.contains(stmt, call)))
            .flatten()
            .any(awaits_it)
    })
}

fn is_driven_by_hand(cx: &Context<'_, '_>) -> bool {
    cx.module.calls().iter().any(|call| {
        matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "send")
            && matches!(&*call.arguments.args, [Expr::NoneLiteral(_)])
            && call.arguments.keywords.is_empty()
    })
}

/// What in the file puts something else in the place of `time.sleep`: `patch("time.sleep")`,
/// `monkeypatch.setattr(time, "sleep", f)`.
fn replacement<'a>(cx: &Context<'a, '_>) -> Option<&'a str> {
    let module = cx.module;
    let is = |expr: &Expr, text: &str| matches!(expr, Expr::StringLiteral(ExprStringLiteral { value, .. }) if value == text);
    let call = module.calls().iter().find(|call| {
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
                    if target.value.to_str().ends_with("time.sleep") =>
                {
                    true
                }
                [target, name, ..] => is(name, "sleep") && module.refers_to(target, "time"),
                _ => false,
            }
    });
    call.map(|call| module.first_line(*call))
}
