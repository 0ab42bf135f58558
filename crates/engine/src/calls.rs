//! The calls in one file, as whoever looks for the callers of a function in other files wants
//! them.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use python::ast::{AnyNodeRef, Expr, PythonVersion};
use python::{AwaitPlace, BindingKind, Catcher, Ranged, ScopeKind};

use crate::roles::asks_for_loop;
use crate::text::Text;

/// What one file calls and defines.
#[derive(Debug, Default)]
pub struct Calls {
    /// The calls of names that were wanted, by position.
    pub sites: Vec<CallSite>,
    /// The paths of the functions with such names: `Client.fetch`.
    pub functions: Vec<Arc<str>>,
}

/// A call.
#[derive(Debug)]
pub struct CallSite {
    /// The last part of what is called.
    pub name: Arc<str>,
    /// What is called: byte offsets.
    pub func: Range<usize>,
    /// The line, from 1.
    pub row: usize,
    /// The path of the function that it stands in; none at module level.
    pub within: Option<Arc<str>>,
    /// Whether it runs when that function's own code does, in no lambda and no generator, and in
    /// the same thread: the function does not ask whether a loop runs.
    pub at_once: bool,
    /// Whether that function is a coroutine function.
    pub in_coroutine: bool,
    /// What an exception of it meets up to the end of that function.
    pub catchers: Vec<Catcher>,
    /// What it reaches.
    pub reaches: Reach,
}

/// What a call reaches, as far as its module shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Reach {
    /// The function with this path in the same file, and nothing else.
    Local(Arc<str>),
    /// What has this qualified name.
    Imported(Arc<str>),
    /// Whatever the object has under this name.
    Unknown,
}

/// The calls in a file, or the text of a notebook, of functions whose last name is `wanted`; none
/// where it does not parse.
pub fn calls(
    source: &str,
    version: PythonVersion,
    is_notebook: bool,
    wanted: impl Fn(&str) -> bool,
) -> Option<Calls> {
    let text = parsed(source, version, is_notebook)?;
    let module = text.module();
    if module.is_too_deep() {
        return None;
    }
    let mut found = Calls::default();
    let mut shared = Shared::default();
    for node in module.descendants(module.root()) {
        match node {
            AnyNodeRef::StmtFunctionDef(function) if wanted(&function.name) => {
                let path = module.path_of(function);
                found.functions.extend(path.map(|path| shared.get(path)));
            }
            _ => {}
        }
    }
    for call in module.calls() {
        let Some(name) = last_part(&call.func) else {
            continue;
        };
        let imported = module.qualified_name(&call.func);
        // `from m import fetch as f`
        let name = match &imported {
            Some(imported) => imported.rsplit('.').next().unwrap_or(name),
            None => name,
        };
        if !wanted(name) {
            continue;
        }
        let place = module.await_place(*call);
        let name = shared.get(name);
        let reaches = match (imported, module.function_definition(&call.func)) {
            (Some(imported), _) => Reach::Imported(shared.get(imported)),
            (None, Some(function)) => module
                .path_of(function)
                .map_or(Reach::Unknown, |path| Reach::Local(shared.get(path))),
            (None, None) => Reach::Unknown,
        };
        found.sites.push(CallSite {
            name,
            func: call.func.range().into(),
            row: module.row(call.start()),
            within: module
                .function(*call)
                .and_then(|it| module.path_of(it))
                .map(|path| shared.get(path)),
            at_once: match place {
                AwaitPlace::Coroutine(function)
                | AwaitPlace::NestedComprehension(function)
                | AwaitPlace::Function(function) => !asks_for_loop(&module, function),
                _ => false,
            },
            in_coroutine: matches!(
                place,
                AwaitPlace::Coroutine(_) | AwaitPlace::NestedComprehension(_)
            ),
            catchers: module.catchers(*call),
            reaches,
        });
    }
    Some(found)
}

/// The names of one file, each held once: a file has many calls.
#[derive(Default)]
struct Shared(HashSet<Arc<str>>);

impl Shared {
    fn get(&mut self, name: impl AsRef<str>) -> Arc<str> {
        let name = name.as_ref();
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.insert(Arc::clone(&name));
        name
    }
}

/// The classes of a file that have something else than a coroutine function under this name: a
/// plain method, an asynchronous generator, an attribute; none where it does not parse.
pub fn plain_methods(
    source: &str,
    version: PythonVersion,
    is_notebook: bool,
    name: &str,
) -> Option<Vec<String>> {
    let text = parsed(source, version, is_notebook)?;
    let module = text.module();
    if module.is_too_deep() {
        return None;
    }
    let plain = module.symbols().filter_map(|symbol| {
        let ScopeKind::Class(class) = module.scope_data(symbol.scope).kind else {
            return None;
        };
        let is_plain = symbol.name == name
            && symbol.bindings.iter().any(|binding| match binding.kind {
                BindingKind::Function(function) => {
                    !function.is_async || module.is_generator(function)
                }
                _ => true,
            });
        is_plain.then(|| class.name.to_string())
    });
    Some(plain.collect())
}

fn parsed(source: &str, version: PythonVersion, is_notebook: bool) -> Option<Text> {
    let source = source.to_string();
    let text = if is_notebook {
        Text::of_notebook(source, version)
    } else {
        Text::new(source, version)
    };
    text.ok()
}

fn last_part(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        Expr::Subscript(subscript) => last_part(&subscript.value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_with_what_is_around_them() {
        let source = "\
from m import load as l
class A(base.B[int], C):
    async def fetch(self):
        try:
            await self.load()
        except (ValueError, KeyError):
            pass
    async def load(self): ...
async def main(a):
    l()
    a.load()
";
        let calls = calls(source, PythonVersion::PY311, false, |name| name == "load").unwrap();
        assert_eq!(calls.functions, ["A.load".into()]);
        let reached: Vec<_> = calls.sites.iter().map(|it| &it.reaches).collect();
        assert_eq!(
            reached,
            [
                &Reach::Local("A.load".into()),
                &Reach::Imported("m.load".into()),
                &Reach::Unknown,
            ]
        );
        let within: Vec<_> = calls.sites.iter().map(|it| it.within.as_deref()).collect();
        assert_eq!(within, [Some("A.fetch"), Some("main"), Some("main")]);
        assert_eq!(calls.sites[0].row, 5);
        let [Catcher::Try { handlers, .. }] = calls.sites[0].catchers.as_slice() else {
            panic!("{:?}", calls.sites[0].catchers);
        };
        assert_eq!(handlers[0].row, 6);
        let types: Vec<_> = handlers[0].types.iter().map(|it| &*it.text).collect();
        assert_eq!(types, ["ValueError", "KeyError"]);
    }
}
