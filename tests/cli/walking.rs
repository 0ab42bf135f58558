//! Which files are looked at.

use crate::project::{Project, SLEEPS};

/// The files in which something was found, by line.
fn found(project: &Project, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["--output-format", "concise"], arguments].concat();
    let ran = project.run(arguments);
    assert!(ran.status < 2, "{}", ran.stderr);
    let name = |line: &str| line.split(':').next().unwrap_or_default().to_string();
    ran.stdout.lines().map(name).collect()
}

fn project(names: &[&str]) -> Project {
    Project::new(names.iter().map(|name| (*name, SLEEPS)))
}

#[test]
fn python_files_are_taken_in_the_order_of_their_paths() {
    let project = project(&[
        "b.py",
        "a/z.py",
        "a/b/c.py",
        "c.pyw",
        "d.pyi",
        "e.txt",
        "f.py.orig",
    ]);
    assert_eq!(
        found(&project, &[]),
        ["a/b/c.py", "a/z.py", "b.py", "c.pyw"]
    );
    assert_eq!(
        found(&project, &["-j", "1"]),
        ["a/b/c.py", "a/z.py", "b.py", "c.pyw"]
    );
}

#[test]
fn a_file_that_is_named_is_taken_whatever_it_is_called() {
    let project = project(&["script", ".hidden.py", "venv/a.py"]);
    assert_eq!(found(&project, &[]), [""; 0]);
    let named = ["script", ".hidden.py", "venv/a.py"];
    assert_eq!(
        found(&project, &named),
        [".hidden.py", "script", "venv/a.py"]
    );
    assert_eq!(found(&project, &["venv"]), ["venv/a.py"]);
}

#[test]
fn paths_are_printed_as_they_were_typed() {
    let project = project(&["pkg/a.py"]);
    assert_eq!(found(&project, &["./pkg/"]), ["pkg/a.py"]);
    assert_eq!(found(&project, &["pkg/../pkg"]), ["pkg/../pkg/a.py"]);
    let absolute = project.path("pkg/a.py").display().to_string();
    assert_eq!(found(&project, &[&absolute]), [absolute]);
}

#[test]
fn folders_that_are_not_the_projects_own_are_left_out() {
    let project = project(&[
        "a.py",
        ".venv/a.py",
        "venv/a.py",
        ".tox/a.py",
        "node_modules/a.py",
        "x/site-packages/a.py",
        "__pycache__/a.py",
        "build/a.py",
    ]);
    assert_eq!(found(&project, &[]), ["a.py", "build/a.py"]);
}

#[test]
fn ignore_files_are_honoured() {
    let project = project(&["a.py", "b.py", "sub/c.py", "sub/d.py"]);
    project.tool("git", &["init", "-q", "."], b"");
    project.write(".gitignore", "a.py\n");
    project.write("sub/.ignore", "c.py\n");
    assert_eq!(found(&project, &[]), ["b.py", "sub/d.py"]);
    assert_eq!(found(&project, &["a.py"]), ["a.py"]);
}

#[test]
fn exclude_replaces_the_default_and_extend_exclude_adds_to_it() {
    let project = project(&[
        "a.py",
        "venv/b.py",
        "gen/c.py",
        "sub/gen/d.py",
        "sub/x_pb2.py",
    ]);
    project.write("asyncfix.toml", "exclude = ['/gen', '*_pb2.py']\n");
    assert_eq!(found(&project, &[]), ["a.py", "sub/gen/d.py", "venv/b.py"]);
    project.write("asyncfix.toml", "extend-exclude = ['gen/']\n");
    assert_eq!(found(&project, &[]), ["a.py", "sub/x_pb2.py"]);
    assert_eq!(found(&project, &["gen/c.py"]), ["gen/c.py"]);
    assert_eq!(
        found(&project, &["--config", "exclude=['sub']"]),
        ["a.py", "venv/b.py"]
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_is_reached_twice_is_taken_once() {
    let project = project(&["a.py", "sub/b.py"]);
    std::os::unix::fs::symlink("a.py", project.path("link.py")).unwrap();
    std::os::unix::fs::symlink("sub", project.path("again")).unwrap();
    // Links are not followed, unless they are named.
    assert_eq!(found(&project, &[]), ["a.py", "sub/b.py"]);
    assert_eq!(found(&project, &["link.py"]), ["link.py"]);
    assert_eq!(found(&project, &["again"]), ["again/b.py"]);
    assert_eq!(
        found(
            &project,
            &[".", "sub", "a.py", "./a.py", "link.py", "again"]
        ),
        ["a.py", "again/b.py"]
    );
}
