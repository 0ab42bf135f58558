//! Statements that move to a thread together, as one function.

use std::rc::Rc;

use edit::Applicability;
use engine::{Context, width};
use python::ast::{AnyNodeRef, Expr, ExprCall, Stmt, StmtFunctionDef, StmtWith};
use python::{After, NodeId, Ranged, TextRange};

use super::effects::{self, own_nodes};
use super::kind::{Kind, kind, next_that_blocks};
use super::names::{Given, given, last_statement};
use super::render::name;
use super::surroundings;
use super::table::Category;

/// Statements that are to move together.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The first and the last of them: adjacent statements of one list.
    pub(super) first: NodeId,
    pub(super) last: NodeId,
    /// What the new function is called.
    pub(super) name: String,
    /// What they give to the code after them.
    pub(super) gives: Gives,
    pub(super) applicability: Applicability,
    /// Why nobody knows whether they may go, where that is so.
    pub(super) doubt: Option<String>,
}

/// What the new function returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Nothing,
    /// This name, from a `return` at the end.
    Name(String),
    /// The value of the last statement, an assignment, whose targets stay where they are.
    Value(NodeId),
    /// The value of the `return` at the end: the coroutine returns it.
    Returned(NodeId),
}

/// The block that `call` belongs to, if it moves with others.
pub(super) fn of<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    coroutine: &'a StmtFunctionDef,
) -> Option<Block> {
    let blocks = blocks(cx, coroutine);
    let id = cx.module.id(call);
    blocks
        .iter()
        .find(|block| {
            let last = cx.module.node(block.last);
            block.first <= id && (id <= block.last || cx.module.contains(last, call))
        })
        .cloned()
}

/// Why the `with` statement whose item is a call of what only opens something cannot move.
pub(super) fn problem<'a>(
    cx: &Context<'a, '_>,
    with: &'a StmtWith,
    coroutine: &'a StmtFunctionDef,
) -> String {
    let stmt = cx
        .module
        .siblings(with)
        .and_then(|(body, position)| body.get(position..=position));
    match stmt.map(|stmts| moved(cx, coroutine, stmts)) {
        Some(Err(why)) => why,
        _ => "it shares its lines with other statements".to_string(),
    }
}

/// The blocks of a coroutine, by position.
fn blocks<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> Rc<Vec<Block>> {
    cx.remember("blocks", cx.module.id(coroutine), || {
        let mut found = Vec::new();
        if !cx.module.is_reflective(coroutine) {
            collect(cx, coroutine, &coroutine.body, &mut found);
        }
        found
    })
}

/// Adds the blocks in a list of statements, and in the lists inside of these.
fn collect<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    body: &'a [Stmt],
    found: &mut Vec<Block>,
) {
    let mut at = 0;
    while let Some(stmt) = body.get(at) {
        let Some(kind) = kind(cx, stmt) else {
            inner(cx, coroutine, stmt, found);
            at += 1;
            continue;
        };
        let mut end = at + 1;
        let mut best = moved(cx, coroutine, &body[at..end]);
        // One more line, as long as the whole may go and nobody has doubts.
        while let Ok(moved_so_far) = &best
            && moved_so_far.doubt.is_none()
            && !matches!(moved_so_far.gives, Gives::Returned(_))
            && let Some(next) = next_that_blocks(cx, body, end)
            && stands_alone(cx, &body[end..=next])
        {
            match moved(cx, coroutine, &body[at..=next]) {
                Ok(longer) if longer.doubt.is_none() && is_of_one_kind(&longer.calls) => {
                    best = Ok(longer);
                    end = next + 1;
                }
                _ => break,
            }
        }
        let is_worth_it = end - at > 1 || kind == Kind::Whole;
        match best {
            Ok(moved) if is_worth_it && stands_alone(cx, &body[at..end]) => {
                let name = name(cx, coroutine, &moved.calls, found);
                let is_too_long = kind != Kind::Whole && is_too_long(cx, &body[at..end]);
                if let (Some(name), false) = (name, is_too_long) {
                    found.push(Block {
                        first: cx.module.id(&body[at]),
                        last: cx.module.id(&body[end - 1]),
                        name,
                        gives: moved.gives,
                        applicability: match moved.doubt {
                            Some(_) => Applicability::Unsafe,
                            None => Applicability::Intended,
                        },
                        doubt: moved.doubt,
                    });
                    at = end;
                    continue;
                }
                inner(cx, coroutine, stmt, found);
                at += 1;
            }
            _ => {
                inner(cx, coroutine, stmt, found);
                at += 1;
            }
        }
    }
}

/// The lists of statements inside a statement, which belong to the same function.
fn inner<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    stmt: &'a Stmt,
    found: &mut Vec<Block>,
) {
    match stmt {
        Stmt::If(stmt) => {
            collect(cx, coroutine, &stmt.body, found);
            for clause in &stmt.elif_else_clauses {
                collect(cx, coroutine, &clause.body, found);
            }
        }
        Stmt::For(stmt) => {
            collect(cx, coroutine, &stmt.body, found);
            collect(cx, coroutine, &stmt.orelse, found);
        }
        Stmt::While(stmt) => {
            collect(cx, coroutine, &stmt.body, found);
            collect(cx, coroutine, &stmt.orelse, found);
        }
        Stmt::With(stmt) => collect(cx, coroutine, &stmt.body, found),
        Stmt::Try(stmt) => {
            collect(cx, coroutine, &stmt.body, found);
            for handler in &stmt.handlers {
                let python::ast::ExceptHandler::ExceptHandler(handler) = handler;
                collect(cx, coroutine, &handler.body, found);
            }
            collect(cx, coroutine, &stmt.orelse, found);
            collect(cx, coroutine, &stmt.finalbody, found);
        }
        Stmt::Match(stmt) => {
            for case in &stmt.cases {
                collect(cx, coroutine, &case.body, found);
            }
        }
        _ => {}
    }
}

/// A call that blocks: its name, what it waits for, and the call.
pub(super) type Waits = (String, Category, NodeId);

/// What becomes of statements that move.
struct Moved {
    gives: Gives,
    doubt: Option<String>,
    /// The calls in them that block.
    calls: Vec<Waits>,
}

/// Whether `stmts` can move together, and how; or why not.
fn moved<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    stmts: &'a [Stmt],
) -> Result<Moved, String> {
    let mut doubt = None;
    let mut calls = Vec::new();
    for stmt in stmts {
        check_syntax(cx, stmt, stmts)?;
        let effects = effects::of_block(cx, stmt.into(), assigned_last(stmts));
        if let Some(why) = effects.obstacle {
            return Err(why);
        }
        doubt = doubt.or(effects.doubt);
        let found = effects.blocking.into_iter();
        calls.extend(found.map(|it| (it.name, it.category, it.call)));
    }
    check_update(cx, stmts)?;
    let gives = gives(cx, coroutine, stmts)?;
    Ok(Moved {
        gives,
        doubt,
        calls,
    })
}

/// `self.text = self.text + f.read()` reads in the thread and writes after it, and so loses what
/// other tasks write meanwhile.
fn check_update(cx: &Context<'_, '_>, stmts: &[Stmt]) -> Result<(), String> {
    let module = cx.module;
    for target in assigned_last(stmts) {
        if !surroundings::is_shared(cx, target) {
            continue;
        }
        let text = module.text(target);
        let is_read = |node: AnyNodeRef<'_>| {
            surroundings::is_load(node)
                && module.text(node) == text
                && !module.contains(target, node)
        };
        if stmts
            .iter()
            .any(|stmt| module.descendants(stmt).any(is_read))
        {
            return Err(format!(
                "`{}` is read in it and set by it, and what other tasks set meanwhile would be lost",
                effects::one_line(text)
            ));
        }
    }
    Ok(())
}

/// The targets of the last statement, which stay outside: what it sets is set by the coroutine.
fn assigned_last(stmts: &[Stmt]) -> &[Expr] {
    match last_statement(stmts) {
        Some(Stmt::Assign(assign)) => &assign.targets,
        Some(Stmt::AnnAssign(assign)) => std::slice::from_ref(&*assign.target),
        _ => &[],
    }
}

fn check_syntax<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt, stmts: &'a [Stmt]) -> Result<(), String> {
    let module = cx.module;
    let last = last_statement(stmts).map(Ranged::range);
    for node in own_nodes(cx, stmt.into()) {
        let why = match node {
            AnyNodeRef::ExprAwait(_) => "awaits",
            AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => "yields",
            AnyNodeRef::StmtWith(with) if with.is_async => "awaits",
            AnyNodeRef::StmtFor(stmt) if stmt.is_async => "awaits",
            AnyNodeRef::Comprehension(clause) if clause.is_async => "awaits",
            AnyNodeRef::StmtReturn(stmt) => {
                if Some(stmt.range()) == last && stmt.value.is_some() {
                    continue;
                }
                "returns in the middle"
            }
            AnyNodeRef::StmtBreak(_) | AnyNodeRef::StmtContinue(_) => {
                let in_loop = module
                    .ancestors(node)
                    .take_while(|it| stmt.range().contains_range(it.range()))
                    .any(|it| matches!(it, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_)));
                if in_loop {
                    continue;
                }
                "leaves a loop around it"
            }
            AnyNodeRef::StmtGlobal(_) | AnyNodeRef::StmtNonlocal(_) => "declares a name",
            AnyNodeRef::StmtImportFrom(import)
                if import.names.iter().any(|alias| alias.name.as_str() == "*") =>
            {
                "imports `*`"
            }
            AnyNodeRef::ExprName(name) if name.id == "__class__" => "uses `__class__`",
            AnyNodeRef::ExprCall(call)
                if call.arguments.is_empty()
                    && matches!(&*call.func, Expr::Name(name) if name.id == "super") =>
            {
                "uses `super()`"
            }
            AnyNodeRef::ExprCall(call) if module.refers_to(&call.func, "time.sleep") => "sleeps",
            _ => continue,
        };
        return Err(format!("it {why}"));
    }
    Ok(())
}

fn gives<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    stmts: &'a [Stmt],
) -> Result<Gives, String> {
    let module = cx.module;
    let last = last_statement(stmts);
    if let Some(Stmt::Return(stmt)) = last {
        given(cx, coroutine, stmts)?;
        return Ok(Gives::Returned(module.id(stmt)));
    }
    let range = match (stmts.first(), stmts.last()) {
        (Some(first), Some(last)) => TextRange::new(first.start(), last.end()),
        _ => return Ok(Gives::Nothing),
    };
    // Targets that read a name which is bound here would read it where it is not.
    let stays_outside = |target: &'a Expr| {
        module.descendants(target).all(|node| match node {
            AnyNodeRef::ExprName(name) => {
                name.ctx != python::ast::ExprContext::Load
                    || module.symbol(name).is_none_or(|symbol| {
                        !symbol
                            .bindings
                            .iter()
                            .any(|binding| range.contains_range(module.node(binding.node).range()))
                    })
            }
            AnyNodeRef::ExprCall(_) => false,
            _ => true,
        })
    };
    let is_plain = |target: &Expr| {
        matches!(
            target,
            Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_)
        ) || matches!(target, Expr::Tuple(tuple) if tuple.elts.iter().all(Expr::is_name_expr))
    };
    let targets = assigned_last(stmts);
    if let (Some(last), [target]) = (last, targets)
        && is_plain(target)
        && stays_outside(target)
        && let Some(value) = value_of(last)
    {
        let others = given_without(cx, coroutine, stmts, last)?;
        if others.is_none() {
            // The targets go below what is assigned to them.
            let start = module.parenthesized(value).start();
            let head = TextRange::new(last.start(), start);
            if !module.comments(head).is_empty() {
                return Err("a comment stands before what it assigns".to_string());
            }
            return Ok(Gives::Value(module.id(last)));
        }
    }
    match given(cx, coroutine, stmts)? {
        Some(Given { name, .. }) => Ok(Gives::Name(name)),
        None => Ok(Gives::Nothing),
    }
}

/// The name that `stmts` give to the code after them besides what `last`, the last of them,
/// assigns.
fn given_without<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    stmts: &'a [Stmt],
    last: &'a Stmt,
) -> Result<Option<Given>, String> {
    super::names::given_before(cx, coroutine, stmts, last.range())
}

fn value_of(stmt: &Stmt) -> Option<&Expr> {
    match stmt {
        Stmt::Assign(assign) => Some(&assign.value),
        Stmt::AnnAssign(assign) => assign.value.as_deref(),
        Stmt::Return(stmt) => stmt.value.as_deref(),
        _ => None,
    }
}

/// Whether statements have their lines to themselves.
fn stands_alone(cx: &Context<'_, '_>, stmts: &[Stmt]) -> bool {
    let alone = |stmt: &Stmt| {
        let placement = cx.module.placement(stmt);
        placement.before.is_none() && placement.after == After::Nothing
    };
    let at_ends = |stmt: &Stmt| match last_statement(std::slice::from_ref(stmt)) {
        Some(last) => cx.module.placement(last).after == After::Nothing,
        None => true,
    };
    stmts.iter().all(|stmt| alone(stmt) && at_ends(stmt))
}

/// Whether calls wait for the same kind of thing: what does is one step to whoever reads it.
fn is_of_one_kind(calls: &[Waits]) -> bool {
    let kind = |category: Category| match category {
        Category::Metadata => Category::Files,
        category => category,
    };
    let mut kinds = calls.iter().map(|(_, category, _)| kind(*category));
    match kinds.next() {
        Some(first) => kinds.all(|it| it == first),
        None => false,
    }
}

/// Whether a line of the statements gets too long when it stands one level deeper.
fn is_too_long(cx: &Context<'_, '_>, stmts: &[Stmt]) -> bool {
    let (Some(first), Some(last)) = (stmts.first(), stmts.last()) else {
        return true;
    };
    let module = cx.module;
    let range = TextRange::new(first.start(), last.end());
    let deeper = width(module.indent());
    module.lines_to_indent(range).into_iter().any(|line| {
        let text = module.text(TextRange::new(line, module.line_end(line)));
        width(text) <= cx.settings.line_length && width(text) + deeper > cx.settings.line_length
    })
}
