//! The blocks around a place, within its function.

use ruff_python_ast::{self as ast, AnyNodeRef};

use crate::module::Module;

/// The part of a `try` statement.
#[derive(Clone, Copy, Debug)]
pub enum TryPart<'a> {
    /// Between `try` and the first handler: what is raised here may be caught.
    Body,
    /// In this `except` clause.
    Handler(&'a ast::ExceptHandlerExceptHandler),
    /// In the `else` clause.
    Else,
    /// In the `finally` clause.
    Finally,
}

/// A block around a place.
#[derive(Clone, Copy, Debug)]
pub enum Block<'a> {
    /// In a part of this `try`.
    Try(&'a ast::StmtTry, TryPart<'a>),
    /// In the body of this `with` or `async with`.
    With(&'a ast::StmtWith),
    /// In the body, not the `else`, of this loop.
    For(&'a ast::StmtFor),
    /// In the body, not the `else`, of this loop.
    While(&'a ast::StmtWhile),
}

impl<'a> Module<'a> {
    /// The `try`, `with` and loop blocks around `node`, from the inside out, up to the function,
    /// lambda or class that it belongs to.
    pub fn blocks<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> Vec<Block<'a>> {
        let mut blocks = Vec::new();
        let mut child = self.node(self.id(node));
        while let Some(parent) = self.parent(child) {
            match parent {
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_)
                    if child.is_statement() =>
                {
                    break;
                }
                AnyNodeRef::ExprLambda(lambda) if child.ptr_eq(AnyNodeRef::from(&*lambda.body)) => {
                    break;
                }
                AnyNodeRef::StmtTry(stmt) => blocks.push(Block::Try(stmt, self.part(stmt, child))),
                AnyNodeRef::StmtWith(stmt) if child.is_statement() => {
                    blocks.push(Block::With(stmt));
                }
                AnyNodeRef::StmtFor(stmt) if self.stands_in(&stmt.body, child) => {
                    blocks.push(Block::For(stmt));
                }
                AnyNodeRef::StmtWhile(stmt) if self.stands_in(&stmt.body, child) => {
                    blocks.push(Block::While(stmt));
                }
                _ => {}
            }
            child = parent;
        }
        blocks
    }

    fn part(&self, stmt: &'a ast::StmtTry, child: AnyNodeRef<'a>) -> TryPart<'a> {
        if let AnyNodeRef::ExceptHandlerExceptHandler(handler) = child {
            TryPart::Handler(handler)
        } else if self.stands_in(&stmt.body, child) {
            TryPart::Body
        } else if self.stands_in(&stmt.orelse, child) {
            TryPart::Else
        } else {
            TryPart::Finally
        }
    }

    fn stands_in(&self, body: &'a [ast::Stmt], child: AnyNodeRef<'a>) -> bool {
        let (Some(first), Some(last)) = (body.first(), body.last()) else {
            return false;
        };
        self.id(first) <= self.id(child) && self.id(child) <= self.id(last)
    }
}
