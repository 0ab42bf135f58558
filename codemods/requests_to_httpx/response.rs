//! What is done with the response.

use edit::Edit;
use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, CmpOp, Expr, ExprAttribute, ExprCall, UnaryOp};
use python::{BindingKind, Ranged, ScopeKind};

use super::arguments;

/// What is done with a response.
#[derive(Default)]
pub struct Uses<'a> {
    /// Where it is done.
    pub places: Vec<AnyNodeRef<'a>>,
    /// The names that are others in httpx.
    pub edits: Vec<Edit>,
}

/// What is done with the response of `call`, which stands in `statement`.
pub fn uses<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    statement: AnyNodeRef<'a>,
) -> Result<Uses<'a>, Refusal> {
    let module = cx.module;
    let mut uses = Uses::default();
    match module.parent(call) {
        Some(AnyNodeRef::ExprAttribute(attribute)) => {
            add(cx, &mut uses, call, attribute, true)?;
            return Ok(uses);
        }
        Some(AnyNodeRef::StmtExpr(_)) => return Ok(uses),
        Some(AnyNodeRef::StmtAssign(_) | AnyNodeRef::StmtAnnAssign(_)) => {}
        _ => return Err(passed_on(cx, call)),
    }
    let target = match statement {
        AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
            [Expr::Name(name)] => Some(name),
            _ => None,
        },
        // An annotation may be of requests.
        _ => None,
    };
    let symbol = target.and_then(|target| module.symbol(target));
    let Some(symbol) = symbol else {
        return Err(passed_on(cx, call));
    };
    if !matches!(module.scope_data(symbol.scope).kind, ScopeKind::Function(_)) {
        return Err(passed_on(cx, call));
    }
    let is_alone = symbol.bindings.len() == 1;
    for read in &symbol.reads {
        let read = module.node(*read);
        match module.parent(read) {
            Some(AnyNodeRef::ExprAttribute(attribute)) if attribute.ctx.is_load() => {
                add(cx, &mut uses, call, attribute, is_alone)?;
            }
            _ => {
                return Err(withheld!(
                    "`{}` is tested, passed on or changed as a whole, and a response of httpx is another thing there: use its parts",
                    symbol.name
                ));
            }
        }
    }
    let is_declared = symbol
        .bindings
        .iter()
        .any(|it| matches!(it.kind, BindingKind::Deleted | BindingKind::Augmented));
    if is_declared {
        return Err(passed_on(cx, call));
    }
    Ok(uses)
}

fn passed_on<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Refusal {
    withheld!(
        "the response of `{}` is passed on or stored, and one of httpx is another thing: assign it to a name of the function, and use its parts",
        cx.module.text(&*call.func)
    )
}

/// Notes one use; the refusals where the two libraries differ in it.
fn add<'a>(
    cx: &Context<'a, '_>,
    uses: &mut Uses<'a>,
    call: &'a ExprCall,
    attribute: &'a ExprAttribute,
    is_alone: bool,
) -> Result<(), Refusal> {
    let module = cx.module;
    let called = match module.parent(attribute) {
        Some(AnyNodeRef::ExprCall(outer))
            if AnyNodeRef::from(&*outer.func).ptr_eq(AnyNodeRef::from(attribute)) =>
        {
            Some(outer)
        }
        _ => None,
    };
    let name = attribute.attr.as_str();
    let receiver = match &*attribute.value {
        Expr::Name(name) => name.id.as_str(),
        _ => "response",
    };
    uses.places.push(AnyNodeRef::from(attribute));
    if module.is_printed_source(attribute) && matches!(name, "ok" | "reason") {
        return Err(withheld!(
            "`f\"{{...=}}\"` prints its source, which would change: write the text in front of the field"
        ));
    }
    match name {
        "status_code" | "content" => Ok(()),
        "json" if called.is_some_and(|it| it.arguments.is_empty()) => Ok(()),
        "headers" => match module.parent(attribute) {
            Some(AnyNodeRef::ExprSubscript(it)) if it.ctx.is_load() => Ok(()),
            Some(AnyNodeRef::ExprAttribute(it)) if it.attr.as_str() == "get" => Ok(()),
            // `"X-Name" in response.headers`
            Some(AnyNodeRef::ExprCompare(compare))
                if module.id(&*compare.left) != module.id(attribute)
                    && compare
                        .ops
                        .iter()
                        .all(|it| matches!(it, CmpOp::In | CmpOp::NotIn)) =>
            {
                Ok(())
            }
            _ => Err(differs(receiver, name)),
        },
        "raise_for_status" if called.is_some() => {
            let outer = called.and_then(|it| module.parent(it));
            if !matches!(outer, Some(AnyNodeRef::StmtExpr(_))) {
                return Err(differs(receiver, name));
            }
            if !arguments::raises_the_same(cx, call) {
                return Err(withheld!(
                    "`{receiver}.raise_for_status()` of httpx also raises for redirects and for 304, which the call lets through: look at the status instead"
                ));
            }
            Ok(())
        }
        "reason" | "ok" if !is_alone => Err(withheld!(
            "`{receiver}` is bound several times, and `{receiver}.{name}` has another name in httpx: give each response a name of its own"
        )),
        "reason" => {
            uses.edits
                .push(Edit::replace(attribute.attr.range(), "reason_phrase"));
            Ok(())
        }
        "ok" => ok(cx, uses, attribute),
        "text" => Err(withheld!(
            "`{receiver}.text` is decoded in another way by httpx where the server names no charset: decode `{receiver}.content` with the encoding that is meant"
        )),
        _ => Err(differs(receiver, name)),
    }
}

fn differs(receiver: &str, name: &str) -> Refusal {
    withheld!(
        "`{receiver}.{name}` is not there or not the same in httpx: find its like, and write it by hand"
    )
}

/// `r.ok` => `not r.is_error`.
fn ok<'a>(
    cx: &Context<'a, '_>,
    uses: &mut Uses<'a>,
    attribute: &'a ExprAttribute,
) -> Result<(), Refusal> {
    let module = cx.module;
    let Expr::Name(receiver) = &*attribute.value else {
        return Err(withheld!(
            "`.ok` is asked of the call itself: assign the response to a name first"
        ));
    };
    let parent = module.parent(attribute);
    let range = match parent {
        Some(AnyNodeRef::ExprUnaryOp(unary)) if unary.op == UnaryOp::Not => unary.range(),
        _ => attribute.range(),
    };
    if !module.comments(range).is_empty() {
        return Err(withheld!(
            "a comment stands inside what is done with `{}`: move it out",
            receiver.id
        ));
    }
    let text = if range == attribute.range() {
        let text = format!("not {}.is_error", receiver.id);
        if module.binds_more_than_not(attribute) {
            format!("({text})")
        } else {
            text
        }
    } else {
        format!("{}.is_error", receiver.id)
    };
    uses.edits.push(Edit::replace(range, text));
    Ok(())
}
