//! Whole programs: what README.md points at, rewritten, and run before and after in CPython.

// A test says by its end that something is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pages/interpreter.rs"]
#[allow(dead_code)] // Another half of it is what the other tests look at.
mod interpreter;

use std::fs;
use std::path::Path;
use std::process::Command;

use interpreter::Interpreter;

fn printed(interpreter: &Interpreter, program: &Path) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = fs::read_to_string(program).expect("the program can be read");
    let outcome = interpreter.run(folder.path(), &text).expect("it ends");
    assert_eq!(
        outcome.code,
        Some(0),
        "{}: {}",
        program.display(),
        outcome.stderr
    );
    outcome.stdout
}

fn asyncfix(folder: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_asyncfix"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("asyncfix runs");
    assert_ne!(
        ran.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    String::from_utf8(ran.stdout).expect("what it prints is text")
}

#[test]
fn the_programs_do_the_same_after_the_rewrite() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let copy = tempfile::tempdir().expect("a temporary folder");
    let mut programs = Vec::new();
    for entry in fs::read_dir(&source).expect("the programs are there") {
        let path = entry.expect("a file").path();
        let to = copy.path().join(path.file_name().expect("it has a name"));
        fs::copy(&path, &to).expect("it can be copied");
        programs.push((path, to));
    }
    assert!(programs.len() >= 3);
    asyncfix(copy.path(), &["--isolated", "--fix", "."]);
    let interpreter = Interpreter::find().unwrap();
    let mut changed = 0;
    for (before, after) in &programs {
        changed += usize::from(fs::read(before).unwrap() != fs::read(after).unwrap());
        let outputs = [before, after].map(|program| printed(&interpreter, program));
        assert_eq!(outputs[0], outputs[1], "{}", before.display());
    }
    assert_eq!(changed, programs.len() - 1, "all but one can be rewritten");
    assert_eq!(asyncfix(copy.path(), &["--isolated", "--diff", "."]), "");
}

#[test]
fn the_patch_that_the_readme_shows_is_current() {
    insta::with_settings!({ snapshot_path => "../snapshots/programs", prepend_module_to_snapshot => false }, {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        insta::assert_snapshot!("patch", asyncfix(root, &["--isolated", "--diff", "tests/programs"]));
    });
}
