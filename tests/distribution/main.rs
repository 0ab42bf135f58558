//! What brings asyncfix to its users: hooks, the action, the component of GitLab, workflows, and
//! the pages that show them. Installing is not tried here, since it needs a network.

#![cfg(unix)] // The scripts are for shells of Unix.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is not as it says"
)]

mod action; // action.yml and its scripts
mod component; // templates/asyncfix.yml
mod hooks; // .pre-commit-hooks.yaml
mod kubernetes; // templates/kubernetes.yaml
mod pages; // docs/, and what it names
#[path = "../cli/project.rs"]
#[allow(dead_code)] // The other half of it is what tests/cli uses.
mod project;
mod workflows; // .github

use std::fs;
use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

use project::Project;

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents of a YAML file.
fn documents(path: impl AsRef<Path>) -> Vec<Yaml> {
    parse(&read(&path), &path.as_ref().display().to_string())
}

fn parse(text: &str, place: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{place}: {error}"))
}

/// The files of a folder with that extension, by path.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|own| own == extension))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder} holds no .{extension}");
    paths
}

/// Commits all files of a project, and gives the commit.
fn commit(project: &Project, message: &str) -> String {
    if !project.path(".git").exists() {
        project.tool("git", &["init", "--quiet"], b"");
    }
    project.tool("git", &["add", "--all"], b"");
    let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
    let words = ["commit", "--quiet", "--message", message];
    project.tool("git", &[&identity[..], &words].concat(), b"");
    let head = project.tool("git", &["rev-parse", "HEAD"], b"");
    String::from_utf8(head.stdout).unwrap().trim().to_string()
}

/// The keys of a mapping.
fn keys(mapping: &Yaml) -> Vec<String> {
    let mapping = mapping.as_hash().unwrap();
    mapping
        .keys()
        .map(|key| key.as_str().unwrap().to_string())
        .collect()
}
