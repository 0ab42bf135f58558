//! What the module as a whole has to be like: it uses aiohttp for nothing but sessions.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, ExprCall};
use python::{BindingKind, Library, Symbol};

/// The sessions that the module creates.
pub fn sessions<'a, 'c>(cx: &'c Context<'a, '_>) -> impl Iterator<Item = &'a ExprCall> + 'c {
    let calls = cx.module.calls().iter().copied();
    calls.filter(|call| cx.module.refers_to(&call.func, "aiohttp.ClientSession"))
}

/// Whether the module uses something of aiohttp that is not the creation of a session: its
/// server, its errors, its timeouts, the name of a class in an annotation.
pub fn needs_aiohttp(cx: &Context<'_, '_>) -> bool {
    let module = cx.module;
    if module.library() == Library::Other {
        return true; // who knows what runs there
    }
    module
        .imported_symbols()
        .filter(|symbol| is_imported_from(symbol, "aiohttp"))
        .any(|symbol| {
            symbol.named_in_string
                || module.is_exported(symbol.name)
                || symbol
                    .reads
                    .iter()
                    .any(|read| !creates_session(cx, module.node(*read)))
        })
}

fn is_imported_from(symbol: &Symbol<'_>, package: &str) -> bool {
    let is_package = |name: &str| name.split('.').next() == Some(package);
    symbol.bindings.iter().any(|binding| match binding.kind {
        BindingKind::Import(alias) => is_package(&alias.name),
        BindingKind::FromImport(import, _) => {
            import.level == 0 && import.module.as_deref().is_some_and(is_package)
        }
        _ => false,
    })
}

/// Whether a name of aiohttp is read for `aiohttp.ClientSession(...)`.
fn creates_session<'a>(cx: &Context<'a, '_>, name: AnyNodeRef<'a>) -> bool {
    let func = match cx.module.parent(name) {
        Some(parent @ AnyNodeRef::ExprAttribute(_)) => parent,
        _ => name,
    };
    matches!(
        cx.module.parent(func),
        Some(AnyNodeRef::ExprCall(call))
            if func.ptr_eq(AnyNodeRef::from(&*call.func))
                && cx.module.refers_to(&call.func, "aiohttp.ClientSession")
    )
}

/// The refusals for what else stands in the module.
pub fn check(cx: &Context<'_, '_>) -> Result<(), Refusal> {
    let module = cx.module;
    for package in ["aioresponses", "pytest_aiohttp", "vcr"] {
        if module
            .symbols()
            .any(|symbol| is_imported_from(symbol, package))
        {
            return Err(withheld!(
                "the file imports `{package}`, which stands in for aiohttp in tests: replace it by its like for httpx first"
            ));
        }
    }
    for node in module.descendants(module.root()) {
        let AnyNodeRef::ExprStringLiteral(literal) = node else {
            continue;
        };
        let text = literal.value.to_str();
        if is_target(text) {
            return Err(withheld!(
                "the file names `{text}` in a string, and what replaces it in tests would have no effect: replace httpx there first"
            ));
        }
        if text.contains("aiohttp.Client") {
            return Err(withheld!(
                "a text in the file speaks of classes of aiohttp, whose errors others may handle: say there what httpx raises, and look at the callers"
            ));
        }
    }
    Ok(())
}

/// Whether a text may say what `mock.patch` is to replace: `app.aiohttp.ClientSession.get`.
fn is_target(text: &str) -> bool {
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    text.contains('.')
        && text.split('.').all(is_name)
        && text
            .split('.')
            .any(|part| part == "aiohttp" || part == "ClientSession")
}

/// Whether the module knows a URL or a dict that is no text or dict of Python's own.
pub fn has_other_types(cx: &Context<'_, '_>) -> bool {
    let mut symbols = cx.module.symbols();
    symbols.any(|symbol| is_imported_from(symbol, "yarl") || is_imported_from(symbol, "multidict"))
}
