//! Decision: the text of one file in, the rewrite out.
//!
//! No file, no terminal, no clock, and no codemod known by name. The way of a file:
//! [`Prefilter`] -> [`rewrite`] -> the codemods' functions -> [`Rewritten`].

mod codemod;
mod context;
mod finding;
mod prefilter;
mod rewrite;
mod settings;

pub use codemod::{Choices, Codemod, On, OptionSpec, Refusal, Rewrite, Verdict};
pub use context::Context;
pub use finding::{Fault, Finding, Outcome, Rewritten, UnusedImport};
pub use prefilter::Prefilter;
pub use rewrite::{SyntaxError, rewrite};
pub use settings::{OptionValues, Settings, Target};
