//! Which findings of a file count: none that its baseline knows, and, with `--since`, only those
//! on lines that changed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use engine::{Admission, Admitted, Sited};

use crate::baseline::{self, Seen, Tally};
use crate::since::Lines;

/// Decides for the rewrite of one file.
pub struct Filter<'a> {
    /// What the baseline knows of the file, if there is one.
    known: Option<&'a Tally>,
    /// The lines that changed, where only those count.
    changed: Option<&'a Lines>,
    state: RefCell<Option<State>>,
}

/// What was decided about the text as it was given.
struct State {
    /// Where its lines end, as git sees it.
    ends: Vec<usize>,
    /// What was found in it.
    places: Vec<Place>,
    seen: Seen,
}

struct Place {
    codemod: &'static str,
    range: Range<usize>,
    is_known: bool,
}

impl<'a> Filter<'a> {
    pub fn new(known: Option<&'a Tally>, changed: Option<&'a Lines>) -> Self {
        Self {
            known,
            changed,
            state: RefCell::default(),
        }
    }

    /// Whether all findings count.
    pub fn is_open(&self) -> bool {
        self.known.is_none() && self.changed.is_none()
    }

    /// What was found in the file, known or not.
    pub fn into_seen(self) -> Seen {
        let state = self.state.into_inner();
        state.map(|state| state.seen).unwrap_or_default()
    }
}

impl Admission for Filter<'_> {
    fn admit(&self, text: &str, findings: &[Sited<'_>]) -> Vec<Admitted> {
        if self.is_open() {
            return Vec::new();
        }
        let mut state = self.state.borrow_mut();
        // The first text is the one that was given.
        let state = state.get_or_insert_with(|| State::new(text, findings, self.known));
        if self.known.is_some() {
            state.seen.after = tally(text, findings);
        }
        findings
            .iter()
            .map(|finding| {
                let counts = match self.changed {
                    // What a fix wrote is new.
                    Some(changed) if !finding.origin.is_empty() => {
                        changed.touch(&state.rows(&finding.origin))
                    }
                    _ => true,
                };
                if counts && !state.is_known(finding) {
                    Admitted::Yes
                } else {
                    Admitted::No
                }
            })
            .collect()
    }
}

impl State {
    fn new(text: &str, findings: &[Sited<'_>], known: Option<&Tally>) -> Self {
        let before = match known {
            Some(_) => tally(text, findings),
            None => Tally::new(),
        };
        // Of equal ones the first are the known ones.
        let mut left: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for (codemod, lines) in known.into_iter().flatten() {
            let counts = lines
                .iter()
                .map(|(line, count)| (line.as_str(), count.get()));
            left.insert(codemod, counts.collect());
        }
        let place = |Sited { finding, .. }: &Sited<'_>| {
            let line = baseline::line(text, finding.range.start);
            let lines = left.get_mut(finding.codemod.name);
            let is_known = match lines.and_then(|lines| lines.get_mut(line.as_str())) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    true
                }
                _ => false,
            };
            Place {
                codemod: finding.codemod.name,
                range: finding.range.clone(),
                is_known,
            }
        };
        Self {
            ends: memchr::memchr_iter(b'\n', text.as_bytes()).collect(),
            places: findings.iter().map(place).collect(),
            seen: Seen {
                before,
                after: Tally::new(),
            },
        }
    }

    /// Whether a finding of any round is one that was known in the text as it was given.
    fn is_known(&self, Sited { finding, origin }: &Sited<'_>) -> bool {
        if origin.is_empty() {
            return false;
        }
        let mut places = self
            .places
            .iter()
            .filter(|place| place.codemod == finding.codemod.name);
        let is_same = |place: &&Place| place.range == *origin;
        let begins = |place: &&Place| place.range.start == origin.start;
        let mut places_there = places.clone().filter(begins);
        match places.clone().find(is_same).or(places_there.next()) {
            Some(place) => place.is_known,
            // A fix beside it moved its edge.
            None => places.any(|place| {
                place.is_known && place.range.start <= origin.start && origin.end <= place.range.end
            }),
        }
    }

    /// One-based.
    fn rows(&self, range: &Range<usize>) -> RangeInclusive<usize> {
        let row = |offset: usize| self.ends.partition_point(|end| *end < offset) + 1;
        let last = range.end.saturating_sub(1).max(range.start);
        row(range.start)..=row(last)
    }
}

fn tally(text: &str, findings: &[Sited<'_>]) -> Tally {
    let mut tally = Tally::new();
    for Sited { finding, .. } in findings {
        let line = baseline::line(text, finding.range.start);
        baseline::add(&mut tally, finding.codemod.name, line);
    }
    tally
}
