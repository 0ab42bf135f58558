//! What holds of every rewrite, whatever the module: over modules put together from the shapes
//! that the codemods know, and over texts that are hardly Python.
//!
//! The same modules every time; `PROPTEST_RNG_SEED=7 PROPTEST_CASES=20000` tries others.

#![allow(clippy::unwrap_used, clippy::panic)] // It is all tests.

mod module;

use std::collections::BTreeMap;
use std::env;

use edit::Applicability;
use engine::{Choices, OptionValues, Outcome, Prefilter, Rewritten, Settings, Target};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed};
use python::ast::PythonVersion;
use similar::TextDiff;

fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig {
        // What fails becomes an example on a page, or a test beside the code that was wrong.
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    };
    if env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    config
}

/// What a run is told.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Decides on the values of the options.
    choice: u32,
    /// The codemod that is left out.
    without: usize,
    line_length: usize,
    minor: u8,
}

impl Run {
    fn any() -> impl Strategy<Value = Run> {
        let line_length = prop::sample::select(&[88usize, 40, 120][..]);
        let minor = prop::sample::select(&[11u8, 8, 9, 10, 12, 13][..]);
        let without = 0..2 * codemods::ALL.len();
        (0u32..8, without, line_length, minor).prop_map(|(choice, without, line_length, minor)| {
            Run {
                choice,
                without,
                line_length,
                minor,
            }
        })
    }

    /// All codemods but perhaps one, with one of the values of each option.
    fn settings(self) -> Settings {
        let mut options = OptionValues::default();
        for codemod in codemods::ALL {
            for (number, option) in codemod.options.iter().enumerate() {
                let choice = self.choice as usize >> number;
                let value = match option.choices {
                    Choices::Words(words) => words[choice % words.len()].to_string(),
                    Choices::Flag => (choice % 2 == 1).to_string(),
                    Choices::Count(count) => count.to_string(),
                    Choices::Name | Choices::Names => "package.module.name".to_string(),
                };
                options.set(codemod, option.name, &value).unwrap();
            }
        }
        Settings {
            codemods: codemods::ALL
                .iter()
                .enumerate()
                .filter(|(number, _)| *number != self.without)
                .map(|(_, codemod)| *codemod)
                .collect(),
            target: Target {
                version: PythonVersion {
                    major: 3,
                    minor: self.minor,
                },
                origin: "a test".to_string(),
            },
            apply: Applicability::Unsafe,
            silence: None,
            options,
            line_length: self.line_length,
            entry_points: Vec::new(),
            is_package: false,
            is_notebook: false,
        }
    }
}

/// What is wrong with the rewrite of `source`; nothing of a text that is no Python.
fn check(source: &str, settings: &Settings) -> Result<(), String> {
    let Ok(rewritten) = engine::rewrite(source, settings, engine::Host::ALONE) else {
        return Ok(());
    };
    let output = rewritten.output.as_deref().unwrap_or(source);
    let told = |problem: String| {
        let diff = TextDiff::from_lines(source, output);
        format!("{problem}\n{}", diff.unified_diff())
    };
    let prefilter = Prefilter::new(&settings.codemods);
    if !rewritten.findings.is_empty() && !prefilter.may_match(source.as_bytes()) {
        return Err(told("the prefilter passes it over".to_string()));
    }
    if let Some(fault) = rewritten.faults.first() {
        let name = fault.codemod.map_or("all together", |codemod| codemod.name);
        return Err(told(format!("{name}: {}", fault.problem)));
    }
    if let Some(problem) = new_problem(source, output, settings.target.version) {
        return Err(told(problem));
    }
    if let Some(finding) = rewritten
        .remaining
        .iter()
        .find(|it| matches!(it.outcome, Outcome::Fix(_)))
    {
        return Err(told(format!("a fix is not applied: {}", finding.message)));
    }
    let (before, after) = (comments(source), comments(output));
    if before != after {
        return Err(told(format!("comments: {before:?}\nbecome {after:?}")));
    }
    if endings(output)
        .into_iter()
        .any(|ending| !endings(source).contains(&ending))
    {
        return Err(told("a line ending of another kind".to_string()));
    }
    let ends = |text: &str| text.ends_with(['\n', '\r']);
    if !source.is_empty() && ends(source) != ends(output) {
        return Err(told("the end of the last line".to_string()));
    }
    untouched(source, &rewritten).map_err(told)?;
    let again = engine::rewrite(output, settings, engine::Host::ALONE)
        .map_err(|error| told(format!("it does not parse: {}", error.message)))?;
    match again.output {
        None => Ok(()),
        Some(again) => {
            let diff = TextDiff::from_lines(output, &again);
            Err(told(format!(
                "a second run changes:\n{}",
                diff.unified_diff()
            )))
        }
    }
}

fn new_problem(before: &str, after: &str, version: PythonVersion) -> Option<String> {
    let mut known: BTreeMap<String, i32> = BTreeMap::new();
    for problem in python::problems(before, version) {
        *known.entry(problem.message).or_default() += 1;
    }
    python::problems(after, version)
        .into_iter()
        .find_map(|problem| {
            let left = known.entry(problem.message.clone()).or_default();
            *left -= 1;
            (*left < 0).then_some(problem.message)
        })
}

fn comments(text: &str) -> Vec<&str> {
    let Ok(parsed) = python::parse(text, PythonVersion::PY313) else {
        return Vec::new();
    };
    let mut comments: Vec<&str> = parsed.comments().iter().map(|it| &text[*it]).collect();
    comments.sort_unstable();
    comments
}

/// The kinds of line endings.
fn endings(text: &str) -> Vec<&'static str> {
    let without = text.replace("\r\n", "");
    let mut endings = Vec::new();
    if without.len() < text.len() {
        endings.push("\r\n");
    }
    for ending in ["\n", "\r"] {
        if without.contains(ending) {
            endings.push(ending);
        }
    }
    endings
}

/// What lies between the touched parts of the output lies in this order in the source.
fn untouched(source: &str, rewritten: &Rewritten) -> Result<(), String> {
    let Some(output) = &rewritten.output else {
        return Ok(());
    };
    let (mut rest, mut end) = (source, 0);
    for (number, touched) in rewritten.touched.iter().enumerate() {
        if touched.range.start > end {
            let part = &output[end..touched.range.start];
            let at = match number {
                0 => rest.starts_with(part).then_some(0),
                _ => rest.find(part),
            };
            let Some(at) = at else {
                return Err(format!("outside of what was touched: {part:?}"));
            };
            rest = &rest[at + part.len()..];
        }
        end = end.max(touched.range.end);
    }
    if rest.ends_with(&output[end..]) {
        Ok(())
    } else {
        Err(format!("after what was touched: {:?}", &output[end..]))
    }
}

/// A text with something taken out, put in, or cut off.
fn damaged() -> impl Strategy<Value = String> {
    const SCRAPS: &[&str] = &[
        "",
        "(",
        ")",
        "]",
        "\"",
        "\"\"\"",
        "#",
        "\\",
        "\n",
        "\r",
        "\t",
        " ",
        ";",
        ":",
        "await ",
        "async ",
        "asyncio.gather(",
        "*",
        "=",
        "lambda: ",
        "\u{0}",
        "\u{c}",
        "é",
        "\u{feff}",
        "if x:",
        ",",
    ];
    let scrap = prop::sample::select(SCRAPS);
    let damage = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        scrap,
        0u8..8,
    );
    (module::source(), prop::collection::vec(damage, 1..4)).prop_map(|(source, damages)| {
        let mut text = source.text();
        for (at, length, scrap, kind) in damages {
            let boundary = |text: &str, mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = boundary(&text, at.index(text.len() + 1));
            let end = match kind {
                0 => text.len(),
                1..=3 => boundary(&text, (start + length.index(12)).min(text.len())),
                _ => start,
            };
            text.replace_range(start.min(end)..end.max(start), scrap);
        }
        text
    })
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn a_rewrite_of_a_module_is_right(source in module::source(), run in Run::any()) {
        check(&source.text(), &run.settings()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn a_damaged_module_does_no_harm(text in damaged(), run in Run::any()) {
        check(&text, &run.settings()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn any_text_does_no_harm(text in "(await |asyncio|\\.gather\\(|time\\.sleep\\(|\\)|\n|\r|\t| |\\PC){0,60}", run in Run::any()) {
        check(&text, &run.settings()).map_err(TestCaseError::fail)?;
    }
}

/// The modules are worth something: most are Python, and each headline codemod rewrites and
/// withholds something in many of them.
#[test]
fn the_modules_hold_what_is_rewritten() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::new(config(1));
    let mut parsed = 0;
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for _ in 0..300 {
        let source = module::source().new_tree(&mut runner).unwrap().current();
        let settings = Run::any()
            .new_tree(&mut runner)
            .unwrap()
            .current()
            .settings();
        let Ok(result) = engine::rewrite(&source.text(), &settings, engine::Host::ALONE) else {
            continue;
        };
        parsed += 1;
        for applied in &result.applied {
            counts.entry(applied.codemod.name).or_default().0 += 1;
        }
        for finding in &result.remaining {
            counts.entry(finding.codemod.name).or_default().1 += 1;
        }
    }
    assert!(parsed > 150, "{parsed} are Python");
    for codemod in codemods::ALL.iter().filter(|codemod| codemod.headline) {
        let (rewritten, withheld) = counts.get(codemod.name).copied().unwrap_or_default();
        assert!(
            rewritten > 15 && withheld > 15,
            "{parsed} are Python, {counts:?} are rewritten and withheld"
        );
    }
}
