//! Decision: the text of one file in, the rewrite out.
//!
//! No file, no terminal, no clock, and no codemod known by name. The way of a file:
//! [`Prefilter`] -> [`rewrite`] -> the codemods' functions -> [`Rewritten`].

mod admission;
mod apart;
mod beside;
mod call_arguments;
mod calls;
mod cells;
mod codemod;
mod context;
mod dependencies;
mod elsewhere;
mod finding;
mod function_imports;
mod function_names;
mod handlers;
mod keeping;
mod layout;
mod long_line;
mod meaning;
mod memory;
mod prefilter;
mod rewrite;
mod roles;
mod settings;
mod severity;
mod sighting;
mod statement;
mod suppression;
mod text;
mod unused;
mod verify;
mod with_items;

pub use admission::{Admission, Admitted, Sited};
pub use call_arguments::{joined_arguments, without_argument};
pub use calls::{CallSite, Calls, Reach, calls, plain_methods};
pub use codemod::{
    Choices, Codemod, Dated, Decide, DecideNode, Dismiss, On, OptionSpec, Refusal, Rewrite, Verdict,
};
pub use context::{Context, Import};
pub use elsewhere::{Definition, Elsewhere, Exported, Look, Outline, Summarise, Summary};
pub use finding::{Applied, Fault, Finding, Outcome, Rewritten, Severity, UnusedImport};
pub use handlers::{handled_around, is_unrelated};
pub use layout::{Layout, Piece, arguments, joined, width};
pub use long_line::{Lines, Standing};
pub use meaning::{Asking, Caller, Oracle};
pub use prefilter::Prefilter;
pub use rewrite::{Host, SyntaxError, Taken, check, rewrite};
pub use roles::{asks_for_loop, cleans_up, has_word, is_command, names_cleanup};
pub use settings::{OptionValues, Settings, Silence, Target};
pub use sighting::{End, Sighting, Skimmed, is_keyword, is_part, is_whole, split_last_word};
pub use statement::{Line, insert_before, replace_statement, replace_statement_commented};
pub use suppression::Suppression;
pub use unused::Kept;
pub use with_items::{HeaderItem, HeaderProblem, deepened, end_of_block, with_headers};

/// `Err(withheld!("why {}", what))`: the defect, but a person has to decide.
#[macro_export]
macro_rules! withheld {
    ($($message:tt)*) => {
        $crate::Refusal::Withheld(format!($($message)*))
    };
}
