//! What a statement is to those that would move with it.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, Stmt, StmtWith};

use super::effects::{self, own_nodes};
use super::meaning::{Blocking, Callee, callee};
use super::table::{Category, InThread};
use super::{arguments, reach};

/// What a statement is to a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One call: worth a function together with others.
    Line,
    /// Worth a function by itself: its calls belong together.
    Whole,
}

/// The next statement from `start` on that blocks, with nothing before it but what only computes a
/// name: `target = folder / "a"`.
pub(super) fn next_that_blocks<'a>(
    cx: &Context<'a, '_>,
    body: &'a [Stmt],
    start: usize,
) -> Option<usize> {
    let mut at = start;
    loop {
        let stmt = body.get(at)?;
        if kind(cx, stmt).is_some() {
            return Some(at);
        }
        if !only_computes(cx, stmt) {
            return None;
        }
        at += 1;
    }
}

/// Whether a statement gives a name to something, and does nothing else.
fn only_computes<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt) -> bool {
    let is_name = match stmt {
        Stmt::Assign(assign) => assign.targets.iter().all(Expr::is_name_expr),
        Stmt::AnnAssign(assign) => assign.target.is_name_expr() && assign.value.is_some(),
        _ => false,
    };
    if !is_name {
        return false;
    }
    let effects = effects::of_block(cx, stmt.into(), &[]);
    effects.blocking.is_empty() && effects.obstacle.is_none() && effects.doubt.is_none()
}

/// What `stmt` is to a block; none where it blocks nowhere, or is more than what blocks.
pub(super) fn kind<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt) -> Option<Kind> {
    match stmt {
        Stmt::Expr(it) => line(cx, &it.value),
        Stmt::Assign(it) => line(cx, &it.value),
        Stmt::AnnAssign(it) => line(cx, it.value.as_deref()?),
        Stmt::With(with) => opens(cx, with).then_some(Kind::Whole),
        // Look, and then act.
        Stmt::If(stmt) => {
            let looks = blocks_in(cx, AnyNodeRef::from(&*stmt.test), files);
            let bodies = std::iter::once(&stmt.body)
                .chain(stmt.elif_else_clauses.iter().map(|clause| &clause.body));
            let act = bodies.clone().flatten().all(|it| acts_on_files(cx, it));
            let acts = bodies.flatten().any(|it| kind(cx, it).is_some());
            (looks && act && acts).then_some(Kind::Whole)
        }
        // A loop over files.
        Stmt::For(stmt) if !stmt.is_async => {
            let body = stmt.body.iter().chain(&stmt.orelse);
            let act = body.clone().all(|it| acts_on_files(cx, it));
            let acts = body.clone().any(|it| kind(cx, it).is_some());
            (act && acts && stmt.orelse.is_empty()).then_some(Kind::Whole)
        }
        _ => None,
    }
}

/// Whether a statement does something to files, leaves a loop over them, or only computes.
fn acts_on_files<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt) -> bool {
    match stmt {
        Stmt::Pass(_) | Stmt::Continue(_) | Stmt::Break(_) => true,
        // `if not path.is_file(): continue`
        Stmt::If(it) => {
            let mut bodies = std::iter::once(&it.body)
                .chain(it.elif_else_clauses.iter().map(|clause| &clause.body));
            bodies.all(|body| body.iter().all(|it| acts_on_files(cx, it)))
                && !blocks_in(cx, stmt.into(), |it| !files(it))
        }
        _ => kind(cx, stmt).is_some_and(|_| is_of_files(cx, stmt)) || only_computes(cx, stmt),
    }
}

/// Whether everything in a statement that blocks waits for files: more of them at once is what
/// a person would write. Of requests to servers each stays a step of its own.
fn is_of_files<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt) -> bool {
    blocks_in(cx, stmt.into(), files) && !blocks_in(cx, stmt.into(), |it| !files(it))
}

pub(super) fn files(category: Category) -> bool {
    matches!(category, Category::Files | Category::Metadata)
}

fn blocks_in<'a>(
    cx: &Context<'a, '_>,
    node: AnyNodeRef<'a>,
    wanted: impl Fn(Category) -> bool,
) -> bool {
    own_nodes(cx, node).any(|node| match node {
        AnyNodeRef::ExprCall(call) => match callee(cx, call) {
            Callee::Blocking(blocking) => wanted(blocking.group.category),
            Callee::Function(function) => {
                reach::of(cx, function, arguments::Given::of(cx, call))
                    .path
                    .is_some()
                    && wanted(Category::Project)
            }
            _ => false,
        },
        _ => false,
    })
}

/// `requests.get(url)`, `requests.get(url).json()["name"]`: an expression that is a call which
/// blocks, and what is asked of its result.
fn line<'a>(cx: &Context<'a, '_>, value: &'a Expr) -> Option<Kind> {
    let mut expr = value;
    loop {
        match expr {
            Expr::Call(call) => {
                match callee(cx, call) {
                    Callee::Blocking(blocking) => {
                        return super::is_moved(cx, call, &blocking).then_some(Kind::Line);
                    }
                    // A function of the project is a step of its own already.
                    Callee::Function(_) => return None,
                    _ => {}
                }
                expr = match &*call.func {
                    Expr::Attribute(method) => &method.value,
                    _ => return None,
                };
            }
            Expr::Attribute(attribute) => expr = &attribute.value,
            Expr::Subscript(subscript) => expr = &subscript.value,
            _ => return None,
        }
    }
}

/// Whether a `with` statement is on nothing but files and connections that it opens.
pub(super) fn opens(cx: &Context<'_, '_>, with: &StmtWith) -> bool {
    !with.is_async
        && with.items.iter().all(|item| match &item.context_expr {
            Expr::Call(call) => matches!(
                callee(cx, call),
                Callee::Blocking(Blocking { group, .. }) if group.in_thread == InThread::Opens
            ),
            _ => false,
        })
}
