//! What was done, what came of it, and what failed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use crate::files::Seen;
use crate::laws::{Broken, Run};
use crate::{Input, SLOW};

/// Counts.
#[derive(Default)]
pub struct Tally {
    pub executions: u64,
    parsed: u64,
    rewritten: u64,
    notebooks: u64,
    files: u64,
    /// In how many texts each codemod rewrote something.
    codemods: BTreeMap<&'static str, u64>,
    said: BTreeSet<String>,
    /// How often the engine withheld a fix of a codemod for a comment, and the shortest such text:
    /// where people write comments like that, the codemod should take them along.
    unkept: BTreeMap<&'static str, (u64, String)>,
    slowest: Duration,
    pub failures: Vec<Failure>,
}

/// A law that was broken, and by what.
pub struct Failure {
    pub law: String,
    pub told: String,
    pub input: Input,
    pub run: Run,
}

/// The law without numbers, which differ from text to text.
pub fn kind(law: &str) -> String {
    let line = law.lines().next().unwrap_or_default();
    line.chars().filter(|it| !it.is_ascii_digit()).collect()
}

impl Tally {
    /// Counts what was seen; whether something was said for the first time.
    pub fn count(&mut self, input: &Input, seen: &Seen, took: Duration) -> bool {
        self.executions += 1;
        match input {
            Input::Module(_) => {}
            Input::File(_, true) => self.notebooks += 1,
            Input::File(_, false) => self.files += 1,
        }
        self.parsed += u64::from(seen.parsed);
        self.rewritten += u64::from(!seen.rewrote.is_empty());
        let rewrote: BTreeSet<_> = seen.rewrote.iter().copied().collect();
        for codemod in rewrote {
            *self.codemods.entry(codemod).or_default() += 1;
        }
        if let Input::Module(text) = input {
            for codemod in &seen.unkept {
                self.keep_shortest(codemod, 1, text);
            }
        }
        if took > SLOW {
            self.fail(Failure {
                law: format!("it takes longer than {SLOW:?}"),
                told: format!("{took:?}"),
                input: input.clone(),
                run: Run {
                    choice: 0,
                    without: 0,
                    line_length: 0,
                    minor: 0,
                },
            });
        }
        self.slowest = self.slowest.max(took);
        let known = self.said.len();
        self.said.extend(seen.said.iter().cloned());
        self.said.len() > known
    }

    fn keep_shortest(&mut self, codemod: &'static str, times: u64, text: &str) {
        let entry = self.unkept.entry(codemod);
        let (count, shortest) = entry.or_insert_with(|| (0, text.to_string()));
        *count += times;
        if text.len() < shortest.len() {
            *shortest = text.to_string();
        }
    }

    /// Whether a failure of that kind was seen.
    pub fn knows(&self, broken: &Broken) -> bool {
        self.failures
            .iter()
            .any(|it| kind(&it.law) == kind(&broken.law))
    }

    /// Notes a failure, and prints it at once: the run may be long.
    pub fn fail(&mut self, failure: Failure) {
        let Failure {
            law,
            told,
            input,
            run,
        } = &failure;
        println!("--- {law}\n{told}\n{run:?}");
        match input {
            Input::Module(text) => println!("{text:?}"),
            Input::File(bytes, _) => println!("{}", bytes.escape_ascii()),
        }
        self.failures.push(failure);
    }

    /// Of two workers.
    pub fn and(mut self, other: Self) -> Self {
        self.executions += other.executions;
        self.parsed += other.parsed;
        self.rewritten += other.rewritten;
        self.notebooks += other.notebooks;
        self.files += other.files;
        for (codemod, count) in other.codemods {
            *self.codemods.entry(codemod).or_default() += count;
        }
        self.said.extend(other.said);
        for (codemod, (count, text)) in other.unkept {
            self.keep_shortest(codemod, count, &text);
        }
        self.slowest = self.slowest.max(other.slowest);
        self.failures.extend(other.failures);
        self
    }

    /// Whether most texts were Python, and were rewritten.
    pub fn is_worth_something(&self) -> bool {
        self.parsed * 10 > self.executions * 6 && self.rewritten * 10 > self.executions * 4
    }

    pub fn report(&self, took: Duration) -> String {
        let percent = |count: u64| 100 * count / self.executions.max(1);
        let panics = self
            .failures
            .iter()
            .filter(|it| it.law.starts_with("it panics"));
        let panics = panics.count();
        let mut text = format!(
            "fuzz: {} executions in {} s ({} files, {} notebooks), {} % Python, {} % rewritten, \
             {} different things said, the slowest {} ms; {panics} panics, {} other failures\n",
            self.executions,
            took.as_secs(),
            self.files,
            self.notebooks,
            percent(self.parsed),
            percent(self.rewritten),
            self.said.len(),
            self.slowest.as_millis(),
            self.failures.len() - panics,
        );
        for (codemod, count) in &self.codemods {
            let _ = write!(text, " {codemod} {count},");
        }
        for (codemod, (count, example)) in &self.unkept {
            let _ = write!(
                text,
                "\nfuzz: {codemod} withheld {count} times for a comment, as in {example:?}"
            );
        }
        text
    }
}
