//! The last line: what was done, and what more could be.

use edit::Applicability;
use engine::{Outcome, Rewritten};

use super::Failure;
use crate::baseline::{Change, Known};
use crate::plan::Mode;

/// What is said beside the findings.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// How many files hold no word of a codemod, and were too many to be parsed.
    pub unparsed: usize,
    pub known: Known,
    /// What was not looked at, where only lines count that changed.
    pub unchanged: Option<Unchanged>,
    /// What verifying came to.
    pub verified: Option<Verified>,
}

/// What the command said that verifies the fixes.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// In quotes.
    pub command: String,
    pub runs: usize,
    /// How many tests failed before any fix.
    pub failing: usize,
    /// Fixes that were taken back since they break it.
    pub culprits: usize,
    /// Fixes that were taken back since it is not known whether they do.
    pub undecided: usize,
    /// Whether it failed and passed with the same files.
    pub is_unstable: bool,
}

/// Files without a changed line.
#[derive(Clone, Debug)]
pub struct Unchanged {
    pub files: usize,
    /// The revision, as it was typed.
    pub since: String,
}

/// What is counted over all files.
#[derive(Debug, Default)]
pub struct Counts {
    beside: Beside,
    /// Files that were looked at.
    checked: usize,
    /// Findings of any kind, before anything was applied.
    findings: usize,
    /// Files that have findings.
    files: usize,
    /// Fixes that were applied, or would be.
    safe: usize,
    intended: usize,
    unsafe_: usize,
    /// Files that were changed, or would be.
    changed: usize,
    /// What is left that `--fix` rewrites: before anything was applied, or where that failed.
    fixable: usize,
    /// What is left that `--safe-only` left out.
    more_intended: usize,
    /// What is left that needs `--unsafe-fixes`.
    more_unsafe: usize,
    withheld: usize,
    /// What got a comment that silences it.
    silenced: usize,
    /// Whether the withheld ones are listed.
    listed: bool,
    unanalysed: usize,
    unwritten: usize,
}

impl Counts {
    /// Nothing yet, in so many files, those without a changed line included.
    pub fn new(files: usize, beside: Beside) -> Self {
        let unchanged = beside.unchanged.as_ref().map_or(0, |it| it.files);
        Self {
            checked: files - unchanged,
            beside,
            ..Self::default()
        }
    }

    /// Counts one file. `changed`: whether what is to be applied was, or would be.
    pub fn count(
        &mut self,
        rewritten: &Rewritten,
        changed: bool,
        apply: Applicability,
        listed: bool,
    ) {
        self.findings += rewritten.findings.len();
        self.files += usize::from(!rewritten.findings.is_empty());
        self.listed |= listed;
        self.changed += usize::from(changed);
        let mut left = &rewritten.findings;
        if changed {
            left = &rewritten.remaining;
            self.silenced += rewritten.silenced;
            for applied in &rewritten.applied {
                match applied.applicability {
                    Applicability::Safe => self.safe += applied.fixes,
                    Applicability::Intended => self.intended += applied.fixes,
                    Applicability::Unsafe => self.unsafe_ += applied.fixes,
                }
            }
        }
        for finding in left {
            match &finding.outcome {
                Outcome::Withheld(_) => self.withheld += 1,
                Outcome::Fix(fix) if fix.applicability <= apply => self.fixable += 1,
                Outcome::Fix(fix) if fix.applicability == Applicability::Unsafe => {
                    self.more_unsafe += 1;
                }
                Outcome::Fix(_) => self.more_intended += 1,
            }
        }
    }

    /// Counts a file that something went wrong with.
    pub fn count_failure(&mut self, failure: &Failure) {
        if failure.unwritten {
            self.unwritten += 1;
        } else {
            self.unanalysed += 1;
        }
    }

    /// How many findings are left.
    pub fn remaining(&self) -> usize {
        self.fixable + self.more_intended + self.more_unsafe + self.withheld
    }
}

/// The summary. `all_listed`: the format lists withheld findings in any case.
pub fn sentence(mode: Mode, counts: &Counts, all_listed: bool) -> String {
    let mut sentences = match mode {
        _ if counts.findings == 0 => vec![format!("No findings in {}.", files(counts.checked))],
        Mode::Report | Mode::Review => vec![report(counts, all_listed)],
        Mode::Diff => changed("Would fix", counts, all_listed),
        Mode::Fix => changed("Fixed", counts, all_listed),
    };
    if counts.unanalysed > 0 {
        sentences.push(format!(
            "{} could not be analysed.",
            files(counts.unanalysed)
        ));
    }
    if counts.unwritten > 0 {
        sentences.push(format!("{} could not be written.", files(counts.unwritten)));
    }
    let verified = counts.beside.verified.iter();
    sentences.extend(verified.map(|it| verification(it, counts.changed > 0)));
    sentences.extend(beside(&counts.beside));
    sentences.join(" ")
}

/// ``Verified by `pytest -q` in 9 runs: 3 tests fail as before, 1 fix was taken back.``
fn verification(verified: &Verified, is_changed: bool) -> String {
    let Verified {
        command,
        runs,
        failing,
        culprits,
        undecided,
        is_unstable,
    } = verified;
    let count = |count: usize, one: &str, more: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {more}")),
    };
    let parts = [
        count(*failing, "test fails as before", "tests fail as before"),
        count(*culprits, "fix was taken back", "fixes were taken back"),
        count(
            *undecided,
            "undecided fix was taken back",
            "undecided fixes were taken back",
        ),
        is_unstable.then(|| "it is not stable: the same files failed and passed".to_string()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let parts = match parts.join(", ") {
        none if none.is_empty() => none,
        some => format!(": {some}"),
    };
    if is_changed {
        format!("Verified by {command} in {}{parts}.", plural(*runs, "run"))
    } else {
        format!("Tried by {command} in {}{parts}.", plural(*runs, "run"))
    }
}

fn beside(beside: &Beside) -> Vec<String> {
    let mut sentences = Vec::new();
    if beside.unparsed > 0 {
        sentences.push(format!(
            "{} without a place for a codemod {} decoded, and not parsed.",
            files(beside.unparsed),
            if beside.unparsed == 1 { "was" } else { "were" }
        ));
    }
    if let Some(Unchanged {
        files: count,
        since,
    }) = &beside.unchanged
    {
        let rest = if *count > 0 {
            format!("; {} did not", files(*count))
        } else {
            String::new()
        };
        sentences.push(format!(
            "Only lines count that changed since {since}{rest}."
        ));
    }
    let Known {
        found,
        gone,
        written,
    } = beside.known;
    if let Some(Change {
        total,
        added,
        removed,
    }) = written
    {
        let more = format!("{added} more, {removed} less than before");
        sentences.push(format!("The baseline holds {}: {more}.", findings(total)));
        return sentences;
    }
    if found > 0 {
        let ones = if found == 1 { "one is" } else { "ones are" };
        sentences.push(format!("{found} known {ones} in the baseline."));
    }
    if gone > 0 {
        let are = if gone == 1 { "is" } else { "are" };
        let gone = findings(gone);
        sentences.push(format!(
            "{gone} of the baseline {are} fixed: run --update-baseline."
        ));
    }
    sentences
}

/// `Found 23 findings in 9 of 120 files: 12 can be fixed with --fix, 4 more with --unsafe-fixes;
/// 7 withheld (--show-withheld lists them).`
fn report(counts: &Counts, all_listed: bool) -> String {
    let mut fixes = Vec::new();
    if counts.fixable > 0 {
        fixes.push(format!("{} can be fixed with --fix", counts.fixable));
    }
    fixes.extend(more(counts, counts.fixable == 0));
    let mut parts = vec![fixes.join(", ")];
    if counts.withheld > 0 {
        let listed = counts.listed || all_listed;
        let hint = if listed {
            ""
        } else {
            " (--show-withheld lists them)"
        };
        parts.push(format!("{} withheld{hint}", counts.withheld));
    }
    parts.retain(|part| !part.is_empty());
    format!(
        "Found {} in {} of {}: {}.",
        findings(counts.findings),
        counts.files,
        files(counts.checked),
        parts.join("; ")
    )
}

/// `Fixed 12 findings in 5 of 120 files (9 intended, 3 safe). 4 more with --unsafe-fixes. 7
/// withheld (list them with --show-withheld).`
fn changed(verb: &str, counts: &Counts, all_listed: bool) -> Vec<String> {
    let checked = files(counts.checked);
    let fixes = counts.safe + counts.intended + counts.unsafe_;
    let mut sentences = if counts.changed == 0 || fixes == 0 && counts.silenced > 0 {
        vec![format!("{verb} nothing in {checked}.")]
    } else {
        let kinds = [
            (counts.intended, "intended"),
            (counts.safe, "safe"),
            (counts.unsafe_, "unsafe"),
        ];
        let kinds: Vec<String> = kinds
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, kind)| format!("{count} {kind}"))
            .collect();
        let kinds = match kinds.join(", ") {
            none if none.is_empty() => none,
            some => format!(" ({some})"),
        };
        let done = findings(fixes);
        vec![format!(
            "{verb} {done} in {} of {checked}{kinds}.",
            counts.changed
        )]
    };
    if counts.silenced > 0 {
        sentences.push(format!("Silenced {}.", findings(counts.silenced)));
    }
    sentences.extend(more(counts, false).into_iter().map(|part| part + "."));
    if counts.withheld > 0 {
        let taken_back = counts.beside.verified.as_ref();
        let taken_back = taken_back.map_or(0, |it| it.culprits + it.undecided);
        let listed = counts.listed || all_listed || counts.withheld == taken_back;
        let hint = if listed {
            ""
        } else {
            " (list them with --show-withheld)"
        };
        sentences.push(format!("{} withheld{hint}.", counts.withheld));
    }
    sentences
}

/// What other options would fix.
fn more(counts: &Counts, first: bool) -> Vec<String> {
    let more = if first { "can be fixed" } else { "more" };
    let mut parts = Vec::new();
    if counts.more_intended > 0 {
        parts.push(format!(
            "{} {more} without --safe-only",
            counts.more_intended
        ));
    }
    if counts.more_unsafe > 0 {
        parts.push(format!("{} {more} with --unsafe-fixes", counts.more_unsafe));
    }
    parts
}

fn files(count: usize) -> String {
    plural(count, "file")
}

fn findings(count: usize) -> String {
    plural(count, "finding")
}

/// `1 file`, `2 files`.
pub fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{Counts, sentence};
    use crate::plan::Mode;

    #[test]
    fn a_report_says_what_could_be_done() {
        let counts = Counts {
            checked: 120,
            findings: 23,
            files: 9,
            fixable: 12,
            more_unsafe: 4,
            withheld: 7,
            ..Counts::default()
        };
        assert_eq!(
            sentence(Mode::Report, &counts, false),
            "Found 23 findings in 9 of 120 files: 12 can be fixed with --fix, 4 more with \
             --unsafe-fixes; 7 withheld (--show-withheld lists them)."
        );
        assert_eq!(
            sentence(Mode::Report, &counts, true),
            "Found 23 findings in 9 of 120 files: 12 can be fixed with --fix, 4 more with \
             --unsafe-fixes; 7 withheld."
        );
    }

    #[test]
    fn few_are_counted_as_few() {
        let counts = Counts {
            checked: 1,
            findings: 1,
            files: 1,
            more_intended: 1,
            unanalysed: 1,
            ..Counts::default()
        };
        assert_eq!(
            sentence(Mode::Report, &counts, false),
            "Found 1 finding in 1 of 1 file: 1 can be fixed without --safe-only. 1 file could not \
             be analysed."
        );
        let counts = Counts {
            checked: 2,
            findings: 1,
            files: 1,
            withheld: 1,
            ..Counts::default()
        };
        assert_eq!(
            sentence(Mode::Report, &counts, false),
            "Found 1 finding in 1 of 2 files: 1 withheld (--show-withheld lists them)."
        );
        assert_eq!(
            sentence(Mode::Fix, &counts, false),
            "Fixed nothing in 2 files. 1 withheld (list them with --show-withheld)."
        );
    }

    #[test]
    fn a_fix_says_what_was_done_and_what_more_could_be() {
        let counts = Counts {
            checked: 120,
            findings: 23,
            files: 9,
            safe: 3,
            intended: 9,
            changed: 5,
            more_unsafe: 4,
            withheld: 7,
            unwritten: 2,
            ..Counts::default()
        };
        assert_eq!(
            sentence(Mode::Fix, &counts, false),
            "Fixed 12 findings in 5 of 120 files (9 intended, 3 safe). 4 more with --unsafe-fixes. \
             7 withheld (list them with --show-withheld). 2 files could not be written."
        );
        assert!(sentence(Mode::Diff, &counts, false).starts_with("Would fix 12 findings in 5 of"));
    }

    #[test]
    fn nothing_found_says_how_much_was_read() {
        let counts = Counts {
            checked: 120,
            ..Counts::default()
        };
        for mode in [Mode::Report, Mode::Diff, Mode::Fix] {
            assert_eq!(sentence(mode, &counts, false), "No findings in 120 files.");
        }
    }
}
