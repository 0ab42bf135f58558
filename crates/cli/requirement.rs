//! Which Python a project says it needs, by the files of its packaging.

use std::path::Path;

use toml::{Table, Value};

use crate::folder::read_text;

/// Which Python a project says it needs.
pub enum Requirement {
    /// It is a project, and says nothing.
    None,
    /// `requires-python` of pyproject.toml.
    Standard(String),
    /// What Poetry's table says in pyproject.toml, in its own notation.
    Poetry(String),
    /// `python_requires` of the file that is named.
    Setup(&'static str, String),
}

impl Requirement {
    /// What the files in `folder` say: pyproject.toml, else setup.cfg, else setup.py.
    pub fn of(folder: &Path, pyproject: Option<&Table>) -> Option<Requirement> {
        let requirement = pyproject.and_then(of_pyproject);
        match requirement {
            None | Some(Requirement::None) => {
                let text = |name| read_text(&folder.join(name)).ok();
                text("setup.cfg")
                    .and_then(|text| Some(Requirement::Setup("setup.cfg", in_setup_cfg(&text)?)))
                    .or_else(|| {
                        let requires = in_setup_py(&text("setup.py")?)?;
                        Some(Requirement::Setup("setup.py", requires))
                    })
                    .or(requirement)
            }
            found => found,
        }
    }
}

fn of_pyproject(pyproject: &Table) -> Option<Requirement> {
    let text = |value: &Value| value.as_str().map(str::to_string);
    let project = pyproject.get("project");
    if let Some(requires) = project
        .and_then(|project| project.get("requires-python"))
        .and_then(text)
    {
        return Some(Requirement::Standard(requires));
    }
    let poetry = pyproject.get("tool").and_then(|tool| tool.get("poetry"));
    if let Some(python) = poetry
        .and_then(|poetry| poetry.get("dependencies")?.get("python"))
        .and_then(text)
    {
        return Some(Requirement::Poetry(python));
    }
    (project.is_some() || poetry.is_some()).then_some(Requirement::None)
}

/// `python_requires` under `[options]` of a setup.cfg.
fn in_setup_cfg(text: &str) -> Option<String> {
    text.lines()
        .skip_while(|line| line.trim() != "[options]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "python_requires").then(|| value.trim().to_string())
        })
}

/// `python_requires=">=3.8"` in a setup.py, or of a name that is set to a string. What is put together
/// while it runs is not known.
fn in_setup_py(text: &str) -> Option<String> {
    let value_of = |key: &str| {
        text.lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .find_map(|line| {
                let (before, after) = line.split_once(key)?;
                let is_part = |c: char| c.is_alphanumeric() || c == '_';
                if before.ends_with(is_part) {
                    return None;
                }
                let value = after.trim_start_matches(['"', '\'']).trim_start();
                Some(value.strip_prefix(['=', ':'])?.trim_start())
            })
    };
    let value = value_of("python_requires")?;
    let literal = |value: &str| {
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (text, _) = value[1..].split_once(quote)?;
        (!text.is_empty()).then(|| text.to_string())
    };
    literal(value).or_else(|| {
        let end = value.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let name = &value[..end.unwrap_or(value.len())];
        (!name.is_empty()).then(|| literal(value_of(name)?))?
    })
}

#[cfg(test)]
mod tests {
    use super::in_setup_py;

    #[test]
    fn a_setup_py_says_it_by_a_string() {
        for (text, expected) in [
            ("setup(\n    python_requires='~=3.7',\n)", Some("~=3.7")),
            ("setup(python_requires = \">=3.8, <4\")", Some(">=3.8, <4")),
            ("meta = {\"python_requires\": \">=3.9\"}", Some(">=3.9")),
            (
                "REQUIRES = '>=3.6.0'\nsetup(python_requires=REQUIRES)",
                Some(">=3.6.0"),
            ),
            ("setup(name='x')", None),
            ("# setup(python_requires='>=3.8')", None),
            ("setup(python_requires=read('needs'))", None),
            ("setup(python_requires=python_requires)", None),
            ("setup(python_requires='')", None),
        ] {
            assert_eq!(in_setup_py(text).as_deref(), expected, "{text}");
        }
    }
}
