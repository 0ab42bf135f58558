//! Which findings a rewrite takes, and what it leaves.

use std::cell::RefCell;
use std::ops::Range;

use crate::admission::Filter;
use edit::Applicability;
use engine::{Admission, Admitted, Finding, Outcome, Sited};

/// Which findings are fixed.
pub enum Choice<'a> {
    /// None.
    Nothing,
    /// This one, which is found in this text: what its fix brings up is for the person.
    One(&'a str, &'a Finding),
    /// Those of a codemod, in every round.
    All {
        codemod: &'static str,
        /// The highest applicability.
        most: Applicability,
        /// The places, in the text as it was given, of those that are not meant.
        except: Vec<Range<usize>>,
    },
}

impl Choice<'_> {
    fn takes(&self, text: &str, sited: &Sited) -> bool {
        let finding = sited.finding;
        match self {
            Choice::Nothing => false,
            Choice::One(given, one) => {
                *given == text
                    && finding.range == one.range
                    && finding.codemod.name == one.codemod.name
            }
            Choice::All {
                codemod,
                most,
                except,
            } => {
                let is_fix = match &finding.outcome {
                    Outcome::Fix(fix) => fix.applicability <= *most,
                    Outcome::Withheld(_) => false,
                };
                is_fix && finding.codemod.name == *codemod && !except.contains(&sited.origin)
            }
        }
    }
}

/// Tells the engine the choice, and keeps what is found in the last text that it asks about.
pub struct Found<'c> {
    choice: &'c Choice<'c>,
    last: RefCell<Vec<(Finding, Range<usize>)>>,
}

impl<'c> Found<'c> {
    pub fn new(choice: &'c Choice<'c>) -> Self {
        Self {
            choice,
            last: RefCell::default(),
        }
    }

    /// All findings in the rewritten text, each with its place in the text as it was given.
    pub fn into_last(self) -> Vec<(Finding, Range<usize>)> {
        self.last.into_inner()
    }
}

impl Admission for Found<'_> {
    fn admit(&self, text: &str, findings: &[Sited<'_>]) -> Vec<Admitted> {
        let known = |sited: &Sited| (sited.finding.clone(), sited.origin.clone());
        self.last.replace(findings.iter().map(known).collect());
        let admitted = |sited: &Sited| {
            if self.choice.takes(text, sited) {
                Admitted::Yes
            } else {
                Admitted::No
            }
        };
        findings.iter().map(admitted).collect()
    }
}

/// Admits nothing, and keeps what is found in the text as it was given.
pub struct Listing<'f> {
    filter: Filter<'f>,
    first: RefCell<Option<Vec<(Finding, bool)>>>,
}

impl<'f> Listing<'f> {
    /// `filter` says which findings count.
    pub fn new(filter: Filter<'f>) -> Self {
        Self {
            filter,
            first: RefCell::default(),
        }
    }

    /// The findings, each with whether it counts.
    pub fn into_first(self) -> Vec<(Finding, bool)> {
        self.first.into_inner().unwrap_or_default()
    }
}

impl Admission for Listing<'_> {
    fn admit(&self, text: &str, findings: &[Sited<'_>]) -> Vec<Admitted> {
        self.first.borrow_mut().get_or_insert_with(|| {
            let admitted = self.filter.admit(text, findings);
            let counts = |at: usize| admitted.get(at).is_none_or(|it| *it == Admitted::Yes);
            let numbered = findings.iter().enumerate();
            numbered
                .map(|(at, sited)| (sited.finding.clone(), counts(at)))
                .collect()
        });
        vec![Admitted::No; findings.len()]
    }
}
