//! Imports that a rewrite left unused.

use edit::Edit;
use python::ast::{self, AnyNodeRef};
use python::{Binding, BindingKind, Module, Ranged, ScopeId, Symbol, TextRange};

/// An import that was used before and is not any longer.
#[derive(Clone, Debug)]
pub struct Unused {
    /// The name that it binds.
    pub name: String,
    /// Whether it binds it at module level, where other files can see it.
    pub is_global: bool,
    /// The edit to the module after the rewrite that removes it.
    pub removal: Edit,
}

/// The imports of `after` whose names `before` used and `after` does not.
///
/// Only where nothing else binds the name, `__all__` does not list it, it is not a re-export
/// (`import a as a`), and no comment would be lost with it.
pub fn unused_imports(before: &Module<'_>, after: &Module<'_>) -> Vec<Unused> {
    let used_before = |symbol: &Symbol<'_>| {
        before.symbols().any(|other| {
            other.name == symbol.name
                && !other.reads.is_empty()
                && (other.scope == ScopeId::MODULE) == (symbol.scope == ScopeId::MODULE)
        })
    };
    after
        .symbols()
        .filter(|symbol| symbol.reads.is_empty() && !symbol.named_in_string)
        .filter(|symbol| used_before(symbol) && !after.is_exported(symbol.name))
        .filter_map(|symbol| {
            let [binding] = symbol.bindings.as_slice() else {
                return None;
            };
            Some(Unused {
                name: symbol.name.to_string(),
                is_global: symbol.scope == ScopeId::MODULE,
                removal: Edit::delete(removal(after, binding)?),
            })
        })
        .collect()
}

/// What to delete, so that the import of one name goes.
fn removal(module: &Module<'_>, binding: &Binding<'_>) -> Option<TextRange> {
    let (BindingKind::Import(alias) | BindingKind::FromImport(_, alias)) = binding.kind else {
        return None;
    };
    if binding.typing_only
        || alias
            .asname
            .as_ref()
            .is_some_and(|name| name.as_str() == alias.name.as_str())
    {
        return None;
    }
    let statement = module.statement(module.node(binding.node));
    let names: &[ast::Alias] = match statement {
        AnyNodeRef::StmtImport(import) => &import.names,
        AnyNodeRef::StmtImportFrom(import) => &import.names,
        _ => return None,
    };
    if !module
        .comments(TextRange::new(
            statement.start(),
            module.line_end(statement.end()),
        ))
        .is_empty()
    {
        return None;
    }
    if names.len() == 1 {
        // The last statement of a block cannot go without another in its place.
        let (body, _) = module.siblings(statement)?;
        let stays = body.len() > 1 && !conditional(module, statement);
        return stays.then(|| module.whole_lines(statement)).flatten();
    }
    let position = names
        .iter()
        .position(|other| other.range() == alias.range())?;
    let range = match (
        position.checked_sub(1).and_then(|at| names.get(at)),
        names.get(position + 1),
    ) {
        (_, Some(next)) => TextRange::new(alias.start(), next.start()),
        (Some(previous), None) => TextRange::new(previous.end(), alias.end()),
        (None, None) => return None,
    };
    Some(range)
}

/// Whether an import is one of several attempts: in `try` or under a condition.
fn conditional(module: &Module<'_>, statement: AnyNodeRef<'_>) -> bool {
    module
        .ancestors(statement)
        .take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)))
        .any(|node| matches!(node, AnyNodeRef::StmtTry(_) | AnyNodeRef::StmtIf(_)))
}
