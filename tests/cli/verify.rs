//! `--fix --verify`: fixes stay only if a command passes with them.

use std::path::Path;
use std::process::Command;

use crate::project::{AWAITS, CLEAN, Project, Ran, SLEEPS, assert_snapshot};

/// A module with three fixes.
pub const THREE: &str = "\
import asyncio
import time

started = time.time()


async def one():
    time.sleep(0.001)


async def two():
    time.sleep(0.002)


async def three():
    time.sleep(0.003)
";

/// How the tests begin.
const HEAD: &str = "\
import asyncio
import unittest
from unittest import mock

import a
import b
import c


class T(unittest.TestCase):
";

const UNITTEST: &str = "python3 -m unittest";

/// Which of the sleeps of [`THREE`] are awaited in a file.
pub fn awaited(project: &Project, name: &str) -> Vec<u8> {
    let text = project.read(name);
    let is_awaited = |it: &u8| text.contains(&format!("await asyncio.sleep(0.00{it})"));
    (1..=3).filter(is_awaited).collect()
}

/// asyncfix, about to fix and to verify. Journals are kept in the folder `.state`.
pub fn command<'a>(
    project: &Project,
    verify: &'a str,
    more: impl IntoIterator<Item = &'a str>,
) -> Command {
    let arguments = ["--fix", "--await-sleep", "--verify", verify];
    let mut command = project.command(arguments.into_iter().chain(more));
    command
        .env("XDG_STATE_HOME", project.path(".state"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn verify<'a>(project: &Project, verify: &'a str, more: impl IntoIterator<Item = &'a str>) -> Ran {
    Ran::of(&command(project, verify, more).output().unwrap())
}

/// A project of three modules like [`THREE`], and tests with these bodies.
fn project(tests: &[(&str, &str)]) -> Project {
    let project = Project::new(["a.py", "b.py", "c.py"].map(|name| (name, THREE)));
    let methods: Vec<String> = tests
        .iter()
        .map(|(name, body)| format!("    def {name}(self):\n        {body}\n"))
        .collect();
    let text = format!("{HEAD}{}", methods.join("\n"));
    project.write("test_t.py", text);
    project
}

/// A test that passes only if the coroutine function blocks.
fn blocks(functions: &[&str]) -> String {
    let call = |it: &&str| format!("            asyncio.run({it}())\n");
    let calls = functions.iter().map(call).collect::<Vec<_>>().concat();
    format!(
        "with mock.patch('time.sleep') as sleep:\n{calls}        if not sleep.called:\n            \
         raise AssertionError('nothing blocks')"
    )
}

/// The text with `TIME` for each time that a run took.
fn timeless(text: &str) -> String {
    let time = regex::Regex::new(r"\(\d+(\.\d)? s\)|in \d+\.\d+s").unwrap();
    time.replace_all(text, "TIME").into_owned()
}

#[test]
fn it_goes_with_fix_only() {
    let project = Project::of(SLEEPS);
    for (arguments, said) in [
        (&["--verify", "true"][..], "required"),
        (
            &["--fix", "--diff", "--verify", "true"],
            "cannot be used with",
        ),
        (
            &["--fix", "--review", "--verify", "true"],
            "cannot be used with",
        ),
        (
            &["--fix", "--add-ignores", "--verify", "true"],
            "cannot be used with",
        ),
        (
            &["--fix", "--verify", "true", "-"],
            "--verify is about files",
        ),
        (&["--fix", "--verify", " "], "--verify takes the command"),
        (&["--fix", "--verify-runs", "3"], "required"),
        (
            &["--fix", "--verify", "true", "--verify-runs", "1"],
            "there have to be two",
        ),
        (
            &["--fix", "--verify", "true", "--verify-timeout", "0"],
            "invalid value",
        ),
    ] {
        let ran = project.run(arguments.iter().copied());
        assert_eq!(ran.status, 2, "{arguments:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn nothing_runs_where_nothing_is_fixed() {
    let project = Project::of(CLEAN);
    let ran = verify(&project, "touch ran", []);
    assert_eq!(ran.status, 0);
    assert_eq!(ran.stderr, "No findings in 1 file.\n");
    assert_eq!(project.names(), [".state", "a.py"]);
}

#[test]
fn what_passes_stays() {
    let project = Project::of(SLEEPS);
    let ran = verify(&project, "echo said; true", []);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""));
    assert_eq!(
        timeless(&ran.stderr),
        "Run 1 of at most 40, before any fix: passed TIME\n\
         Run 2 of at most 40, with 1 fix in 1 file: passed TIME\n\
         Fixed 1 finding in 1 of 1 file (1 intended). Verified by `echo said; true` in 2 runs.\n"
    );
    assert_eq!(project.read("a.py"), AWAITS);
    let quiet = Project::of(SLEEPS);
    let ran = verify(&quiet, "true", ["-q"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
}

#[test]
fn one_culprit_is_taken_back() {
    let project = project(&[("test_all", "pass"), ("test_two", &blocks(&["b.two"]))]);
    let ran = verify(&project, UNITTEST, []);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert_eq!(awaited(&project, "a.py"), [1, 2, 3]);
    assert_eq!(awaited(&project, "b.py"), [1, 3]);
    assert_eq!(awaited(&project, "c.py"), [1, 2, 3]);
    let traceback = regex::Regex::new(r#"File ".*/mock.py", line \d+"#).unwrap();
    let folder = project.root().display().to_string();
    let stdout = traceback
        .replace_all(&ran.stdout, "File MOCK")
        .replace(&folder, "FOLDER");
    assert_snapshot(
        "verify",
        &timeless(&format!("{stdout}\n---\n{}", ran.stderr)),
    );
    assert_eq!(
        project.names(),
        [".state", "a.py", "b.py", "c.py", "test_t.py"]
    );
}

#[test]
fn two_culprits_are_taken_back_in_all_formats() {
    let tests = [
        ("test_one", &*blocks(&["a.one"])),
        ("test_three", &*blocks(&["c.three"])),
    ];
    let json = project(&tests);
    let ran = verify(&json, UNITTEST, ["--output-format", "json"]);
    assert_eq!(ran.status, 1);
    assert_eq!(awaited(&json, "a.py"), [2, 3]);
    assert_eq!(awaited(&json, "b.py"), [1, 2, 3]);
    assert_eq!(awaited(&json, "c.py"), [1, 2]);
    let objects: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
    let object = |file: &str| objects.iter().find(|it| it["filename"] == file).unwrap();
    assert_eq!(
        object("a.py")["withheld"],
        "`python3 -m unittest` newly fails with it: test_one (test_t.T.test_one)"
    );
    let breakage = &object("c.py")["verify"];
    assert_eq!(breakage["command"], UNITTEST);
    assert_eq!(breakage["ended"], "exit status 1");
    assert_eq!(
        breakage["failed"],
        serde_json::json!(["test_three (test_t.T.test_three)"])
    );
    let output = breakage["output"].as_array().unwrap();
    assert!(output.contains(&"FAILED (failures=1)".into()), "{output:?}");

    let concise = project(&tests);
    let ran = verify(&concise, UNITTEST, ["--output-format", "concise"]);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    assert!(
        ran.stdout.starts_with("a.py:8:5: await-sleep: "),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.ends_with("2 fixes were taken back.\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn of_fixes_that_fail_only_together_the_last_is_taken_back() {
    let project = project(&[("test_both", &blocks(&["a.two", "c.one"]))]);
    let ran = verify(&project, UNITTEST, []);
    assert_eq!(ran.status, 1);
    assert_eq!(awaited(&project, "a.py"), [1, 2, 3]);
    assert_eq!(awaited(&project, "c.py"), [2, 3]);
}

#[test]
fn all_can_be_culprits() {
    let project = Project::of(SLEEPS);
    let ran = verify(&project, "! grep -q await a.py", []);
    assert_eq!(ran.status, 1);
    assert_eq!(project.read("a.py"), SLEEPS);
    assert!(
        ran.stdout.contains("fails with it: exit status 1"),
        "{}",
        ran.stdout
    );
    let said = "Fixed nothing in 1 file. 1 withheld. Tried by `! grep -q await a.py` in 3 runs: 1 \
                fix was taken back.\n";
    assert!(ran.stderr.ends_with(said), "{}", ran.stderr);
}

#[test]
fn what_failed_before_may_fail() {
    let fails = ("test_known", "self.fail()");
    let known = project(&[fails]);
    let ran = verify(&known, UNITTEST, []);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(awaited(&known, "b.py"), [1, 2, 3]);
    let said = "s)\n  known from here on: test_known (test_t.T.test_known)\nRun 2";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert!(
        ran.stderr.ends_with("1 test fails as before.\n"),
        "{}",
        ran.stderr
    );

    let newly = project(&[fails, ("test_two", &blocks(&["b.two"]))]);
    let ran = verify(&newly, UNITTEST, []);
    assert_eq!(ran.status, 1);
    assert_eq!(awaited(&newly, "b.py"), [1, 3]);
    assert!(
        ran.stdout.contains("newly fails with it: test_two ("),
        "{}",
        ran.stdout
    );
}

#[test]
fn failures_without_names_are_no_base_line() {
    let project = Project::of(SLEEPS);
    let ran = verify(&project, "echo '3 failed'; exit 4", []);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert_eq!(
        timeless(&ran.stderr),
        "Run 1 of at most 40, before any fix: failed TIME\n  exit status 4\n  | 3 failed\nerror: \
         `echo '3 failed'; exit 4` fails before any fix (exit status 4), and names no failing test \
         as pytest and unittest do, so that new failures cannot be told from old ones: make it \
         pass first; all files are as they were\n"
    );
    let ran = verify(&project, "no-such-command", []);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .contains("`no-such-command` cannot be run (exit status 127)"),
        "{}",
        ran.stderr
    );
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn a_run_that_stops_at_a_failure_is_no_base_line() {
    let project = Project::of(SLEEPS);
    let stops = "echo '==== short test summary info ===='; echo 'ERROR test_a.py'; echo '!!!! \
                 Interrupted: 1 error during collection !!!!'; exit 2";
    let ran = verify(&project, stops, []);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .contains("stops at a failure before any fix, so that not all tests run"),
        "{}",
        ran.stderr
    );
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn too_long_is_failing() {
    let project = Project::of(SLEEPS);
    let slow = "if grep -q await a.py; then sleep 60; fi";
    let ran = verify(&project, slow, ["--verify-timeout", "2"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stdout.contains("fails with it: not done after 2.0 s"),
        "{}",
        ran.stdout
    );
    assert_eq!(project.read("a.py"), SLEEPS);

    let ran = verify(&project, "sleep 60", ["--verify-timeout", "2"]);
    assert_eq!(ran.status, 2);
    let said = "`sleep 60` was not done after 2.0 s, before any fix: raise --verify-timeout; all \
                files are as they were\n";
    assert!(ran.stderr.ends_with(said), "{}", ran.stderr);
}

#[test]
fn what_is_undecided_is_taken_back() {
    // Before, with all, and with the first of the three files.
    let project = project(&[("test_two", &blocks(&["c.two"]))]);
    let ran = verify(&project, UNITTEST, ["--verify-runs", "3"]);
    assert_eq!(ran.status, 1);
    assert_eq!(awaited(&project, "a.py"), [1, 2, 3]);
    assert!(awaited(&project, "b.py").is_empty() && awaited(&project, "c.py").is_empty());
    assert_eq!(project.read("b.py"), THREE);
    let said = "whether `python3 -m unittest` passes with it was not known when the 3 runs of \
                --verify-runs were used up";
    assert_eq!(ran.stdout.matches(said).count(), 6, "{}", ran.stdout);
    assert!(
        ran.stderr
            .ends_with("in 3 runs: 6 undecided fixes were taken back.\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_command_that_is_not_stable_is_named() {
    // It fails the first time that something is fixed, and not again.
    let project = Project::new([("a.py", SLEEPS), ("b.py", THREE)]);
    let whim = "if grep -q await a.py && ! test -e failed; then touch failed; false; fi";
    let ran = verify(&project, whim, []);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(project.read("a.py"), AWAITS);
    assert!(
        ran.stderr
            .contains(", once more with 4 fixes in 2 files: passed ("),
        "{}",
        ran.stderr
    );
    let said = "it is not stable: the same files failed and passed.\n";
    assert!(ran.stderr.ends_with(said), "{}", ran.stderr);

    // What passed fails when it is tried again.
    let project = Project::new([("a.py", THREE), ("b.py", SLEEPS)]);
    let whim = "if grep -q await b.py; then touch failed; false; elif grep -q await a.py; then ! \
                test -e passed || exit 3; touch passed; fi";
    let ran = verify(&project, whim, []);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert_eq!(project.read("a.py"), THREE);
    assert_eq!(project.read("b.py"), SLEEPS);
    assert!(
        ran.stdout
            .contains("is not stable: it passed with this, and then failed: exit status 3"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_it_prints_need_not_be_text() {
    let project = Project::of(SLEEPS);
    let ran = verify(
        &project,
        r"printf 'a\377\033[31mb\r\n\000c'; ! grep -q await a.py",
        [],
    );
    assert_eq!(ran.status, 1);
    assert!(
        ran.stdout.contains("\n          a\u{fffd}b\n          c\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn it_may_write_other_files() {
    let project = Project::of(SLEEPS);
    let ran = verify(
        &project,
        "mkdir -p out; echo x >> out/log; echo y > b.py",
        [],
    );
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(project.read("out/log"), "x\nx\n");
    assert_eq!(project.read("a.py"), AWAITS);
}

#[test]
fn known_findings_and_old_lines_stay_out_of_it() {
    let project = Project::new([("a.py", SLEEPS), ("b.py", THREE)]);
    let baseline = ["--await-sleep", "--baseline", "known.json"];
    project.run(baseline.into_iter().chain(["--update-baseline", "a.py"]));
    let ran = verify(
        &project,
        "! grep -q 'await.*2' b.py",
        ["--baseline", "known.json"],
    );
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert_eq!(project.read("a.py"), SLEEPS);
    assert_eq!(awaited(&project, "b.py"), [1, 3]);
    assert!(
        ran.stderr.contains("1 known one is in the baseline."),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_import_goes_with_what_stays() {
    let unused = THREE.replace("started = time.time()\n", "");
    let all = Project::of(&unused);
    assert_eq!(verify(&all, "true", []).status, 0);
    assert!(!all.read("a.py").contains("import time"));
    let some = Project::of(&unused);
    assert_eq!(verify(&some, "! grep -q 'await.*2' a.py", []).status, 1);
    assert!(some.read("a.py").contains("import time"));
    assert_eq!(awaited(&some, "a.py"), [1, 3]);
}

#[cfg(target_os = "linux")]
#[test]
fn each_text_of_a_file_gets_a_second_of_its_own() {
    let project = Project::of(THREE);
    let modified = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
    let before = modified(&project.path("a.py"));
    let log = "stat -c %Y a.py >> log; md5sum < a.py >> log; ! grep -q await a.py";
    assert_eq!(verify(&project, log, []).status, 1);
    let log = project.read("log");
    let lines: Vec<&str> = log.lines().collect();
    let seen: Vec<(&str, &str)> = lines.chunks(2).map(|it| (it[0], it[1])).collect();
    assert!(seen.len() > 4, "{seen:?}");
    for (time, text) in &seen {
        assert!(
            seen.iter().all(|(other, of)| time != other || text == of),
            "{seen:?}"
        );
    }
    // The original has its own time again.
    assert_eq!(modified(&project.path("a.py")), before);
}
