//! Code for some versions of Python only.

use ruff_python_ast::{self as ast, AnyNodeRef};

use crate::module::Module;

impl Module<'_> {
    /// Whether a condition, or that of an `elif`, asks for the version of Python, or whether
    /// something has an attribute.
    pub fn chooses_by_version(&self, stmt: &ast::StmtIf) -> bool {
        let clauses = stmt.elif_else_clauses.iter();
        let tests = std::iter::once(&*stmt.test).chain(clauses.filter_map(|it| it.test.as_ref()));
        let mut nodes = tests.flat_map(|test| self.descendants(AnyNodeRef::from(test)));
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
}
