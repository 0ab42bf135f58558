//! What is done with the value of a call.

use engine::Context;
use python::Ranged;
use python::ast::{AnyNodeRef, BoolOp, CmpOp, Expr, ExprCall, ExprContext, Operator, UnaryOp};

/// What is done with the value of a call, if that is not what a coroutine is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Nothing: the coroutine never runs.
    Dropped,
    /// Its truth, its text or its equality to something is asked for, which a coroutine answers
    /// always in the same way.
    Tested,
    /// Something that no coroutine can do: the code fails here.
    Fails,
    /// Something that no coroutine can do, but what stands beside it may know how.
    MayFail,
    /// Entering or iterating it asynchronously, which no coroutine can do, but which what a
    /// decorator makes of it may.
    Entered,
}

/// What is done with the value of `call`; none where somebody may await it.
pub fn of<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<Usage> {
    let module = cx.module;
    let mut child = AnyNodeRef::from(call);
    loop {
        let parent = module.parent(child)?;
        let is = |expr: &Expr| expr.range() == child.range();
        return match parent {
            AnyNodeRef::StmtExpr(_) => Some(Usage::Dropped),
            AnyNodeRef::StmtIf(stmt) => is(&stmt.test).then_some(Usage::Tested),
            AnyNodeRef::StmtWhile(stmt) => is(&stmt.test).then_some(Usage::Tested),
            AnyNodeRef::ElifElseClause(clause) => clause
                .test
                .as_ref()
                .is_some_and(is)
                .then_some(Usage::Tested),
            AnyNodeRef::StmtAssert(stmt) => is(&stmt.test).then_some(Usage::Tested),
            AnyNodeRef::ExprIf(branch) if is(&branch.test) => Some(Usage::Tested),
            // It is the value of the whole.
            AnyNodeRef::ExprIf(_) => {
                child = parent;
                continue;
            }
            AnyNodeRef::ExprBoolOp(operation) => {
                let is_last = operation.values.last().is_some_and(is);
                // A coroutine is true: `k() and x` is x, `k() or x` is k(). Nobody awaits a text or
                // a number, so that it is not awaited where one is there in its place.
                let mut later = operation
                    .values
                    .iter()
                    .skip_while(|value| !is(value))
                    .skip(1);
                let is_awaited = || matches!(module.parent(parent), Some(AnyNodeRef::ExprAwait(_)));
                if !is_last && (operation.op == BoolOp::And || later.any(is_plain) && !is_awaited())
                {
                    return Some(Usage::Tested);
                }
                child = parent;
                continue;
            }
            AnyNodeRef::ExprUnaryOp(operation) => match operation.op {
                UnaryOp::Not => Some(Usage::Tested),
                _ => Some(Usage::Fails),
            },
            AnyNodeRef::ExprCompare(compare) => {
                let position = compare.comparators.iter().position(is);
                let ops = match position {
                    None => &compare.ops[..1],
                    Some(position) => {
                        let next = (position + 2).min(compare.ops.len());
                        &compare.ops[position..next]
                    }
                };
                Some(compared(position.is_some(), ops))
            }
            AnyNodeRef::ExprBinOp(operation) => {
                let is_left = is(&operation.left);
                let other = if is_left {
                    &operation.right
                } else {
                    &operation.left
                };
                Some(combined(operation.op, is_left, other))
            }
            AnyNodeRef::StmtAugAssign(stmt) if is(&stmt.value) => Some(Usage::MayFail),
            AnyNodeRef::InterpolatedElement(_) => {
                // A template keeps the value.
                let in_template = module
                    .ancestors(child)
                    .find_map(|node| match node {
                        AnyNodeRef::TString(_) => Some(true),
                        AnyNodeRef::FString(_) => Some(false),
                        _ => None,
                    })
                    .unwrap_or(false);
                (!in_template).then_some(Usage::Tested)
            }
            AnyNodeRef::ExprAttribute(attribute) => {
                (!is_own_attribute(attribute.attr.as_str())).then_some(Usage::Fails)
            }
            AnyNodeRef::ExprSubscript(subscript) => is(&subscript.value).then_some(Usage::Fails),
            AnyNodeRef::ExprCall(outer) if is(&outer.func) => Some(Usage::Fails),
            AnyNodeRef::StmtFor(stmt) if is(&stmt.iter) => Some(if stmt.is_async {
                Usage::Entered
            } else {
                Usage::Fails
            }),
            AnyNodeRef::Comprehension(clause) if is(&clause.iter) => Some(if clause.is_async {
                Usage::Entered
            } else {
                Usage::Fails
            }),
            AnyNodeRef::Comprehension(clause) if clause.ifs.iter().any(is) => Some(Usage::Tested),
            AnyNodeRef::WithItem(item) if is(&item.context_expr) => Some(Usage::Entered),
            AnyNodeRef::ExprStarred(starred) if starred.ctx == ExprContext::Load => {
                Some(Usage::Fails)
            }
            AnyNodeRef::StmtAssign(assign) => assign
                .targets
                .iter()
                .any(|target| matches!(target, Expr::Tuple(_) | Expr::List(_)))
                .then_some(Usage::Fails),
            AnyNodeRef::Keyword(keyword) if keyword.arg.is_none() => Some(Usage::Fails),
            // `{**k()}`
            AnyNodeRef::ExprDict(dict) => dict
                .items
                .iter()
                .any(|item| item.key.is_none() && is(&item.value))
                .then_some(Usage::Fails),
            AnyNodeRef::Arguments(arguments) => {
                let AnyNodeRef::ExprCall(outer) = module.parent(arguments)? else {
                    return None;
                };
                argument(cx, outer, child)
            }
            AnyNodeRef::ExprListComp(_)
            | AnyNodeRef::ExprSetComp(_)
            | AnyNodeRef::ExprGenerator(_) => element(cx, parent),
            _ => None,
        };
    }
}

/// `k() == x`, `x in k()`, `k() < x`. `ops` are the operators to its left and right.
fn compared(has_left: bool, ops: &[CmpOp]) -> Usage {
    let contained = has_left
        && ops
            .first()
            .is_some_and(|op| matches!(op, CmpOp::In | CmpOp::NotIn));
    if contained {
        return Usage::Fails;
    }
    let is_ordered = |op: &CmpOp| matches!(op, CmpOp::Lt | CmpOp::LtE | CmpOp::Gt | CmpOp::GtE);
    if ops.iter().any(is_ordered) {
        return Usage::MayFail;
    }
    Usage::Tested
}

/// `k() + 1` fails; with what is no literal, a class may know what to do.
fn combined(op: Operator, is_left: bool, other: &Expr) -> Usage {
    let is_text = matches!(
        other,
        Expr::StringLiteral(_) | Expr::FString(_) | Expr::BytesLiteral(_)
    );
    if op == Operator::Mod && !is_left && is_text {
        return Usage::Tested; // "%s" % k()
    }
    if is_plain(other) || other.is_none_literal_expr() {
        Usage::Fails
    } else {
        Usage::MayFail
    }
}

/// A text, a number or a collection that is written out, which no coroutine may be.
fn is_plain(expr: &Expr) -> bool {
    expr.is_literal_expr() && !expr.is_none_literal_expr()
        || matches!(
            expr,
            Expr::FString(_)
                | Expr::List(_)
                | Expr::Tuple(_)
                | Expr::Set(_)
                | Expr::Dict(_)
                | Expr::ListComp(_)
                | Expr::SetComp(_)
                | Expr::DictComp(_)
        )
}

/// What a coroutine has: `send`, `throw`, `close`, `cr_frame`, ...
fn is_own_attribute(name: &str) -> bool {
    matches!(name, "send" | "throw" | "close") || name.starts_with("cr_") || name.starts_with("__")
}

/// What a builtin does with its argument: `len(k())` fails, `bool(k())` is always true. Other
/// functions may await it.
fn argument<'a>(
    cx: &Context<'a, '_>,
    outer: &'a ExprCall,
    argument: AnyNodeRef<'a>,
) -> Option<Usage> {
    const FAIL: &[&str] = &[
        "all",
        "any",
        "dict",
        "enumerate",
        "iter",
        "len",
        "list",
        "next",
        "range",
        "reversed",
        "set",
        "sorted",
        "sum",
        "tuple",
        "zip",
    ];
    let name = cx.module.qualified_name(&outer.func)?;
    let name = name.strip_prefix("builtins.")?;
    let position = outer
        .arguments
        .args
        .iter()
        .position(|other| other.range() == argument.range())?;
    match name {
        "zip" => Some(Usage::Fails),
        "bool" if outer.arguments.len() == 1 => Some(Usage::Tested),
        "min" | "max" if outer.arguments.args.len() == 1 => Some(Usage::Fails),
        "map" if position > 0 => Some(Usage::Fails),
        _ => (position == 0 && FAIL.contains(&name)).then_some(Usage::Fails),
    }
}

/// What is done with the elements of a comprehension that is the only argument of `any`, `all`
/// and the like.
fn element<'a>(cx: &Context<'a, '_>, comprehension: AnyNodeRef<'a>) -> Option<Usage> {
    let module = cx.module;
    let AnyNodeRef::Arguments(arguments) = module.parent(comprehension)? else {
        return None;
    };
    let AnyNodeRef::ExprCall(outer) = module.parent(arguments)? else {
        return None;
    };
    let first = outer.arguments.args.first()?;
    if first.range() != comprehension.range() {
        return None;
    }
    match module.qualified_name(&outer.func)?.as_str() {
        "builtins.any" | "builtins.all" => Some(Usage::Tested),
        "builtins.sum" => Some(Usage::Fails),
        _ => None,
    }
}
