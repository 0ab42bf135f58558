//! Handlers that would no longer see the errors that they were written for.

use engine::{Context, Refusal, handled_around, is_unrelated, withheld};
use python::ast::AnyNodeRef;
use python::{Block, TryPart};

use super::response::UseKind;
use super::session::Session;

/// The refusals for the handlers around the requests and around the calls of their function.
pub fn check<'a>(cx: &Context<'a, '_>, session: &Session<'a>) -> Result<(), Refusal> {
    let module = cx.module;
    let requests = session.requests.iter().map(|it| AnyNodeRef::from(it.call));
    let uses = session.uses.iter().map(|it| AnyNodeRef::from(it.attribute));
    if let Some(type_) = handled_around(cx, requests.chain(uses).collect()) {
        return Err(withheld!(
            "`{}` is handled around it, and what httpx raises is neither an OSError nor a TimeoutError nor a ValueError, but an `httpx.HTTPError`: decide what is to be handled",
            module.first_line(type_)
        ));
    }
    for used in &session.uses {
        let UseKind::Body(_, call) = used.kind else {
            continue;
        };
        let request = session.requests.get(used.request);
        let inner = module.blocks(used.attribute).into_iter().find(|block| {
            let Block::Try(stmt, TryPart::Body) = block else {
                return false;
            };
            !stmt.handlers.is_empty()
                && request.is_some_and(|request| !module.contains(*stmt, request.call))
                && !stmt.handlers.iter().all(|it| is_unrelated(cx, it))
        });
        if inner.is_some() {
            return Err(withheld!(
                "`{}` stands in a `try` of its own: httpx has read the body by then, and does not look at its content type, so that less is handled there; decide what is to be handled",
                module.text(call)
            ));
        }
    }
    Ok(())
}
