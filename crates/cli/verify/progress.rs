//! What is said of the runs, on standard error: a line each when it is done; in a terminal also
//! what is going on.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::command::shown;
use crate::plan::Verbosity;
use crate::report;

/// Tells of the runs of one command.
pub struct Progress {
    is_wanted: bool,
    most: usize,
    /// What is going on.
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Of `most` runs at most.
    pub fn new(verbosity: Verbosity, most: usize) -> Self {
        Self {
            is_wanted: verbosity >= Verbosity::Normal,
            most,
            bar: None,
        }
    }

    /// A run begins, with what is said of it.
    pub fn begin(&mut self, number: usize, what: &str, limit: Option<Duration>) {
        if !self.is_wanted || !io::stderr().is_terminal() {
            return;
        }
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(None, target);
        let limit = limit.map_or_else(String::new, |limit| format!(" (limit {})", shown(limit)));
        let said = self.said(number, what);
        let template = ProgressStyle::with_template("{spinner} {msg}: {elapsed}{prefix}");
        let bar = match template {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        let bar = bar.with_message(said).with_prefix(limit);
        bar.enable_steady_tick(Duration::from_millis(100));
        self.bar = Some(bar);
    }

    /// The run is over. Below the line stands what failed.
    pub fn end(&mut self, number: usize, what: &str, took: Duration, failed: Option<&str>) {
        self.clear();
        if !self.is_wanted {
            return;
        }
        let (said, took) = (self.said(number, what), shown(took));
        match failed {
            None => report::line(&format!("{said}: passed ({took})")),
            Some(failed) => report::line(&format!("{said}: failed ({took})\n  {failed}")),
        }
    }

    /// Takes the line away that says what is going on.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn said(&self, number: usize, what: &str) -> String {
        format!("Run {number} of at most {}, {what}", self.most)
    }
}
