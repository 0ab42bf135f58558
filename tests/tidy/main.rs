//! Rules about the project itself that no compiler knows. What `UPDATE=1 cargo test` can set
//! right, it does.

#![allow(clippy::unwrap_used, clippy::panic)] // It is all tests.

mod code;
mod codemods_and_pages;
#[path = "../pages/page.rs"]
#[allow(dead_code)] // The other half of it is what tests/pages looks at.
mod page;
mod readme;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a folder of the repository, or those with this extension, by path; none where
/// there is no such folder.
fn files(folder: impl AsRef<Path>, extension: Option<&str>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if extension.is_none_or(|it| path.extension().is_some_and(|own| own == it)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What a folder holds, by path; nothing where there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Fails with all that was found.
#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}
