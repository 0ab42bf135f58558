//! Qualified names: what an expression refers to, whatever it is called here.

use std::borrow::Cow;

use ruff_python_ast::{self as ast, Expr};

use crate::index::{Binding, BindingKind, Symbol};
use crate::module::Module;

/// No name has so many parts. A chain of thousands would be asked about at each of its links.
const MOST_PARTS: usize = 32;

impl<'a> Module<'a> {
    /// The dotted name of what `expr` refers to, if that is imported or a builtin: `asyncio.sleep`
    /// for `aio.sleep` after `import asyncio as aio`, `builtins.open` for `open`.
    ///
    /// None where the name is bound in any other way anywhere in its scope, or bound only for
    /// type checkers. Names that asyncio's own modules define are given as asyncio exports them:
    /// `asyncio.sleep` for `asyncio.tasks.sleep`.
    pub fn qualified_name(&self, expr: &Expr) -> Option<String> {
        self.qualified(expr, MOST_PARTS)
    }

    fn qualified(&self, expr: &Expr, most: usize) -> Option<String> {
        match expr {
            Expr::Name(name) => self.qualified_base(name).map(Cow::into_owned),
            Expr::Attribute(attribute) => {
                let mut name = self.qualified(&attribute.value, most.checked_sub(1)?)?;
                name.push('.');
                name.push_str(&attribute.attr);
                Some(canonical(name))
            }
            _ => None,
        }
    }

    /// Whether `expr` refers to `name`, a dotted name as [`Self::qualified_name`] gives it.
    pub fn refers_to(&self, expr: &Expr, name: &str) -> bool {
        let (base, last) = match name.rsplit_once('.') {
            Some(parts) => parts,
            None => ("", name),
        };
        match expr {
            // The cheap answer for nearly every attribute of a module.
            Expr::Attribute(attribute) if attribute.attr.as_str() != last => false,
            Expr::Attribute(attribute) if !base.is_empty() => self
                .qualified_name(&attribute.value)
                .is_some_and(|value| value == base || canonical(format!("{value}.{last}")) == name),
            _ => self.qualified_name(expr).is_some_and(|it| it == name),
        }
    }

    /// The dotted name that an imported symbol stands for, if all its bindings agree.
    pub fn imported_as(&self, symbol: &Symbol<'a>) -> Option<Cow<'a, str>> {
        let mut runtime = symbol
            .bindings
            .iter()
            .filter(|binding| !binding.typing_only);
        let name = imported_name(runtime.next()?)?;
        runtime
            .all(|binding| imported_name(binding).is_some_and(|other| other == name))
            .then_some(name)
    }

    fn qualified_base(&self, name: &ast::ExprName) -> Option<Cow<'a, str>> {
        match self.symbol(name) {
            Some(symbol) => self.imported_as(symbol),
            // A star import may bind any name.
            None if self.index.star_imports.is_empty() => {
                is_builtin(&name.id).then(|| Cow::Owned(format!("builtins.{}", name.id)))
            }
            None => None,
        }
    }
}

/// The dotted name that an import binds its name to.
pub(crate) fn imported_name<'a>(binding: &Binding<'a>) -> Option<Cow<'a, str>> {
    match binding.kind {
        BindingKind::Import(alias) if alias.asname.is_some() => {
            Some(Cow::Borrowed(alias.name.as_str()))
        }
        // `import a.b` binds `a`.
        BindingKind::Import(alias) => alias.name.split('.').next().map(Cow::Borrowed),
        BindingKind::FromImport(import, alias) => {
            let dots = ".".repeat(import.level as usize);
            let module = import.module.as_deref().unwrap_or_default();
            let separator = if module.is_empty() { "" } else { "." };
            Some(Cow::Owned(canonical(format!(
                "{dots}{module}{separator}{}",
                alias.name
            ))))
        }
        _ => None,
    }
}

/// The modules in which asyncio defines what it exports.
const ASYNCIO_MODULES: &[&str] = &[
    "base_events",
    "coroutines",
    "events",
    "exceptions",
    "futures",
    "locks",
    "protocols",
    "queues",
    "runners",
    "streams",
    "subprocess",
    "taskgroups",
    "tasks",
    "threads",
    "timeouts",
    "transports",
];

/// `asyncio.tasks.sleep` => `asyncio.sleep`, whose definition it is.
pub(crate) fn canonical(name: String) -> String {
    let mut parts = name.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("asyncio"), Some(module), Some(rest)) if ASYNCIO_MODULES.contains(&module) => {
            // `asyncio.subprocess.PIPE` is no name of asyncio's own.
            if module == "subprocess" && !rest.starts_with("create_subprocess") {
                return name;
            }
            format!("asyncio.{rest}")
        }
        _ => name,
    }
}

/// The builtins that codemods ask for: enough of them, so that no version's list is needed.
fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "BaseException"
            | "BaseExceptionGroup"
            | "Exception"
            | "ExceptionGroup"
            | "KeyboardInterrupt"
            | "NotImplementedError"
            | "OSError"
            | "RuntimeError"
            | "SystemExit"
            | "GeneratorExit"
            | "TimeoutError"
            | "all"
            | "any"
            | "bool"
            | "dict"
            | "enumerate"
            | "frozenset"
            | "input"
            | "iter"
            | "len"
            | "list"
            | "map"
            | "max"
            | "min"
            | "next"
            | "open"
            | "print"
            | "property"
            | "range"
            | "reversed"
            | "set"
            | "sorted"
            | "str"
            | "sum"
            | "super"
            | "tuple"
            | "zip"
    )
}
