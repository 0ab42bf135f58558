//! What functions of other modules do, for codemods that follow calls through them.
//!
//! A codemod asks by name, as the import has it. Whoever knows the files of the run finds the
//! module, has it read once, and gives back what the codemod's own function says of it: plain
//! data, in which the codemod then looks for itself. Types are not needed, and nothing is waited
//! for, so that this is answered in the first look already.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

use python::Symbol;
use rustc_hash::FxHashMap;

use crate::meaning::{Asking, Meaning};
use crate::memory::Memory;
use crate::rewrite::Taken;
use crate::text::Text;
use crate::{Codemod, Context, Settings};

/// What a codemod says of a module, for the sites in other modules that reach it. It holds
/// numbers of nodes at most, and no nodes.
pub type Summary = Arc<dyn Any + Send + Sync>;

/// How a codemod comes by it. The module is not the one that is rewritten: nobody else is asked.
pub type Summarise = for<'a, 'm> fn(&Context<'a, 'm>) -> Summary;

/// Whoever knows the other modules of the run.
pub trait Elsewhere {
    /// Who defines what the dotted `name` stands for (`pkg.load.fetch`, `.load.fetch`), through
    /// any number of imports. The name is one in the file `from`; where that is none, in the file
    /// that the answers are for.
    fn definition(&self, from: Option<usize>, name: &str, look: Look) -> Option<Definition>;

    /// Whether types are ever known. Where they are not, all are unknown at once.
    fn has_types(&self) -> bool;
}

/// How to look at a module.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Who looks.
    pub codemod: &'static Codemod,
    /// What it notes.
    pub summarise: Summarise,
}

/// A module that defines what a name stands for.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The number of its file.
    pub file: usize,
    /// The file, as messages show it.
    pub shown: String,
    /// The name in that module: `fetch`, `Client.fetch`.
    pub name: String,
    /// What the codemod says of the module.
    pub summary: Summary,
}

/// A module, as others see it.
#[derive(Debug)]
pub struct Outline {
    /// The names that it binds: those that are imported with what they stand for.
    names: FxHashMap<String, Option<String>>,
    /// The modules whose names it has all imported.
    stars: Vec<String>,
    /// What the codemod says of it.
    pub summary: Summary,
}

/// What a module has under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exported {
    /// It binds the name itself.
    Defined,
    /// It has imported it, under this dotted name.
    Imported(String),
    /// It may have it by a star import.
    Unbound,
}

impl Outline {
    /// Looks at the text of a file; none where it does not parse.
    pub fn of(source: String, settings: &Settings, look: Look) -> Option<Self> {
        let text = Text::new(source, settings.target.version).ok()?;
        let module = text.module();
        if module.is_too_deep() {
            drop(module);
            text.parsed.forget();
            return None;
        }
        let imported = |symbol: &Symbol<'_>| module.imported_as(symbol).map(|it| it.to_string());
        let names = module
            .globals()
            .map(|symbol| (symbol.name.to_string(), imported(symbol)))
            .collect();
        let meaning = Meaning::new(Asking::Nobody, &|_| Taken::Unknown);
        let context = Context {
            module: &module,
            settings,
            codemod: look.codemod,
            meaning: &meaning,
            drawn: &RefCell::default(),
            memory: &Memory::default(),
        };
        let summary = (look.summarise)(&context);
        Some(Self {
            names,
            stars: module.star_imports().collect(),
            summary,
        })
    }

    /// What the module has under this name.
    pub fn exported(&self, name: &str) -> Exported {
        match self.names.get(name) {
            Some(Some(imported)) => Exported::Imported(imported.clone()),
            Some(None) => Exported::Defined,
            None => Exported::Unbound,
        }
    }

    /// The modules whose names it has all imported.
    pub fn stars(&self) -> &[String] {
        &self.stars
    }
}

impl Context<'_, '_> {
    /// The module of the run that defines what a dotted name stands for, with what `summarise`
    /// says of it; none where nobody knows. `from` is the module that has the name, as an earlier
    /// answer numbered it, and none for this one.
    pub fn elsewhere(
        &self,
        from: Option<usize>,
        name: &str,
        summarise: Summarise,
    ) -> Option<Definition> {
        let look = Look {
            codemod: self.codemod,
            summarise,
        };
        self.meaning.elsewhere()?.definition(from, name, look)
    }

    /// The other modules of the project that have a class which derives, as far as names tell, from
    /// one of this name, by their numbers, with what `summarise` says of them; none yet in the
    /// first look, since all files of the project are looked through.
    pub fn deriving(&self, class: &str, summarise: Summarise) -> Vec<(usize, Summary)> {
        let look = Look {
            codemod: self.codemod,
            summarise,
        };
        self.meaning.deriving(class, look)
    }

    /// The other files of the project in which this word stands, and one of those `beside` it if
    /// there are any, by their numbers, with what `summarise` says of them; none yet in the first
    /// look, since all files of the project are looked through.
    pub fn naming(
        &self,
        word: &str,
        beside: &[&str],
        summarise: Summarise,
    ) -> Vec<(usize, Summary)> {
        let look = Look {
            codemod: self.codemod,
            summarise,
        };
        self.meaning.naming(word, beside, look)
    }
}
