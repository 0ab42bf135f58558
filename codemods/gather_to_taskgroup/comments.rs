//! The comments among the arguments of a gather, and the argument that each belongs to.

use python::Ranged;
use python::ast::Expr;

use super::children::Item;
use super::render::Writer;

/// The comments of a call's arguments.
pub(super) struct Comments<'a> {
    before: Vec<Vec<&'a str>>,
    after: Vec<Option<&'a str>>,
}

impl<'a> Comments<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.before.iter().all(Vec::is_empty) && self.after.iter().all(Option::is_none)
    }

    pub(super) fn before(&self, position: usize) -> impl Iterator<Item = &'a str> + '_ {
        self.before.get(position).into_iter().flatten().copied()
    }

    pub(super) fn after(&self, position: usize) -> Option<&'a str> {
        self.after.get(position).copied().flatten()
    }
}

impl<'a> Writer<'a, '_, '_> {
    pub(super) fn comments(&self, items: &[(Item<'a>, &'a Expr)]) -> Comments<'a> {
        let arguments: Vec<&'a Expr> = items.iter().map(|(_, argument)| *argument).collect();
        self.comments_of(&arguments)
    }

    /// The comments in the call that are in no argument, by the argument that they belong to.
    pub(super) fn comments_of(&self, arguments: &[&'a Expr]) -> Comments<'a> {
        let module = self.cx.module;
        let mut comments = Comments {
            before: vec![Vec::new(); arguments.len() + 1],
            after: vec![None; arguments.len()],
        };
        let display = self.display.map(Ranged::range);
        let ranges = std::iter::once(self.gather.site.range()).chain(display);
        for comment in ranges.flat_map(|range| module.comments(range)) {
            if arguments
                .iter()
                .any(|it| it.range().contains_range(*comment))
            {
                continue;
            }
            let text = module.text(*comment);
            let previous = arguments.iter().rposition(|it| it.end() <= comment.start());
            let same_line = previous.filter(|at| {
                arguments
                    .get(*at)
                    .is_some_and(|it| module.line_end(it.end()) == module.line_end(comment.start()))
            });
            match same_line {
                Some(at) if comments.after[at].is_none() => comments.after[at] = Some(text),
                _ => comments.before[previous.map_or(0, |at| at + 1)].push(text),
            }
        }
        comments
    }
}
