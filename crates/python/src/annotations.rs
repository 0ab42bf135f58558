//! What an annotation names.

use ruff_python_ast::{Expr, Operator, PythonVersion};
use ruff_python_stdlib::sys::is_known_standard_library;

use crate::index::NodeId;
use crate::module::Module;
use crate::names::imported_name;

impl Module<'_> {
    /// The dotted name of the class that an annotation names, `None` beside it left out:
    /// `asyncio.Lock` for `"asyncio.Lock | None"`. What is imported only for type checkers counts.
    pub fn annotated_class(&self, annotation: &Expr) -> Option<String> {
        match annotation {
            Expr::Name(name) => self.annotated_name(&name.id, NodeId::of(annotation)),
            Expr::Attribute(attribute) => {
                let base = self.annotated_class(&attribute.value)?;
                Some(crate::names::canonical(format!(
                    "{base}.{}",
                    attribute.attr
                )))
            }
            Expr::StringLiteral(literal) => {
                let text = literal.value.to_str().trim();
                let text = text.strip_suffix("| None").unwrap_or(text).trim();
                let is_dotted = text
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
                let mut parts = text.split('.');
                let head = parts.next().filter(|_| is_dotted)?;
                let mut name = self.annotated_name(head, NodeId::of(annotation))?;
                for part in parts {
                    name = crate::names::canonical(format!("{name}.{part}"));
                }
                Some(name)
            }
            Expr::BinOp(union) if union.op == Operator::BitOr => {
                match (&*union.left, &*union.right) {
                    (Expr::NoneLiteral(_), class) | (class, Expr::NoneLiteral(_)) => {
                        self.annotated_class(class)
                    }
                    _ => None,
                }
            }
            Expr::Subscript(subscript) => match self.annotated_class(&subscript.value)?.as_str() {
                "typing.Optional" | "typing.Final" | "typing.ClassVar" => {
                    self.annotated_class(&subscript.slice)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn annotated_name(&self, name: &str, at: NodeId) -> Option<String> {
        let symbol = self.lookup(name, self.node(at))?;
        let mut names = symbol.bindings.iter().map(imported_name);
        let first = names.next()??;
        names
            .all(|other| other.as_ref() == Some(&first))
            .then(|| first.into_owned())
    }
}

/// Whether the first part of a dotted name is a module of the standard library.
pub fn is_of_standard_library(name: &str) -> bool {
    let top = name.split('.').next().unwrap_or_default();
    top == "builtins" || is_known_standard_library(PythonVersion::PY311.minor, top)
}
