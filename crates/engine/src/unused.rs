//! Imports that a rewrite left unused.

use std::ops::Range;

use edit::Edit;
use python::ast::{self, AnyNodeRef};
use python::{
    Binding, BindingKind, Module, Ranged, ScopeId, ScopeKind, Symbol, TextRange, is_blank,
};

/// An import that was used before and is not any longer.
#[derive(Clone, Debug)]
pub struct Unused {
    /// The name that it binds.
    pub name: String,
    /// Whether it binds it at module level, where other files can see it.
    pub is_global: bool,
    /// Where the module before the rewrite used it: byte offsets.
    pub uses: Vec<Range<usize>>,
    /// The edit to the module after the rewrite that removes it.
    pub removal: Edit,
}

/// The imports of `after` whose names `before` used and `after` does not.
///
/// Only where nothing else binds the name, `__all__` does not list it, it is not a re-export
/// (`import a as a`), and no comment would be lost with it.
pub fn unused_imports(before: &Module<'_>, after: &Module<'_>) -> Vec<Unused> {
    // A scope has no name that lasts from one text to the next. Where two have the same path and
    // only one of them used the name, nothing is removed.
    let uses = |symbol: &Symbol<'_>| -> Vec<Range<usize>> {
        let scope = path(after, symbol.scope);
        let mut uses = Vec::new();
        for other in before.symbols() {
            if other.name == symbol.name && path(before, other.scope) == scope {
                if other.reads.is_empty() {
                    return Vec::new();
                }
                let reads = other.reads.iter();
                uses.extend(reads.map(|read| Range::from(before.node(*read).range())));
            }
        }
        uses
    };
    after
        .symbols()
        .filter(|symbol| symbol.reads.is_empty() && !symbol.named_in_string)
        .filter(|symbol| !after.is_exported(symbol.name))
        .filter_map(|symbol| {
            let [binding] = symbol.bindings.as_slice() else {
                return None;
            };
            let uses = uses(symbol);
            if uses.is_empty() {
                return None;
            }
            Some(Unused {
                uses,
                name: symbol.name.to_string(),
                is_global: symbol.scope == ScopeId::MODULE,
                removal: Edit::delete(removal(after, binding)?),
            })
        })
        .collect()
}

/// The functions and classes that a scope is in, from the inside out.
fn path<'m>(module: &'m Module<'_>, scope: ScopeId) -> Vec<&'m str> {
    let scopes = std::iter::successors(Some(module.scope_data(scope)), |scope| {
        Some(module.scope_data(scope.parent?))
    });
    scopes
        .map(|scope| match scope.kind {
            ScopeKind::Function(function) => function.name.as_str(),
            ScopeKind::Class(class) => class.name.as_str(),
            _ => "",
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
        let (body, position) = module.siblings(statement)?;
        if body.len() == 1 || conditional(module, statement) {
            return None;
        }
        let lines = module.whole_lines(statement)?;
        return Some(with_blank_lines(module, lines, position == 0));
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

/// `lines`, which are to be deleted, with the blank lines after them that only set them apart:
/// what is around is then as far apart as before.
fn with_blank_lines(module: &Module<'_>, lines: TextRange, is_first: bool) -> TextRange {
    let before = &module.source()[..lines.start().to_usize()];
    let after = &module.source()[lines.end().to_usize()..];
    let apart = if before.is_empty() || (is_first && before.trim_end().ends_with(':')) {
        usize::MAX
    } else {
        before
            .lines()
            .rev()
            .take_while(|line| is_blank(line))
            .count()
    };
    let mut end = lines.end();
    for _ in after.lines().take(apart).take_while(|line| is_blank(line)) {
        end = module.next_line(end);
    }
    TextRange::new(lines.start(), end)
}

/// Whether an import is one of several attempts: in `try`, or in the module under a condition.
fn conditional(module: &Module<'_>, statement: AnyNodeRef<'_>) -> bool {
    let in_module = module.scope(statement) == ScopeId::MODULE;
    module
        .ancestors(statement)
        .take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)))
        .any(|node| match node {
            AnyNodeRef::StmtTry(_) => true,
            AnyNodeRef::StmtIf(_) => in_module,
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use edit::{Change, merge};
    use python::ast::PythonVersion;

    use super::*;

    /// `before` without the uses of `m()`, and without the imports that are then unused.
    fn removed(before: &str) -> String {
        let after = before.replace("m()", "0");
        let parse = |text| python::parse(text, PythonVersion::PY311).unwrap();
        let (parsed_before, parsed_after) = (parse(before), parse(&after));
        let unused = unused_imports(
            &Module::new(before, &parsed_before),
            &Module::new(&after, &parsed_after),
        );
        let changes: Vec<Change<()>> = unused
            .into_iter()
            .map(|unused| Change {
                edits: vec![unused.removal],
                tag: (),
            })
            .collect();
        merge(&after, &changes, &[]).text
    }

    #[test]
    fn what_was_unused_before_stays() {
        let text =
            "def f():\n    import m\n    n()\ndef g():\n    from a import m, n\n    n()\n    m()\n";
        assert_eq!(
            removed(text),
            "def f():\n    import m\n    n()\ndef g():\n    from a import n\n    n()\n    0\n"
        );
    }

    #[test]
    fn what_an_import_set_apart_moves_together() {
        assert_eq!(removed("import m\n\nimport n\nm()\n"), "import n\n0\n");
        assert_eq!(
            removed("import a\n\nimport m\n\n\nm()\n"),
            "import a\n\n\n0\n"
        );
        assert_eq!(
            removed("import a\nimport m\n\n\nm()\n"),
            "import a\n\n\n0\n"
        );
        assert_eq!(
            removed("def f():\n    import m\n\n    m()\n"),
            "def f():\n    0\n"
        );
    }

    #[test]
    fn a_form_feed_stays() {
        assert_eq!(
            removed("import a\n\x0c\nimport m\n\x0c\nm()\n"),
            "import a\n\x0c\n\x0c\n0\n"
        );
    }

    #[test]
    fn one_of_several_attempts_stays() {
        for text in [
            "try:\n    import m; import n\nexcept ImportError: pass\nm()\n",
            "if x:\n    import m\n    n = 1\nm()\n",
            "import m  # for all\nm()\n",
            "__all__ = [\"m\"]\nimport m\nm()\n",
            "from a import m as m\nm()\n",
        ] {
            assert_eq!(removed(text), text.replace("m()", "0"));
        }
        let text = "def f():\n    if x:\n        import m\n        m()\n";
        assert_eq!(removed(text), "def f():\n    if x:\n        0\n");
    }
}
