//! Which operators bind more than others.

use ruff_python_ast::{AnyNodeRef, Expr};

use crate::module::Module;

impl Module<'_> {
    /// Whether what is around `expr` binds more than `not` does, so that `not x` in its place needs
    /// parentheses.
    pub fn binds_more_than_not<'n>(&self, expr: impl Into<AnyNodeRef<'n>>) -> bool {
        let node = self.node(self.id(expr));
        let is = |expr: &Expr| node.ptr_eq(expr.into());
        match self.parent(node) {
            Some(
                AnyNodeRef::ExprAttribute(_)
                | AnyNodeRef::ExprAwait(_)
                | AnyNodeRef::ExprBinOp(_)
                | AnyNodeRef::ExprCompare(_)
                | AnyNodeRef::ExprStarred(_)
                | AnyNodeRef::ExprUnaryOp(_),
            ) => true,
            Some(AnyNodeRef::ExprCall(call)) => is(&call.func),
            Some(AnyNodeRef::ExprSubscript(subscript)) => is(&subscript.value),
            // `{**x}`
            Some(AnyNodeRef::ExprDict(dict)) => dict
                .items
                .iter()
                .any(|item| item.key.is_none() && is(&item.value)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use ruff_python_ast::PythonVersion;

    use super::*;
    use crate::module::parse;

    #[test]
    fn it_needs_parentheses_where_python_asks_for_them() {
        for source in [
            "x.y",
            "x()",
            "x[0]",
            "x + 1",
            "-x",
            "x < 1",
            "[*x]",
            "{**x}",
            "(await x)",
        ] {
            assert_eq!(check(source), (true, false), "{source}");
        }
        for source in [
            "f(x)",
            "f(**x)",
            "y[x]",
            "{x: 1}",
            "{1: x}",
            "(x)",
            "f'{x}'",
            "(x, 1)",
            "x or 1",
            "1 if x else 2",
            "[x for y in x if x]",
        ] {
            assert_eq!(check(source), (false, true), "{source}");
        }
    }

    /// Whether the `x` in it stands where more binds, and whether it parses with `not x` there.
    fn check(source: &str) -> (bool, bool) {
        let in_coroutine = |text: &str| format!("async def f(): {text}\n");
        let source = in_coroutine(source);
        let parsed = parse(&source, PythonVersion::PY313).unwrap();
        let module = Module::new(&source, &parsed);
        let binds_more = module.descendants(module.root()).any(|node| {
            matches!(node, AnyNodeRef::ExprName(name) if name.id == "x")
                && module.binds_more_than_not(node)
        });
        // What is read otherwise parses too: `not x.y`.
        let opposite = source.replace('x', "not x");
        let is_read_alike = parse(&opposite, PythonVersion::PY313).is_ok_and(|parsed| {
            let module = Module::new(&opposite, &parsed);
            module.descendants(module.root()).all(|node| match node {
                AnyNodeRef::ExprUnaryOp(unary) => unary.operand.is_name_expr(),
                _ => true,
            })
        });
        (binds_more, is_read_alike)
    }
}
