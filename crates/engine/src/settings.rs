//! What the caller decides before a file is read.

use std::collections::BTreeMap;

use edit::Applicability;
use python::ast::PythonVersion;

use crate::{Choices, Codemod, OptionSpec};

/// How a file is to be rewritten.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The selected codemods, in the order of the list, which is their precedence.
    pub codemods: Vec<&'static Codemod>,
    /// The Python version that the output must run on.
    pub target: Target,
    /// The highest applicability that is applied; what is above is found, and left.
    pub apply: Applicability,
    /// Whether findings get comments that silence them.
    pub silence: Option<Silence>,
    /// The options of all codemods.
    pub options: OptionValues,
    /// Generated lines are at most this long, in characters, where that can be had.
    pub line_length: usize,
    /// The functions of this file that the project's metadata names as commands, which run once
    /// in a process: `main` for `tool = "package.module:main"` in `[project.scripts]`.
    pub entry_points: Vec<String>,
    /// Whether the file is a package's `__init__`, whose imports are its interface.
    pub is_package: bool,
    /// Whether the file is one of tests, by its place: `tests/helpers.py`, `test_load.py`.
    pub is_test: bool,
    /// Whether the text is that of a notebook ([`python::Notebook::text`]).
    pub is_notebook: bool,
}

/// How findings get comments that silence them.
#[derive(Clone, Debug)]
pub struct Silence {
    /// What the comments give as the reason; may be empty.
    pub reason: String,
    /// Whether fixes are applied first, so that only what is left gets one.
    pub after_fixes: bool,
}

/// The lowest Python version that the code has to run on.
#[derive(Clone, Debug)]
pub struct Target {
    /// Major and minor.
    pub version: PythonVersion,
    /// Where it was said, for messages: "`requires-python` in pyproject.toml".
    pub origin: String,
}

/// The values of the codemods' options: what was set, and the defaults for the rest.
#[derive(Clone, Debug, Default)]
pub struct OptionValues(BTreeMap<(&'static str, &'static str), String>);

impl OptionValues {
    /// Sets `option` of `codemod` after checking it. The error says what would be right.
    pub fn set(
        &mut self,
        codemod: &'static Codemod,
        option: &str,
        value: &str,
    ) -> Result<(), String> {
        let Some(spec) = codemod.options.iter().find(|spec| spec.name == option) else {
            return Err(format!(
                "codemod `{}` has no option `{option}`",
                codemod.name
            ));
        };
        let (valid, wanted) = match spec.choices {
            Choices::Words(words) => (words.contains(&value), words.join("\" or \"")),
            Choices::Flag => (
                matches!(value, "true" | "false"),
                "true or false".to_string(),
            ),
            Choices::Count(_) => (
                value.parse::<u32>().is_ok_and(|count| count > 0),
                "a whole number of at least 1".to_string(),
            ),
            Choices::Name => (
                is_dotted_name(value),
                "the dotted name of a function, as `package.module.function`".to_string(),
            ),
            Choices::Names => (
                value.is_empty() || value.split(',').all(is_dotted_name),
                "a list of dotted names, as [\"package.module.function\"]".to_string(),
            ),
        };
        if !valid {
            let wanted = match spec.choices {
                Choices::Words(_) => format!("\"{wanted}\""),
                _ => wanted,
            };
            return Err(format!(
                "`{}.{option}` cannot be `{value}`: it takes {wanted}",
                codemod.name
            ));
        }
        self.0.insert((codemod.name, spec.name), value.to_string());
        Ok(())
    }

    /// The value of `option` of `codemod`, as text.
    pub fn get(&self, codemod: &Codemod, option: &str) -> String {
        if let Some(((_, _), value)) = self
            .0
            .iter()
            .find(|((name, key), _)| *name == codemod.name && *key == option)
        {
            return value.clone();
        }
        match codemod.options.iter().find(|spec| spec.name == option) {
            Some(OptionSpec {
                choices: Choices::Words(words),
                ..
            }) => words[0].to_string(),
            Some(OptionSpec {
                choices: Choices::Count(count),
                ..
            }) => count.to_string(),
            Some(OptionSpec {
                choices: Choices::Name | Choices::Names,
                ..
            }) => String::new(),
            Some(OptionSpec {
                choices: Choices::Flag,
                ..
            })
            | None => "false".to_string(),
        }
    }
}

/// Whether `text` names something in a module.
fn is_dotted_name(text: &str) -> bool {
    let is_identifier = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    text.contains('.') && text.split('.').all(is_identifier)
}
