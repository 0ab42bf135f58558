//! Findings on lines that changed since a git revision.

use std::fs;

use crate::project::{Project, Ran, SLEEPS, WITHHELD};

fn git(project: &Project, arguments: &[&str]) {
    let who = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
    project.tool("git", &[&who, arguments].concat(), b"");
}

fn commit(project: &Project) {
    git(project, &["add", "--all"]);
    git(project, &["commit", "--quiet", "--message", "x"]);
}

/// A repository with these files committed on `main`.
fn repository<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Project {
    let project = Project::new(files);
    git(&project, &["init", "--quiet", "--initial-branch", "main"]);
    commit(&project);
    project
}

fn run(project: &Project, arguments: &[&str]) -> Ran {
    let mut command = project.command(["--no-types"].iter().chain(arguments).copied());
    // As in a hook of another repository.
    command
        .env("GIT_DIR", "/nowhere")
        .env("GIT_WORK_TREE", "/nowhere");
    Ran::of(&command.output().unwrap())
}

/// The places of what is found since a revision.
fn found(project: &Project, revision: &str) -> Vec<String> {
    let ran = run(
        project,
        &["--since", revision, "--output-format", "concise"],
    );
    assert_ne!(ran.status, 2, "{}", ran.stderr);
    let place = |line: &str| line.split(": ").next().unwrap().to_string();
    ran.stdout.lines().map(place).collect()
}

#[test]
fn what_git_cannot_answer_is_refused() {
    let project = Project::of(SLEEPS);
    let refusal = |project: &Project, revision: &str| {
        let since = format!("--since={revision}");
        let ran = run(project, &["--fix", "--exit-zero", &since]);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{revision}");
        assert_eq!(project.read("a.py"), SLEEPS);
        ran.stderr
    };
    assert_eq!(
        refusal(&project, "main"),
        "error: `a.py` is in no git repository: `--since` takes only files that are in one\n"
    );
    let project = repository([("a.py", SLEEPS)]);
    assert!(
        refusal(&project, "nowhere")
            .starts_with("error: `--since nowhere`: there is no such commit in the git repository")
    );
    for option in ["", "-p", "--output=x"] {
        assert!(refusal(&project, option).contains("takes a git revision, as in"));
    }
    git(&project, &["checkout", "--quiet", "--orphan", "alone"]);
    // Of another message: within a second, it would be the same commit as the first.
    git(&project, &["commit", "--quiet", "--message", "y"]);
    assert!(refusal(&project, "main").contains("it has no commit in common with HEAD"));
    assert_eq!(project.names(), [".git", "a.py"]);

    let mut command = project.command(["--since", "HEAD"]);
    let output = command.env("PATH", "/nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("git, which is not installed"));

    let ran = run(&project, &["--since", "HEAD", "-"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.starts_with("error: --since is about files"));
}

#[test]
fn lines_count_that_changed_committed_or_not() {
    let two = SLEEPS.to_string() + "    time.sleep(2)\n";
    let project = repository([("a.py", two.as_str()), ("same.py", SLEEPS)]);
    assert_eq!(found(&project, "HEAD"), [""; 0]);
    let ran = run(&project, &["--since", "HEAD"]);
    assert_eq!(ran.status, 0);
    assert_eq!(
        ran.stderr,
        "No findings in 0 files. Only lines count that changed since HEAD; 2 files did not.\n"
    );

    project.write("a.py", two.replace("sleep(2)", "sleep(3)"));
    assert_eq!(found(&project, "HEAD"), ["a.py:9:5"]);
    git(&project, &["add", "--all"]);
    assert_eq!(found(&project, "HEAD"), ["a.py:9:5"]);
    commit(&project);
    assert_eq!(found(&project, "HEAD"), [""; 0]);
    assert_eq!(found(&project, "HEAD~1"), ["a.py:9:5"]);

    let ran = run(&project, &["--since", "HEAD~1", "--fix"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        project
            .read("a.py")
            .ends_with("    time.sleep(1)\n    await asyncio.sleep(3)\n")
    );
    assert_eq!(project.read("same.py"), SLEEPS);
}

#[test]
fn lines_that_moved_or_lost_a_neighbour_did_not_change() {
    let project = repository([("a.py", SLEEPS)]);
    project.write(
        "a.py",
        "# moved\n".to_string() + &SLEEPS.replacen("\n\n\n", "\n\n", 1),
    );
    assert_eq!(found(&project, "HEAD"), [""; 0]);
    project.write("a.py", SLEEPS.replace("print(time.time())\n", ""));
    let ran = run(&project, &["--since", "HEAD"]);
    assert!(ran.stderr.contains("1 file did not"), "{}", ran.stderr);
}

#[test]
fn another_branch_counts_from_where_the_branches_parted() {
    let project = repository([("a.py", SLEEPS), ("b.py", "")]);
    git(&project, &["checkout", "--quiet", "-b", "topic"]);
    project.write("b.py", SLEEPS);
    commit(&project);
    git(&project, &["checkout", "--quiet", "main"]);
    project.write("a.py", SLEEPS.replace("sleep(1)", "sleep(2)"));
    commit(&project);
    git(&project, &["checkout", "--quiet", "topic"]);
    assert_eq!(found(&project, "main"), ["b.py:8:5"]);
}

#[test]
fn untracked_files_are_new_and_renamed_ones_are_not() {
    let project = repository([
        ("old.py", SLEEPS),
        (".gitignore", "ignored.py\n"),
        ("gone.py", SLEEPS),
    ]);
    git(&project, &["mv", "old.py", "new.py"]);
    project.write("untracked.py", SLEEPS);
    project.write("ignored.py", SLEEPS);
    fs::remove_file(project.path("gone.py")).unwrap();
    assert_eq!(found(&project, "HEAD"), ["untracked.py:8:5"]);
    project.write("new.py", SLEEPS.to_string() + "    time.sleep(2)\n");
    assert_eq!(found(&project, "HEAD"), ["new.py:9:5", "untracked.py:8:5"]);
    let ran = run(&project, &["--since", "HEAD", "ignored.py"]);
    assert_eq!(ran.status, 1);
}

#[cfg(unix)]
#[test]
fn any_name_is_understood() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let names = [
        &b"a b.py"[..],
        b"tab\t.py",
        b"line\n.py",
        b"quote\".py",
        b"back\\slash.py",
        "\u{e9}.py".as_bytes(),
        b"latin-\xe9.py",
        b"b/c.py",
    ];
    let project = Project::new([]);
    let write = |text: &str| {
        for name in names {
            let path = project.root().join(OsStr::from_bytes(name));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    };
    write(SLEEPS);
    git(&project, &["init", "--quiet"]);
    commit(&project);
    assert_eq!(run(&project, &["--since", "HEAD"]).status, 0);
    write(&(SLEEPS.to_string() + "    time.sleep(2)\n"));
    let ran = run(&project, &["--since", "HEAD", "--output-format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), names.len(), "{}", ran.stdout);
    assert!(found.iter().all(|it| it["location"]["row"] == 9));
}

#[test]
fn the_repositorys_configuration_changes_nothing_and_starts_nothing() {
    let project = repository([("a.py", SLEEPS), (".gitattributes", "*.py diff=x -text\n")]);
    let program = "touch started; false";
    for (key, value) in [
        ("diff.external", program),
        ("diff.x.command", program),
        ("diff.x.textconv", program),
        ("core.fsmonitor", program),
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.context", "9"),
        ("diff.interHunkContext", "9"),
        ("diff.relative", "true"),
        ("color.ui", "always"),
    ] {
        git(&project, &["config", key, value]);
    }
    project.write(".git/hooks/post-index-change", "#!/bin/sh\ntouch started\n");
    project.write("a.py", SLEEPS.to_string() + "    time.sleep(2)\n");
    assert_eq!(found(&project, "HEAD"), ["a.py:9:5"]);
    assert_eq!(project.names(), [".git", ".gitattributes", "a.py"]);
}

#[test]
fn rows_are_those_of_git_where_lines_end_otherwise() {
    let text = SLEEPS.replace('\n', "\r\n") + "    time.sleep(2)\r\n";
    let project = repository([
        ("a.py", text.as_str()),
        ("b.py", &text.replace("\r\n", "\r")),
    ]);
    project.write("a.py", text.replace("sleep(2)", "sleep(3)"));
    assert_eq!(found(&project, "HEAD"), ["a.py:9:5"]);
    project.write("a.py", &text);
    // To git it is one line.
    project.write(
        "b.py",
        text.replace("\r\n", "\r").replace("sleep(2)", "sleep(3)"),
    );
    assert_eq!(found(&project, "HEAD"), ["b.py:8:5", "b.py:9:5"]);
}

#[test]
fn each_file_is_asked_for_in_its_own_repository() {
    let project = repository([("a.py", SLEEPS)]);
    project.write("inner/b.py", SLEEPS);
    project.tool(
        "git",
        &["init", "--quiet", "--initial-branch", "main", "inner"],
        b"",
    );
    let inner = [
        "-C",
        "inner",
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@example.org",
    ];
    project.tool("git", &[&inner[..], &["add", "b.py"]].concat(), b"");
    project.tool(
        "git",
        &[&inner[..], &["commit", "--quiet", "-m", "x"]].concat(),
        b"",
    );
    assert_eq!(found(&project, "main"), [""; 0]);
    project.write("inner/b.py", SLEEPS.replace("sleep(1)", "sleep(2)"));
    assert_eq!(found(&project, "main"), ["inner/b.py:8:5"]);
}

#[test]
fn a_statement_counts_if_any_of_its_lines_changed() {
    let text = "import time\n\n\nasync def f():\n    time.sleep(\n        1\n    )\n";
    let project = repository([("a.py", text)]);
    project.write("a.py", text.replace("        1\n", "        2\n"));
    assert_eq!(found(&project, "HEAD"), ["a.py:5:5"]);
    project.write("a.py", text.replace("import time\n", "import time  # x\n"));
    assert_eq!(found(&project, "HEAD"), [""; 0]);
}

#[test]
fn it_goes_with_a_baseline_and_with_comments() {
    let project = repository([("a.py", SLEEPS), ("b.py", WITHHELD)]);
    run(
        &project,
        &["--baseline", "known.json", "--update-baseline", "a.py"],
    );
    let arguments = ["--baseline", "known.json", "--since", "HEAD"];
    project.write(
        "a.py",
        SLEEPS.to_string() + "    time.sleep(2)\n    time.sleep(1)\n",
    );
    let ran = run(&project, &arguments);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.starts_with("Found 2 findings in 1 of 1 file: "),
        "{}",
        ran.stderr
    );
    run(&project, &[&arguments[..], &["--add-ignores"]].concat());
    assert_eq!(project.read("a.py").matches("asyncfix: ignore").count(), 2);
    assert_eq!(project.read("b.py"), WITHHELD);
}

#[test]
fn a_changed_file_that_cannot_be_analysed_is_named() {
    let project = repository([("a.py", "x = 1\n"), ("old.py", "def f(:\n")]);
    project.write("a.py", "x = 1\ndef f(:\n");
    let ran = run(&project, &["--since", "HEAD"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.starts_with("a.py:2:7: cannot be parsed: "),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("1 file could not be analysed."));
}
