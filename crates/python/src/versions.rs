//! Branches that only some versions of Python run.

use ruff_python_ast::{
    self as ast, AnyNodeRef, BoolOp, CmpOp, ElifElseClause, Expr, Number, PythonVersion,
};
use ruff_text_size::Ranged;

use crate::module::Module;

impl<'a> Module<'a> {
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
                    return self.needs(&stmt.test, version, Side::Below);
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
                    .any(|test| self.needs(test, version, Side::From))
                    || test(&clauses[at]).is_some_and(|it| self.needs(it, version, Side::Below))
            }
            AnyNodeRef::ExprIf(choice) => {
                within(choice.body.range()) && self.needs(&choice.test, version, Side::Below)
                    || within(choice.orelse.range())
                        && self.needs(&choice.test, version, Side::From)
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
    fn needs(&self, test: &Expr, version: PythonVersion, side: Side) -> bool {
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
            ) => values.iter().any(|value| self.needs(value, version, side)),
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
