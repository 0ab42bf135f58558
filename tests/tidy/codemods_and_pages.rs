//! The codemods, their folders and their pages.

use std::collections::BTreeSet;

use engine::Codemod;

use crate::page::{Expected, Page};
use crate::{assert_none, entries, name, read, root};

/// The headings of every page, in this order.
const HEADINGS: &[&str] = &[
    "Effect",
    "Rewrites",
    "Left alone",
    "Withheld",
    "Options",
    "Why",
];

fn folder(codemod: &Codemod) -> String {
    codemod.name.replace('-', "_")
}

#[test]
fn every_folder_is_in_the_list() {
    let folders: BTreeSet<String> = entries(&root().join("codemods"))
        .iter()
        .filter(|path| path.is_dir())
        .map(|path| name(path))
        .collect();
    let listed: BTreeSet<String> = codemods::ALL.iter().map(|it| folder(it)).collect();
    assert_eq!(
        folders, listed,
        "a folder under codemods/ is named as its codemod, with `_`, and stands in codemods/lib.rs"
    );
    assert_eq!(
        listed.len(),
        codemods::ALL.len(),
        "two codemods share a name"
    );
}

#[test]
fn names_are_lower_case_words() {
    let of_words = |name: &str| {
        name.split('-').all(|word| {
            !word.is_empty()
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
    };
    for codemod in codemods::ALL {
        assert!(of_words(codemod.name), "{}", codemod.name);
        for option in codemod.options {
            assert!(of_words(option.name), "{}.{}", codemod.name, option.name);
        }
    }
}

#[test]
fn every_page_is_complete() {
    let mut problems = Vec::new();
    for codemod in codemods::ALL {
        for problem in incomplete(codemod) {
            problems.push(format!("codemods/{}/README.md: {problem}", folder(codemod)));
        }
    }
    assert_none(&problems);
}

fn incomplete(codemod: &Codemod) -> Vec<String> {
    let page = match Page::parse(codemod.page) {
        Ok(page) => page,
        Err(errors) => {
            let errors = errors.into_iter();
            return errors
                .map(|(line, _, message)| format!("line {line}: {message}"))
                .collect();
        }
    };
    let mut problems = Vec::new();
    if page.title != codemod.name {
        problems.push(format!(
            "the title is `{}`, not the codemod's name",
            page.title
        ));
    }
    if page.headings != HEADINGS {
        let wanted = HEADINGS.join(", ");
        let found = page.headings.join(", ");
        problems.push(format!("the headings are {found}, and have to be {wanted}"));
    }
    let summary = codemod.summary();
    if summary.is_empty() || summary.starts_with('#') || summary.contains('\n') {
        problems.push("the first paragraph is not one line, which lists show".to_string());
    }
    if !summary.ends_with('.') {
        problems.push("the first paragraph is not a sentence".to_string());
    }
    let effect = codemod.effect();
    if effect.is_empty() || effect.starts_with('#') {
        problems.push("no effect is stated".to_string());
    }
    let rewrites = page
        .examples
        .iter()
        .filter(|it| matches!(it.expected, Expected::Rewrite { .. }))
        .count();
    // A codemod that only reports says so.
    let only_reports = codemod.page.contains("\n## Rewrites\n\nNone. ");
    if rewrites == 0 && !only_reports {
        problems.push("no rewrite is shown".to_string());
    }
    if rewrites > 0 && only_reports {
        problems.push("it says that it rewrites nothing, and shows a rewrite".to_string());
    }
    if rewrites == page.examples.len() {
        problems.push("no refusal is shown, left alone or withheld".to_string());
    }
    for rule in codemod.rules {
        if !codemod.page.contains(&format!("`# noqa: {rule}`")) {
            problems.push(format!("that `# noqa: {rule}` silences it is not said"));
        }
    }
    let known: BTreeSet<&str> = codemod.options.iter().map(|it| it.name).collect();
    let documented: BTreeSet<&str> = page.options.iter().map(String::as_str).collect();
    for option in known.difference(&documented) {
        problems.push(format!("the option `{option}` is not documented"));
    }
    for option in documented.difference(&known) {
        problems.push(format!("there is no option `{option}`"));
    }
    problems
}

#[test]
fn the_changelog_names_every_codemod() {
    let changelog = read("CHANGELOG.md");
    let missing: Vec<String> = codemods::ALL
        .iter()
        .filter(|codemod| !changelog.contains(codemod.name))
        .map(|codemod| format!("CHANGELOG.md: no line on {}", codemod.name))
        .collect();
    assert_none(&missing);
}

#[cfg(test)]
mod tests {
    use engine::{Choices, On, OptionSpec, Refusal};
    use python::ast::PythonVersion;

    use super::*;

    #[test]
    fn a_page_without_anything_is_not_complete() {
        let codemod = Codemod {
            name: "model",
            page: "# Model\n\nWhat\nit does\n\n## Why\n\n## Effect\n\n## Options\n\n- `colour`: no\n",
            python: PythonVersion::PY37,
            headline: false,
            rules: &[],
            dated: None,
            options: &[OptionSpec {
                name: "style",
                help: "",
                choices: Choices::Flag,
            }],
            on: &[On::Call(&[], |_, _| Err(Refusal::NotOurs))],
        };
        assert_eq!(
            incomplete(&codemod),
            [
                "the title is `Model`, not the codemod's name",
                "the headings are Why, Effect, Options, and have to be Effect, Rewrites, Left alone, Withheld, Options, Why",
                "the first paragraph is not one line, which lists show",
                "the first paragraph is not a sentence",
                "no effect is stated",
                "no rewrite is shown",
                "no refusal is shown, left alone or withheld",
                "the option `style` is not documented",
                "there is no option `colour`",
            ]
        );
    }
}
