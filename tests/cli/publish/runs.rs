//! What comes of runs, and of runs again.

use std::fs;

use serde_json::Value;

use super::hub::At;
use super::{Published, SLEEPS};
use crate::migrate::{commit, git};
use crate::project::WITHHELD;

at_both! {
    what_is_not_migrated_is_not_published,
    a_dry_run_sends_nothing_and_needs_no_token,
    a_dry_run_shows_an_update_where_there_is_a_pull_request,
    a_pull_request_says_what_was_done_left_and_tested,
    a_second_run_asks_nothing_and_doubles_nothing,
    what_somebody_closed_stays_closed,
    a_branch_that_somebody_else_changed_is_left_alone,
    a_branch_with_other_fixes_is_updated_and_not_doubled,
    what_somebody_says_of_a_draft_stays,
}

fn what_is_not_migrated_is_not_published(at: At) {
    // One is planned and not run, and one has nothing to be fixed.
    let published = Published::of(
        at,
        &[
            ("r", vec![("a.py", SLEEPS)]),
            ("s", vec![("a.py", "x = 1\n")]),
        ],
        &[],
    );
    let said = published.published(&[]);
    assert_eq!(published.hub().asked().len(), 0);
    assert!(said.contains("nothing to publish"), "{said}");
    published.run();
    // And one whose tests fail before any fix.
    fs::remove_dir_all(published.campaign.project.path("c")).unwrap();
    published.plan(&["--verify=false"]);
    assert_eq!(published.migrate(&["run", "--quiet"]).status, 3);
    published.published(&[]);
    assert_eq!(published.hub().asked().len(), 0);
    assert_eq!(published.branch("r"), "");
}

/// What `--dry-run` prints, at the usual address.
fn printed(published: &Published) -> Value {
    let mut command = published.command(&["publish", "--dry-run", "--draft"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn a_dry_run_sends_nothing_and_needs_no_token(at: At) {
    let published = Published::new(at, &["r"]);
    let said = printed(&published);
    let request = &said[0]["request"];
    let (path, branch) = match at.provider {
        "github" => ("/repos/o/r/pulls", "head"),
        _ => ("/projects/g%2Fo%2Fr/merge_requests", "source_branch"),
    };
    assert_eq!(request["url"], format!("{}{path}", at.api));
    assert_eq!(request["body"][branch], "asyncfix/c");
    assert_eq!(said[0]["push"]["branch"], "asyncfix/c");
    assert_eq!(said.as_array().unwrap().len(), 1);
    assert_eq!(
        (published.branch("r"), published.hub().asked().len()),
        (String::new(), 0)
    );
}

fn a_dry_run_shows_an_update_where_there_is_a_pull_request(at: At) {
    let published = Published::new(at, &["r"]);
    published.published(&["--draft"]);
    assert_eq!(printed(&published), Value::Array(Vec::new()));
    published.go_on("r");
    let asked = published.hub().asked().len();
    let request = &printed(&published)[0]["request"];
    let (method, path, title) = match at.provider {
        "github" => (
            "PATCH",
            "/repos/o/r/pulls/1",
            "asyncfix: 2 fixes in 2 files",
        ),
        _ => (
            "PUT",
            "/projects/g%2Fo%2Fr/merge_requests/1",
            "Draft: asyncfix: 2 fixes in 2 files",
        ),
    };
    assert_eq!(request["method"], method);
    assert_eq!(request["url"], format!("{}{path}", at.api));
    assert_eq!(request["body"]["title"], title);
    assert_eq!(published.hub().asked().len(), asked);
}

fn a_pull_request_says_what_was_done_left_and_tested(at: At) {
    let files = vec![("a.py", SLEEPS), ("b.py", WITHHELD)];
    let published = Published::of(at, &[("r", files)], &["--verify=true"]);
    published.run();
    let said = published.published(&["--draft"]);
    assert!(
        said.contains(&format!("made {}", at.page("r", 1))),
        "{said}"
    );
    let seen = published.hub().seen("r");
    for part in [
        "| await-sleep | 1 | Other tasks run",
        "The tests pass with these fixes:\n\n```text\ntrue\n```",
        "Left for a person to decide, and why:\n\n```text\nawait-sleep: 1: it stands in `finally`",
        "Campaign `c`",
    ] {
        assert!(seen.body.contains(part), "{part}: {}", seen.body);
    }
    assert_eq!(seen.title, "asyncfix: 1 fix in 1 file");
    assert_eq!((seen.is_draft, seen.base.as_str()), (true, "main"));
    assert!(!seen.body.contains(at.token));
    assert_eq!(seen.url, at.page("r", 1));
}

fn a_second_run_asks_nothing_and_doubles_nothing(at: At) {
    let published = Published::new(at, &["r", "s"]);
    published.published(&[]);
    assert_eq!(published.hub().changes()[at.create], 2);
    let asked = published.hub().asked().len();
    let said = published.published(&[]);
    assert!(said.contains("2 as they were"), "{said}");
    assert_eq!(published.hub().asked().len(), asked);
    // What was known here is lost: they are found by their branches.
    published.forget();
    let said = published.published(&[]);
    assert!(said.contains("2 as they were"), "{said}");
    // And so where all is that the campaign knows.
    for name in ["campaign.db", "campaign.db-wal", "campaign.db-shm"] {
        let path = published.campaign.project.path("c").join(name);
        let _ = fs::remove_file(path);
    }
    published.run();
    let said = published.published(&[]);
    assert!(said.contains("2 as they were"), "{said}");
    let mut hub = published.hub();
    assert_eq!(hub.changes()[at.create], 2);
    assert_eq!(hub.names(), ["r", "s"]);
}

fn what_somebody_closed_stays_closed(at: At) {
    let published = Published::new(at, &["r"]);
    published.published(&[]);
    published.hub().close("r");
    published.forget();
    let said = published.published(&[]);
    assert!(said.contains("closed by somebody"), "{said}");
    // With other fixes too.
    published.go_on("r");
    let said = published.published(&[]);
    assert!(said.contains("closed by somebody"), "{said}");
    assert_eq!(published.hub().changes()[at.create], 1);
}

fn a_branch_that_somebody_else_changed_is_left_alone(at: At) {
    let published = Published::new(at, &["r"]);
    let folder = published.folder("r");
    git(&folder, &["checkout", "-q", "-b", "asyncfix/c"]);
    commit(&folder, "Mine");
    let mine = published.branch("r");
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("which was not pushed from here"),
        "{}",
        ran.stderr
    );
    assert_eq!(published.branch("r"), mine);
    assert!(published.hub().changes().is_empty());
}

fn a_branch_with_other_fixes_is_updated_and_not_doubled(at: At) {
    let published = Published::new(at, &["r"]);
    published.published(&[]);
    let before = published.branch("r");
    published.go_on("r");
    let said = published.published(&[]);
    assert!(
        said.contains(&format!("updated {}", at.page("r", 1))),
        "{said}"
    );
    assert_ne!(published.branch("r"), before);
    let mut hub = published.hub();
    let seen = hub.seen("r");
    assert_eq!(seen.title, "asyncfix: 2 fixes in 2 files");
    assert!(seen.body.contains("| await-sleep | 2 |"), "{}", seen.body);
    assert_eq!((hub.changes()[at.create], seen.is_draft), (1, false));
}

/// At GitLab the title says it.
fn what_somebody_says_of_a_draft_stays(at: At) {
    let published = Published::new(at, &["r", "s"]);
    published.published(&["--draft"]);
    published.hub().make_ready("s");
    published.go_on("r");
    published.go_on("s");
    let said = published.published(&["--draft"]);
    assert!(said.contains("2 updated"), "{said}");
    let mut hub = published.hub();
    let (r, s) = (hub.seen("r"), hub.seen("s"));
    assert_eq!((r.is_draft, s.is_draft), (true, false));
    assert_eq!(
        (&*r.title, &*s.title),
        ("asyncfix: 2 fixes in 2 files", r.title.as_str())
    );
}
