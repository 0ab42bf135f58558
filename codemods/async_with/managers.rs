//! Which expressions are asynchronous context managers, and which are plain ones.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, ExprAttribute, ExprCall, ExprName, Stmt, StmtClassDef};
use python::{BindingKind, ScopeKind, is_of_standard_library};

/// How a context manager is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// By `async with` only.
    Async,
    /// By `with`.
    Sync,
    /// Nothing that this module shows.
    Unknown,
}

/// What a file must hold one of: the packages that have such managers, and `__aenter__`.
pub const WORDS: &[&str] = &[
    "asyncio",
    "aiohttp",
    "httpx",
    "anyio",
    "trio",
    "aiofiles",
    "async_timeout",
    "aiosqlite",
    "asyncpg",
    "aclosing",
    "AsyncExitStack",
    "asynccontextmanager",
    "__aenter__",
];

/// The classes and functions whose results are entered by `async with` only.
const ASYNC: &[&str] = &[
    "aiofiles.open",
    "aiofiles.tempfile.NamedTemporaryFile",
    "aiofiles.tempfile.SpooledTemporaryFile",
    "aiofiles.tempfile.TemporaryDirectory",
    "aiofiles.tempfile.TemporaryFile",
    "aiohttp.ClientSession",
    "aiohttp.request",
    "aiohttp.test_utils.RawTestServer",
    "aiohttp.test_utils.TestClient",
    "aiohttp.test_utils.TestServer",
    "aiosqlite.connect",
    "anyio.CapacityLimiter",
    "anyio.Condition",
    "anyio.Lock",
    "anyio.Semaphore",
    "anyio.create_task_group",
    "async_timeout.timeout",
    "async_timeout.timeout_at",
    "asyncio.Barrier",
    "asyncio.BoundedSemaphore",
    "asyncio.Condition",
    "asyncio.Lock",
    "asyncio.Semaphore",
    "asyncio.Server",
    "asyncio.TaskGroup",
    "asyncio.timeout",
    "asyncio.timeout_at",
    "asyncpg.create_pool",
    "contextlib.AsyncExitStack",
    "contextlib.aclosing",
    "httpx.AsyncClient",
    "trio.CapacityLimiter",
    "trio.Condition",
    "trio.Lock",
    "trio.Semaphore",
    "trio.StrictFIFOLock",
    "trio.open_nursery",
];

/// Those of them that `with` could enter too, with the same effect, in versions that are in use:
/// async-timeout before 5.0 (with a `DeprecationWarning` in 4.0).
const ONCE_BOTH: &[&str] = &["async_timeout.timeout", "async_timeout.timeout_at"];

/// What is entered by `with`, outside the standard library.
const SYNC: &[&str] = &[
    "anyio.CancelScope",
    "anyio.fail_after",
    "anyio.move_on_after",
    "anyio.move_on_at",
    "trio.CancelScope",
    "trio.fail_after",
    "trio.fail_at",
    "trio.move_on_after",
    "trio.move_on_at",
];

/// Packages whose context managers are all entered by `with`.
const SYNC_PACKAGES: &[&str] = &["pytest", "freezegun", "requests", "responses"];

/// Methods of test cases that are entered by `with`.
const ASSERTIONS: &[&str] = &[
    "assertLogs",
    "assertNoLogs",
    "assertRaises",
    "assertRaisesRegex",
    "assertWarns",
    "assertWarnsRegex",
    "subTest",
];

/// The locks that `with (yield from lock)` and `with await lock` took until 3.8.
const LOCKS: &[&str] = &[
    "asyncio.BoundedSemaphore",
    "asyncio.Condition",
    "asyncio.Lock",
    "asyncio.Semaphore",
];

/// The methods of aiohttp's sessions and test clients that give a context manager.
const REQUESTS: &[&str] = &[
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "request",
    "ws_connect",
];

/// What `async with` gives back as it was.
const SELF_GIVING: &[&str] = &[
    "aiohttp.ClientSession",
    "aiohttp.test_utils.TestClient",
    "httpx.AsyncClient",
];

/// What an expression is made by.
#[derive(Clone, Debug, PartialEq)]
enum Made<'a> {
    /// A class or function outside this module.
    By(String),
    /// A class of this module.
    Here(&'a StmtClassDef),
    /// It is `None`, which is no context manager of any kind.
    Nothing,
}

/// How `expr` is entered, as far as this module shows. Types across files are to be asked where
/// it says `Unknown`.
pub fn manager<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Manager {
    let module = cx.module;
    match expr {
        Expr::Await(awaited) if is_lock(cx, &awaited.value) => return Manager::Async,
        Expr::Named(named) => return manager(cx, &named.value),
        Expr::If(choice) => {
            let (body, orelse) = (manager(cx, &choice.body), manager(cx, &choice.orelse));
            return if body == orelse {
                body
            } else {
                Manager::Unknown
            };
        }
        Expr::Call(call) => {
            if let Some(function) = module.function_definition(&call.func) {
                return match &*function.decorator_list {
                    [decorator] if function.is_async && module.is_generator(function) => {
                        by_decorator(
                            cx,
                            &decorator.expression,
                            "asynccontextmanager",
                            Manager::Async,
                        )
                    }
                    [decorator] if module.is_generator(function) => {
                        by_decorator(cx, &decorator.expression, "contextmanager", Manager::Sync)
                    }
                    _ => Manager::Unknown,
                };
            }
            if let Expr::Attribute(method) = &*call.func
                && let Some(manager) = by_method(cx, method)
            {
                return manager;
            }
        }
        _ => {}
    }
    match made(cx, expr) {
        Some(Made::By(name)) => by_name(&name),
        Some(Made::Here(class)) => by_class(class),
        Some(Made::Nothing) | None => Manager::Unknown,
    }
}

/// The expression that a message names: without `await`.
pub fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Await(awaited) => &awaited.value,
        _ => expr,
    }
}

/// Whether `expr` is one of asyncio's locks.
pub fn is_lock<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    matches!(made(cx, expr), Some(Made::By(name)) if LOCKS.contains(&name.as_str()))
}

/// Whether `expr` is what older versions of its package could enter by `with` as well.
pub fn was_sync<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    matches!(made(cx, expr), Some(Made::By(name)) if ONCE_BOTH.contains(&name.as_str()))
}

fn by_decorator<'a>(
    cx: &Context<'a, '_>,
    decorator: &'a Expr,
    name: &str,
    manager: Manager,
) -> Manager {
    if cx
        .module
        .refers_to(decorator, &format!("contextlib.{name}"))
    {
        manager
    } else {
        Manager::Unknown
    }
}

fn by_name(name: &str) -> Manager {
    if ASYNC.contains(&name) {
        return Manager::Async;
    }
    let top = name.split('.').next().unwrap_or_default();
    let is_sync = SYNC.contains(&name)
        || SYNC_PACKAGES.contains(&top)
        || (is_of_standard_library(name) && top != "asyncio");
    if is_sync {
        Manager::Sync
    } else {
        Manager::Unknown
    }
}

/// `session.get(url)`, `client.stream("GET", url)`, `self.assertRaises(E)`, `Path(p).open()`.
fn by_method<'a>(cx: &Context<'a, '_>, method: &'a ExprAttribute) -> Option<Manager> {
    let name = method.attr.as_str();
    if ASSERTIONS.contains(&name) {
        return Some(Manager::Sync);
    }
    let Made::By(class) = made(cx, &method.value)? else {
        return None;
    };
    match class.as_str() {
        "aiohttp.ClientSession" | "aiohttp.test_utils.TestClient" => {
            REQUESTS.contains(&name).then_some(Manager::Async)
        }
        "httpx.AsyncClient" => (name == "stream").then_some(Manager::Async),
        "pathlib.Path" if name == "open" => Some(Manager::Sync),
        _ => None,
    }
}

/// A class of this module whose whole behaviour stands in it.
fn by_class(class: &StmtClassDef) -> Manager {
    let has_bases = class.arguments.as_ref().is_some_and(|arguments| {
        !arguments.keywords.is_empty()
            || arguments
                .args
                .iter()
                .any(|base| !matches!(base, Expr::Name(name) if name.id == "object"))
    });
    let has = |wanted: &str| {
        class.body.iter().any(|stmt| match stmt {
            Stmt::FunctionDef(method) => method.name.as_str() == wanted,
            // `__enter__ = start`, or anything that may bind it.
            Stmt::AnnAssign(_) | Stmt::Pass(_) | Stmt::Expr(_) => false,
            _ => true,
        })
    };
    if has_bases || !class.decorator_list.is_empty() {
        Manager::Unknown
    } else if has("__enter__") {
        Manager::Sync
    } else if has("__aenter__") && has("__aexit__") {
        Manager::Async
    } else {
        Manager::Unknown
    }
}

/// The class whose instance `expr` is, or the function of a library that made it.
fn made<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<Made<'a>> {
    made_at(cx, expr, 0)
}

fn made_at<'a>(cx: &Context<'a, '_>, expr: &'a Expr, depth: usize) -> Option<Made<'a>> {
    // `a = b`, `b = a` would go on for ever.
    if depth > 8 {
        return None;
    }
    let module = cx.module;
    match expr {
        Expr::Call(call) => made_by_call(cx, call),
        Expr::Named(named) => made_at(cx, &named.value, depth + 1),
        Expr::Await(awaited) => {
            let Expr::Call(call) = &*awaited.value else {
                return None;
            };
            match module.qualified_name(&call.func)?.as_str() {
                "asyncio.start_server" | "asyncio.start_unix_server" => {
                    Some(Made::By("asyncio.Server".to_string()))
                }
                _ => None,
            }
        }
        Expr::NoneLiteral(_) => Some(Made::Nothing),
        Expr::If(choice) => agreed(
            [&choice.body, &choice.orelse]
                .into_iter()
                .map(|value| made_at(cx, value, depth + 1)),
        ),
        Expr::BoolOp(choice) => agreed(choice.values.iter().map(|it| made_at(cx, it, depth + 1))),
        Expr::Name(name) => made_name(cx, name, depth),
        Expr::Attribute(attribute) => made_attribute(cx, attribute, depth),
        _ => None,
    }
}

fn made_by_call<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<Made<'a>> {
    if let Some(name) = cx.module.qualified_name(&call.func) {
        return Some(Made::By(public_name(name)));
    }
    let Expr::Name(name) = &*call.func else {
        return None;
    };
    match cx.module.only_binding(name)?.kind {
        BindingKind::Class(class) => Some(Made::Here(class)),
        _ => None,
    }
}

/// The name under which a package exports what it defines further inside.
fn public_name(name: String) -> String {
    match name.as_str() {
        "aiohttp.client.ClientSession" => "aiohttp.ClientSession".to_string(),
        "aiohttp.client.request" => "aiohttp.request".to_string(),
        "aiofiles.threadpool.open" => "aiofiles.open".to_string(),
        "asyncio.base_events.Server" => "asyncio.Server".to_string(),
        "aiosqlite.core.connect" => "aiosqlite.connect".to_string(),
        "asyncpg.pool.create_pool" => "asyncpg.create_pool".to_string(),
        _ => name,
    }
}

/// What a name is bound to, if all that binds it agrees.
fn made_name<'a>(cx: &Context<'a, '_>, name: &'a ExprName, depth: usize) -> Option<Made<'a>> {
    let module = cx.module;
    let symbol = module.symbol(name)?;
    let bindings = symbol.bindings.iter().filter(|it| !it.typing_only);
    agreed(bindings.map(|binding| {
        let node = module.node(binding.node);
        match binding.kind {
            BindingKind::Value(value) => value_of(cx, node, value, depth),
            BindingKind::Declared => declared(cx, node),
            BindingKind::Parameter => {
                let AnyNodeRef::Parameter(parameter) = node else {
                    return None;
                };
                by_annotation(cx, parameter.annotation.as_deref()?)
            }
            BindingKind::With(context, _) => made_at(cx, context, depth + 1).filter(
                |made| matches!(made, Made::By(name) if SELF_GIVING.contains(&name.as_str())),
            ),
            _ => None,
        }
    }))
}

/// What `target = value` or `target: T = value` binds.
fn value_of<'a>(
    cx: &Context<'a, '_>,
    target: AnyNodeRef<'a>,
    value: &'a Expr,
    depth: usize,
) -> Option<Made<'a>> {
    declared(cx, target).or_else(|| made_at(cx, value, depth + 1))
}

/// What the annotation of an assignment's target says.
fn declared<'a>(cx: &Context<'a, '_>, target: AnyNodeRef<'a>) -> Option<Made<'a>> {
    match cx.module.parent(target)? {
        AnyNodeRef::StmtAnnAssign(assign) => by_annotation(cx, &assign.annotation),
        _ => None,
    }
}

fn by_annotation<'a>(cx: &Context<'a, '_>, annotation: &'a Expr) -> Option<Made<'a>> {
    let name = cx.module.annotated_class(annotation)?;
    Some(Made::By(public_name(name)))
}

/// What all of them are, if they agree; those that are nothing do not count.
fn agreed<'a>(all: impl Iterator<Item = Option<Made<'a>>>) -> Option<Made<'a>> {
    let mut found = None;
    for made in all {
        let made = made?;
        if made == Made::Nothing {
            continue;
        }
        match &found {
            Some(other) if *other != made => return None,
            _ => found = Some(made),
        }
    }
    found
}

/// What an attribute of `self` is bound to, if all that the class and those related to it bind to
/// it agrees, and nothing is bound to it from outside.
fn made_attribute<'a>(
    cx: &Context<'a, '_>,
    attribute: &'a ExprAttribute,
    depth: usize,
) -> Option<Made<'a>> {
    let module = cx.module;
    let Expr::Name(receiver) = &*attribute.value else {
        return None;
    };
    let class = module.class_of_self(receiver)?;
    let name = attribute.attr.as_str();
    if !has_managers(cx) {
        return None;
    }
    let stored = module
        .descendants(module.root())
        .filter_map(|node| match node {
            AnyNodeRef::ExprAttribute(other)
                if other.attr.as_str() == name && !other.ctx.is_load() =>
            {
                Some(other)
            }
            _ => None,
        })
        // What an unrelated class binds to an attribute of its own does not matter.
        .filter(|other| match &*other.value {
            Expr::Name(receiver) => module
                .class_of_self(receiver)
                .is_none_or(|owner| are_related(cx, owner, class)),
            _ => true,
        })
        .map(|other| {
            let Expr::Name(receiver) = &*other.value else {
                return None;
            };
            module.class_of_self(receiver)?;
            match module.parent(other)? {
                AnyNodeRef::StmtAssign(assign) => value_of(cx, other.into(), &assign.value, depth),
                AnyNodeRef::StmtAnnAssign(assign) => match &assign.value {
                    Some(value) => value_of(cx, other.into(), value, depth),
                    None => declared(cx, other.into()),
                },
                _ => None,
            }
        });
    let in_body = module
        .symbols()
        .filter(|symbol| {
            symbol.name == name
                && matches!(module.scope_data(symbol.scope).kind, ScopeKind::Class(owner) if are_related(cx, owner, class))
        })
        .flat_map(|symbol| &symbol.bindings)
        .map(|binding| {
            let node = module.node(binding.node);
            match binding.kind {
                BindingKind::Value(value) => value_of(cx, node, value, depth),
                BindingKind::Declared => declared(cx, node),
                _ => None,
            }
        });
    agreed(stored.chain(in_body))
}

/// Whether anything in the file can be an asynchronous context manager that an attribute holds:
/// a call that makes one, or an annotation. Without any, no attribute has to be looked at.
fn has_managers(cx: &Context<'_, '_>) -> bool {
    let module = cx.module;
    cx.once("has managers", module.id(module.root()), || {
        module.descendants(module.root()).any(|node| match node {
            AnyNodeRef::ExprCall(call) => module
                .qualified_name(&call.func)
                .is_some_and(|name| ASYNC.contains(&public_name(name).as_str())),
            AnyNodeRef::StmtAnnAssign(assign) => module
                .annotated_class(&assign.annotation)
                .is_some_and(|name| ASYNC.contains(&public_name(name).as_str())),
            AnyNodeRef::Parameter(parameter) => parameter
                .annotation
                .as_deref()
                .and_then(|annotation| module.annotated_class(annotation))
                .is_some_and(|name| ASYNC.contains(&public_name(name).as_str())),
            AnyNodeRef::StmtFunctionDef(function) => function.name.as_str() == "__aenter__",
            _ => false,
        })
    })
}

/// Whether one of two classes is the other, or derives from it, or both from a third one of this
/// module.
fn are_related<'a>(cx: &Context<'a, '_>, one: &'a StmtClassDef, other: &'a StmtClassDef) -> bool {
    let bases = |class: &'a StmtClassDef| -> Vec<&'a StmtClassDef> {
        let mut all = vec![class];
        let mut next = 0;
        while let Some(class) = all.get(next).copied() {
            next += 1;
            for base in class.arguments.iter().flat_map(|it| &it.args) {
                if let Expr::Name(name) = base
                    && let Some(binding) = cx.module.only_binding(name)
                    && let BindingKind::Class(base) = binding.kind
                    && !all
                        .iter()
                        .any(|known| cx.module.id(*known) == cx.module.id(base))
                {
                    all.push(base);
                }
            }
        }
        all
    };
    let others = bases(other);
    bases(one).into_iter().any(|class| {
        others
            .iter()
            .any(|other| cx.module.id(*other) == cx.module.id(class))
    })
}
