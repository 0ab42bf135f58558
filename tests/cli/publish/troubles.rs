//! What services answer when they are not well.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::Published;
use super::hub::{At, GITHUB, GITLAB};
use crate::suggest::described::Trouble;
use crate::suggest::server::Answer;

at_both! {
    an_answer_that_was_lost_is_looked_up_first,
    a_service_that_does_not_answer_is_asked_again,
    an_update_whose_answer_was_lost_is_sent_again,
    one_that_somebody_else_made_meanwhile_is_taken,
    a_run_that_fails_in_the_middle_goes_on_where_it_was,
    one_repository_that_is_refused_does_not_keep_the_others,
    what_the_service_asks_to_wait_is_waited,
}

fn message(text: &str) -> Value {
    json!({ "message": text })
}

fn an_answer_that_was_lost_is_looked_up_first(at: At) {
    let published = Published::new(at, &["r", "s"]);
    published.hub().go_wrong(vec![
        Trouble {
            is_done: true,
            ..Trouble::new(at.create, 1, Answer::new(504, message("timed out")))
        },
        Trouble {
            is_done: true,
            ..Trouble::new(at.create, 1, Answer::lost())
        },
    ]);
    let said = published.published(&[]);
    assert!(said.contains("2 made"), "{said}");
    let mut hub = published.hub();
    assert_eq!(hub.changes()[at.create], 2);
    assert_eq!(hub.names(), ["r", "s"]);
}

fn a_service_that_does_not_answer_is_asked_again(at: At) {
    let published = Published::new(at, &["r"]);
    // Not carried out, and it cannot be known: it is looked up, and tried again.
    published.hub().go_wrong(vec![
        Trouble::new(at.create, 1, Answer::new(502, Value::Null)),
        Trouble::new(at.create, 1, Answer::lost()),
    ]);
    published.published(&[]);
    assert_eq!(published.hub().changes()[at.create], 3);
    assert_eq!(published.hub().names(), ["r"]);
    // One that is not there at all ends the run, and the next goes on.
    let published = Published::new(at, &["r", "s"]);
    let answer = Answer::new(503, message("down"));
    published
        .hub()
        .go_wrong(vec![Trouble::new(at.create, 99, answer)]);
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("503 down"), "{}", ran.stderr);
    published.hub().go_wrong(Vec::new());
    published.published(&[]);
    assert_eq!(published.hub().names(), ["r", "s"]);
}

fn an_update_whose_answer_was_lost_is_sent_again(at: At) {
    let published = Published::new(at, &["r"]);
    published.published(&[]);
    published.go_on("r");
    published.hub().go_wrong(vec![Trouble {
        is_done: true,
        ..Trouble::new(at.update, 1, Answer::lost())
    }]);
    let said = published.published(&[]);
    assert!(said.contains("1 updated"), "{said}");
    let mut hub = published.hub();
    assert_eq!(hub.seen("r").title, "asyncfix: 2 fixes in 2 files");
    assert_eq!(hub.changes()[at.create], 1);
}

fn one_that_somebody_else_made_meanwhile_is_taken(at: At) {
    let published = Published::new(at, &["r"]);
    // It is made, and what comes back is what the service says to the second that asks for it.
    let said = match at.provider {
        "github" => Answer::new(
            422,
            message("A pull request already exists for o:asyncfix/c."),
        ),
        _ => Answer::new(
            409,
            json!({ "message": ["Another open merge request already exists for this source branch: !1"] }),
        ),
    };
    published.hub().go_wrong(vec![Trouble {
        is_done: true,
        ..Trouble::new(at.create, 1, said)
    }]);
    let said = published.published(&[]);
    assert!(said.contains("Pull requests: 1 "), "{said}");
    assert_eq!(published.hub().changes()[at.create], 1);
    assert_eq!(published.hub().names(), ["r"]);
    let said = published.published(&[]);
    assert!(said.contains("1 as they were"), "{said}");
}

fn a_run_that_fails_in_the_middle_goes_on_where_it_was(at: At) {
    let published = Published::new(at, &["r", "s", "t"]);
    let answer = Answer::new(401, message(&format!("Bad credentials {}", at.token)));
    published.hub().go_wrong(vec![Trouble {
        holds: "asyncfix/c",
        ..Trouble::new(at.create, 9, answer)
    }]);
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 2);
    for part in [
        "Bad credentials ***",
        &format!("{} is not valid", at.variable),
    ] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    // The branch was pushed, and is not pushed again.
    let pushed = published.branch("r");
    assert!(!pushed.is_empty());
    published.hub().go_wrong(Vec::new());
    let said = published.published(&[]);
    assert!(said.contains("3 made"), "{said}");
    assert_eq!(published.branch("r"), pushed);
    assert_eq!(published.hub().names(), ["r", "s", "t"]);
}

fn one_repository_that_is_refused_does_not_keep_the_others(at: At) {
    let published = Published::new(at, &["r", "s"]);
    let answer = Answer::new(403, message("Resource not accessible"));
    published
        .hub()
        .go_wrong(vec![Trouble::new(at.create, 1, answer)]);
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 1);
    for part in ["403 Resource not accessible", "1 made, 1 not published"] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    published.published(&[]);
    assert_eq!(published.hub().names(), ["r", "s"]);
}

fn what_the_service_asks_to_wait_is_waited(at: At) {
    let published = Published::new(at, &["r"]);
    let limited = Answer::new(429, message("slow down")).with("retry-after", "1");
    published
        .hub()
        .go_wrong(vec![Trouble::new(at.create, 1, limited)]);
    let begun = Instant::now();
    published.published(&[]);
    assert!(begun.elapsed().as_millis() > 900);
    // And what would take longer than an hour is not.
    let published = Published::new(at, &["r"]);
    let limited = Answer::new(429, message("slow down")).with("retry-after", "99999");
    published
        .hub()
        .go_wrong(vec![Trouble::new(at.create, 1, limited)]);
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("Stopped: too many requests"),
        "{}",
        ran.stderr
    );
    assert!(published.hub().names().is_empty());
}

/// With the names that each service has for it.
#[test]
fn a_limit_that_says_when_it_is_over_is_waited_for() {
    for (at, before) in [(GITHUB, "x-"), (GITLAB, "")] {
        let published = Published::new(at, &["r"]);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let reset = (now + Duration::from_secs(2)).as_secs().to_string();
        let limited = Answer::new(429, message("slow down"))
            .with(&format!("{before}ratelimit-remaining"), "0")
            .with(&format!("{before}ratelimit-reset"), &reset);
        published
            .hub()
            .go_wrong(vec![Trouble::new(at.create, 1, limited)]);
        let begun = Instant::now();
        let said = published.published(&[]);
        assert!(said.contains("1 made"), "{said}");
        let took = begun.elapsed();
        assert!((2..30).contains(&took.as_secs()), "{took:?}");
    }
}
