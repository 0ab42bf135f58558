//! Verifying from the first run to the last, and what is said where it ends before.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::command::{self, Ended, Ran, shown};
use super::journal::Journal;
use super::progress::Progress;
use super::rewriting::{Fixed, Rewriting};
use super::search::{Found, Search};
use super::tree::{Tree, Trouble};
use super::units::Fixes;
use super::verdict::{self, Base};
use super::{Done, Kind, Stopped, Verified, interrupt, quoted};
use crate::plan::{Plan, Verify};
use crate::report::summary;
use crate::report::{self, Breakage, Failure, TakenBack};
use crate::run::Analysed;
use crate::write;

/// Verifying the fixes of a run.
pub struct Session<'s, 'r, 'a> {
    wanted: &'s Verify,
    /// The command in sentences.
    quoted: String,
    rewriting: Rewriting<'r, 'a>,
    tree: Tree,
    /// The files of the tree, in its order.
    files: Vec<Fixed<'a>>,
    /// Those that cannot be written.
    unwritable: BTreeSet<usize>,
    progress: Progress,
    runs: usize,
    /// How long a run may take.
    limit: Option<Duration>,
}

/// Why it does not go on.
enum Stop {
    Interrupted,
    Trouble(Stopped),
}

/// What a run of the command said against what was applied.
struct Failed {
    verdict: verdict::Failure,
    tail: Vec<String>,
}

/// What is applied: groups by file.
type State = BTreeMap<usize, BTreeSet<usize>>;

impl<'s, 'r, 'a> Session<'s, 'r, 'a> {
    pub fn new(
        plan: &Plan,
        wanted: &'s Verify,
        journal: Journal,
        rewriting: Rewriting<'r, 'a>,
    ) -> Self {
        Self {
            wanted,
            quoted: quoted(&wanted.command),
            rewriting,
            tree: Tree::new(journal),
            files: Vec::new(),
            unwritable: BTreeSet::new(),
            progress: Progress::new(plan.verbosity, wanted.runs),
            runs: 0,
            limit: wanted.timeout,
        }
    }

    pub fn run(mut self, analysed: Vec<Analysed<'a>>) -> Result<Verified<'a>> {
        let mut done = Done::default();
        for analysed in analysed {
            match self.take(analysed) {
                Ok(()) => {}
                Err((analysed, problem)) => {
                    let path = &analysed.file.path;
                    done.failures
                        .extend(problem.map(|it| Failure::unwritten(path, it)));
                    done.analysed.push(*analysed);
                }
            }
        }
        if self.files.is_empty() {
            return Ok(Verified::Done(done));
        }
        interrupt::watch().map_err(|error| anyhow!("signals cannot be waited for: {error}"))?;
        match self.verified(&mut done) {
            Ok(()) => {
                done.analysed
                    .sort_by(|one, other| one.file.path.cmp(&other.file.path));
                Ok(Verified::Done(done))
            }
            Err(stop) => self.stopped(stop),
        }
    }

    /// Takes in a file that is to be fixed; gives back another, and why it cannot be fixed.
    fn take(&mut self, analysed: Analysed<'a>) -> Result<(), (Box<Analysed<'a>>, Option<String>)> {
        let Analysed {
            file,
            stamp: Some(stamp),
            source,
            after: Some(_),
            ..
        } = &analysed
        else {
            return Err((Box::new(analysed), None));
        };
        // Decoding is refused where this would not give the file's own bytes.
        let added = match source.encode(&source.text) {
            Ok(before) => self.tree.add(file, *stamp, before),
            Err(error) => Err(error.message),
        };
        match added {
            Ok(()) => {
                self.files.push(Fixed::new(analysed));
                Ok(())
            }
            Err(problem) => Err((Box::new(analysed), Some(problem))),
        }
    }

    /// Tries until the files hold what passes.
    fn verified(&mut self, done: &mut Done<'a>) -> Result<(), Stop> {
        let base = self.base()?;
        self.put_all(done)?;
        let Searched {
            mut found,
            culprits,
            is_used_up,
            last_passed,
        } = self.search(&base)?;
        let mut undecided = TakenBack::of(format!(
            "whether {} passes with it was not known when the {} of --verify-runs were used up",
            self.quoted,
            summary::plural(self.wanted.runs, "run")
        ));
        let mut stays = state(&found.passing);
        if is_used_up {
            self.put(&stays)?;
        } else if !stays.is_empty() && last_passed.as_ref() != Some(&stays) {
            // It passed before something else was tried, which may have left something behind.
            let what = format!("once more {}", self.described(&stays)?);
            if let Err(failed) = self.attempt(&base, &stays, &what)? {
                undecided = TakenBack::of(format!(
                    "{} is not stable: it passed with this, and then failed: {}",
                    self.quoted,
                    failed.verdict.said(NAMES)
                ));
                found.undecided.append(&mut found.passing);
                found.is_unstable = true;
                stays.clear();
                self.put(&stays)?;
            }
        } else {
            self.put(&stays)?;
        }
        self.tree.passed()?;
        self.tree.close();
        self.conclude(done, &base, found, culprits, &undecided)
    }

    /// Runs the command before any fix.
    fn base(&mut self) -> Result<Base, Stop> {
        let what = "before any fix";
        let ran = self.command(what)?;
        let base = Base::of(&ran);
        let failed = match &base {
            Some(base) => {
                (base.failures() > 0).then(|| format!("known from here on: {}", said(&ran)))
            }
            None => Some(ran.ended.to_string()),
        };
        self.progress
            .end(self.runs, what, ran.took, failed.as_deref());
        self.tree.check()?;
        let ten = ran.took.saturating_mul(10);
        self.limit = Some(self.wanted.timeout.unwrap_or(ten.max(SHORTEST)));
        let Some(base) = base else {
            for line in &ran.printed.tail {
                report::line(&format!("  | {line}"));
            }
            let quoted = &self.quoted;
            let kind = match ran.ended {
                Ended::Late(_) => Kind::Late,
                _ => Kind::Tests,
            };
            let message = match ran.ended {
                Ended::Late(limit) => format!(
                    "{quoted} was not done after {}, before any fix: raise --verify-timeout",
                    shown(limit)
                ),
                Ended::Status(127) => format!(
                    "{quoted} cannot be run (exit status 127): the shell does not find it, or what \
                     it runs"
                ),
                _ if ran.printed.is_cut => format!(
                    "{quoted} stops at a failure before any fix, so that not all tests run: let \
                     pytest go on (no -x, and --continue-on-collection-errors), or make it pass \
                     first"
                ),
                ended => format!(
                    "{quoted} fails before any fix ({ended}), and names no failing test as pytest \
                     and unittest do, so that new failures cannot be told from old ones: make it \
                     pass first"
                ),
            };
            return Err(Stop::Trouble(Stopped { kind, message }));
        };
        Ok(base)
    }

    /// Writes all fixes. What cannot be written is left out, and said.
    fn put_all(&mut self, done: &mut Done<'a>) -> Result<(), Stop> {
        loop {
            let all = (0..self.files.len())
                .filter(|file| !self.unwritable.contains(file))
                .map(|file| (file, self.files[file].groups().into_iter().collect()));
            let all: State = all.collect();
            let contents = self.contents(&all)?;
            match self.tree.put(&contents) {
                Ok(()) => return Ok(()),
                Err(Trouble::Unwritable(path, reason)) => {
                    done.failures.push(Failure::unwritten(&path, reason));
                    let mut files = self.files.iter();
                    if let Some(number) = files.position(|it| it.file().path == path) {
                        self.unwritable.insert(number);
                    }
                }
                Err(trouble) => return Err(trouble.into()),
            }
        }
    }

    /// Looks for the fixes that break the command. All fixes are on the disk.
    fn search(&mut self, base: &Base) -> Result<Searched, Stop> {
        let units = (0..self.files.len())
            .filter(|file| !self.unwritable.contains(file))
            .map(|file| Fixes {
                file,
                groups: self.files[file].groups(),
            });
        let mut search = Search::new(units.collect());
        let mut culprits = Vec::new();
        let mut last_passed = None;
        let mut last_failed = None;
        let mut is_used_up = false;
        while let Some(tried) = search.next() {
            is_used_up = self.runs >= self.wanted.runs;
            if is_used_up {
                break;
            }
            let state = state(&tried);
            let mut what = self.described(&state)?;
            if search.confirms() {
                what = format!("once more {what}");
            }
            match self.attempt(base, &state, &what)? {
                Ok(()) => {
                    search.passed();
                    last_passed = Some(state);
                }
                Err(failed) => {
                    search.failed();
                    last_failed = Some(failed);
                    last_passed = None;
                }
            }
            // The last run that failed is the one that ended in the culprit.
            if search.culprits().len() > culprits.len()
                && let Some(failed) = &last_failed
            {
                culprits.push(self.blame(failed));
            }
        }
        Ok(Searched {
            found: search.found(),
            culprits,
            is_used_up,
            last_passed,
        })
    }

    /// Makes a state, and runs the command on it.
    fn attempt(
        &mut self,
        base: &Base,
        state: &State,
        what: &str,
    ) -> Result<Result<(), Failed>, Stop> {
        self.put(state)?;
        let ran = self.command(what)?;
        let judged = base.judge(&ran);
        let failed = judged.as_ref().err().map(|failure| failure.said(NAMES));
        self.progress
            .end(self.runs, what, ran.took, failed.as_deref());
        // A run on files that somebody changed says nothing of ours.
        self.tree.check()?;
        match judged {
            Ok(()) => {
                self.tree.passed()?;
                Ok(Ok(()))
            }
            Err(verdict) => Ok(Err(Failed {
                verdict,
                tail: ran.printed.tail,
            })),
        }
    }

    fn put(&mut self, state: &State) -> Result<(), Stop> {
        let contents = self.contents(state)?;
        Ok(self.tree.put(&contents)?)
    }

    /// What each file holds in a state.
    fn contents(&mut self, state: &State) -> Result<Vec<Rc<[u8]>>, Stop> {
        let none = BTreeSet::new();
        let mut contents = Vec::new();
        for (number, file) in self.files.iter_mut().enumerate() {
            let groups = state.get(&number).unwrap_or(&none);
            let fixed = file
                .by(groups, &mut self.rewriting)
                .map_err(|failure| Stop::Trouble(Stopped::other(failure.to_string())))?;
            contents.push(match fixed.and_then(|it| it.after.as_deref()) {
                Some(bytes) => bytes.into(),
                None => self.tree.original(number),
            });
        }
        Ok(contents)
    }

    /// Runs the command.
    fn command(&mut self, what: &str) -> Result<Ran, Stop> {
        if interrupt::is_wanted() {
            return Err(Stop::Interrupted);
        }
        self.runs += 1;
        self.progress.begin(self.runs, what, self.limit);
        let ran = command::run(&self.wanted.command, self.limit);
        self.progress.clear();
        let ran = ran.map_err(|error| {
            let why = write::reason(&error);
            Stop::Trouble(Stopped::other(format!(
                "{} cannot be run: {why}",
                self.quoted
            )))
        })?;
        match ran.ended {
            Ended::Interrupted => Err(Stop::Interrupted),
            _ => Ok(ran),
        }
    }

    /// `with 7 fixes in 3 files`: as many as the summary counts, with those that others bring up.
    fn described(&mut self, state: &State) -> Result<String, Stop> {
        let mut fixes = 0;
        for (file, groups) in state {
            let rewritten = self.files[*file]
                .by(groups, &mut self.rewriting)
                .map_err(|failure| Stop::Trouble(Stopped::other(failure.to_string())))?;
            let applied = rewritten.iter().flat_map(|it| &it.rewritten.applied);
            fixes += applied.map(|applied| applied.fixes).sum::<usize>();
        }
        let fixes = match fixes {
            1 => "1 fix".to_string(),
            count => format!("{count} fixes"),
        };
        Ok(format!(
            "with {fixes} in {}",
            summary::plural(state.len(), "file")
        ))
    }

    fn blame(&self, failed: &Failed) -> TakenBack {
        let Failed { verdict, tail } = failed;
        let newly = if verdict.failed.is_empty() {
            ""
        } else {
            "newly "
        };
        let said = verdict.said(NAMES);
        TakenBack {
            reason: format!("{} {newly}fails with it: {said}", self.quoted),
            breakage: Some(Breakage {
                command: self.wanted.command.clone(),
                ended: verdict.ended.to_string(),
                failed: verdict.failed.clone(),
                output: tail.clone(),
            }),
        }
    }

    /// Says of each file what became of it.
    fn conclude(
        &mut self,
        done: &mut Done<'a>,
        base: &Base,
        found: Found<Fixes>,
        culprits: Vec<TakenBack>,
        undecided: &TakenBack,
    ) -> Result<(), Stop> {
        let mut summary = summary::Verified {
            command: self.quoted.clone(),
            runs: self.runs,
            failing: base.failures(),
            is_unstable: found.is_unstable,
            ..summary::Verified::default()
        };
        let mut back: BTreeMap<usize, Vec<(usize, TakenBack)>> = BTreeMap::new();
        let culprits = found.culprits.into_iter().zip(culprits);
        for (Fixes { file, groups }, reason) in culprits {
            summary.culprits += self.files[file].findings(&groups);
            let groups = groups.into_iter().map(|group| (group, reason.clone()));
            back.entry(file).or_default().extend(groups);
        }
        for Fixes { file, groups } in found.undecided {
            summary.undecided += self.files[file].findings(&groups);
            let groups = groups.into_iter().map(|group| (group, undecided.clone()));
            back.entry(file).or_default().extend(groups);
        }
        for (number, file) in std::mem::take(&mut self.files).into_iter().enumerate() {
            let back = back.remove(&number).unwrap_or_default();
            let mut analysed = file
                .into_final(back, &mut self.rewriting)
                .map_err(|failure| Stop::Trouble(Stopped::other(failure.to_string())))?;
            analysed.written = !self.tree.is_original(number);
            if analysed.written && self.tree.other_links(number) > 0 {
                done.notes.push(write::linked(&analysed.file.path));
            }
            done.analysed.push(analysed);
        }
        done.summary = Some(summary);
        Ok(())
    }

    /// Puts back what passed last, and says so.
    fn stopped(mut self, stop: Stop) -> Result<Verified<'a>> {
        self.progress.clear();
        let problems = self.tree.put_back();
        for (path, problem) in &problems {
            report::line(&format!("{}: {problem}", path.display()));
        }
        if problems.is_empty() {
            self.tree.close();
        }
        let left = match self.tree.changed() {
            0 => "all files are as they were".to_string(),
            count => format!(
                "{} {} the fixes with which {} passed last, and all else is as it was",
                summary::plural(count, "file"),
                if count == 1 { "holds" } else { "hold" },
                self.quoted
            ),
        };
        match stop {
            Stop::Interrupted => {
                report::line(&format!("interrupted: {left}"));
                Ok(Verified::Interrupted)
            }
            Stop::Trouble(Stopped { kind, message }) => {
                let message = format!("{message}; {left}");
                Err(Stopped { kind, message }.into())
            }
        }
    }
}

/// What a search came to.
struct Searched {
    found: Found<Fixes>,
    /// Why each of the culprits is taken back.
    culprits: Vec<TakenBack>,
    is_used_up: bool,
    /// What was tried last, if it passed.
    last_passed: Option<State>,
}

/// So many tests are named in a line.
const NAMES: usize = 2;

/// No run is ended before it took so long, unless `--verify-timeout` says so.
const SHORTEST: Duration = Duration::from_mins(1);

fn state(units: &[Fixes]) -> State {
    let mut state = State::new();
    for Fixes { file, groups } in units {
        state.entry(*file).or_default().extend(groups);
    }
    state
}

/// The tests that failed in a run.
fn said(ran: &Ran) -> String {
    let failure = verdict::Failure {
        ended: ran.ended,
        failed: ran.printed.failed.iter().cloned().collect(),
    };
    failure.said(NAMES)
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        let kind = match trouble {
            Trouble::Changed(_) => Kind::Changed,
            Trouble::Unwritable(..) | Trouble::Journal(_) => Kind::Other,
        };
        let message = match trouble {
            Trouble::Changed(path) => format!(
                "{} changed meanwhile, by the command or by somebody else, and was left alone",
                path.display()
            ),
            Trouble::Unwritable(path, reason) => format!("{}: {reason}", path.display()),
            Trouble::Journal(problem) => format!("the journal cannot be written: {problem}"),
        };
        Self::Trouble(Stopped { kind, message })
    }
}
