//! Comments that silence nothing.

use engine::{Codemod, Suppression};

use super::{Entry, Failure};
use crate::arguments::unknown;

/// What is to be said of the comments of a file that silence nothing, as far as the codemods that
/// `ran` can tell, and of names that no codemod has.
pub fn useless(entry: &Entry, ran: &[&'static Codemod]) -> Vec<Failure> {
    let message = |suppression: &Suppression| {
        let problem = match &suppression.name {
            _ if suppression.used => return None,
            Some(name) => match codemods::find(name) {
                None => unknown(name, &[]),
                Some(codemod) if ran.iter().any(|it| it.name == codemod.name) => format!(
                    "`asyncfix: ignore[{name}]` silences nothing: {name} finds nothing there, take it away"
                ),
                Some(_) => return None, // nobody knows
            },
            None if ran.len() == codemods::ALL.len() => {
                "`asyncfix: ignore` silences nothing: take it away".to_string()
            }
            None => return None,
        };
        let failure = Failure::new(entry.path, problem);
        Some(failure.at(entry.source, entry.text, suppression.range.start))
    };
    entry.suppressions.iter().filter_map(message).collect()
}
