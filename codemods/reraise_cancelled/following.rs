//! What runs after a handler that falls through.

use engine::{Context, has_word, names_cleanup};
use python::Ranged;
use python::ast::{AnyNodeRef, ExceptHandlerExceptHandler, Expr, ExprCall, Operator, Stmt};

/// What runs after a handler.
#[derive(Clone, Copy, Debug)]
pub enum Following<'a> {
    /// Nothing.
    Nothing,
    /// The next turn of the loop, at once. Whether its loop ends by itself: `while True` does not.
    NextTurn { ends: bool },
    /// What is of no consequence: a line of the log.
    Harmless,
    /// The same, and then `return x`.
    Value(&'a Expr),
    /// Something with a name like that of cleanup.
    Cleanup(&'a str),
    /// A `raise`, whatever the handler caught.
    Raise,
    /// Something else.
    Code,
}

/// What runs after the `try` statement of a handler that falls through.
pub fn after_try<'a>(
    cx: &Context<'a, '_>,
    handler: &'a ExceptHandlerExceptHandler,
) -> Following<'a> {
    let mut statements = Vec::new();
    let in_loop = cx
        .module
        .parent(handler)
        .is_some_and(|stmt| collect(cx, stmt, &mut statements));
    match judge(cx, handler.into(), &statements) {
        // The next turn of the loop comes first.
        Following::Raise if in_loop => Following::Code,
        Following::Nothing | Following::Harmless | Following::Value(_) if in_loop => {
            Following::NextTurn {
                ends: around_loop(cx, handler.into()).is_some_and(ends),
            }
        }
        following => following,
    }
}

/// What runs in a coroutine after a statement of it.
pub fn after<'a>(cx: &Context<'a, '_>, stmt: AnyNodeRef<'a>) -> Following<'a> {
    let mut statements = Vec::new();
    collect(cx, stmt, &mut statements);
    judge(cx, stmt, &statements)
}

/// What runs after the loop that a `break` ends.
pub fn after_loop<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt) -> Following<'a> {
    let around = around_loop(cx, stmt.into());
    let mut statements = Vec::new();
    let in_loop = around.is_some_and(|around| collect(cx, around, &mut statements));
    if in_loop {
        return Following::Code; // the next turn of the loop further out
    }
    judge(cx, stmt.into(), &statements)
}

/// The innermost loop around a node.
fn around_loop<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Option<AnyNodeRef<'a>> {
    cx.module
        .blocks(node)
        .into_iter()
        .find_map(|block| match block {
            python::Block::For(stmt) => Some(AnyNodeRef::from(stmt)),
            python::Block::While(stmt) => Some(AnyNodeRef::from(stmt)),
            _ => None,
        })
}

/// Whether a loop ends by itself: `while True` does not.
fn ends(stmt: AnyNodeRef<'_>) -> bool {
    match stmt {
        AnyNodeRef::StmtWhile(stmt) => match &*stmt.test {
            Expr::BooleanLiteral(literal) => !literal.value,
            test => !test.is_number_literal_expr(),
        },
        _ => true,
    }
}

/// The statements that run after `stmt` when it ends as it should, up to the end of the function,
/// and whether a loop around it starts its next turn then.
fn collect<'a>(cx: &Context<'a, '_>, stmt: AnyNodeRef<'a>, statements: &mut Vec<&'a Stmt>) -> bool {
    let module = cx.module;
    let mut in_loop = false;
    let mut current = stmt;
    loop {
        if let Some((body, position)) = module.siblings(current) {
            let next = &body[position + 1..];
            let end = next.iter().position(leaves);
            statements.extend(next.iter().take(end.map_or(next.len(), |end| end + 1)));
            if end.is_some() {
                return in_loop; // what is further out does not run
            }
        }
        // A clause has no siblings: what follows is behind its statement.
        let Some(parent) = module.parent(current) else {
            return in_loop;
        };
        match parent {
            AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ModModule(_) => return in_loop,
            AnyNodeRef::StmtFor(outer) if holds(&outer.body, current) => {
                in_loop = true;
                statements.extend(&outer.orelse);
            }
            AnyNodeRef::StmtWhile(outer) if holds(&outer.body, current) => {
                in_loop = true;
                statements.extend(&outer.orelse);
            }
            AnyNodeRef::StmtTry(outer) if holds(&outer.body, current) => {
                statements.extend(&outer.orelse);
            }
            _ => {}
        }
        current = parent;
    }
}

/// Whether a statement ends the function.
fn leaves(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Return(_) | Stmt::Raise(_))
}

fn holds(body: &[Stmt], node: AnyNodeRef<'_>) -> bool {
    body.iter().any(|stmt| stmt.range() == node.range())
}

fn judge<'a>(cx: &Context<'a, '_>, from: AnyNodeRef<'a>, statements: &[&'a Stmt]) -> Following<'a> {
    let mut found = Following::Nothing;
    for statement in statements {
        if matches!(statement, Stmt::Pass(_))
            || matches!(statement, Stmt::Return(stmt) if stmt.value.is_none())
        {
            continue;
        }
        if statement.is_raise_stmt() {
            return Following::Raise;
        }
        if is_reset(statement) {
            return Following::Cleanup(cx.module.first_line(*statement));
        }
        for call in cx.module.calls_in(*statement) {
            if is_cleanup(call) && is_there(cx, from, call) {
                return Following::Cleanup(cx.module.first_line(*call));
            }
        }
        if !is_harmless(cx, statement) {
            found = Following::Code;
        } else if let Stmt::Return(stmt) = statement
            && let Some(value) = stmt.value.as_deref()
            && !matches!(found, Following::Code)
        {
            return Following::Value(value); // what stands behind it does not run
        } else if matches!(found, Following::Nothing) {
            found = Following::Harmless;
        }
    }
    found
}

/// `self.task = None`, `self.running = False`, `del self.tasks[key]`, `self.open -= 1`: whoever looks
/// at it next has to see that it is over.
fn is_reset(statement: &Stmt) -> bool {
    if let Stmt::Delete(delete) = statement {
        return !delete.targets.iter().any(Expr::is_name_expr);
    }
    if let Stmt::AugAssign(count) = statement {
        return count.op == Operator::Sub && count.target.is_attribute_expr();
    }
    let Stmt::Assign(assign) = statement else {
        return false;
    };
    let is_over = match &*assign.value {
        Expr::NoneLiteral(_) => true,
        Expr::BooleanLiteral(literal) => !literal.value,
        _ => false,
    };
    is_over && assign.targets.iter().any(Expr::is_attribute_expr)
}

/// Whether what is cleaned up is there already when `from` ends: a name that is bound only later is
/// not.
fn is_there<'a>(cx: &Context<'a, '_>, from: AnyNodeRef<'a>, call: &'a ExprCall) -> bool {
    let mut root = &*call.func;
    while let Expr::Attribute(attribute) = root {
        root = &attribute.value;
    }
    let Expr::Name(name) = root else {
        return true;
    };
    cx.module.symbol(name).is_none_or(|symbol| {
        let of_function = symbol.scope == cx.module.scope(from);
        let earlier = symbol
            .bindings
            .iter()
            .any(|binding| cx.module.node(binding.node).start() < from.end());
        !of_function || earlier
    })
}

/// Whether the name of what is called is that of cleanup.
fn is_cleanup(call: &ExprCall) -> bool {
    // `self.remove_listener(it)`: whoever put it there takes it out again.
    let is_name = |name: &str| has_word(name, &["discard", "remove"]) || names_cleanup(name);
    match &*call.func {
        Expr::Name(name) => is_name(&name.id),
        Expr::Attribute(method) => match method.attr.as_str() {
            // `self.connections.remove(connection)`
            "discard" | "remove" => method.value.is_attribute_expr(),
            name => is_name(name),
        },
        _ => false,
    }
}

/// `return x`, `print(...)`, `log.info(...)`.
pub fn is_harmless<'a>(cx: &Context<'a, '_>, statement: &'a Stmt) -> bool {
    const METHODS: &[&str] = &[
        "critical",
        "debug",
        "error",
        "exception",
        "info",
        "log",
        "trace",
        "warn",
        "warning",
    ];
    match statement {
        Stmt::Return(stmt) => cx.module.calls_in(stmt).is_empty(),
        Stmt::Expr(stmt) => match &*stmt.value {
            Expr::Call(call) => match &*call.func {
                Expr::Name(_) => cx.module.refers_to(&call.func, "builtins.print"),
                Expr::Attribute(method) => METHODS.contains(&method.attr.as_str()),
                _ => false,
            },
            value => value.is_literal_expr(),
        },
        _ => false,
    }
}
