//! The crates, what may know of what, and what the code does not do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use toml::{Table, Value};

use crate::{assert_none, entries, files, name, read, root};

/// Which crates of ours a crate may depend on. What depends on more than what stands before it
/// would make a circle.
const ARROWS: &[(&str, &[&str])] = &[
    ("crates/edit", &[]),
    ("crates/python", &[]),
    ("crates/types", &["python"]),
    ("crates/engine", &["edit", "python", "types"]),
    ("crates/server", &["edit", "engine"]),
    ("crates/campaign", &[]),
    ("crates/publish", &["service"]),
    ("crates/service", &[]),
    ("crates/suggest", &["edit", "service"]),
    ("crates/batch", &["cli"]),
    ("codemods", &["edit", "engine", "python", "types"]),
    (
        ".",
        &[
            "campaign", "codemods", "edit", "engine", "publish", "python", "server", "service",
            "suggest", "types",
        ],
    ),
];

/// The crates that may name ruff's and ty's.
const KNOW_RUFF: &[&str] = &["crates/python", "crates/types"];

fn manifest(folder: &str) -> Table {
    read(Path::new(folder).join("Cargo.toml")).parse().unwrap()
}

fn dependencies(manifest: &Table, kinds: &[&str]) -> BTreeSet<String> {
    let tables = kinds
        .iter()
        .filter_map(|kind| manifest.get(*kind)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

/// The folders of the workspace's packages.
fn packages() -> Vec<String> {
    let members = manifest(".")["workspace"]["members"]
        .as_array()
        .unwrap()
        .clone();
    let members = members.iter().map(|it| it.as_str().unwrap().to_string());
    members.chain([".".to_string()]).collect()
}

#[test]
fn every_crate_is_a_member_of_the_workspace() {
    let folders: BTreeSet<String> = entries(&root().join("crates"))
        .iter()
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| format!("crates/{}", name(path)))
        .collect();
    let members: BTreeSet<String> = packages()
        .into_iter()
        .filter(|it| it.starts_with("crates/"))
        .collect();
    assert_eq!(folders, members);
}

#[test]
fn the_arrows_between_the_crates_hold() {
    let ours = dependencies(
        manifest(".")["workspace"].as_table().unwrap(),
        &["dependencies"],
    );
    let is_ours = |name: &String| {
        let spec = &manifest(".")["workspace"]["dependencies"][name.as_str()];
        spec.as_table()
            .is_some_and(|spec| spec.contains_key("path"))
    };
    let ours: BTreeSet<String> = ours.into_iter().filter(is_ours).collect();
    let mut problems = Vec::new();
    for package in packages() {
        let Some((_, allowed)) = ARROWS.iter().find(|(folder, _)| *folder == package) else {
            problems.push(format!(
                "{package}: what it may depend on is not said in tests/tidy/code.rs"
            ));
            continue;
        };
        for dependency in dependencies(&manifest(&package), &["dependencies", "build-dependencies"])
        {
            if ours.contains(&dependency) && !allowed.contains(&dependency.as_str()) {
                problems.push(format!("{package} must not depend on {dependency}"));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn only_python_and_types_name_ruff() {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut problems = Vec::new();
    for package in packages()
        .iter()
        .filter(|it| !KNOW_RUFF.contains(&it.as_str()))
    {
        for dependency in dependencies(&manifest(package), &kinds) {
            if dependency.starts_with("ruff_") || dependency.starts_with("ty_") {
                problems.push(format!("{package} must not depend on {dependency}"));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn no_package_holds_unsafe_code() {
    let lints = &manifest(".")["workspace"]["lints"]["rust"];
    assert_eq!(lints["unsafe_code"].as_str(), Some("forbid"));
    let mut problems = Vec::new();
    for package in packages() {
        let manifest = manifest(&package);
        let asks = manifest.get("lints").and_then(|it| it.get("workspace"));
        if asks.and_then(Value::as_bool) != Some(true) {
            problems.push(format!("{package}/Cargo.toml: no `lints.workspace = true`"));
        }
    }
    assert_none(&problems);
}

/// The only package that may open a connection.
const SPEAKS: &str = "asyncfix_service";

/// `cargo deny check bans` knows more, and is not at hand everywhere.
#[test]
fn nothing_but_service_speaks_to_a_network() {
    let deny: Table = read("deny.toml").parse().unwrap();
    // Each with those that may depend on it nevertheless.
    let banned: BTreeMap<String, BTreeSet<String>> = deny["bans"]["deny"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["crate"].as_str().unwrap().to_string(),
                names(it, "wrappers"),
            )
        })
        .collect();
    assert!(banned.contains_key("reqwest") && banned.contains_key("socket2"));
    let lock: Table = read("Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    assert!(
        packages
            .iter()
            .any(|it| it["name"].as_str() == Some("serde"))
    );
    assert_none(&speakers(&banned, packages));
    // Whoever may is a banned one itself, or the one crate that speaks.
    for wrapper in banned.values().flatten() {
        assert!(
            wrapper == SPEAKS || banned.contains_key(wrapper),
            "{wrapper}"
        );
    }
}

/// The packages of a lock file that must not be there, or must not have what they depend on.
fn speakers(banned: &BTreeMap<String, BTreeSet<String>>, packages: &[Value]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        if banned.get(name).is_some_and(BTreeSet::is_empty) {
            problems.push(format!("Cargo.lock: {name}"));
        }
        for dependency in names(package, "dependencies") {
            // With its version where there are several.
            let dependency = dependency.split(' ').next().unwrap();
            let is_let_in = banned.get(dependency).is_none_or(|it| it.contains(name));
            if !is_let_in {
                problems.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
    problems
}

/// The strings of a list in a table; none where there is no such list.
fn names(table: &Value, key: &str) -> BTreeSet<String> {
    let list = table.get(key).and_then(Value::as_array);
    let names = list.into_iter().flatten().filter_map(Value::as_str);
    names.map(str::to_string).collect()
}

#[test]
fn what_speaks_to_a_network_is_seen_wherever_it_comes_in() {
    let lock = |package: &str| -> Vec<Value> {
        let lock: Table = package.parse().unwrap();
        lock["package"].as_array().unwrap().clone()
    };
    let banned = BTreeMap::from([
        ("ureq".to_string(), BTreeSet::from([SPEAKS.to_string()])),
        ("tokio".to_string(), BTreeSet::new()),
    ]);
    let good = "[[package]]\nname = \"asyncfix_service\"\ndependencies = [\"ureq\"]\n\
                [[package]]\nname = \"ureq\"\n";
    assert_eq!(speakers(&banned, &lock(good)), [""; 0]);
    let bad = "[[package]]\nname = \"asyncfix\"\ndependencies = [\"ureq 3.5.2\"]\n\
               [[package]]\nname = \"tokio\"\n";
    assert_eq!(
        speakers(&banned, &lock(bad)),
        ["asyncfix must not depend on ureq", "Cargo.lock: tokio"]
    );
}

/// The files of the program itself.
fn sources() -> Vec<(String, String)> {
    let paths = files("crates", Some("rs"))
        .into_iter()
        .chain(files("codemods", Some("rs")));
    paths
        .map(|path| path.strip_prefix(root()).unwrap().to_path_buf())
        .filter(|path| {
            let is_test =
                |part: &str| matches!(part, "tests" | "tests.rs" | "benches" | "examples");
            !path.iter().any(|part| is_test(&part.to_string_lossy()))
        })
        .map(|path| (path.display().to_string(), read(&path)))
        .collect()
}

/// What ends the program instead of saying what is wrong.
const ENDS: &[&str] = &[
    ".unwrap()",
    ".expect(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
];

/// The lines, from 1, on which code outside of tests can end the program.
fn endings(source: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut lines = source.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let code = line.trim_start();
        if code == "#[cfg(test)]" {
            // The item that it is on: to the line that closes it, at the same indentation.
            let indent = &line[..line.len() - code.len()];
            let opens = lines
                .next()
                .is_some_and(|(_, item)| !item.trim_end().ends_with(';'));
            while opens && let Some((_, inside)) = lines.next() {
                if inside.starts_with(indent)
                    && inside.trim() == "}"
                    && !inside[indent.len()..].starts_with(' ')
                {
                    break;
                }
            }
            continue;
        }
        if !code.starts_with("//") {
            let ends = ENDS.iter().filter(|it| code.contains(**it));
            found.extend(ends.map(|it| (number + 1, *it)));
        }
    }
    found
}

/// What a formatting command has to say against the code.
fn complaints(mut command: Command) -> String {
    let checked = command.current_dir(root()).output().unwrap();
    let said = [checked.stdout, checked.stderr].concat();
    if checked.status.success() {
        String::new()
    } else {
        String::from_utf8_lossy(&said).into_owned()
    }
}

#[test]
fn the_code_is_formatted() {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["fmt", "--check"]);
    assert_eq!(complaints(cargo), "");
    // `cargo fmt` does not see the modules that the list of codemods names.
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024"]);
    rustfmt.args(files("codemods", Some("rs")));
    assert_eq!(complaints(rustfmt), "");
}

#[test]
fn nothing_ends_the_program_but_its_end() {
    let mut problems = Vec::new();
    for (path, source) in sources() {
        for (line, what) in endings(&source) {
            problems.push(format!("{path}:{line}: `{what}` outside of tests"));
        }
    }
    assert_none(&problems);
}

#[test]
fn endings_are_seen_outside_of_tests_only() {
    let source = "fn f() {\n    x.unwrap();\n}\n// x.unwrap()\n#[cfg(test)]\nmod tests {\n    fn g() {\n        x.unwrap();\n    }\n}\n#[cfg(test)]\nuse a;\nfn h() { todo!() }\n";
    assert_eq!(endings(source), [(2, ".unwrap()"), (13, "todo!(")]);
}

/// Whether a test names the snapshot: whole, as a string, or what follows its module as a word.
/// insta numbers the further snapshots of a test.
fn is_named(snapshot: &str, source: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let is_word = |word: &str| {
        source.match_indices(word).any(|(at, _)| {
            !source[..at].ends_with(is_part) && !source[at + word.len()..].starts_with(is_part)
        })
    };
    let test = snapshot.rsplit("__").next().unwrap_or_default();
    let (test, number) = test.rsplit_once('-').unwrap_or((test, ""));
    source.contains(&format!("\"{snapshot}\""))
        || (number.bytes().all(|byte| byte.is_ascii_digit()) && !test.is_empty() && is_word(test))
}

#[test]
fn no_snapshot_is_an_orphan() {
    let sources: Vec<String> = ["tests", "crates", "codemods"]
        .iter()
        .flat_map(|folder| files(folder, Some("rs")))
        .map(read)
        .collect();
    let mut orphans = Vec::new();
    for path in files("snapshots", None) {
        let shown = path.strip_prefix(root()).unwrap();
        // What tests/ecosystem writes is looked at below.
        if shown.starts_with("snapshots/ecosystem") {
            continue;
        }
        let shown = shown.display();
        let name = name(&path);
        let (stem, extension) = name.split_once('.').unwrap_or((&name, ""));
        if extension != "snap" {
            orphans.push(format!("{shown}: reviewed snapshots end in `.snap`"));
        } else if !sources.iter().any(|source| is_named(stem, source)) {
            orphans.push(format!("{shown}: no test names it"));
        }
    }
    assert_none(&orphans);
}

/// A patch of a project that is not listed any more, or that was renamed, is read by nobody.
#[test]
fn every_patch_is_of_a_listed_project() {
    let list: Table = read("tests/ecosystem/projects.toml").parse().unwrap();
    let projects = list["project"].as_array().unwrap();
    let mut known = vec!["README.md".to_string()];
    for project in projects {
        let name = project["name"].as_str().unwrap();
        known.extend(["default", "all"].map(|selection| format!("{name}.{selection}.diff")));
    }
    let patches = files("snapshots/ecosystem", None);
    let orphans: Vec<String> = patches.iter().map(|path| name(path)).collect();
    let orphans = orphans.into_iter().filter(|name| !known.contains(name));
    assert_none(&orphans.collect::<Vec<_>>());
}

#[test]
fn an_orphan_is_seen() {
    let source = "fn prints_a_patch() { assert_snapshot!(\"full-withheld\", text) }";
    assert!(is_named("full-withheld", source));
    assert!(is_named("cli__patches__prints_a_patch", source));
    assert!(is_named("cli__patches__prints_a_patch-2", source));
    assert!(!is_named("full", source));
    assert!(!is_named("cli__patches__prints", source));
    assert!(!is_named("prints_a_patch-withheld", source));
}
