//! Whether a run passes, beside the one before any fix.

use std::collections::BTreeSet;

use super::command::{Ended, Ran};

/// What the command did before any fix.
pub struct Base {
    ended: Ended,
    failed: BTreeSet<String>,
}

/// Why a run does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub ended: Ended,
    /// The tests that did not fail before; none where the output names none.
    pub failed: Vec<String>,
}

impl Base {
    /// A run that passed, or failed in tests that it names, so that others can be told from them;
    /// none if the others may not have run at all.
    pub fn of(ran: &Ran) -> Option<Self> {
        let is_known = match ran.ended {
            Ended::Status(0) => true,
            Ended::Status(_) => !ran.printed.failed.is_empty() && !ran.printed.is_cut,
            Ended::Signal(_) | Ended::Late(_) | Ended::Interrupted => false,
        };
        is_known.then(|| Self {
            ended: ran.ended,
            // Whatever a command prints that succeeds, it means no failure by it.
            failed: if ran.ended.is_success() {
                BTreeSet::new()
            } else {
                ran.printed.failed.clone()
            },
        })
    }

    /// How many tests failed.
    pub fn failures(&self) -> usize {
        self.failed.len()
    }

    /// Why a run does not pass. It passes if it succeeds; or if it ends as before, and no test
    /// failed that did not before.
    pub fn judge(&self, ran: &Ran) -> Result<(), Failure> {
        if ran.ended.is_success() {
            return Ok(());
        }
        let failed: Vec<String> = ran
            .printed
            .failed
            .difference(&self.failed)
            .cloned()
            .collect();
        // Without a name it may have failed before it came to the tests.
        if ran.ended == self.ended && failed.is_empty() && !ran.printed.failed.is_empty() {
            return Ok(());
        }
        Err(Failure {
            ended: ran.ended,
            failed,
        })
    }
}

impl Failure {
    /// What failed: the first tests, or how the command ended.
    pub fn said(&self, most: usize) -> String {
        if self.failed.is_empty() {
            return self.ended.to_string();
        }
        let (first, more) = self.failed.split_at(self.failed.len().min(most));
        let more = match more.len() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let said = first.join(", ") + &more;
        match self.ended {
            // What fails in a way of its own says so.
            Ended::Late(_) | Ended::Signal(_) => format!("{said} ({})", self.ended),
            Ended::Status(_) | Ended::Interrupted => said,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Base, Failure};
    use crate::verify::command::{Ended, Ran};
    use crate::verify::output::Printed;
    use std::time::Duration;

    fn ran(ended: Ended, failed: &[&str]) -> Ran {
        Ran {
            ended,
            printed: Printed {
                failed: failed.iter().map(ToString::to_string).collect(),
                ..Printed::default()
            },
            took: Duration::ZERO,
        }
    }

    #[test]
    fn failures_without_names_are_no_base() {
        assert!(Base::of(&ran(Ended::Status(1), &[])).is_none());
        assert!(Base::of(&ran(Ended::Late(Duration::ZERO), &["a"])).is_none());
        assert!(Base::of(&ran(Ended::Signal(11), &["a"])).is_none());
        let mut known = ran(Ended::Status(1), &["a"]);
        assert!(Base::of(&known).is_some());
        known.printed.is_cut = true;
        assert!(Base::of(&known).is_none());
    }

    #[test]
    fn what_passed_has_to_pass() {
        let base = Base::of(&ran(Ended::Status(0), &["printed"])).unwrap();
        assert_eq!(base.judge(&ran(Ended::Status(0), &[])), Ok(()));
        let failure = base
            .judge(&ran(Ended::Status(1), &["printed"]))
            .unwrap_err();
        assert_eq!(failure.said(3), "printed");
        let failure = base.judge(&ran(Ended::Status(1), &[])).unwrap_err();
        assert_eq!(failure.said(3), "exit status 1");
    }

    #[test]
    fn what_failed_may_fail_in_the_same_way() {
        let base = Base::of(&ran(Ended::Status(1), &["a", "b"])).unwrap();
        for passing in [
            ran(Ended::Status(1), &["a", "b"]),
            ran(Ended::Status(1), &["b"]),
            ran(Ended::Status(0), &[]),
        ] {
            assert_eq!(base.judge(&passing), Ok(()));
        }
        for (failing, failed) in [
            (ran(Ended::Status(1), &["a", "b", "c"]), &["c"][..]),
            (ran(Ended::Status(2), &["a"]), &[]),
            (ran(Ended::Status(1), &[]), &[]),
            (ran(Ended::Signal(11), &["a", "c"]), &["c"]),
        ] {
            assert_eq!(base.judge(&failing).unwrap_err().failed, failed);
        }
    }

    #[test]
    fn many_names_are_shortened() {
        let failure = Failure {
            ended: Ended::Status(1),
            failed: ["a", "b", "c", "d"].map(String::from).into(),
        };
        assert_eq!(failure.said(2), "a, b and 2 more");
        assert_eq!(failure.said(4), "a, b, c, d");
    }
}
