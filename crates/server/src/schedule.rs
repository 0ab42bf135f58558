//! When to look at which document: a little after the last change, so that typing is not answered
//! letter by letter.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::analyst::Depth;

/// How long to wait after a change before the quick look.
const QUICK: Duration = Duration::from_millis(8);

/// And before what costs more than a few milliseconds.
const WHOLE: Duration = Duration::from_millis(80);

/// Whoever types on and on sees something at least so often.
const LONGEST: Duration = Duration::from_millis(120);

/// The looks that are to come, by document.
#[derive(Debug, Default)]
pub struct Schedule {
    due: HashMap<String, Due>,
}

#[derive(Debug)]
struct Due {
    depth: Depth,
    at: Instant,
    /// When the first change was made that was not looked at.
    since: Instant,
}

impl Schedule {
    /// The text changed at `now`: look at it soon, and quickly.
    pub fn changed(&mut self, uri: &str, now: Instant) {
        let since = match self.due.get(uri) {
            Some(due) if due.depth == Depth::Quick => due.since,
            _ => now,
        };
        let at = (now + QUICK).min(since + LONGEST);
        let depth = Depth::Quick;
        self.due.insert(uri.to_string(), Due { depth, at, since });
    }

    /// The quick look left something open.
    pub fn go_on(&mut self, uri: &str, now: Instant) {
        let depth = Depth::Whole;
        let (at, since) = (now + WHOLE, now);
        self.due
            .entry(uri.to_string())
            .or_insert(Due { depth, at, since });
    }

    /// Nobody is to look at it.
    pub fn forget(&mut self, uri: &str) {
        self.due.remove(uri);
    }

    /// All is known of the text as it is.
    pub fn is_settled(&mut self, uri: &str) {
        if self
            .due
            .get(uri)
            .is_some_and(|due| due.depth == Depth::Whole)
        {
            self.due.remove(uri);
        }
    }

    /// How long until the next look; none where there is none.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let next = self.due.values().map(|due| due.at).min()?;
        Some(next.saturating_duration_since(now))
    }

    /// What is to be looked at now.
    pub fn take(&mut self, now: Instant) -> Vec<(String, Depth)> {
        let mut taken = Vec::new();
        self.due.retain(|uri, due| {
            let is_due = due.at <= now;
            if is_due {
                taken.push((uri.clone(), due.depth));
            }
            !is_due
        });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_puts_the_look_off_but_not_for_ever() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut schedule = Schedule::default();
        assert_eq!(schedule.wait(start), None);
        let mut looks = Vec::new();
        for milliseconds in 0..400 {
            if milliseconds % 5 == 0 && milliseconds < 300 {
                schedule.changed("a", at(milliseconds));
            }
            let taken = schedule.take(at(milliseconds));
            looks.extend(taken.iter().map(|_| milliseconds));
        }
        assert_eq!(looks, [120, 245, 303]);
    }

    #[test]
    fn a_change_comes_before_what_is_left_open() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.go_on("a", start);
        assert_eq!(schedule.wait(start), Some(WHOLE));
        schedule.changed("a", start);
        schedule.go_on("a", start); // about the text before
        let later = start + WHOLE;
        assert_eq!(schedule.take(later), [("a".to_string(), Depth::Quick)]);
        schedule.changed("a", start);
        schedule.forget("a");
        assert!(schedule.take(later).is_empty());
    }
}
