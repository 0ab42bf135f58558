//! A campaign in numbers.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::database::{Row, State};
use crate::outcome::{Codemod, Reason};

/// What is counted over all repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many are planned.
    pub repositories: usize,
    /// How many are done.
    pub done: usize,
    /// How many failed, and may go well another time.
    pub retry: usize,
    /// How many failed for good.
    pub permanent: usize,
    /// How many are not decided.
    pub pending: usize,
    /// How many of those that are done have a commit.
    pub changed: usize,
    /// In how many of those that are done something went wrong with single files.
    pub troubled: usize,
    /// How often a fix was dropped by a fault of asyncfix.
    pub faults: u64,
    /// How many of those that are done were verified by a command.
    pub verified: usize,
    /// Files that were looked at.
    pub checked: u64,
    /// Files that could not be analysed.
    pub not_analysed: u64,
    /// What was found.
    pub found: u64,
    /// Fixes that were written.
    pub fixed: u64,
    /// Findings without a fix.
    pub withheld: u64,
    /// Fixes that were not applied.
    pub left: u64,
    /// Fixes that were taken back after the command failed with them, or was not decided.
    pub taken_back: u64,
    /// How long all steps took together.
    pub took: Duration,
    /// By codemod, with most findings first; reasons, the most frequent first.
    pub codemods: Vec<Codemod>,
}

impl Summary {
    /// Of these repositories.
    pub fn new(rows: &[Row]) -> Self {
        let mut summary = Self {
            repositories: rows.len(),
            ..Self::default()
        };
        let mut codemods: BTreeMap<String, Codemod> = BTreeMap::new();
        for row in rows {
            summary.took += row.took;
            match row.state {
                State::Done => summary.done += 1,
                State::Retry => summary.retry += 1,
                State::Permanent => summary.permanent += 1,
                State::Pending => summary.pending += 1,
            }
            // What an earlier configuration came to is no result of this one.
            let Some(made) = row.result.as_ref().filter(|_| row.state == State::Done) else {
                continue;
            };
            summary.changed += usize::from(made.commit.is_some());
            summary.troubled += usize::from(made.problems.count > 0);
            summary.faults += made.problems.faults;
            summary.checked += made.checked;
            summary.not_analysed += made.not_analysed;
            summary.found += made.found;
            summary.fixed += made.fixed;
            summary.withheld += made.withheld;
            summary.left += made.left;
            if let Some(tests) = &made.tests {
                summary.verified += 1;
                summary.taken_back += tests.culprits + tests.undecided;
            }
            for one in &made.codemods {
                let all = codemods.entry(one.name.clone()).or_default();
                add(all, one, &row.repository.name);
            }
        }
        summary.codemods = codemods.into_values().collect();
        for codemod in &mut summary.codemods {
            codemod.reasons.sort_by_key(|it| Reverse(it.count));
        }
        summary.codemods.sort_by_key(|it| Reverse(it.found));
        summary
    }
}

fn add(all: &mut Codemod, one: &Codemod, repository: &str) {
    all.name.clone_from(&one.name);
    all.add(one);
    for reason in &one.reasons {
        match all.reasons.iter_mut().find(|it| it.reason == reason.reason) {
            Some(known) => known.count += reason.count,
            None => all.reasons.push(Reason {
                example: format!("{repository}/{}", reason.example),
                ..reason.clone()
            }),
        }
    }
}
