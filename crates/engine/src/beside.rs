//! The import of a package that takes the place of another one.

use edit::Edit;
use python::ast::{AnyNodeRef, Expr};

use crate::{Context, Import, Refusal, withheld};

impl Context<'_, '_> {
    /// The name that `package` has at `expr`, which names something imported that it is to take the
    /// place of; imported beside that import if need be.
    pub fn import_beside(&self, expr: &Expr, package: &str) -> Result<Import, Refusal> {
        let module = self.module;
        let mut import = self.import(expr, package)?;
        if import.edit.is_none() {
            return Ok(import);
        }
        let mut base = expr;
        while let Expr::Attribute(attribute) = base {
            base = &attribute.value;
        }
        let binding = base
            .as_name_expr()
            .and_then(|name| module.symbol(name))
            .and_then(|symbol| symbol.bindings.iter().find(|it| !it.typing_only));
        let Some(binding) = binding else {
            return Err(Refusal::NotOurs); // not imported
        };
        let statement = module.statement(module.node(binding.node));
        if !matches!(
            module.parent(statement),
            Some(AnyNodeRef::ModModule(_) | AnyNodeRef::StmtFunctionDef(_))
        ) {
            return Err(withheld!(
                "`{}` is imported under a condition, as what need not be there: import {package} in the way that is to hold for it",
                module.text(base)
            ));
        }
        if let Some(insertion) = module.import_beside(package, statement) {
            import.edit = Some(Edit::insert(insertion.offset, insertion.text));
        }
        Ok(import)
    }
}
