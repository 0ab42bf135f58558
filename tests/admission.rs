//! The caller says which findings count, in every round.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says"
)]

use std::cell::RefCell;

use edit::Applicability;
use engine::{
    Admission, Admitted, Host, OptionValues, Outcome, Rewritten, Settings, Sited, Target,
};
use python::ast::PythonVersion;

/// An answer for each finding by what it was in the text as it was given, and what was asked.
struct Asked<F> {
    answer: F,
    asked: RefCell<Vec<String>>,
}

impl<F: Fn(&str) -> Admitted> Admission for Asked<F> {
    fn admit(&self, _: &str, findings: &[Sited<'_>]) -> Vec<Admitted> {
        let origin = |sited: &Sited<'_>| &SOURCE[sited.origin.clone()];
        let asked = findings
            .iter()
            .map(|sited| format!("{}: {}", sited.finding.codemod.name, origin(sited)));
        self.asked.borrow_mut().extend(asked);
        findings
            .iter()
            .map(|sited| (self.answer)(origin(sited)))
            .collect()
    }
}

const SOURCE: &str = "\
import asyncio
import time


async def f():
    time.sleep(1)
    asyncio.create_task(f())
    time.sleep(2)
";

fn rewrite(answer: impl Fn(&str) -> Admitted) -> (Rewritten, Vec<String>) {
    let settings = Settings {
        codemods: ["await-sleep", "keep-task-reference"]
            .map(|name| codemods::find(name).unwrap())
            .to_vec(),
        target: Target {
            version: PythonVersion {
                major: 3,
                minor: 11,
            },
            origin: "the test".to_string(),
        },
        silence: None,
        apply: Applicability::Unsafe,
        options: OptionValues::default(),
        line_length: 88,
        entry_points: Vec::new(),
        is_package: false,
        is_test: false,
        is_notebook: false,
    };
    let asked = Asked {
        answer,
        asked: RefCell::default(),
    };
    let host = Host {
        admission: &asked,
        ..Host::ALONE
    };
    let rewritten = engine::rewrite(SOURCE, &settings, host).unwrap();
    (rewritten, asked.asked.into_inner())
}

#[test]
fn what_does_not_count_is_neither_reported_nor_fixed() {
    let (rewritten, _) = rewrite(|_| Admitted::No);
    assert!(rewritten.findings.is_empty());
    assert_eq!(rewritten.output, None);
}

#[test]
fn one_of_two_equal_findings_can_count_alone() {
    let (rewritten, asked) = rewrite(|origin| match origin {
        "time.sleep(1)" => Admitted::No,
        _ => Admitted::Yes,
    });
    assert_eq!(rewritten.findings.len(), 2);
    assert!(rewritten.remaining.is_empty());
    let output = rewritten.output.unwrap();
    assert!(output.contains("    time.sleep(1)\n"), "{output}");
    assert!(output.contains("await asyncio.sleep(2)"), "{output}");
    assert!(
        output.contains(".add(task)") || output.contains("add_done_callback"),
        "{output}"
    );
    // In the text of the second round it is asked about again, and is still known.
    let times = asked
        .iter()
        .filter(|it| *it == "await-sleep: time.sleep(1)");
    assert_eq!(times.count(), 2, "{asked:?}");
}

#[test]
fn a_fix_can_be_withheld_for_the_callers_reason() {
    let (rewritten, _) = rewrite(|origin| match origin {
        "time.sleep(2)" => Admitted::Withheld("the tests fail with it".to_string()),
        _ => Admitted::Yes,
    });
    assert!(rewritten.output.unwrap().contains("time.sleep(2)"));
    let [left] = rewritten.remaining.as_slice() else {
        panic!("{:?}", rewritten.remaining);
    };
    let reason = "the tests fail with it";
    assert!(matches!(&left.outcome, Outcome::Withheld(it) if it == reason));
}
