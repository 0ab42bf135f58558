//! What stands on a pull request already, and what is to become of it.

use std::collections::HashSet;

use crate::plan::{Comment, Plan};

/// A comment of ours that an earlier run made.
#[derive(Clone, Debug)]
pub struct Posted<I> {
    /// How the service calls it.
    pub id: I,
    /// What it is known by.
    pub fingerprint: String,
    /// Its Markdown.
    pub body: String,
    /// Whether the lines that it is about are there no more, so that no click applies it.
    pub is_outdated: bool,
    /// Whether somebody answered it.
    pub is_answered: bool,
}

/// What is to be done so that just what is wanted stands there.
#[derive(Debug)]
pub struct Steps<'a, I> {
    /// Comments that are new.
    pub create: Vec<&'a Comment>,
    /// Those that say something else now.
    pub update: Vec<(I, String)>,
    /// Those that nothing is left of, and nobody answered.
    pub delete: Vec<I>,
    /// How many stay as they are.
    pub kept: usize,
}

/// Compares what is wanted with what is there. Each comment stays that is wanted and can be
/// applied; what somebody answered stays in any case, and is not said again.
pub fn steps<'a, I: Clone>(
    wanted: &'a Plan,
    posted: &[Posted<I>],
    body: impl Fn(&Comment) -> String,
) -> Steps<'a, I> {
    let mut kept: HashSet<usize> = HashSet::new();
    let mut steps = Steps {
        create: Vec::new(),
        update: Vec::new(),
        delete: Vec::new(),
        kept: 0,
    };
    for comment in &wanted.comments {
        let same = posted.iter().enumerate();
        let same = same.filter(|(_, it)| it.fingerprint == comment.fingerprint);
        // One to click, else one that was talked about.
        let best = same
            .filter(|(_, it)| !it.is_outdated || it.is_answered)
            .min_by_key(|(_, it)| (it.is_outdated, !it.is_answered));
        let Some((index, best)) = best else {
            steps.create.push(comment);
            continue;
        };
        kept.insert(index);
        let body = body(comment);
        if is_same(&best.body, &body) {
            steps.kept += 1;
        } else {
            steps.update.push((best.id.clone(), body));
        }
    }
    let others = posted
        .iter()
        .enumerate()
        .filter(|(index, _)| !kept.contains(index));
    let unanswered = others.filter(|(_, it)| !it.is_answered);
    steps.delete = unanswered.map(|(_, it)| it.id.clone()).collect();
    steps
}

/// Whether a service shows both alike: it may keep other line breaks.
pub fn is_same(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim_end().to_string();
    plain(one) == plain(other)
}

/// What became of a plan.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// How many comments were made, changed, removed, and left as they were.
    pub created: usize,
    /// How many say something else now.
    pub updated: usize,
    /// How many are gone.
    pub deleted: usize,
    /// How many stay as they are.
    pub kept: usize,
    /// How many fixes are in the summary.
    pub rest: usize,
    /// What did not go as it should, and lost nothing.
    pub warnings: Vec<String>,
}

/// Whether all was said.
#[derive(Clone, Debug)]
pub enum Said {
    /// It stands on the pull request, but for the summary, if that is here: where comments of that
    /// kind are not allowed.
    All(Done, Option<String>),
    /// The token may not comment, as on the pull request of a fork.
    NotAllowed(String),
}

#[cfg(test)]
mod tests {
    use super::{Posted, steps};
    use crate::plan::{Comment, Plan};

    /// A comment there: its number, its fingerprint, whether it is outdated, and answered.
    fn posted(id: u32, fingerprint: &str, is_outdated: bool, is_answered: bool) -> Posted<u32> {
        Posted {
            id,
            fingerprint: fingerprint.to_string(),
            body: format!("body of {fingerprint}\r\n"),
            is_outdated,
            is_answered,
        }
    }

    /// What is made, changed and removed where `x` is wanted.
    #[track_caller]
    fn check(there: &[Posted<u32>], create: usize, update: &[u32], delete: &[u32]) {
        let plan = Plan {
            comments: vec![Comment::of_fingerprint("x")],
            ..Plan::default()
        };
        let steps = steps(&plan, there, |it| format!("body of {}", it.fingerprint));
        let updated: Vec<u32> = steps.update.iter().map(|(id, _)| *id).collect();
        assert_eq!(steps.create.len(), create);
        assert_eq!(
            (updated.as_slice(), steps.delete.as_slice()),
            (update, delete)
        );
    }

    #[test]
    fn what_is_wanted_and_there_stays() {
        check(&[posted(1, "x", false, false)], 0, &[], &[]);
        check(&[posted(1, "x", false, true)], 0, &[], &[]);
    }

    #[test]
    fn what_is_not_there_or_outdated_is_made() {
        check(&[], 1, &[], &[]);
        check(&[posted(1, "x", true, false)], 1, &[], &[1]);
        check(&[posted(1, "x", true, true)], 0, &[], &[]);
    }

    #[test]
    fn what_is_not_wanted_goes_unless_it_was_answered() {
        let there = [posted(1, "y", false, false), posted(2, "z", true, true)];
        check(&there, 1, &[], &[1]);
    }

    #[test]
    fn of_equal_ones_the_best_stays() {
        let there = [
            posted(1, "x", true, false),
            posted(2, "x", false, false),
            posted(3, "x", false, true),
            posted(4, "x", true, true),
        ];
        check(&there, 0, &[], &[1, 2]);
    }

    #[test]
    fn what_says_something_else_is_changed() {
        let mut there = posted(1, "x", false, false);
        there.body = "another".to_string();
        check(&[there], 0, &[1], &[]);
    }
}
