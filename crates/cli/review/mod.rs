//! `--review`: one fix after the other, and a person who decides.
//!
//! [`session`] is what happens, [`terminal`] how the person is asked, [`view`] what is shown.

pub mod choice;
mod file;
mod hunks;
mod rewriting;
mod session;
mod state;
mod terminal;
mod view;

use anyhow::{Context, Result};
use edit::Applicability;
use engine::Outcome;

use crate::plan::Plan;
use crate::report::{self, Entry, Failure};
use crate::run::{Analysed, Around};
use crate::walk::Files;
use file::{Open, State};
use session::{Done, Session, counted};
use state::Refused;
use terminal::Terminal;

/// What a review left.
pub struct Reviewed<'a> {
    done: Done,
    open: Vec<Open<'a>>,
    /// What went wrong.
    pub failures: Vec<Failure>,
}

impl<'a> Reviewed<'a> {
    /// Reviews what was found in the files. The error is one of the terminal.
    pub fn new(
        plan: &Plan,
        files: Files<'a>,
        around: Around<'_, 'a>,
        pool: &rayon::ThreadPool,
        analysed: Vec<Analysed<'a>>,
    ) -> Result<Self> {
        let here = std::env::current_dir().and_then(fs_err::canonicalize);
        let here = here.context("the current directory cannot be used")?;
        let mut refused = Refused::read(&here);
        if plan.from_start {
            for Analysed { file, .. } in &analysed {
                refused.keep(&file.canonical, "", &[], file.folder.codemods());
            }
        }
        let mut session = Session::new(files, around, pool, analysed, refused);
        session.run(&mut Terminal::new(plan.color))?;
        Ok(Self {
            done: session.done(),
            failures: std::mem::take(&mut session.failures),
            open: session.left(),
        })
    }

    /// How many findings are left.
    pub fn remaining(&self) -> usize {
        self.open.iter().map(|open| open.counted().count()).sum()
    }

    /// Lists the withheld findings where that is wanted.
    pub fn list_withheld(&self) {
        for open in self
            .open
            .iter()
            .filter(|open| open.file.folder.show_withheld)
        {
            report::text::withheld(&Entry {
                path: &open.file.path,
                canonical: &open.file.canonical,
                source: &open.source,
                text: &open.source.text,
                rewritten: None,
                faults: &[],
                taken_back: &[],
                findings: open.counted().map(|item| &item.finding).collect(),
                suppressions: &[],
                apply: open.file.folder.module.apply,
                show_withheld: true,
            });
        }
    }

    /// What was done, what is left, and how to go on.
    pub fn summary(&self, checked: usize, failures: &[Failure]) -> String {
        let (done, left) = (self.done, Left::of(&self.open));
        let findings = |count| counted(count, "finding", "findings");
        let files = |count| counted(count, "file", "files");
        let mut sentences = Vec::new();
        if done.fixed > 0 {
            let edited = match done.edited {
                0 => String::new(),
                count => format!(" ({count} edited)"),
            };
            sentences.push(format!("Fixed {}{edited}.", findings(done.fixed)));
        }
        if done.silenced > 0 {
            sentences.push(format!("Silenced {}.", findings(done.silenced)));
        }
        if sentences.is_empty() {
            sentences.push(match self.remaining() {
                0 => format!("No findings in {}.", files(checked)),
                _ => format!("Fixed nothing in {}.", files(checked)),
            });
        }
        if left.refused > 0 {
            sentences.push(format!(
                "{} refused (--review-from-start asks again).",
                left.refused
            ));
        }
        if left.open > 0 {
            sentences.push(format!(
                "{} left to review: the same command goes on there.",
                left.open
            ));
        }
        if left.failed > 0 {
            sentences.push(format!("{} could not be fixed.", findings(left.failed)));
        }
        if left.intended > 0 {
            sentences.push(format!("{} more without --safe-only.", left.intended));
        }
        if left.unsafe_ > 0 {
            sentences.push(format!("{} more with --unsafe-fixes.", left.unsafe_));
        }
        if left.withheld > 0 {
            sentences.push(format!(
                "{} withheld (list them with --show-withheld).",
                left.withheld
            ));
        }
        if left.known > 0 {
            sentences.push(format!(
                "{} left out: known to the baseline, or on lines that did not change.",
                left.known
            ));
        }
        let unwritten = failures.iter().filter(|failure| failure.unwritten).count();
        if failures.len() > unwritten {
            let count = files(failures.len() - unwritten);
            sentences.push(format!("{count} could not be analysed."));
        }
        if unwritten > 0 {
            sentences.push(format!("{} could not be written.", files(unwritten)));
        }
        sentences.join(" ")
    }
}

/// What is left, counted.
#[derive(Default)]
struct Left {
    open: usize,
    refused: usize,
    failed: usize,
    intended: usize,
    unsafe_: usize,
    withheld: usize,
    known: usize,
}

impl Left {
    fn of(open: &[Open]) -> Self {
        let mut left = Self::default();
        for open in open {
            let apply = open.file.folder.module.apply;
            for item in &open.items {
                match (&item.finding.outcome, item.state) {
                    (_, State::Known) => left.known += 1,
                    (_, State::Open) => left.open += 1,
                    (_, State::Refused) => left.refused += 1,
                    (Outcome::Withheld(_), _) => left.withheld += 1,
                    (Outcome::Fix(fix), _) if fix.applicability <= apply => left.failed += 1,
                    (Outcome::Fix(fix), _) if fix.applicability == Applicability::Unsafe => {
                        left.unsafe_ += 1;
                    }
                    (Outcome::Fix(_), _) => left.intended += 1,
                }
            }
        }
        left
    }
}
