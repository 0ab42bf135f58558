//! Which findings of a file count: none that its baseline knows, and, with `--since`, only those
//! on lines that changed. Of what counts, some may be to be withheld.

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
    withheld: &'a [Withheld],
    state: RefCell<Option<State>>,
}

/// A finding that keeps its place in the report, and whose fix is not to be applied.
#[derive(Clone, Debug)]
pub struct Withheld {
    pub codemod: &'static str,
    /// Byte offsets into the text as it was given.
    pub range: Range<usize>,
    pub reason: String,
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
    /// Why its fix is to be withheld.
    withheld: Option<String>,
}

impl<'a> Filter<'a> {
    pub fn new(known: Option<&'a Tally>, changed: Option<&'a Lines>) -> Self {
        Self {
            known,
            changed,
            withheld: &[],
            state: RefCell::default(),
        }
    }

    /// The same, but for these, which are to be withheld.
    pub fn withholding(self, withheld: &'a [Withheld]) -> Self {
        Self { withheld, ..self }
    }

    /// Whether all findings count, as they are.
    pub fn is_open(&self) -> bool {
        self.known.is_none() && self.changed.is_none() && self.withheld.is_empty()
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
        let state =
            state.get_or_insert_with(|| State::new(text, findings, self.known, self.withheld));
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
                let of = |place: &Place| place.is_known.then_some(());
                if !counts || state.find(finding, of).is_some() {
                    return Admitted::No;
                }
                match state.find(finding, |place| place.withheld.clone()) {
                    Some(reason) => Admitted::Withheld(reason),
                    None => Admitted::Yes,
                }
            })
            .collect()
    }
}

impl State {
    fn new(
        text: &str,
        findings: &[Sited<'_>],
        known: Option<&Tally>,
        withheld: &[Withheld],
    ) -> Self {
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
            let is_it =
                |it: &&Withheld| it.codemod == finding.codemod.name && it.range == finding.range;
            Place {
                codemod: finding.codemod.name,
                range: finding.range.clone(),
                is_known,
                withheld: withheld.iter().find(is_it).map(|it| it.reason.clone()),
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

    /// What is said of a finding of any round, by its place in the text as it was given.
    fn find<T>(
        &self,
        Sited { finding, origin }: &Sited<'_>,
        said: impl Fn(&Place) -> Option<T>,
    ) -> Option<T> {
        if origin.is_empty() {
            return None;
        }
        let places = self
            .places
            .iter()
            .filter(|place| place.codemod == finding.codemod.name);
        let is_same = |place: &&Place| place.range == *origin;
        let begins = |place: &&Place| place.range.start == origin.start;
        let mut places_there = places.clone().filter(begins);
        match places.clone().find(is_same).or(places_there.next()) {
            Some(place) => said(place),
            // A fix beside it moved its edge.
            None => places
                .filter(|it| it.range.start <= origin.start && origin.end <= it.range.end)
                .find_map(said),
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
