//! What holds of every rewrite, whatever the module: over modules put together from the shapes
//! that the codemods know, and over texts that are hardly Python.
//!
//! The same modules every time; `PROPTEST_RNG_SEED=7 PROPTEST_CASES=20000` tries others.

#![allow(clippy::unwrap_used, clippy::panic)] // It is all tests.

mod cycles;
mod laws;
mod module;

use std::collections::BTreeMap;
use std::env;

use engine::Settings;
use laws::{Broken, Run};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed};

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

fn any_run() -> impl Strategy<Value = Run> {
    let line_length = prop::sample::select(&[88usize, 40, 120][..]);
    let minor = prop::sample::select(&[11u8, 8, 9, 10, 12, 13][..]);
    let without = 0..2 * codemods::ALL.len();
    (0u32..8, without, line_length, minor).prop_map(|(choice, without, line_length, minor)| Run {
        choice,
        without,
        line_length,
        minor,
    })
}

/// What is wrong with the rewrite of `source`; nothing of a text that is no Python.
fn check(source: &str, settings: &Settings) -> Result<(), TestCaseError> {
    let checked = laws::check(source, settings);
    let told = |broken: Broken| TestCaseError::fail(format!("{}: {}", broken.law, broken.told));
    checked.map(|_| ()).map_err(told)
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
    fn a_rewrite_of_a_module_is_right(source in module::source(), run in any_run()) {
        check(&source.text(), &run.settings())?;
    }

    #[test]
    fn a_damaged_module_does_no_harm(text in damaged(), run in any_run()) {
        check(&text, &run.settings())?;
    }

    #[test]
    fn any_text_does_no_harm(text in "(await |asyncio|\\.gather\\(|time\\.sleep\\(|\\)|\n|\r|\t| |\\PC){0,60}", run in any_run()) {
        check(&text, &run.settings())?;
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
        let settings = any_run()
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
