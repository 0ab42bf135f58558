//! What is suggested, and what is not.

#![allow(
    clippy::single_range_in_vec_init,
    reason = "a diff may be of one piece"
)]

use edit::{Applicability, hunks};
use proptest::prelude::*;

use super::*;
use crate::diff::DiffHunk;
use crate::input::Outcome;

impl Comment {
    /// One that is known by this.
    pub fn of_fingerprint(fingerprint: &str) -> Self {
        Self {
            path: String::new(),
            old_path: String::new(),
            rows: 1..2,
            old_rows: Vec::new(),
            content: String::new(),
            fingerprint: fingerprint.to_string(),
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

const LIMITS: Limits = Limits {
    comments: 9,
    rows: 9,
};

/// A group that replaces these rows of ten lines by others, and takes this import out.
fn group(rows: &[usize], import: Option<usize>) -> Group {
    let finding = Finding {
        codemod: "name".to_string(),
        message: String::new(),
        rows: rows[0]..rows[0] + 1,
        place: None,
        effect: String::new(),
        url: String::new(),
        outcome: Outcome::Fix {
            applicability: Applicability::Safe,
            why: String::new(),
        },
    };
    let replaced = lines().into_iter().enumerate().map(|(index, line)| {
        if rows.contains(&(index + 1)) {
            format!("new {line}")
        } else {
            line
        }
    });
    let replaced: Vec<String> = replaced.collect();
    let mut whole = replaced.clone();
    if let Some(row) = import {
        whole[row - 1].clear();
    }
    Group {
        findings: vec![finding],
        needed: hunks(&text(), &replaced.concat()),
        whole: hunks(&text(), &whole.concat()),
    }
}

fn lines() -> Vec<String> {
    (1..=10).map(|row| format!("{row}\n")).collect()
}

fn text() -> String {
    lines().concat()
}

fn file(groups: Vec<Group>) -> File {
    let mut hunks: Vec<Hunk> = groups.iter().flat_map(|it| it.whole.clone()).collect();
    hunks.sort_by_key(|it| it.rows.start);
    hunks.dedup();
    File {
        path: "a.py".to_string(),
        text: text(),
        obstacle: None,
        bom: false,
        groups,
        all: hunks,
        withheld: Vec::new(),
    }
}

fn diff(rows: &[Range<usize>]) -> Diff {
    let hunks = rows.iter().map(|rows| DiffHunk {
        rows: rows.clone(),
        unchanged: Vec::new(),
    });
    let file = DiffFile {
        old_path: "a.py".to_string(),
        hunks: hunks.collect(),
    };
    Diff {
        files: [("a.py".to_string(), file)].into(),
    }
}

/// The rows of the suggestions, and the reasons why the rest is none.
#[track_caller]
fn check(
    file: &File,
    shown: &[Range<usize>],
    limits: &Limits,
    suggested: &[Range<usize>],
    reasons: &[&str],
) {
    let plan = plan(std::slice::from_ref(file), &diff(shown), limits);
    let rows: Vec<_> = plan.comments.iter().map(|it| it.rows.clone()).collect();
    let rest: Vec<_> = plan.rest.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!((rows.as_slice(), rest.as_slice()), (suggested, reasons));
}

#[test]
fn what_cannot_be_suggested_whole_is_not_suggested() {
    let one = file(vec![group(&[2, 9], None)]);
    let hidden = "line 9 is not in the diff of the pull request";
    check(&one, &[1..5], &LIMITS, &[], &[hidden]);
    let both = "lines 2 and 9 are not in the diff of the pull request";
    check(&one, &[4..6], &LIMITS, &[], &[both]);
    let few = Limits {
        comments: 1,
        ..LIMITS
    };
    let most = "there are more than 1 suggestions";
    check(&one, &[1..11], &few, &[], &[most]);
    let long = file(vec![group(&[2, 3], None)]);
    let short = Limits { rows: 1, ..LIMITS };
    let lines = "it replaces more than 1 lines, which a comment cannot";
    check(&long, &[1..11], &short, &[], &[lines]);
    // Rows of two pieces of the diff.
    check(
        &long,
        &[1..3, 3..5],
        &LIMITS,
        &[],
        &["line 2 is not in the diff of the pull request"],
    );
    let elsewhere = File {
        path: "b.py".to_string(),
        ..long.clone()
    };
    let unchanged = "the pull request does not change this file";
    check(&elsewhere, &[1..5], &LIMITS, &[], &[unchanged]);
    let marked = File {
        bom: true,
        ..file(vec![group(&[1], None)])
    };
    let mark = "line 1 holds the byte order mark of the file";
    check(&marked, &[1..5], &LIMITS, &[], &[mark]);
}

#[test]
fn what_shares_or_touches_lines_is_one_fix() {
    let shared = file(vec![group(&[1, 4], None), group(&[1, 8], None)]);
    check(&shared, &[1..11], &LIMITS, &[1..2, 4..5, 8..9], &[]);
    let plan = plan(&[shared], &diff(&[1..11]), &LIMITS);
    assert!(
        plan.comments
            .iter()
            .all(|it| it.unit == plan.comments[0].unit)
    );
    let with: Vec<&[usize]> = plan.comments.iter().map(|it| it.with.as_slice()).collect();
    assert_eq!(with, [&[4, 8][..], &[1], &[1]]);
    let near = file(vec![group(&[4], None), group(&[5], None)]);
    check(&near, &[1..11], &LIMITS, &[4..6], &[]);
}

#[test]
fn an_import_is_let_stand_where_it_cannot_be_suggested() {
    let unused = file(vec![group(&[8], Some(1))]);
    check(&unused, &[1..11], &LIMITS, &[1..3, 8..9], &[]);
    let whole = plan(std::slice::from_ref(&unused), &diff(&[1..11]), &LIMITS);
    let [removal, fix] = whole.comments.as_slice() else {
        unreachable!()
    };
    assert!(removal.is_last && removal.with == [8] && removal.removals.is_empty());
    assert!(!fix.is_last && fix.with.is_empty() && fix.removals == [1]);
    check(&unused, &[7..11], &LIMITS, &[8..9], &[]);
    let plan = plan(&[unused], &diff(&[7..11]), &LIMITS);
    assert_eq!(plan.comments[0].unused, [1]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn each_suggestion_is_in_one_piece_of_the_diff_and_no_fix_is_halved(
        groups in prop::collection::vec(
            (prop::collection::btree_set(1..=10_usize, 1..4), prop::option::of(1..=10_usize)),
            1..4,
        ),
        shown in prop::collection::vec(0..6_usize, 6),
        comments in 0..6_usize,
    ) {
        let groups = groups.into_iter().map(|(rows, import)| {
            let import = import.filter(|row| !rows.contains(row));
            group(&rows.into_iter().collect::<Vec<_>>(), import)
        });
        let file = file(groups.collect());
        // Pieces with gaps between them.
        let (mut pieces, mut row) = (Vec::new(), 1);
        for pair in shown.chunks(2) {
            let start = row + pair[0];
            pieces.push(start..start + pair[1]);
            row = start + pair[1] + 1;
        }
        let diff = diff(&pieces);
        let limits = Limits { comments, rows: 4 };
        let plan = plan(std::slice::from_ref(&file), &diff, &limits);
        prop_assert!(plan.comments.len() <= comments);
        for comment in &plan.comments {
            let holds = |it: &Range<usize>| {
                it.start <= comment.rows.start && comment.rows.end <= it.end
            };
            prop_assert!(pieces.iter().any(holds), "{:?}", comment.rows);
            prop_assert!(comment.rows.len() <= limits.rows);
        }
        let rows: Vec<_> = plan.comments.iter().map(|it| it.rows.clone()).collect();
        prop_assert!(rows.windows(2).all(|pair| pair[0].end <= pair[1].start), "{rows:?}");
        // Each group's lines are all suggested, or its findings are all in the rest.
        for group in &file.groups {
            let is_suggested = |hunk: &Hunk| {
                plan.comments.iter().any(|it| {
                    it.rows.start <= hunk.rows.start
                        && hunk.rows.end <= it.rows.end
                        && it.content.contains(&hunk.content)
                })
            };
            let rows = &group.findings[0].rows;
            let in_comments = plan.comments.iter().flat_map(|it| &it.findings);
            let in_rest = plan.rest.iter().flat_map(|it| &it.findings);
            if in_comments.clone().any(|it| it.rows == *rows)
                && !in_rest.clone().any(|it| it.rows == *rows)
            {
                prop_assert!(group.needed.iter().all(is_suggested), "{group:?} {plan:?}");
            } else {
                prop_assert!(in_rest.clone().any(|it| it.rows == *rows));
            }
        }
    }
}
