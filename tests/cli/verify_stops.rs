//! `--fix --verify` that does not come to its end: interrupted, killed, or in the way of others.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::project::{AWAITS, Project, Ran, SLEEPS};
use crate::verify::{THREE, awaited, command};

/// Hangs when `b.py` is fixed, and says so.
const HANGS: &str = "if grep -q await b.py; then touch hangs; sleep 60; fi";

fn start(project: &Project, verify: &str) -> Child {
    command(project, verify, [])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_for(project: &Project, name: &str) {
    let started = Instant::now();
    while !project.path(name).exists() {
        assert!(started.elapsed() < Duration::from_mins(1), "no {name}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args([signal, &pid]).status().unwrap();
    assert!(status.success());
}

#[test]
fn interrupted_it_puts_back_what_was() {
    for name in ["-INT", "-TERM"] {
        let project = Project::new([("a.py", THREE), ("b.py", SLEEPS)]);
        let child = start(&project, HANGS);
        wait_for(&project, "hangs");
        signal(&child, name);
        let ran = Ran::of(&child.wait_with_output().unwrap());
        assert_eq!(
            (ran.status, ran.stdout.as_str()),
            (130, ""),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr
                .ends_with("\ninterrupted: all files are as they were\n"),
            "{}",
            ran.stderr
        );
        assert_eq!(project.read("a.py"), THREE);
        assert_eq!(project.read("b.py"), SLEEPS);
        assert_eq!(project.names(), [".state", "a.py", "b.py", "hangs"]);
    }
}

#[test]
fn interrupted_it_keeps_what_passed() {
    // All fail, a.py passes, and with the other two it hangs.
    let project = Project::new([("a.py", THREE), ("b.py", SLEEPS), ("c.py", SLEEPS)]);
    let hangs = "if grep -q await c.py; then exit 1; fi; ".to_string() + HANGS;
    let child = start(&project, &hangs);
    wait_for(&project, "hangs");
    signal(&child, "-INT");
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_eq!(ran.status, 130);
    assert!(
        ran.stderr
            .contains("\ninterrupted: 1 file holds the fixes with which `if grep"),
        "{}",
        ran.stderr
    );
    assert_eq!(awaited(&project, "a.py"), [1, 2, 3]);
    assert_eq!(project.read("b.py"), SLEEPS);
    assert_eq!(project.read("c.py"), SLEEPS);
}

#[test]
fn killed_the_next_one_puts_back() {
    let project = Project::new([("a.py", THREE), ("b.py", SLEEPS)]);
    let hangs = "if grep -q await b.py; then echo $$ > pid; mv pid hangs; exec sleep 60; fi";
    let mut child = start(&project, hangs);
    wait_for(&project, "hangs");
    signal(&child, "-KILL");
    child.wait().unwrap();
    Command::new("kill")
        .arg(project.read("hangs").trim())
        .status()
        .unwrap();
    assert_eq!(project.read("b.py"), AWAITS);

    // Others are told of it.
    let mut report = project.command(["--await-sleep"]);
    report.env("XDG_STATE_HOME", project.path(".state"));
    let ran = Ran::of(&report.output().unwrap());
    assert!(
        ran.stderr
            .starts_with("warning: files may hold fixes that were not verified"),
        "{}",
        ran.stderr
    );

    // Somebody goes on with one of the files.
    let mine = project.read("a.py") + "# mine\n";
    project.write("a.py", &mine);
    let ran = Ran::of(
        &command(&project, "! grep -q await b.py", [])
            .output()
            .unwrap(),
    );
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.starts_with(
            "b.py: put back as it was when the command passed: a run with --verify was killed\n\
             a.py: may hold fixes that were not verified, of a run that was killed, and was left \
             alone: it was changed since\n"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(project.read("a.py"), mine);
    assert_eq!(project.read("b.py"), SLEEPS);
}

#[test]
fn two_at_a_time_are_refused() {
    let project = Project::new([("a.py", THREE), ("b.py", SLEEPS)]);
    let child = start(&project, HANGS);
    wait_for(&project, "hangs");
    let ran = Ran::of(&command(&project, "true", []).output().unwrap());
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .starts_with("error: another `asyncfix --verify` works on `"),
        "{}",
        ran.stderr
    );
    signal(&child, "-INT");
    child.wait_with_output().unwrap();
    assert_eq!(project.read("b.py"), SLEEPS);
}

#[test]
fn what_somebody_changed_is_left_alone() {
    // Before any fix, and with it.
    for (changes, mine) in [
        ("echo '# mine' >> b.py", format!("{SLEEPS}# mine\n")),
        (
            "if grep -q await b.py; then echo '# mine' >> b.py; fi",
            format!("{AWAITS}# mine\n"),
        ),
    ] {
        let project = Project::new([("a.py", THREE), ("b.py", SLEEPS)]);
        let ran = Ran::of(&command(&project, changes, []).output().unwrap());
        assert_eq!(ran.status, 2, "{}", ran.stderr);
        assert!(
            ran.stderr.contains(
                "error: b.py changed meanwhile, by the command or by somebody else, and was left \
                 alone; "
            ),
            "{}",
            ran.stderr
        );
        assert_eq!(project.read("a.py"), THREE);
        assert_eq!(project.read("b.py"), mine);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_left_out() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new([("a.py", THREE), ("b.py", SLEEPS)]);
    fs::set_permissions(project.path("a.py"), fs::Permissions::from_mode(0o444)).unwrap();
    let ran = Ran::of(
        &command(&project, "true", ["--output-format", "concise"])
            .output()
            .unwrap(),
    );
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .contains("a.py: is read-only, and was left alone"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stdout.lines().count(), 3, "{}", ran.stdout);
    assert_eq!(project.read("a.py"), THREE);
    assert_eq!(project.read("b.py"), AWAITS);
}
