//! What around a place catches an exception that is raised there.

use std::borrow::Cow;

use ruff_python_ast::{self as ast, ExceptHandler, Expr};

use crate::blocks::{Block, TryPart};
use crate::index::BindingKind;
use crate::module::Module;

/// What catches an exception.
#[derive(Clone, Copy, Debug)]
pub struct CaughtBy<'a> {
    /// The handler's clause, or the context manager that swallows or expects the exception.
    pub kind: CaughtByKind<'a>,
    /// Whether it names the exception, and does not only catch it with many others.
    pub is_exact: bool,
}

/// What kind of code catches an exception.
#[derive(Clone, Copy, Debug)]
pub enum CaughtByKind<'a> {
    /// An `except` clause.
    Handler(&'a ast::ExceptHandlerExceptHandler),
    /// `contextlib.suppress(...)`, `pytest.raises(...)`, `self.assertRaises(...)`.
    Context(&'a ast::ExprCall),
}

impl<'a> CaughtBy<'a> {
    /// The clause or the call, as text.
    pub fn shown(&self, module: &Module<'a>) -> Cow<'a, str> {
        match self.kind {
            CaughtByKind::Handler(handler) => match &handler.type_ {
                Some(types) => format!("except {}", module.text(&**types)).into(),
                None => "except:".into(),
            },
            CaughtByKind::Context(call) => module.text(call).into(),
        }
    }
}

/// How an exception type in a clause relates to the exceptions that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    No,
    Broad,
    Exact,
}

impl<'a> Module<'a> {
    /// The innermost code around `node`, in its function, that would catch one of these builtin
    /// exceptions (`TypeError`) when it is raised there. Types that this module does not show
    /// count as catching it.
    pub fn catcher<'n>(
        &self,
        node: impl Into<ast::AnyNodeRef<'n>>,
        exceptions: &[&str],
    ) -> Option<CaughtBy<'a>> {
        self.blocks(node).into_iter().find_map(|block| match block {
            Block::Try(stmt, TryPart::Body) => stmt.handlers.iter().find_map(|handler| {
                let ExceptHandler::ExceptHandler(handler) = handler;
                let found = match handler.type_.as_deref() {
                    None => Match::Broad,
                    Some(types) => self.catches(types, exceptions),
                };
                (found > Match::No).then_some(CaughtBy {
                    kind: CaughtByKind::Handler(handler),
                    is_exact: found == Match::Exact,
                })
            }),
            Block::With(with) => self.catching_item(&with.items, exceptions),
            _ => None,
        })
    }

    /// The item of a `with` statement that would catch one of these exceptions.
    pub fn catching_item(
        &self,
        items: &'a [ast::WithItem],
        exceptions: &[&str],
    ) -> Option<CaughtBy<'a>> {
        items.iter().find_map(|item| {
            let Expr::Call(call) = &item.context_expr else {
                return None;
            };
            let arguments = &call.arguments.args;
            let named: &[Expr] = if self.refers_to(&call.func, "contextlib.suppress") {
                arguments
            } else if self.refers_to(&call.func, "pytest.raises")
                || matches!(&*call.func, Expr::Attribute(method) if matches!(method.attr.as_str(), "assertRaises" | "assertRaisesRegex"))
            {
                arguments.get(..1).unwrap_or_default()
            } else {
                return None;
            };
            let found = named.iter().map(|it| self.catches(it, exceptions)).max()?;
            (found > Match::No).then_some(CaughtBy {
                kind: CaughtByKind::Context(call),
                is_exact: found == Match::Exact,
            })
        })
    }

    fn catches(&self, types: &Expr, exceptions: &[&str]) -> Match {
        match types {
            Expr::Tuple(tuple) => {
                let found = tuple.elts.iter().map(|it| self.catches(it, exceptions));
                found.max().unwrap_or(Match::No)
            }
            Expr::Name(name) => match self.symbol(name) {
                None => by_name(&name.id, exceptions),
                Some(symbol) => match symbol.bindings.as_slice() {
                    [binding] => match binding.kind {
                        BindingKind::Import(_) | BindingKind::FromImport(..) => imported(&name.id),
                        BindingKind::Class(_) => Match::No, // a subclass catches less
                        BindingKind::Value(value @ (Expr::Tuple(_) | Expr::Attribute(_))) => self
                            .follow(name, |_| self.catches(value, exceptions))
                            .unwrap_or(Match::Broad),
                        BindingKind::Value(Expr::Name(other)) if other.id != name.id => {
                            match self.symbol(other) {
                                None => by_name(&other.id, exceptions),
                                Some(_) => Match::Broad,
                            }
                        }
                        _ => Match::Broad,
                    },
                    _ => Match::Broad,
                },
            },
            Expr::Attribute(attribute) => match self.qualified_name(types) {
                Some(name) => match name.strip_prefix("builtins.") {
                    Some(name) => by_name(name, exceptions),
                    None => imported(&attribute.attr),
                },
                // `client.Error` is a class, `self.errors` may be anything.
                None if is_class_name(&attribute.attr) => Match::No,
                None => Match::Broad,
            },
            _ => Match::Broad,
        }
    }
}

fn by_name(name: &str, exceptions: &[&str]) -> Match {
    if exceptions.contains(&name) {
        Match::Exact
    } else if matches!(name, "Exception" | "BaseException") {
        Match::Broad
    } else {
        Match::No
    }
}

/// What is imported is an exception class of some library, unless it is named like a constant.
fn imported(name: &str) -> Match {
    if name.chars().any(char::is_lowercase) {
        Match::No
    } else {
        Match::Broad
    }
}

fn is_class_name(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && name.chars().any(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use ruff_python_ast::PythonVersion;

    use super::*;
    use crate::module::parse;

    /// What catches a `TypeError` at the call of `f`.
    fn found(source: &str) -> Option<bool> {
        let parsed = parse(source, PythonVersion::PY311).unwrap();
        let module = Module::new(source, &parsed);
        let call = module
            .calls()
            .iter()
            .find(|call| module.text(&*call.func) == "f")
            .unwrap();
        module
            .catcher(*call, &["TypeError"])
            .map(|catcher| catcher.is_exact)
    }

    #[test]
    fn other_handlers_and_other_parts_do_not_catch() {
        for text in [
            "try: f()\nexcept ValueError: pass\n",
            "import m\ntry: f()\nexcept (m.Error, OSError): pass\n",
            "try: pass\nexcept TypeError: f()\n",
            "try: pass\nexcept TypeError: pass\nelse: f()\n",
            "try:\n    def g(): f()\nexcept TypeError: pass\n",
            "from contextlib import suppress\nwith suppress(OSError): f()\n",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn what_names_it_and_what_catches_everything_is_told_apart() {
        for (text, exact) in [
            ("try: f()\nexcept TypeError: pass\n", true),
            ("try: f()\nexcept (OSError, TypeError): pass\n", true),
            ("E = (OSError, TypeError)\ntry: f()\nexcept E: pass\n", true),
            ("try: f()\nexcept Exception: pass\n", false),
            ("try: f()\nexcept: pass\n", false),
            (
                "from m import ERRORS\ntry: f()\nexcept ERRORS: pass\n",
                false,
            ),
            ("try: f()\nexcept self.errors: pass\n", false),
            ("import pytest\nwith pytest.raises(TypeError): f()\n", true),
            (
                "import contextlib\nwith contextlib.suppress(Exception): f()\n",
                false,
            ),
        ] {
            assert_eq!(found(text), Some(exact), "{text}");
        }
    }
}
