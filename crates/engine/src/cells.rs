//! Fixes in notebooks, whose cells are run one by one, and in any order.

use edit::Edit;
use python::ast::AnyNodeRef;
use python::{Module, Ranged, TextRange, TextSize};

/// Why a fix of what `node` is cannot be applied to a notebook; none where it can be.
///
/// Code stays in its cell. What is new, an import or a definition, may stand in one before, as it
/// would where a person writes it.
pub(crate) fn reach(
    module: &Module<'_>,
    node: AnyNodeRef<'_>,
    edits: &[Edit],
) -> Option<&'static str> {
    if !module.is_notebook() {
        return None;
    }
    let here = module.cell(node.start());
    let cell =
        |offset: usize| TextSize::try_from(offset).map_or(here, |offset| module.cell(offset));
    for edit in edits {
        let (start, end) = (cell(edit.range.start), cell(edit.range.end));
        if start != end || start != here && !edit.range.is_empty() {
            return Some(
                "the rewrite would change more than this cell, and cells are run one by one: bring what belongs together into one cell",
            );
        }
        if start > here {
            return Some(
                "what the rewrite needs would stand in a later cell, which may not have run: move the imports before this cell",
            );
        }
        // A cell's magic is its first line.
        let magic = TextSize::try_from(edit.range.start)
            .ok()
            .and_then(|at| module.cell_magic(TextRange::empty(at)));
        if magic.is_some_and(|magic| edit.range.start <= magic.start().to_usize()) {
            return Some(
                "what the rewrite needs would stand before a magic, which has to be the first line of its cell: write the import in a cell before",
            );
        }
    }
    None
}
