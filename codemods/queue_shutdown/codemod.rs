//! `None` in a queue as its end, for which `Queue.shutdown()` exists: reported, never rewritten

use engine::{Codemod, Context, Dated, On, Refusal, Verdict, withheld};
use python::Ranged;
use python::ast::{AnyNodeRef, CmpOp, Expr, ExprAwait, ExprCall, PythonVersion, Stmt};

pub const CODEMOD: Codemod = Codemod {
    name: "queue-shutdown",
    page: include_str!("README.md"),
    python: PythonVersion::PY313,
    headline: false,
    rules: &[],
    dated: Some(Dated::SUPERSEDED),
    options: &[],
    on: &[On::CallBeside("await", &[".get"], report)],
};

/// Where a coroutine stops because the queue gave it None.
///
/// `Queue.shutdown()` is no other way of writing that: it ends the queue for all consumers, and
/// later `put` fails. So nothing is rewritten.
fn report<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    if !call.arguments.is_empty() {
        return Err(Refusal::NotOurs); // `mapping.get(key)`
    }
    let Some(AnyNodeRef::ExprAwait(awaited)) = module.parent(call) else {
        return Err(Refusal::NotOurs); // no queue of asyncio
    };
    let root = module.id(module.root());
    let has_queue = cx.once("has a queue", root, || {
        module.calls().iter().any(|call| {
            [
                "asyncio.Queue",
                "asyncio.LifoQueue",
                "asyncio.PriorityQueue",
            ]
            .iter()
            .any(|name| module.refers_to(&call.func, name))
        })
    });
    if !has_queue || !ends(cx, awaited) {
        return Err(Refusal::NotOurs); // another queue, or no end of it
    }
    let Expr::Attribute(method) = &*call.func else {
        return Err(Refusal::NotOurs); // no method
    };
    Err(withheld!(
        "`None` out of `{}` ends the loop: `shutdown()`, from Python 3.13 on, ends the queue for all its consumers at once and makes a later `put` fail; decide whether that is meant",
        module.first_line(&*method.value)
    ))
}

/// Whether the consumer stops at None: `while (x := await q.get()) is not None`, or
/// `x = await q.get()` and then `if x is None: break`.
fn ends<'a>(cx: &Context<'a, '_>, awaited: &'a ExprAwait) -> bool {
    let module = cx.module;
    match module.parent(awaited) {
        Some(AnyNodeRef::ExprNamed(named)) => match module.parent(named) {
            Some(AnyNodeRef::ExprCompare(compare)) => {
                compare.left.range() == named.range()
                    && is_with_none(&compare.ops, &compare.comparators)
                    && matches!(
                        module.parent(compare),
                        Some(AnyNodeRef::StmtWhile(_) | AnyNodeRef::StmtIf(_))
                    )
            }
            _ => false,
        },
        Some(AnyNodeRef::StmtAssign(assign)) => {
            let Some((body, position)) = module.siblings(assign) else {
                return false;
            };
            let (Some(Stmt::If(test)), [Expr::Name(target)]) =
                (body.get(position + 1), assign.targets.as_slice())
            else {
                return false;
            };
            let Expr::Compare(compare) = &*test.test else {
                return false;
            };
            matches!(&*compare.left, Expr::Name(name) if name.id == target.id)
                && matches!(&*compare.ops, [CmpOp::Is | CmpOp::Eq])
                && is_with_none(&compare.ops, &compare.comparators)
                && matches!(test.body.last(), Some(Stmt::Break(_) | Stmt::Return(_)))
        }
        _ => false,
    }
}

fn is_with_none(ops: &[CmpOp], comparators: &[Expr]) -> bool {
    matches!(ops, [CmpOp::Is | CmpOp::IsNot | CmpOp::Eq | CmpOp::NotEq])
        && matches!(comparators, [Expr::NoneLiteral(_)])
}
