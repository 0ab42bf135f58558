//! What became of each pull request, and of all of them.

use publish::State;

use crate::exit::Exit;
use crate::report;

/// What became of one.
pub enum Outcome {
    Made(String),
    Updated(String),
    /// It was there, with nothing to be told.
    Same,
    /// Somebody merged it, or closed it: the page, and which of them.
    Decided(String, State),
    /// As many are open as may be.
    Waits,
    /// What is in the way.
    Problem(String),
}

/// How often each came out.
#[derive(Default)]
pub struct Counts {
    made: usize,
    updated: usize,
    same: usize,
    decided: usize,
    waiting: usize,
    problems: usize,
}

impl Counts {
    /// Counts what became of a repository, and says it where it is news.
    pub fn say(&mut self, name: &str, outcome: &Outcome, is_quiet: bool) {
        let (count, said) = match outcome {
            Outcome::Made(url) => (&mut self.made, Some(format!("made {url}"))),
            Outcome::Updated(url) => (&mut self.updated, Some(format!("updated {url}"))),
            Outcome::Same => (&mut self.same, None),
            Outcome::Decided(url, state) => {
                let said = format!("{} by somebody: {url}", state.as_str());
                (&mut self.decided, Some(said))
            }
            Outcome::Waits => (&mut self.waiting, None),
            Outcome::Problem(problem) => {
                self.problems += 1;
                report::line(&format!("{name}: {problem}"));
                return;
            }
        };
        *count += 1;
        if let Some(said) = said.filter(|_| !is_quiet) {
            report::line(&format!("{name}: {said}"));
        }
    }

    /// `1 made, 2 as they were`.
    pub fn sentence(&self) -> String {
        let mut parts = Vec::new();
        for (count, what) in [
            (self.made, "made"),
            (self.updated, "updated"),
            (self.same, "as they were"),
            (self.decided, "decided by somebody"),
            (self.waiting, "waiting for others to be merged or closed"),
            (self.problems, "not published"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        if parts.is_empty() {
            parts.push("nothing to publish".to_string());
        }
        parts.join(", ")
    }

    /// Whether all that may be is published.
    pub fn exit(&self) -> Exit {
        if self.problems > 0 {
            Exit::Findings
        } else {
            Exit::Success
        }
    }
}
