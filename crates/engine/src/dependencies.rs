//! Packages that a rewrite needs, and that the project may not have.

use crate::{Context, Refusal, withheld};

impl Context<'_, '_> {
    /// Withheld where the project declares what it depends on, and that is without this package,
    /// which is also the codemod's option: `assumed` is for packages that are there all the same.
    pub fn check_declared(&self, package: &str) -> Result<(), Refusal> {
        if self.option(package) == "assumed" {
            return Ok(());
        }
        match self.undeclared(package) {
            None => Ok(()),
            Some(file) => Err(withheld!(
                "{package} is not among the dependencies that `{file}` declares: add it there, or set `{}.{package} = \"assumed\"`",
                self.codemod.name
            )),
        }
    }

    /// The file that declares what the project depends on, if that is without this package, and no
    /// file of the project that is in the run imports it; none where that is not known.
    fn undeclared(&self, package: &str) -> Option<String> {
        let declares = self.meaning.undeclared(package)?;
        let imports = [format!("import {package}"), format!("from {package}")];
        let is_used = self.meaning.mentions(&imports).contains(&true);
        (!is_used).then_some(declares)
    }
}
