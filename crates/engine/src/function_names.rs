//! Calling another function of the same module.

use edit::Edit;
use python::ast::{Expr, ExprCall};

use crate::{Context, Refusal};

impl<'a> Context<'a, '_> {
    /// The edits after which `call` calls the function `name` of `module`, whose function it
    /// calls now: `aio.sleep(1)` => `aio.NAME(1)`. A function that was imported by itself is
    /// named as the file imports the other one, or else through the module.
    pub fn call_instead(
        &self,
        call: &'a ExprCall,
        module: &str,
        name: &str,
    ) -> Result<Vec<Edit>, Refusal> {
        if let Expr::Attribute(attribute) = &*call.func {
            return Ok(vec![Edit::replace(
                python::Ranged::range(&attribute.attr),
                name,
            )]);
        }
        let func = self.module.parenthesized(&call.func);
        let full = format!("{module}.{name}");
        let imported = self.module.imported_symbols().find(|symbol| {
            self.module.imported_as(symbol).is_some_and(|it| it == full)
                && self
                    .module
                    .lookup(symbol.name, call)
                    .is_some_and(|seen| std::ptr::eq(seen, *symbol))
                && self.is_done(symbol, call.into())
        });
        if let Some(symbol) = imported {
            return Ok(vec![Edit::replace(func, symbol.name)]);
        }
        let import = self.import(call, module)?;
        let mut edits = vec![Edit::replace(func, format!("{}.{name}", import.name))];
        edits.extend(import.edit);
        Ok(edits)
    }
}
