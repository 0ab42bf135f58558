//! The names that statements bind, and which of them are needed when the statements have moved
//! into a function of their own.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, Stmt, StmtFunctionDef};
use python::{Binding, BindingKind, NodeId, Ranged, ScopeKind, Symbol, TextRange};

/// Why names do not let statements move.
pub(super) type Problem = String;

/// The name that statements give to the code after them, at most one, with where it is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) name: String,
    /// The last binding of it.
    pub(super) binding: NodeId,
}

/// The name that `stmts`, adjacent statements of `coroutine`, give to the code around them.
///
/// A name that is read only by them becomes a local one of the new function. That holds if no
/// read of it can see what was bound elsewhere, in an earlier turn of a loop included; and if no
/// read elsewhere can see what is bound here.
pub(super) fn given<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    stmts: &'a [Stmt],
) -> Result<Option<Given>, Problem> {
    given_before(cx, coroutine, stmts, TextRange::default())
}

/// The same where what is bound in `outside`, by the last of them, is bound by the coroutine
/// itself.
pub(super) fn given_before<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    stmts: &'a [Stmt],
    outside: TextRange,
) -> Result<Option<Given>, Problem> {
    let module = cx.module;
    let (Some(first), Some(last)) = (stmts.first(), stmts.last()) else {
        return Ok(None);
    };
    let range = TextRange::new(first.start(), last.end());
    let in_try = is_watched(cx, first);
    let mut given: Option<Given> = None;
    for symbol in bound_in(cx, coroutine, range)? {
        let is_inside = |binding: &&Binding<'a>| {
            let node = module.node(binding.node).range();
            range.contains_range(node) && !outside.contains_range(node)
        };
        let (inside, outside): (Vec<&Binding<'a>>, Vec<&Binding<'a>>) =
            symbol.bindings.iter().partition(is_inside);
        // What only the coroutine binds is seen as it is now.
        if inside.is_empty() {
            continue;
        }
        let mut escapes = symbol.named_in_string;
        for read in &symbol.reads {
            let node = module.node(*read);
            if range.contains_range(node.range()) {
                if !inside.iter().any(|binding| dominates(cx, binding, node)) {
                    return Err(format!(
                        "`{}` may be read there before it is set",
                        symbol.name
                    ));
                }
            } else if !is_set_anew(cx, &outside, node, range, first.into()) {
                escapes = true;
            }
        }
        if !escapes {
            continue;
        }
        if let Some(other) = &given {
            return Err(format!(
                "it sets `{}` and `{}`, which are used after it",
                other.name, symbol.name
            ));
        }
        let binding = inside
            .iter()
            .rfind(|binding| is_unconditional(cx, binding, stmts));
        let Some(binding) = binding else {
            return Err(format!(
                "it sets `{}`, which is used after it, only under a condition",
                symbol.name
            ));
        };
        // If something raises after it, whoever handles that sees the name.
        if in_try && !is_last(cx, binding.node, stmts) {
            return Err(format!(
                "`{}` is set in it before it may fail, and whoever handles that can see it",
                symbol.name
            ));
        }
        given = Some(Given {
            name: symbol.name.to_string(),
            binding: binding.node,
        });
    }
    Ok(given)
}

/// The names of `coroutine` that are bound in `range`.
fn bound_in<'a, 'c>(
    cx: &'c Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    range: TextRange,
) -> Result<Vec<&'c Symbol<'a>>, Problem> {
    let module = cx.module;
    let mut found = Vec::new();
    for symbol in module.symbols() {
        let mut bindings = symbol
            .bindings
            .iter()
            .filter(|binding| range.contains_range(module.node(binding.node).range()))
            .peekable();
        if bindings.peek().is_none() {
            continue;
        }
        match module.scope_data(symbol.scope).kind {
            ScopeKind::Function(function) if module.id(function) == module.id(coroutine) => {
                if bindings.any(|it| matches!(it.kind, BindingKind::Deleted)) {
                    return Err(format!("it deletes `{}`", symbol.name));
                }
                found.push(symbol);
            }
            // Bound by what is defined in the range, and local to that.
            ScopeKind::Comprehension | ScopeKind::Lambda | ScopeKind::TypeParameters => {}
            ScopeKind::Function(function) if range.contains_range(function.range()) => {}
            ScopeKind::Class(class) if range.contains_range(class.range()) => {}
            _ => {
                return Err(format!(
                    "it sets `{}`, a name of the code around the coroutine",
                    symbol.name
                ));
            }
        }
    }
    Ok(found)
}

/// Whether every way to `read` goes through `binding`.
fn dominates<'a>(cx: &Context<'a, '_>, binding: &Binding<'a>, read: AnyNodeRef<'a>) -> bool {
    let module = cx.module;
    let node = module.node(binding.node);
    if node.start() >= read.start() {
        return false;
    }
    let statement = module.statement(node);
    match statement {
        AnyNodeRef::StmtFor(stmt) if module.contains(&*stmt.target, node) => {
            return stmt.body.iter().any(|it| module.contains(it, read));
        }
        AnyNodeRef::StmtAssign(_)
        | AnyNodeRef::StmtAnnAssign(_)
        | AnyNodeRef::StmtFunctionDef(_)
        | AnyNodeRef::StmtClassDef(_)
        | AnyNodeRef::StmtImport(_)
        | AnyNodeRef::StmtImportFrom(_) => {
            // The value is evaluated before the name is bound; what a definition holds runs later.
            let is_definition = matches!(statement, AnyNodeRef::StmtFunctionDef(_));
            if module.contains(statement, read) && !is_definition {
                return matches!(module.parent(node), Some(AnyNodeRef::ExprNamed(_)));
            }
            if matches!(binding.kind, BindingKind::Declared) {
                return false;
            }
        }
        AnyNodeRef::StmtAugAssign(_) => return false,
        AnyNodeRef::StmtWith(with) => {
            if with.body.iter().any(|it| module.contains(it, read)) {
                return true;
            }
        }
        AnyNodeRef::StmtTry(_) => {
            // `except E as name`
            return module.contains(node, read);
        }
        // A walrus in a condition or a value, a capture in a pattern.
        _ => {
            if module.contains(statement, read) {
                return !is_conditional(cx, node, statement);
            }
            if is_conditional(cx, node, statement)
                || matches!(
                    statement,
                    AnyNodeRef::StmtWhile(_) | AnyNodeRef::StmtMatch(_)
                )
            {
                return false;
            }
        }
    }
    let mut statement = statement;
    loop {
        if let Some((body, position)) = module.siblings(statement)
            && body
                .get(position + 1..)
                .unwrap_or_default()
                .iter()
                .any(|later| module.contains(later, read))
        {
            return true;
        }
        // A `with` whose context swallows nothing is left when its last statement is done.
        match module.parent(statement) {
            Some(with @ AnyNodeRef::StmtWith(_)) => statement = with,
            _ => return false,
        }
    }
}

/// Whether an expression in a statement need not be evaluated when the statement is.
fn is_conditional<'a>(
    cx: &Context<'a, '_>,
    node: AnyNodeRef<'a>,
    statement: AnyNodeRef<'a>,
) -> bool {
    cx.module
        .ancestors(node)
        .take_while(|it| cx.module.id(*it) != cx.module.id(statement))
        .any(|it| {
            matches!(
                it,
                AnyNodeRef::ExprBoolOp(_)
                    | AnyNodeRef::ExprIf(_)
                    | AnyNodeRef::Comprehension(_)
                    | AnyNodeRef::ExprListComp(_)
                    | AnyNodeRef::ExprSetComp(_)
                    | AnyNodeRef::ExprDictComp(_)
                    | AnyNodeRef::ExprGenerator(_)
                    | AnyNodeRef::ElifElseClause(_)
                    | AnyNodeRef::ExprCompare(_)
                    | AnyNodeRef::MatchCase(_)
            )
        })
}

/// Whether a read outside of `range` sees what one of `bindings`, which are outside too, has bound
/// since `range` was left.
fn is_set_anew<'a>(
    cx: &Context<'a, '_>,
    bindings: &[&Binding<'a>],
    read: AnyNodeRef<'a>,
    range: TextRange,
    site: AnyNodeRef<'a>,
) -> bool {
    let module = cx.module;
    let loops: Vec<AnyNodeRef<'a>> = module
        .ancestors(site)
        .take_while(|it| !matches!(it, AnyNodeRef::StmtFunctionDef(_)))
        .filter(|it| matches!(it, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_)))
        .filter(|it| module.contains(*it, read))
        .collect();
    // Before it, and never again: the read cannot see it.
    let is_own =
        module.function(read).map(Ranged::range) == module.function(site).map(Ranged::range);
    if loops.is_empty() && read.end() <= range.start() && is_own {
        return true;
    }
    bindings.iter().any(|binding| {
        let node = module.node(binding.node);
        let between = node.start() < range.start() && range.end() <= read.start();
        dominates(cx, binding, read)
            && !between
            && loops.iter().all(|it| module.contains(*it, node))
    })
}

/// Whether a binding is done whenever all of `stmts` is.
fn is_unconditional<'a>(cx: &Context<'a, '_>, binding: &Binding<'a>, stmts: &'a [Stmt]) -> bool {
    let module = cx.module;
    let node = module.node(binding.node);
    let mut statement = module.statement(node);
    match statement {
        AnyNodeRef::StmtAssign(_)
        | AnyNodeRef::StmtAnnAssign(_)
        | AnyNodeRef::StmtAugAssign(_)
        | AnyNodeRef::StmtExpr(_)
        | AnyNodeRef::StmtReturn(_) => {
            if is_conditional(cx, node, statement) || matches!(binding.kind, BindingKind::Declared)
            {
                return false;
            }
        }
        _ => return false,
    }
    loop {
        if stmts
            .iter()
            .any(|stmt| module.id(stmt) == module.id(statement))
        {
            return true;
        }
        match module.parent(statement) {
            Some(with @ AnyNodeRef::StmtWith(_)) => statement = with,
            _ => return false,
        }
    }
}

/// Whether nothing comes after the statement that holds `node` but the ends of `with` blocks.
fn is_last<'a>(cx: &Context<'a, '_>, node: NodeId, stmts: &'a [Stmt]) -> bool {
    let statement = cx.module.statement(cx.module.node(node));
    last_statement(stmts).is_some_and(|last| last.range() == statement.range())
}

/// The last statement of `stmts`, through `with` blocks.
pub(super) fn last_statement(stmts: &[Stmt]) -> Option<&Stmt> {
    match stmts.last()? {
        Stmt::With(with) => last_statement(&with.body),
        last => Some(last),
    }
}

/// Whether the coroutine goes on where `stmts` raise: then it sees what they have done so far.
fn is_watched(cx: &Context<'_, '_>, first: &Stmt) -> bool {
    cx.module.blocks(first).iter().any(|block| match block {
        python::Block::Try(_, _) => true,
        python::Block::With(with) => with.items.iter().any(|item| {
            !matches!(&item.context_expr, Expr::Call(call)
            if cx.module.qualified_name(&call.func).is_some_and(|name| {
                super::table::find(&name).is_some()
            }))
        }),
        _ => false,
    })
}
