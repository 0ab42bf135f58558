//! What is certainly evaluated while a coroutine runs.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use crate::module::Module;
use crate::place::AwaitPlace;

/// Builtins that go through an iterable before they return.
pub const CONSUMERS: &[&str] = &[
    "all",
    "any",
    "dict",
    "frozenset",
    "list",
    "max",
    "min",
    "set",
    "sorted",
    "sum",
    "tuple",
];

impl<'a> Module<'a> {
    /// The coroutine whose code evaluates `node` as it runs: directly, or in a generator
    /// expression that something there goes through at once.
    pub fn running_coroutine<'n>(
        &self,
        node: impl Into<AnyNodeRef<'n>>,
    ) -> Option<&'a ast::StmtFunctionDef> {
        let mut node = self.node(self.id(node));
        loop {
            match self.await_place(node) {
                AwaitPlace::Coroutine(function) | AwaitPlace::NestedComprehension(function) => {
                    return Some(function);
                }
                AwaitPlace::GeneratorExpression => {
                    node = self
                        .ancestors(node)
                        .find(|ancestor| matches!(ancestor, AnyNodeRef::ExprGenerator(_)))?;
                    if !self.is_consumed(node) {
                        return None;
                    }
                }
                _ => return None,
            }
        }
    }

    /// Whether a generator expression is gone through where it stands.
    fn is_consumed(&self, generator: AnyNodeRef<'a>) -> bool {
        let mut parent = self.parent(generator);
        if let Some(starred @ AnyNodeRef::ExprStarred(_)) = parent {
            // `f(*generator)`, `[*generator]`: whatever it is for.
            return self.parent(starred).is_some();
        }
        if let Some(arguments @ AnyNodeRef::Arguments(_)) = parent {
            parent = self.parent(arguments);
        }
        match parent {
            Some(AnyNodeRef::ExprCall(call)) => match &*call.func {
                // `", ".join(...)`
                Expr::Attribute(method) => method.value.is_string_literal_expr(),
                func => self
                    .builtin(func)
                    .is_some_and(|name| CONSUMERS.contains(&name)),
            },
            _ => false,
        }
    }

    /// Whether the file puts something else in the place of the function `name` of `module`:
    /// `patch("module.name")`, `monkeypatch.setattr(module, "name", f)`, `module.name = f`.
    pub fn replaces(&self, module: &str, name: &str) -> bool {
        if self.stores_attribute(name) {
            return true;
        }
        let is_name = |expr: &Expr| matches!(expr, Expr::StringLiteral(literal) if literal.value.to_str() == name);
        self.calls().iter().any(|call| {
            let replaces = match &*call.func {
                Expr::Attribute(method) => {
                    matches!(method.attr.as_str(), "patch" | "setattr" | "object")
                }
                Expr::Name(name) => matches!(name.id.as_str(), "patch" | "setattr"),
                _ => false,
            };
            replaces
                && match &*call.arguments.args {
                    [Expr::StringLiteral(target), ..]
                        if target.value.to_str().ends_with(&format!(".{name}")) =>
                    {
                        true
                    }
                    [target, attribute, ..] => {
                        is_name(attribute)
                            && self.qualified_name(target).is_none_or(|it| {
                                it == module || it.starts_with(&format!("{module}."))
                            })
                    }
                    _ => false,
                }
        })
    }
}
