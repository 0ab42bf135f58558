//! The progress bar: on standard error, in a terminal, and only when the run takes a while.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts the files that are done.
pub struct Progress {
    wanted: bool,
    started: Instant,
    total: u64,
    done: AtomicU64,
    bar: OnceLock<ProgressBar>,
}

/// Runs that are shorter show no bar.
const PATIENCE: Duration = Duration::from_secs(1);

impl Progress {
    /// For `total` files; never shown unless `wanted`.
    pub fn new(total: usize, wanted: bool) -> Self {
        Self {
            wanted,
            started: Instant::now(),
            total: total as u64,
            done: AtomicU64::new(0),
            bar: OnceLock::new(),
        }
    }

    /// One more file is done.
    pub fn tick(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        // Reading the clock for each file would cost more than most files do.
        if !self.wanted || !done.is_multiple_of(32) || self.started.elapsed() < PATIENCE {
            return;
        }
        self.bar
            .get_or_init(|| {
                let target = ProgressDrawTarget::stderr_with_hz(10);
                let bar = ProgressBar::with_draw_target(Some(self.total), target);
                match ProgressStyle::with_template("{wide_bar} {pos} of {len} files") {
                    Ok(style) => bar.with_style(style),
                    Err(_) => bar,
                }
            })
            .set_position(done);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
