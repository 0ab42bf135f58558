//! What `--diff` prints is a patch, and gives what `--fix` writes.

use crate::project::{AWAITS, Project, SLEEPS, assert_snapshot};

/// Files that patches are hard to make for.
fn hard() -> Vec<(&'static str, Vec<u8>)> {
    let crlf = SLEEPS.replace('\n', "\r\n");
    let bom = format!("\u{feff}{SLEEPS}");
    let unfinished = SLEEPS.trim_end();
    let mut latin = b"# coding: latin-1\n# caf\xe9 \x80\n".to_vec();
    latin.extend_from_slice(SLEEPS.as_bytes());
    vec![
        ("plain.py", SLEEPS.into()),
        ("pkg/sub/deep.py", SLEEPS.into()),
        ("crlf.py", crlf.into()),
        ("bom.py", bom.into()),
        ("unfinished.py", unfinished.into()),
        ("latin.py", latin),
        ("with space.py", SLEEPS.into()),
        ("caf\u{e9}.py", SLEEPS.into()),
        ("import.py", SLEEPS.replace("import asyncio\n", "").into()),
        (
            "unused.py",
            SLEEPS.replace("print(time.time())\n", "").into(),
        ),
    ]
}

fn project() -> Project {
    let project = Project::new([]);
    for (name, bytes) in hard() {
        project.write(name, bytes);
    }
    project
}

/// The patch, in bytes.
fn diff(project: &Project, arguments: &[&str]) -> Vec<u8> {
    let arguments = [&["--diff"], arguments].concat();
    let output = project.command(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for (name, bytes) in hard() {
        assert_eq!(project.bytes(name), bytes, "{name} was written to");
    }
    output.stdout
}

fn assert_same_files(one: &Project, other: &Project) {
    for (name, before) in hard() {
        let after = one.bytes(name);
        assert_ne!(after, before, "{name}");
        assert_eq!(
            after.escape_ascii().to_string(),
            other.bytes(name).escape_ascii().to_string(),
            "{name}"
        );
    }
}

#[test]
fn git_apply_gives_what_fix_writes() {
    let (patched, fixed) = (project(), project());
    patched.tool("git", &["apply", "-"], &diff(&patched, &[]));
    assert_eq!(fixed.run(["--fix"]).status, 0);
    assert_same_files(&patched, &fixed);
}

#[test]
fn git_apply_works_in_a_subdirectory_of_a_repository() {
    let (patched, fixed) = (Project::new([]), project());
    patched.tool("git", &["init", "-q", "."], b"");
    for (name, bytes) in hard() {
        patched.write(&format!("sub/{name}"), bytes);
    }
    let output = patched
        .command(["--diff"])
        .current_dir(patched.path("sub"))
        .output()
        .unwrap();
    patched.tool("git", &["-C", "sub", "apply", "-"], &output.stdout);
    fixed.run(["--fix"]);
    for (name, _) in hard() {
        assert_eq!(
            patched.bytes(&format!("sub/{name}")),
            fixed.bytes(name),
            "{name}"
        );
    }
}

#[test]
fn patch_gives_what_fix_writes() {
    let (patched, fixed) = (project(), project());
    patched.tool("patch", &["-p1", "--binary"], &diff(&patched, &[]));
    fixed.run(["--fix"]);
    assert_same_files(&patched, &fixed);
}

#[test]
fn diff_wins_over_fix() {
    let project = project();
    assert_eq!(diff(&project, &["--fix"]), diff(&project, &[]));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let project = project();
    let one = diff(&project, &["-j", "1"]);
    assert_eq!(one, diff(&project, &["-j", "8"]));
    assert_eq!(
        one,
        diff(
            &project,
            &["-j", "3", "unused.py", "pkg", ".", "./pkg/sub/deep.py"]
        )
    );
}

#[test]
fn files_outside_of_the_current_directory_are_named_from_the_root() {
    let project = Project::new([("here/a.py", SLEEPS), ("there/b.py", SLEEPS)]);
    let output = project
        .command(["--diff", ".", "../there"])
        .current_dir(project.path("here"))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with(
            "a file is outside of the current directory: apply with `patch -d / -p1`\n"
        )
    );
    project.tool("patch", &["-d", "/", "-p1"], &output.stdout);
    assert_eq!(project.read("here/a.py"), AWAITS);
    assert_eq!(project.read("there/b.py"), AWAITS);
}

#[cfg(unix)]
#[test]
fn a_link_is_patched_where_it_leads() {
    let project = Project::new([("real/a.py", SLEEPS)]);
    std::os::unix::fs::symlink("real/a.py", project.path("link.py")).unwrap();
    let ran = project.run(["--diff", "link.py", "real/a.py"]);
    assert_eq!(ran.stdout.matches("--- a/real/a.py\n").count(), 1);
    assert_eq!(ran.stdout.matches("--- ").count(), 1);
    project.tool("git", &["apply", "-"], ran.stdout.as_bytes());
    assert_eq!(project.read("real/a.py"), AWAITS);
}

#[test]
fn the_patch_is_as_git_prints_it() {
    let ran = Project::of(SLEEPS).run(["--diff"]);
    assert_snapshot("patch", &ran.stdout);
    assert_eq!(
        ran.stderr,
        "Would fix 1 finding in 1 of 1 file (1 intended).\n"
    );
}

#[test]
fn colours_are_those_of_git_and_go_only_where_they_are_wanted() {
    let project = Project::of(SLEEPS);
    let plain = project.run(["--diff"]).stdout;
    assert!(!plain.contains('\u{1b}'));
    let colored = project.run(["--diff", "--color", "always"]).stdout;
    assert!(colored.contains("\u{1b}[31m-    time.sleep(1)\u{1b}[0m\n"));
    assert!(colored.contains("\u{1b}[32m+    await asyncio.sleep(1)\u{1b}[0m\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_unicode_does_no_harm() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let project = Project::new([]);
    let path = project.root().join(OsStr::from_bytes(b"caf\xe9.py"));
    std::fs::write(&path, SLEEPS).unwrap();
    for arguments in [
        &[][..],
        &["--output-format", "json"],
        &["--output-format", "concise"],
    ] {
        assert_eq!(project.run(arguments.iter().copied()).status, 1);
    }
    let ran = project.run(["--diff"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr
            .contains("cannot be named in a patch: its name is not Unicode: use --fix\n")
    );
    assert_eq!(project.run(["--fix"]).status, 0);
    assert_eq!(std::fs::read_to_string(path).unwrap(), AWAITS);
}
