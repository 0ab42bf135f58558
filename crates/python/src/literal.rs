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

/// Whether an f-string ends in a path that is written out.
fn ends_in_path(url: &Expr) -> bool {
    let Expr::FString(string) = url else {
        return false;
    };
    let literals = || {
        let elements = string.value.elements();
        elements.filter_map(ast::InterpolatedStringElement::as_literal)
    };
    let last = string.value.elements().last();
    let is_path = last
        .and_then(ast::InterpolatedStringElement::as_literal)
        .is_some_and(|last| last.value.starts_with('/'));
    // Literal parts of an implicit concatenation are no elements.
    is_path
        && string.value.iter().all(ast::FStringPart::is_f_string)
        && !literals().any(|part| part.value.contains(['?', '#']))
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
            Expr::Call(call) => {
                let is_text = match &*call.func {
                    Expr::Attribute(method) => match method.attr.as_str() {
                        "isoformat" | "hexdigest" | "decode" | "as_posix" | "strftime" => true,
                        "format" | "join" | "strip" | "lower" | "upper" | "replace" => {
                            self.is_text(&method.value)
                        }
                        _ => false,
                    },
                    Expr::Name(name) => {
                        matches!(name.id.as_str(), "str" | "repr") && self.symbol(name).is_none()
                    }
                    _ => false,
                };
                is_text || self.refers_to(&call.func, "json.dumps")
            }
            Expr::Subscript(subscript) => self.refers_to(&subscript.value, "os.environ"),
            Expr::Name(name) => self.is_bound(name, |value| self.is_text(value), &["str"]),
            _ => false,
        }
    }

    /// Whether an expression is bytes for certain: a literal, encoded text, or a parameter that is
    /// annotated so.
    pub fn is_bytes(&self, expr: &Expr) -> bool {
        match expr {
            Expr::BytesLiteral(_) => true,
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) => {
                    method.attr.as_str() == "encode" && self.is_text(&method.value)
                }
                _ => false,
            },
            Expr::Name(name) => self.is_bound(name, |value| self.is_bytes(value), &["bytes"]),
            _ => false,
        }
    }

    /// Whether a URL is seen to have no query of its own: it is made of literals without `?`, or
    /// ends in a path that is written out, before which a query would be no query.
    pub fn has_no_query(&self, url: &Expr) -> bool {
        match self.literal_text(url) {
            Some(literal) => !literal.contains('?'),
            None => match url {
                Expr::Name(name) => self.is_bound(name, ends_in_path, &[]),
                _ => ends_in_path(url),
            },
        }
    }

    /// Whether a name is bound once, above where it is read, to a value of which that holds, or is a
    /// parameter that is annotated as one of these builtin types.
    fn is_bound(
        &self,
        name: &ast::ExprName,
        holds: impl Fn(&Expr) -> bool,
        types: &[&str],
    ) -> bool {
        let followed = self.follow(name, |binding| match binding.kind {
            BindingKind::Value(value) => value.end() <= name.start() && holds(value),
            BindingKind::Parameter => self.is_annotated(binding.node, name, types),
            _ => false,
        });
        followed.unwrap_or(false)
    }

    /// Whether a parameter is annotated as one of these builtin types, and is no None where it is
    /// read: `rank: int = None` is one after `if rank is None: return` only.
    fn is_annotated(&self, parameter: NodeId, read: &ast::ExprName, types: &[&str]) -> bool {
        let AnyNodeRef::Parameter(parameter) = self.node(parameter) else {
            return false;
        };
        if let Some(AnyNodeRef::ParameterWithDefault(it)) = self.parent(parameter)
            && it
                .default
                .as_deref()
                .is_some_and(Expr::is_none_literal_expr)
            && !self.is_guarded(read)
        {
            return false;
        }
        match parameter.annotation.as_deref() {
            Some(Expr::Name(name)) => {
                types.contains(&name.id.as_str()) && self.symbol(name).is_none()
            }
            Some(Expr::StringLiteral(text)) => types.contains(&text.value.to_str()),
            _ => false,
        }
    }

    /// Whether a statement of the function leaves it before a name is read as None:
    /// `if rank is None or rank < 0: return`.
    fn is_guarded(&self, read: &ast::ExprName) -> bool {
        let tests_none = |test: &Expr| {
            matches!(test, Expr::Compare(compare)
                if matches!(&*compare.left, Expr::Name(name) if name.id == read.id)
                    && matches!(&*compare.ops, [ast::CmpOp::Is])
                    && matches!(&*compare.comparators, [Expr::NoneLiteral(_)]))
        };
        let is_guard = |stmt: &ast::Stmt| {
            let ast::Stmt::If(guard) = stmt else {
                return false;
            };
            let tests = match &*guard.test {
                Expr::BoolOp(choice) if choice.op == ast::BoolOp::Or => {
                    choice.values.iter().any(tests_none)
                }
                test => tests_none(test),
            };
            tests
                && guard.elif_else_clauses.is_empty()
                && guard.end() <= read.start()
                && matches!(
                    guard.body.last(),
                    Some(ast::Stmt::Return(_) | ast::Stmt::Raise(_))
                )
        };
        self.function(read)
            .is_some_and(|function| function.body.iter().any(is_guard))
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
            Expr::Name(name) => self.follow(name, |binding| match binding.kind {
                BindingKind::Value(value) if value.end() <= name.start() => {
                    self.literal_text(value)
                }
                _ => None,
            })?,
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
            Expr::Name(name) => self.is_bound(
                name,
                |value| self.is_text_or_number(value),
                &["str", "int", "float"],
            ),
            _ => self.is_text(value),
        }
    }
}
