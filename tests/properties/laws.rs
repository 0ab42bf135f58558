//! What holds of every rewrite, whatever the text.

use std::collections::BTreeMap;

use edit::{Applicability, Edit};
use engine::{
    Admission, Admitted, Choices, Finding, Host, OptionValues, Outcome, Prefilter, Rewritten,
    Settings, Silence, Sited, Target,
};
use python::ast::PythonVersion;
use similar::TextDiff;
use unicode_normalization::is_nfkc;

/// A law that does not hold.
#[derive(Debug)]
pub struct Broken {
    /// Which: the same words for the same law.
    pub law: String,
    /// What was seen.
    pub told: String,
}

/// What a run is told.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Decides on the values of the options.
    pub choice: u32,
    /// The codemod that is left out; none where there are fewer.
    pub without: usize,
    /// Of generated lines.
    pub line_length: usize,
    /// Of the target version.
    pub minor: u8,
}

impl Run {
    /// All codemods but perhaps one, with one of the values of each option.
    pub fn settings(self) -> Settings {
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
            is_test: false,
            is_notebook: false,
        }
    }
}

/// The rewrite of `source`, if all is right with it; none of a text that is no Python.
pub fn check(source: &str, settings: &Settings) -> Result<Option<Rewritten>, Broken> {
    let Ok(rewritten) = engine::rewrite(source, settings, Host::ALONE) else {
        return Ok(None);
    };
    let output = rewritten.output.as_deref().unwrap_or(source);
    let broken = |law: &str, told: String| Broken {
        law: law.to_string(),
        told: format!("{told}\n{}", diff(source, output)),
    };
    // By itself: another codemod's words may be in the same file. Python takes names in another form
    // than they may be written in, which nobody does.
    let passed = settings.codemods.iter().find(|codemod| {
        let mut findings = rewritten.findings.iter();
        findings.any(|it| it.codemod.name == codemod.name)
            && !Prefilter::new(&[codemod]).may_match(source.as_bytes())
    });
    if let Some(codemod) = passed
        && is_nfkc(source)
    {
        return Err(broken(
            "the prefilter passes it over",
            codemod.name.to_string(),
        ));
    }
    no_fault(&rewritten).map_err(|told| broken(&told, String::new()))?;
    if let Some(problem) = new_problem(source, output, settings) {
        return Err(broken("a new syntax error", problem));
    }
    let is_fix = |it: &&Finding| matches!(it.outcome, Outcome::Fix(_));
    if let Some(finding) = rewritten.remaining.iter().find(is_fix) {
        return Err(broken("a fix is not applied", finding.message.clone()));
    }
    for (text, findings) in [
        (source, &rewritten.findings),
        (output, &rewritten.remaining),
    ] {
        in_place(text, findings).map_err(|told| broken("a place is outside of the text", told))?;
    }
    let (mut before, mut after) = (comments(source, settings), comments(output, settings));
    let is_reordered = rewritten.applied.iter().any(|it| reorders(it.codemod.name));
    if is_reordered {
        before.sort_unstable();
        after.sort_unstable();
    }
    if before != after {
        let told = format!("{before:?}\nbecome {after:?}");
        return Err(broken("comments are lost, made or reordered", told));
    }
    if endings(output)
        .into_iter()
        .any(|ending| !endings(source).contains(&ending))
    {
        return Err(broken("a line ending of another kind", String::new()));
    }
    let ends = |text: &str| text.ends_with(['\n', '\r']);
    if !source.is_empty() && ends(source) != ends(output) {
        return Err(broken("the end of the last line changes", String::new()));
    }
    untouched(source, &rewritten)
        .map_err(|told| broken("what was not touched is changed", told))?;
    let again = engine::rewrite(output, settings, Host::ALONE)
        .map_err(|error| broken("the result does not parse", error.message))?;
    if let Some(again) = again.output {
        return Err(broken("a second run changes it", diff(output, &again)));
    }
    Ok(Some(rewritten))
}

/// That the fix of the finding of this number is right by itself: editors and reviews apply one.
#[allow(dead_code)] // Only some of the tests have the time.
pub fn check_alone(
    source: &str,
    settings: &Settings,
    findings: &[Finding],
    number: usize,
) -> Result<(), Broken> {
    let chosen = &findings[number];
    let Outcome::Fix(fix) = &chosen.outcome else {
        return Ok(());
    };
    let only = Only(chosen.clone());
    let host = Host {
        admission: &only,
        ..Host::ALONE
    };
    let Ok(rewritten) = engine::rewrite(source, settings, host) else {
        return Ok(());
    };
    no_fault(&rewritten).map_err(|law| Broken {
        law: format!("alone, {law}"),
        told: format!("{}: {fix:?}\n{source}", chosen.message),
    })
}

/// That comments which silence all findings change no code, and that no finding needs a second one.
#[allow(dead_code)] // Only some of the tests have the time.
pub fn check_silenced(source: &str, settings: &Settings) -> Result<(), Broken> {
    let silencing = Settings {
        silence: Some(Silence {
            reason: "later".to_string(),
            after_fixes: false,
        }),
        ..settings.clone()
    };
    let Ok(rewritten) = engine::rewrite(source, &silencing, Host::ALONE) else {
        return Ok(());
    };
    let output = rewritten.output.as_deref().unwrap_or(source);
    let broken = |law: &str, told: String| Broken {
        law: format!("silenced, {law}"),
        told: format!("{told}\n{}", diff(source, output)),
    };
    no_fault(&rewritten).map_err(|told| broken(&told, String::new()))?;
    if code(source, settings) != code(output, settings) {
        return Err(broken("the code is changed", String::new()));
    }
    let again = engine::rewrite(output, &silencing, Host::ALONE)
        .map_err(|error| broken("the result does not parse", error.message))?;
    match again.output {
        Some(again) => Err(broken("a second run changes it", diff(output, &again))),
        None => Ok(()),
    }
}

/// Admits one finding of the text as it was given, and nothing that comes of its fix.
struct Only(Finding);

impl Admission for Only {
    fn admit(&self, _: &str, findings: &[Sited<'_>]) -> Vec<Admitted> {
        let is_it = |sited: &Sited<'_>| {
            sited.finding.codemod.name == self.0.codemod.name
                && sited.finding.range == self.0.range
                && sited.origin == self.0.range
        };
        let answer = |sited| {
            if is_it(sited) {
                Admitted::Yes
            } else {
                Admitted::No
            }
        };
        findings.iter().map(answer).collect()
    }
}

fn diff(before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .to_string()
}

fn no_fault(rewritten: &Rewritten) -> Result<(), String> {
    match rewritten.faults.first() {
        None => Ok(()),
        Some(fault) => {
            let name = fault.codemod.map_or("all together", |codemod| codemod.name);
            Err(format!("{name}: {}", fault.problem))
        }
    }
}

fn parse(text: &str, settings: &Settings) -> Option<python::Parsed> {
    let version = settings.target.version;
    if settings.is_notebook {
        python::parse_cells(text, version).ok()
    } else {
        python::parse(text, version).ok()
    }
}

fn new_problem(before: &str, after: &str, settings: &Settings) -> Option<String> {
    if settings.is_notebook {
        return None; // magics are problems to whoever does not know them
    }
    let version = settings.target.version;
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

/// That findings and their edits lie in `text`, in order, and say something.
fn in_place(text: &str, findings: &[Finding]) -> Result<(), String> {
    let mut last = 0;
    for finding in findings {
        let (name, range) = (finding.codemod.name, &finding.range);
        if text.get(range.clone()).is_none() {
            return Err(format!("{name} at {range:?} of {} bytes", text.len()));
        }
        if range.start < last {
            return Err(format!("{name} at {range:?} stands behind {last}"));
        }
        last = range.start;
        let said = match &finding.outcome {
            Outcome::Withheld(reason) => reason,
            Outcome::Fix(_) => &finding.message,
        };
        if said.is_empty() || said.contains(['\n', '\r']) {
            return Err(format!("{name} says {said:?}"));
        }
        if let Outcome::Fix(fix) = &finding.outcome {
            edits_in_place(text, &fix.edits).map_err(|told| format!("{name}: {told}"))?;
        }
    }
    Ok(())
}

fn edits_in_place(text: &str, edits: &[Edit]) -> Result<(), String> {
    let mut end = 0;
    for edit in edits {
        if text.get(edit.range.clone()).is_none() {
            return Err(format!("{edit:?} of {} bytes", text.len()));
        }
        if edit.range.start < end {
            return Err(format!("{edit:?} overlaps what ends at {end}"));
        }
        end = edit.range.end;
    }
    Ok(())
}

/// The comments, in order.
fn comments<'t>(text: &'t str, settings: &Settings) -> Vec<&'t str> {
    let parsed = parse(text, settings);
    let ranges = parsed.map(|parsed| parsed.comments()).unwrap_or_default();
    ranges.into_iter().map(|range| &text[range]).collect()
}

/// Whether a codemod moves code over comments that stay, on purpose: each comment stays with what it
/// is about. What no rewrite touches keeps its order anyway.
fn reorders(codemod: &str) -> bool {
    match codemod {
        // A comment after `await gather(...)` stands after the header of the block, and those of the
        // arguments and of the tasks that move into it stand below, beside their own.
        "gather-to-taskgroup" => true,
        // What is no coroutine is awaited by one that is written above the statement, and above the
        // comments before it.
        "run-until-complete-to-run" => true,
        _ => false,
    }
}

/// The tokens that are no comments.
fn code<'t>(text: &'t str, settings: &Settings) -> Vec<&'t str> {
    let parsed = parse(text, settings);
    let ranges = parsed.map(|parsed| parsed.code()).unwrap_or_default();
    ranges.into_iter().map(|range| &text[range]).collect()
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
