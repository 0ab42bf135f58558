//! Findings that are known.

use std::fs;

use crate::project::{AWAITS, CLEAN, Project, Ran, SLEEPS};

const NAME: &str = "baseline.json";

fn run(project: &Project, arguments: &[&str]) -> Ran {
    let baseline = ["--no-types", "--baseline", NAME];
    project.run(baseline.iter().chain(arguments).copied())
}

/// The project with a baseline of what is in it.
fn known(project: Project) -> Project {
    let ran = run(&project, &["--update-baseline"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    project
}

/// The last line that a run said.
fn summary(ran: &Ran) -> &str {
    ran.stderr.lines().last().unwrap()
}

/// A coroutine that sleeps so often.
fn sleeps(times: usize) -> String {
    SLEEPS.replace("    time.sleep(1)\n", &"    time.sleep(1)\n".repeat(times))
}

#[test]
fn a_baseline_that_is_missing_or_garbled_stops_the_run() {
    let project = Project::of(SLEEPS);
    let ran = run(&project, &["--fix", "--exit-zero"]);
    assert_eq!(ran.status, 2);
    assert_eq!(
        ran.stderr,
        "error: there is no baseline `baseline.json`: --update-baseline makes it of what is found \
         now\n"
    );
    for (text, message) in [
        (
            "{",
            "baseline.json:1:1: this is no baseline of asyncfix: EOF",
        ),
        ("[]", "baseline.json:1:"),
        (
            "{\"version\": 2, \"findings\": []}",
            "`baseline.json` is a baseline of version 2, and this asyncfix reads version 1: ",
        ),
        (
            "{\"version\": 1,\n\"finding\": {}}",
            "baseline.json:2:9: this is no baseline of asyncfix: unknown field `finding`",
        ),
        (
            "{\"version\": 1, \"findings\": {\n\"a.py\": {},\n\"a.py\": {}}}",
            "baseline.json:3:",
        ),
        (
            "{\"version\": 1, \"findings\": {\"a.py\": {\"x\": {\"y\": 0}}}}",
            "baseline.json:1:",
        ),
    ] {
        project.write(NAME, text);
        for arguments in [&["--fix"][..], &["--update-baseline"]] {
            let ran = run(&project, arguments);
            assert_eq!(ran.status, 2, "{text}");
            let expected = format!("error: {message}");
            assert!(ran.stderr.starts_with(&expected), "{}", ran.stderr);
        }
        assert_eq!(project.read(NAME), text);
    }
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn wrong_usage_is_refused() {
    let project = Project::of(SLEEPS);
    for (arguments, message) in [
        (
            &["--update-baseline"][..],
            "there is no baseline to update: ",
        ),
        (&["--update-baseline", "--diff"], "the argument "),
        (&["--update-baseline", "--since", "HEAD"], "the argument "),
        (&["--no-baseline", "--baseline", "x"], "the argument "),
        (
            &["--baseline", "no/such.json", "--update-baseline"],
            "there is no folder for ",
        ),
        (
            &["--baseline", "x", "--update-baseline", "-"],
            "--update-baseline is about files, ",
        ),
    ] {
        let ran = project.run(arguments.iter().copied());
        assert_eq!(ran.status, 2, "{arguments:?}");
        let expected = format!("error: {message}");
        assert!(ran.stderr.starts_with(&expected), "{}", ran.stderr);
    }
}

#[test]
fn a_baseline_is_made_to_be_reviewed() {
    let project = Project::new([
        ("b.py", SLEEPS),
        ("a/c.py", &sleeps(2)),
        ("clean.py", CLEAN),
    ]);
    let ran = run(&project, &["--update-baseline"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""));
    assert_eq!(
        summary(&ran),
        "No findings in 3 files. The baseline holds 3 findings: 3 more, 0 less than before."
    );
    let expected = "\
{
  \"version\": 1,
  \"findings\": {
    \"a/c.py\": {
      \"await-sleep\": {
        \"time.sleep(1)\": 2
      }
    },
    \"b.py\": {
      \"await-sleep\": {
        \"time.sleep(1)\": 1
      }
    }
  }
}
";
    assert_eq!(project.read(NAME), expected);
    assert_eq!(project.names(), ["a", "b.py", NAME, "clean.py"]);
}

#[test]
fn what_is_known_is_neither_reported_nor_fixed_nor_silenced() {
    let project = known(Project::of(SLEEPS));
    for arguments in [
        &[][..],
        &["--diff"],
        &["--fix"],
        &["--add-ignores"],
        &["--output-format", "concise"],
        &["--output-format", "github"],
    ] {
        let ran = run(&project, arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{arguments:?}");
        assert_eq!(
            ran.stderr,
            "No findings in 1 file. 1 known one is in the baseline.\n"
        );
    }
    for format in ["json", "gitlab"] {
        assert_eq!(run(&project, &["--output-format", format]).stdout, "[]\n");
    }
    assert_eq!(project.read("a.py"), SLEEPS);
    assert_eq!(project.run([]).status, 1);
}

#[test]
fn an_entry_survives_what_happens_around_its_line() {
    let lines: Vec<&str> = SLEEPS.lines().collect();
    for text in [
        format!("# moved\n\n{SLEEPS}"),
        SLEEPS.replace('\n', "\r\n"),
        SLEEPS.replace("    time.sleep(1)", "    if True:\n\t    time.sleep(1)"),
        SLEEPS
            .replace("main", "other")
            .replace("    time", "    x = 1\n    time"),
        lines.join("\n"),
    ] {
        let project = known(Project::of(SLEEPS));
        project.write("a.py", &text);
        let ran = run(&project, &["--fix"]);
        assert_eq!(ran.status, 0, "{text}\n{}", ran.stdout);
        assert!(ran.stderr.ends_with(" 1 known one is in the baseline.\n"));
        assert_eq!(project.read("a.py"), text);
    }
    let project = known(Project::of(SLEEPS));
    project.write("a.py", SLEEPS.replace("sleep(1)", "sleep(2)"));
    let ran = run(&project, &[]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .ends_with(" 1 finding of the baseline is fixed: run --update-baseline.\n")
    );
}

#[test]
fn equal_lines_are_counted() {
    let project = known(Project::of(sleeps(2)));
    project.write("a.py", sleeps(1));
    let ran = run(&project, &[]);
    assert_eq!(ran.status, 0);
    assert_eq!(
        ran.stderr,
        "No findings in 1 file. 1 known one is in the baseline. 1 finding of the baseline is \
         fixed: run --update-baseline.\n"
    );
    project.write("a.py", sleeps(3));
    let ran = run(&project, &["--fix"]);
    assert_eq!(ran.status, 0);
    let fixed = project.read("a.py");
    assert_eq!(fixed.matches("    time.sleep(1)\n").count(), 2);
    assert_eq!(fixed.matches("    await asyncio.sleep(1)\n").count(), 1);
}

#[test]
fn what_a_fix_brings_up_beside_a_known_one_is_new() {
    let two = SLEEPS.replace("time.sleep(1)", "time.sleep(1); time.sleep(2)");
    let project = known(Project::of(SLEEPS));
    project.write(
        "a.py",
        SLEEPS.to_string() + "    time.sleep(2)\n" + "    time.sleep(1)\n",
    );
    let ran = run(&project, &["--fix"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let fixed = project.read("a.py");
    let body = fixed.split("main():\n").nth(1).unwrap();
    assert_eq!(
        body,
        "    time.sleep(1)\n    await asyncio.sleep(2)\n    await asyncio.sleep(1)\n"
    );
    // Two in one line are two, of the same text.
    let project = known(Project::of(&two));
    assert!(
        project
            .read(NAME)
            .contains("\"time.sleep(1); time.sleep(2)\": 2\n")
    );
    assert_eq!(run(&project, &["--fix"]).status, 0);
    assert_eq!(project.read("a.py"), two);
}

#[test]
fn an_update_after_fixes_holds_what_remains() {
    let project = known(Project::of(SLEEPS));
    let text = SLEEPS.replace("time.sleep(1)", "time.sleep(1)\n    time.sleep(2)")
        + "\n\nasync def last():\n    try:\n        pass\n    finally:\n        time.sleep(3)\n";
    project.write("a.py", &text);
    let ran = run(&project, &["--fix", "--update-baseline"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(
        summary(&ran),
        "Fixed 1 finding in 1 of 1 file (1 intended). The baseline holds 2 findings: 1 more, 0 \
         less than before."
    );
    let baseline = project.read(NAME);
    assert!(baseline.contains("\"time.sleep(1)\": 1,\n        \"time.sleep(3)\": 1\n"));
    assert!(!baseline.contains("sleep(2)"));
}

#[test]
fn entries_stay_of_what_the_run_does_not_look_at() {
    let project = known(Project::new([
        ("one/a.py", SLEEPS),
        ("two/b.py", SLEEPS),
        ("two/broken.py", SLEEPS),
        ("two/undecodable.py", SLEEPS),
        ("two/generated.py", SLEEPS),
        ("two/gone.py", SLEEPS),
    ]));
    let before = project.read(NAME);
    for name in ["one/a.py", "two/b.py"] {
        project.write(name, AWAITS);
    }
    project.write("two/broken.py", format!("{SLEEPS}def f(:\n"));
    project.write("two/undecodable.py", b"# \xff\n");
    project.write("two/generated.py", format!("# @generated\n{SLEEPS}"));
    fs::remove_file(project.path("two/gone.py")).unwrap();

    let ran = run(&project, &["--run-debug", "--update-baseline"]);
    assert_eq!(ran.status, 1, "two could not be analysed: {}", ran.stderr);
    let after = project.read(NAME);
    assert_eq!(after.matches("await-sleep").count(), 5, "{after}");
    assert!(!after.contains("gone.py"), "{after}");

    project.write(NAME, before);
    let ran = run(&project, &["two"]);
    assert!(
        summary(&ran).ends_with(" 2 findings of the baseline are fixed: run --update-baseline.")
    );
    run(&project, &["two", "--update-baseline"]);
    let after = project.read(NAME);
    for (name, stays) in [
        ("one/a.py", true),
        ("two/b.py", false),
        ("two/broken.py", true),
        ("two/undecodable.py", true),
        ("two/generated.py", true),
        ("two/gone.py", false),
    ] {
        assert_eq!(after.contains(name), stays, "{name}\n{after}");
    }
}

#[test]
fn a_renamed_file_is_known_by_its_lines() {
    let project = known(Project::new([("old.py", SLEEPS), ("stays.py", CLEAN)]));
    fs::rename(project.path("old.py"), project.path("new.py")).unwrap();
    let ran = run(&project, &[]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""));
    assert_eq!(
        ran.stderr,
        "warning: baseline.json: `old.py` is gone, and what is known of it is taken for known in \
         `new.py`: --update-baseline writes that down\n\
         No findings in 2 files. 1 known one is in the baseline.\n"
    );
    run(&project, &["--update-baseline"]);
    let baseline = project.read(NAME);
    assert!(baseline.contains("new.py") && !baseline.contains("old.py"));

    // Of two that may be it, nobody knows.
    let project = known(Project::new([("old.py", SLEEPS)]));
    fs::rename(project.path("old.py"), project.path("new.py")).unwrap();
    project.write("newer.py", SLEEPS);
    assert_eq!(run(&project, &[]).status, 1);
    // Unless one has its name.
    fs::rename(project.path("new.py"), project.path("old.txt")).unwrap();
    project.write("folder/old.py", SLEEPS);
    let ran = run(&project, &["--output-format", "concise"]);
    assert!(ran.stdout.starts_with("newer.py:"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1);
}

#[test]
fn the_configuration_names_a_baseline_for_its_files() {
    let project = Project::new([
        ("one/a.py", SLEEPS),
        ("one/asyncfix.toml", "baseline = \"../ci/one.json\"\n"),
        ("two/b.py", SLEEPS),
        ("ci/readme", ""),
    ]);
    let ran = project.run([]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .starts_with("error: there is no baseline `ci/one.json`: ")
    );
    assert_eq!(project.run(["--no-baseline"]).status, 1);
    let ran = project.run(["--update-baseline", "--output-format", "concise"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.starts_with("two/b.py:"), "{}", ran.stdout);
    assert!(project.read("ci/one.json").contains("\"../one/a.py\""));
    assert_eq!(project.run(["one"]).status, 0);
    assert_eq!(project.run(["one", "--isolated"]).status, 1);
    assert_eq!(project.run(["one", "--no-baseline"]).status, 1);
}

#[cfg(unix)]
#[test]
fn a_baseline_that_needs_no_change_is_not_written_and_keeps_its_mode() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let project = known(Project::of(SLEEPS));
    let stat = || fs::metadata(project.path(NAME)).unwrap();
    let before = stat();
    run(&project, &["--update-baseline"]);
    assert_eq!(stat().ino(), before.ino());
    fs::set_permissions(project.path(NAME), fs::Permissions::from_mode(0o640)).unwrap();
    project.write("a.py", sleeps(2));
    run(&project, &["--update-baseline"]);
    assert_ne!(stat().ino(), before.ino());
    assert_eq!(stat().mode() & 0o777, 0o640);
    assert_eq!(project.names(), ["a.py", NAME]);
}
