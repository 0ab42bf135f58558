//! What a run says at its end, and what its exit status is.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Error, Result, anyhow};
use engine::{Applied, Rewritten};

use crate::arguments::OutputFormat;
use crate::baseline::Baselines;
use crate::exit::Exit;
use crate::plan::{Input, Mode, Plan, Verbosity};
use crate::report::statistics::Statistics;
use crate::report::summary::{self, Counts};
use crate::report::{self, Entry, Failure, Standard, html, outcome};
use crate::walk::File;
use crate::write::{self, NewFile};

use super::Looked;
use super::analysed::Analysed;

/// Where findings and patches go.
pub enum Output<'a> {
    Stream(BufWriter<Box<dyn Write>>),
    /// A file, which is there when it is whole.
    File(NewFile, &'a Path),
}

/// Where findings and patches go. An error says that the file cannot be made.
pub fn output(plan: &Plan) -> Result<Output<'_>> {
    // Standard output has the text.
    let is_piped = plan.mode == Mode::Fix && matches!(plan.input, Input::Stdin(_));
    let stream: Box<dyn Write> = match &plan.output {
        Some(path) => {
            let file = NewFile::begin(path).map_err(|problem| of_file(path, &problem))?;
            return Ok(Output::File(file, path));
        }
        None if is_piped && plan.show.is_none() => Box::new(io::stderr().lock()),
        None => Box::new(Standard::lock()),
    };
    Ok(Output::Stream(BufWriter::new(stream)))
}

fn of_file(path: &Path, problem: &str) -> Error {
    anyhow!("--output-file: `{}` {problem}", path.display())
}

impl Output<'_> {
    /// All was written.
    pub fn finish(self) -> Result<()> {
        match self {
            Output::Stream(mut stream) => Ok(stream.flush()?),
            Output::File(file, path) => file.finish().map_err(|problem| of_file(path, &problem)),
        }
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Stream(stream) => stream.write(bytes),
            Output::File(file, path) => file.write(bytes).map_err(|error| {
                let (path, reason) = (path.display(), write::reason(&error));
                io::Error::new(
                    error.kind(),
                    format!("--output-file: `{path}` cannot be written: {reason}"),
                )
            }),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Stream(stream) => stream.flush(),
            Output::File(file, _) => file.flush(),
        }
    }
}

/// Writes the baselines, if that is wanted. What they hold then is no finding any longer.
pub(super) fn conclude_baselines(
    plan: &Plan,
    baselines: &Baselines,
    files: &[File],
    looked: &mut Looked,
) -> Result<()> {
    let written = looked.analysed.iter().filter(|file| file.written);
    let written: HashSet<&Path> = written.map(|it| it.file.canonical.as_path()).collect();
    let is_written = |file: &File| written.contains(file.canonical.as_path());
    looked.beside.known = baselines.conclude(files, &is_written)?;
    if plan.update_baseline {
        for Analysed {
            file,
            rewritten,
            written,
            ..
        } in &mut looked.analysed
        {
            if !baselines.hold(file) {
                continue;
            }
            rewritten.remaining.clear();
            if !*written {
                rewritten.findings.clear();
            }
        }
    }
    Ok(())
}

/// Prints what is to be said, and decides on the exit status.
pub(super) fn conclude(plan: &Plan, files: &[File], mut looked: Looked) -> Result<Exit> {
    let mut exit = tell_failures(plan, &mut looked.failures);
    let mut counts = Counts::new(files.len(), looked.beside.clone());
    for failure in &looked.failures {
        counts.count_failure(failure);
    }
    for analysed in &looked.analysed {
        for fault in analysed.faults() {
            report::message(&fault);
            exit = Exit::Failure;
        }
        let changed = analysed.written || plan.mode == Mode::Diff && analysed.after.is_some();
        counts.count(
            &analysed.rewritten,
            changed,
            analysed.settings_apply(),
            analysed.file.folder.show_withheld,
        );
    }
    say(plan, &looked);

    let mut printed = false;
    if let Some(path) = &plan.page {
        write_page(path, plan, files, &looked)?;
    } else {
        let mut out = output(plan)?;
        match plan.mode {
            _ if plan.statistics => print_statistics(plan, files.len(), &looked, &mut out)?,
            Mode::Diff => printed = print_patches(plan, &looked.analysed, &mut out)?,
            Mode::Report | Mode::Fix | Mode::Review => print_findings(plan, &looked, &mut out)?,
        }
        out.finish()?;
    }
    if let Some(path) = &plan.outcome {
        write_outcome(path, plan, files, &looked)?;
    }
    if plan.verbosity >= Verbosity::Normal {
        report::line(&summary::sentence(
            plan.mode,
            &counts,
            plan.lists_withheld(),
        ));
    }
    if printed || counts.remaining() > 0 {
        exit = exit.max(Exit::Findings);
    }
    Ok(as_wanted(plan, exit))
}

/// Prints what went wrong, by path.
pub(super) fn tell_failures(plan: &Plan, failures: &mut [Failure]) -> Exit {
    let mut exit = Exit::Success;
    failures.sort_by(|one, other| one.path.cmp(&other.path));
    for failure in failures {
        exit = exit.max(if failure.ours {
            Exit::Failure
        } else {
            Exit::Findings
        });
        if plan.verbosity >= Verbosity::Quiet || failure.ours {
            report::message(failure);
        }
    }
    exit
}

pub(super) fn as_wanted(plan: &Plan, exit: Exit) -> Exit {
    match exit {
        Exit::Findings if plan.exit_zero => Exit::Success,
        exit => exit,
    }
}

/// Writes the page of the run to `path`.
fn write_page(path: &Path, plan: &Plan, files: &[File], looked: &Looked) -> Result<()> {
    let entries: Vec<Entry> = looked.analysed.iter().map(Analysed::entry).collect();
    let faults = looked.analysed.iter().flat_map(Analysed::faults);
    let failures: Vec<Failure> = looked.failures.iter().cloned().chain(faults).collect();
    let mut about = html::About::new(&plan.input, files);
    about.warnings = plan.folders.warnings();
    about.warnings.extend_from_slice(&looked.warnings);
    about.notes.clone_from(&looked.notes);
    let page = html::page(&html::Document::new(about, &entries, &failures))?;
    if path == Path::new("-") {
        let mut out = Standard::lock();
        out.write_all(page.as_bytes())?;
        out.flush()?;
        return Ok(());
    }
    write::create(path, page.as_bytes())
        .map_err(|problem| anyhow::anyhow!("--html: `{}` {problem}", path.display()))
}

/// Warnings and notes.
pub(super) fn say(plan: &Plan, looked: &Looked) {
    if plan.verbosity >= Verbosity::Normal {
        let warnings = plan.folders.warnings();
        for warning in warnings.iter().chain(&looked.warnings) {
            report::line(&format!("warning: {warning}"));
        }
        for analysed in &looked.analysed {
            let ran = &analysed.file.settings().codemods;
            for message in report::ignores::useless(&analysed.entry(), ran) {
                report::message(&message);
            }
        }
    }
    if plan.verbosity >= Verbosity::Verbose {
        for note in &looked.notes {
            report::line(note);
        }
    }
    if plan.verbosity >= Verbosity::Debug {
        for Analysed { file, .. } in &looked.analysed {
            let settings = file.settings();
            let names: Vec<&str> = settings
                .codemods
                .iter()
                .map(|codemod| codemod.name)
                .collect();
            report::line(&format!(
                "{}: for Python {} ({}), lines of {} characters, by {}",
                file.path.display(),
                settings.target.version,
                settings.target.origin,
                settings.line_length,
                names.join(", ")
            ));
        }
    }
}

/// Says whether there were any.
fn print_patches(plan: &Plan, analysed: &[Analysed], out: &mut impl Write) -> Result<bool> {
    let changed: Vec<&Analysed> = analysed
        .iter()
        .filter(|file| file.after.is_some())
        .collect();
    let paths: Vec<&Path> = changed
        .iter()
        .map(|analysed| analysed.file.canonical.as_path())
        .collect();
    let names = report::diff::Names::new(&paths)?;
    let mut printed = false;
    for Analysed {
        file,
        source,
        rewritten,
        after,
        ..
    } in changed
    {
        let (Some(text), Some(after)) = (&rewritten.output, after) else {
            continue;
        };
        let Some(name) = names.of(&file.canonical) else {
            let message = "cannot be named in a patch: its name is not Unicode: use --fix";
            report::message(&Failure::new(&file.path, message));
            printed = true;
            continue;
        };
        let patch = report::diff::patch(&name, source, text, after, &rewritten.touched)?;
        printed |= !patch.is_empty();
        report::diff::print(&patch, plan.color, out)?;
    }
    for analysed in analysed {
        if analysed.file.folder.show_withheld || plan.verbosity >= Verbosity::Normal {
            let entry = Entry {
                findings: analysed.rewritten.findings.iter().collect(),
                ..analysed.entry()
            };
            report::text::withheld(&entry);
        }
    }
    if printed && names.absolute && plan.verbosity >= Verbosity::Normal {
        report::line("a file is outside of the current directory: apply with `patch -d / -p1`");
    }
    Ok(printed)
}

/// Writes what the run came to, for the program that started it.
fn write_outcome(path: &Path, plan: &Plan, files: &[File], looked: &Looked) -> Result<()> {
    let found: Vec<Entry> = looked.analysed.iter().map(Analysed::found).collect();
    let faults = looked.analysed.iter().flat_map(Analysed::faults);
    let failures: Vec<Failure> = looked.failures.iter().cloned().chain(faults).collect();
    let written = looked.analysed.iter().filter(|it| it.written);
    let written = written.filter_map(|it| Some((it.file.path.as_path(), it.after.as_deref()?)));
    let mut about = html::About::new(&plan.input, files);
    about.warnings = plan.folders.warnings();
    about.warnings.extend_from_slice(&looked.warnings);
    about.notes.clone_from(&looked.notes);
    let outcome = outcome::Outcome {
        statistics: &statistics(plan, files.len(), looked),
        written: written.collect(),
        verified: looked.beside.verified.as_ref(),
        failures: &failures,
        found: &found,
        about,
    };
    outcome::write(path, outcome)
}

fn print_statistics(
    plan: &Plan,
    checked: usize,
    looked: &Looked,
    out: &mut impl Write,
) -> Result<()> {
    let statistics = statistics(plan, checked, looked);
    if plan.format == OutputFormat::Json {
        statistics.print_json(out)?;
    } else {
        statistics.print(plan.color, out)?;
    }
    Ok(())
}

fn statistics(plan: &Plan, checked: usize, looked: &Looked) -> Statistics {
    let mut statistics = Statistics::new(checked, plan.mode == Mode::Fix);
    for analysed in &looked.analysed {
        let Rewritten {
            findings, applied, ..
        } = &analysed.rewritten;
        let applied: &[Applied] = if analysed.written { applied } else { &[] };
        statistics.count(findings, applied, &analysed.entry());
    }
    for failure in &looked.failures {
        statistics.count_failure(failure);
    }
    statistics
}

fn print_findings(plan: &Plan, looked: &Looked, out: &mut impl Write) -> Result<()> {
    let entries: Vec<Entry> = looked.analysed.iter().map(Analysed::entry).collect();
    let failures = &looked.failures;
    let text = match plan.format {
        OutputFormat::Json => return Ok(report::json::print(&entries, failures, out)?),
        OutputFormat::JsonLines => return Ok(report::json::print_lines(&entries, failures, out)?),
        OutputFormat::Github => return Ok(report::github::print(&entries, failures, out)?),
        OutputFormat::Gitlab => return Ok(report::gitlab::print(&entries, failures, out)?),
        OutputFormat::Sarif => return Ok(report::sarif::print(&entries, failures, out)?),
        OutputFormat::Rdjson => return Ok(report::rdjson::print(&entries, failures, out)?),
        OutputFormat::Rdjsonl => return Ok(report::rdjson::print_lines(&entries, failures, out)?),
        OutputFormat::Junit => return Ok(report::junit::print(&entries, failures, out)?),
        OutputFormat::Grouped => report::text::grouped,
        OutputFormat::Concise => report::text::concise,
        OutputFormat::Full => report::text::full,
    };
    for entry in &entries {
        text(entry, plan.color, out)?;
    }
    // Who reads the file later does not see standard error.
    if plan.output.is_some() {
        for failure in failures {
            writeln!(out, "{failure}")?;
        }
    }
    Ok(())
}
