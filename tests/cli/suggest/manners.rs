//! What becomes of comments from one run to the next.

use serde_json::json;

use super::pull::Pull;
use crate::project::SLEEPS;

/// Three coroutines that sleep, for different times.
fn three() -> String {
    let f = |number: usize| format!("\n\nasync def f{number}():\n    time.sleep({number})\n");
    let all: String = (1..4).map(f).collect();
    format!("import asyncio\nimport time\n\nprint(time.time())\n{all}")
}

fn pull() -> Pull {
    Pull::new(
        &[("b.py", "x = 1\n")],
        &[("b.py", "x = 1\n"), ("a.py", &three())],
    )
}

/// What a run changed, by operation.
fn changes(pull: &Pull, arguments: &[&str]) -> Vec<(String, usize)> {
    pull.github().desk.asked.clear();
    let ran = pull.run(arguments);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let github = pull.github();
    let changes = github.changes();
    changes
        .into_iter()
        .map(|(name, count)| (name.to_string(), count))
        .collect()
}

fn change(name: &str, count: usize) -> (String, usize) {
    (name.to_string(), count)
}

#[test]
fn a_second_run_says_nothing_twice() {
    let pull = pull();
    assert_eq!(changes(&pull, &[]), [change("pulls/create-review", 1)]);
    let bodies = pull.bodies();
    assert_eq!(bodies.len(), 3);
    assert_eq!(changes(&pull, &[]), []);
    assert_eq!(pull.bodies(), bodies);
}

#[test]
fn what_is_fixed_is_removed_and_the_rest_stays() {
    let pull = pull();
    changes(&pull, &[]);
    let bodies = pull.bodies();
    // The lines move as well.
    let fixed = three().replace("time.sleep(2)", "await asyncio.sleep(2)");
    pull.project.write("a.py", format!("y = 1\n{fixed}"));
    pull.push();
    for comment in &mut pull.github().comments {
        // As GitHub does it.
        comment["line"] = json!(comment["line"].as_u64().unwrap() + 1);
    }
    assert_eq!(
        changes(&pull, &[]),
        [change("pulls/delete-review-comment", 1)]
    );
    assert_eq!(pull.bodies(), [bodies[0].clone(), bodies[2].clone()]);
    assert_eq!(pull.places(), ["a.py:17", "a.py:9"]);
    assert_eq!(changes(&pull, &[]), []);
}

#[test]
fn what_somebody_answered_stays_and_is_not_said_again() {
    let pull = pull();
    changes(&pull, &[]);
    pull.github().reply(0, "we want it so");
    pull.project
        .write("a.py", three().replace("time.sleep(1)", "x = 1"));
    pull.push();
    pull.github().comments[0]["line"] = json!(null);
    assert_eq!(changes(&pull, &[]), []);
    assert_eq!(pull.bodies().len(), 4);
    // Outdated, answered, and still true: it was talked about.
    pull.project.write("a.py", three());
    pull.push();
    assert_eq!(changes(&pull, &[]), []);
}

#[test]
fn what_no_click_applies_any_longer_is_said_anew() {
    let pull = pull();
    changes(&pull, &[]);
    let old = pull.github().comments[1]["id"].clone();
    pull.github().comments[1]["line"] = json!(null);
    let both = [
        change("pulls/create-review", 1),
        change("pulls/delete-review-comment", 1),
    ];
    assert_eq!(changes(&pull, &[]), both);
    let github = pull.github();
    assert_eq!(github.comments.len(), 3);
    assert!(
        github
            .comments
            .iter()
            .all(|it| it["id"] != old && !it["line"].is_null())
    );
}

#[test]
fn another_line_is_another_suggestion() {
    let pull = pull();
    changes(&pull, &[]);
    pull.project
        .write("a.py", three().replace("sleep(1)", "sleep(10)"));
    pull.push();
    let both = [
        change("pulls/create-review", 1),
        change("pulls/delete-review-comment", 1),
    ];
    assert_eq!(changes(&pull, &[]), both);
    assert!(
        pull.bodies()
            .iter()
            .any(|it| it.contains("asyncio.sleep(10)"))
    );
}

#[test]
fn a_comment_whose_text_is_no_longer_true_is_changed_in_place() {
    let imports = "import time\n\nprint(time.time())\n";
    let text = format!("{imports}\n\nasync def main():\n    time.sleep(1)\n");
    let pull = Pull::new(&[], &[("a.py", &text)]);
    changes(&pull, &[]);
    // The import, line 1, belongs to what is then one line further down.
    pull.project
        .write("a.py", text.replace("\n\n\n", "\n\n\n\n"));
    pull.push();
    assert_eq!(
        changes(&pull, &[]),
        [change("pulls/update-review-comment", 1)]
    );
    assert!(pull.bodies()[0].contains("line 8"), "{:?}", pull.bodies());
}

#[test]
fn what_others_wrote_is_left_alone() {
    let pull = pull();
    changes(&pull, &[]);
    // A person quotes us, and somebody copies a comment as their own.
    for name in ["quoted", "copied"] {
        let mut comment = pull.github().comments[0].clone();
        let body = comment["body"].as_str().unwrap();
        let quoted = format!("> {body}");
        comment["id"] = json!(if name == "quoted" { 1 } else { 2 });
        if name == "quoted" {
            comment["body"] = json!(quoted);
        } else {
            comment["user"] = json!({ "login": "mallory", "id": 3, "type": "User" });
        }
        pull.github().comments.push(comment);
    }
    pull.project
        .write("a.py", three().replace("time.sleep", "await asyncio.sleep"));
    pull.push();
    assert_eq!(
        changes(&pull, &[]),
        [change("pulls/delete-review-comment", 3)]
    );
    let github = pull.github();
    let left: Vec<_> = github.comments.iter().map(|it| it["id"].clone()).collect();
    assert_eq!(left, [json!(1), json!(2)]);
}

#[test]
fn more_than_the_limit_goes_to_the_summary() {
    let pull = pull();
    let made = [
        change("issues/create-comment", 1),
        change("pulls/create-review", 1),
    ];
    assert_eq!(changes(&pull, &["--max-comments", "2"]), made);
    assert_eq!(pull.places().len(), 2);
    let summary = pull.summary().unwrap();
    assert!(
        summary.contains("there are more than 2 suggestions"),
        "{summary}"
    );
    assert!(summary.contains("+    await asyncio.sleep(3)"), "{summary}");
    assert_eq!(changes(&pull, &["--max-comments", "2"]), []);
    // The summary is one, and tells what is so now.
    let made = [
        change("issues/update-comment", 1),
        change("pulls/create-review", 1),
    ];
    assert_eq!(changes(&pull, &[]), made);
    assert_eq!(pull.places().len(), 3);
    assert!(pull.summary().unwrap().contains("nothing is left to say"));
    assert_eq!(changes(&pull, &[]), []);
}

#[test]
fn a_fix_is_not_cut_by_the_limit() {
    let text = format!("import time\n\nprint(time.time())\n{}", &three()[46..]);
    let pull = Pull::new(&[], &[("a.py", &text)]);
    changes(&pull, &["--max-comments", "3"]);
    // The import and three sleeps belong together.
    assert_eq!(pull.places(), [""; 0]);
    changes(&pull, &["--max-comments", "4"]);
    assert_eq!(pull.places().len(), 4);
}

#[test]
fn lists_are_read_to_their_end() {
    let pull = pull();
    changes(&pull, &[]);
    let others: Vec<_> = (0..250)
        .map(|number| {
            let mut comment = pull.github().comments[0].clone();
            comment["id"] = json!(number);
            comment["body"] = json!("hm");
            comment
        })
        .collect();
    pull.github().comments.splice(0..0, others);
    assert_eq!(changes(&pull, &[]), []);
    assert_eq!(pull.places().len(), 253);
}

#[test]
fn equal_lines_are_told_apart() {
    let text = SLEEPS.to_string() + "\n\n\nasync def other():\n    time.sleep(1)\n";
    let pull = Pull::new(&[], &[("a.py", &text)]);
    changes(&pull, &[]);
    assert_eq!(pull.places().len(), 2);
    assert_eq!(changes(&pull, &[]), []);
}
