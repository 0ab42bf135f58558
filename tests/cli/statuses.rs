//! The exit status, and which stream gets what.

use std::process::Stdio;

use crate::project::{AWAITS, CLEAN, Project, SLEEPS, WITHHELD};

#[test]
fn nothing_found_is_0() {
    let ran = Project::of(CLEAN).run([]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""));
    assert_eq!(ran.stderr, "No findings in 1 file.\n");
}

#[test]
fn findings_are_1_and_exit_zero_makes_it_0() {
    let project = Project::of(SLEEPS);
    assert_eq!(project.run([]).status, 1);
    assert_eq!(project.run(["--exit-zero"]).status, 0);
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn a_patch_is_1() {
    let project = Project::of(SLEEPS);
    assert_eq!(project.run(["--diff"]).status, 1);
    assert_eq!(project.run(["--diff", "--exit-zero"]).status, 0);
}

#[test]
fn all_fixed_is_0_and_again_is_0() {
    let project = Project::of(SLEEPS);
    let ran = project.run(["--fix"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""));
    assert_eq!(ran.stderr, "Fixed 1 finding in 1 of 1 file (1 intended).\n");
    assert_eq!(project.read("a.py"), AWAITS);
    assert_eq!(project.run(["--fix"]).stderr, "No findings in 1 file.\n");
}

#[test]
fn what_is_withheld_remains() {
    let project = Project::of(WITHHELD);
    for arguments in [&[][..], &["--fix"], &["--diff"]] {
        let ran = project.run(arguments.iter().copied());
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{arguments:?}");
        assert!(ran.stderr.contains("1 withheld ("), "{}", ran.stderr);
    }
    assert_eq!(project.read("a.py"), WITHHELD);
}

#[test]
fn a_fix_that_was_left_out_remains() {
    let project = Project::of(SLEEPS);
    let ran = project.run(["--fix", "--safe-only"]);
    assert_eq!(ran.status, 1);
    assert_eq!(
        ran.stderr,
        "Fixed nothing in 1 file. 1 more without --safe-only.\n"
    );
    assert!(
        ran.stdout
            .contains("`--fix` without `--safe-only` rewrites it")
    );
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn wrong_usage_is_2_and_exit_zero_does_not_hide_it() {
    let project = Project::of(SLEEPS);
    for arguments in [
        &["--exit-zero", "--frobnicate"][..],
        &["--exit-zero", "--select", "nothing"],
        &["--exit-zero", "--config", "frob=1"],
        &["--exit-zero", "--target-version", "py27"],
        &["--exit-zero", "-j", "0"],
        &["--exit-zero", "--safe-only", "--unsafe-fixes"],
        &["--exit-zero", "--diff", "--output-format", "json"],
    ] {
        let ran = project.run(arguments.iter().copied());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
}

#[test]
fn a_file_that_cannot_be_analysed_is_1_and_the_others_go_on() {
    let project = Project::new([
        ("bad.py", "async def f(:\n    time.sleep(1)\n"),
        ("good.py", SLEEPS),
    ]);
    project.write("wrong.py", b"async def f():\n    time.sleep('\xe9')\n");
    std::fs::create_dir(project.path("folder.py")).unwrap();
    let ran = project.run(["--fix", ".", "missing.py"]);
    assert_eq!(ran.status, 1);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(
        lines[0].starts_with("bad.py:1:13: cannot be parsed: "),
        "{}",
        lines[0]
    );
    assert_eq!(
        lines[1],
        "missing.py: cannot be read: no such file or directory"
    );
    assert!(lines[2].starts_with("wrong.py:2: byte 0xe9 at offset 31 is not UTF-8: "));
    assert_eq!(
        lines[3],
        "Fixed 1 finding in 1 of 3 files (1 intended). 3 files could not be analysed."
    );
    assert_eq!(lines.len(), 4);
    assert_eq!(project.read("good.py"), AWAITS);
    assert_eq!(project.run(["bad.py"]).status, 1);
    assert_eq!(project.run(["bad.py", "--exit-zero"]).status, 0);
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new([("a.py", SLEEPS), ("b.py", SLEEPS)]);
    project.give_away();
    let nothing = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(project.path("a.py"), nothing).unwrap();
    std::os::unix::fs::symlink("nowhere", project.path("dangling.py")).unwrap();
    let ran = project.run_unprivileged(["--fix", ".", "dangling.py"]);
    assert_eq!(ran.status, 1);
    assert_eq!(
        ran.stderr,
        "a.py: cannot be read: permission denied\n\
         dangling.py: cannot be read: no such file or directory\n\
         Fixed 1 finding in 1 of 2 files (1 intended). 2 files could not be analysed.\n"
    );
    assert_eq!(project.read("b.py"), AWAITS);
}

#[cfg(unix)]
#[test]
fn an_unreadable_folder_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new([("a.py", CLEAN), ("locked/b.py", SLEEPS)]);
    project.give_away();
    let set = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(project.path("locked"), mode).unwrap();
    };
    set(0o000);
    let ran = project.run_unprivileged([]);
    set(0o700);
    assert_eq!(ran.status, 1);
    assert_eq!(
        ran.stderr,
        "locked: cannot be read: permission denied\nNo findings in 1 file. 1 file could not be \
         analysed.\n"
    );
}

#[test]
fn quiet_leaves_the_summary_out_but_not_the_errors() {
    let project = Project::new([
        ("bad.py", "async def f(:\n    time.sleep(1)\n"),
        ("good.py", SLEEPS),
    ]);
    let ran = project.run(["-q"]);
    assert_eq!(ran.status, 1);
    assert_eq!(ran.stderr.lines().count(), 1);
    assert!(ran.stderr.starts_with("bad.py:1:13: "));
    assert!(ran.stdout.contains("good.py"));
    let ran = project.run(["-qq"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    assert!(ran.stdout.contains("good.py"));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    // More than a pipe holds, so that the write fails whenever the reader goes.
    let project =
        Project::of(SLEEPS.replace("    time.sleep(1)\n", &"    time.sleep(1)\n".repeat(3000)));
    for arguments in [&[][..], &["--diff"], &["--output-format", "json"]] {
        let mut child = project
            .command(arguments.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn that_nobody_reads_the_messages_does_not_keep_the_patch_from_being_printed() {
    let project = Project::new([
        ("a.py", SLEEPS),
        ("bad.py", "async def f(:\n    time.sleep(1)\n"),
    ]);
    let mut child = project
        .command(["--diff"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.starts_with(b"--- a/a.py\n"));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_does_not_keep_fixes_from_being_written() {
    let project = Project::new([("a.py", SLEEPS), ("b.py", WITHHELD)]);
    let mut child = project
        .command(["--fix", "--show-withheld"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    drop(child.stderr.take());
    assert!(matches!(child.wait().unwrap().code(), Some(0 | 1)));
    assert_eq!(project.read("a.py"), AWAITS);
}

#[test]
fn code_that_is_nested_too_deeply_is_named_and_the_others_go_on() {
    let nested = [
        "-".repeat(50_000),
        "f()".to_string() + &".g()".repeat(50_000),
    ];
    for nested in nested {
        let project = Project::of(SLEEPS);
        project.write(
            "deep.py",
            format!("{SLEEPS}    x = {nested}1\n").replace("g()1", "g()"),
        );
        let ran = project.run(["--fix"]);
        assert_eq!(ran.status, 1);
        assert!(
            ran.stderr
                .contains("deep.py:1:1: cannot be parsed: it is nested too deeply"),
            "{}",
            ran.stderr
        );
        assert_eq!(project.read("a.py"), AWAITS);
    }
}

/// A file that cannot be analysed: its name, how it is made, and what is said of it.
type Broken = (&'static str, fn(&Project, &str), &'static str);

/// Those that are found in a folder, too.
const BROKEN: &[Broken] = &[
    (
        "unparsable.py",
        |project, name| project.write(name, "x = 1\ndef f(:\n"),
        ":2:7: cannot be parsed: ",
    ),
    (
        "undecodable.py",
        |project, name| project.write(name, b"x = 1\n# \xff\n"),
        ":2: byte 0xff at offset 8 is not UTF-8: ",
    ),
    (
        "undeclared.py",
        |project, name| project.write(name, "# coding: klingon\n"),
        ":1: is declared to be klingon, ",
    ),
    (
        "nul.py",
        |project, name| project.write(name, b"x = 1\0\n"),
        ":1: holds a NUL byte ",
    ),
    (
        "deep.py",
        |project, name| project.write(name, format!("x = {}1\n", "-".repeat(50_000))),
        ":1:1: cannot be parsed: it is nested too deeply",
    ),
    (
        "cell.ipynb",
        |project, name| {
            project.write(
                name,
                r#"{"cells": [{"cell_type": "code", "metadata": {}, "outputs": [],
                    "execution_count": null, "source": ["def f(:"]}],
                    "metadata": {}, "nbformat": 4, "nbformat_minor": 5}"#,
            );
        },
        ":cell 1:1:7: cannot be parsed: ",
    ),
];

/// Those that have to be named.
#[cfg(unix)]
const UNREADABLE: &[Broken] = &[
    (
        "missing.py",
        |_, _| {},
        ": cannot be read: no such file or directory",
    ),
    (
        "dangling.py",
        |project, name| std::os::unix::fs::symlink("nowhere", project.path(name)).unwrap(),
        ": cannot be read: no such file or directory",
    ),
    (
        "pipe.py",
        |project, name| {
            project.tool("mkfifo", &[name], b"");
        },
        ": is neither a file nor a directory",
    ),
];

const MODES: &[&[&str]] = &[
    &[],
    &["--diff"],
    &["--fix"],
    &["--add-ignores"],
    &["--baseline", "known.json", "--update-baseline"],
    &["--since", "HEAD"],
    &["--all"],
];

/// A folder that is committed to git, with one such file that is not.
fn with_broken((name, make, _): &Broken) -> Project {
    let project = Project::new([("clean.py", CLEAN)]);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
        project.tool("git", &[&who, arguments].concat(), b"");
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "x"]);
    make(&project, name);
    project
}

#[test]
fn what_cannot_be_analysed_never_looks_clean() {
    for broken @ (name, _, message) in BROKEN {
        let project = with_broken(broken);
        for mode in MODES {
            never_clean(&project, name, message, &[*mode, &["."]].concat());
        }
        let ran = project.run(["clean.py", name]);
        let said = format!("{name}{message}");
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        assert!(ran.stderr.starts_with(&said), "{}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_never_looks_clean() {
    for broken @ (name, _, message) in UNREADABLE {
        let project = with_broken(broken);
        for mode in MODES {
            never_clean(&project, name, message, &[*mode, &[".", name]].concat());
        }
    }
}

/// Checks a run in every format and with all that could hide something.
#[track_caller]
fn never_clean(project: &Project, name: &str, message: &str, arguments: &[&str]) {
    let said = format!("{name}{message}");
    let check = |more: &[&str], status: i32, has_summary: bool| {
        let arguments = [&["--no-types"], arguments, more].concat();
        let ran = project.run(arguments.iter().copied());
        let shown = format!("{arguments:?}:\n{}\n{}", ran.stdout, ran.stderr);
        assert_eq!(ran.status, status, "{shown}");
        assert!(ran.stderr.starts_with(&said), "{shown}");
        let summary = ran.stderr.contains("1 file could not be analysed.");
        assert_eq!(summary, has_summary, "{shown}");
        (ran, shown)
    };
    check(&[], 1, true);
    check(&["--exit-zero"], 0, true);
    check(&["-q"], 1, false);
    let silent = [&["-qq"], arguments].concat();
    let ran = project.run(silent.iter().copied());
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{silent:?}");
    for format in formats(project) {
        let is_text = ["full", "concise", "grouped"].contains(&format.as_str());
        if is_text || !arguments.contains(&"--diff") {
            let (ran, shown) = check(&["--output-format", &format], 1, true);
            assert!(is_text || ran.stdout.contains(name), "{shown}");
        }
    }
}

/// All formats, as they are named where a wrong one is refused.
fn formats(project: &Project) -> Vec<String> {
    let ran = project.run(["--output-format", "nothing"]);
    let list = ran.stderr.split_once("[possible values: ").unwrap().1;
    let list = list.split_once(']').unwrap().0;
    list.split(", ").map(str::to_string).collect()
}

#[test]
fn files_that_are_too_many_to_be_parsed_are_counted_where_a_summary_is_read() {
    // One comment, which is soon parsed, below the lines that could say that it is generated.
    let large = format!("{}# {}\n", "\n".repeat(10), "x".repeat(9 << 20));
    let project = Project::new([("large.py", large.as_str()), ("bad.py", "def f(:\n")]);
    let ran = project.run([]);
    assert_eq!(ran.status, 0);
    assert_eq!(
        ran.stderr,
        "No findings in 2 files. 2 files without a place for a codemod were decoded, and not \
         parsed.\n"
    );
    for arguments in [&["-q", "."][..], &["report", "--html", "page.html", "."]] {
        let ran = project.run(arguments.iter().copied());
        assert_eq!(ran.status, 1, "{arguments:?}");
        assert!(ran.stderr.starts_with("bad.py:1:7: "), "{}", ran.stderr);
    }
    for format in ["json", "sarif"] {
        let ran = project.run(["--output-format", format]);
        assert_eq!(ran.status, 1, "{format}");
        assert!(ran.stdout.contains("bad.py"), "{}", ran.stdout);
    }
    // What is named is parsed, and what cannot be decoded is always said.
    assert_eq!(project.run([".", "bad.py"]).status, 1);
    project.write("bad.py", b"\xff");
    assert_eq!(project.run([]).status, 1);
}
