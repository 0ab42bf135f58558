//! What comes of runs, and of runs again.

use std::fs;

use serde_json::{Value, json};

use super::github::TOKEN;
use super::{Published, SLEEPS};
use crate::migrate::{commit, git};
use crate::project::WITHHELD;
use crate::suggest::github::Trouble;
use crate::suggest::server::Answer;

const CREATE: &str = "pulls/create";

fn message(text: &str) -> Value {
    json!({ "message": text })
}

#[test]
fn what_is_not_migrated_is_not_published() {
    // One is planned and not run, and one has nothing to be fixed.
    let published = Published::of(
        &[
            ("r", vec![("a.py", SLEEPS)]),
            ("s", vec![("a.py", "x = 1\n")]),
        ],
        &[],
    );
    let ran = published.publish(&[]);
    assert_eq!((ran.status, published.github().asked.len()), (0, 0));
    assert!(ran.stderr.contains("nothing to publish"), "{}", ran.stderr);
    published.run();
    // And one whose tests fail before any fix.
    fs::remove_dir_all(published.campaign.project.path("c")).unwrap();
    let verify = published.migrate(&["plan", "list", "--no-types", "--name=c", "--verify=false"]);
    assert_eq!(verify.status, 0, "{}", verify.stderr);
    assert_eq!(published.migrate(&["run", "--quiet"]).status, 3);
    let ran = published.publish(&[]);
    assert_eq!((ran.status, published.github().asked.len()), (0, 0));
    assert_eq!(published.branch("r"), "");
}

#[test]
fn a_dry_run_sends_nothing_and_needs_no_token() {
    let published = Published::new(&["r"]);
    published.run();
    let output = published
        .command(&["publish", "--dry-run"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let request = &said[0]["request"];
    assert_eq!(request["url"], "https://api.github.com/repos/o/r/pulls");
    assert_eq!(request["body"]["head"], "asyncfix/c");
    assert_eq!(said[0]["push"]["branch"], "asyncfix/c");
    assert_eq!(said.as_array().unwrap().len(), 1);
    assert_eq!(
        (published.branch("r"), published.github().asked.len()),
        (String::new(), 0)
    );
}

#[test]
fn without_a_token_nothing_is_pushed() {
    let published = Published::new(&["r"]);
    published.run();
    let output = published.command(&["publish"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("GITHUB_TOKEN is not set"), "{said}");
    assert_eq!(published.branch("r"), "");
}

#[test]
fn a_token_goes_to_no_host_that_was_not_named() {
    let campaign = crate::migrate::Campaign::new();
    let path = campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.plan(&[path.to_str().unwrap()], &[]);
    assert_eq!(campaign.migrate(&["run", "--quiet"]).status, 0);
    let ran = campaign.migrate(&["publish"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("is no address of GitHub or GitLab"),
        "{}",
        ran.stderr
    );

    let published = Published::new(&["r"]);
    published.run();
    published.database("UPDATE repository SET url = 'https://github.com.example/o/r'");
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("neither github.com nor gitlab.com"),
        "{}",
        ran.stderr
    );
    assert_eq!(published.github().asked.len(), 0);
}

#[test]
fn a_pull_request_says_what_was_done_left_and_tested() {
    let files = vec![("a.py", SLEEPS), ("b.py", WITHHELD)];
    let published = Published::of(&[("r", files)], &["--verify=true"]);
    published.run();
    let ran = published.publish(&["--draft"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("made https://github.com/o/r/pull/1"),
        "{}",
        ran.stderr
    );
    let mut github = published.github();
    let pull = github.pull("r");
    let body = pull["body"].as_str().unwrap();
    for part in [
        "| await-sleep | 1 | Other tasks run",
        "The tests pass with these fixes:\n\n```text\ntrue\n```",
        "Left for a person to decide, and why:\n\n```text\nawait-sleep: 1: it stands in `finally`",
        "Campaign `c`",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert_eq!(pull["title"], "asyncfix: 1 fix in 1 file");
    assert_eq!(
        (&pull["draft"], &pull["base"]["ref"]),
        (&json!(true), &json!("main"))
    );
    assert!(!ran.stderr.contains(TOKEN) && !body.contains(TOKEN));
}

#[test]
fn a_second_run_asks_nothing_and_doubles_nothing() {
    let published = Published::new(&["r", "s"]);
    published.run();
    assert_eq!(published.publish(&[]).status, 0);
    assert_eq!(published.github().changes()[CREATE], 2);
    let asked = published.github().asked.len();
    let ran = published.publish(&[]);
    assert!(ran.stderr.contains("2 as they were"), "{}", ran.stderr);
    assert_eq!(published.github().asked.len(), asked);
    // What was known here is lost: they are found by their branches.
    published.database("DELETE FROM publication");
    let ran = published.publish(&[]);
    assert!(ran.stderr.contains("2 as they were"), "{}", ran.stderr);
    let mut github = published.github();
    assert_eq!(github.changes()[CREATE], 2);
    github.pull("r");
    github.pull("s");
}

#[test]
fn an_answer_that_was_lost_is_looked_up_first() {
    let published = Published::new(&["r"]);
    published.run();
    published.github().troubles = vec![Trouble {
        is_done: true,
        ..Trouble::new(CREATE, 1, Answer::new(504, message("timed out")))
    }];
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let mut github = published.github();
    assert_eq!(github.changes()[CREATE], 1);
    github.pull("r");
}

#[test]
fn a_run_that_fails_in_the_middle_goes_on_where_it_was() {
    let published = Published::new(&["r", "s", "t"]);
    published.run();
    published.github().troubles = vec![Trouble {
        holds: "asyncfix/c",
        ..Trouble::new(
            CREATE,
            9,
            Answer::new(401, message(&format!("Bad credentials {TOKEN}"))),
        )
    }];
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("Bad credentials ***"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("GITHUB_TOKEN is not valid"),
        "{}",
        ran.stderr
    );
    // The branch was pushed, and is not pushed again.
    let pushed = published.branch("r");
    assert!(!pushed.is_empty());
    published.github().troubles.clear();
    let ran = published.publish(&[]);
    assert!(ran.stderr.contains("3 made"), "{}", ran.stderr);
    assert_eq!(published.branch("r"), pushed);
    for name in ["r", "s", "t"] {
        published.github().pull(name);
    }
}

#[test]
fn one_repository_that_is_refused_does_not_keep_the_others() {
    let published = Published::new(&["r", "s"]);
    published.run();
    published.github().troubles = vec![Trouble::new(
        CREATE,
        1,
        Answer::new(403, message("Resource not accessible")),
    )];
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("403 Resource not accessible"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("1 made, 1 not published"),
        "{}",
        ran.stderr
    );
    assert_eq!(published.publish(&[]).status, 0);
    published.github().pull("r");
    published.github().pull("s");
}

#[test]
fn what_the_service_asks_to_wait_is_waited() {
    let published = Published::new(&["r"]);
    published.run();
    let limited = Answer::new(429, message("slow down")).with("retry-after", "1");
    published.github().troubles = vec![Trouble::new(CREATE, 1, limited)];
    let begun = std::time::Instant::now();
    assert_eq!(published.publish(&[]).status, 0);
    assert!(begun.elapsed().as_millis() > 900);
    // And what would take longer than an hour is not.
    let published = Published::new(&["r"]);
    published.run();
    let limited = Answer::new(429, message("slow down")).with("retry-after", "99999");
    published.github().troubles = vec![Trouble::new(CREATE, 1, limited)];
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("Stopped: too many requests"),
        "{}",
        ran.stderr
    );
}

#[test]
fn no_more_are_open_than_may_be() {
    let published = Published::new(&["r", "s", "t"]);
    published.run();
    let ran = published.publish(&["--max-open=1"]);
    assert_eq!(ran.status, 0);
    assert!(ran.stderr.contains("1 made, 2 waiting"), "{}", ran.stderr);
    let ran = published.publish(&["--max-open=1"]);
    assert!(
        ran.stderr.contains("1 as they were, 2 waiting"),
        "{}",
        ran.stderr
    );
    // Somebody merges it.
    {
        let mut github = published.github();
        let (_, pull) = github.pulls.iter_mut().next().unwrap();
        pull["state"] = json!("closed");
        pull["merged_at"] = json!("2026-11-27T00:00:00Z");
    }
    let ran = published.publish(&["--max-open=1"]);
    assert!(
        ran.stderr
            .contains("1 made, 1 decided by somebody, 1 waiting"),
        "{}",
        ran.stderr
    );
    assert_eq!(published.github().changes()[CREATE], 2);
}

#[test]
fn what_somebody_closed_stays_closed() {
    let published = Published::new(&["r"]);
    published.run();
    assert_eq!(published.publish(&[]).status, 0);
    published.github().pull("r")["state"] = json!("closed");
    published.database("DELETE FROM publication");
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 0);
    assert!(ran.stderr.contains("closed by somebody"), "{}", ran.stderr);
    assert_eq!(published.github().changes()[CREATE], 1);
}

#[test]
fn a_branch_that_somebody_else_changed_is_left_alone() {
    let published = Published::new(&["r"]);
    published.run();
    let folder = published.campaign.project.path("o/r");
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
    assert!(published.github().changes().is_empty());
}

#[test]
fn a_branch_with_other_fixes_is_updated_and_not_doubled() {
    let published = Published::new(&["r"]);
    published.run();
    assert_eq!(published.publish(&[]).status, 0);
    let before = published.branch("r");
    published.campaign.project.write("o/r/b.py", SLEEPS);
    commit(&published.campaign.project.path("o/r"), "More");
    let words = [
        "plan",
        "list",
        "--no-types",
        "--author=A <a@b>",
        "--name=c",
        "--refresh",
    ];
    assert_eq!(published.migrate(&words).status, 0);
    published.run();
    let ran = published.publish(&[]);
    assert!(
        ran.stderr.contains("updated https://github.com/o/r/pull/1"),
        "{}",
        ran.stderr
    );
    assert_ne!(published.branch("r"), before);
    let mut github = published.github();
    assert_eq!(github.pull("r")["title"], "asyncfix: 2 fixes in 2 files");
    assert_eq!(github.changes()[CREATE], 1);
}

#[test]
fn owners_of_what_is_changed_are_asked_once() {
    let owners = "* @everybody\n*.py @ann @O/python @other/team mail@example.org\n/docs/ @writer\n";
    let files = vec![
        ("a.py", SLEEPS),
        ("docs/CODEOWNERS", "* @nobody\n"),
        (".github/CODEOWNERS", owners),
    ];
    let published = Published::of(&[("r", files.clone())], &[]);
    published.run();
    assert_eq!(published.publish(&[]).status, 0);
    {
        let mut github = published.github();
        let pull = github.pull("r");
        assert_eq!(pull["assignees"], json!(["ann"]));
        assert_eq!(pull["requested_teams"], json!(["python"]));
        // Somebody takes it off.
        pull["assignees"] = json!([]);
    }
    assert_eq!(published.publish(&[]).status, 0);
    assert_eq!(published.github().pull("r")["assignees"], json!([]));
    // One who is none of the project is no reason to fail, and may be left out.
    let published = Published::of(&[("r", files)], &[]);
    published.run();
    let answer = Answer::new(422, message("Validation Failed"));
    published.github().troubles = vec![Trouble::new("pulls/request-reviewers", 1, answer)];
    let ran = published.publish(&[]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("an owner cannot be asked"),
        "{}",
        ran.stderr
    );
}

#[cfg(unix)]
#[test]
fn the_token_reaches_git_and_stands_nowhere() {
    use std::os::unix::fs::PermissionsExt;

    let published = Published::new(&["r"]);
    published.run();
    // Notes with what git is called, and what it would tell the host and another one.
    let folder = published.campaign.project.path("bin");
    fs::create_dir(&folder).unwrap();
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("git"))
        .find(|path| path.is_file())
        .unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {0}/called\ncase \"$*\" in *push*) for host in github.com example.org; do \
         printf 'protocol=https\\nhost=%s\\n\\n' $host | {1} credential fill >> {0}/told 2>/dev/null; done;; \
         esac\nexec {1} \"$@\"\n",
        folder.display(),
        real.display(),
    );
    fs::write(folder.join("git"), script).unwrap();
    fs::set_permissions(folder.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = published.command(&["publish", "--provider=github", "--api", &published.api]);
    let output = command
        .env("GITHUB_TOKEN", TOKEN)
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = fs::read_to_string(folder.join("told")).unwrap();
    assert!(
        told.contains("host=github.com\nusername=x-access-token\n"),
        "{told}"
    );
    assert_eq!(told.matches(TOKEN).count(), 1, "{told}");
    fs::remove_file(folder.join("told")).unwrap();
    assert!(
        fs::read_to_string(folder.join("called"))
            .unwrap()
            .contains("push --quiet")
    );
    let said = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains(TOKEN));
    let mut folders = vec![published.campaign.project.root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                let holds = bytes
                    .windows(TOKEN.len())
                    .any(|part| part == TOKEN.as_bytes());
                assert!(!holds, "{}", path.display());
            }
        }
    }
}
