//! Files that are not what they seem, and what belongs to a file beside its content.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::{left_over, run_in_time};
use crate::project::{AWAITS, CLEAN, Project, SLEEPS};

#[test]
fn pipes_and_devices_are_passed_over() {
    let project = Project::of(SLEEPS);
    for name in [
        "b.py",
        "time.py",
        "c.ipynb",
        "sub/setup.cfg",
        "sub/pyproject.toml",
    ] {
        fs::create_dir_all(project.path(name).parent().unwrap()).unwrap();
        project.tool("mkfifo", &[name], b"");
    }
    fs::create_dir(project.path("d.py")).unwrap();
    symlink("/dev/zero", project.path("zero.py")).unwrap();
    project.write("sub/e.py", SLEEPS);
    let ran = run_in_time(&project, ["--fix"]);
    assert_eq!(
        ran.stderr,
        "Fixed 2 findings in 2 of 2 files (2 intended).\n"
    );
    let ran = run_in_time(&project, ["zero.py", "b.py", "d.py"]);
    assert_eq!(
        ran.stderr,
        "b.py: is neither a file nor a directory\n\
         zero.py: is neither a file nor a directory\n\
         No findings in 0 files. 2 files could not be analysed.\n"
    );
}

#[test]
fn a_configuration_that_is_a_pipe_is_not_waited_for() {
    for name in ["asyncfix.toml", ".asyncfix.toml"] {
        let project = Project::of(SLEEPS);
        project.tool("mkfifo", &[name], b"");
        let ran = run_in_time(&project, ["--fix"]);
        let said = format!("error: `{name}` cannot be read: it is no regular file\n");
        assert_eq!((ran.status, ran.stderr), (2, said));
        assert_eq!(project.read("a.py"), SLEEPS);
    }
}

#[test]
fn a_list_of_patterns_that_is_a_pipe_is_not_waited_for() {
    for name in [".gitignore", ".ignore"] {
        let project = Project::of(SLEEPS);
        project.write("sub/b.py", SLEEPS);
        let list = format!("sub/{name}");
        project.tool("mkfifo", &[&list], b"");
        let ran = run_in_time(&project, ["--fix"]);
        let left_out = "cannot be read, and its folder is left out: it is no regular file";
        assert!(
            ran.stderr.starts_with(&format!("{list}: {left_out}\n")),
            "{}",
            ran.stderr
        );
        assert_eq!((ran.status, project.read("a.py").as_str()), (1, AWAITS));
        assert_eq!(project.read("sub/b.py"), SLEEPS);

        // In the folder itself, or above it.
        project.tool("mkfifo", &[name], b"");
        let ran = run_in_time(&project, ["--fix", "."]);
        assert!(ran.stderr.contains(left_out), "{}", ran.stderr);
        assert_eq!(ran.status, 1);
    }
}

#[test]
fn links_lead_nowhere_else_unless_they_are_named() {
    let outside = Project::of(SLEEPS);
    let project = Project::new([("sub/b.py", CLEAN)]);
    symlink(outside.path("a.py"), project.path("a.py")).unwrap();
    symlink(outside.root(), project.path("outside")).unwrap();
    symlink("..", project.path("sub/up")).unwrap();
    symlink("loop.py", project.path("loop.py")).unwrap();
    symlink("two.py", project.path("one.py")).unwrap();
    symlink("one.py", project.path("two.py")).unwrap();
    let ran = run_in_time(&project, ["--fix"]);
    assert_eq!(
        (ran.status, ran.stderr.as_str()),
        (0, "No findings in 1 file.\n")
    );
    assert_eq!(outside.read("a.py"), SLEEPS);
    let ran = run_in_time(&project, ["--fix", "loop.py", "one.py", "a.py"]);
    assert_eq!(
        ran.stderr,
        "loop.py: cannot be read: too many levels of symbolic links\n\
         one.py: cannot be read: too many levels of symbolic links\n\
         Fixed 1 finding in 1 of 1 file (1 intended). 2 files could not be analysed.\n"
    );
    assert_eq!(outside.read("a.py"), AWAITS);
    assert!(project.path("a.py").is_symlink());
    assert_eq!(left_over(outside.root()), [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn extended_attributes_owner_and_mode_are_kept() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let project = Project::of(SLEEPS);
    let path = project.path("a.py");
    project.give_away();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o2755)).unwrap();
    let long = vec![b'x'; 2_000];
    let value = |name: &str| {
        let mut buffer = vec![0; 4_000];
        let length = getxattr(&path, name, &mut buffer).unwrap();
        buffer.truncate(length);
        buffer
    };
    for (name, content) in [
        ("user.origin", &b"somewhere"[..]),
        ("user.empty", b""),
        ("user.long", &long),
    ] {
        setxattr(&path, name, content, XattrFlags::empty()).expect(
            "the folder for temporary files takes extended attributes: set TMPDIR to one that does",
        );
    }
    let before = fs::metadata(&path).unwrap();
    let ran = project.run_unprivileged(["--fix", "--no-types"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(project.read("a.py"), AWAITS);
    let after = fs::metadata(&path).unwrap();
    assert_ne!(before.ino(), after.ino());
    assert_eq!(
        (after.mode(), after.uid(), after.gid()),
        (before.mode(), before.uid(), before.gid())
    );
    assert_eq!(value("user.origin"), b"somewhere");
    assert_eq!(value("user.empty"), b"");
    assert_eq!(value("user.long"), long);
    // By root too, to whom the file does not belong.
    project.write("a.py", SLEEPS);
    assert_eq!(project.run(["--fix", "--no-types"]).status, 0);
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    assert_eq!(value("user.origin"), b"somewhere");
}
