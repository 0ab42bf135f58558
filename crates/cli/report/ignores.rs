//! Comments that silence nothing.

use std::ops::Range;

use engine::{Codemod, Suppression};

use super::{Entry, Failure, Places};
use crate::arguments::unknown;

/// What is to be said of the comments of a file that silence nothing, as far as the codemods that
/// `ran` can tell, and of names that no codemod has.
pub fn useless(entry: &Entry, ran: &[&'static Codemod]) -> Vec<Failure> {
    if entry.suppressions.is_empty() {
        return Vec::new();
    }
    let places = Places::new(entry.source, entry.text);
    let failure = |(range, problem): (Range<usize>, String)| {
        Failure::new(entry.path, problem).at(places.of(range.start))
    };
    let problems = problems(entry.suppressions, ran);
    problems.into_iter().map(failure).collect()
}

/// The same, each with the comment that it is about: byte offsets.
pub fn problems(
    suppressions: &[Suppression],
    ran: &[&'static Codemod],
) -> Vec<(Range<usize>, String)> {
    let problem = |suppression: &Suppression| {
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
        Some((suppression.range.clone(), problem))
    };
    suppressions.iter().filter_map(problem).collect()
}
