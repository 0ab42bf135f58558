//! Text: edits, fixes, merging them whole or not at all, applying them, and the unified diff.
//!
//! Knows no Python. All offsets are byte offsets into UTF-8 text, all ranges are half open.

mod diff;
mod fix;
mod hunks;
mod lines;
mod merge;

pub use diff::{Section, unified_diff};
pub use fix::{Applicability, Edit, Fix};
pub use hunks::{Hunk, apply_hunks, hunks};
pub use lines::{LineIndex, Position};
pub use merge::{Change, Merged, Origins, Touched, merge};
