//! Branches that only some versions of Python run.

use ruff_python_ast::{
    self as ast, AnyNodeRef, BoolOp, CmpOp, ElifElseClause, Expr, Number, PythonVersion,
};
use ruff_text_size::Ranged;

use crate::module::Module;

impl Module<'_> {
    /// Whether a condition, or that of an `elif`, asks for the version of Python, or whether
    /// something has an attribute.
    pub fn chooses_by_version(&self, stmt: &ast::StmtIf) -> bool {
        let clauses = stmt.elif_else_clauses.iter().filter_map(test);
        let mut nodes = std::iter::once(&*stmt.test)
            .chain(clauses)
            .flat_map(|test| self.descendants(AnyNodeRef::from(test)));
        nodes.any(|node| match node {
            AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str() == "version_info",
            AnyNodeRef::ExprName(name) => matches!(name.id.as_str(), "hasattr" | "version_info"),
            _ => false,
        })
    }

    /// Whether `node` stands in a branch of such a statement.
    pub fn is_in_version_branch<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> bool {
        self.ancestors(node)
            .any(|node| matches!(node, AnyNodeRef::StmtIf(stmt) if self.chooses_by_version(stmt)))
    }

    /// Whether `node` stands in a branch that Python `version` and those after it do not run:
    /// under `if sys.version_info < (3, 9):`, or in the `else:` of its opposite.
    pub fn is_for_versions_below<'n>(
        &self,
        node: impl Into<AnyNodeRef<'n>>,
        version: PythonVersion,
    ) -> bool {
        let node = self.node(self.id(node));
        let within = |range: ruff_text_size::TextRange| range.contains_range(node.range());
        self.ancestors(node).any(|ancestor| match ancestor {
            AnyNodeRef::StmtIf(stmt) => {
                let bodies = stmt.body.iter().any(|it| within(it.range()));
                if bodies {
                    return self.holds_only(&stmt.test, version, Side::Below);
                }
                // The tests of the branches before have failed, its own has not.
                let clauses = &stmt.elif_else_clauses;
                let Some(at) = clauses
                    .iter()
                    .position(|clause| clause.body.iter().any(|it| within(it.range())))
                else {
                    return false;
                };
                let tests = clauses[..at].iter().filter_map(test);
                std::iter::once(&*stmt.test)
                    .chain(tests)
                    .any(|test| self.holds_only(test, version, Side::From))
                    || test(&clauses[at])
                        .is_some_and(|it| self.holds_only(it, version, Side::Below))
            }
            AnyNodeRef::ExprIf(choice) => {
                within(choice.body.range()) && self.holds_only(&choice.test, version, Side::Below)
                    || within(choice.orelse.range())
                        && self.holds_only(&choice.test, version, Side::From)
            }
            _ => false,
        })
    }

    /// Whether `node` is the way of those versions that have no other: in the handler of an
    /// `AttributeError` or `ImportError`, or under a test that asks `hasattr` or `getattr`.
    pub fn is_fallback<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> bool {
        let asks = |test: &Expr| {
            self.calls_in(test)
                .iter()
                .any(|call| matches!(&*call.func, Expr::Name(name) if matches!(name.id.as_str(), "hasattr" | "getattr")))
        };
        self.ancestors(node).any(|ancestor| match ancestor {
            AnyNodeRef::ExceptHandlerExceptHandler(handler) => {
                let types = match handler.type_.as_deref() {
                    Some(Expr::Tuple(types)) => types.elts.as_slice(),
                    Some(one) => std::slice::from_ref(one),
                    None => &[],
                };
                types.iter().any(|name| {
                    matches!(name, Expr::Name(name) if matches!(name.id.as_str(),
                        "AttributeError" | "ImportError" | "ModuleNotFoundError" | "NameError"))
                })
            }
            AnyNodeRef::StmtIf(stmt) => {
                asks(&stmt.test) || stmt.elif_else_clauses.iter().filter_map(test).any(asks)
            }
            AnyNodeRef::ExprIf(choice) => asks(&choice.test),
            _ => false,
        })
    }

    /// Whether a test is true of no version from `version` on, or of all of them.
    fn holds_only(&self, test: &Expr, version: PythonVersion, side: Side) -> bool {
        match (test, side) {
            (
                Expr::BoolOp(ast::ExprBoolOp {
                    op: BoolOp::And,
                    values,
                    ..
                }),
                Side::Below,
            )
            | (
                Expr::BoolOp(ast::ExprBoolOp {
                    op: BoolOp::Or,
                    values,
                    ..
                }),
                Side::From,
            ) => values
                .iter()
                .any(|value| self.holds_only(value, version, side)),
            (Expr::Compare(compare), _) => {
                let ([op], [Expr::Tuple(bound)]) = (&*compare.ops, &*compare.comparators) else {
                    return false;
                };
                // `sys.version_info[:2] < (3, 9)`
                let left = match &*compare.left {
                    Expr::Subscript(part) if part.slice.is_slice_expr() => &*part.value,
                    left => left,
                };
                if !self.refers_to(left, "sys.version_info") {
                    return false;
                }
                let number = |position: usize| match bound.elts.get(position) {
                    Some(Expr::NumberLiteral(literal)) => match &literal.value {
                        Number::Int(value) => value.as_u8(),
                        _ => None,
                    },
                    _ => None,
                };
                let (Some(major), Some(minor)) = (number(0), number(1).or(Some(0))) else {
                    return false;
                };
                let bound = PythonVersion { major, minor };
                match (op, side) {
                    (CmpOp::Lt, Side::Below) | (CmpOp::GtE, Side::From) => bound <= version,
                    (CmpOp::LtE, Side::Below) | (CmpOp::Gt, Side::From) => bound < version,
                    _ => false,
                }
            }
            _ => false,
        }
    }
}

/// The versions that a test has to be about.
#[derive(Clone, Copy)]
enum Side {
    /// It is true only of versions below.
    Below,
    /// It is true of all versions from there on.
    From,
}

fn test(clause: &ElifElseClause) -> Option<&Expr> {
    clause.test.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the first name `x` of `source` is for versions below 3.9 only.
    fn is_below(source: &str) -> bool {
        let parsed = crate::parse(source, PythonVersion::PY311).unwrap();
        let module = Module::new(source, &parsed);
        let name = module
            .descendants(module.root())
            .find(|node| matches!(node, AnyNodeRef::ExprName(name) if name.id == "x"))
            .unwrap();
        module.is_for_versions_below(name, PythonVersion::PY39)
    }

    #[test]
    fn what_newer_versions_run_is_not_for_older_ones() {
        for source in [
            "import sys\nif sys.version_info >= (3, 8) and a: x\n",
            "import sys\nif sys.version_info < (3, 10): x\n",
            "import sys\nif sys.version_info < (3, 8) or a: x\n",
            "import sys\nif sys.version_info < (3, 8): pass\nelse: x\n",
            "import sys\nif sys.version_info >= (3, 8) and a: pass\nelse: x\n",
            "import sys\nif sys.version_info < x: pass\n",
            "import sys\nif sys.version_info > (3, 9): pass\nelse: x\n",
            "if sys.version_info < (3, 8): x\n",
        ] {
            assert!(!is_below(source), "{source}");
        }
    }

    #[test]
    fn what_newer_versions_never_run_is_for_older_ones() {
        for source in [
            "import sys\nif sys.version_info < (3, 9): x\n",
            "import sys\nif a and sys.version_info[:2] <= (3, 8):\n    def f(): return x\n",
            "import sys\nif sys.version_info >= (3, 7): pass\nelse: x\n",
            "import sys\nif a: pass\nelif sys.version_info < (3,): x\n",
            "import sys\nif a: pass\nelif sys.version_info >= (3, 8) or b: pass\nelse: x\n",
            "from sys import version_info as v\ny = a if v >= (3, 9) else x\n",
        ] {
            assert!(is_below(source), "{source}");
        }
    }
}
