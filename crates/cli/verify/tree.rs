//! The files whose fixes are verified, as they are on the disk. What somebody else changed is never
//! overwritten.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::journal::Journal;
use crate::walk::File;
use crate::write::{self, Stamp};

/// The files, by number.
pub struct Tree {
    held: Vec<Held>,
    journal: Journal,
}

/// One file.
struct Held {
    /// As messages show it.
    shown: PathBuf,
    /// Free of links.
    path: PathBuf,
    /// What it was last.
    stamp: Stamp,
    original: Rc<[u8]>,
    /// What it holds.
    now: Rc<[u8]>,
    /// What it holds in the last state that passed.
    passing: Rc<[u8]>,
    /// When the original was written.
    modified: SystemTime,
    /// The latest time that was given to it, in seconds.
    latest: u64,
    /// How many other names it has, which keep the old content.
    other_links: u64,
}

/// Why a state could not be made.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody else changed this file.
    Changed(PathBuf),
    /// This file cannot be written, for this reason.
    Unwritable(PathBuf, String),
    /// The journal cannot be written.
    Journal(String),
}

impl Tree {
    pub fn new(journal: Journal) -> Self {
        Self {
            held: Vec::new(),
            journal,
        }
    }

    /// Takes in a file that holds `original`. The error says why it cannot be.
    pub fn add(&mut self, file: &File, stamp: Stamp, original: Vec<u8>) -> Result<(), String> {
        let metadata = std::fs::symlink_metadata(&file.canonical)
            .map_err(|error| format!("cannot be read: {}", write::reason(&error)))?;
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        let original: Rc<[u8]> = original.into();
        self.journal.add(&file.canonical, &original);
        self.held.push(Held {
            shown: file.path.clone(),
            path: file.canonical.clone(),
            stamp,
            now: Rc::clone(&original),
            passing: Rc::clone(&original),
            original,
            modified,
            latest: seconds(modified),
            other_links: 0,
        });
        Ok(())
    }

    /// What a file held before.
    pub fn original(&self, number: usize) -> Rc<[u8]> {
        Rc::clone(&self.held[number].original)
    }

    /// Whether the file holds what it did.
    pub fn is_original(&self, number: usize) -> bool {
        let Held { now, original, .. } = &self.held[number];
        now == original
    }

    /// How many other names a file has that keep the old content.
    pub fn other_links(&self, number: usize) -> u64 {
        self.held[number].other_links
    }

    /// Makes the files hold this, each by its number.
    pub fn put(&mut self, wanted: &[Rc<[u8]>]) -> Result<(), Trouble> {
        let differs = |(number, content): &(usize, &Rc<[u8]>)| self.held[*number].now != **content;
        let changes: Vec<(usize, &Rc<[u8]>)> = wanted.iter().enumerate().filter(differs).collect();
        if changes.is_empty() {
            return Ok(());
        }
        for (number, content) in &changes {
            self.journal.will_write(*number, content);
        }
        // First, so that whatever is found later on the disk is known.
        self.journal.save().map_err(Trouble::Journal)?;
        for (number, content) in changes {
            self.held[number].write(content)?;
        }
        Ok(())
    }

    /// Whether all files are as they were left.
    pub fn check(&self) -> Result<(), Trouble> {
        match self.held.iter().find(|held| !held.is_ours()) {
            Some(held) => Err(Trouble::Changed(held.shown.clone())),
            None => Ok(()),
        }
    }

    /// Notes that the state passed.
    pub fn passed(&mut self) -> Result<(), Trouble> {
        for (number, held) in self.held.iter_mut().enumerate() {
            if held.passing != held.now {
                held.passing = Rc::clone(&held.now);
                self.journal.passed(number, &held.now);
            }
        }
        self.journal.save().map_err(Trouble::Journal)
    }

    /// Puts back the last state that passed. Gives what could not be, with the reasons.
    pub fn put_back(&mut self) -> Vec<(PathBuf, String)> {
        let mut problems = Vec::new();
        for held in &mut self.held {
            if held.now == held.passing {
                continue;
            }
            let passing = Rc::clone(&held.passing);
            let problem = match held.write(&passing) {
                Ok(()) => continue,
                Err(Trouble::Unwritable(_, reason) | Trouble::Journal(reason)) => reason,
                Err(Trouble::Changed(_)) => {
                    "changed meanwhile, and was left alone: look at it".to_string()
                }
            };
            problems.push((held.shown.clone(), problem));
        }
        problems
    }

    /// Takes the journal away: all files are as they are to be.
    pub fn close(&mut self) {
        self.journal.close();
    }

    /// How many files hold something else than before.
    pub fn changed(&self) -> usize {
        let count = self.held.iter().filter(|held| held.now != held.original);
        count.count()
    }
}

impl Held {
    fn is_ours(&self) -> bool {
        Stamp::of(&self.path).is_ok_and(|stamp| stamp == self.stamp)
            && write::holds(&self.path, &self.now)
    }

    fn write(&mut self, content: &Rc<[u8]>) -> Result<(), Trouble> {
        if !self.is_ours() {
            return Err(Trouble::Changed(self.shown.clone()));
        }
        // CPython takes a `.pyc` for that of a source which has the same size and was modified in
        // the same second. Each text therefore gets a second of its own, however fast the runs
        // follow each other; the original keeps its time, as what is made of it goes with it.
        let (modified, latest) = if *content == self.original {
            (self.modified, self.latest)
        } else {
            let latest = seconds(SystemTime::now()).max(self.latest + 1);
            (UNIX_EPOCH + Duration::from_secs(latest), latest)
        };
        let written =
            write::replace_as_of(Some(modified), &self.path, self.stamp, &self.now, content)
                .map_err(|reason| Trouble::Unwritable(self.shown.clone(), reason))?;
        self.now = Rc::clone(content);
        self.latest = latest;
        self.other_links = self.other_links.max(written.other_links);
        self.stamp = Stamp::of(&self.path)
            .map_err(|error| Trouble::Unwritable(self.shown.clone(), write::reason(&error)))?;
        Ok(())
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
