//! What `--fix` writes, and what it leaves alone.

use std::fs;

use crate::project::{AWAITS, Project, SLEEPS, WITHHELD};

#[cfg(unix)]
#[test]
fn the_mode_is_kept_and_nothing_else_is_left_behind() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::of(SLEEPS);
    fs::set_permissions(project.path("a.py"), fs::Permissions::from_mode(0o750)).unwrap();
    assert_eq!(project.run(["--fix"]).status, 0);
    assert_eq!(project.read("a.py"), AWAITS);
    let mode = fs::metadata(project.path("a.py"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o750);
    assert_eq!(project.names(), ["a.py"]);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_is_left_alone_and_the_others_go_on() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new([("a.py", SLEEPS), ("b.py", SLEEPS)]);
    fs::set_permissions(project.path("a.py"), fs::Permissions::from_mode(0o444)).unwrap();
    let ran = project.run(["--fix", "--output-format", "concise"]);
    assert_eq!(ran.status, 1);
    assert_eq!(
        ran.stderr,
        "a.py: is read-only, and was left alone: make it writable\n\
         Fixed 1 finding in 1 of 2 files (1 intended). 1 file could not be written.\n"
    );
    // What was not written remains.
    assert!(
        ran.stdout.starts_with("a.py:8:5: await-sleep: "),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stdout.lines().count(), 1);
    assert_eq!(project.read("a.py"), SLEEPS);
    assert_eq!(project.read("b.py"), AWAITS);
    assert_eq!(project.names(), ["a.py", "b.py"]);
}

#[cfg(unix)]
#[test]
fn a_file_of_another_owner_is_left_alone() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let project = Project::of(SLEEPS);
    project.give_away();
    // Only root can set this scene; the check in `write` is the same for a read-only file.
    if chown(project.path("a.py"), Some(0), Some(0)).is_ok() {
        fs::set_permissions(project.path("a.py"), fs::Permissions::from_mode(0o644)).unwrap();
        let ran = project.run_unprivileged(["--fix"]);
        assert_eq!(ran.status, 1);
        let message = "a.py: cannot be written: permission denied: make it writable\n";
        assert!(ran.stderr.starts_with(message), "{}", ran.stderr);
        assert_eq!(project.read("a.py"), SLEEPS);
    }
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new([("locked/a.py", SLEEPS), ("b.py", SLEEPS)]);
    project.give_away();
    let set = |mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(project.path("locked"), mode).unwrap();
    };
    set(0o555);
    let ran = project.run_unprivileged(["--fix"]);
    set(0o755);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .starts_with("locked/a.py: cannot be replaced: no file can be made in "),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains(" (permission denied): make it writable\n")
    );
    assert_eq!(project.read("locked/a.py"), SLEEPS);
    assert_eq!(project.read("b.py"), AWAITS);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_its_target_is_replaced() {
    let project = Project::new([("real/a.py", SLEEPS)]);
    std::os::unix::fs::symlink("real/a.py", project.path("link.py")).unwrap();
    assert_eq!(project.run(["--fix", "link.py"]).status, 0);
    assert!(project.path("link.py").is_symlink());
    assert_eq!(project.read("real/a.py"), AWAITS);
    assert_eq!(fs::read_dir(project.path("real")).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn other_names_of_the_file_are_mentioned() {
    let project = Project::of(SLEEPS);
    fs::hard_link(project.path("a.py"), project.path("other.txt")).unwrap();
    let ran = project.run(["--fix", "-v"]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.stderr.starts_with(
            "a.py: the file had other names (hard links), which keep the old content\n"
        )
    );
    assert_eq!(project.read("a.py"), AWAITS);
    assert_eq!(project.read("other.txt"), SLEEPS);
}

#[test]
fn files_without_a_fix_are_not_touched() {
    let project = Project::of(WITHHELD);
    let before = fs::metadata(project.path("a.py")).unwrap();
    project.run(["--fix"]);
    let after = fs::metadata(project.path("a.py")).unwrap();
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());
}

#[test]
fn generated_files_are_left_alone() {
    let text = format!("# @generated\n{SLEEPS}");
    let project = Project::of(&text);
    let ran = project.run(["--fix", "-v", "a.py"]);
    assert_eq!(ran.status, 0);
    assert_eq!(
        ran.stderr,
        "a.py: skipped: it is generated\nNo findings in 1 file.\n"
    );
    assert_eq!(project.read("a.py"), text);
}
