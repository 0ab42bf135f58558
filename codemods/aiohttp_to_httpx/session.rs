//! A session with everything that is done with it.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, ExprAttribute, ExprAwait, ExprCall, ExprName, StmtWith};
use python::{AwaitPlace, BindingKind, ScopeKind, Symbol, SymbolId};

use super::arguments;
use super::response::{self, Use};

/// The methods of a session that make a request and have an equal in httpx.
const VERBS: &[&str] = &["get", "post", "put", "delete", "patch"];

/// A session that only one function knows.
pub struct Session<'a> {
    /// `aiohttp.ClientSession()`.
    pub call: &'a ExprCall,
    /// The requests, by position.
    pub requests: Vec<Request<'a>>,
    /// `session.close` in `await session.close()`.
    pub closes: Vec<&'a ExprAttribute>,
    /// What is done with the responses.
    pub uses: Vec<Use<'a>>,
}

/// `session.get(url)`.
pub struct Request<'a> {
    /// The call.
    pub call: &'a ExprCall,
    /// Its `session.get`.
    pub method: &'a ExprAttribute,
    /// What becomes of its response.
    pub place: Place<'a>,
    /// Whether the body is read in pieces.
    pub streams: bool,
}

/// Where a request stands.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// `async with session.get(url) as response:`, the item of that position.
    Item(&'a StmtWith, usize),
    /// `response = await session.get(url)`, or without a name.
    Awaited(&'a ExprAwait),
}

impl<'a> Request<'a> {
    /// The name that the response gets.
    pub fn target(&self, cx: &Context<'a, '_>) -> Option<&'a ExprName> {
        let target = match self.place {
            Place::Item(with, position) => with.items.get(position)?.optional_vars.as_deref()?,
            Place::Awaited(awaited) => match cx.module.parent(awaited)? {
                AnyNodeRef::StmtAssign(assign) => assign.targets.first()?,
                _ => return None,
            },
        };
        target.as_name_expr()
    }

    /// Whether httpx takes a body for this method only from `request`.
    pub fn needs_request(&self) -> bool {
        let has_body = ["json", "data"].iter().any(|name| {
            self.call
                .arguments
                .keywords
                .iter()
                .any(|keyword| keyword.arg.as_deref() == Some(*name))
        });
        has_body && matches!(self.method.attr.as_str(), "get" | "delete")
    }
}

/// The session that `call` creates, if only one function knows it and everything that is done with
/// it has an equal in httpx.
pub fn of<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<Session<'a>, Refusal> {
    let module = cx.module;
    if !call.arguments.is_empty() {
        return Err(Refusal::NotOurs); // what it is told has no equal
    }
    let name = match module.parent(call) {
        Some(AnyNodeRef::WithItem(item)) => match module.parent(item) {
            Some(AnyNodeRef::StmtWith(with)) if with.is_async => item.optional_vars.as_deref(),
            _ => None,
        },
        Some(AnyNodeRef::StmtAssign(assign)) => match assign.targets.as_slice() {
            [target] => Some(target),
            _ => None,
        },
        _ => None,
    };
    let Some(Expr::Name(name)) = name else {
        return Err(Refusal::NotOurs); // somebody else has it
    };
    let symbol = module.symbol(name).ok_or(Refusal::NotOurs)?; // no name of this function
    if !is_session(cx, symbol) || symbol.named_in_string {
        return Err(Refusal::NotOurs); // may be something else
    }

    let mut session = Session {
        call,
        requests: Vec::new(),
        closes: Vec::new(),
        uses: Vec::new(),
    };
    for other in symbol.bindings.iter().filter_map(|it| created(cx, it.kind)) {
        if !std::ptr::eq(other, call) && are_nested(cx, call, other) {
            return Err(Refusal::NotOurs); // which of the two is meant, depends on the way
        }
    }
    for read in &symbol.reads {
        let AnyNodeRef::ExprName(read) = module.node(*read) else {
            continue;
        };
        if is_bound_by(cx, symbol, read, call)? {
            add(cx, &mut session, read)?;
        }
    }
    let mut seen: Vec<SymbolId> = Vec::new();
    for request in 0..session.requests.len() {
        let Some(target) = session.requests[request].target(cx) else {
            continue;
        };
        let id = module.symbol_id(target).ok_or(Refusal::NotOurs)?; // no name of this function
        if !seen.contains(&id) {
            seen.push(id);
            response::add(cx, &mut session, target)?;
        }
    }
    Ok(session)
}

/// Whether a symbol is nothing but a session, in one function.
pub fn is_session<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>) -> bool {
    let is_local = matches!(
        cx.module.scope_data(symbol.scope).kind,
        ScopeKind::Function(_)
    );
    is_local
        && symbol
            .bindings
            .iter()
            .all(|binding| binding.from == symbol.scope && created(cx, binding.kind).is_some())
}

/// The creation of a session that binds a name.
fn created<'a>(cx: &Context<'a, '_>, kind: BindingKind<'a>) -> Option<&'a ExprCall> {
    match kind {
        BindingKind::With(Expr::Call(call), true) | BindingKind::Value(Expr::Call(call))
            if cx.module.refers_to(&call.func, "aiohttp.ClientSession") =>
        {
            Some(call)
        }
        _ => None,
    }
}

/// The session that a request is made with, as a symbol, if `call` is a request.
pub fn session_of_request<'a, 'm>(
    cx: &Context<'a, 'm>,
    call: &'a ExprCall,
) -> Option<&'m Symbol<'a>> {
    let Expr::Attribute(method) = &*call.func else {
        return None;
    };
    let Expr::Name(receiver) = &*method.value else {
        return None;
    };
    let symbol = cx.module.symbol(receiver)?;
    (VERBS.contains(&method.attr.as_str()) && is_session(cx, symbol)).then_some(symbol)
}

/// Whether the statement of one session holds that of the other.
pub fn are_nested<'a>(cx: &Context<'a, '_>, one: &'a ExprCall, other: &'a ExprCall) -> bool {
    let module = cx.module;
    module.contains(module.statement(one), other) || module.contains(module.statement(other), one)
}

/// Every session that a symbol may be.
pub fn creations<'a, 'c>(
    cx: &'c Context<'a, '_>,
    symbol: &'c Symbol<'a>,
) -> impl Iterator<Item = &'a ExprCall> + 'c {
    symbol
        .bindings
        .iter()
        .filter_map(|binding| created(cx, binding.kind))
}

/// Whether `read` reads the session that `call` creates, where its name stands for several.
fn is_bound_by<'a>(
    cx: &Context<'a, '_>,
    symbol: &Symbol<'a>,
    read: &'a ExprName,
    call: &'a ExprCall,
) -> Result<bool, Refusal> {
    if symbol.bindings.len() == 1 {
        return Ok(true);
    }
    let item = binding_item(cx, symbol.name, read).ok_or(Refusal::NotOurs)?; // depends on the way
    let (with, position) = item;
    let context = with.items.get(position).map(|item| &item.context_expr);
    Ok(matches!(context, Some(Expr::Call(it)) if std::ptr::eq(it, call)))
}

/// The innermost `async with ... as name` in whose header, further on, or body `read` stands.
pub fn binding_item<'a>(
    cx: &Context<'a, '_>,
    name: &str,
    read: &'a ExprName,
) -> Option<(&'a StmtWith, usize)> {
    let module = cx.module;
    module.ancestors(read).find_map(|node| {
        let AnyNodeRef::StmtWith(with) = node else {
            return None;
        };
        let position = with.items.iter().rposition(|item| {
            let is_name =
                matches!(item.optional_vars.as_deref(), Some(Expr::Name(it)) if it.id == name);
            is_name && module.id(item) < module.id(read) && !module.contains(item, read)
        })?;
        Some((with, position))
    })
}

/// Notes what is done with the session where it is read.
fn add<'a>(
    cx: &Context<'a, '_>,
    session: &mut Session<'a>,
    read: &'a ExprName,
) -> Result<(), Refusal> {
    let module = cx.module;
    // Passed on, stored, returned.
    let Some(AnyNodeRef::ExprAttribute(method)) = module.parent(read) else {
        return Err(Refusal::NotOurs);
    };
    let Some(AnyNodeRef::ExprCall(call)) = module.parent(method) else {
        return Err(Refusal::NotOurs);
    };
    if !AnyNodeRef::from(&*call.func).ptr_eq(AnyNodeRef::from(method)) {
        return Err(Refusal::NotOurs);
    }
    if method.attr.as_str() == "close" && call.arguments.is_empty() {
        let is_awaited = matches!(module.parent(call), Some(AnyNodeRef::ExprAwait(_)));
        session.closes.push(method);
        return is_awaited.then_some(()).ok_or(Refusal::NotOurs); // it does nothing today
    }
    if !VERBS.contains(&method.attr.as_str()) {
        return Err(Refusal::NotOurs); // `ws_connect` and others
    }
    arguments::known(call)?;
    let waits = matches!(
        module.await_place(call),
        AwaitPlace::Coroutine(_) | AwaitPlace::NestedComprehension(_) | AwaitPlace::Cell
    );
    if !waits {
        return Err(Refusal::NotOurs); // it does not compile
    }
    let place = match module.parent(call) {
        Some(AnyNodeRef::WithItem(item)) => match module.parent(item) {
            Some(AnyNodeRef::StmtWith(with)) if with.is_async => {
                let same = |it: &python::ast::WithItem| std::ptr::eq(it, item);
                with.items
                    .iter()
                    .position(same)
                    .map(|position| Place::Item(with, position))
                    .filter(|_| item.optional_vars.as_deref().is_none_or(Expr::is_name_expr))
            }
            _ => None,
        },
        Some(AnyNodeRef::ExprAwait(awaited)) => match module.parent(awaited) {
            Some(AnyNodeRef::StmtExpr(_)) => Some(Place::Awaited(awaited)),
            Some(AnyNodeRef::StmtAssign(assign))
                if matches!(assign.targets.as_slice(), [Expr::Name(_)]) =>
            {
                Some(Place::Awaited(awaited))
            }
            _ => None,
        },
        _ => None,
    };
    session.requests.push(Request {
        call,
        method,
        place: place.ok_or(Refusal::NotOurs)?, // somebody else has the response
        streams: false,
    });
    Ok(())
}

/// The refusals for what is asked for, and how it is read.
pub fn check<'a>(cx: &Context<'a, '_>, session: &Session<'a>) -> Result<(), Refusal> {
    for request in &session.requests {
        arguments::check(cx, request)?;
        if request.streams && matches!(request.place, Place::Awaited(_)) {
            return Err(withheld!(
                "the body is read in pieces from a response that no `async with` closes, and httpx gives such responses only in one: write `async with`"
            ));
        }
    }
    response::check(cx, session)
}
