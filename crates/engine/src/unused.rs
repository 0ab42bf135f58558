//! Imports that a rewrite left unused.

use std::ops::Range;

use edit::Edit;
use python::ast::{self, AnyNodeRef};
use python::{BindingKind, Module, Ranged, ScopeId, ScopeKind, Symbol, TextRange, is_blank};

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

/// Why an import is not removed, although nothing in the module uses its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A comment would be lost with it.
    Comment,
    /// Other files may take the name from here: one of the run does, `__all__` lists it,
    /// `import a as a`, or an `__init__.py` imports it.
    Exported,
    /// A string annotation names it.
    Quoted,
    /// Something else binds the name too.
    Several,
    /// Other statements stand on its lines.
    Line,
    /// Nothing else stands in its block.
    Alone,
    /// It is one of several attempts: in `try`, or in the module under a condition.
    Conditional,
    /// Only who checks types sees it.
    Typing,
}

/// The imports of `after` whose names `before` used and `after` does not, as far as nothing
/// of [`Kept`] keeps them.
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
        .filter(|symbol| symbol.reads.is_empty())
        .filter_map(|symbol| {
            let removal = removal(after, symbol)?.ok()?;
            let uses = uses(symbol);
            if uses.is_empty() {
                return None;
            }
            Some(Unused {
                uses,
                name: symbol.name.to_string(),
                is_global: symbol.scope == ScopeId::MODULE,
                removal: Edit::delete(removal),
            })
        })
        .collect()
}

/// Whether [`unused_imports`] of a module may find something, whatever it was before.
pub fn has_unread_import(module: &Module<'_>) -> bool {
    let is_unread = |symbol: &Symbol<'_>| {
        symbol.reads.is_empty() && matches!(removal(module, symbol), Some(Ok(_)))
    };
    module.symbols().any(is_unread)
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

/// Why the import of a name would stay when nothing uses the name any longer. `is_exported` says
/// that other files have it from here.
pub(crate) fn kept(module: &Module<'_>, symbol: &Symbol<'_>, is_exported: bool) -> Option<Kept> {
    match removal(module, symbol)? {
        Ok(_) if is_exported => Some(Kept::Exported),
        removal => removal.err(),
    }
}

/// What to delete, so that the import of one name goes, or why it stays; none of what no import
/// binds.
fn removal(module: &Module<'_>, symbol: &Symbol<'_>) -> Option<Result<TextRange, Kept>> {
    let import = symbol.bindings.iter().find_map(|binding| {
        let (BindingKind::Import(alias) | BindingKind::FromImport(_, alias)) = binding.kind else {
            return None;
        };
        Some((binding, alias))
    });
    let (binding, alias) = import?;
    let is_renamed_to_itself = alias
        .asname
        .as_ref()
        .is_some_and(|name| name.as_str() == alias.name.as_str());
    Some(if symbol.bindings.len() > 1 {
        Err(Kept::Several)
    } else if symbol.named_in_string {
        Err(Kept::Quoted)
    } else if binding.typing_only {
        Err(Kept::Typing)
    } else if is_renamed_to_itself || module.is_exported(symbol.name) {
        Err(Kept::Exported)
    } else {
        removal_of_alias(module, module.statement(module.node(binding.node)), alias)
    })
}

fn removal_of_alias<'a>(
    module: &Module<'a>,
    statement: AnyNodeRef<'a>,
    alias: &ast::Alias,
) -> Result<TextRange, Kept> {
    let names: &[ast::Alias] = match statement {
        AnyNodeRef::StmtImport(import) => &import.names,
        AnyNodeRef::StmtImportFrom(import) => &import.names,
        _ => &[],
    };
    if !module
        .comments(TextRange::new(
            statement.start(),
            module.line_end(statement.end()),
        ))
        .is_empty()
    {
        return Err(Kept::Comment);
    }
    if names.len() == 1 {
        if conditional(module, statement) {
            return Err(Kept::Conditional);
        }
        // The last statement of a block cannot go without another in its place.
        let (body, position) = module.siblings(statement).ok_or(Kept::Alone)?;
        if body.len() == 1 {
            return Err(Kept::Alone);
        }
        let lines = module.whole_lines(statement).ok_or(Kept::Line)?;
        return Ok(with_blank_lines(module, lines, position == 0));
    }
    let (before, after) = names
        .iter()
        .position(|other| other.range() == alias.range())
        .map_or((&names[..0], &names[..0]), |position| {
            (&names[..position], &names[position + 1..])
        });
    match (before.last(), after.first()) {
        (_, Some(next)) => Ok(TextRange::new(alias.start(), next.start())),
        (Some(previous), None) => Ok(TextRange::new(previous.end(), alias.end())),
        (None, None) => Err(Kept::Alone),
    }
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
    fn what_keeps_an_import_is_said() {
        let why = |text: &str, is_package| {
            let parsed = python::parse(text, PythonVersion::PY311).unwrap();
            let module = Module::new(text, &parsed);
            let symbol = module.symbols().find(|symbol| symbol.name == "m");
            kept(&module, symbol.unwrap(), is_package)
        };
        for (text, expected) in [
            ("import a\nimport m  # for all\n", Some(Kept::Comment)),
            (
                "from a import (\n    m,\n    # and\n    n,\n)\n",
                Some(Kept::Comment),
            ),
            ("import a\nfrom a import m as m\n", Some(Kept::Exported)),
            ("__all__ = [\"m\"]\nimport m\n", Some(Kept::Exported)),
            ("import m\nx: \"m\" = 0\n", Some(Kept::Quoted)),
            ("import m\nm = 0\n", Some(Kept::Several)),
            ("import a; import m\n", Some(Kept::Line)),
            ("with a:\n    import m\n", Some(Kept::Alone)),
            ("if a:\n    import m\n", Some(Kept::Conditional)),
            ("import a\nimport m\n", None),
        ] {
            assert_eq!(why(text, false), expected, "{text}");
        }
        assert_eq!(why("import a\nimport m\n", true), Some(Kept::Exported));
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
