//! One file of a review: what it holds, what is found in it, and what became of that.

use std::ops::Range;

use edit::Applicability;
use engine::{Finding, Outcome};

use super::choice::Choice;
use crate::source::{Source, read_into};
use crate::walk::File;
use crate::write::{self, Stamp};

/// One file as it is now.
#[derive(Clone)]
pub struct Open<'a> {
    pub file: &'a File,
    /// What it was when it was read or written.
    pub stamp: Stamp,
    pub source: Source,
    pub items: Vec<Item>,
}

/// A finding, and what became of it.
#[derive(Clone)]
pub struct Item {
    pub finding: Finding,
    pub state: State,
}

/// What became of a finding that is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is to be asked about.
    Open,
    /// It was, and is not to be fixed.
    Refused,
    /// There is nothing to ask: it has no fix that is to be applied.
    Left,
    /// It does not count: the baseline knows it, or its lines did not change.
    Known,
}

impl Open<'_> {
    /// What became of a finding whose place in this text is `origin`, as far as it was found.
    pub fn state_of(&self, finding: &Finding, origin: &Range<usize>) -> Option<State> {
        let mut of = self.items.iter().filter(|item| item.is_of(finding));
        let same = of.clone().find(|item| item.finding.range == *origin);
        let around = |item: &&Item| {
            let range = &item.finding.range;
            item.state == State::Known && range.start <= origin.start && origin.end <= range.end
        };
        // A fix beside it may have moved the edge of one that does not count.
        same.or_else(|| of.find(around).filter(|_| !origin.is_empty()))
            .map(|item| item.state)
    }

    /// Replaces the file's bytes, if they are still those that are known.
    pub fn write(&self, after: &[u8]) -> Result<Stamp, String> {
        let Open {
            file,
            stamp,
            source,
            ..
        } = self;
        let before = source.encode(&source.text).map_err(|error| error.message)?;
        write::replace(&file.canonical, *stamp, &before, after)?;
        Stamp::of(&file.canonical).map_err(|error| write::reason(&error))
    }

    /// Whether the file is still the one that was read.
    pub fn is_current(&self) -> bool {
        let Open {
            file,
            stamp,
            source,
            ..
        } = self;
        let mut bytes = Vec::new();
        read_into(&file.canonical, &mut bytes).is_ok_and(|metadata| {
            let known = source.encode(&source.text);
            Stamp::new(&metadata) == *stamp && known.is_ok_and(|known| known == bytes)
        })
    }

    /// The findings that count.
    pub fn counted(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.state != State::Known)
    }

    /// Whether a fix of the codemod is open that is no less safe than `most`.
    pub fn has(&self, codemod: &str, most: Applicability) -> bool {
        self.items.iter().any(|item| item.is_open_of(codemod, most))
    }

    pub fn leave(&mut self, codemod: &str, most: Applicability) {
        for item in &mut self.items {
            if item.is_open_of(codemod, most) {
                item.state = State::Left;
            }
        }
    }

    /// All fixes of the codemod that are no less safe than `most`, but those that are refused or
    /// were left before.
    pub fn choice(&self, codemod: &'static str, most: Applicability) -> Choice<'static> {
        let except = self
            .items
            .iter()
            .filter(|item| item.finding.codemod.name == codemod && item.state != State::Open);
        Choice::All {
            codemod,
            most,
            except: except.map(|item| item.finding.range.clone()).collect(),
        }
    }
}

impl Item {
    pub fn is_of(&self, finding: &Finding) -> bool {
        self.finding.codemod.name == finding.codemod.name
    }

    pub fn is_open_of(&self, codemod: &str, most: Applicability) -> bool {
        let is_fix = match &self.finding.outcome {
            Outcome::Fix(fix) => fix.applicability <= most,
            Outcome::Withheld(_) => false,
        };
        is_fix && self.state == State::Open && self.finding.codemod.name == codemod
    }
}
