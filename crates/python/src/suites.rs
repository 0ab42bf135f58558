//! Where a compound statement ends, comments included.

use ruff_python_ast::AnyNodeRef;
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::lines::indentation;
use crate::module::Module;

impl Module<'_> {
    /// The end of a statement with the comments after it that stand deeper than it does: they
    /// belong to its body.
    pub fn end_with_comments<'n>(&self, statement: impl Into<AnyNodeRef<'n>>) -> TextSize {
        let node = self.node(self.id(statement));
        let mut end = self.line_end(node.end());
        let Some(indent) = self.indentation_at(node.start()) else {
            return end;
        };
        let mut line = self.next_line(end);
        while line.to_usize() < self.source().len() {
            let range = TextRange::new(line, self.line_end(line));
            let text = self.text(range);
            let comment = text.trim_start();
            if !comment.is_empty() {
                if !comment.starts_with('#') || indentation(text).len() <= indent.len() {
                    break;
                }
                end = range.end();
            }
            line = self.next_line(line);
        }
        end
    }
}
