//! What a generator function is declared to give: type checkers take `aclosing` only of what has
//! `aclose`.

use edit::Edit;
use engine::{Context, width};
use python::ast::{Alias, Expr, PythonVersion, StmtFunctionDef, StmtImportFrom};
use python::{BindingKind, Ranged, Symbol};

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
/// Whoever is given a generator is given an iterator, too. None where it stands on several lines, or
/// would not fit into one, and where the import has no room.
pub(super) fn edits<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Option<Vec<Edit>> {
    let module = cx.module;
    let declared = of(cx, function)?;
    let element = declared.element?;
    let returns = function.returns.as_deref()?;
    let is_plain = !element.is_tuple_expr()
        && !module.text(returns.range()).contains(['\n', '\r'])
        && module.parenthesized(returns) == returns.range();
    if !is_plain {
        return None;
    }
    let (class, import) = match declared.class {
        Expr::Attribute(attribute) => {
            let value = module.text(attribute.value.range());
            (format!("{value}.{GENERATOR}"), None)
        }
        _ => named(cx, function, &declared)?,
    };
    let sent = if cx.supports(PythonVersion::PY313) {
        ""
    } else {
        ", None"
    };
    let text = format!("{class}[{}{sent}]", module.text(element.range()));
    let end = module.line_end(returns.end());
    let line = width(module.text(python::TextRange::new(module.line_start(end), end)));
    let grown = width(&text).saturating_sub(width(module.text(returns.range())));
    if line + grown > cx.settings.line_length {
        return None;
    }
    let mut edits = vec![Edit::replace(returns.range(), text)];
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
    let is_later = |it: &&Alias| it.name.as_str() > GENERATOR || it.range() == alias.range();
    let next = import.names.iter().find(is_later)?;
    if let Some(indent) = module.indentation_at(next.start()) {
        let text = format!("{GENERATOR},{}{indent}", module.newline());
        return Some(Edit::insert(next.start(), text));
    }
    let end = module.line_end(next.start());
    let line = module.text(python::TextRange::new(module.line_start(next.start()), end));
    let text = format!("{GENERATOR}, ");
    (width(line) + width(&text) <= cx.settings.line_length)
        .then(|| Edit::insert(next.start(), text))
}
