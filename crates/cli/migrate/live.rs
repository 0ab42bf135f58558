//! What is seen of a run: in a terminal a line for each repository that is worked on, and the whole
//! below; elsewhere, and for good, a line for each that is over.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::Duration;

use campaign::{Event, Failure, Made, Repository, Row, State, Step, Summary, Watch};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::cells::{problems, tests};
use crate::lock::locked;
use crate::report;

/// Shows a run.
pub struct Live {
    is_quiet: bool,
    shown: Option<Shown>,
    counts: Mutex<Counts>,
}

/// What stands in the terminal.
struct Shown {
    all: MultiProgress,
    total: ProgressBar,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

/// What is known of the whole.
struct Counts {
    repositories: usize,
    done: usize,
    failed: usize,
    found: u64,
    fixed: u64,
    withheld: u64,
}

impl Live {
    /// Of a campaign that stands so now.
    pub fn new(rows: &[Row], is_quiet: bool) -> Self {
        let summary = Summary::new(rows);
        let failed = |row: &&Row| row.state == State::Permanent;
        let counts = Counts {
            repositories: summary.repositories,
            done: summary.done,
            failed: rows.iter().filter(failed).count(),
            found: summary.found,
            fixed: summary.fixed,
            withheld: summary.withheld,
        };
        let is_terminal = io::stderr().is_terminal();
        let live = Self {
            is_quiet,
            shown: (is_terminal && !is_quiet).then(Shown::new),
            counts: Mutex::new(counts),
        };
        live.tell_total();
        live
    }

    /// Takes away what is not there for good.
    pub fn finish(&self) {
        if let Some(shown) = &self.shown {
            let _ = shown.all.clear();
        }
    }

    fn line(&self, text: &str) {
        match &self.shown {
            Some(shown) => {
                let _ = shown.all.println(text);
            }
            None => report::line(text),
        }
    }

    fn tell_total(&self) {
        if let Some(shown) = &self.shown {
            let counts = locked(&self.counts);
            shown.total.set_length(counts.repositories as u64);
            shown
                .total
                .set_position((counts.done + counts.failed) as u64);
            shown.total.set_message(format!(
                "{} found, {} fixed, {} withheld, {} failed",
                counts.found, counts.fixed, counts.withheld, counts.failed
            ));
        }
    }

    fn failed(&self, repository: &Repository, step: Step, failure: &Failure) {
        let what = match failure {
            Failure::Interrupted => return,
            Failure::Retry(_) => "failed for now",
            Failure::Permanent(_) => "failed",
        };
        let name = &repository.name;
        self.line(&format!("{name}: {what} ({}): {failure}", step.as_str()));
        locked(&self.counts).failed += 1;
    }

    fn done(&self, repository: &Repository, made: &Made) {
        {
            let mut counts = locked(&self.counts);
            counts.done += 1;
            counts.found += made.found;
            counts.fixed += made.fixed;
            counts.withheld += made.withheld;
        }
        if self.is_quiet {
            return;
        }
        let mut line = format!(
            "{}: {} found, {} fixed, {} withheld",
            repository.name, made.found, made.fixed, made.withheld
        );
        if let Some(said) = &made.tests {
            line.push_str(", tests: ");
            line.push_str(&tests(said));
        }
        if made.problems.count > 0 {
            let said = problems(&made.problems);
            line = format!("{line}, {said}");
        }
        self.line(&line);
    }
}

impl Watch for Live {
    fn on(&self, event: &Event) {
        match event {
            Event::Begun(repository) => {
                if let Some(shown) = &self.shown {
                    shown.begin(&repository.name);
                }
            }
            Event::Step(repository, step) => {
                if let Some(shown) = &self.shown {
                    shown.tell(&repository.name, doing(*step));
                }
            }
            Event::Found(repository, made) => {
                if let Some(shown) = &self.shown {
                    let found = format!("{} found, {} fixed", made.found, made.fixed);
                    shown.tell(&repository.name, &found);
                }
            }
            Event::Failed(repository, step, failure) => {
                if let Some(shown) = &self.shown {
                    shown.end(&repository.name);
                }
                self.failed(repository, *step, failure);
                self.tell_total();
            }
            Event::Done(repository, made) => {
                if let Some(shown) = &self.shown {
                    shown.end(&repository.name);
                }
                self.done(repository, made);
                self.tell_total();
            }
        }
    }
}

impl Shown {
    fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let total = all.add(ProgressBar::new(0));
        let style = "{elapsed_precise} {bar:24} {pos} of {len} repositories: {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            total.set_style(style);
        }
        total.enable_steady_tick(TICK);
        Self {
            all,
            total,
            bars: Mutex::new(HashMap::new()),
        }
    }

    fn begin(&self, name: &str) {
        let bar = self
            .all
            .insert_before(&self.total, ProgressBar::no_length());
        let style = "{spinner} {prefix:40!} {elapsed:>5}  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_string());
        bar.enable_steady_tick(TICK);
        locked(&self.bars).insert(name.to_string(), bar);
    }

    fn tell(&self, name: &str, what: &str) {
        if let Some(bar) = locked(&self.bars).get(name) {
            bar.set_message(what.to_string());
        }
    }

    fn end(&self, name: &str) {
        if let Some(bar) = locked(&self.bars).remove(name) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

const TICK: Duration = Duration::from_millis(100);

/// What is going on in a step.
fn doing(step: Step) -> &'static str {
    match step {
        Step::Mirror => "mirror: is there a copy with the commit",
        Step::Checkout => "checkout: a work tree",
        Step::Setup => "setup: the environment",
        Step::Transform => "transform: asyncfix and the tests",
        Step::Commit => "commit: the branch and the patch",
    }
}
