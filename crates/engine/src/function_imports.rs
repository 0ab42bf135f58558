//! Naming a function of a module, at a place that does not name one of that module yet.

use python::ast::AnyNodeRef;

use crate::{Context, Import, Refusal};

impl Context<'_, '_> {
    /// What to write at `site` for the function `name` of `module`: the name that the file
    /// imported it under, else `module.name`, with the module imported if need be.
    pub fn import_function<'n>(
        &self,
        site: impl Into<AnyNodeRef<'n>>,
        module: &str,
        name: &str,
    ) -> Result<Import, Refusal> {
        let site = site.into();
        let full = format!("{module}.{name}");
        let imported = self.module.imported_symbols().find(|symbol| {
            self.module.imported_as(symbol).is_some_and(|it| it == full)
                && self
                    .module
                    .lookup(symbol.name, site)
                    .is_some_and(|seen| std::ptr::eq(seen, *symbol))
                && self.is_done(symbol, site)
        });
        if let Some(symbol) = imported {
            return Ok(Import {
                name: symbol.name.to_string(),
                edit: None,
            });
        }
        let import = self.import(site, module)?;
        Ok(Import {
            name: format!("{}.{name}", import.name),
            edit: import.edit,
        })
    }
}
