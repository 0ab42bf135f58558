//! What an expression is for certain: text, a number, and which text.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Number, UnaryOp};
use ruff_text_size::Ranged;

use crate::index::{BindingKind, NodeId};
use crate::module::Module;

/// The elements of a display as they are written, or the one of a comprehension or a generator
/// expression; none of anything else.
pub fn displayed(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::List(ast::ExprList { elts, .. })
        | Expr::Tuple(ast::ExprTuple { elts, .. })
        | Expr::Set(ast::ExprSet { elts, .. }) => Some(elts.iter().collect()),
        Expr::ListComp(ast::ExprListComp { elt, .. })
        | Expr::SetComp(ast::ExprSetComp { elt, .. })
        | Expr::Generator(ast::ExprGenerator { elt, .. }) => Some(vec![elt]),
        _ => None,
    }
}

impl Module<'_> {
    /// Whether an expression is text for certain, whatever it is made of.
    pub fn is_text(&self, expr: &Expr) -> bool {
        match expr {
            Expr::StringLiteral(_) | Expr::FString(_) => true,
            Expr::BinOp(operation) => {
                // `%` of anything but text is no text.
                self.is_text(&operation.left)
                    || (operation.op == ast::Operator::Add && self.is_text(&operation.right))
            }
            Expr::If(choice) => self.is_text(&choice.body) && self.is_text(&choice.orelse),
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) => {
                    matches!(
                        method.attr.as_str(),
                        "isoformat" | "hexdigest" | "decode" | "as_posix" | "strftime"
                    ) || (matches!(
                        method.attr.as_str(),
                        "format" | "join" | "strip" | "lower" | "upper" | "replace"
                    ) && self.is_text(&method.value))
                        || self.refers_to(&call.func, "json.dumps")
                }
                Expr::Name(name) => {
                    matches!(name.id.as_str(), "str" | "repr") && self.symbol(name).is_none()
                }
                _ => false,
            },
            Expr::Subscript(subscript) => self.refers_to(&subscript.value, "os.environ"),
            Expr::Name(name) => match self.only_binding(name) {
                Some(binding) => match binding.kind {
                    BindingKind::Value(value) if value.end() <= name.start() => self.is_text(value),
                    BindingKind::Parameter => self.is_annotated(binding.node, &["str"]),
                    _ => false,
                },
                None => false,
            },
            _ => false,
        }
    }

    /// Whether a parameter is annotated as one of these builtin types.
    fn is_annotated(&self, parameter: NodeId, types: &[&str]) -> bool {
        let AnyNodeRef::Parameter(parameter) = self.node(parameter) else {
            return false;
        };
        match parameter.annotation.as_deref() {
            Some(Expr::Name(name)) => {
                types.contains(&name.id.as_str()) && self.symbol(name).is_none()
            }
            Some(Expr::StringLiteral(text)) => types.contains(&text.value.to_str()),
            _ => false,
        }
    }

    /// The text of an expression that is made of literals.
    pub fn literal_text(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::StringLiteral(literal) => Some(literal.value.to_str().to_string()),
            Expr::BinOp(operation) if operation.op == ast::Operator::Add => {
                Some(self.literal_text(&operation.left)? + &self.literal_text(&operation.right)?)
            }
            Expr::FString(string) => {
                let mut text = String::new();
                for element in string.value.elements() {
                    match element {
                        ast::InterpolatedStringElement::Literal(part) => {
                            text.push_str(&part.value);
                        }
                        ast::InterpolatedStringElement::Interpolation(field) => {
                            if field.format_spec.is_some() || !field.conversion.is_none() {
                                return None;
                            }
                            text.push_str(&self.literal_text(&field.expression)?);
                        }
                    }
                }
                // Literal parts of an implicit concatenation are no elements.
                let is_whole = string.value.iter().all(ast::FStringPart::is_f_string);
                is_whole.then_some(text)
            }
            Expr::Name(name) => match self.only_binding(name)?.kind {
                BindingKind::Value(value) if value.end() <= name.start() => {
                    self.literal_text(value)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a value is text or a number, or a list of them.
    pub fn is_text_or_number(&self, value: &Expr) -> bool {
        match value {
            Expr::NumberLiteral(number) => !matches!(number.value, Number::Complex { .. }),
            Expr::UnaryOp(unary) if unary.op == UnaryOp::USub => {
                self.is_text_or_number(&unary.operand)
            }
            Expr::List(list) => list.elts.iter().all(|it| self.is_text_or_number(it)),
            Expr::Tuple(tuple) => tuple.elts.iter().all(|it| self.is_text_or_number(it)),
            Expr::Call(call) => {
                let is_number = matches!(
                    &*call.func,
                    Expr::Name(name)
                        if matches!(name.id.as_str(), "int" | "float" | "len") && self.symbol(name).is_none()
                );
                is_number || self.is_text(value)
            }
            Expr::Name(name) => match self.only_binding(name) {
                Some(binding) => match binding.kind {
                    BindingKind::Parameter => {
                        self.is_annotated(binding.node, &["str", "int", "float"])
                    }
                    BindingKind::Value(value) if value.end() <= name.start() => {
                        self.is_text_or_number(value)
                    }
                    _ => false,
                },
                None => false,
            },
            _ => self.is_text(value),
        }
    }
}
