//! The calls in one file, as whoever looks for the callers of a function in other files wants
//! them.

use std::ops::Range;

use python::ast::{AnyNodeRef, Expr, PythonVersion};
use python::{AwaitPlace, BindingKind, Catcher, Ranged, ScopeKind, TextRange};
use rustc_hash::FxHashMap;

use crate::roles::asks_for_loop;
use crate::text::Text;

/// What one file calls and defines.
///
/// A run over many projects keeps that of thousands of files, each with hundreds of calls: names and what is around
/// a call are held once for a file, and a call is six numbers.
#[derive(Debug, Default)]
pub struct Calls {
    names: Vec<Box<str>>,
    catchers: Vec<Box<[Catcher]>>,
    /// Ordered by the number of the name.
    sites: Vec<Site>,
    /// The paths of the functions with such names: `Client.fetch`.
    pub functions: Vec<Box<str>>,
}

/// A call, with the numbers of its names and of what is around it.
#[derive(Debug)]
struct Site {
    name: u32,
    func: TextRange,
    row: u32,
    within: Option<u32>,
    at_once: bool,
    in_coroutine: bool,
    catchers: u32,
    reaches: Reached,
}

#[derive(Debug)]
enum Reached {
    Local(u32),
    Imported(u32),
    Unknown,
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct CallSite<'c> {
    /// What is called: byte offsets.
    func: TextRange,
    /// The line, from 1.
    pub row: usize,
    /// The path of the function that it stands in; none at module level.
    pub within: Option<&'c str>,
    /// Whether it runs when that function's own code does, in no lambda and no generator, and in
    /// the same thread: the function does not ask whether a loop runs.
    pub at_once: bool,
    /// Whether that function is a coroutine function.
    pub in_coroutine: bool,
    /// What an exception of it meets up to the end of that function.
    pub catchers: &'c [Catcher],
    /// What it reaches.
    pub reaches: Reach<'c>,
}

impl CallSite<'_> {
    /// What is called: byte offsets. No two calls of a file have the same.
    pub fn func(&self) -> Range<usize> {
        self.func.into()
    }
}

/// What a call reaches, as far as its module shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach<'c> {
    /// The function with this path in the same file, and nothing else.
    Local(&'c str),
    /// What has this qualified name.
    Imported(&'c str),
    /// Whatever the object has under this name.
    Unknown,
}

impl Calls {
    /// The calls of what has this last name, in their order.
    pub fn of(&self, name: &str) -> impl Iterator<Item = CallSite<'_>> {
        let number = self.names.iter().position(|it| **it == *name);
        let sites = number.map_or(&[][..], |number| {
            let number = counted(number);
            let start = self.sites.partition_point(|it| it.name < number);
            let end = self.sites.partition_point(|it| it.name <= number);
            &self.sites[start..end]
        });
        sites.iter().map(|site| CallSite {
            func: site.func,
            row: site.row as usize,
            within: site.within.map(|name| self.name(name)),
            at_once: site.at_once,
            in_coroutine: site.in_coroutine,
            catchers: &self.catchers[site.catchers as usize],
            reaches: match site.reaches {
                Reached::Local(name) => Reach::Local(self.name(name)),
                Reached::Imported(name) => Reach::Imported(self.name(name)),
                Reached::Unknown => Reach::Unknown,
            },
        })
    }

    fn name(&self, number: u32) -> &str {
        &self.names[number as usize]
    }
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
    let mut names = Numbers::<str>::default();
    let mut catchers = Numbers::<[Catcher]>::default();
    let mut functions = Vec::new();
    for node in module.descendants(module.root()) {
        match node {
            AnyNodeRef::StmtFunctionDef(function) if wanted(&function.name) => {
                functions.extend(module.path_of(function).map(String::into_boxed_str));
            }
            _ => {}
        }
    }
    let mut sites = Vec::new();
    let mut asking = FxHashMap::default();
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
        let name = names.of(name.into());
        let reaches = match (imported, module.function_definition(&call.func)) {
            (Some(imported), _) => Reached::Imported(names.of(imported.into())),
            (None, Some(function)) => module.path_of(function).map_or(Reached::Unknown, |path| {
                Reached::Local(names.of(path.into()))
            }),
            (None, None) => Reached::Unknown,
        };
        sites.push(Site {
            name,
            func: call.func.range(),
            row: counted(module.row(call.start())),
            within: module
                .function(*call)
                .and_then(|it| module.path_of(it))
                .map(|path| names.of(path.into())),
            at_once: match place {
                AwaitPlace::Coroutine(function)
                | AwaitPlace::NestedComprehension(function)
                | AwaitPlace::Function(function) => !*asking
                    .entry(module.id(function))
                    .or_insert_with(|| asks_for_loop(&module, function)),
                _ => false,
            },
            in_coroutine: matches!(
                place,
                AwaitPlace::Coroutine(_) | AwaitPlace::NestedComprehension(_)
            ),
            catchers: catchers.of(module.catchers(*call).into()),
            reaches,
        });
    }
    sites.sort_by_key(|site| site.name);
    sites.shrink_to_fit();
    Some(Calls {
        names: names.values(),
        catchers: catchers.values(),
        sites,
        functions,
    })
}

/// A number of lines or names: there are no more than offsets, which have 32 bits.
#[allow(clippy::cast_possible_truncation)]
fn counted(number: usize) -> u32 {
    number as u32
}

/// Values that are held once, by numbers.
struct Numbers<T: ?Sized>(FxHashMap<Box<T>, u32>);

impl<T: ?Sized> Default for Numbers<T> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<T: ?Sized> Numbers<T>
where
    Box<T>: Eq + std::hash::Hash,
{
    /// The number of a value: of a new one, the next.
    fn of(&mut self, value: Box<T>) -> u32 {
        let next = counted(self.0.len());
        *self.0.entry(value).or_insert(next)
    }

    /// The values, in the order of their numbers.
    fn values(self) -> Vec<Box<T>> {
        let mut values: Vec<(Box<T>, u32)> = self.0.into_iter().collect();
        values.sort_unstable_by_key(|(_, number)| *number);
        values.into_iter().map(|(value, _)| value).collect()
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
        let sites: Vec<_> = calls.of("load").collect();
        let reached: Vec<_> = sites.iter().map(|it| it.reaches).collect();
        assert_eq!(
            reached,
            [
                Reach::Local("A.load"),
                Reach::Imported("m.load"),
                Reach::Unknown,
            ]
        );
        let within: Vec<_> = sites.iter().map(|it| it.within).collect();
        assert_eq!(within, [Some("A.fetch"), Some("main"), Some("main")]);
        assert_eq!(sites[0].row, 5);
        let [Catcher::Try { handlers, .. }] = sites[0].catchers else {
            panic!("{:?}", sites[0].catchers);
        };
        assert_eq!(calls.of("fetch").count(), 0);
        assert_eq!(handlers[0].row, 6);
        let types: Vec<_> = handlers[0].types.iter().map(|it| &*it.text).collect();
        assert_eq!(types, ["ValueError", "KeyError"]);
    }
}
