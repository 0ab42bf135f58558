//! Where the import of a package belongs that takes the place of another one.

use ruff_python_ast::AnyNodeRef;
use ruff_text_size::Ranged;

use crate::imports::{Insertion, Order, is_import};
use crate::module::Module;

impl Module<'_> {
    /// The insertion of `import NAME` beside `statement`, an import: at its sorted place among the
    /// imports on adjacent lines where these are sorted, else before it. None where the statement
    /// does not stand on lines of its own.
    pub fn import_beside<'n>(
        &self,
        name: &str,
        statement: impl Into<AnyNodeRef<'n>>,
    ) -> Option<Insertion> {
        let statement = self.statement(statement);
        let indent = self.indentation_at(statement.start())?;
        let (body, position) = self.siblings(statement)?;
        let touch = |at: usize| match (body.get(at), body.get(at + 1)) {
            (Some(one), Some(next)) => {
                is_import(one)
                    && is_import(next)
                    && self.next_line(one.end()) == self.line_start(next.start())
                    && self.indentation_at(next.start()).is_some()
            }
            _ => false,
        };
        let mut first = position;
        while first > 0 && touch(first - 1) {
            first -= 1;
        }
        let mut last = position;
        while touch(last) {
            last += 1;
        }
        let run = &body[first..=last];
        // What shares the line of a statement before it cannot be told apart by lines.
        self.indentation_at(run.first()?.start())?;

        let line = format!("{indent}import {name}{}", self.newline());
        let Some(order) = Order::of(run) else {
            return Some(Insertion {
                offset: self.line_start(statement.start()),
                text: line,
            });
        };
        if let Some(next) = run.iter().find(|stmt| order.is_after(stmt, name)) {
            return Some(Insertion {
                offset: self.line_start(next.start()),
                text: line,
            });
        }
        let end = run.last()?.end();
        Some(Insertion {
            offset: self.next_statement_line(end),
            text: self.on_new_line(end, line),
        })
    }
}
