//! What around a call relies on nothing else running during it.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprContext, StmtFunctionDef, WithItem};
use python::{Block, Ranged, ScopeKind, TryPart};

use super::effects::{is_lock, one_line};
use super::meaning::{Callee, callee};

/// What may stand in a `with` around a call, besides what the table names: it is no lock and
/// replaces nothing that other tasks would see.
const HARMLESS: &[&str] = &[
    "anyio.CancelScope",
    "anyio.fail_after",
    "anyio.move_on_after",
    "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.ThreadPoolExecutor",
    "contextlib.ExitStack",
    "contextlib.closing",
    "contextlib.nullcontext",
    "contextlib.suppress",
    "http.client.HTTPConnection",
    "httpx.Client",
    "io.BytesIO",
    "io.StringIO",
    "requests.Session",
    "requests.session",
    "socket.socket",
    "tempfile.TemporaryDirectory",
    "trio.CancelScope",
    "trio.fail_after",
    "trio.move_on_after",
    "urllib3.PoolManager",
];

/// The refusals for what stands around `site`, a call or the statements that move with it.
pub(super) fn check<'a>(
    cx: &Context<'a, '_>,
    site: AnyNodeRef<'a>,
    coroutine: &'a StmtFunctionDef,
) -> Result<(), Refusal> {
    if matches!(coroutine.name.as_str(), "__aexit__" | "aclose" | "__adel__") {
        return Err(withheld!(
            "`{}` is cleanup: a cancellation could arrive in the middle of it, and closing the coroutine there fails; decide whether it may wait",
            coroutine.name
        ));
    }
    check_contexts(cx, cx.module.entered_before(site))?;
    for block in cx.module.blocks(site) {
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
    if let Some(lock) = cx.module.acquired_around(site, coroutine) {
        return Err(withheld!(
            "`{lock}` is acquired before it and released after it: another task that wants it would block the event loop, and with it the release; move the call out of there"
        ));
    }
    check_update(cx, site)?;
    if let Some(comment) = wanted_by_comment(cx, site) {
        return Err(withheld!(
            "the comment `{comment}` says that blocking is meant: decide whether it still is"
        ));
    }
    Ok(())
}

/// The refusal for a call on each of many files: a step to a thread for each takes longer than the
/// calls.
pub(super) fn check_loop<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<(), Refusal> {
    let module = cx.module;
    let mut over = module
        .ancestors(call)
        .take_while(|it| !matches!(it, AnyNodeRef::StmtFunctionDef(_)))
        .filter_map(|it| match it {
            AnyNodeRef::StmtFor(stmt) if !module.contains(&*stmt.iter, call) => Some(&*stmt.iter),
            AnyNodeRef::ExprListComp(it) => it.generators.first().map(|it| &it.iter),
            AnyNodeRef::ExprSetComp(it) => it.generators.first().map(|it| &it.iter),
            AnyNodeRef::ExprDictComp(it) => it.generators.first().map(|it| &it.iter),
            _ => None,
        });
    if over.any(|iterable| !module.contains(iterable, call) && lists_files(cx, iterable, 4)) {
        return Err(withheld!(
            "it stands in a loop over files, and would take a step to a thread for each of them: put the loop into one plain function, and run that in a thread"
        ));
    }
    Ok(())
}

/// What gives the files of a folder as a list.
const LISTS: &[&str] = &["glob.glob", "os.listdir"];

/// Whether an iterable gives the files of a folder: `sorted(folder.iterdir())`, or a name for it.
pub(super) fn lists_files<'a>(cx: &Context<'a, '_>, iterable: &'a Expr, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    match iterable {
        Expr::Call(call) => {
            if let Callee::Blocking(blocking) = callee(cx, call) {
                return blocking.is_iterator() || LISTS.contains(&blocking.name.as_str());
            }
            // `sorted(...)`, `await asyncio.to_thread(os.listdir, path)`
            let given = &call.arguments.args;
            let is_it = |name: &&str| given.iter().any(|it| cx.module.refers_to(it, name));
            LISTS.iter().any(is_it) || given.first().is_some_and(|it| lists_files(cx, it, depth))
        }
        Expr::Await(awaited) => lists_files(cx, &awaited.value, depth),
        Expr::Lambda(lambda) => lists_files(cx, &lambda.body, depth),
        Expr::Name(name) => match cx.module.only_binding(name).map(|it| it.kind) {
            Some(python::BindingKind::Value(value)) => lists_files(cx, value, depth),
            _ => false,
        },
        _ => false,
    }
}

/// `self.count += ...` reads before the call and writes after it, and so loses what other tasks
/// write meanwhile.
fn check_update<'a>(cx: &Context<'a, '_>, site: AnyNodeRef<'a>) -> Result<(), Refusal> {
    let module = cx.module;
    let lost = |target: &Expr| {
        withheld!(
            "`{}` is read before the call and set after it, and what other tasks set meanwhile would be lost: make the call first, and then the change",
            one_line(module.text(target))
        )
    };
    match module.statement(site) {
        AnyNodeRef::StmtAugAssign(assign) if is_shared(cx, &assign.target) => {
            Err(lost(&assign.target))
        }
        AnyNodeRef::StmtAssign(assign) => {
            for target in assign.targets.iter().filter(|it| is_shared(cx, it)) {
                let text = module.text(target);
                let read_before = module.descendants(&*assign.value).any(|node| {
                    node.start() < site.start() && is_load(node) && module.text(node) == text
                });
                if read_before {
                    return Err(lost(target));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether a node reads a name, an attribute or an item.
pub(super) fn is_load(node: AnyNodeRef<'_>) -> bool {
    let context = match node {
        AnyNodeRef::ExprName(it) => it.ctx,
        AnyNodeRef::ExprAttribute(it) => it.ctx,
        AnyNodeRef::ExprSubscript(it) => it.ctx,
        _ => return false,
    };
    context == ExprContext::Load
}

/// Whether other code can see what is assigned to `target`.
pub(super) fn is_shared(cx: &Context<'_, '_>, target: &Expr) -> bool {
    match target {
        Expr::Name(name) => cx.module.symbol(name).is_some_and(|symbol| {
            symbol.scope != cx.module.scope(name)
                || matches!(
                    cx.module.scope_data(symbol.scope).kind,
                    ScopeKind::Module | ScopeKind::Class(_)
                )
        }),
        Expr::Attribute(_) | Expr::Subscript(_) => true,
        _ => false,
    }
}

fn check_contexts<'a>(cx: &Context<'a, '_>, items: &'a [WithItem]) -> Result<(), Refusal> {
    for item in items {
        let expr = &item.context_expr;
        let text = one_line(cx.module.text(expr));
        if is_lock(cx, expr) {
            return Err(withheld!(
                "it stands inside `with {text}`: another task that wants the lock would block the event loop, and with it the release; move the call out of the block, or use `asyncio.Lock`"
            ));
        }
        if !is_harmless(cx, expr) {
            return Err(withheld!(
                "it stands inside `with {text}`: if that is a lock or replaces global state, other tasks would meet it during the call; move the call out of the block"
            ));
        }
    }
    Ok(())
}

fn is_harmless<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    let call = match expr {
        Expr::Call(call) => call,
        // `with await asyncio.to_thread(requests.get, url)`, `with session:`
        Expr::Await(_) => return true,
        _ => {
            return super::class::class_of(cx, expr)
                .is_some_and(|class| HARMLESS.contains(&class.as_str()));
        }
    };
    match callee(cx, call) {
        Callee::Blocking(_) => true,
        Callee::Named(name) => {
            HARMLESS.contains(&name.as_str())
                // `with file.open() as f`
                || super::table::find(&name).is_some()
        }
        Callee::Function(_) | Callee::Unknown => false,
    }
}

/// The comment on the lines of the statement, or on those directly above, that speaks of blocking
/// on purpose.
fn wanted_by_comment<'a>(cx: &Context<'a, '_>, site: AnyNodeRef<'a>) -> Option<&'a str> {
    cx.module.comments_about(site.range()).find(|comment| {
        let text = comment.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        has(&["block", "sync"]) && has(&["purpose", "intention", "deliberate"])
    })
}
