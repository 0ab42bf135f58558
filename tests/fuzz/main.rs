//! Code that is changed at random, and what must hold of its rewrite. README.md says how.

#![allow(clippy::unwrap_used, clippy::panic)] // It is all tests.
#![allow(clippy::print_stdout, reason = "the counts are the result")]
#![allow(
    clippy::unnecessary_wraps,
    reason = "what always finds something is one of many that may not"
)]
#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "a method is of one lifetime"
)]
#![allow(clippy::match_bool)] // Chance is one of two, and neither is the case.

mod chance;
mod files;
#[path = "../../crates/cli/guard.rs"]
#[allow(unused_imports)] // Its own tests run there.
mod guard;
#[path = "../properties/laws.rs"]
mod laws;
mod mutate;
#[path = "../pages/page.rs"]
#[allow(dead_code)] // Another half of it is what the other tests look at.
mod page;
mod seeds;
mod shrink;
#[path = "../../crates/cli/source.rs"]
#[allow(dead_code, unused_imports)] // Some of it is only for reports, and its own tests run there.
mod source;
mod tally;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use chance::Chance;
use files::Seen;
use guard::guarded;
use laws::{Broken, Run};
use seeds::Seeds;
use tally::{Failure, Tally};

/// Of a debug build, which is a tenth as fast as what people run.
const SLOW: Duration = Duration::from_secs(20);

/// What the binary gives its threads.
const STACK: usize = 64 << 20;

/// So many executions are a good minute of processor time in a debug build.
const EXECUTIONS: u64 = 5_000;

/// So many texts are kept of those that a codemod rewrites.
const LIVELY: usize = 40;

/// What is done again and again with other texts.
#[derive(Clone, Debug)]
pub enum Input {
    /// The text of a module.
    Module(String),
    /// The bytes of a file, or of a notebook.
    File(Vec<u8>, bool),
}

impl Input {
    /// What a file of it holds.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Module(text) => text.as_bytes(),
            Self::File(bytes, _) => bytes,
        }
    }

    /// The same with other bytes.
    fn with(&self, text: &str) -> Self {
        match self {
            Self::Module(_) => Self::Module(text.to_string()),
            Self::File(_, is_notebook) => Self::File(text.as_bytes().to_vec(), *is_notebook),
        }
    }
}

fn any_run(chance: &mut Chance) -> Run {
    Run {
        choice: u32::try_from(chance.below(8)).unwrap(),
        without: chance.below(2 * codemods::ALL.len()),
        line_length: *chance.of(&[88, 88, 40, 120]).unwrap(),
        minor: *chance.of(&[11, 12, 11, 12, 13, 14, 11, 9, 8]).unwrap(),
    }
}

fn check(input: &Input, run: Run, chance: u64) -> Result<Seen, Broken> {
    let settings = run.settings();
    let checked = guarded(|| match input {
        Input::File(bytes, true) => files::check_notebook(bytes, &settings),
        Input::File(bytes, false) => files::check_file(bytes, &settings),
        Input::Module(text) => {
            let Some(rewritten) = laws::check(text, &settings)? else {
                return Ok(Seen::default());
            };
            // One more look at a text is enough: each takes as long as the first.
            let mut chance = Chance::new(chance);
            match chance.below(4) {
                0 => laws::check_silenced(text, &settings)?,
                1 if !rewritten.findings.is_empty() => {
                    let number = chance.below(rewritten.findings.len());
                    laws::check_alone(text, &settings, &rewritten.findings, number)?;
                }
                _ => {}
            }
            Ok(Seen::of(&rewritten))
        }
    });
    checked.unwrap_or_else(|words| {
        Err(Broken {
            law: format!("it panics: {words}"),
            told: String::new(),
        })
    })
}

/// How long, and with which numbers.
struct Plan {
    seed: u64,
    executions: u64,
    until: Option<Instant>,
    workers: usize,
}

impl Plan {
    fn of_environment() -> Self {
        let number = |name: &str| -> Option<u64> {
            let value = env::var(name).ok()?;
            Some(
                value
                    .parse()
                    .unwrap_or_else(|_| panic!("{name} is no number: {value}")),
            )
        };
        let seconds = number("ASYNCFIX_FUZZ_SECONDS");
        // The fixed run is the same on every machine.
        let cores = match seconds {
            Some(_) => thread::available_parallelism().map_or(2, Into::into),
            None => 2,
        };
        Self {
            seed: number("ASYNCFIX_FUZZ_SEED").unwrap_or(1),
            executions: seconds.map_or(EXECUTIONS, |_| u64::MAX),
            until: seconds.map(|it| Instant::now() + Duration::from_secs(it)),
            workers: number("ASYNCFIX_FUZZ_JOBS").map_or(cores, |it| usize::try_from(it).unwrap()),
        }
    }

    fn is_over(&self, done: u64) -> bool {
        match self.until {
            Some(until) => Instant::now() > until,
            None => done >= self.executions / self.workers as u64,
        }
    }
}

/// What a worker is at, for whoever waits for it.
struct Current(Mutex<Option<(Instant, Input)>>);

/// Where a worker leaves what it is at, for whoever finds the process dead.
fn left(worker: usize) -> PathBuf {
    env::temp_dir().join(format!("asyncfix-fuzz-{worker}"))
}

fn work(plan: &Plan, worker: usize, seeds: &Seeds, current: &Current) -> Tally {
    let mut chance = Chance::new(plan.seed.wrapping_mul(1_000_003) + worker as u64);
    let mut tally = Tally::default();
    // Texts of which something was said that had not been said before, and some of those that
    // each codemod rewrote.
    let mut found: Vec<String> = Vec::new();
    let mut lively: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    while !plan.is_over(tally.executions) {
        let seed = match chance.below(4) {
            0 => chance.of(&found),
            1 | 2 => {
                let codemods: Vec<&Vec<String>> = lively.values().collect();
                chance.of(&codemods).and_then(|texts| chance.of(texts))
            }
            _ => None,
        };
        let seed = seed.or_else(|| chance.of(&seeds.texts)).unwrap();
        let text = mutate::code(&mut chance, seed, &seeds.scraps);
        let input = match chance.below(10) {
            0 => Input::File(mutate::bytes::change(&mut chance, text.as_bytes()), false),
            1 => {
                let json = files::notebook(&mut chance, &text);
                Input::File(json.into_bytes(), true)
            }
            2 if chance.once_in(4) => {
                let json = files::notebook(&mut chance, &text);
                Input::File(mutate::bytes::change(&mut chance, json.as_bytes()), true)
            }
            _ => Input::Module(text.clone()),
        };
        let (run, number) = (any_run(&mut chance), chance.next());
        let start = Instant::now();
        fs::write(left(worker), input.bytes()).unwrap();
        *current.0.lock().unwrap() = Some((start, input.clone()));
        let checked = check(&input, run, number);
        *current.0.lock().unwrap() = None;
        match checked {
            Ok(came) => {
                if tally.count(&input, &came, start.elapsed()) {
                    found.push(text.clone());
                }
                for codemod in &came.rewrote {
                    let texts = lively.entry(codemod).or_default();
                    if texts.len() == LIVELY {
                        texts.swap_remove(chance.below(LIVELY));
                    }
                    texts.push(text.clone());
                }
            }
            Err(broken) => {
                tally.executions += 1;
                if !tally.knows(&broken) {
                    let fails = |text: &str| {
                        let shorter = check(&input.with(text), run, number);
                        shorter.is_err_and(|it| tally::kind(&it.law) == tally::kind(&broken.law))
                    };
                    let shrunk = match std::str::from_utf8(input.bytes()) {
                        Ok(text) => input.with(&shrink::shrink(text, fails)),
                        Err(_) => input.clone(),
                    };
                    let told =
                        check(&shrunk, run, number).map_or_else(|it| it.told, |_| broken.told);
                    tally.fail(Failure {
                        law: broken.law,
                        told,
                        input: shrunk,
                        run,
                    });
                }
            }
        }
    }
    let _ = fs::remove_file(left(worker));
    tally
}

fn main() {
    // As `cargo test` calls it with the name of another test, or to list them.
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|it| !it.starts_with("--test-threads"))
        .collect();
    let is_meant =
        |it: &String| "fuzz".contains(it.as_str()) || it.starts_with('-') && it != "--list";
    if !arguments.iter().all(is_meant) {
        return;
    }
    let plan = Plan::of_environment();
    let real = env::var_os("ASYNCFIX_CORPUS").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = Seeds::read(root, real.as_deref(), plan.until.is_none());
    guard::install();
    println!(
        "fuzz: seed {}, {} texts, {} statements and {} expressions to change; if this dies: {}",
        plan.seed,
        seeds.texts.len(),
        seeds.scraps.statements.len(),
        seeds.scraps.expressions.len(),
        left(0).display(),
    );
    let start = Instant::now();
    replay();
    let currents: Vec<Current> = (0..plan.workers)
        .map(|_| Current(Mutex::default()))
        .collect();
    let tally = thread::scope(|scope| {
        let (plan, seeds) = (&plan, &seeds);
        let workers: Vec<_> = currents
            .iter()
            .enumerate()
            .map(|(number, current)| {
                let builder = thread::Builder::new().stack_size(STACK);
                let work = move || work(plan, number, seeds, current);
                builder.spawn_scoped(scope, work).unwrap()
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            thread::sleep(Duration::from_millis(100));
            for current in &currents {
                end_if_it_hangs(current);
            }
        }
        let tallies = workers.into_iter().map(|worker| worker.join().unwrap());
        tallies.reduce(Tally::and).unwrap()
    });
    println!("{}", tally.report(start.elapsed()));
    if !tally.is_worth_something() {
        println!("fuzz: too little was rewritten: this proves nothing");
        std::process::exit(1);
    }
    if !tally.failures.is_empty() {
        std::process::exit(1);
    }
}

/// What failed before, as it is.
fn replay() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut failed = false;
    for path in seeds::files(&folder, &["py", "ipynb"]) {
        let bytes = fs::read(&path).unwrap();
        let input = match path.extension().is_some_and(|it| it == "ipynb") {
            true => Input::File(bytes, true),
            false => match String::from_utf8(bytes) {
                Ok(text) => Input::Module(text),
                Err(error) => Input::File(error.into_bytes(), false),
            },
        };
        for number in 0..12 {
            let run = Run {
                choice: u32::try_from(number % 8).unwrap(),
                without: usize::MAX,
                line_length: 88,
                minor: [11, 12, 14, 8][number % 4],
            };
            if let Err(Broken { law, told }) = check(&input, run, number as u64) {
                println!("fuzz: {}: {law}\n{told}", path.display());
                failed = true;
                break;
            }
        }
    }
    if failed {
        std::process::exit(1);
    }
}

/// Nothing else can end what does not end by itself.
fn end_if_it_hangs(current: &Current) {
    let current = current.0.lock().unwrap();
    if let Some((start, input)) = &*current
        && start.elapsed() > 3 * SLOW
    {
        println!("fuzz: this takes longer than {:?}:", 3 * SLOW);
        println!("{}", String::from_utf8_lossy(input.bytes()));
        std::process::exit(1);
    }
}
