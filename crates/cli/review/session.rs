//! The review itself: which finding is next, and what becomes of it. It knows no terminal; whom it
//! asks is a [`Person`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;

use anyhow::Result;
use edit::Applicability;
use engine::{Finding, Outcome, Silence};

use super::choice::Choice;
use super::file::{Item, Open, State};
use super::hunks;
use super::rewriting::{Fixed, Looked, Rewriting};
use super::state::Refused;
use super::view::View;
use crate::admission::Filter;
use crate::report::{Failure, Place};
use crate::run::{self, Analysed, Around};
use crate::since::Changes;
use crate::source::{Source, read_into};
use crate::walk::{File, Files};
use crate::write::Stamp;

/// Whoever decides.
pub trait Person {
    /// Shows a fix, and waits for what is to become of it.
    fn ask(&mut self, view: &View<'_>) -> io::Result<Answer>;
    /// Lets the person edit a text. The error says why that could not be.
    fn edit(&mut self, text: &str) -> Result<String, String>;
    /// Asks what is answered by yes or no.
    fn confirm(&mut self, question: &str) -> io::Result<bool>;
    /// Tells something.
    fn say(&mut self, text: &str) -> io::Result<()>;
}

/// What is to become of a fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is applied.
    Accept,
    /// It is not, and not asked again.
    Refuse,
    /// It is applied, and so are all of its codemod that are no less safe.
    AcceptAll,
    /// It is refused, and so are all of its codemod.
    RefuseAll,
    /// What it writes is edited, and then applied.
    Edit,
    /// The finding gets a comment that silences it, with this reason.
    Silence(String),
    /// The last decision is taken back.
    Undo,
    /// The review ends.
    Quit,
}

/// What a review did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    pub fixed: usize,
    /// Of those that were fixed.
    pub edited: usize,
    pub silenced: usize,
    pub refused: usize,
}

/// A review of the files of a run.
pub struct Session<'r, 'a> {
    around: Around<'r, 'a>,
    rewriting: Rewriting<'r, 'a>,
    refused: Refused,
    /// Whether refusals cannot be kept, which was said.
    is_forgetful: bool,
    /// Files with findings, by path.
    open: Vec<Open<'a>>,
    /// The codemods of which all fixes up to an applicability are wanted.
    all_of: HashMap<&'static str, Applicability>,
    /// Those of which none is.
    none_of: HashSet<&'static str>,
    history: Vec<Decision<'a>>,
    done: Done,
    /// What went wrong.
    pub failures: Vec<Failure>,
}

/// What is taken back at once.
struct Decision<'a> {
    /// The files that it changed something in, as they were before.
    before: Vec<(usize, Open<'a>)>,
    all_of: HashMap<&'static str, Applicability>,
    none_of: HashSet<&'static str>,
    done: Done,
    /// In words.
    what: String,
}

impl<'r, 'a> Session<'r, 'a> {
    /// For the files that something was found in. `refused` are the findings that were refused
    /// before.
    pub fn new(
        files: Files<'a>,
        around: Around<'r, 'a>,
        pool: &'r rayon::ThreadPool,
        analysed: Vec<Analysed<'a>>,
        refused: Refused,
    ) -> Self {
        let mut session = Self {
            around,
            rewriting: Rewriting::new(files, around, pool),
            refused,
            is_forgetful: false,
            open: Vec::new(),
            all_of: HashMap::new(),
            none_of: HashSet::new(),
            history: Vec::new(),
            done: Done::default(),
            failures: Vec::new(),
        };
        for analysed in analysed {
            let Analysed {
                file,
                stamp,
                source,
                rewritten,
                ..
            } = analysed;
            let Some(stamp) = stamp else {
                continue;
            };
            let mut open = Open {
                file,
                stamp,
                source,
                items: Vec::new(),
            };
            let filter = around.filter(file);
            let found = if filter.is_open() {
                Ok(counting(rewritten.findings))
            } else {
                session.rewriting.listed(&open, filter)
            };
            match found {
                Ok(found) => open = session.opened(file, open.stamp, open.source, found),
                Err(failure) => session.failures.push(failure),
            }
            session.open.push(open);
        }
        session
    }

    /// Asks until nothing is left to ask, or the person wants no more.
    pub fn run(&mut self, person: &mut impl Person) -> Result<()> {
        loop {
            self.apply_rules(person)?;
            let Some((at, index)) = self.next() else {
                return Ok(());
            };
            if !self.open[at].is_current() {
                self.read_again(at, person)?;
                continue;
            }
            let Open { source, items, .. } = &self.open[at];
            let (text, finding) = (source.text.clone(), items[index].finding.clone());
            let Some(fix) = self.fix(at, &Choice::One(&text, &finding), person)? else {
                self.open[at].items[index].state = State::Left;
                continue;
            };
            let answer = person.ask(&self.view(at, &finding, &fix))?;
            self.around.meaning.restart();
            match answer {
                Answer::Accept => {
                    let done = Done {
                        fixed: self.done.fixed + 1,
                        ..self.done
                    };
                    self.decide(&format!("the fix in {}", self.shown(at)));
                    self.apply(at, fix, done, person)?;
                }
                Answer::Edit => self.edit(at, &fix, person)?,
                Answer::Silence(reason) => self.silence(at, &finding, &reason, person)?,
                Answer::Refuse => {
                    self.decide(&format!("the refusal in {}", self.shown(at)));
                    self.refuse(at, |item| {
                        item.finding.range == finding.range && item.is_of(&finding)
                    });
                    self.remember(at, person)?;
                }
                Answer::AcceptAll => {
                    let codemod = finding.codemod.name;
                    self.decide(&format!("all fixes of {codemod}"));
                    self.all_of.insert(codemod, fix.applicability);
                }
                Answer::RefuseAll => {
                    let codemod = finding.codemod.name;
                    self.decide(&format!("all refusals of {codemod}"));
                    self.none_of.insert(codemod);
                }
                Answer::Undo => self.undo(person)?,
                Answer::Quit => return Ok(()),
            }
        }
    }

    /// What was done.
    pub fn done(&self) -> Done {
        self.done
    }

    /// The findings that are still there.
    pub fn left(self) -> Vec<Open<'a>> {
        self.open
    }

    /// The first finding that is to be asked about.
    fn next(&self) -> Option<(usize, usize)> {
        let of = |(at, open): (usize, &Open)| {
            let is_open = |item: &Item| item.state == State::Open;
            Some((at, open.items.iter().position(is_open)?))
        };
        self.open.iter().enumerate().find_map(of)
    }

    fn view<'v>(&'v self, at: usize, finding: &'v Finding, fix: &'v Fixed) -> View<'v> {
        let Open { source, .. } = &self.open[at];
        let decided = self.done.fixed + self.done.silenced + self.done.refused;
        let open = self.open.iter().flat_map(|open| &open.items);
        let open = open.filter(|item| item.state == State::Open).count();
        let text = &source.text;
        let place = Place::of(source, text, finding.range.start);
        View {
            number: decided + 1,
            total: decided + open,
            place: format!("{}:{place}", self.shown(at)),
            finding,
            applicability: fix.applicability,
            before: text,
            after: &fix.text,
        }
    }

    fn shown(&self, at: usize) -> String {
        self.open[at].file.path.display().to_string()
    }

    /// The findings of a file that was read, each with whether it counts, and what was decided on
    /// them before.
    fn opened(
        &self,
        file: &'a File,
        stamp: Stamp,
        source: Source,
        findings: Vec<(Finding, bool)>,
    ) -> Open<'a> {
        let all: Vec<&Finding> = findings.iter().map(|(finding, _)| finding).collect();
        let refused = self.refused.are(&file.canonical, &source.text, &all);
        let apply = file.folder.module.apply;
        let item = |((finding, counts), refused): ((Finding, bool), bool)| {
            let state = match &finding.outcome {
                _ if !counts => State::Known,
                Outcome::Fix(fix) if fix.applicability <= apply && refused => State::Refused,
                Outcome::Fix(fix) if fix.applicability <= apply => State::Open,
                Outcome::Fix(_) | Outcome::Withheld(_) => State::Left,
            };
            Item { finding, state }
        };
        let items = findings.into_iter().zip(refused).map(item).collect();
        Open {
            file,
            stamp,
            source,
            items,
        }
    }

    /// Starts a decision, which what follows belongs to.
    fn decide(&mut self, what: &str) {
        self.history.push(Decision {
            before: Vec::new(),
            all_of: self.all_of.clone(),
            none_of: self.none_of.clone(),
            done: self.done,
            what: what.to_string(),
        });
    }

    /// Notes how the file is, once for a decision.
    fn note(&mut self, at: usize) {
        if let Some(decision) = self.history.last_mut()
            && !decision.before.iter().any(|(known, _)| *known == at)
        {
            decision.before.push((at, self.open[at].clone()));
        }
    }

    /// Refuses what is open in a file and as it is asked for.
    fn refuse(&mut self, at: usize, which: impl Fn(&Item) -> bool) {
        self.note(at);
        for item in &mut self.open[at].items {
            if item.state == State::Open && which(item) {
                item.state = State::Refused;
                self.done.refused += 1;
            }
        }
    }

    /// Writes down what is refused in a file.
    fn remember(&mut self, at: usize, person: &mut impl Person) -> Result<()> {
        let Open {
            file,
            source,
            items,
            ..
        } = &self.open[at];
        let findings: Vec<(&Finding, bool)> = items
            .iter()
            .map(|item| (&item.finding, item.state == State::Refused))
            .collect();
        let ran = file.folder.codemods();
        self.refused
            .keep(&file.canonical, &source.text, &findings, ran);
        if let Err(problem) = self.refused.save()
            && !std::mem::replace(&mut self.is_forgetful, true)
        {
            person.say(&format!("What is refused will be asked again: {problem}"))?;
        }
        Ok(())
    }

    /// Does what was decided for all fixes of a codemod to what there is of it.
    fn apply_rules(&mut self, person: &mut impl Person) -> Result<()> {
        if self.all_of.is_empty() && self.none_of.is_empty() {
            return Ok(());
        }
        let (mut applied, mut refusals): (BTreeMap<&str, usize>, usize) = Default::default();
        let mut changed = BTreeSet::new();
        for at in 0..self.open.len() {
            let before = self.done.refused;
            let none_of = self.none_of.clone();
            let is_unwanted = |item: &Item| none_of.contains(item.finding.codemod.name);
            if self.open[at]
                .items
                .iter()
                .any(|item| item.state == State::Open && is_unwanted(item))
            {
                self.refuse(at, is_unwanted);
                self.remember(at, person)?;
                refusals += self.done.refused - before;
            }
            let rules: Vec<(&'static str, Applicability)> = self
                .all_of
                .iter()
                .map(|(name, most)| (*name, *most))
                .collect();
            for (codemod, most) in rules {
                while self.open[at].has(codemod, most) {
                    if !self.open[at].is_current() {
                        self.read_again(at, person)?;
                        continue;
                    }
                    let choice = self.open[at].choice(codemod, most);
                    let fix = self.fix(at, &choice, person)?;
                    let Some(fix) = fix else {
                        self.open[at].leave(codemod, most);
                        continue;
                    };
                    let count = fix.fixes;
                    let done = Done {
                        fixed: self.done.fixed + count,
                        ..self.done
                    };
                    if self.apply(at, fix, done, person)? {
                        *applied.entry(codemod).or_insert(0) += count;
                        changed.insert(at);
                    }
                }
            }
        }
        for (codemod, count) in applied {
            let count = counted(count, "fix", "fixes");
            let places = counted(changed.len(), "file", "files");
            person.say(&format!("{count} of {codemod} in {places} applied."))?;
        }
        if refusals > 0 {
            person.say(&format!(
                "{} refused.",
                counted(refusals, "finding", "findings")
            ))?;
        }
        Ok(())
    }

    /// What a file becomes by the fixes that are chosen; none where they cannot be applied, which
    /// was said then.
    fn fix(
        &mut self,
        at: usize,
        choice: &Choice,
        person: &mut impl Person,
    ) -> Result<Option<Fixed>> {
        match self.rewriting.fixed(&self.open[at], choice) {
            Ok(Looked { analysed, found }) => {
                for problem in analysed.faults().collect::<Vec<_>>() {
                    self.fail(problem, person)?;
                }
                let applied = &analysed.rewritten.applied;
                let fixes = applied.iter().map(|applied| applied.fixes).sum();
                let applicability = applied.iter().map(|applied| applied.applicability).max();
                let Analysed {
                    rewritten, after, ..
                } = analysed;
                let (Some(text), Some(bytes), Some(applicability)) =
                    (rewritten.output, after, applicability)
                else {
                    return Ok(None);
                };
                Ok(Some(Fixed {
                    text,
                    bytes,
                    fixes,
                    applicability,
                    found,
                }))
            }
            Err(failure) => {
                self.fail(failure, person)?;
                Ok(None)
            }
        }
    }

    /// Writes a file. What was decided on the findings that are still there stays decided. Says
    /// whether it could be written; if not, that was said.
    fn apply(
        &mut self,
        at: usize,
        fix: Fixed,
        done: Done,
        person: &mut impl Person,
    ) -> Result<bool> {
        self.note(at);
        let Fixed {
            text, bytes, found, ..
        } = fix;
        match self.open[at].write(&bytes) {
            Ok(stamp) => {
                let before = self.open[at].clone();
                let findings = found.iter().map(|(finding, _)| finding.clone()).collect();
                let findings = counting(findings);
                // A notebook's cells are where they are written now.
                let source = match run::decode(before.file, bytes) {
                    Ok(Some(source)) => source,
                    _ => Source {
                        text,
                        ..before.source.clone()
                    },
                };
                let mut open = self.opened(before.file, stamp, source, findings);
                for (item, (_, origin)) in open.items.iter_mut().zip(&found) {
                    let known = before.state_of(&item.finding, origin);
                    if known == Some(State::Known) {
                        item.state = State::Known;
                    // One that has a fix now is asked about.
                    } else if let (Some(known), false) = (known, item.state == State::Left) {
                        let asked = matches!(known, State::Refused | State::Open);
                        item.state = if asked { known } else { State::Open };
                    }
                }
                self.open[at] = open;
                self.done = done;
                self.remember(at, person)?;
                Ok(true)
            }
            Err(problem) => {
                self.lost(at, problem, person)?;
                Ok(false)
            }
        }
    }

    /// What cannot be written is left; what was changed meanwhile is read again.
    fn lost(&mut self, at: usize, problem: String, person: &mut impl Person) -> Result<()> {
        if !self.open[at].is_current() {
            return self.read_again(at, person);
        }
        self.fail(
            Failure::unwritten(&self.open[at].file.path, problem),
            person,
        )?;
        for item in &mut self.open[at].items {
            if item.state == State::Open {
                item.state = State::Left;
            }
        }
        Ok(())
    }

    /// Reads a file that something else changed, and says so.
    fn read_again(&mut self, at: usize, person: &mut impl Person) -> Result<()> {
        person.say(&format!(
            "{} was changed by another program, and is read again.",
            self.shown(at)
        ))?;
        self.read_into_place(at, person)
    }

    /// Takes the file as it is on the disk; what went wrong is said.
    fn read_into_place(&mut self, at: usize, person: &mut impl Person) -> Result<()> {
        match self.read(self.open[at].file) {
            Ok(open) => self.open[at] = open,
            Err(failure) => {
                self.fail(failure, person)?;
                self.open[at].items.clear();
            }
        }
        Ok(())
    }

    /// The file as it is on the disk.
    fn read(&self, file: &'a File) -> Result<Open<'a>, Failure> {
        let mut bytes = Vec::new();
        let metadata = read_into(&file.canonical, &mut bytes)
            .map_err(|error| Failure::io(&file.path, "read", &error))?;
        let Some(source) = run::decode(file, bytes)? else {
            return Err(Failure::new(&file.path, "is no Python any more"));
        };
        let open = Open {
            file,
            stamp: Stamp::new(&metadata),
            source,
            items: Vec::new(),
        };
        let now; // what git says of the file as it is
        let mut lines = None;
        if let Some(Changes { revision, .. }) = self.around.changes {
            now = Changes::since(revision, std::slice::from_ref(file))
                .map_err(|error| Failure::new(&file.path, format!("{error:#}")))?;
            lines = now.of(file);
            if lines.is_none() {
                return Ok(open);
            }
        }
        let filter = Filter::new(self.around.baselines.of(file), lines);
        let listed = self.rewriting.listed(&open, filter)?;
        Ok(self.opened(file, open.stamp, open.source, listed))
    }

    /// Keeps what went wrong for the end, where it is counted, and says it now.
    fn fail(&mut self, failure: Failure, person: &mut impl Person) -> Result<()> {
        person.say(&failure.to_string())?;
        self.failures.push(failure);
        Ok(())
    }

    /// Lets the person edit what a fix writes, as often as it takes.
    fn edit(&mut self, at: usize, fix: &Fixed, person: &mut impl Person) -> Result<()> {
        let before = self.open[at].source.text.clone();
        let mut text = hunks::to_edit(&self.shown(at), &before, &fix.text);
        loop {
            let problem = match person.edit(&text) {
                Err(problem) => return Ok(person.say(&format!("{problem}."))?),
                Ok(edited) => {
                    text = edited;
                    match hunks::edited(&before, &fix.text, &text) {
                        Ok(None) => {
                            return Ok(person.say("Nothing is left of it: nothing is changed.")?);
                        }
                        Ok(Some(after)) => match self.edited(at, after) {
                            Ok(edited) => {
                                let done = Done {
                                    fixed: self.done.fixed + 1,
                                    edited: self.done.edited + 1,
                                    ..self.done
                                };
                                self.decide(&format!("the edited fix in {}", self.shown(at)));
                                let is_filtered = !self.around.filter(self.open[at].file).is_open();
                                if self.apply(at, edited, done, person)? && is_filtered {
                                    // Where a finding comes from is not known any more.
                                    self.read_into_place(at, person)?;
                                }
                                return Ok(());
                            }
                            Err(failure) => failure.to_string(),
                        },
                        Err(problem) => problem,
                    }
                }
            };
            person.say(&format!("{problem}."))?;
            if !person.confirm("Edit it again")? {
                return Ok(());
            }
        }
    }

    /// The file with a text that the person wrote. The error says why that is no module.
    fn edited(&self, at: usize, text: String) -> Result<Fixed, Failure> {
        let Open { file, source, .. } = &self.open[at];
        let unwritable = |error: crate::source::Unreadable| Failure::new(&file.path, error.message);
        let bytes = source.encode(&text).map_err(unwritable)?;
        let open = &self.open[at];
        let looked = self.rewriting.with(open, &text, &Choice::Nothing, None)?;
        // Where its findings come from is not known any more: what they are known by says which
        // were refused.
        let found = looked
            .found
            .into_iter()
            .map(|(finding, _)| (finding, 0..0))
            .collect();
        Ok(Fixed {
            text,
            bytes,
            fixes: 1,
            applicability: Applicability::Safe,
            found,
        })
    }

    /// Writes a comment that silences the finding.
    fn silence(
        &mut self,
        at: usize,
        finding: &Finding,
        reason: &str,
        person: &mut impl Person,
    ) -> Result<()> {
        let text = self.open[at].source.text.clone();
        let silence = Silence {
            reason: reason.to_string(),
            after_fixes: false,
        };
        let looked = match self.rewriting.with(
            &self.open[at],
            &text,
            &Choice::One(&text, finding),
            Some(silence),
        ) {
            Ok(looked) => looked,
            Err(failure) => return self.fail(failure, person),
        };
        let Looked {
            analysed: Analysed {
                rewritten, after, ..
            },
            found,
        } = looked;
        let (Some(text), Some(bytes)) = (rewritten.output, after) else {
            return Ok(person.say("No comment silences it there.")?);
        };
        let done = Done {
            silenced: self.done.silenced + 1,
            ..self.done
        };
        self.decide(&format!("the comment in {}", self.shown(at)));
        let fixed = Fixed {
            text,
            bytes,
            fixes: 1,
            applicability: Applicability::Safe,
            found,
        };
        self.apply(at, fixed, done, person)?;
        Ok(())
    }

    /// Takes the last decision back, in all files that nobody else changed since.
    fn undo(&mut self, person: &mut impl Person) -> Result<()> {
        let Some(decision) = self.history.pop() else {
            return Ok(person.say("There is nothing to undo.")?);
        };
        self.all_of = decision.all_of;
        self.none_of = decision.none_of;
        self.done = decision.done;
        for (at, before) in decision.before {
            let current = &self.open[at];
            if before.source.text == current.source.text {
                let stamp = current.stamp;
                self.open[at] = Open { stamp, ..before };
            } else {
                let bytes = before.source.encode(&before.source.text);
                let written = bytes
                    .map_err(|error| error.message)
                    .and_then(|bytes| self.open[at].write(&bytes));
                match written {
                    Ok(stamp) => self.open[at] = Open { stamp, ..before },
                    Err(problem) => {
                        let path = self.shown(at);
                        person.say(&format!("In {path} it is not undone."))?;
                        self.lost(at, problem, person)?;
                    }
                }
            }
            self.remember(at, person)?;
        }
        person.say(&format!("Undone: {}.", decision.what))?;
        Ok(())
    }
}

/// Findings that all count.
fn counting(findings: Vec<Finding>) -> Vec<(Finding, bool)> {
    findings
        .into_iter()
        .map(|finding| (finding, true))
        .collect()
}

/// `1 fix`, `2 fixes`.
pub fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
