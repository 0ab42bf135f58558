//! How a call gets to a worker thread: by which function, of which library.

use edit::Edit;
use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, PythonVersion, Stmt, StmtFunctionDef};
use python::{Library, Ranged, ScopeId, TextRange, TextSize};

/// The function that runs another one in a worker thread.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    /// What it is called at the site: `asyncio.to_thread`.
    pub(super) name: String,
    /// What messages call it.
    pub(super) shown: String,
    /// Whether it hands keyword arguments on.
    pub(super) takes_keywords: bool,
    /// What imports it.
    pub(super) edits: Vec<Edit>,
    /// The Python version that it needs.
    pub(super) python: Option<PythonVersion>,
}

impl Hop {
    /// The project's own helper, or that of the library that the coroutine runs under.
    pub(super) fn of<'a>(
        cx: &Context<'a, '_>,
        site: AnyNodeRef<'a>,
        coroutine: &'a StmtFunctionDef,
    ) -> Result<Self, Refusal> {
        let helper = cx.option("helper");
        if !helper.is_empty() {
            return Self::helper(cx, site, &helper);
        }
        let asyncio = || Self::library(cx, site, "asyncio.to_thread", Some(PythonVersion::PY39));
        match library(cx, coroutine)? {
            Library::Trio => Self::library(cx, site, "trio.to_thread.run_sync", None),
            Library::Anyio => {
                let anyio = Self::library(cx, site, "anyio.to_thread.run_sync", None);
                // Where asyncio is there as well, it serves where anyio has no name.
                match cx.module.library() {
                    Library::Asyncio => anyio.or_else(|_| asyncio()),
                    _ => anyio,
                }
            }
            Library::Curio => Self::library(cx, site, "curio.run_in_thread", None),
            _ => asyncio(),
        }
    }

    /// `name`, a dotted name in a library, as the module can say it at the site.
    fn library<'a>(
        cx: &Context<'a, '_>,
        site: AnyNodeRef<'a>,
        name: &str,
        python: Option<PythonVersion>,
    ) -> Result<Self, Refusal> {
        let (module, rest) = name.split_once('.').unwrap_or((name, ""));
        let mut hop = Hop {
            name: String::new(),
            shown: name.to_string(),
            takes_keywords: module == "asyncio",
            edits: Vec::new(),
            python,
        };
        if let Some(known) = imported(cx, site, name) {
            hop.name = known;
            return Ok(hop);
        }
        let import = cx.import(site, module)?;
        hop.name = format!("{}.{rest}", import.name);
        match import.edit {
            Some(_) if module != "asyncio" => {
                hop.edits.push(import_of_package(cx, module)?);
            }
            edit => hop.edits.extend(edit),
        }
        Ok(hop)
    }

    /// The project's helper, imported by its name if need be.
    fn helper<'a>(
        cx: &Context<'a, '_>,
        site: AnyNodeRef<'a>,
        helper: &str,
    ) -> Result<Self, Refusal> {
        let (module, last) = helper.rsplit_once('.').unwrap_or(("", helper));
        let mut hop = Hop {
            name: last.to_string(),
            shown: helper.to_string(),
            takes_keywords: false,
            edits: Vec::new(),
            python: None,
        };
        if let Some(known) = imported(cx, site, helper) {
            hop.name = known;
            return Ok(hop);
        }
        let taken = cx
            .module
            .lookup(last, site)
            .or_else(|| cx.module.global(last));
        if taken.is_some() {
            return Err(withheld!(
                "the name `{last}` is bound to something else here: import {helper} under a name of its own"
            ));
        }
        let line = format!("from {module} import {last}");
        hop.edits.push(cx.define(&line, TextSize::new(0), 0));
        Ok(hop)
    }
}

/// What `name`, a dotted name, is called at the site if the module has imported it, or the module
/// that it is in.
pub(super) fn imported<'a>(
    cx: &Context<'a, '_>,
    site: AnyNodeRef<'a>,
    name: &str,
) -> Option<String> {
    let module = cx.module;
    module
        .symbols()
        .filter(|symbol| symbol.scope == ScopeId::MODULE)
        .filter(|symbol| {
            module
                .lookup(symbol.name, site)
                .is_some_and(|seen| std::ptr::eq(seen, *symbol))
                && symbol.bindings.iter().any(|binding| {
                    !binding.typing_only
                        && matches!(
                            module.parent(module.statement(module.node(binding.node))),
                            Some(AnyNodeRef::ModModule(_))
                        )
                })
        })
        .find_map(|symbol| {
            let imported = module.imported_as(symbol)?;
            let rest = name.strip_prefix(&*imported)?;
            // `import asyncio` is left to whoever knows its aliases.
            if !rest.is_empty() && !imported.contains('.') {
                return None;
            }
            (rest.is_empty() || rest.starts_with('.')).then(|| format!("{}{rest}", symbol.name))
        })
}

/// `import anyio`, beside what the file imports from there.
fn import_of_package(cx: &Context<'_, '_>, library: &str) -> Result<Edit, Refusal> {
    let module = cx.module;
    let Some(from) = module.import_from_package(library) else {
        return Err(withheld!(
            "`{library}` is imported only in parts: add `import {library}`"
        ));
    };
    // `import fsspec` stands after it, as an import sorter would have it.
    let mut start = from.start();
    if let Some((body, position)) = module.siblings(from) {
        for above in body[..position].iter().rev() {
            let Stmt::Import(import) = above else { break };
            let is_later = import.names.iter().all(|it| it.name.as_str() > library);
            let between = module.text(TextRange::new(above.end(), start));
            if !is_later || !matches!(between, "\n" | "\r\n") {
                break;
            }
            start = above.start();
        }
    }
    let line = format!("import {library}{}", module.newline());
    Ok(Edit::insert(module.line_start(start), line))
}

/// The library that the coroutine runs under.
fn library<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> Result<Library, Refusal> {
    match cx.module.library_for(coroutine) {
        Library::Other => Err(Refusal::NotOurs), // what blocks there is another matter
        Library::Several => Err(withheld!(
            "the file uses asyncio and another library, and `{}` does not show under which it runs: run the call in a thread by that library",
            coroutine.name
        )),
        library => match cx.library_beside_asyncio() {
            Some(other) => Err(withheld!(
                "the file imports no asynchronous library, and another file of the project imports {other}, under which `{}` may run as well: run the call in a thread by that library",
                coroutine.name
            )),
            None if cx.may_have_own_loop() => Err(withheld!(
                "the file imports no asynchronous library, and another file of the project makes coroutines by `types.coroutine`, so that `{}` need not run under asyncio: run the call in a thread by hand if it does",
                coroutine.name
            )),
            None => Ok(library),
        },
    }
}
