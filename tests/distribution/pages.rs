//! What the pages show: the names in their examples exist, and so do the files that they link to.

use std::path::{Path, PathBuf};

use yaml_rust2::Yaml;

use crate::hooks::hooks;
use crate::{documents, files, keys, parse, read, root};

/// The pages for users.
fn pages() -> Vec<PathBuf> {
    let mut pages = files("docs", "md");
    pages.push(root().join("README.md"));
    pages.push(root().join("crates/batch/README.md"));
    pages
}

/// The blocks of YAML of a page, parsed.
fn examples(page: &Path) -> Vec<Yaml> {
    let text = read(page);
    let blocks = text.split("\n```yaml\n").skip(1);
    let blocks = blocks.map(|block| block.split("\n```\n").next().unwrap());
    blocks
        .flat_map(|block| parse(block, &page.display().to_string()))
        .collect()
}

/// Calls `visit` with each mapping of an example.
fn visit(yaml: &Yaml, look: &mut dyn FnMut(&Yaml)) {
    match yaml {
        Yaml::Hash(entries) => {
            look(yaml);
            entries.values().for_each(|value| visit(value, look));
        }
        Yaml::Array(items) => items.iter().for_each(|item| visit(item, look)),
        _ => {}
    }
}

/// Fails where an example uses a name that is not among those that exist; says how many it used.
fn check(look: impl Fn(&Yaml) -> Option<(Vec<String>, Vec<String>)>) -> usize {
    let mut count = 0;
    for page in pages() {
        for example in examples(&page) {
            visit(&example, &mut |mapping| {
                if let Some((used, existing)) = look(mapping) {
                    for name in used {
                        assert!(existing.contains(&name), "{}: {name}", page.display());
                        count += 1;
                    }
                }
            });
        }
    }
    count
}

#[test]
fn hooks_that_are_shown_exist() {
    let name = |hook: &Yaml| hook["id"].as_str().unwrap().to_string();
    let count = check(|mapping| {
        let repository = mapping["repo"].as_str()?;
        let used = mapping["hooks"].as_vec()?;
        let is_ours = repository == "https://github.com/asyncfix/asyncfix";
        is_ours.then(|| {
            (
                used.iter().map(name).collect(),
                hooks().iter().map(name).collect(),
            )
        })
    });
    assert!(count >= 2);
}

#[test]
fn inputs_of_the_action_that_are_shown_exist() {
    let count = check(|mapping| {
        let uses = mapping["uses"].as_str()?;
        let is_ours = uses.starts_with("asyncfix/asyncfix@") && mapping["with"].as_hash().is_some();
        is_ours.then(|| {
            (
                keys(&mapping["with"]),
                keys(&documents("action.yml")[0]["inputs"]),
            )
        })
    });
    assert!(count >= 2);
}

#[test]
fn inputs_of_the_component_that_are_shown_exist() {
    let count = check(|mapping| {
        let has_inputs =
            mapping["component"].as_str().is_some() && mapping["inputs"].as_hash().is_some();
        let existing = || keys(&documents("templates/asyncfix.yml")[0]["spec"]["inputs"]);
        has_inputs.then(|| (keys(&mapping["inputs"]), existing()))
    });
    assert!(count >= 2);
}

#[test]
fn versions_that_are_shown_are_the_current_one() {
    let current = env!("CARGO_PKG_VERSION");
    let mut count = 0;
    for page in pages().into_iter().chain([root().join("pyproject.toml")]) {
        for (number, line) in read(&page).lines().enumerate() {
            for before in [
                "asyncfix-batch==",
                "asyncfix-cli==",
                "asyncfix@v",
                "asyncfix.git@v",
                "asyncfix.git#v",
                "rev: v",
            ] {
                for rest in line.split(before).skip(1) {
                    assert!(
                        rest.starts_with(current),
                        "{}:{}",
                        page.display(),
                        number + 1
                    );
                    count += 1;
                }
            }
        }
    }
    assert!(count >= 5);
}

#[test]
fn files_that_are_linked_exist() {
    let mut count = 0;
    for page in pages() {
        let folder = page.parent().unwrap();
        for link in read(&page).split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap();
            if !target.is_empty() && !target.contains(':') {
                assert!(folder.join(target).exists(), "{}: {target}", page.display());
                count += 1;
            }
        }
    }
    assert!(count > 10);
}

#[test]
fn every_page_is_in_the_list() {
    let list = read("docs/README.md");
    for page in files("docs", "md") {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            name == "README.md" || list.contains(&format!("]({name})")),
            "{name}"
        );
    }
}
