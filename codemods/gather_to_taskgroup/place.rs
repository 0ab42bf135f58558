//! Where in its statement a gather stands, and whether it can be moved before it.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, DictItem, Expr, ExprName, Stmt, StmtAssign, StmtExpr};
use python::{BindingKind, Ranged, ScopeKind};

use super::Gather;

/// What becomes of the results.
pub(super) enum Place<'a> {
    /// A statement of its own: nothing.
    Unused(&'a StmtExpr),
    /// `a, b = await gather(...)`: the plain names, one for each child.
    Names(&'a StmtAssign, Vec<&'a str>),
    /// They are a value in this statement, which evaluates nothing of effect before it.
    Value(AnyNodeRef<'a>),
}

impl<'a> Place<'a> {
    pub(super) fn of(cx: &Context<'a, '_>, gather: &Gather<'a>) -> Result<Self, Refusal> {
        let statement = cx.module.statement(gather.site);
        match statement {
            AnyNodeRef::StmtExpr(stmt) if is(&stmt.value, gather) => {
                return Ok(Place::Unused(stmt));
            }
            AnyNodeRef::StmtAssign(assign) if is(&assign.value, gather) => {
                if let Some(names) = plain_names(assign) {
                    return Ok(Place::Names(assign, names));
                }
            }
            _ => {}
        }
        check_evaluated_first(cx, gather, statement)?;
        Ok(Place::Value(statement))
    }
}

fn is(expr: &Expr, gather: &Gather<'_>) -> bool {
    expr.range() == gather.site.range()
}

/// The names that a tuple or list of nothing but distinct names binds.
fn plain_names(assign: &StmtAssign) -> Option<Vec<&str>> {
    let [
        Expr::Tuple(python::ast::ExprTuple { elts, .. })
        | Expr::List(python::ast::ExprList { elts, .. }),
    ] = assign.targets.as_slice()
    else {
        return None;
    };
    let mut names = Vec::new();
    for element in elts {
        let Expr::Name(name) = element else {
            return None;
        };
        let name = name.id.as_str();
        if names.contains(&name) && name != "_" {
            return None;
        }
        names.push(name);
    }
    Some(names)
}

/// Whether the statement evaluates the gather exactly once, and before it nothing but names and
/// constants: only then can the children start before the statement does.
fn check_evaluated_first<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    statement: AnyNodeRef<'a>,
) -> Result<(), Refusal> {
    let mut child = AnyNodeRef::from(gather.site);
    for parent in cx.module.ancestors(gather.site) {
        let first = match parent {
            _ if parent.is_statement() => {
                return check_statement(cx, gather, statement, child);
            }
            AnyNodeRef::ElifElseClause(_) => return Err(conditionally("an `elif` condition")),
            AnyNodeRef::ExprBoolOp(operation) => {
                if operation
                    .values
                    .first()
                    .is_none_or(|first| !same(first, child))
                {
                    return Err(conditionally("the right side of `and` or `or`"));
                }
                true
            }
            AnyNodeRef::ExprIf(branch) => {
                if !same(&branch.test, child) {
                    return Err(conditionally("a branch of a conditional expression"));
                }
                true
            }
            AnyNodeRef::ExprCompare(compare) => {
                if same(&compare.left, child) {
                    true
                } else if compare
                    .comparators
                    .first()
                    .is_some_and(|it| same(it, child))
                {
                    is_inert(cx, gather, &compare.left)
                } else {
                    return Err(conditionally("the tail of a comparison"));
                }
            }
            AnyNodeRef::Comprehension(_) | AnyNodeRef::Keyword(_) | AnyNodeRef::Arguments(_) => {
                true
            }
            AnyNodeRef::ExprListComp(_)
            | AnyNodeRef::ExprSetComp(_)
            | AnyNodeRef::ExprDictComp(_)
            | AnyNodeRef::ExprGenerator(_) => {
                if !is_first_iterable(parent, child, gather) {
                    return Err(withheld!(
                        "it stands in a comprehension, and is evaluated once for each element: write a loop"
                    ));
                }
                true
            }
            AnyNodeRef::ExprCall(call) => {
                same(&call.func, child)
                    || is_inert_callee(cx, gather, &call.func) && {
                        call.arguments
                        .iter_source_order()
                        .map(python::ast::ArgOrKeyword::value)
                        .take_while(|it| !cx.module.contains(*it, gather.site))
                        .all(|it| is_inert(cx, gather, it))
                        // `f(x=await ..., *xs)` unpacks `xs` first.
                        && (call.arguments.args.iter().any(|it| cx.module.contains(it, gather.site))
                            || !call.arguments.args.iter().any(Expr::is_starred_expr))
                    }
            }
            AnyNodeRef::ExprBinOp(operation) => {
                same(&operation.left, child) || is_inert(cx, gather, &operation.left)
            }
            AnyNodeRef::ExprSubscript(subscript) => {
                same(&subscript.value, child) || is_inert(cx, gather, &subscript.value)
            }
            AnyNodeRef::ExprTuple(python::ast::ExprTuple { elts, .. })
            | AnyNodeRef::ExprList(python::ast::ExprList { elts, .. }) => {
                all_before(cx, gather, elts.iter(), child)
            }
            AnyNodeRef::ExprSet(set) => all_before(cx, gather, set.elts.iter(), child),
            AnyNodeRef::ExprDict(dict) => {
                let mut before = dict
                    .items
                    .iter()
                    .take_while(|item| item.range().end() <= gather.site.start());
                let own = dict
                    .items
                    .iter()
                    .find(|item| item.range().contains_range(gather.site.range()));
                before.all(|item| is_inert_item(cx, gather, item))
                    && own
                        .and_then(|item| item.key.as_ref())
                        .is_none_or(|key| same(key, child) || is_inert(cx, gather, key))
            }
            // A field before it would be formatted before the children run.
            AnyNodeRef::FString(string) => {
                let mut fields = string.elements.interpolations();
                fields
                    .next()
                    .is_some_and(|first| cx.module.contains(first, child))
            }
            AnyNodeRef::InterpolatedElement(element) => same(&element.expression, child),
            AnyNodeRef::ExprFString(string) => string
                .value
                .f_strings()
                .find(|part| part.elements.interpolations().next().is_some())
                .is_some_and(|first| cx.module.contains(first, child)),
            AnyNodeRef::ExprAttribute(_)
            | AnyNodeRef::ExprAwait(_)
            | AnyNodeRef::ExprNamed(_)
            | AnyNodeRef::ExprStarred(_)
            | AnyNodeRef::ExprUnaryOp(_)
            | AnyNodeRef::ExprYield(_) => true,
            AnyNodeRef::WithItem(item) => same(&item.context_expr, child),
            AnyNodeRef::Decorator(_)
            | AnyNodeRef::Parameters(_)
            | AnyNodeRef::ParameterWithDefault(_) => {
                return Err(conditionally("a decorator or default value"));
            }
            _ => false,
        };
        if !first {
            return Err(withheld!(
                "something else is evaluated before it in the same statement, and the children would start earlier: give its result a name first"
            ));
        }
        child = parent;
    }
    Err(Refusal::NotOurs) // not inside a statement
}

fn conditionally(what: &str) -> Refusal {
    withheld!(
        "it stands in {what}, which is not always evaluated once: give its result a name first"
    )
}

fn same(expr: &Expr, node: AnyNodeRef<'_>) -> bool {
    AnyNodeRef::from(expr).ptr_eq(node)
}

fn check_statement<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    statement: AnyNodeRef<'a>,
    child: AnyNodeRef<'a>,
) -> Result<(), Refusal> {
    let first = match statement {
        AnyNodeRef::StmtExpr(_) | AnyNodeRef::StmtReturn(_) => true,
        AnyNodeRef::StmtAssign(assign) => same(&assign.value, child),
        AnyNodeRef::StmtAnnAssign(assign) => assign
            .value
            .as_deref()
            .is_some_and(|value| same(value, child)),
        AnyNodeRef::StmtAugAssign(assign) => {
            // The target is read before the value: another task may change it meanwhile.
            let is_local = same(&assign.value, child)
                && matches!(&*assign.target, Expr::Name(name) if is_own(cx, gather, name));
            if !is_local {
                return Err(withheld!(
                    "`{}` is read before the children run and written after: assign the result to a name first",
                    cx.module.text(&*assign.target)
                ));
            }
            true
        }
        AnyNodeRef::StmtFor(stmt) => same(&stmt.iter, child),
        AnyNodeRef::StmtIf(stmt) => same(&stmt.test, child),
        AnyNodeRef::StmtMatch(stmt) => same(&stmt.subject, child),
        AnyNodeRef::StmtRaise(stmt) => stmt.exc.as_deref().is_some_and(|exc| same(exc, child)),
        AnyNodeRef::StmtWith(stmt) => {
            let first = stmt.items.first();
            first.is_some_and(|item| AnyNodeRef::from(item).ptr_eq(child))
        }
        AnyNodeRef::StmtWhile(_) => {
            return Err(conditionally("a `while` condition"));
        }
        AnyNodeRef::StmtAssert(_) => {
            return Err(withheld!(
                "it stands in `assert`, which `python -O` leaves out: give its result a name first"
            ));
        }
        _ => false,
    };
    if first {
        return Ok(());
    }
    Err(withheld!(
        "something else is evaluated before it in the same statement, and the children would start earlier: give its result a name first"
    ))
}

fn is_first_iterable(
    comprehension: AnyNodeRef<'_>,
    child: AnyNodeRef<'_>,
    gather: &Gather<'_>,
) -> bool {
    let clauses = match comprehension {
        AnyNodeRef::ExprListComp(it) => &it.generators,
        AnyNodeRef::ExprSetComp(it) => &it.generators,
        AnyNodeRef::ExprDictComp(it) => &it.generators,
        AnyNodeRef::ExprGenerator(it) => &it.generators,
        _ => return false,
    };
    clauses.first().is_some_and(|clause| {
        AnyNodeRef::from(clause).ptr_eq(child)
            && clause.iter.range().contains_range(gather.site.range())
    })
}

fn all_before<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    elements: impl Iterator<Item = &'a Expr>,
    child: AnyNodeRef<'a>,
) -> bool {
    elements
        .take_while(|element| !same(element, child))
        .all(|element| is_inert(cx, gather, element))
}

/// Whether evaluating `expr` late changes nothing: a constant, a display of such, or a name that
/// neither another task nor the gather itself can bind anew meanwhile.
fn is_inert<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Name(name) => is_unshared(cx, gather, name),
        Expr::UnaryOp(operation) => operation.operand.is_literal_expr(),
        Expr::List(list) => list.elts.iter().all(|it| is_inert(cx, gather, it)),
        Expr::Tuple(tuple) => tuple.elts.iter().all(|it| is_inert(cx, gather, it)),
        Expr::Dict(dict) => dict
            .items
            .iter()
            .all(|item| is_inert_item(cx, gather, item)),
        _ => expr.is_literal_expr(),
    }
}

fn is_inert_item<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>, item: &'a DictItem) -> bool {
    // `**mapping` copies what the children may change.
    item.key
        .as_ref()
        .is_some_and(|key| is_inert(cx, gather, key))
        && is_inert(cx, gather, &item.value)
}

fn is_unshared<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>, name: &'a ExprName) -> bool {
    cx.module.symbol(name).is_none_or(|symbol| {
        is_own(cx, gather, name)
            || matches!(symbol.bindings.as_slice(), [binding]
                if binding.from == symbol.scope
                    && symbol.scope != cx.module.scope(name)
                    && !matches!(binding.kind, BindingKind::Loop | BindingKind::Augmented | BindingKind::Deleted))
    })
}

/// Whether only the coroutine itself binds this name, and not inside the gather.
fn is_own<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>, name: &'a ExprName) -> bool {
    cx.module.symbol(name).is_some_and(|symbol| {
        let own = cx.module.scope(name);
        let is_function = matches!(cx.module.scope_data(own).kind, ScopeKind::Function(_));
        is_function
            && symbol.scope == own
            && symbol.bindings.iter().all(|binding| {
                binding.from == own
                    && !cx
                        .module
                        .contains(gather.site, cx.module.node(binding.node))
            })
    })
}

/// A name, a name of an imported module, a method of a literal, or one of a list or the like that
/// was displayed here.
fn is_inert_callee<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>, func: &'a Expr) -> bool {
    match func {
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(name) if is_own(cx, gather, name) => {
                cx.module.symbol(name).is_some_and(|symbol| {
                    symbol.bindings.iter().all(|binding| {
                        matches!(
                            binding.kind,
                            // It changes in place, if it is one of these.
                            BindingKind::Augmented
                                | BindingKind::Value(
                                    Expr::List(_)
                                        | Expr::ListComp(_)
                                        | Expr::Set(_)
                                        | Expr::SetComp(_)
                                        | Expr::Dict(_)
                                        | Expr::DictComp(_)
                                )
                        )
                    })
                })
            }
            value => value.is_literal_expr() || cx.module.qualified_name(func).is_some(),
        },
        _ => is_inert(cx, gather, func),
    }
}

/// The statement before `statement` in the same block.
pub(super) fn previous<'a>(cx: &Context<'a, '_>, statement: AnyNodeRef<'a>) -> Option<&'a Stmt> {
    let (body, position) = cx.module.siblings(statement)?;
    body.get(position.checked_sub(1)?)
}
