//! What a generator function is declared to give: type checkers take `aclosing` only of what has
//! `aclose`.

use edit::Edit;
use engine::{Context, width};
use python::ast::{Alias, AnyNodeRef, Expr, PythonVersion, StmtFunctionDef, StmtImportFrom};
use python::{BindingKind, Ranged, Symbol, TextRange};

/// The modules that have the classes of iterators.
const MODULES: &[&str] = &["collections.abc", "typing", "typing_extensions"];

/// What a generator is: both classes below are less than that.
const GENERATOR: &str = "AsyncGenerator";

/// An annotation `AsyncIterator[int]`.
struct Declared<'a> {
    /// `AsyncIterator`, or `typing.AsyncIterator`.
    class: &'a Expr,
    /// Where that comes from: `typing`.
    module: String,
    /// `int`, where that stands.
    element: Option<&'a Expr>,
}

/// What a function is declared to give, if that is less than a generator.
fn of<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Option<Declared<'a>> {
    let (class, element) = match function.returns.as_deref()? {
        Expr::Subscript(subscript) => (&*subscript.value, Some(&*subscript.slice)),
        other => (other, None),
    };
    let name = cx.module.qualified_name(class)?;
    let (module, name) = name.rsplit_once('.')?;
    let is_less = MODULES.contains(&module) && matches!(name, "AsyncIterator" | "AsyncIterable");
    is_less.then(|| Declared {
        class,
        module: module.to_string(),
        element,
    })
}

/// Whether a function is declared to give an `AsyncIterator` or `AsyncIterable`.
pub(super) fn is_less<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    of(cx, function).is_some()
}

/// `-> AsyncIterator[int]` => `-> AsyncGenerator[int, None]`, imported from where the other is.
///
/// Whoever is given a generator is given an iterator, too. None where a method is overridden by what has
/// to be declared so as well, where it would not fit into its line, and where the import has no room and a
/// comment.
pub(super) fn edits<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Option<Vec<Edit>> {
    let module = cx.module;
    let declared = of(cx, function)?;
    let element = declared.element?;
    let returns = function.returns.as_deref()?;
    if element.is_tuple_expr() {
        return None; // it is none of one type
    }
    let (class, import) = match declared.class {
        Expr::Attribute(attribute) => {
            let value = module.text(attribute.value.range());
            (format!("{value}.{GENERATOR}"), None)
        }
        _ => named(cx, function, &declared)?,
    };
    if let Some(AnyNodeRef::StmtClassDef(class)) = module.parent(function)
        && cx.is_overridden(class.name.as_str(), function.name.as_str())
    {
        return None;
    }
    let mut edits = vec![Edit::replace(declared.class.range(), class.clone())];
    if !cx.supports(PythonVersion::PY313) {
        let element = module.parenthesized(element);
        let rest = TextRange::new(element.end(), returns.end());
        let sent = if !module.text(returns.range()).contains(['\n', '\r']) {
            ", None".to_string()
        } else if module.text(rest).trim() == "]" {
            let indent = module.indentation_at(element.start())?;
            format!(",{}{indent}None,", module.newline())
        } else {
            return None;
        };
        edits.push(Edit::insert(element.end(), sent));
    }
    let start = module.line_start(declared.class.start());
    let line = module.text(TextRange::new(start, module.line_end(start)));
    let is_whole = module.line_end(start) >= returns.end();
    let sent = if is_whole && edits.len() > 1 {
        ", None"
    } else {
        ""
    };
    let grown =
        (width(&class) + width(sent)).saturating_sub(width(module.text(declared.class.range())));
    if width(line) + grown > cx.settings.line_length {
        return None;
    }
    edits.extend(import);
    Some(edits)
}

/// The name of the class at the function, and the edit that imports it if need be.
fn named<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    declared: &Declared<'a>,
) -> Option<(String, Option<Edit>)> {
    let module = cx.module;
    let less = module.symbol(declared.class.as_name_expr()?)?;
    let is_typing_only =
        |symbol: &Symbol<'a>| symbol.bindings.iter().any(|binding| binding.typing_only);
    let is_seen = |symbol: &Symbol<'a>| {
        module
            .lookup(symbol.name, function)
            .is_some_and(|seen| std::ptr::eq(seen, symbol))
    };
    let imported = module.imported_symbols().find(|symbol| {
        let is_it = module.imported_as(symbol).is_some_and(|name| {
            MODULES
                .iter()
                .any(|module| name == format!("{module}.{GENERATOR}"))
        });
        is_it && is_seen(symbol) && (!is_typing_only(symbol) || is_typing_only(less))
    });
    if let Some(symbol) = imported {
        return Some((symbol.name.to_string(), None));
    }
    if module.lookup(GENERATOR, function).is_some() {
        return None; // something else
    }
    let [binding] = less.bindings.as_slice() else {
        return None;
    };
    let BindingKind::FromImport(import, alias) = binding.kind else {
        return None;
    };
    if import.module.as_deref() != Some(declared.module.as_str()) {
        return None;
    }
    Some((GENERATOR.to_string(), Some(added(cx, import, alias)?)))
}

/// `AsyncGenerator` among the names of an import, sorted where they are: before `alias`, an
/// `AsyncIterator`, at the latest.
fn added<'a>(cx: &Context<'a, '_>, import: &'a StmtImportFrom, alias: &'a Alias) -> Option<Edit> {
    let module = cx.module;
    // Where constants come first, `TYPE_CHECKING` says nothing of the order of classes.
    let is_plain = import.names.is_sorted_by_key(|it| it.name.as_str());
    let is_constant = |name: &str| !name.contains(char::is_lowercase);
    let is_later = |it: &&Alias| {
        let name = it.name.as_str();
        it.range() == alias.range() || name > GENERATOR && (is_plain || !is_constant(name))
    };
    let next = import.names.iter().find(is_later)?;
    if let Some(indent) = module.indentation_at(next.start()) {
        let text = format!("{GENERATOR},{}{indent}", module.newline());
        return Some(Edit::insert(next.start(), text));
    }
    let end = module.line_end(next.start());
    let line = module.text(TextRange::new(module.line_start(next.start()), end));
    let text = format!("{GENERATOR}, ");
    if width(line) + width(&text) <= cx.settings.line_length {
        return Some(Edit::insert(next.start(), text));
    }
    one_a_line(cx, import, next)
}

/// The names of an import on one line, as a list with a line for each, `AsyncGenerator` before `next`.
fn one_a_line<'a>(
    cx: &Context<'a, '_>,
    import: &'a StmtImportFrom,
    next: &'a Alias,
) -> Option<Edit> {
    let module = cx.module;
    let names = TextRange::new(import.names.first()?.start(), import.names.last()?.end());
    let has_line = !module.text(import.range()).contains(['\n', '\r']);
    if !has_line || !module.comments(import.range()).is_empty() {
        return None;
    }
    let indent = module.indentation_at(import.start())?;
    let newline = module.newline();
    let inner = format!("{indent}{}", module.indent());
    let names_in_order = import.names.iter().flat_map(|alias| {
        let new = (alias.range() == next.range()).then_some(GENERATOR);
        new.into_iter().chain([module.text(alias.range())])
    });
    let lines: String = names_in_order
        .flat_map(|name| [&inner, name, ",", newline])
        .collect();
    let text = format!("{newline}{lines}{indent}");
    let before = module.text(TextRange::new(import.start(), names.start()));
    if before.trim_end().ends_with('(') {
        let after = module.text(TextRange::new(names.end(), import.end()));
        return (before.ends_with('(') && after == ")").then(|| Edit::replace(names, text));
    }
    Some(Edit::replace(names, format!("({text})")))
}
