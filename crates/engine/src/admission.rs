//! Which findings count, where the caller does not want all of them: those of a baseline, those
//! on lines that nobody changed, those that a person declined.

use std::ops::Range;

use edit::Origins;

use crate::{Finding, Outcome};

/// Whoever says which findings count.
///
/// It is asked about the text of each round, since a fix can bring up what another codemod then
/// finds, and about all findings of the text at once, so that it can count equal ones.
pub trait Admission {
    /// What becomes of each of the findings in `text`, which are in the order of their positions.
    /// Those that are not answered for count.
    fn admit(&self, text: &str, findings: &[Sited<'_>]) -> Vec<Admitted>;
}

/// A finding, and where it comes from.
#[derive(Debug)]
pub struct Sited<'a> {
    /// The finding; its range and its edits are byte offsets into the text of the round.
    pub finding: &'a Finding,
    /// The part of the text as it was given that the finding's range was made from: byte offsets.
    /// Empty where a fix of an earlier round inserted all of it.
    pub origin: Range<usize>,
}

/// What becomes of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It counts.
    Yes,
    /// It is none: neither reported nor fixed.
    No,
    /// It is reported, and its fix is withheld for this reason.
    Withheld(String),
}

/// All findings count.
pub(crate) struct Everything;

impl Admission for Everything {
    fn admit(&self, _: &str, _: &[Sited<'_>]) -> Vec<Admitted> {
        Vec::new()
    }
}

/// The findings that count of those in `text`, which was made in rounds of these origins.
pub(crate) fn admitted(
    admission: &dyn Admission,
    text: &str,
    findings: Vec<Finding>,
    rounds: &[Origins],
) -> Vec<Finding> {
    let origin = |finding: &Finding| {
        let rounds = rounds.iter().rev();
        rounds.fold(finding.range.clone(), |range, round| round.before(&range))
    };
    let sited: Vec<Sited> = findings
        .iter()
        .map(|finding| Sited {
            finding,
            origin: origin(finding),
        })
        .collect();
    let mut answers = admission.admit(text, &sited).into_iter();
    let decide = |mut finding: Finding| {
        match answers.next() {
            None | Some(Admitted::Yes) => {}
            Some(Admitted::No) => return None,
            Some(Admitted::Withheld(reason)) => {
                if let Outcome::Fix(_) = finding.outcome {
                    finding.outcome = Outcome::Withheld(reason);
                }
            }
        }
        Some(finding)
    };
    findings.into_iter().filter_map(decide).collect()
}
