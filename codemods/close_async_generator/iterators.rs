//! Iterators that have no `aclose`, or that somebody else closes: by their type, by what stands around the
//! loop, and by their names.

use engine::Context;
use python::ast::{Expr, ExprCall, ExprName, Stmt, StmtFor};
use python::{BindingKind, Block, TryPart};
use types::{Aclose, Answer};

/// Whether what the call gives is by its type an object of a class, and none that may be a
/// generator: what is declared as an iterator may be one.
pub(super) fn is_other(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    const MAY_BE: &[&str] = &[
        "AsyncGenerator",
        "AsyncGeneratorType",
        "AsyncIterable",
        "AsyncIterator",
    ];
    if matches!(cx.closes(call), Answer::Closes(Aclose::Lacks)) {
        return true;
    }
    cx.given(call).value().is_some_and(|value| {
        value
            .classes
            .first()
            .and_then(|class| class.rsplit('.').next())
            .is_some_and(|class| !MAY_BE.contains(&class) && class != "object")
            && !value
                .classes
                .iter()
                .any(|class| class.ends_with(".AsyncGenerator"))
    })
}

/// `async with client.stream(url) as response:` around `async for line in response.lines():`: what
/// the iterator holds is the context's, which cleans up when the loop is left. So does a `finally` that
/// closes the response.
pub(super) fn is_of_context<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let mut root = &*call.func;
    while let Expr::Attribute(attribute) = root {
        root = &attribute.value;
    }
    let Expr::Name(root) = root else {
        return false;
    };
    if !call.func.is_attribute_expr() {
        return false;
    }
    let is_bound = module.only_binding(root).is_some_and(|binding| {
        matches!(binding.kind, BindingKind::With(_, true))
            && module.contains(module.statement(module.node(binding.node)), call)
    });
    // `async with stream:`
    is_bound
        || module.blocks(call).into_iter().any(|block| match block {
            Block::With(with) => {
                let mut items = with.items.iter();
                with.is_async
                    && items.any(
                        |item| matches!(&item.context_expr, Expr::Name(name) if name.id == root.id),
                    )
            }
            Block::Try(stmt, TryPart::Body) => stmt.finalbody.iter().any(|it| closes(it, root)),
            _ => false,
        })
}

/// `await response.aclose()`
fn closes(stmt: &Stmt, root: &ExprName) -> bool {
    let Stmt::Expr(stmt) = stmt else {
        return false;
    };
    let value = match &*stmt.value {
        Expr::Await(it) => &*it.value,
        other => other,
    };
    let Expr::Call(call) = value else {
        return false;
    };
    matches!(called_name(call), Some("aclose" | "close"))
        && matches!(&*call.func, Expr::Attribute(method)
            if matches!(&*method.value, Expr::Name(name) if name.id == root.id))
}

/// `json.loads(text)`: a plain function of the standard library, of which none gives a generator of its
/// own.
pub(super) fn is_of_standard_library(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    // typeshed's files have no absolute path.
    matches!(cx.callee(&call.func), Answer::Callee(function)
        if !function.is_async && function.place.file.is_relative())
}

/// `aiter(x)`, or a function of this name: whoever has `x` may go on with it.
pub(super) fn is_aiter(call: &ExprCall) -> bool {
    matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "aiter")
}

/// `async for attempt in retrying(): with attempt: ...`: an object that tries something again gives
/// what is to be entered, and holds nothing itself. Those of tenacity, edgedb and gel have no
/// `aclose`.
pub(super) fn enters_each(stmt: &StmtFor) -> bool {
    let Expr::Name(target) = &*stmt.target else {
        return false;
    };
    stmt.body.iter().any(|stmt| match stmt {
        Stmt::With(with) => with
            .items
            .iter()
            .any(|item| matches!(&item.context_expr, Expr::Name(name) if name.id == target.id)),
        _ => false,
    })
}

/// What by its name alone is no asynchronous generator, where its type is not known:
/// - `Retrying(...)`, `stub.Stream(request)`: an object of a class, or a call of gRPC;
/// - `channel.unary_stream("/Method")(request)`: the same call of gRPC;
/// - `client.list_blobs()`, `paginator.paginate()`: the pages of a cloud's client;
/// - `response.content.iter_chunked(1024)`: aiohttp's body of a response;
/// - `connect(url)`: websockets' connection that is made again and again, or one derived from it;
/// - `connection.cursor(query)`: what a database gives, as asyncpg does;
/// - `redis.scan_iter()`, `pubsub.listen()`: of Redis, where there is nothing to clean up;
/// - `request.stream()`: the body of Starlette's request, where there is nothing to clean up;
/// - `tqdm(generator())`: an object that counts what it is given.
///
/// None of them has `aclose`.
pub(super) fn is_other_by_name(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    if let Expr::Call(made) = &*call.func {
        return called_name(made)
            .is_some_and(|name| matches!(name, "unary_stream" | "stream_stream"));
    }
    let Some(name) = called_name(call) else {
        return false;
    };
    let is_class = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.contains(|c: char| c.is_ascii_lowercase());
    let is_method = match &*call.func {
        Expr::Attribute(method) => {
            let of_body =
                matches!(&*method.value, Expr::Attribute(it) if it.attr.as_str() == "content");
            name.starts_with("list_")
                || matches!(name, "cursor" | "list" | "paginate")
                || name.ends_with("scan_iter")
                || name == "stream" && is_named(&method.value, "request")
                || name == "listen" && is_named(&method.value, "pubsub")
                || of_body && matches!(name, "iter_any" | "iter_chunked" | "iter_chunks")
        }
        _ => false,
    };
    is_class
        || is_method
        || cx
            .module
            .qualified_name(&call.func)
            .is_some_and(|name| name.ends_with(".connect") || name.starts_with("tqdm."))
}

/// `request`, or `self._request`.
fn is_named(expr: &Expr, wanted: &str) -> bool {
    let name = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    name.trim_start_matches('_') == wanted
}

/// Whether the functions of this name that the project has are all plain functions of other files:
/// `def transaction(self): return Retry(self)`. Where the type of what they give is not known, it
/// is more often an object of a class than a generator.
pub(super) fn is_plain_elsewhere(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    let Some(name) = called_name(call) else {
        return false;
    };
    let plain = format!("def {name}(");
    if cx.module.source().contains(&plain) {
        return false; // whoever reads the finding has them before the eyes
    }
    let asynchronous = format!("async {plain}");
    let mentioned = cx.project_mentions_each(&[&plain, &asynchronous]);
    matches!(mentioned[..], [true, false])
}

/// `stream` of `stream()` and `client.stream()`.
fn called_name(call: &ExprCall) -> Option<&str> {
    match &*call.func {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(method) => Some(method.attr.as_str()),
        _ => None,
    }
}
