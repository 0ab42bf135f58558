//! Whether a name is the builtin one.

use ruff_python_ast::Expr;

use crate::module::Module;

impl Module<'_> {
    /// The name of the builtin that `expr` is; where the file imports `*`, what looks like one.
    pub fn builtin<'e>(&self, expr: &'e Expr) -> Option<&'e str> {
        match expr {
            Expr::Name(name) if self.symbol(name).is_none() => Some(name.id.as_str()),
            _ => None,
        }
    }

    /// The modules that the file imports `*` from, as it names them.
    pub fn star_imports(&self) -> impl Iterator<Item = String> {
        self.index.star_imports.iter().map(|import| {
            let dots = ".".repeat(import.level as usize);
            format!("{dots}{}", import.module.as_deref().unwrap_or_default())
        })
    }
}
