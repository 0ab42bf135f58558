//! What around a sleep relies on nothing else running during it.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprStringLiteral, StmtFunctionDef, WithItem};
use python::{Block, Ranged, TryPart};

/// What may stand in a `with` around a sleep: it is no lock and replaces nothing that other tasks
/// would see.
const HARMLESS: &[&str] = &[
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
    let contexts = entered_before(cx, call);
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
    if let Some(lock) = acquired(cx, call, coroutine) {
        return Err(withheld!(
            "`{lock}` is acquired before it and released after it: another task that wants it would block the event loop, and with it the release; move the sleep out of there"
        ));
    }
    if is_driven_by_hand(cx) {
        return Err(withheld!(
            "the file drives coroutines by `.send(None)`, without an event loop, which `asyncio.sleep` needs"
        ));
    }
    if let Some(replacement) = replacement(cx) {
        return Err(withheld!(
            "the file replaces `time.sleep` by `{replacement}`, which would have no effect here: replace the sleep of the event loop instead"
        ));
    }
    Ok(())
}

/// Whether the call stands in a handler that runs when the coroutine is closed or cancelled:
/// closing it there fails, and a second cancellation cuts the handler short.
pub fn handles_exit<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let is_exit = |expr: &Expr| {
        let name = cx.module.qualified_name(expr);
        name.is_some_and(|name| {
            matches!(
                name.as_str(),
                "builtins.BaseException" | "builtins.GeneratorExit" | "asyncio.CancelledError"
            )
        })
    };
    cx.module.blocks(call).into_iter().any(|block| {
        let Block::Try(_, TryPart::Handler(handler)) = block else {
            return false;
        };
        match handler.type_.as_deref() {
            None => true,
            Some(Expr::Tuple(types)) => types.elts.iter().any(is_exit),
            Some(expr) => is_exit(expr),
        }
    })
}

/// The items of a `with` statement that are entered when a later one, which holds the call, is
/// evaluated.
fn entered_before<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> &'a [WithItem] {
    let mut child = AnyNodeRef::from(call);
    for parent in cx.module.ancestors(call) {
        if let AnyNodeRef::StmtWith(with) = parent {
            let position = with.items.iter().position(|it| it.range() == child.range());
            return match position {
                Some(position) if !with.is_async => &with.items[..position],
                _ => &[],
            };
        }
        if parent.is_statement() {
            return &[];
        }
        child = parent;
    }
    &[]
}

fn check_contexts<'a>(cx: &Context<'a, '_>, items: &'a [WithItem]) -> Result<(), Refusal> {
    let Some(item) = items.iter().find(|item| !is_harmless(cx, item)) else {
        return Ok(());
    };
    let context = cx.module.text(&item.context_expr).lines().next();
    Err(withheld!(
        "it stands inside `with {}`: if that is a lock or replaces global state, other tasks would meet it during the sleep; move the sleep out of the block",
        context.unwrap_or_default()
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

/// What the coroutine acquires before the call, without `await`, and releases after it.
fn acquired<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    coroutine: &'a StmtFunctionDef,
) -> Option<&'a str> {
    let module = cx.module;
    let method = |call: &'a ExprCall, name: &str| match &*call.func {
        Expr::Attribute(method) if method.attr.as_str() == name => {
            Some(module.text(&*method.value))
        }
        _ => None,
    };
    let own = || {
        module
            .calls()
            .iter()
            .copied()
            .filter(|call| module.contains(coroutine, *call))
    };
    own()
        .filter(|other| other.start() < call.start())
        .filter(|other| !matches!(module.parent(*other), Some(AnyNodeRef::ExprAwait(_))))
        .filter_map(|other| method(other, "acquire"))
        .find(|lock| {
            own().any(|other| {
                other.start() > call.start() && method(other, "release") == Some(lock)
            })
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
    let is = |expr: &Expr, text: &str| {
        matches!(expr, Expr::StringLiteral(ExprStringLiteral { value, .. }) if value == text)
    };
    let call = module.calls().iter().find(|call| {
        let replaces = match &*call.func {
            Expr::Attribute(method) => matches!(method.attr.as_str(), "patch" | "setattr" | "object"),
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
                [target, name, ..] => {
                    is(name, "sleep") && module.refers_to(target, "time")
                }
                _ => false,
            }
    });
    call.and_then(|call| module.text(*call).lines().next())
}
