//! What is to be said on a pull request.

use std::collections::BTreeSet;
use std::ops::Range;

use edit::{Hunk, apply_hunks, unified_diff};

use crate::diff::{Diff, DiffFile};
use crate::fingerprint::Fingerprints;
use crate::input::{File, Finding, Group};
use crate::markdown::span;
use crate::variants::{Choice, LARGE, Sieve, choose};

/// How much may be said.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Comments, at most.
    pub comments: usize,
    /// Rows that a comment may replace.
    pub rows: usize,
}

/// What is to be said on a pull request.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// By file and row.
    pub comments: Vec<Comment>,
    /// What is rewritten, and cannot be suggested.
    pub rest: Vec<Rest>,
    /// What is found and not rewritten, by file.
    pub withheld: Vec<(String, Finding)>,
    /// What is to be known beside that: sentences in Markdown.
    pub notes: Vec<String>,
}

/// A suggestion that a click applies.
#[derive(Clone, Debug)]
pub struct Comment {
    /// From the root of the repository.
    pub path: String,
    /// Its path before the pull request.
    pub old_path: String,
    /// The one-based rows that it replaces: lines of one piece of the diff.
    pub rows: Range<usize>,
    /// For each row, the row that the line had before the pull request, if it is one that stayed.
    pub old_rows: Vec<Option<usize>>,
    /// What stands there afterwards: lines, without the last line break.
    pub content: String,
    /// What it is known by in the next run.
    pub fingerprint: String,
    /// The findings that these lines are about; none where the lines only belong to others.
    pub findings: Vec<Finding>,
    /// The first rows of the other suggestions that belong to the same fix.
    pub with: Vec<usize>,
    /// Those of suggestions that take out an import that nothing uses then.
    pub removals: Vec<usize>,
    /// Whether they are the lines of an import that nothing uses once those are applied.
    pub is_last: bool,
    /// The rows of imports that the fix leaves unused, and whose removal cannot be suggested.
    pub unused: Vec<usize>,
    /// The number of the fix. Comments of the same number belong together.
    pub unit: usize,
    /// The whole fix, for whoever cannot have the comment.
    patch: String,
}

/// A fix that cannot be suggested.
#[derive(Clone, Debug)]
pub struct Rest {
    /// From the root of the repository.
    pub path: String,
    /// What it is about.
    pub findings: Vec<Finding>,
    /// Why it is not suggested: completes "is not suggested: ".
    pub reason: String,
    /// As `git apply` reads it.
    pub patch: String,
}

impl Comment {
    /// The content as a service shows it, which ends lines at `\n`.
    pub fn shown(&self) -> String {
        format!("{}\n", self.content.replace("\r\n", "\n"))
    }
}

impl Plan {
    /// Without the fix of this number: it goes to what cannot be suggested, for this reason.
    pub fn give_up(&mut self, unit: usize, reason: &str) {
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.comments)
            .into_iter()
            .partition(|comment| comment.unit == unit);
        self.comments = kept;
        self.rest.extend(rests(gone, reason));
    }

    /// The same, where nothing can be suggested, for this reason.
    #[must_use]
    pub fn without_comments(&self, reason: &str) -> Self {
        Self {
            comments: Vec::new(),
            rest: rests(self.comments.clone(), reason)
                .into_iter()
                .chain(self.rest.clone())
                .collect(),
            ..self.clone()
        }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.comments.is_empty() && self.rest.is_empty() && self.withheld.is_empty()
    }
}

/// What becomes of suggestions that cannot be made: one for each fix.
fn rests(comments: Vec<Comment>, reason: &str) -> Vec<Rest> {
    let mut rests: Vec<(usize, Rest)> = Vec::new();
    for comment in comments {
        match rests.iter_mut().find(|(unit, _)| *unit == comment.unit) {
            Some((_, rest)) => rest.findings.extend(comment.findings),
            None => rests.push((
                comment.unit,
                Rest {
                    path: comment.path,
                    findings: comment.findings,
                    reason: reason.to_string(),
                    patch: comment.patch,
                },
            )),
        }
    }
    rests.into_iter().map(|(_, rest)| rest).collect()
}

/// What is to be said of these files on a pull request with this diff.
pub fn plan(files: &[File], diff: &Diff, limits: &Limits) -> Plan {
    let mut plan = Plan::default();
    let mut fingerprints = Fingerprints::default();
    let mut units = 0;
    for file in files {
        let shown = diff.files.get(&file.path);
        of_file(
            file,
            shown,
            limits,
            &mut fingerprints,
            &mut units,
            &mut plan,
        );
        let withheld = file.withheld.iter().cloned();
        plan.withheld
            .extend(withheld.map(|it| (file.path.clone(), it)));
    }
    let mut said = 0;
    for unit in 0..units {
        let size = plan.comments.iter().filter(|it| it.unit == unit).count();
        if size > 0 && said + size > limits.comments {
            let most = limits.comments;
            plan.give_up(unit, &format!("there are more than {most} suggestions"));
        } else {
            said += size;
        }
    }
    plan
}

fn of_file(
    file: &File,
    diff: Option<&DiffFile>,
    limits: &Limits,
    fingerprints: &mut Fingerprints,
    units: &mut usize,
    plan: &mut Plan,
) {
    let choices = choose(file, diff, limits);
    // Those that share a suggestion, as of an import, or whose lines touch, are one fix.
    let mut fixes: Vec<Fix> = Vec::new();
    for (group, choice) in file.groups.iter().zip(&choices) {
        match choice {
            Choice::Refused(reason) => plan.rest.push(Rest {
                path: file.path.clone(),
                findings: group.findings.clone(),
                reason: reason.clone(),
                patch: patch(file, &group.whole),
            }),
            Choice::Proposed(hunks) => add(&mut fixes, group, hunks),
        }
    }
    for fix in &mut fixes {
        fix.hunks = joined(std::mem::take(&mut fix.hunks), &file.text, limits);
    }
    let Some(diff) = diff else {
        return;
    };
    let all = fixes.iter().flat_map(|fix| &fix.hunks);
    let all: BTreeSet<usize> = all.map(|it| it.rows.start).collect();
    let mut comments = Vec::new();
    for fix in &fixes {
        let patch = patch(file, &fix.hunks);
        for hunk in &fix.hunks {
            comments.push(Comment {
                findings: fix.findings_of(hunk),
                with: fix.with(hunk, false),
                removals: fix.with(hunk, true),
                is_last: fix.is_removal(hunk),
                unused: fix.unused(hunk),
                patch: patch.clone(),
                unit: *units,
                ..Comment::new(file, diff, hunk, fingerprints)
            });
        }
        *units += 1;
    }
    // What is left of all is what only goes when all of them are applied.
    let is_all = choices.iter().all(|it| matches!(it, Choice::Proposed(_)));
    let sieve = Sieve::new(file, Some(diff), limits);
    let of_groups = file
        .groups
        .iter()
        .flat_map(|it| it.needed.iter().chain(&it.whole));
    let known: Vec<&Hunk> = of_groups.collect();
    let is_left = |hunk: &&Hunk| !known.iter().any(|it| it.meets(hunk));
    for hunk in file.all.iter().filter(is_left) {
        if is_all && sieve.takes(hunk) {
            comments.push(Comment {
                with: all.iter().copied().collect(),
                is_last: true,
                patch: patch(file, std::slice::from_ref(hunk)),
                unit: *units,
                ..Comment::new(file, diff, hunk, fingerprints)
            });
            *units += 1;
        } else {
            let place = span(&format!("{}:{}", file.path, hunk.rows.start));
            plan.notes.push(format!(
                "{place}: nothing uses this import once all fixes of the file are applied."
            ));
        }
    }
    comments.sort_by_key(|it| it.rows.start);
    plan.comments.append(&mut comments);
}

/// Groups that share a suggestion.
struct Fix {
    findings: Vec<Finding>,
    /// By row.
    hunks: Vec<Hunk>,
    parts: Vec<Part>,
}

/// One of the groups.
struct Part {
    /// The rows that it replaces.
    rows: Vec<Range<usize>>,
    /// Those of them that only take out an import that nothing uses then.
    removals: Vec<Range<usize>>,
    /// The rows of imports that it leaves unused.
    unused: Vec<usize>,
}

fn add(fixes: &mut Vec<Fix>, group: &Group, hunks: &[Hunk]) {
    let touch = |one: &Hunk, other: &Hunk| {
        one.rows.start <= other.rows.end && other.rows.start <= one.rows.end
    };
    let (shared, mut rest): (Vec<Fix>, Vec<Fix>) =
        std::mem::take(fixes).into_iter().partition(|fix| {
            fix.hunks
                .iter()
                .any(|it| hunks.iter().any(|own| touch(own, it)))
        });
    let mut fix = Fix {
        findings: group.findings.clone(),
        hunks: hunks.to_vec(),
        parts: vec![Part {
            rows: hunks.iter().map(|it| it.rows.clone()).collect(),
            removals: removals(group, hunks),
            unused: left_out(&group.whole, hunks),
        }],
    };
    for other in shared {
        fix.findings.extend(other.findings);
        fix.hunks.extend(other.hunks);
        fix.parts.extend(other.parts);
    }
    fix.findings.sort_by_key(|it| it.rows.start);
    fix.hunks.sort_by_key(|it| it.rows.start);
    fix.hunks.dedup();
    rest.push(fix);
    *fixes = rest;
}

/// The same lines, with those in one suggestion that touch. They are by row.
fn joined(hunks: Vec<Hunk>, text: &str, limits: &Limits) -> Vec<Hunk> {
    let mut joined: Vec<Hunk> = Vec::new();
    for hunk in hunks {
        match joined.last_mut() {
            Some(last)
                if last.rows.end == hunk.rows.start
                    && last.rows.len() + hunk.rows.len() <= limits.rows
                    && last.content.len() + hunk.content.len() <= LARGE =>
            {
                let between = text.get(last.range.end..hunk.range.start);
                last.content.push_str(between.unwrap_or_default());
                last.content.push_str(&hunk.content);
                last.rows.end = hunk.rows.end;
                last.range.end = hunk.range.end;
            }
            _ => joined.push(hunk),
        }
    }
    joined
}

/// The rows of those that are not needed, and that nothing needed is part of.
fn removals(group: &Group, hunks: &[Hunk]) -> Vec<Range<usize>> {
    let is_removal = |it: &&Hunk| !group.needed.iter().any(|needed| it.meets(needed));
    let removals = hunks.iter().filter(is_removal);
    removals.map(|it| it.rows.clone()).collect()
}

/// The first rows of those that are not proposed.
fn left_out(whole: &[Hunk], hunks: &[Hunk]) -> Vec<usize> {
    let is_left = |it: &&Hunk| !hunks.contains(it);
    whole
        .iter()
        .filter(is_left)
        .map(|it| it.rows.start)
        .collect()
}

impl Fix {
    /// The groups that a hunk belongs to.
    fn parts_of(&self, hunk: &Hunk) -> impl Iterator<Item = &Part> {
        let rows = hunk.rows.clone();
        let is_in = move |part: &&Part| part.rows.iter().any(|it| share(it, &rows));
        self.parts.iter().filter(is_in)
    }

    /// The first rows of the other hunks that those groups have: of those that only take out an
    /// import, or of the others.
    fn with(&self, hunk: &Hunk, is_removal: bool) -> Vec<usize> {
        let rows: Vec<&Range<usize>> = self.parts_of(hunk).flat_map(|it| &it.rows).collect();
        let others = self.hunks.iter().filter(|other| *other != hunk);
        let with = others
            .filter(|other| rows.iter().any(|it| share(it, &other.rows)))
            .filter(|other| self.is_removal(other) == is_removal);
        with.map(|other| other.rows.start).collect()
    }

    /// Whether it only takes out an import that nothing uses then.
    fn is_removal(&self, hunk: &Hunk) -> bool {
        let mut parts = self.parts_of(hunk);
        parts.all(|it| it.removals.contains(&hunk.rows))
    }

    /// The rows of imports that those groups leave unused.
    fn unused(&self, hunk: &Hunk) -> Vec<usize> {
        let unused = self.parts_of(hunk).flat_map(|it| &it.unused);
        let unused: BTreeSet<usize> = unused.copied().collect();
        unused.into_iter().collect()
    }

    /// The findings whose site the hunk replaces, or the first lines of their fix, where that is
    /// elsewhere.
    fn findings_of(&self, hunk: &Hunk) -> Vec<Finding> {
        let is_main = |finding: &&Finding| {
            let is_at = |it: &&Hunk| share(&it.rows, &finding.rows);
            let main = self.hunks.iter().find(is_at).or(self.hunks.first());
            main == Some(hunk)
        };
        self.findings.iter().filter(is_main).cloned().collect()
    }
}

/// Whether they share a row.
fn share(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

impl Comment {
    fn new(file: &File, diff: &DiffFile, hunk: &Hunk, fingerprints: &mut Fingerprints) -> Self {
        let lines = file.text.get(hunk.range.clone()).unwrap_or_default();
        Self {
            path: file.path.clone(),
            old_path: diff.old_path.clone(),
            rows: hunk.rows.clone(),
            old_rows: hunk.rows.clone().map(|row| diff.old_row(row)).collect(),
            content: hunk.content.clone(),
            fingerprint: fingerprints.next(&file.path, lines, &hunk.content),
            findings: Vec::new(),
            with: Vec::new(),
            removals: Vec::new(),
            is_last: false,
            unused: Vec::new(),
            unit: 0,
            patch: String::new(),
        }
    }
}

/// The patch that replaces these lines.
fn patch(file: &File, hunks: &[Hunk]) -> String {
    let text = apply_hunks(&file.text, hunks);
    let patch = unified_diff(&file.path, file.text.as_bytes(), text.as_bytes(), &[]);
    String::from_utf8_lossy(&patch).into_owned()
}

#[cfg(test)]
mod tests;
