//! Whole programs: what README.md points at, rewritten, and run before and after in CPython.

// A test says by its end that something is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pages/interpreter.rs"]
#[allow(dead_code)] // Another half of it is what the other tests look at.
mod interpreter;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use interpreter::{Interpreter, Outcome};

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

/// What `tests/programs_36/mirror.py` prints under Python 3.6, 3.7 and 3.8.
const MIRRORED: &str = "\
/: page /
/a: page /a
/b: page /b
/c: page /c
failed: page /slow
4 pages of 5
";

/// Every CPython 3.6 or newer at hand, with its minor version: those on the path, and those of pyenv.
fn interpreters() -> Vec<(u8, Interpreter)> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Some(home) = std::env::var_os("HOME") {
        let versions = fs::read_dir(Path::new(&home).join(".pyenv/versions"));
        let versions = versions.into_iter().flatten().flatten();
        candidates.extend(versions.map(|version| version.path().join("bin/python")));
    }
    let mut found: Vec<(u8, Interpreter)> = Vec::new();
    let known = Interpreter::find().unwrap();
    candidates.push(known.path().to_path_buf());
    let on_path = (6..20).map(|minor| PathBuf::from(format!("python3.{minor}")));
    candidates.extend(on_path);
    for candidate in candidates {
        // What is on the path may be a script of a version manager, which is slow.
        let is_known = |(minor, _): &(u8, _)| candidate == Path::new(&format!("python3.{minor}"));
        if found.iter().any(is_known) {
            continue;
        }
        let ask = "import sys; print(sys.executable, *sys.version_info[:2], sep='\\n')";
        let Ok(output) = Command::new(&candidate).args(["-S", "-c", ask]).output() else {
            continue;
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        if let [path, "3", minor] = lines[..]
            && let Ok(minor) = minor.parse::<u8>()
            && minor >= 6
            && found.iter().all(|(other, _)| *other != minor)
        {
            found.push((minor, Interpreter::at(path.into())));
        }
    }
    found
}

/// How mirror.py of this text ends, beside its stand-in for `async_timeout`.
fn mirror(interpreter: &Interpreter, text: &str) -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stand_in = old_programs().join("async_timeout.py");
    fs::copy(stand_in, folder.path().join("async_timeout.py")).expect("it can be copied");
    interpreter.run(folder.path(), text).expect("it ends")
}

fn old_programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs_36")
}

/// The decorator is gone since Python 3.11, `loop=` since 3.10, `with (yield from lock)` since 3.9,
/// and `get_event_loop` without a loop since 3.14.
#[test]
fn a_program_for_python_3_6_runs_on_new_versions_after_one_run() {
    let old = fs::read_to_string(old_programs().join("mirror.py")).expect("it can be read");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("mirror.py");
    let fix = |arguments: &[&str]| {
        fs::write(&file, &old).expect("it can be written");
        let arguments = [
            &["--isolated", "--fix", "--target-version", "py314"],
            arguments,
        ]
        .concat();
        asyncfix(folder.path(), &[&arguments[..], &["."]].concat());
        fs::read_to_string(&file).expect("it is still there")
    };
    let fixes = [fix(&["--all"]), fix(&["--modernise", "--async-with"])];
    for fixed in &fixes {
        for gone in [
            "asyncio.coroutine",
            "yield",
            "async_timeout",
            "get_event_loop",
            "asyncio.TimeoutError",
        ] {
            assert!(!fixed.contains(gone), "{gone} in\n{fixed}");
        }
    }
    let interpreters = interpreters();
    assert!(interpreters.iter().any(|(minor, _)| *minor >= 11));
    for (minor, interpreter) in &interpreters {
        let before = mirror(interpreter, &old);
        match minor {
            ..=8 => assert_eq!(before.stdout, MIRRORED, "3.{minor}: {}", before.stderr),
            _ => assert_ne!(before.stdout, MIRRORED, "3.{minor}"),
        }
        // `asyncio.timeout` came with 3.11.
        for fixed in fixes.iter().filter(|_| *minor >= 11) {
            let after = mirror(interpreter, fixed);
            assert_eq!(after.stdout, MIRRORED, "3.{minor}: {}", after.stderr);
        }
    }
}
