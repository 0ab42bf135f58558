//! The workflows of this repository.

use std::process::Command;

use yaml_rust2::Yaml;

use crate::project::Project;
use crate::{documents, files, read, root};

/// Calls `visit` with each mapping of a document.
fn mappings(yaml: &Yaml, visit: &mut dyn FnMut(&Yaml)) {
    match yaml {
        Yaml::Hash(entries) => {
            visit(yaml);
            for value in entries.values() {
                mappings(value, visit);
            }
        }
        Yaml::Array(items) => items.iter().for_each(|item| mappings(item, visit)),
        _ => {}
    }
}

#[test]
fn actions_of_others_are_pinned_to_a_commit() {
    for path in files(".github/workflows", "yml") {
        let text = read(&path);
        for document in documents(&path) {
            mappings(&document, &mut |mapping| {
                let Some(uses) = mapping["uses"].as_str() else {
                    return;
                };
                let commit = uses.split_once('@').unwrap().1;
                let is_hash = commit.len() == 40 && commit.chars().all(|it| it.is_ascii_hexdigit());
                assert!(is_hash, "{uses}");
                // And a person sees which version it is.
                assert!(text.contains(&format!("uses: {uses} # v")), "{uses}");
            });
        }
    }
}

#[test]
fn no_step_has_an_expression_in_its_code() {
    for path in files(".github/workflows", "yml") {
        for document in documents(&path) {
            mappings(&document, &mut |mapping| {
                let run = mapping["run"].as_str().unwrap_or_default();
                assert!(!run.contains("${{"), "{}: {run}", path.display());
            });
        }
    }
}

#[test]
fn links_to_files_become_addresses_and_others_stay() {
    let page = "[a](docs/a.md#b) [c](https://d/e) [f](#g) [h](LICENSE)\n";
    let project = Project::new([("page.md", page)]);
    let ran = Command::new("bash")
        .arg(root().join(".github/absolute-links.sh"))
        .arg(project.path("page.md"))
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_REPOSITORY", "a/b")
        .env("GITHUB_SHA", "0123")
        .status();
    assert!(ran.unwrap().success());
    let expected = "[a](https://github.com/a/b/blob/0123/docs/a.md#b) [c](https://d/e) [f](#g) \
                    [h](https://github.com/a/b/blob/0123/LICENSE)\n";
    assert_eq!(project.read("page.md"), expected);
}
