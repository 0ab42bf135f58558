//! Codemods that meet: whatever comes first, the same comes out.
//!
//! The programs are the sides "before" of all examples of all pages. For each of them, every two
//! codemods that have something to do there are applied one after the other, in both orders, and
//! at once.

// A test says by its end that something is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pages/page.rs"]
#[allow(dead_code)] // Another half of it is what the other tests look at.
mod page;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use edit::Applicability;
use engine::{Codemod, OptionValues, Outcome, Rewritten, Settings, Target};
use page::{Expected, Page};
use python::ast::PythonVersion;

/// Two codemods, the one first that the list has first, whose order matters somewhere, and why
/// that is right.
const ORDERED: &[(&str, &str, &str)] = &[
    (
        "limit-concurrency",
        "gather-to-taskgroup",
        "limit-concurrency looks for gather, which a TaskGroup replaces: it comes first, so that \
         both can do their work, as when both are selected",
    ),
    (
        "aiohttp-to-httpx",
        "async-with",
        "both close the session after the last use that needs it open, which with aiohttp is the \
         reading of the response; httpx has read the response when the request is done",
    ),
    (
        "requests-to-httpx",
        "blocking-to-thread",
        "each takes the blocking request away in its own way, and who selects requests-to-httpx \
         wants its way; it comes first, and what it withholds is left to the thread",
    ),
];

/// What codemods are tried on.
struct Program {
    /// `codemods/await_sleep/README.md:12`
    place: String,
    text: String,
    target: PythonVersion,
}

fn programs() -> Vec<Program> {
    let mut programs = Vec::new();
    for codemod in codemods::ALL {
        let page = Page::parse(codemod.page).expect("tests/pages reads every page");
        for example in page.examples {
            let text = match example.expected {
                Expected::Rewrite { before, .. } => before,
                Expected::LeftAlone(text) | Expected::Withheld(text) => text,
            };
            let folder = codemod.name.replace('-', "_");
            programs.push(Program {
                place: format!("codemods/{folder}/README.md:{}", example.line),
                text,
                target: example.target,
            });
        }
    }
    programs
}

fn rewrite(program: &Program, text: &str, codemods: &[&'static Codemod]) -> Rewritten {
    let settings = Settings {
        codemods: codemods.to_vec(),
        target: Target {
            version: program.target,
            origin: "the page".to_string(),
        },
        silence: None,
        apply: Applicability::Unsafe,
        options: OptionValues::default(),
        line_length: 88,
        entry_points: Vec::new(),
        is_package: false,
        is_test: false,
        is_notebook: false,
    };
    engine::rewrite(text, &settings, engine::Host::ALONE)
        .unwrap_or_else(|error| panic!("{}: {}\n{text}", program.place, error.message))
}

fn fixed(program: &Program, text: &str, codemods: &[&'static Codemod]) -> String {
    let rewritten = rewrite(program, text, codemods);
    if let Some(fault) = rewritten.faults.first() {
        panic!("{}: a fault of ours: {}", program.place, fault.problem);
    }
    rewritten.output.unwrap_or_else(|| text.to_string())
}

/// What one codemod makes of a program.
struct Alone {
    codemod: &'static Codemod,
    after: String,
    /// Whether that is not the program as it was.
    acts: bool,
    /// Which codemods have something to do then.
    next: Vec<&'static str>,
}

impl Alone {
    fn new(program: &Program, codemod: &'static Codemod) -> Self {
        let after = fixed(program, &program.text, &[codemod]);
        let acts = after != program.text;
        let next = if acts {
            let found = rewrite(program, &after, codemods::ALL).findings;
            let fixes = found
                .iter()
                .filter(|it| matches!(it.outcome, Outcome::Fix(_)));
            fixes.map(|it| it.codemod.name).collect()
        } else {
            Vec::new()
        };
        Self {
            codemod,
            after,
            acts,
            next,
        }
    }

    /// Whether `other` has something to do before or after this codemod did what it has to do.
    fn meets(&self, other: &Self) -> bool {
        self.acts && (other.acts || self.next.contains(&other.codemod.name))
    }
}

/// Runs `check` on every program, on all cores, and gives what it says.
fn each(check: impl Fn(&Program, &mut Vec<String>) + Sync) -> Vec<String> {
    let programs = programs();
    assert!(programs.len() > 500, "the pages have examples");
    let next = AtomicUsize::new(0);
    let said = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, Into::into) {
            scope.spawn(|| {
                while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut own = Vec::new();
                    check(program, &mut own);
                    said.lock().unwrap().append(&mut own);
                }
            });
        }
    });
    let mut said = said.into_inner().unwrap();
    said.sort();
    said
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_two_codemods_give_the_same_in_either_order() {
    let met = Mutex::new(BTreeMap::<(&str, &str), usize>::new());
    let differing = Mutex::new(BTreeMap::<(&str, &str), usize>::new());
    let problems = each(|program, problems| {
        let alone: Vec<Alone> = codemods::ALL
            .iter()
            .map(|codemod| Alone::new(program, codemod))
            .collect();
        for (position, first) in alone.iter().enumerate() {
            for second in &alone[position + 1..] {
                // Whoever has nothing to do on the text as it is may have on what another made of it.
                if !first.meets(second) && !second.meets(first) {
                    continue;
                }
                let forth = fixed(program, &first.after, &[second.codemod]);
                let back = fixed(program, &second.after, &[first.codemod]);
                let pair = (first.codemod.name, second.codemod.name);
                *met.lock().unwrap().entry(pair).or_default() += 1;
                // The one after the other may have made work for the one before.
                let settled = |text: &str| fixed(program, text, &[first.codemod, second.codemod]);
                let (forth, back) = (settled(&forth), settled(&back));
                let both = settled(&program.text);
                if forth == back && both == forth {
                    continue;
                }
                *differing.lock().unwrap().entry(pair).or_default() += 1;
                if ORDERED.iter().any(|(one, other, _)| (*one, *other) == pair) {
                    continue;
                }
                let mut text = format!("--- {}: {} and {}", program.place, pair.0, pair.1);
                let _ = write!(
                    text,
                    "\n{}\n--- first then second\n{forth}\n--- second then first\n{back}\n--- both\n{both}",
                    program.text
                );
                problems.push(text);
            }
        }
    });
    let met = met.into_inner().unwrap();
    let differing = differing.into_inner().unwrap();
    eprintln!("met: {met:#?}\ndiffering: {differing:#?}");
    assert_none(&problems);
    assert!(met.len() > 30, "they meet: {}", met.len());
    for (one, other, _) in ORDERED {
        assert!(
            differing.contains_key(&(*one, *other)),
            "{one} and {other}: no exception is needed"
        );
    }
}

#[test]
fn all_codemods_at_once_reach_a_fixed_point() {
    assert_none(&each(|program, problems| {
        let once = fixed(program, &program.text, codemods::ALL);
        let twice = fixed(program, &once, codemods::ALL);
        if once != twice {
            problems.push(format!("--- {}\n{once}\n--- again\n{twice}", program.place));
        }
    }));
}
