//! Generator functions, by their text.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{self as ast, ExceptHandler, Expr, Stmt};

/// Whether `yield` stands in a function's own body.
pub(super) fn has_yield(function: &ast::StmtFunctionDef) -> bool {
    yields_in(&function.body)
}

fn yields_in(body: &[Stmt]) -> bool {
    #[derive(Default)]
    struct Yields(bool);
    impl Visitor<'_> for Yields {
        fn visit_stmt(&mut self, stmt: &Stmt) {
            if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
                walk_stmt(self, stmt);
            }
        }

        fn visit_expr(&mut self, expr: &Expr) {
            match expr {
                Expr::Yield(_) | Expr::YieldFrom(_) => self.0 = true,
                Expr::Lambda(_) => {}
                _ => walk_expr(self, expr),
            }
        }
    }
    let mut yields = Yields::default();
    yields.visit_body(body);
    yields.0
}

/// Whether a function never comes to what it does: `raise NotImplementedError`, and a `yield` that
/// only makes it a generator.
pub(super) fn is_stub(function: &ast::StmtFunctionDef) -> bool {
    for stmt in &function.body {
        match stmt {
            Stmt::Raise(_) | Stmt::Return(_) => return true,
            Stmt::Pass(_) => {}
            Stmt::Expr(it) if it.value.is_literal_expr() => {}
            // `if False: yield`
            Stmt::If(it) if is_never(&it.test) && it.elif_else_clauses.is_empty() => {}
            _ => return false,
        }
    }
    true
}

fn is_never(test: &Expr) -> bool {
    match test {
        Expr::BooleanLiteral(literal) => !literal.value,
        Expr::NumberLiteral(literal) => {
            matches!(&literal.value, ast::Number::Int(value) if value.as_i64() == Some(0))
        }
        Expr::Name(name) => name.id.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}

/// What stands around the `yield`s of a generator function, and may run when its generator is closed.
#[derive(Default)]
pub(super) struct Cleanup<'a> {
    /// Code of its own: a `finally`, a handler of `GeneratorExit`, the end of a `with`.
    pub(super) is_own: bool,
    /// Calls whose iterators it loops over, which go with it, and whether by `async for`.
    pub(super) loops: Vec<(&'a ast::ExprCall, bool)>,
}

/// What there is to clean up in a generator function, by its text.
pub(super) fn cleanup(function: &ast::StmtFunctionDef) -> Cleanup<'_> {
    let mut cleanup = Cleanup::default();
    cleanup.visit_body(&function.body);
    cleanup
}

impl<'a> Visitor<'a> for Cleanup<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
            Stmt::Try(stmt) => {
                let handlers = stmt.handlers.iter();
                let mut handlers = handlers.map(|ExceptHandler::ExceptHandler(it)| it);
                let in_body = yields_in(&stmt.body);
                let catches =
                    |it: &ast::ExceptHandlerExceptHandler| it.type_.as_deref().is_none_or(is_exit);
                self.is_own |= in_body && handlers.clone().any(catches);
                let is_inside =
                    in_body || yields_in(&stmt.orelse) || handlers.any(|it| yields_in(&it.body));
                self.is_own |= is_inside && !stmt.finalbody.is_empty();
            }
            Stmt::With(with) => self.is_own |= yields_in(&with.body),
            Stmt::For(stmt) => {
                if let Expr::Call(call) = &*stmt.iter
                    && yields_in(&stmt.body)
                {
                    self.loops.push((call, stmt.is_async));
                }
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// Whether the `GeneratorExit` by which a generator is closed may not end it: it yields in a
/// `finally`, or in a `try` or `with` that catches that.
pub(super) fn resists_closing(function: &ast::StmtFunctionDef) -> bool {
    #[derive(Default)]
    struct Resists(bool);
    impl Visitor<'_> for Resists {
        fn visit_stmt(&mut self, stmt: &Stmt) {
            match stmt {
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
                Stmt::Try(stmt) => {
                    let catches = stmt.handlers.iter().any(|handler| {
                        let ExceptHandler::ExceptHandler(handler) = handler;
                        let catches = handler.type_.as_deref().is_none_or(is_exit);
                        let ends =
                            matches!(handler.body.last(), Some(Stmt::Raise(_) | Stmt::Return(_)));
                        catches && (!ends || yields_in(&handler.body))
                    });
                    self.0 |= yields_in(&stmt.finalbody) || yields_in(&stmt.body) && catches;
                }
                Stmt::With(with) => {
                    let suppresses = with.items.iter().any(|item| match &item.context_expr {
                        Expr::Call(call) => call.arguments.args.iter().any(is_exit),
                        _ => false,
                    });
                    self.0 |= suppresses && yields_in(&with.body);
                }
                _ => {}
            }
            walk_stmt(self, stmt);
        }

        fn visit_expr(&mut self, _: &Expr) {}
    }
    let mut resists = Resists::default();
    resists.visit_body(&function.body);
    resists.0
}

/// `GeneratorExit`, `BaseException`, or a tuple with one of them.
fn is_exit(types: &Expr) -> bool {
    match types {
        Expr::Tuple(types) => types.elts.iter().any(is_exit),
        Expr::Name(name) => matches!(name.id.as_str(), "GeneratorExit" | "BaseException"),
        Expr::Attribute(attribute) => {
            matches!(attribute.attr.as_str(), "GeneratorExit" | "BaseException")
        }
        _ => false,
    }
}
