//! What a project says that it depends on.
//!
//! Nothing is installed or resolved: a name that stands anywhere in the closest files that declare
//! dependencies counts as declared, and where no file declares any, nothing is known.

use std::path::Path;

use toml::{Table, Value};

use crate::{config, place};

/// What is larger declares no dependencies.
const LARGEST: u64 = 1 << 20;

/// The file that declares the dependencies of what is in `folder`, if those are without `package`.
/// Above `top` none is looked for.
pub fn undeclared(folder: &Path, top: Option<&Path>, package: &str) -> Option<String> {
    let is_below = |folder: &&Path| top.is_none_or(|top| folder.starts_with(top));
    for folder in folder.ancestors().take_while(is_below) {
        let texts = declarations(folder);
        let Some(declares) = texts.iter().find(|it| it.is_list) else {
            continue;
        };
        if texts.iter().any(|it| names(&it.text, package)) {
            return None;
        }
        return Some(place::shown(&folder.join(&declares.name)));
    }
    None
}

/// A file that may declare dependencies.
struct Declaration {
    name: String,
    text: String,
    /// Whether it holds a list of them.
    is_list: bool,
}

fn declarations(folder: &Path) -> Vec<Declaration> {
    let mut found = Vec::new();
    let mut add = |name: &str, is_list: fn(&str) -> bool| {
        if let Some(text) = read(&folder.join(name)) {
            found.push(Declaration {
                name: name.to_string(),
                is_list: is_list(&text),
                text,
            });
        }
    };
    add(config::PYPROJECT, pyproject_lists);
    add("setup.cfg", |text| text.contains("install_requires"));
    add("setup.py", |text| {
        let list = text.split("install_requires").nth(1);
        list.is_some_and(|it| it.trim_start_matches([' ', '=', ':']).starts_with('['))
    });
    add("Pipfile", |_| true);
    add("environment.yml", |_| false);
    for name in entries(folder) {
        if !name.contains("requirements") {
            continue;
        }
        if is_requirements(&name) {
            add(&name, |_| true);
        } else {
            // `requirements/base.txt`
            let inner = entries(&folder.join(&name));
            for file in inner.iter().filter(|file| is_requirements(file)) {
                add(&format!("{name}/{file}"), |_| true);
            }
        }
    }
    found
}

/// The names in a folder, in their order.
fn entries(folder: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Whether a file is one of requirements, as pip and pip-tools read them.
fn is_requirements(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension == "txt" || extension == "in")
}

/// Whether a `pyproject.toml` lists what its project depends on.
fn pyproject_lists(text: &str) -> bool {
    let Ok(table) = config::parse(text) else {
        return false;
    };
    let in_project = |key| table.get("project").and_then(|project| project.get(key));
    let in_poetry = || table.get("tool")?.get("poetry")?.get("dependencies");
    in_project("dependencies").is_some_and(Value::is_array)
        || in_poetry().is_some_and(|it| it.as_table().is_some_and(|it: &Table| !it.is_empty()))
}

fn read(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return None;
    }
    fs_err::read_to_string(path).ok()
}

/// Whether the name of a package stands in a text: `httpx`, and not `httpx-sse`.
fn names(text: &str, package: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    text.match_indices(package).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + package.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undeclared_in(files: &[(&str, &str)]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        let found = undeclared(&folder.path().join("package"), None, "httpx")?;
        Some(found.rsplit('/').next().unwrap().to_string())
    }

    #[test]
    fn the_file_that_lacks_a_dependency_is_named() {
        for (file, text) in [
            (
                "pyproject.toml",
                "[project]\ndependencies = ['httpx-sse', 'aiohttp']",
            ),
            (
                "pyproject.toml",
                "[tool.poetry.dependencies]\naiohttp = '*'",
            ),
            ("setup.cfg", "[options]\ninstall_requires =\n  aiohttp"),
            ("setup.py", "setup(install_requires=['aiohttp'])"),
            ("requirements.txt", "aiohttp"),
            ("requirements/base.txt", "aiohttp"),
        ] {
            let name = file.rsplit('/').next().unwrap();
            assert_eq!(undeclared_in(&[(file, text)]).as_deref(), Some(name));
            let declares = format!("{text}\n# httpx");
            assert_eq!(undeclared_in(&[(file, &declares)]), None, "{file}");
        }
    }

    #[test]
    fn what_another_file_beside_it_declares_is_declared() {
        let project = ("pyproject.toml", "[project]\ndependencies = ['aiohttp']");
        assert_eq!(
            undeclared_in(&[project, ("dev-requirements.txt", "httpx>=0.27")]),
            None
        );
    }

    #[test]
    fn where_nothing_is_declared_nothing_is_known() {
        for text in [
            "[project]\ndynamic = ['dependencies']",
            "[tool.ruff]\nline-length = 100",
            "not = [valid",
        ] {
            let project = ("pyproject.toml", text);
            let reads = ("setup.py", "setup(install_requires=read('deps'))");
            assert_eq!(undeclared_in(&[project, reads]), None, "{text}");
        }
    }
}
