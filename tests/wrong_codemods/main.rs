//! Each net catches what is wrong in its way: codemods that are wrong on purpose, and who sees it.

// A test says by its end that something is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = "\
import asyncio


async def main():
    await asyncio.gather(
        asyncio.sleep(2),  # the long one
        asyncio.sleep(1),
    )


asyncio.run(main())
";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn python() -> String {
    std::env::var("ASYNCFIX_PYTHON").unwrap_or_else(|_| "python3".to_string())
}

/// What `--fix` with a wrong codemod does to a program: what it says, and the program afterwards.
fn fix(codemod: &str) -> (Output, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("program.py");
    fs::write(&file, PROGRAM).expect("the program can be written");
    let ran = Command::new(env!("CARGO_BIN_EXE_asyncfix"))
        .args(["--isolated", "--fix", "--select", codemod, "."])
        .current_dir(folder.path())
        .output()
        .expect("asyncfix runs");
    let after = fs::read_to_string(&file).expect("the program is there");
    (ran, after)
}

/// The differential net with a wrong codemod in the place of the one that each program is about.
fn differential(codemod: &str, shapes: &str, shown: &str) -> Output {
    Command::new(python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential"))
        .args(["--bin", env!("CARGO_BIN_EXE_asyncfix")])
        .args(["--programs", "24", "--shown", shown, "--jobs", "1"])
        .arg("--no-types")
        .args(["--select", codemod, "--codemods", shapes])
        .output()
        .expect("Python runs")
}

#[test]
fn a_result_that_is_no_python_is_not_written() {
    let (ran, after) = fix("wrong-breaks-syntax");
    let said = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("wrong-breaks-syntax"), "{said}");
    assert_eq!(after, PROGRAM);
}

/// A campaign goes on: the repository is done, and what was dropped is seen.
#[test]
fn a_campaign_says_that_a_fix_was_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let ran = Command::new(program)
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = text(&ran.stdout) + &text(&ran.stderr);
        assert!(ran.status.success(), "{arguments:?}: {said}");
        said
    };
    let git = |arguments: &[&str]| {
        let who = ["-C", "r", "-c", "user.name=A", "-c", "user.email=a@b"];
        run("git", &[&who, arguments].concat())
    };
    fs::create_dir(folder.path().join("r")).unwrap();
    fs::write(folder.path().join("r/program.py"), PROGRAM).unwrap();
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message=Begin"]);
    fs::write(folder.path().join("list"), "r\n").unwrap();
    let migrate = |arguments: &[&str]| {
        let words = [&["migrate"], arguments, &["--campaign=c"]].concat();
        run(env!("CARGO_BIN_EXE_asyncfix"), &words)
    };
    migrate(&["plan", "list", "--no-types", "--select=wrong-breaks-syntax"]);
    let said = migrate(&["run"]);
    assert!(said.contains("1 problem, 1 of asyncfix"), "{said}");
    let said = migrate(&["status"]);
    assert!(said.contains("done, 1 problem, 1 of asyncfix"), "{said}");
    let said = migrate(&["report"]);
    for part in [
        "1 fix was dropped, by a fault of asyncfix",
        "`wrong-breaks-syntax` was dropped",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_fix_that_loses_a_comment_is_withheld() {
    let (ran, after) = fix("wrong-loses-comment");
    let said = text(&ran.stderr) + &text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("1 withheld"), "{said}");
    assert_eq!(after, PROGRAM);
}

#[test]
fn what_only_runs_otherwise_is_written() {
    // So the nets that run programs are the only ones that can catch it.
    for codemod in ["wrong-drops-sleep", "wrong-hides-failure"] {
        let (ran, after) = fix(codemod);
        assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
        assert_ne!(after, PROGRAM);
    }
}

#[test]
fn the_differential_net_catches_what_runs_otherwise() {
    // One of them is made smaller, which takes its time.
    for (codemod, shapes, shown) in [
        ("wrong-swaps-statements", "running-loop", "0"),
        ("wrong-drops-sleep", "running-loop", "1"),
        ("wrong-hides-failure", "gather-to-taskgroup", "0"),
    ] {
        let ran = differential(codemod, shapes, shown);
        let printed = text(&ran.stdout);
        assert_eq!(
            ran.status.code(),
            Some(1),
            "{codemod}: {}{printed}",
            text(&ran.stderr)
        );
        assert!(printed.contains(&format!("{codemod}: ")), "{printed}");
    }
}

/// A project whose tests need nothing but Python.
const LITTLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ecosystem/selftest");

#[test]
fn the_tests_of_projects_catch_what_runs_otherwise() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = folder.path().join("wrong");
    let script = format!(
        "#!/bin/sh\nexec '{}' \"$@\" --select wrong-drops-sleep\n",
        env!("CARGO_BIN_EXE_asyncfix")
    );
    fs::write(&program, script).expect("the program can be written");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&program, mode).expect("it may run");
    let ran = Command::new(python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ecosystem/ecosystem.py"))
        .args(["--list", &format!("{LITTLE}/projects.toml")])
        .args(["--selection", "default", "--bin"])
        .arg(&program)
        .arg("--cache")
        .arg(folder.path().join("cache"))
        .output()
        .expect("Python runs");
    let printed = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{}{printed}", text(&ran.stderr));
    assert!(
        printed.contains("little: default: newly failed: test_jobs.Waiting.test_too_late"),
        "{printed}"
    );
}

#[test]
fn verifying_takes_back_what_runs_otherwise() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["jobs.py", "test_jobs.py"] {
        let from = format!("{LITTLE}/project/{name}");
        fs::copy(from, folder.path().join(name)).expect("it can be copied");
    }
    let read = || fs::read_to_string(folder.path().join("jobs.py")).expect("it is there");
    let before = read();
    let run = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_asyncfix"))
            .args(["--isolated", "--no-types", "--fix", "jobs.py", "--select"])
            .arg("wrong-drops-sleep")
            .args(more)
            .current_dir(folder.path())
            .output()
            .expect("asyncfix runs")
    };
    let tests = format!("{} -m unittest", python());
    let ran = run(&["--verify", &tests]);
    let printed = text(&ran.stdout) + &text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{printed}");
    assert!(printed.contains("newly fails with it"), "{printed}");
    let wrong = ("asyncio.sleep(0.02)", "asyncio.sleep(0)");
    assert!(read().contains(wrong.0), "{}", read());
    assert_ne!(read(), before, "what no test notices stays");
    run(&[]);
    assert!(!read().contains(wrong.0) && read().contains(wrong.1));
}
