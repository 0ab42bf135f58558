//! Meaning in one file: parsing, the tree of nodes, scopes and bindings, qualified names, what
//! `await` would mean at a place, imports, comments and indentation.
//!
//! The only crate that names ruff's parser. Knows no codemod and makes no edit.

mod annotations;
mod assignment;
mod awaitable;
mod beside;
mod blocks;
mod builtins;
mod callers;
mod catching;
mod caught_by;
mod check;
mod depth;
mod follow;
mod fragment;
mod imports;
mod index;
mod json;
mod library;
mod lines;
mod literal;
mod module;
mod names;
mod notebook;
mod place;
mod precedence;
mod running;
mod suites;
mod suspension;
mod versions;

pub use annotations::is_of_standard_library;
pub use assignment::assignment;
pub use awaitable::Awaitable;
pub use blocks::{Block, TryPart};
pub use callers::Caller;
pub use catching::{Catcher, Caught, Handler};
pub use caught_by::{CaughtBy, CaughtByKind};
pub use check::{Problem, problems};
pub use fragment::{Part, PartKind, breaks_outside_brackets, comments, parts};
pub use imports::Insertion;
pub use index::{Binding, BindingKind, NodeId, Scope, ScopeId, ScopeKind, Symbol, SymbolId};
pub use library::Library;
pub use lines::{After, Placement, first_line, indentation, is_blank};
pub use literal::displayed;
pub use module::{Module, Parsed, parse, parse_cells};
pub use notebook::{CELL_END, Cell, CellNumber, NoNotebook, Notebook, Written, split};
pub use place::AwaitPlace;
pub use ruff_python_ast as ast;
pub use ruff_text_size::{Ranged, TextLen, TextRange, TextSize};
pub use running::CONSUMERS;
