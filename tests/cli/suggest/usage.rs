//! What has to be known before anything is said, and what is printed instead of being sent.

use std::fs;

use serde_json::Value;

use super::pull::{Pull, VARIABLES, git, repository};
use crate::project::{AWAITS, Project, Ran, SLEEPS, assert_snapshot};

/// A pull request that adds [`SLEEPS`].
fn pull() -> Pull {
    Pull::new(
        &[("b.py", "x = 1\n")],
        &[("b.py", "x = 1\n"), ("a.py", SLEEPS)],
    )
}

/// What is said when a variable is missing, or is something else.
#[track_caller]
fn refusal(pull: &Pull, changes: &[(&str, Option<&str>)], arguments: &[&str]) -> String {
    let mut command = pull.command(arguments);
    for (name, value) in changes {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let ran = Ran::of(&command.output().unwrap());
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    assert_eq!(pull.github().desk.asked.len(), 0);
    ran.stderr
}

#[test]
fn what_is_missing_is_named_and_nothing_is_sent() {
    let pull = pull();
    for name in [
        "GITHUB_EVENT_PATH",
        "GITHUB_REPOSITORY",
        "GITHUB_API_URL",
        "GITHUB_TOKEN",
    ] {
        for value in [None, Some("")] {
            let said = refusal(&pull, &[(name, value)], &[]);
            assert!(
                said.starts_with(&format!("error: {name} is not set: ")),
                "{said}"
            );
        }
    }
    let said = refusal(&pull, &[("GITHUB_ACTIONS", None)], &[]);
    assert!(
        said.starts_with("error: this is neither GitHub's CI nor GitLab's"),
        "{said}"
    );
    let said = refusal(&pull, &[("GITEA_ACTIONS", Some("true"))], &[]);
    assert!(
        said.starts_with("error: Gitea has no suggestions"),
        "{said}"
    );
    let gitlab = [("GITHUB_ACTIONS", None), ("GITLAB_CI", Some("true"))];
    let said = refusal(&pull, &gitlab, &[]);
    assert!(
        said.starts_with("error: CI_MERGE_REQUEST_IID is not set: "),
        "{said}"
    );
}

#[test]
fn an_event_that_is_no_pull_requests_is_refused() {
    let pull = pull();
    let event = pull.beside.path().join("event.json");
    for (text, problem) in [
        (
            r#"{ "ref": "refs/heads/main" }"#,
            "is not one of a pull request",
        ),
        (
            r#"{ "pull_request": null }"#,
            "is not one of a pull request",
        ),
        (r#"{ "pull_request": {} }"#, "holds no pull_request.number"),
        (
            r#"{ "pull_request": { "number": 1 } }"#,
            "holds no pull_request.head.sha",
        ),
        ("{", "GITHUB_EVENT_PATH holds no JSON"),
    ] {
        fs::write(&event, text).unwrap();
        assert!(refusal(&pull, &[], &[]).contains(problem), "{text}");
    }
    fs::remove_file(&event).unwrap();
    assert!(refusal(&pull, &[], &[]).contains("GITHUB_EVENT_PATH cannot be read"));
}

#[test]
fn what_is_checked_out_has_to_hold_the_pull_request() {
    let pull = pull();
    git(&pull.project, &["checkout", "--quiet", "main"]);
    let said = refusal(&pull, &[], &[]);
    assert!(
        said.contains("what is checked out is not the pull request"),
        "{said}"
    );

    let shallow = Project::new([]);
    let url = format!("file://{}", pull.project.root().display());
    let clone = [
        "clone", "--quiet", "--depth", "1", "--branch", "feature", &url, ".",
    ];
    git(&shallow, &clone);
    let mut command = pull.command(&[]);
    let ran = Ran::of(&command.current_dir(shallow.root()).output().unwrap());
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("fetch-depth: 0"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("there is no such commit"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_writes_or_prints_otherwise_is_refused() {
    let pull = pull();
    for arguments in [
        &["--fix"][..],
        &["--diff"],
        &["--fix", "--verify", "true"],
        &["--review"],
        &["--since", "main"],
        &["--output-format", "json"],
        &["--update-baseline"],
    ] {
        let said = refusal(&pull, &[], arguments);
        assert!(said.contains("cannot be used with"), "{said}");
    }
    let said = refusal(&pull, &[], &["-"]);
    assert!(
        said.contains("`suggest` is about the files of a pull request"),
        "{said}"
    );
    assert_eq!(pull.project.read("a.py"), SLEEPS);
}

/// What is printed outside of any CI.
fn dry_run(project: &Project, arguments: &[&str]) -> (Vec<Value>, Ran) {
    let all = ["suggest", "--no-types", "--dry-run"];
    let mut command = project.command(all.iter().chain(arguments).copied());
    for name in VARIABLES {
        command.env_remove(name);
    }
    let ran = Ran::of(&command.output().unwrap());
    let requests = serde_json::from_str(&ran.stdout).unwrap_or_default();
    (requests, ran)
}

#[test]
fn a_dry_run_prints_the_requests() {
    let project = repository(&[("b.py", "x = 1\n")], &[("a.py", SLEEPS)]);
    let (requests, ran) = dry_run(&project, &["--base", "main"]);
    assert_eq!(ran.status, 0);
    let head = git(&project, &["rev-parse", "HEAD"]);
    assert_eq!(requests[0]["body"]["commit_id"], head.as_str());
    assert_snapshot("suggest-dry-run", &ran.stdout.replace(&head, "HEAD"));
    assert!(
        ran.stderr
            .contains("GITHUB_REPOSITORY is not set: `{owner}/{repo}` stands for it\n")
    );
    assert!(
        ran.stderr
            .ends_with("Would suggest 1 rewrite in 1 request. Nothing was sent.\n")
    );
    assert_eq!(project.read("a.py"), SLEEPS);

    let (requests, _) = dry_run(&project, &["--base", "main", "--provider", "gitlab"]);
    let text = serde_json::to_string_pretty(&requests).unwrap();
    let base = git(&project, &["rev-parse", "main"]);
    assert_snapshot(
        "suggest-dry-run-gitlab",
        &text.replace(&head, "HEAD").replace(&base, "BASE"),
    );
}

#[test]
fn a_dry_run_in_the_ci_is_what_would_be_sent_and_needs_no_token() {
    let pull = pull();
    let mut command = pull.command(&["--dry-run"]);
    let ran = Ran::of(&command.env_remove("GITHUB_TOKEN").output().unwrap());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(pull.github().desk.asked.len(), 0);
    let printed: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(pull.run(&[]).status, 0);
    let github = pull.github();
    let sent = github
        .desk
        .asked
        .iter()
        .filter(|(_, request)| request.method != "GET");
    let sent: Vec<&Value> = sent.map(|(_, request)| &request.body).collect();
    assert_eq!(
        printed.iter().map(|it| &it["body"]).collect::<Vec<_>>(),
        sent
    );
    let url = printed[0]["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/repos/o/r/pulls/7/reviews"));
}

#[test]
fn a_base_has_to_be_named_where_no_ci_does() {
    let project = Project::of(SLEEPS);
    git(&project, &["init", "--quiet"]);
    let (_, ran) = dry_run(&project, &[]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.contains("name it, as in `--base main`"),
        "{}",
        ran.stderr
    );
    let (_, ran) = dry_run(&project, &["--base", "-p"]);
    assert_eq!(ran.status, 2);
    let (_, ran) = dry_run(&project, &["--base", "nowhere"]);
    assert_eq!(ran.status, 2);
}

#[test]
fn nothing_is_said_where_nothing_is_found() {
    let pull = Pull::new(&[("a.py", SLEEPS)], &[("a.py", AWAITS)]);
    let ran = pull.run(&[]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""));
    assert_eq!(ran.stderr, "No suggestions on pull request 7 of o/r.\n");
    assert!(pull.github().changes().is_empty());
}

/// Types come from the project's environment, and its configuration is read: neither runs anything.
#[test]
fn nothing_of_the_pull_request_is_executed() {
    let pull = pull();
    let evil = "#!/bin/sh\ntouch \"$(dirname \"$0\")/executed\"\n";
    pull.project.write("evil", evil);
    pull.project.tool("chmod", &["+x", "evil"], b"");
    // An environment that is an executable of the pull request, and the closest `.venv`.
    let asks = "\n\nasync def f(x):\n    await asyncio.gather(x.f(), x.g())\n";
    pull.project.write("b.py", format!("{SLEEPS}{asks}"));
    pull.project.write(".venv/bin/python", evil);
    pull.project.write(".venv/pyvenv.cfg", "home = .\n");
    pull.project.tool("chmod", &["+x", ".venv/bin/python"], b"");
    pull.push();
    let path = pull.project.path("evil");
    let path = path.to_str().unwrap();
    let config = format!("verify = {path:?}\npython = {path:?}\n");
    for (key, value) in [
        ("core.fsmonitor", path),
        ("core.hooksPath", pull.project.root().to_str().unwrap()),
        ("diff.external", path),
        ("diff.x.textconv", path),
        ("diff.x.command", path),
        ("core.pager", path),
    ] {
        git(&pull.project, &["config", key, value]);
    }
    pull.project.write(".gitattributes", "*.py diff=x\n");
    pull.project.write("post-index-change", evil);
    // A configuration that asks for a command is refused.
    pull.project.write("asyncfix.toml", &config);
    let ran = pull.run(&[]);
    assert_eq!(ran.status, 2);
    for config in [format!("python = {path:?}\n"), String::new()] {
        pull.project.write("asyncfix.toml", config);
        let mut command = pull.typed(&["-v"]);
        let ran = Ran::of(&command.output().unwrap());
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("about types were answered"),
            "{}",
            ran.stderr
        );
    }
    assert!(!pull.project.path("executed").exists());
    assert!(!pull.project.path(".venv/bin/executed").exists());
}
