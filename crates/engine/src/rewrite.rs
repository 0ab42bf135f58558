//! The loop: parse, index, ask, merge, apply, verify, again.

use std::ops::Range;

use crate::{Rewritten, Settings};

/// Why a file could not be analysed.
#[derive(Clone, Debug)]
pub struct SyntaxError {
    /// What the parser says, without a final stop.
    pub message: String,
    /// Where: byte offsets into the text.
    pub range: Range<usize>,
}

/// Rewrites the text of one Python file.
///
/// `source` is the file's text without a byte order mark. `may_remove` is asked, for each import
/// that the rewrite leaves unused, whether it can be removed: only the caller knows the other
/// files. Pass `&|_| false` to keep them all; [`Rewritten::unused_imports`] names them.
pub fn rewrite(
    _source: &str,
    _settings: &Settings,
    _may_remove: &dyn Fn(&str) -> bool,
) -> Result<Rewritten, SyntaxError> {
    Ok(Rewritten::default())
}
