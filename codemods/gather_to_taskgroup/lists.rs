//! `gather(*coros)`: where the list comes from, and what it holds.

use engine::Context;
use python::ast::{self, AnyNodeRef, Expr, ExprCall, ExprName, Stmt};
use python::{BindingKind, NodeId, Ranged, ScopeKind, Symbol};

use super::children::{Child, child, created};
use super::{Gather, place};

/// A list that is made right before the gather, and can be made in the group instead.
pub(super) enum List<'a> {
    /// `tasks = [f(x) for x in xs]` or `tasks = [f(), g()]`, directly before. The list has no
    /// other use: it need not be made.
    Inline(&'a Stmt, &'a Expr),
    /// `tasks = [create_task(f(x)) for x in xs]`, directly before: the calls to rewrite. The list
    /// is used afterwards, or its tasks are.
    Created(&'a Stmt, Vec<&'a ExprCall>),
    /// `tasks = []` and a loop directly before, which appends: the empty list, if the list has
    /// no other use and need not be made; the loop; the appended elements.
    Loop {
        empty: Option<&'a Stmt>,
        body: &'a Stmt,
        appended: Vec<(&'a ExprCall, Child<'a>)>,
        /// `if tasks:` around the gather, which the group makes needless.
        guard: Option<&'a Stmt>,
    },
    /// Made anywhere before, of coroutines only: the list stays.
    Kept,
}

/// How the list that `name` is bound to is made; none where it may hold anything but coroutines,
/// or tasks that are not made right here.
pub(super) fn list<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    name: &'a ExprName,
) -> Option<List<'a>> {
    let symbol = local(cx, name)?;
    let uses = Uses::of(cx, symbol);
    adjacent_display(cx, gather, symbol, &uses)
        .or_else(|| adjacent_loop(cx, gather, symbol, &uses))
        .or_else(|| holds_coroutines(cx, find_name(cx, name)?).then_some(List::Kept))
}

fn find_name<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> Option<&'a Expr> {
    match cx.module.parent(name)? {
        AnyNodeRef::ExprStarred(starred) => Some(&starred.value),
        _ => None,
    }
}

/// Whether iterating over `iterable` gives coroutines and nothing else.
pub(super) fn holds_coroutines<'a>(cx: &Context<'a, '_>, iterable: &'a Expr) -> bool {
    match iterable {
        // Every binding of the name is a display of coroutines, and whatever is put in later is
        // a coroutine too; nobody else gets hold of the list.
        Expr::Name(name) => local(cx, name).is_some_and(|symbol| {
            let uses = Uses::of(cx, symbol);
            uses.other.is_empty()
                && symbol.bindings.iter().all(|binding| match binding.kind {
                    BindingKind::Value(value) => displays_coroutines(cx, value),
                    _ => false,
                })
                && uses.appended.iter().all(|call| {
                    call.arguments
                        .args
                        .first()
                        .is_some_and(|element| is_child_coroutine(cx, element))
                })
                && uses.extended.iter().all(|call| {
                    call.arguments
                        .args
                        .first()
                        .is_some_and(|elements| displays_coroutines(cx, elements))
                })
        }),
        // map(fetch, urls)
        Expr::Call(call) => {
            cx.module.refers_to(&call.func, "builtins.map")
                && call.arguments.keywords.is_empty()
                && call
                    .arguments
                    .args
                    .first()
                    .is_some_and(|func| cx.module.coroutine_function(func).is_some())
        }
        _ => displays_coroutines(cx, iterable),
    }
}

fn displays_coroutines<'a>(cx: &Context<'a, '_>, display: &'a Expr) -> bool {
    match display {
        Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }) => {
            elts.iter().all(|element| is_child_coroutine(cx, element))
        }
        Expr::ListComp(ast::ExprListComp { elt, .. })
        | Expr::Generator(ast::ExprGenerator { elt, .. }) => is_child_coroutine(cx, elt),
        _ => false,
    }
}

/// A coroutine, and no task of one.
fn is_child_coroutine<'a>(cx: &Context<'a, '_>, element: &'a Expr) -> bool {
    child(cx, element).is_some_and(|child| std::ptr::eq(child.coroutine, element))
}

/// The symbol, if it belongs to the coroutine itself: no parameter, no variable of others.
fn local<'a, 'm>(cx: &Context<'a, 'm>, name: &ExprName) -> Option<&'m Symbol<'a>> {
    let symbol = cx.module.symbol(name)?;
    let is_function = matches!(cx.module.scope_data(symbol.scope).kind, ScopeKind::Function(_));
    let own = symbol
        .bindings
        .iter()
        .all(|binding| binding.from == symbol.scope && matches!(binding.kind, BindingKind::Value(_)));
    (is_function && own && symbol.scope == cx.module.scope(name)).then_some(symbol)
}

/// What is done with a list, by its name.
#[derive(Default)]
struct Uses<'a> {
    /// `tasks.append(x)` as a statement.
    appended: Vec<&'a ExprCall>,
    /// `tasks.extend(xs)` as a statement.
    extended: Vec<&'a ExprCall>,
    /// `gather(*tasks)`
    gathered: Vec<NodeId>,
    /// `if tasks:`, `len(tasks)`, `not tasks`, `tasks.clear()`: they take or put in nothing.
    asked: usize,
    /// Anything else: who knows what becomes of it.
    other: Vec<NodeId>,
}

impl<'a> Uses<'a> {
    fn of(cx: &Context<'a, '_>, symbol: &Symbol<'a>) -> Self {
        let mut uses = Self::default();
        for read in &symbol.reads {
            let node = cx.module.node(*read);
            match cx.module.parent(node) {
                Some(AnyNodeRef::ExprStarred(starred)) => match call_around(cx, starred) {
                    Some(call) if cx.module.refers_to(&call.func, "asyncio.gather") => {
                        uses.gathered.push(*read);
                    }
                    _ => uses.other.push(*read),
                },
                Some(AnyNodeRef::ExprAttribute(method)) => {
                    let call = call_of(cx, method);
                    match (method.attr.as_str(), call) {
                        ("append", Some(call)) => uses.appended.push(call),
                        ("extend", Some(call)) => uses.extended.push(call),
                        ("clear", Some(_)) => uses.asked += 1,
                        _ => uses.other.push(*read),
                    }
                }
                Some(AnyNodeRef::StmtIf(_) | AnyNodeRef::StmtWhile(_) | AnyNodeRef::ElifElseClause(_)) => {
                    uses.asked += 1;
                }
                Some(AnyNodeRef::ExprUnaryOp(operation)) if operation.op.is_not() => uses.asked += 1,
                Some(AnyNodeRef::Arguments(_)) => {
                    let asks = cx.module.ancestors(node).nth(1).is_some_and(|outer| {
                        matches!(outer, AnyNodeRef::ExprCall(call) if cx.module.refers_to(&call.func, "builtins.len"))
                    });
                    if asks {
                        uses.asked += 1;
                    } else {
                        uses.other.push(*read);
                    }
                }
                _ => uses.other.push(*read),
            }
        }
        uses
    }
}

/// The call that a starred argument is given to.
fn call_around<'a>(cx: &Context<'a, '_>, starred: &'a ast::ExprStarred) -> Option<&'a ExprCall> {
    match cx.module.ancestors(starred).nth(1)? {
        AnyNodeRef::ExprCall(call) => Some(call),
        _ => None,
    }
}

/// The statement `tasks.append(x)`, of which `method` is `tasks.append`.
fn call_of<'a>(cx: &Context<'a, '_>, method: &'a ast::ExprAttribute) -> Option<&'a ExprCall> {
    let AnyNodeRef::ExprCall(call) = cx.module.parent(method)? else {
        return None;
    };
    let one_argument = call.arguments.keywords.is_empty() && call.arguments.args.len() <= 1;
    let is_statement = matches!(cx.module.parent(call)?, AnyNodeRef::StmtExpr(_));
    (one_argument && is_statement && call.func.range() == method.range()).then_some(call)
}

/// `tasks = [...]` directly before the statement of the gather.
fn adjacent_display<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    symbol: &Symbol<'a>,
    uses: &Uses<'a>,
) -> Option<List<'a>> {
    let before = place::previous(cx, cx.module.statement(gather.site))?;
    let value = assigned(cx, before, symbol)?;
    // Nothing may be lost with the line, nor stand between the two.
    let between = python::TextRange::new(before.start(), gather.site.start());
    let plain = cx.module.comments(between).is_empty()
        && cx.module.whole_lines(before).is_some()
        && gather.timeout.is_none();
    let elements: Vec<&'a Expr> = match value {
        Expr::List(list) => list.elts.iter().collect(),
        Expr::ListComp(comprehension) => vec![&comprehension.elt],
        Expr::Generator(generator) => vec![&generator.elt],
        _ => return None,
    };
    let suspends = cx.module.descendants(value).any(|node| {
        matches!(node, AnyNodeRef::ExprAwait(_))
            || matches!(node, AnyNodeRef::Comprehension(clause) if clause.is_async)
    });
    if suspends || elements.iter().any(|element| child(cx, element).is_none()) {
        return None;
    }
    let only_use = symbol.bindings.len() == 1 && symbol.reads.len() == 1;
    if plain && only_use {
        return Some(List::Inline(before, value));
    }
    let calls: Option<Vec<&'a ExprCall>> = elements
        .iter()
        .map(|element| match element {
            Expr::Call(call) => created(cx, call).map(|_| call),
            _ => None,
        })
        .collect();
    let statement = cx.module.statement(gather.site);
    let replaceable = !matches!(statement, AnyNodeRef::StmtExpr(_))
        || cx.module.whole_lines(statement).is_some();
    // A generator would be used up.
    (!value.is_generator_expr() && !uses.gathered.is_empty() && replaceable)
        .then(|| calls.map(|calls| List::Created(before, calls)))
        .flatten()
}

/// The value that a statement `name = value` gives to the symbol.
fn assigned<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt, symbol: &Symbol<'a>) -> Option<&'a Expr> {
    let (target, value) = match stmt {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [target] => (target, &*assign.value),
            _ => return None,
        },
        Stmt::AnnAssign(assign) => (&*assign.target, assign.value.as_deref()?),
        _ => return None,
    };
    let Expr::Name(name) = target else {
        return None;
    };
    std::ptr::eq(cx.module.symbol(name)?, symbol).then_some(value)
}

/// `for x in xs: ... tasks.append(f(x))` directly before the statement of the gather.
fn adjacent_loop<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    symbol: &Symbol<'a>,
    uses: &Uses<'a>,
) -> Option<List<'a>> {
    let statement = cx.module.statement(gather.site);
    let guard = guard(cx, statement, symbol);
    let body = place::previous(cx, guard.map_or(statement, AnyNodeRef::from))?;
    let Stmt::For(stmt) = body else {
        return None;
    };
    if uses.appended.is_empty() || !uses.extended.is_empty() || stmt.is_async {
        return None;
    }
    let [binding] = symbol.bindings.as_slice() else {
        return None;
    };
    let empty = cx.module.statement(cx.module.node(binding.node));
    let (siblings, _) = cx.module.siblings(body)?;
    let empty = siblings.iter().find(|stmt| stmt.range() == empty.range())?;
    if !assigned(cx, empty, symbol)?.as_list_expr()?.elts.is_empty() {
        return None;
    }
    // The loop as a whole moves into the group: it must not leave it, wait in it, or raise on
    // purpose what would then come out as a group.
    let leaves = cx.module.descendants(body).any(|node| {
        matches!(
            node,
            AnyNodeRef::StmtReturn(_)
                | AnyNodeRef::StmtRaise(_)
                | AnyNodeRef::StmtTry(_)
                | AnyNodeRef::ExprAwait(_)
                | AnyNodeRef::ExprYield(_)
                | AnyNodeRef::ExprYieldFrom(_)
                | AnyNodeRef::StmtFunctionDef(_)
                | AnyNodeRef::StmtClassDef(_)
        ) || matches!(node, AnyNodeRef::StmtWith(with) if with.is_async)
            || matches!(node, AnyNodeRef::StmtFor(inner) if inner.is_async)
            || matches!(node, AnyNodeRef::Comprehension(clause) if clause.is_async)
    });
    if leaves || !stmt.orelse.is_empty() {
        return None;
    }
    let mut appended = Vec::new();
    for call in &uses.appended {
        let element = call.arguments.args.first()?;
        if !cx.module.contains(body, *call) {
            return None;
        }
        appended.push((*call, child(cx, element)?));
    }
    let asked_in_guard = usize::from(guard.is_some());
    let result_unused = matches!(statement, AnyNodeRef::StmtExpr(stmt) if stmt.value.range() == gather.site.range());
    let serves_nothing_else =
        uses.other.is_empty() && uses.gathered.len() == 1 && uses.asked == asked_in_guard && result_unused;
    let deletable = |stmt: AnyNodeRef<'a>| cx.module.whole_lines(stmt).is_some();
    if serves_nothing_else && deletable(AnyNodeRef::from(empty)) {
        let last = guard.map_or(statement, AnyNodeRef::from);
        let comments = cx.module.comments(last.range());
        return (deletable(last) && comments.is_empty()).then_some(List::Loop {
            empty: Some(empty),
            body,
            appended,
            guard,
        });
    }
    // The list stays, and has to hold tasks as before.
    let all_created = appended.iter().all(|(call, child)| {
        call.arguments
            .args
            .first()
            .is_some_and(|element| !std::ptr::eq(element, child.coroutine))
    });
    let used_after = uses
        .other
        .iter()
        .all(|read| *read > cx.module.id(gather.site));
    let complete = matches!(statement, AnyNodeRef::StmtExpr(_)) && result_unused;
    let replaceable = !complete || deletable(statement);
    (all_created && used_after && replaceable && guard.is_none() && uses.asked == 0).then_some(List::Loop {
        empty: None,
        body,
        appended,
        guard: None,
    })
}

/// `if tasks:` with nothing in it but `statement`.
fn guard<'a>(
    cx: &Context<'a, '_>,
    statement: AnyNodeRef<'a>,
    symbol: &Symbol<'a>,
) -> Option<&'a Stmt> {
    let AnyNodeRef::StmtIf(guard) = cx.module.parent(statement)? else {
        return None;
    };
    let Expr::Name(name) = &*guard.test else {
        return None;
    };
    if guard.body.len() != 1
        || !guard.elif_else_clauses.is_empty()
        || !std::ptr::eq(cx.module.symbol(name)?, symbol)
    {
        return None;
    }
    let (siblings, position) = cx.module.siblings(guard)?;
    siblings.get(position)
}
