//! Folders and variables that are missing, and few of what the system gives.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{ended, limited};
use crate::project::{AWAITS, Project, SLEEPS};

#[test]
fn without_home_and_folder_for_temporary_files_nothing_is_missing() {
    let project = Project::of(SLEEPS);
    let mut command = project.command(["--fix"]);
    command.env_clear().env("TMPDIR", "/nonexistent");
    let ran = ended(command);
    assert_eq!(
        (ran.status, ran.stderr.lines().count()),
        (0, 1),
        "{}",
        ran.stderr
    );
    project.write("a.py", SLEEPS);
    let mut command = project.command(["--fix"]);
    command.env_clear().env("HOME", "/nonexistent");
    assert_eq!(ended(command).status, 0);
    assert_eq!(project.read("a.py"), AWAITS);
}

#[test]
fn a_few_file_descriptors_are_enough() {
    let project = Project::new([]);
    for number in 0..300 {
        project.write(&format!("d{}/e/f{number}.py", number % 100), SLEEPS);
    }
    let ran = ended(limited(
        &project,
        "ulimit -n 64",
        &["--fix", "--no-types", "-j", "16"],
    ));
    let said = "Fixed 300 findings in 300 of 300 files (300 intended).\n";
    assert_eq!((ran.status, ran.stderr.as_str()), (0, said));
}

#[test]
fn a_current_directory_that_is_gone_is_named() {
    let project = Project::of(SLEEPS);
    let file = project.path("a.py").display().to_string();
    let gone = |arguments: &[&str]| {
        let script = "mkdir gone; cd gone; rmdir ../gone";
        ended(limited(&project, script, arguments))
    };
    let ran = gone(&[]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .starts_with(".: cannot be read: no such file or directory\n"),
        "{}",
        ran.stderr
    );
    let ran = gone(&["-"]);
    let said = "error: the current directory cannot be used: go to one that is there\n";
    assert_eq!((ran.status, ran.stderr.as_str()), (2, said));
    assert_eq!(gone(&["--no-types", "--fix", &file]).status, 0);
    assert_eq!(project.read("a.py"), AWAITS);
}

#[test]
fn a_current_directory_that_cannot_be_read_is_named() {
    let project = Project::new([("a.py", SLEEPS), ("locked/b.py", SLEEPS)]);
    project.give_away();
    let locked = project.path("locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o111)).unwrap();
    let mut command = project.command_unprivileged(["--no-types"]);
    command.current_dir(&locked);
    let ran = ended(command);
    let mut command = project.command_unprivileged(["--fix", "--no-types", "../a.py"]);
    command.current_dir(&locked);
    let fixed = ended(command);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .starts_with(".: cannot be read: permission denied\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(fixed.status, 0, "{}", fixed.stderr);
    assert_eq!(project.read("a.py"), AWAITS);
}
