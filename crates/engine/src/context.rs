//! What a codemod can ask.

/// One module, seen by one codemod.
#[derive(Debug)]
pub struct Context<'a, 'm> {
    /// The module's text.
    pub source: &'a str,
    /// The settings of the run.
    pub settings: &'m crate::Settings,
}
