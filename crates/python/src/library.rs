//! Which asynchronous library a module is written for.

use ruff_python_ast::{self as ast, AnyNodeRef};

use crate::index::{BindingKind, ScopeId};
use crate::module::Module;

/// The asynchronous library that the coroutines of a module run under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// asyncio, or none that could be seen.
    Asyncio,
    /// trio, and not asyncio.
    Trio,
    /// anyio, and neither asyncio nor trio.
    Anyio,
    /// curio, and not asyncio.
    Curio,
    /// asyncio together with trio or curio: a coroutine may run under either.
    Several,
    /// gevent, eventlet, Twisted without an asyncio reactor, or MicroPython: what blocks and what
    /// does not is another matter there.
    Other,
}

impl Module<'_> {
    /// The library that this module is written for, by its imports at run time.
    pub fn library(&self) -> Library {
        *self.library.get_or_init(|| self.find_library())
    }

    /// Whether an import of this module says which library that is.
    pub fn shows_library(&self) -> bool {
        self.seen() != Seen::default()
    }

    fn find_library(&self) -> Library {
        match self.seen() {
            Seen { other: true, .. } => Library::Other,
            Seen {
                twisted: true,
                asyncio: false,
                ..
            } => Library::Other,
            Seen {
                asyncio: true,
                trio: true,
                ..
            }
            | Seen {
                asyncio: true,
                curio: true,
                ..
            } => Library::Several,
            Seen { asyncio: true, .. } => Library::Asyncio,
            Seen { trio: true, .. } => Library::Trio,
            Seen { curio: true, .. } => Library::Curio,
            Seen { anyio: true, .. } => Library::Anyio,
            _ => Library::Asyncio,
        }
    }

    /// The libraries that the module imports at run time.
    fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        for symbol in self.imported_symbols() {
            for binding in symbol
                .bindings
                .iter()
                .filter(|binding| !binding.typing_only)
            {
                match binding.kind {
                    BindingKind::Import(alias) => seen.module(&alias.name),
                    BindingKind::FromImport(import, alias) if import.level == 0 => {
                        seen.module(import.module.as_deref().unwrap_or_default());
                        if import.module.as_deref() == Some("twisted.internet") {
                            seen.module(&format!("twisted.internet.{}", alias.name));
                        }
                    }
                    _ => {}
                }
            }
        }
        for import in &self.index.star_imports {
            seen.module(import.module.as_deref().unwrap_or_default());
        }
        seen
    }

    /// The library that `coroutine` runs under, for what is written into it: anyio, where the
    /// module has it, serves under each of the others.
    pub fn library_for(&self, coroutine: &ast::StmtFunctionDef) -> Library {
        let has_anyio = |in_module: bool| {
            self.imported_symbols().any(|symbol| {
                let name = self.imported_as(symbol);
                name.is_some_and(|name| name.split('.').next() == Some("anyio"))
                    && (!in_module || symbol.scope == ScopeId::MODULE)
            })
        };
        match self.library() {
            Library::Several => match self.library_of(coroutine) {
                None if has_anyio(false) => Library::Anyio,
                library => library.unwrap_or(Library::Several),
            },
            Library::Trio if has_anyio(false) => {
                self.library_of(coroutine).unwrap_or(Library::Anyio)
            }
            Library::Asyncio if has_anyio(true) => {
                self.library_of(coroutine).unwrap_or(Library::Anyio)
            }
            library => library,
        }
    }

    /// The library that a function itself decides on, in a module that uses several: the only one
    /// of asyncio, trio, curio and anyio whose names its code mentions.
    pub fn library_of(&self, function: &ast::StmtFunctionDef) -> Option<Library> {
        let mut found = None;
        for node in self.descendants(function) {
            let AnyNodeRef::ExprName(name) = node else {
                continue;
            };
            let Some(imported) = self
                .symbol(name)
                .and_then(|symbol| self.imported_as(symbol))
            else {
                continue;
            };
            let library = match imported.split('.').next() {
                Some("asyncio") => Library::Asyncio,
                Some("trio") => Library::Trio,
                Some("curio") => Library::Curio,
                Some("anyio") => Library::Anyio,
                _ => continue,
            };
            match found {
                None => found = Some(library),
                Some(other) if other == library => {}
                Some(_) => return None,
            }
        }
        found
    }
}

#[derive(Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)]
struct Seen {
    asyncio: bool,
    trio: bool,
    anyio: bool,
    curio: bool,
    twisted: bool,
    other: bool,
}

impl Seen {
    fn module(&mut self, name: &str) {
        if name == "twisted.internet.asyncioreactor" {
            self.asyncio = true;
        }
        match name.split('.').next() {
            Some("asyncio") => self.asyncio = true,
            Some("trio") => self.trio = true,
            Some("anyio") => self.anyio = true,
            Some("curio") => self.curio = true,
            Some("twisted") => self.twisted = true,
            Some("gevent" | "eventlet" | "uasyncio" | "machine" | "micropython") => {
                self.other = true;
            }
            _ => {}
        }
    }
}
