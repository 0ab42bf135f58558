//! Meaning across files: what an expression is, which definition a call reaches, how a context
//! manager is entered.
//!
//! A [`Pool`] takes [`Question`]s about one file and gives an [`Answer`] to each. The work is done
//! by ty's inference crates in child processes ([`serve`]), because a stack that overflows aborts
//! the process, a solver that takes exponential time cannot be interrupted, and a generated table
//! can take gigabytes. Whatever happens there, the answers that are missing are *unknown*, and
//! unknown is never a yes.
//!
//! Nothing of ty leaves the crate. Without the feature `inference` every answer is unknown, and no
//! child is started.

mod pool;
mod project;
mod question;
mod table;
mod wire;

#[cfg(feature = "inference")]
mod inference;

pub use pool::{ARGUMENT, Limits, Lost, Pool};
pub use project::{Environment, Folders, Project};
pub use question::{
    Aclose, Answer, Ask, Closing, Context, Function, Gives, Place, Question, Value,
};

/// The child's side: answers what comes on standard input until it ends. `memory` is the most
/// address space that it may take, in MiB.
///
/// An error is one of the pipes, and there is nobody to tell.
#[cfg(feature = "inference")]
pub fn serve(memory: u64) -> std::io::Result<()> {
    inference::serve(memory)
}

/// Whether this build can infer types.
pub const HAS_INFERENCE: bool = cfg!(feature = "inference");
