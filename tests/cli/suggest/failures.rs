//! What services answer when they are not well, or we are not welcome.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::described::Trouble;
use super::github::TOKEN;
use super::pull::Pull;
use super::server::Answer;
use crate::project::Ran;

const TWO: &str = "import asyncio\nimport time\n\nprint(time.time())\n\n\nasync def f():\n    \
                   time.sleep(1)\n\n\nasync def g():\n    time.sleep(2)\n";

fn pull() -> Pull {
    Pull::new(&[], &[("a.py", TWO)])
}

fn message(text: &str) -> Value {
    json!({ "message": text, "documentation_url": "https://docs.github.com/rest" })
}

const REVIEW: &str = "pulls/create-review";

/// A run with something that goes wrong.
fn run(pull: &Pull, trouble: Trouble) -> Ran {
    pull.github().desk.troubles = vec![trouble];
    pull.run(&[])
}

/// Whether all that was to be said can be read somewhere.
#[track_caller]
fn assert_nothing_lost(pull: &Pull, ran: &Ran) {
    for line in ["file=a.py,line=8,", "file=a.py,line=12,"] {
        assert!(
            ran.stdout.contains(&format!("::warning {line}")),
            "{}",
            ran.stdout
        );
    }
    let summary = pull.step_summary();
    for line in ["+    await asyncio.sleep(1)", "+    await asyncio.sleep(2)"] {
        assert!(summary.contains(line), "{summary}");
    }
}

#[test]
fn a_fork_gets_annotations() {
    let answer = Answer::new(403, message("Resource not accessible by integration"));
    // A token may be refused already where it would read.
    let pull = pull();
    let ran = run(
        &pull,
        Trouble::new("pulls/list-review-comments", 9, answer.clone()),
    );
    assert_eq!(ran.status, 0);
    assert_nothing_lost(&pull, &ran);

    let pull = self::pull();
    let ran = run(&pull, Trouble::new(REVIEW, 9, answer));
    assert_eq!(ran.status, 0);
    assert!(
        ran.stderr
            .starts_with("GITHUB_TOKEN does not allow comments on pull request 7 of o/r: "),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("Resource not accessible by integration")
    );
    assert_nothing_lost(&pull, &ran);
    assert_eq!(pull.github().changes()[REVIEW], 1);
}

#[test]
fn a_token_that_is_none_is_an_error() {
    let pull = pull();
    let answer = Answer::new(401, message(&format!("Bad credentials {TOKEN}")));
    let ran = run(&pull, Trouble::new("users/get-authenticated", 9, answer));
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .contains("401 Bad credentials ***: GITHUB_TOKEN is not valid"),
        "{}",
        ran.stderr
    );
    assert_nothing_lost(&pull, &ran);
    assert_eq!(pull.github().desk.asked.len(), 1);
}

#[test]
fn a_pull_request_that_the_token_does_not_see_is_an_error() {
    let pull = pull();
    let answer = Answer::new(404, message("Not Found"));
    let ran = run(&pull, Trouble::new("pulls/list-review-comments", 9, answer));
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("404 Not Found"), "{}", ran.stderr);
    assert_nothing_lost(&pull, &ran);
}

#[test]
fn what_a_service_asks_to_wait_is_waited() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let reset = (now + 1).to_string();
    let limited = message("You have exceeded a secondary rate limit");
    for answer in [
        Answer::new(429, limited.clone()).with("retry-after", "1"),
        Answer::new(403, limited.clone()).with("retry-after", "1"),
        Answer::new(403, limited.clone())
            .with("x-ratelimit-remaining", "0")
            .with("x-ratelimit-reset", &reset),
    ] {
        let pull = pull();
        let begun = Instant::now();
        let ran = run(&pull, Trouble::new(REVIEW, 1, answer));
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        assert!(begun.elapsed().as_millis() > 900);
        assert_eq!(pull.places(), ["a.py:12", "a.py:8"]);
        assert_eq!(pull.github().changes()[REVIEW], 2);
    }
}

#[test]
fn what_would_take_too_long_is_not_waited_for() {
    let pull = pull();
    let answer = Answer::new(403, message("API rate limit exceeded"))
        .with("x-ratelimit-remaining", "0")
        .with("x-ratelimit-reset", "99999999999");
    let begun = Instant::now();
    let ran = run(&pull, Trouble::new(REVIEW, 9, answer));
    assert!(begun.elapsed().as_secs() < 60);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("too many requests"), "{}", ran.stderr);
    assert_nothing_lost(&pull, &ran);
}

#[test]
fn what_fails_once_is_tried_again() {
    for operation in ["pulls/list-review-comments", "issues/list-comments", REVIEW] {
        let pull = pull();
        let ran = run(
            &pull,
            Trouble::new(operation, 1, Answer::new(502, Value::Null)),
        );
        assert_eq!(ran.status, 0, "{operation}: {}", ran.stderr);
        assert_eq!(pull.places(), ["a.py:12", "a.py:8"], "{operation}");
    }
}

#[test]
fn what_may_have_been_done_is_not_done_twice() {
    let pull = pull();
    let trouble = Trouble {
        is_done: true,
        ..Trouble::new(REVIEW, 1, Answer::new(504, message("timed out")))
    };
    let ran = run(&pull, trouble);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stderr.ends_with("of o/r: 2 new.\n"), "{}", ran.stderr);
    assert_eq!(pull.places(), ["a.py:12", "a.py:8"]);
    assert_eq!(pull.github().changes()[REVIEW], 1);

    // The same for the summary.
    let pull = self::pull();
    pull.github().desk.troubles = vec![Trouble {
        is_done: true,
        ..Trouble::new("issues/create-comment", 1, Answer::new(504, Value::Null))
    }];
    assert_eq!(pull.run(&["--max-comments", "1"]).status, 0);
    assert!(pull.summary().is_some());
    assert_eq!(pull.github().changes()["issues/create-comment"], 1);
}

#[test]
fn a_service_that_stays_unwell_is_an_error() {
    let pull = pull();
    let ran = run(
        &pull,
        Trouble::new(REVIEW, 99, Answer::new(500, message("hm"))),
    );
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .contains("500 hm: the service does not answer as it should"),
        "{}",
        ran.stderr
    );
    assert_nothing_lost(&pull, &ran);
    assert_eq!(pull.github().changes()[REVIEW], 4);
}

#[test]
fn a_service_that_is_not_there_is_an_error() {
    let pull = pull();
    // Nobody listens there.
    let mut command = pull.command(&[]);
    let output = command
        .env("GITHUB_API_URL", "http://127.0.0.1:1")
        .output()
        .unwrap();
    let ran = Ran::of(&output);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("127.0.0.1:1"), "{}", ran.stderr);
    assert_nothing_lost(&pull, &ran);
}

#[test]
fn one_bad_comment_does_not_lose_the_others() {
    let pull = pull();
    let answer = Answer::new(422, message("Unprocessable Entity"));
    let trouble = Trouble {
        holds: "asyncio.sleep(1)",
        ..Trouble::new(REVIEW, 9, answer)
    };
    let ran = run(&pull, trouble);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(pull.places(), ["a.py:12"]);
    let summary = pull.summary().unwrap();
    assert!(
        summary.contains("GitHub does not accept it as a suggestion"),
        "{summary}"
    );
    assert!(summary.contains("+    await asyncio.sleep(1)"), "{summary}");
    assert!(
        ran.stderr.contains("422 Unprocessable Entity"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_bad_comment_takes_all_of_its_fix_along() {
    let pull = Pull::new(
        &[],
        &[
            ("a.py", &TWO.replacen("import asyncio\n", "", 1)),
            ("b.py", TWO),
        ],
    );
    // Of a.py, the import and both sleeps are one fix.
    pull.github().desk.troubles = vec![Trouble {
        holds: "asyncio.sleep(1)\\n```\\n\\nEffect: Other tasks run, and a cancellation can arrive, \
                during the sleep. The fix is intended: what changes is what the codemod exists to \
                change, and nothing else.\\n\\n**Not alone",
        ..Trouble::new(REVIEW, 9, Answer::new(422, message("no")))
    }];
    assert_eq!(pull.run(&[]).status, 0);
    assert_eq!(pull.places(), ["b.py:12", "b.py:8"]);
    assert!(pull.summary().unwrap().contains("a.py"));
}

#[test]
fn of_a_fix_that_is_not_accepted_nothing_stays() {
    let text = TWO.replacen("import asyncio\n", "", 1);
    let pull = Pull::new(&[], &[("a.py", &text)]);
    assert_eq!(pull.run(&[]).status, 0);
    assert_eq!(pull.places(), ["a.py:1", "a.py:11", "a.py:7"]);
    // Another time for one of the sleeps, which is not accepted.
    pull.project
        .write("a.py", text.replace("sleep(2)", "sleep(3)"));
    pull.push();
    let answer = Answer::new(422, message("Unprocessable Entity"));
    let ran = run(&pull, Trouble::new(REVIEW, 9, answer));
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(pull.places(), [""; 0]);
    let summary = pull.summary().unwrap();
    for line in [
        "+import asyncio",
        "+    await asyncio.sleep(1)",
        "+    await asyncio.sleep(3)",
    ] {
        assert!(summary.contains(line), "{summary}");
    }
}

#[test]
fn a_summary_that_may_not_be_said_is_on_the_page_of_the_job() {
    let pull = pull();
    let answer = Answer::new(403, message("Resource not accessible by integration"));
    pull.github().desk.troubles = vec![Trouble::new("issues/create-comment", 9, answer)];
    let ran = pull.run(&["--max-comments", "1"]);
    assert_eq!(ran.status, 0);
    assert_eq!(pull.places(), ["a.py:8"]);
    assert!(pull.step_summary().contains("+    await asyncio.sleep(2)"));
    assert!(ran.stderr.contains("warning: "), "{}", ran.stderr);
}

#[test]
fn lines_of_the_pull_request_are_no_commands_of_the_runner() {
    let text = format!("{TWO}    x = \"\"\"\n::add-mask::asyncio\n ::error::x\n\"\"\"\n");
    let pull = Pull::new(&[], &[("a.py", &text)]);
    let answer = Answer::new(403, message("Resource not accessible by integration"));
    pull.github().desk.troubles = vec![Trouble::new(REVIEW, 9, answer)];
    let mut command = pull.command(&[]);
    let ran = Ran::of(&command.env_remove("GITHUB_STEP_SUMMARY").output().unwrap());
    assert_eq!(ran.status, 0);
    assert!(ran.stdout.contains("::add-mask::"), "{}", ran.stdout);
    for line in [&ran.stdout, &ran.stderr]
        .into_iter()
        .flat_map(|it| it.lines())
    {
        let line = line.trim_start();
        assert!(
            !line.starts_with("::") || line.starts_with("::warning file=a.py,"),
            "{line}"
        );
    }
}

#[test]
fn another_host_does_not_get_the_token() {
    let pull = pull();
    let other = Pull::new(&[], &[("a.py", TWO)]);
    let elsewhere = other.command(&[]);
    let elsewhere = elsewhere
        .get_envs()
        .find(|(name, _)| *name == "GITHUB_API_URL");
    let elsewhere = elsewhere.unwrap().1.unwrap().to_str().unwrap();
    let answer = Answer::new(302, Value::Null).with("location", elsewhere);
    let ran = run(&pull, Trouble::new("pulls/list-review-comments", 9, answer));
    assert_eq!(ran.status, 2);
    assert_eq!(other.github().desk.asked.len(), 0);
    assert_nothing_lost(&pull, &ran);
}
