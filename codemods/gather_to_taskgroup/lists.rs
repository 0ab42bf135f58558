//! `gather(*coros)`: where the list comes from, and what it holds.

use engine::Context;
use python::ast::{self, AnyNodeRef, Expr, ExprCall, ExprName, Stmt};
use python::{After, BindingKind, NodeId, Ranged, ScopeKind, Symbol, displayed};

use super::children::{Child, child, created};
use super::{Gather, place};

/// Where the tasks are made, if that is right before the gather: there is the group's place.
pub(super) enum List<'a> {
    /// `tasks = [f(x) for x in xs]` or `tasks = [f(), g()]`. The list has no other use: it need
    /// not be made.
    Inline {
        stmt: &'a Stmt,
        display: &'a Expr,
        guard: Option<&'a Stmt>,
    },
    /// `tasks = [create_task(f(x)) for x in xs]`. The list is used afterwards, or its tasks are.
    Created {
        stmt: &'a Stmt,
        display: &'a Expr,
        calls: Vec<&'a ExprCall>,
        guard: Option<&'a Stmt>,
    },
    /// `one = create_task(f())` and `two = create_task(g())`: the statements, and their calls.
    Named(Vec<(&'a Stmt, &'a ExprCall)>),
    /// `tasks = []` and a loop, which appends: the empty list, if the list has no other use and
    /// need not be made; the loop; the appended elements.
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

impl<'a> List<'a> {
    /// The first and last of the statements that move into the group.
    pub(super) fn moved(&self) -> Option<(&'a Stmt, &'a Stmt)> {
        match self {
            List::Created { stmt, .. } | List::Loop { body: stmt, .. } => Some((stmt, stmt)),
            List::Named(statements) => Some((statements.first()?.0, statements.last()?.0)),
            List::Inline { .. } | List::Kept => None,
        }
    }

    /// Whether nothing is in the list: a group would have nothing to do, and no statement in it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            List::Inline { display, .. } | List::Created { display, .. } => {
                matches!(display, Expr::List(list) if list.elts.is_empty())
            }
            List::Named(_) | List::Loop { .. } | List::Kept => false,
        }
    }

    pub(super) fn guard(&self) -> Option<&'a Stmt> {
        match self {
            List::Inline { guard, .. } | List::Created { guard, .. } | List::Loop { guard, .. } => {
                *guard
            }
            List::Named(_) | List::Kept => None,
        }
    }
}

/// `gather(one, two)` where each was made a task by one of the statements directly before.
pub(super) fn named<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>) -> Option<List<'a>> {
    let arguments = &gather.call.arguments.args;
    let mut before = cx.module.statement(gather.site);
    let mut statements = Vec::new();
    for _ in 0..arguments.len() {
        let stmt = place::previous(cx, before)?;
        let Stmt::Assign(assign) = stmt else {
            return None;
        };
        let ([Expr::Name(target)], Expr::Call(call)) = (assign.targets.as_slice(), &*assign.value)
        else {
            return None;
        };
        created(cx, call)?;
        let symbol = local(cx, target)?;
        let is_argument = arguments.iter().any(|argument| {
            matches!(argument, Expr::Name(name) if cx.module.symbol(name).is_some_and(|it| std::ptr::eq(it, symbol)))
        });
        if !is_argument || symbol.bindings.len() != 1 || !stands_alone(cx, stmt) || yields(cx, call)
        {
            return None;
        }
        statements.push((stmt, call));
        before = AnyNodeRef::from(stmt);
    }
    statements.reverse();
    let removable = removable(cx, gather, None);
    removable.then_some(List::Named(statements))
}

/// A `yield` inside a group would hand the group's cancellation to the consumer.
fn yields<'a>(cx: &Context<'a, '_>, node: impl Into<AnyNodeRef<'a>>) -> bool {
    cx.module.descendants(node).any(|node| {
        matches!(
            node,
            AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_)
        )
    })
}

/// Whether nothing else stands on the lines of a statement, but for a comment after it.
fn stands_alone(cx: &Context<'_, '_>, stmt: &Stmt) -> bool {
    let placement = cx.module.placement(stmt);
    placement.before.is_none() && placement.after == After::Nothing
}

/// Whether the statement of the gather, or the guard around it, can be removed where it has to be.
fn removable<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>, guard: Option<&'a Stmt>) -> bool {
    let statement = cx.module.statement(gather.site);
    match (guard, statement) {
        (Some(guard), _) => stands_alone(cx, guard) && is_unused(gather, statement),
        (None, AnyNodeRef::StmtExpr(_)) if is_unused(gather, statement) => {
            let placement = cx.module.placement(statement);
            placement.before.is_none() && placement.after == After::Nothing
        }
        _ => true,
    }
}

fn is_unused(gather: &Gather<'_>, statement: AnyNodeRef<'_>) -> bool {
    matches!(statement, AnyNodeRef::StmtExpr(stmt) if stmt.value.range() == gather.site.range())
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

/// The first thing put into a list that is no coroutine, as far as can be seen.
pub(super) fn first_unknown<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> Option<&'a Expr> {
    let symbol = local(cx, name)?;
    let displayed = symbol
        .bindings
        .iter()
        .flat_map(|binding| match binding.kind {
            BindingKind::Value(value) => elements(value),
            _ => Vec::new(),
        });
    let uses = Uses::of(cx, symbol);
    let appended = uses
        .appended
        .iter()
        .filter_map(|call| call.arguments.args.first());
    let extended = uses
        .extended
        .iter()
        .filter_map(|call| call.arguments.args.first())
        .flat_map(elements);
    displayed
        .chain(appended)
        .chain(extended)
        .find(|element| !element.is_starred_expr() && !is_child_coroutine(cx, element))
}

fn elements(display: &Expr) -> Vec<&Expr> {
    displayed(display).unwrap_or_default()
}

fn displays_coroutines<'a>(cx: &Context<'a, '_>, display: &'a Expr) -> bool {
    displayed(display).is_some_and(|elements| {
        elements
            .iter()
            .all(|element| is_child_coroutine(cx, element))
    })
}

/// A coroutine, and no task of one.
fn is_child_coroutine<'a>(cx: &Context<'a, '_>, element: &'a Expr) -> bool {
    child(cx, element).is_some_and(|child| std::ptr::eq(child.coroutine, element))
}

/// The symbol, if it belongs to the coroutine itself: no parameter, no variable of others.
fn local<'a, 'm>(cx: &Context<'a, 'm>, name: &ExprName) -> Option<&'m Symbol<'a>> {
    let symbol = cx.module.symbol(name)?;
    let is_function = matches!(
        cx.module.scope_data(symbol.scope).kind,
        ScopeKind::Function(_)
    );
    let own = symbol.bindings.iter().all(|binding| {
        binding.from == symbol.scope && matches!(binding.kind, BindingKind::Value(_))
    });
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
                Some(
                    AnyNodeRef::StmtIf(_)
                    | AnyNodeRef::StmtWhile(_)
                    | AnyNodeRef::ElifElseClause(_),
                ) => {
                    uses.asked += 1;
                }
                Some(AnyNodeRef::ExprUnaryOp(operation)) if operation.op.is_not() => {
                    uses.asked += 1;
                }
                Some(AnyNodeRef::Arguments(_)) => {
                    let asks = cx.module.ancestors(node).nth(1).is_some_and(|outer| {
                        matches!(outer, AnyNodeRef::ExprCall(call)
                            if cx.module.refers_to(&call.func, "builtins.len") || cx.module.refers_to(&call.func, "builtins.bool"))
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

/// `tasks = [...]` directly before the statement of the gather, or before its guard.
fn adjacent_display<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    symbol: &Symbol<'a>,
    uses: &Uses<'a>,
) -> Option<List<'a>> {
    let statement = cx.module.statement(gather.site);
    let guard = guard(cx, statement, symbol);
    let stmt = place::previous(cx, guard.map_or(statement, AnyNodeRef::from))?;
    let display = assigned(cx, stmt, symbol)?;
    if !stands_alone(cx, stmt) || !removable(cx, gather, guard) {
        return None;
    }
    let elements: Vec<&'a Expr> = match display {
        Expr::List(list) => list.elts.iter().collect(),
        Expr::ListComp(comprehension) => vec![&comprehension.elt],
        Expr::Generator(generator) => vec![&generator.elt],
        _ => return None,
    };
    let children: Vec<Child<'a>> = elements
        .iter()
        .map(|element| child(cx, element))
        .collect::<Option<_>>()?;
    let calls: Option<Vec<&'a ExprCall>> = elements
        .iter()
        .zip(&children)
        .map(|(element, child)| match element {
            Expr::Call(call) if !std::ptr::eq(child.coroutine, *element) => Some(call),
            _ => None,
        })
        .collect();
    let suspends = cx.module.descendants(display).any(|node| {
        matches!(
            node,
            AnyNodeRef::ExprAwait(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_)
        ) || matches!(node, AnyNodeRef::Comprehension(clause) if clause.is_async)
    });
    let asked_in_guard = usize::from(guard.is_some());
    let only_use = symbol.bindings.len() == 1
        && symbol.reads.len() == 1 + asked_in_guard
        && !symbol.named_in_string;
    if only_use && !suspends && !is_type_comment(cx, stmt) {
        return Some(List::Inline {
            stmt,
            display,
            guard,
        });
    }
    // Tasks start at the first `await` after them, in the group as before it; a generator would
    // be used up.
    let calls = calls.filter(|_| {
        !display.is_generator_expr() && !uses.gathered.is_empty() && !yields(cx, display)
    })?;
    Some(List::Created {
        stmt,
        display,
        calls,
        guard,
    })
}

/// Whether a statement has the old kind of annotation, which cannot stand without it.
fn is_type_comment(cx: &Context<'_, '_>, stmt: &Stmt) -> bool {
    cx.module.placement(stmt).comment.is_some_and(|comment| {
        let text = cx.module.text(comment).trim_start_matches('#').trim_start();
        ["type:", "noqa", "pylint:", "pyright:"]
            .iter()
            .any(|it| text.starts_with(it))
    })
}

/// The value that a statement `name = value` gives to the symbol.
fn assigned<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt, symbol: &Symbol<'a>) -> Option<&'a Expr> {
    let (Expr::Name(name), value) = python::assignment(stmt)? else {
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
    if !removable(cx, gather, guard) {
        return None;
    }
    let asked_in_guard = usize::from(guard.is_some());
    let serves_nothing_else = uses.other.is_empty()
        && uses.gathered.len() == 1
        && uses.asked == asked_in_guard
        && is_unused(gather, statement);
    if serves_nothing_else && stands_alone(cx, empty) && !is_type_comment(cx, empty) {
        return Some(List::Loop {
            empty: Some(empty),
            body,
            appended,
            guard,
        });
    }
    // The list stays, and has to hold tasks as before, these and no others.
    let nobody_adds = uses
        .other
        .iter()
        .all(|read| *read > cx.module.id(gather.site));
    let all_created = appended.iter().all(|(call, child)| {
        call.arguments
            .args
            .first()
            .is_some_and(|element| !std::ptr::eq(element, child.coroutine))
    });
    (all_created && nobody_adds).then_some(List::Loop {
        empty: None,
        body,
        appended,
        guard,
    })
}

/// `if tasks:` or `if len(tasks) > 0:` with nothing in it but `statement`.
fn guard<'a>(
    cx: &Context<'a, '_>,
    statement: AnyNodeRef<'a>,
    symbol: &Symbol<'a>,
) -> Option<&'a Stmt> {
    let AnyNodeRef::StmtIf(guard) = cx.module.parent(statement)? else {
        return None;
    };
    let test = match &*guard.test {
        Expr::Compare(compare) => {
            let zero = matches!(&*compare.comparators, [Expr::NumberLiteral(number)]
                if matches!(&number.value, ast::Number::Int(int) if int.as_u64() == Some(0)));
            let is_more = matches!(&*compare.ops, [ast::CmpOp::Gt | ast::CmpOp::NotEq]);
            (zero && is_more && compare.left.is_call_expr()).then_some(&*compare.left)?
        }
        test => test,
    };
    let name = match test {
        Expr::Name(name) => name,
        Expr::Call(call) if cx.module.refers_to(&call.func, "builtins.len") => {
            call.arguments.args.first()?.as_name_expr()?
        }
        _ => return None,
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
