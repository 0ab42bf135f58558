//! What a codemod can ask, beyond what the module itself answers.

use std::cell::RefCell;

use edit::Edit;
use python::ast::Expr;
use python::ast::{self, AnyNodeRef, PythonVersion};
use python::{Awaitable, BindingKind, Module, NodeId, Ranged, ScopeId, Symbol, TextSize};

use types::{Answer, Ask, Gives, Question};

use crate::meaning::Meaning;
use crate::memory::Memory;
use crate::rewrite::Taken;
use crate::unused::kept;
use crate::{Caller, Codemod, Kept, Refusal, Settings, roles, withheld};

/// One module, as one codemod sees it.
#[derive(Debug)]
pub struct Context<'a, 'm> {
    /// The module.
    pub module: &'m Module<'a>,
    /// The settings of the run.
    pub settings: &'m Settings,
    pub(crate) codemod: &'static Codemod,
    /// What lies outside of the module.
    pub(crate) meaning: &'m Meaning<'m>,
    /// The module-level names that fixes of this round have drawn.
    pub(crate) drawn: &'m RefCell<Vec<Drawn>>,
    /// What the codemod has found out about nodes of this module at other sites.
    pub(crate) memory: &'m Memory,
}

/// A module-level name that a fix has drawn.
#[derive(Debug)]
pub(crate) struct Drawn {
    name: String,
    /// The codemod and the purpose whose fixes share it; none where it is one fix's own.
    shared: Option<(&'static str, &'static str)>,
}

/// A module of the standard library, as it can be named at a site.
#[derive(Clone, Debug)]
pub struct Import {
    /// The name that it has there.
    pub name: String,
    /// The edit that imports it, where it is not yet: a part of the fix.
    pub edit: Option<Edit>,
}

impl<'a> Context<'a, '_> {
    /// The value of one of the codemod's options.
    pub fn option(&self, name: &str) -> String {
        self.settings.options.get(self.codemod, name)
    }

    /// The dotted names in one of the codemod's lists.
    pub fn names(&self, name: &str) -> Vec<String> {
        let names = self.option(name);
        let names = names.split(',').filter(|name| !name.is_empty());
        names.map(str::to_string).collect()
    }

    /// Whether one of the codemod's flags is set.
    pub fn flag(&self, name: &str) -> bool {
        self.option(name) == "true"
    }

    /// The answer to a question of the codemod about a node of this module, asked once for all
    /// sites: where each site asks about all the others, a large file would take forever.
    pub fn once(&self, question: &'static str, node: NodeId, ask: impl FnOnce() -> bool) -> bool {
        *self.remember(question, node, ask)
    }

    /// Whether the module holds tests.
    pub fn has_tests(&self) -> bool {
        let root = self.module.id(self.module.root());
        self.settings.is_test || self.once("tests", root, || roles::has_tests(self.module))
    }

    /// The refusal to change a call, or what is awaited, that `f"{call()=}"` prints as it is written.
    pub fn check_unprinted<'n>(&self, call: impl Into<AnyNodeRef<'n>>) -> Result<(), Refusal> {
        if self.module.is_printed_source(call) {
            return Err(withheld!(
                "`f\"{{...=}}\"` prints its source, which would change: move the call out of the string"
            ));
        }
        Ok(())
    }

    /// What `expr` gives to `await`: as the module shows it, else by its type.
    pub fn awaitable(&self, expr: &Expr) -> Awaitable {
        match self.module.awaitable(expr) {
            Awaitable::Unknown => match self.value(expr).value().map(|value| value.gives) {
                Some(Gives::Coroutine) => Awaitable::Coroutine,
                Some(Gives::Task) => Awaitable::Task,
                Some(Gives::Future) => Awaitable::Future,
                Some(Gives::Awaitable | Gives::Nothing) | None => Awaitable::Unknown,
            },
            known => known,
        }
    }

    /// What is known of the value of an expression by its type: [`Answer::Value`] or unknown.
    pub fn value(&self, expr: &Expr) -> Answer {
        self.ask(Ask::Value, expr)
    }

    /// The same of what a call gives.
    pub fn given(&self, call: &ast::ExprCall) -> Answer {
        self.ask(Ask::Value, call)
    }

    /// The same of what an iterable gives.
    pub fn element(&self, iterable: &Expr) -> Answer {
        self.ask(Ask::Element, iterable)
    }

    /// Which function a call of `func` reaches: [`Answer::Callee`] or unknown.
    pub fn callee(&self, func: &Expr) -> Answer {
        self.ask(Ask::Callee, func)
    }

    /// How the value of an expression is entered: [`Answer::Context`] or unknown.
    pub fn entered(&self, expr: &Expr) -> Answer {
        self.ask(Ask::Context, expr)
    }

    /// Whether what a call gives has `aclose`: [`Answer::Closes`] or unknown.
    pub fn closes(&self, call: &ast::ExprCall) -> Answer {
        self.ask(Ask::Closes, call)
    }

    fn ask(&self, ask: Ask, expr: &impl Ranged) -> Answer {
        self.meaning.answer(Question {
            ask,
            range: expr.range().into(),
        })
    }

    /// Whether `expr` is an event loop: as the module shows it, else by its type.
    pub fn is_loop(&self, expr: &Expr) -> bool {
        self.module.is_loop(expr)
            || self.value(expr).value().is_some_and(|value| {
                value
                    .classes
                    .iter()
                    .any(|class| class == "asyncio.events.AbstractEventLoop")
            })
    }

    /// Of the places where `function` is called in the files of the run, and the functions that call
    /// it, as far as what it raises gets, the first that is `wanted`; none where nobody is known.
    /// What is wanted depends on the caller and on nothing else: one answer is kept for a function.
    pub fn caller(
        &self,
        function: &ast::StmtFunctionDef,
        wanted: impl Fn(&Caller) -> bool,
    ) -> Option<Caller> {
        let path = self.module.path_of(function)?;
        self.meaning.caller(self.codemod.name, path, &wanted)
    }

    /// Whether a word stands in a file of this one's project that is in the run, as far as is
    /// known.
    pub fn project_mentions(&self, word: &str) -> bool {
        self.project_mentions_any(&[word])
    }

    /// The same of one of these words, which are looked for together.
    pub fn project_mentions_any(&self, words: &[&str]) -> bool {
        self.project_mentions_each(words).contains(&true)
    }

    /// The same of each of these words, which are looked for together.
    pub fn project_mentions_each(&self, words: &[&str]) -> Vec<bool> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_string()).collect();
        self.meaning.mentions(&words)
    }

    /// Whether a class of this one's project that is in the run, and derives from `class`, has
    /// something else than a coroutine function in the place of its `method`, as far as is known.
    pub fn is_overridden(&self, class: &str, method: &str) -> bool {
        self.meaning.is_overridden(&format!("{class}.{method}"))
    }

    /// The library that the coroutines of this module may run under as well as under asyncio,
    /// since the module imports none, and another file of the project imports that one.
    pub fn library_beside_asyncio(&self) -> Option<&'static str> {
        const IMPORTS: [(&str, &str); 4] = [
            ("import trio", "trio"),
            ("from trio", "trio"),
            ("import curio", "curio"),
            ("from curio", "curio"),
        ];
        if self.module.shows_library() {
            return None;
        }
        let words = IMPORTS.map(|(import, _)| import.to_string());
        let mentioned = self.meaning.mentions(&words);
        let found = IMPORTS.iter().zip(mentioned).find(|(_, it)| *it);
        found.map(|((_, library), _)| *library)
    }

    /// Whether another file of the project makes coroutines by `types.coroutine`, and this one imports
    /// no asynchronous library: a loop of the project's own may drive what is defined here.
    pub fn may_have_own_loop(&self) -> bool {
        !self.module.shows_library() && self.project_mentions("types.coroutine")
    }

    /// Whether the output may use what Python `version` brought.
    pub fn supports(&self, version: PythonVersion) -> bool {
        self.settings.target.version >= version
    }

    /// Why the import of a name would stay when nothing in the module uses the name any longer;
    /// none where it would go.
    pub fn kept(&self, symbol: &Symbol<'_>) -> Option<Kept> {
        let is_global = symbol.scope == ScopeId::MODULE;
        let is_taken = || (self.meaning.taken)(symbol.name) == Taken::Somewhere;
        let is_exported = is_global && (self.settings.is_package || is_taken());
        kept(self.module, symbol, is_exported)
    }

    /// The name that `module`, a top-level module of the standard library or an installed
    /// package that the file already imports somewhere, has in the code around `site`; imported
    /// if need be.
    ///
    /// Withheld where that name means something else there.
    pub fn import<'n>(
        &self,
        site: impl Into<AnyNodeRef<'n>>,
        module: &str,
    ) -> Result<Import, Refusal> {
        let site = site.into();
        let is_module = |symbol: &Symbol<'a>| {
            self.module
                .imported_as(symbol)
                .is_some_and(|name| name == module)
        };
        let visible = |symbol: &&Symbol<'a>| {
            self.module
                .lookup(symbol.name, site)
                .is_some_and(|seen| std::ptr::eq(seen, *symbol))
        };
        let own_name = self.module.lookup(module, site);
        let known = own_name.filter(|symbol| is_module(symbol)).or_else(|| {
            self.module
                .imported_symbols()
                .find(|symbol| is_module(symbol) && visible(symbol) && self.is_done(symbol, site))
        });
        match known {
            Some(symbol) if self.is_done(symbol, site) => {
                return Ok(Import {
                    name: symbol.name.to_string(),
                    edit: None,
                });
            }
            // One more import of the same at the top does no harm, and is always done.
            Some(symbol) if symbol.scope == ScopeId::MODULE => {}
            Some(_) => {
                return Err(Refusal::Withheld(format!(
                    "`{module}` is imported further down in the function: move the import to its start"
                )));
            }
            None => {
                // What is imported only for type checkers may be imported for all.
                let taken = own_name
                    .or_else(|| self.module.global(module))
                    .is_some_and(|symbol| {
                        symbol.bindings.iter().any(|binding| !binding.typing_only)
                    });
                if taken {
                    return Err(Refusal::Withheld(format!(
                        "the name `{module}` is bound to something else here: import {module} under a name of its own"
                    )));
                }
            }
        }
        let insertion = self.module.import_insertion(module);
        Ok(Import {
            name: module.to_string(),
            edit: Some(Edit::insert(insertion.offset, insertion.text)),
        })
    }

    /// Whether the code at `site` runs only after an import that binds `symbol`.
    pub(crate) fn is_done(&self, symbol: &Symbol<'a>, site: AnyNodeRef<'_>) -> bool {
        // The module as a whole stands for a definition that is placed after its imports.
        let in_function =
            self.module.scope(site) != ScopeId::MODULE || matches!(site, AnyNodeRef::ModModule(_));
        symbol.bindings.iter().any(|binding| {
            if binding.typing_only {
                return false;
            }
            let mut statement = self.module.statement(self.module.node(binding.node));
            loop {
                let parent = self.module.parent(statement);
                // What is defined in a module runs when the module has run, or else could not
                // use the module's imports at all.
                if in_function && matches!(parent, Some(AnyNodeRef::ModModule(_))) {
                    return true;
                }
                if let Some((body, position)) = self.module.siblings(statement)
                    && body[position + 1..]
                        .iter()
                        .any(|later| self.module.contains(later, site))
                {
                    return true;
                }
                // An import in `try` or `with` is done when the statement is.
                match parent {
                    Some(parent @ (AnyNodeRef::StmtTry(_) | AnyNodeRef::StmtWith(_))) => {
                        statement = parent;
                    }
                    _ => return false,
                }
            }
        })
    }

    /// The first of `candidates` that can be a new local name in `function`: it occurs nowhere in
    /// it. `reusable` says whether a name that is there already may be bound once more, because
    /// everything that binds it there was written by this codemod and is done with.
    pub fn fresh_local(
        &self,
        function: &ast::StmtFunctionDef,
        candidates: &[&str],
        reusable: impl Fn(&Symbol<'a>) -> bool,
    ) -> Option<String> {
        let own = |name: &str| {
            let symbol = function
                .body
                .first()
                .and_then(|first| self.module.lookup(name, first))?;
            let scope = self.module.scope(function.body.first()?);
            (symbol.scope == scope).then_some(symbol)
        };
        names(candidates)
            .find(|name| !self.module.mentions(function, name) || own(name).is_some_and(&reusable))
    }

    /// The first of `candidates` that can be a new name of the module: it occurs nowhere in it,
    /// and no other fix of this round has drawn it.
    pub fn fresh_global(&self, candidates: &[&str]) -> Option<String> {
        self.draw(candidates, None)
    }

    /// The same for a name that the fixes of this codemod share: whichever asks for it in this
    /// round, for the same `purpose`, gets the same name.
    pub fn shared_global(&self, purpose: &'static str, candidates: &[&str]) -> Option<String> {
        let shared = Some((self.codemod.name, purpose));
        let known = self
            .drawn
            .borrow()
            .iter()
            .find(|drawn| drawn.shared == shared)
            .map(|drawn| drawn.name.clone());
        known.or_else(|| self.draw(candidates, shared))
    }

    fn draw(
        &self,
        candidates: &[&str],
        shared: Option<(&'static str, &'static str)>,
    ) -> Option<String> {
        let root = self.module.root();
        let mut drawn = self.drawn.borrow_mut();
        let name = names(candidates).find(|name| {
            drawn.iter().all(|other| other.name != *name) && !self.module.mentions(root, name)
        })?;
        drawn.push(Drawn {
            name: name.clone(),
            shared,
        });
        Some(name)
    }

    /// The edit that defines something at module level, after the module's imports. Where several
    /// fixes ask for the same definition, it is written once.
    ///
    /// `text` is whole lines, written with `\n`, without the last line ending.
    pub fn define(&self, text: &str, not_before: TextSize, blank: usize) -> Edit {
        let insertion = self.module.definition_insertion(text, not_before, blank);
        Edit::insert(insertion.offset, insertion.text)
    }

    /// The same for a function, which has its place among the module's others.
    pub fn define_function(&self, text: &str, not_before: TextSize) -> Edit {
        let insertion = self.module.function_insertion(text, not_before);
        Edit::insert(insertion.offset, insertion.text)
    }

    /// The end of the statement at module level that imports `name`, before which nothing at
    /// module level can use it; the start of the text if it is imported elsewhere.
    pub fn imported_before(&self, name: &str) -> TextSize {
        let Some(symbol) = self.module.global(name) else {
            return TextSize::new(0);
        };
        symbol
            .bindings
            .iter()
            .filter(|binding| {
                !binding.typing_only
                    && matches!(
                        binding.kind,
                        BindingKind::Import(_) | BindingKind::FromImport(..)
                    )
            })
            .map(|binding| {
                let mut statement = self.module.statement(self.module.node(binding.node));
                // An import inside `try` or `if` is done when that statement is.
                while let Some(parent) = self.module.parent(statement)
                    && !matches!(parent, AnyNodeRef::ModModule(_))
                {
                    statement = parent;
                }
                statement.end()
            })
            .min()
            .unwrap_or_default()
    }
}

/// The candidates for a new name in order of preference, and then the first with numbers.
fn names(candidates: &[&str]) -> impl Iterator<Item = String> {
    let numbered =
        (2..100).map(|number| format!("{}_{number}", candidates.first().unwrap_or(&"_")));
    candidates.iter().map(ToString::to_string).chain(numbered)
}
