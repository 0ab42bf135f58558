//! Holds a page to its word.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use edit::Applicability;
use engine::{Codemod, Finding, OptionValues, Outcome, Rewritten, Settings, Target};
use python::ast::PythonVersion;
use similar::TextDiff;

use crate::interpreter::{Interpreter, Outcome as Ran};
use crate::page::{Example, Expected, Page, Run};

/// Everything that is wrong with the page of a codemod, in one report.
pub fn page(codemod: &'static Codemod, text: &str, python: &Interpreter) -> Result<(), String> {
    let page = match Page::parse(text) {
        Ok(page) => page,
        Err(errors) => {
            return Err(report(codemod, &errors));
        }
    };
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(2, Into::into);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(example) = page.examples.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(message) = self::example(codemod, example, python)
                        && let Ok(mut failures) = failures.lock()
                    {
                        failures.push((example.line, example.heading.clone(), message));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().map_err(|error| error.to_string())?;
    if failures.is_empty() {
        return Ok(());
    }
    failures.sort();
    Err(report(codemod, &failures))
}

fn report(codemod: &Codemod, failures: &[(usize, String, String)]) -> String {
    let mut text = String::new();
    for (line, heading, message) in failures {
        let folder = codemod.name.replace('-', "_");
        let place = format!("codemods/{folder}/README.md:{line}");
        let _ = writeln!(text, "\n--- {place}: {heading}\n{}", message.trim_end());
    }
    text
}

/// What is wrong with one example.
fn example(
    codemod: &'static Codemod,
    example: &Example,
    python: &Interpreter,
) -> Result<(), String> {
    let settings = settings(codemod, example)?;
    match &example.expected {
        Expected::LeftAlone(text) => left_alone(&settings, text),
        Expected::Withheld(text) => withheld(&settings, text, &example.prose),
        Expected::Rewrite {
            before,
            after,
            applicability,
            run,
        } => {
            rewritten(&settings, before, after, *applicability)?;
            let Some(run) = *run else { return Ok(()) };
            if settings.target.version > PythonVersion::PY311 {
                return Err(
                    "only what runs on Python 3.11 can be run: leave out `run` or `target=`"
                        .to_string(),
                );
            }
            ran(python, before, after, run)
        }
    }
}

fn settings(codemod: &'static Codemod, example: &Example) -> Result<Settings, String> {
    let mut options = OptionValues::default();
    for (option, value) in &example.options {
        options.set(codemod, option, value)?;
    }
    Ok(Settings {
        codemods: vec![codemod],
        target: Target {
            version: example.target,
            origin: "`requires-python` in pyproject.toml".to_string(),
        },
        apply: Applicability::Unsafe,
        silence: None,
        options,
        line_length: 88,
        entry_points: Vec::new(),
        is_package: false,
        is_test: false,
        is_notebook: false,
    })
}

fn rewrite(settings: &Settings, text: &str) -> Result<Rewritten, String> {
    let rewritten = engine::rewrite(text, settings, engine::Host::ALONE)
        .map_err(|error| format!("the example is no Python: {}", error.message))?;
    if let Some(problem) = python::problems(text, settings.target.version).first() {
        return Err(format!("CPython refuses the example: {}", problem.message));
    }
    match rewritten.faults.as_slice() {
        [] => Ok(rewritten),
        [fault, ..] => Err(format!("a fault of ours: {}", fault.problem)),
    }
}

fn left_alone(settings: &Settings, text: &str) -> Result<(), String> {
    let rewritten = rewrite(settings, text)?;
    if let Some(finding) = rewritten.findings.first() {
        return Err(format!("it is not left alone: {}", described(finding)));
    }
    unchanged(text, &rewritten)
}

fn withheld(settings: &Settings, text: &str, prose: &str) -> Result<(), String> {
    let rewritten = rewrite(settings, text)?;
    if rewritten.findings.is_empty() {
        return Err("nothing is reported".to_string());
    }
    let said = plain(prose);
    for finding in &rewritten.findings {
        match &finding.outcome {
            Outcome::Withheld(reason) if is_said(reason, &said) => {}
            Outcome::Withheld(reason) => {
                return Err(format!(
                    "another reason is given:\n  {reason}\nand not one of\n  {said}"
                ));
            }
            Outcome::Fix(_) => return Err(format!("it is not withheld: {}", described(finding))),
        }
    }
    unchanged(text, &rewritten)
}

/// Whether a text gives the reason, word for word; it may start a sentence.
fn is_said(reason: &str, said: &str) -> bool {
    let reason = plain(reason);
    let mut letters = reason.chars();
    let first = letters.next().map(char::to_uppercase);
    let sentence: String = first.into_iter().flatten().chain(letters).collect();
    said.contains(&reason) || said.contains(&sentence)
}

/// Without the marks of inline code, and with one space where there is white space.
fn plain(text: &str) -> String {
    let text = text.replace('`', "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rewritten(
    settings: &Settings,
    before: &str,
    after: &str,
    applicability: Applicability,
) -> Result<(), String> {
    let rewritten = rewrite(settings, before)?;
    for finding in &rewritten.findings {
        match &finding.outcome {
            Outcome::Fix(fix) if fix.applicability == applicability => {}
            Outcome::Fix(fix) => {
                return Err(format!(
                    "it is {}, and not {}",
                    fix.applicability.as_str(),
                    applicability.as_str()
                ));
            }
            Outcome::Withheld(_) => return Err(described(finding)),
        }
    }
    let output = rewritten.output.as_deref().unwrap_or(before);
    if output != after {
        if output == before {
            return Err("nothing is rewritten".to_string());
        }
        return Err(format!("another text comes out:\n{}", diff(after, output)));
    }
    let again = rewrite(settings, after)?;
    unchanged(after, &again).map_err(|error| format!("a second run: {error}"))?;
    match again.findings.first() {
        Some(finding) => Err(format!("a second run: {}", described(finding))),
        None => Ok(()),
    }
}

fn described(finding: &Finding) -> String {
    match &finding.outcome {
        Outcome::Fix(_) => format!("there is a fix: {}", finding.message),
        Outcome::Withheld(reason) => format!("withheld: {reason}"),
    }
}

fn unchanged(text: &str, rewritten: &Rewritten) -> Result<(), String> {
    match &rewritten.output {
        None => Ok(()),
        Some(output) => Err(format!("it is changed:\n{}", diff(text, output))),
    }
}

fn diff(expected: &str, found: &str) -> String {
    let diff = TextDiff::from_lines(expected, found);
    diff.unified_diff()
        .context_radius(3)
        .header("expected", "found")
        .to_string()
}

fn ran(python: &Interpreter, before: &str, after: &str, run: Run) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let run_side = |name: &str, program: &str| {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let outcome = python.run(&folder, program);
        outcome.map_err(|error| format!("the program {name}: {error}"))
    };
    let (before, after) = (run_side("before", before)?, run_side("after", after)?);
    let same = before.code == after.code && before.stdout == after.stdout;
    let both = || format!("before: {}\nafter: {}", shown(&before), shown(&after));
    match run {
        Run::Same if !same => Err(format!("the programs behave differently\n{}", both())),
        Run::Same if after.code != Some(0) => Err(format!("the programs fail\n{}", both())),
        Run::Differs if same => Err(format!("the programs behave the same\n{}", both())),
        Run::FailsBefore if before.code == Some(0) => {
            Err(format!("the program before succeeds\n{}", both()))
        }
        Run::FailsBefore if after.code != Some(0) => {
            Err(format!("the program after fails\n{}", both()))
        }
        _ => Ok(()),
    }
}

fn shown(outcome: &Ran) -> String {
    let code = match outcome.code {
        Some(code) => format!("exit status {code}"),
        None => "killed by a signal".to_string(),
    };
    let mut text = code;
    for (name, stream) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
        for line in stream.lines() {
            let _ = write!(text, "\n  {name} | {line}");
        }
    }
    text
}
