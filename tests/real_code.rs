//! What must hold of every rewrite, over code that nobody here wrote: the standard library of the
//! Python at hand, or the tree that `ASYNCFIX_CORPUS` names (benches/README.md says how to make a
//! large one). The checks are in `tests/real_code.py`.

// A test says by its end that something is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pages/interpreter.rs"]
#[allow(dead_code)] // Another half of it is what the other tests look at.
mod interpreter;

use std::path::{Path, PathBuf};
use std::process::Command;

use interpreter::Interpreter;

/// A tree with one folder that holds the standard library, its tests included.
fn standard_library(interpreter: &Interpreter, folder: &Path) -> PathBuf {
    let script = "import shutil, sys, sysconfig
shutil.copytree(sysconfig.get_path('stdlib'), sys.argv[1],
                ignore=shutil.ignore_patterns('site-packages', '__pycache__', '*.so', '*.pyc'))";
    let copied = Command::new(interpreter.path())
        .args(["-c", script])
        .arg(folder.join("stdlib"))
        .status()
        .expect("Python runs");
    assert!(copied.success());
    folder.to_path_buf()
}

#[test]
fn rewrites_of_real_code_keep_what_they_must_keep() {
    let interpreter = Interpreter::find().unwrap();
    let copy = tempfile::tempdir().expect("a temporary folder");
    let tree = match std::env::var_os("ASYNCFIX_CORPUS") {
        Some(tree) => PathBuf::from(tree),
        None => standard_library(&interpreter, copy.path()),
    };
    let checked = Command::new(interpreter.path())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_code.py"))
        .args(["--all-flags", "--python"])
        .arg(interpreter.path())
        .arg("--bin")
        .arg(env!("CARGO_BIN_EXE_asyncfix"))
        .arg(tree)
        .output()
        .expect("Python runs");
    assert!(
        checked.status.success(),
        "{}{}",
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr)
    );
}
