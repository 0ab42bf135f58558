//! What is done with a response.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, ExprAttribute, ExprAwait, ExprCall, ExprName};
use python::{BindingKind, Ranged, ScopeKind, Symbol};

use super::arguments;
use super::session::{self, Place, Session};

/// One use of a response.
pub struct Use<'a> {
    /// `response.status` and the like.
    pub attribute: &'a ExprAttribute,
    /// What it is.
    pub kind: UseKind<'a>,
    /// The request that it is the response to: its number in the session.
    pub request: usize,
}

/// What is asked of a response.
#[derive(Clone, Copy)]
pub enum UseKind<'a> {
    /// `response.status`, `response.reason`.
    Value(&'static str),
    /// `response.ok`.
    Ok,
    /// `await response.json()`, `await response.text()`, `await response.read()`.
    Body(&'a ExprAwait, &'a ExprCall),
    /// `response.raise_for_status()`.
    Raise,
    /// `response.content.iter_chunked(n)` and `response.content.iter_any()`.
    Chunks(&'a ExprAttribute),
}

/// Notes what is done with the responses of the session that `target` names.
pub fn add<'a>(
    cx: &Context<'a, '_>,
    session: &mut Session<'a>,
    target: &'a ExprName,
) -> Result<(), Refusal> {
    let module = cx.module;
    let symbol = module.symbol(target).ok_or(Refusal::NotOurs)?; // no name of this function
    if symbol.named_in_string
        || !matches!(module.scope_data(symbol.scope).kind, ScopeKind::Function(_))
    {
        return Err(Refusal::NotOurs); // others may see it
    }
    let mut is_shared = false;
    for binding in &symbol.bindings {
        let call = requested(binding.kind).ok_or(Refusal::NotOurs)?; // may be something else
        let other = session::session_of_request(cx, call).ok_or(Refusal::NotOurs)?;
        is_shared |= !session
            .requests
            .iter()
            .any(|it| std::ptr::eq(it.call, call));
        for creation in session::creations(cx, other) {
            if !std::ptr::eq(creation, session.call)
                && session::are_nested(cx, creation, session.call)
            {
                return Err(Refusal::NotOurs); // which of the two is meant, depends on the way
            }
        }
    }
    for read in &symbol.reads {
        let AnyNodeRef::ExprName(read) = module.node(*read) else {
            continue;
        };
        let (attribute, kind) = used(cx, read).ok_or(Refusal::NotOurs)?; // has no equal
        let Some(request) = answered(cx, session, symbol, read, is_shared)? else {
            continue; // another session's
        };
        if let UseKind::Chunks(_) = kind
            && let Some(request) = session.requests.get_mut(request)
        {
            request.streams = true;
        }
        session.uses.push(Use {
            attribute,
            kind,
            request,
        });
    }
    Ok(())
}

/// The request whose response binds a name.
fn requested(kind: BindingKind<'_>) -> Option<&ExprCall> {
    match kind {
        BindingKind::With(Expr::Call(call), true) => Some(call),
        BindingKind::Value(Expr::Await(awaited)) => awaited.value.as_call_expr(),
        _ => None,
    }
}

/// The request that the response `read` answers; none if it is another session's.
fn answered<'a>(
    cx: &Context<'a, '_>,
    session: &Session<'a>,
    symbol: &Symbol<'a>,
    read: &'a ExprName,
    is_shared: bool,
) -> Result<Option<usize>, Refusal> {
    let number = |call: &ExprCall| {
        session
            .requests
            .iter()
            .position(|request| std::ptr::eq(request.call, call))
    };
    if let Some((with, position)) = session::binding_item(cx, symbol.name, read) {
        let item = with.items.get(position);
        let call = item.and_then(|item| item.context_expr.as_call_expr());
        return Ok(call.and_then(number));
    }
    if is_shared {
        return Err(Refusal::NotOurs); // which session's it is, depends on the way
    }
    let before = |call: &&ExprCall| call.end() <= read.start();
    let requests = || {
        let bindings = symbol.bindings.iter();
        bindings.filter_map(|binding| requested(binding.kind))
    };
    let call = requests().rfind(before).or_else(|| requests().next());
    Ok(call.and_then(number))
}

/// What is done with a response where it is read, if that has an equal in httpx.
fn used<'a>(cx: &Context<'a, '_>, read: &'a ExprName) -> Option<(&'a ExprAttribute, UseKind<'a>)> {
    let module = cx.module;
    let AnyNodeRef::ExprAttribute(attribute) = module.parent(read)? else {
        return None;
    };
    if !attribute.ctx.is_load() {
        return None;
    }
    let called = |func: &'a ExprAttribute| match module.parent(func)? {
        AnyNodeRef::ExprCall(call)
            if AnyNodeRef::from(&*call.func).ptr_eq(AnyNodeRef::from(func)) =>
        {
            Some(call)
        }
        _ => None,
    };
    let kind = match attribute.attr.as_str() {
        "status" => UseKind::Value("status_code"),
        "reason" => UseKind::Value("reason_phrase"),
        "ok" => UseKind::Ok,
        name @ ("json" | "text" | "read") => {
            let call = called(attribute)?;
            let is_plain = call.arguments.is_empty()
                || (name == "json" && arguments::checks_no_content_type(call));
            match module.parent(call)? {
                AnyNodeRef::ExprAwait(awaited) if is_plain => UseKind::Body(awaited, call),
                _ => return None,
            }
        }
        "raise_for_status" => {
            let call = called(attribute)?;
            let is_statement = matches!(module.parent(call)?, AnyNodeRef::StmtExpr(_));
            (is_statement && call.arguments.is_empty()).then_some(UseKind::Raise)?
        }
        "content" => {
            let AnyNodeRef::ExprAttribute(iterate) = module.parent(attribute)? else {
                return None;
            };
            let call = called(iterate)?;
            let arguments = (&*call.arguments.args, call.arguments.keywords.is_empty());
            match (iterate.attr.as_str(), arguments) {
                ("iter_any", ([], true)) => {}
                ("iter_chunked", ([size], true)) if !size.is_starred_expr() => {}
                _ => return None,
            }
            let is_iterated = match module.parent(call)? {
                AnyNodeRef::StmtFor(stmt) => stmt.is_async && stmt.iter.range() == call.range(),
                AnyNodeRef::Comprehension(clause) => {
                    clause.is_async && clause.iter.range() == call.range()
                }
                _ => false,
            };
            is_iterated.then_some(UseKind::Chunks(iterate))?
        }
        _ => return None,
    };
    Some((attribute, kind))
}

/// The refusals for what is done with the responses.
pub fn check<'a>(cx: &Context<'a, '_>, session: &Session<'a>) -> Result<(), Refusal> {
    let module = cx.module;
    for used in &session.uses {
        let Some(request) = session.requests.get(used.request) else {
            continue;
        };
        if module.is_printed_source(used.attribute) {
            return Err(withheld!(
                "`f\"{{...=}}\"` prints its source, which would change: write the text in front of the field"
            ));
        }
        let name = module.text(&*used.attribute.value);
        match used.kind {
            UseKind::Raise if !arguments::follows_redirects(request.call) => {
                return Err(withheld!(
                    "`{name}.raise_for_status()` of httpx also raises for the redirect that `allow_redirects` lets through: look at the status instead"
                ));
            }
            UseKind::Raise if arguments::is_conditional(cx, request.call) => {
                return Err(withheld!(
                    "`{name}.raise_for_status()` of httpx also raises for 304, which the headers ask for: look at the status instead"
                ));
            }
            UseKind::Body(..) | UseKind::Chunks(_)
                if request.streams && is_outside(cx, used, session) =>
            {
                return Err(withheld!(
                    "the body is read in pieces, and `{name}` is read after its block, where httpx has closed it: read inside the block"
                ));
            }
            UseKind::Body(_, call) if request.streams => {
                let call = module.text(call);
                return Err(withheld!(
                    "the body is read in pieces and by `{call}`, for which httpx has to know beforehand whether it is to be read at all: read it in one way"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a use stands outside of the block that the response is bound in.
fn is_outside<'a>(cx: &Context<'a, '_>, used: &Use<'a>, session: &Session<'a>) -> bool {
    match session.requests.get(used.request).map(|it| it.place) {
        Some(Place::Item(with, _)) => !cx.module.contains(with, used.attribute),
        _ => false,
    }
}
