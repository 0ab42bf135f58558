//! The plan, carried out: walk, look at each file, look again where an import may go, write or
//! print, report.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use engine::{Asking, Fault, Finding, Host, Rewritten};
use rayon::prelude::*;

use crate::arguments::OutputFormat;
use crate::exit::Exit;
use crate::guard::guarded;
use crate::meaning::Meaning;
use crate::plan::{Mode, Plan, Verbosity};
use crate::progress::Progress;
use crate::report::summary::{self, Counts};
use crate::report::{self, Entry, Failure};
use crate::source::{Source, Unreadable, read_into};
use crate::usage::{self, Module};
use crate::walk::{File, Walked, walk};
use crate::write::{self, Stamp};

/// Does what the plan says. An error is one of configuration, or of standard output.
pub fn run(plan: &Plan) -> Result<Exit> {
    let Walked { files, failures } = walk(&plan.paths, &plan.folders, plan.threads)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(plan.threads)
        .stack_size(STACK)
        .build()
        .context("no threads can be started")?;
    let meaning = Meaning::new(&files);
    let mut looked = pool.install(|| look_at_all(&files, &meaning, plan));
    looked.failures.extend(failures);
    pool.install(|| decide(&mut looked, &meaning, plan));
    // An import that may go is part of no finding.
    if plan.mode != Mode::Report || plan.format.has_rewrites() {
        pool.install(|| look_again(&mut looked, &files, &meaning));
    }
    if plan.mode == Mode::Fix {
        pool.install(|| write_all(&mut looked));
    }
    looked.notes.extend(meaning.notes());
    looked.warnings = meaning.problems();
    conclude(plan, files.len(), looked)
}

/// The parser and the visitors recurse as deep as the code is nested. Pages that are not touched
/// cost nothing.
const STACK: usize = 64 << 20;

/// What looking at the files gave, by path.
#[derive(Default)]
struct Looked<'a> {
    /// Only those in which something was found.
    analysed: Vec<Analysed<'a>>,
    failures: Vec<Failure>,
    notes: Vec<String>,
    warnings: Vec<String>,
}

/// A file in which something was found.
struct Analysed<'a> {
    file: &'a File,
    /// What the file was when it was read.
    stamp: Stamp,
    source: Source,
    rewritten: Rewritten,
    /// The file's bytes after the rewrite.
    after: Option<Vec<u8>>,
    /// Whether they were written.
    written: bool,
}

/// What looking at one file gave.
enum Look<'a> {
    Nothing,
    Skipped(String),
    Found(Box<Analysed<'a>>),
    Failed(Failure),
}

fn look_at_all<'a>(files: &'a [File], meaning: &Meaning<'a>, plan: &Plan) -> Looked<'a> {
    let wanted = plan.verbosity >= Verbosity::Normal && io::stderr().is_terminal();
    let progress = Progress::new(files.len(), wanted);
    let looks: Vec<Look> = files
        .par_iter()
        .map_init(Vec::new, |buffer, file| {
            let look = look_at(file, meaning, buffer);
            progress.tick();
            look
        })
        .filter(|look| !matches!(look, Look::Nothing))
        .collect();
    progress.finish();
    let mut looked = Looked::default();
    for look in looks {
        match look {
            Look::Nothing => {}
            Look::Skipped(note) => looked.notes.push(note),
            Look::Found(analysed) => looked.analysed.push(*analysed),
            Look::Failed(failure) => looked.failures.push(failure),
        }
    }
    looked
}

/// Reads the file into `buffer`, and goes on only if it can hold a finding: most do not.
fn look_at<'a>(file: &'a File, meaning: &Meaning<'a>, buffer: &mut Vec<u8>) -> Look<'a> {
    let metadata = match read_into(&file.path, buffer) {
        Ok(metadata) => metadata,
        Err(error) => return Look::Failed(Failure::io(&file.path, "read", &error)),
    };
    if !file.folder.prefilter.may_match(buffer) {
        return Look::Nothing;
    }
    if is_generated(buffer) {
        return Look::Skipped(format!("{}: skipped: it is generated", file.path.display()));
    }
    let source = match Source::decode(std::mem::take(buffer)) {
        Ok(source) => source,
        Err(Unreadable { message, row }) => {
            return Look::Failed(Failure::new(&file.path, message).at_row(row));
        }
    };
    match analyse(
        file,
        Stamp::new(&metadata),
        source,
        Host {
            asking: Asking::Later(&meaning.of(file)),
            ..KEEPING
        },
    ) {
        Ok(analysed) if analysed.is_empty() => Look::Nothing,
        Ok(analysed) => Look::Found(Box::new(analysed)),
        Err(failure) => Look::Failed(failure),
    }
}

/// Rewrites the files again in which a codemod asked for what lies outside.
fn decide<'a>(looked: &mut Looked<'a>, meaning: &Meaning<'a>, plan: &Plan) {
    let undecided: Vec<usize> = looked
        .analysed
        .iter()
        .enumerate()
        .filter(|(_, analysed)| analysed.rewritten.undecided)
        .map(|(index, _)| index)
        .collect();
    if undecided.is_empty() {
        return;
    }
    let wanted = plan.verbosity >= Verbosity::Normal && io::stderr().is_terminal();
    let progress = Progress::new(undecided.len(), wanted);
    let again: Vec<(usize, Result<Analysed, Failure>)> = undecided
        .into_par_iter()
        .with_max_len(1)
        .map(|index| {
            let Analysed {
                file,
                stamp,
                source,
                ..
            } = &looked.analysed[index];
            let oracle = meaning.of(file);
            let host = Host {
                asking: Asking::Oracle(&oracle),
                ..KEEPING
            };
            let analysed = analyse(file, *stamp, source.clone(), host);
            progress.tick();
            (index, analysed)
        })
        .collect();
    progress.finish();
    put_back(looked, again);
    looked.analysed.retain(|analysed| !analysed.is_empty());
}

/// Before all files have been read nobody knows which imports can go.
const KEEPING: Host<'static> = Host {
    may_remove: &|_| false,
    ..Host::ALONE
};

fn analyse<'a>(
    file: &'a File,
    stamp: Stamp,
    source: Source,
    host: Host,
) -> Result<Analysed<'a>, Failure> {
    let settings = file.folder.settings(&file.canonical);
    let rewritten = match guarded(|| engine::rewrite(&source.text, &settings, host)) {
        Ok(Ok(rewritten)) => rewritten,
        Ok(Err(error)) => {
            let message = format!(
                "cannot be parsed: {}",
                write::lowercase_first(&error.message)
            );
            let failure = Failure::new(&file.path, message);
            return Err(failure.at(&source, &source.text, error.range.start));
        }
        Err(panic) => return Err(Failure::ours(&file.path, &format!("panicked: {panic}"))),
    };
    let after = rewritten
        .output
        .as_deref()
        .map(|text| source.encode(text))
        .transpose()
        .map_err(|error| Failure::new(&file.path, error.message).at_row(error.row))?;
    Ok(Analysed {
        file,
        stamp,
        source,
        rewritten,
        after,
        written: false,
    })
}

/// Rewrites the files again that can lose an import: now that all files are known, it is known
/// whether another one uses it.
fn look_again<'a>(looked: &mut Looked<'a>, files: &'a [File], meaning: &Meaning<'a>) {
    let pending: Vec<(usize, Module)> = looked
        .analysed
        .iter()
        .enumerate()
        .filter_map(|(index, analysed)| Some((index, module(analysed, files)?)))
        .collect();
    if pending.is_empty() {
        return;
    }
    let (indexes, modules): (Vec<usize>, Vec<Module>) = pending.into_iter().unzip();
    let paths: Vec<&Path> = files.iter().map(|file| file.path.as_path()).collect();
    let used = usage::used(&modules, &paths);
    let again: Vec<(usize, Result<Analysed, Failure>)> = (indexes, modules, used)
        .into_par_iter()
        .filter_map(|(index, module, used)| {
            let unused: HashSet<String> = module
                .names
                .into_iter()
                .filter(|name| !used.contains(name))
                .collect();
            if unused.is_empty() {
                return None;
            }
            let Analysed {
                file,
                stamp,
                source,
                ..
            } = &looked.analysed[index];
            let may_remove = |name: &str| unused.contains(name);
            let oracle = meaning.of(file);
            let host = Host {
                asking: Asking::Oracle(&oracle),
                may_remove: &may_remove,
                ..Host::ALONE
            };
            let analysed = analyse(file, *stamp, source.clone(), host);
            Some((index, analysed))
        })
        .collect();
    put_back(looked, again);
}

/// Takes what looking again at files gave in the place of what was there.
fn put_back<'a>(looked: &mut Looked<'a>, again: Vec<(usize, Result<Analysed<'a>, Failure>)>) {
    let mut failed = HashSet::new();
    for (index, result) in again {
        match result {
            Ok(analysed) => looked.analysed[index] = analysed,
            Err(failure) => {
                failed.insert(index);
                looked.failures.push(failure);
            }
        }
    }
    let mut index = 0;
    looked.analysed.retain(|_| {
        index += 1;
        !failed.contains(&(index - 1))
    });
}

/// The module as the search for uses wants it; none where no import is to go.
fn module(analysed: &Analysed, files: &[File]) -> Option<Module> {
    let Analysed {
        file, rewritten, ..
    } = analysed;
    // The imports of a package are its interface.
    if rewritten.unused_imports.is_empty() || file.folder.settings(&file.canonical).is_package {
        return None;
    }
    let position = files
        .binary_search_by(|other| other.path.cmp(&file.path))
        .ok()?;
    let stem = file.canonical.file_stem()?.to_string_lossy().into_owned();
    let names: BTreeSet<String> = rewritten
        .unused_imports
        .iter()
        .map(|import| import.name.clone())
        .collect();
    Some(Module {
        file: position,
        stem,
        names,
    })
}

fn write_all(looked: &mut Looked) {
    let results: Vec<Result<Option<String>, Failure>> =
        looked.analysed.par_iter_mut().map(write_one).collect();
    for result in results {
        match result {
            Ok(note) => looked.notes.extend(note),
            Err(failure) => looked.failures.push(failure),
        }
    }
}

fn write_one(analysed: &mut Analysed) -> Result<Option<String>, Failure> {
    let Some(after) = &analysed.after else {
        return Ok(None);
    };
    let path = &analysed.file.path;
    // Decoding is refused where this would not give the file's own bytes.
    let before = analysed
        .source
        .encode(&analysed.source.text)
        .map_err(|error| Failure::new(path, error.message))?;
    let written = write::replace(&analysed.file.canonical, analysed.stamp, &before, after)
        .map_err(|message| Failure::unwritten(path, message))?;
    analysed.written = true;
    Ok((written.other_links > 0).then(|| {
        let path = path.display();
        format!("{path}: the file had other names (hard links), which keep the old content")
    }))
}

/// Prints what is to be said, and decides on the exit status.
fn conclude(plan: &Plan, checked: usize, mut looked: Looked) -> Result<Exit> {
    let mut exit = Exit::Success;
    let mut counts = Counts::new(checked);
    looked
        .failures
        .sort_by(|one, other| one.path.cmp(&other.path));
    for failure in &looked.failures {
        exit = exit.max(if failure.ours {
            Exit::Failure
        } else {
            Exit::Findings
        });
        counts.count_failure(failure);
        if plan.verbosity >= Verbosity::Quiet || failure.ours {
            report::message(failure);
        }
    }
    for analysed in &looked.analysed {
        for Fault { codemod, problem } in &analysed.rewritten.faults {
            let whose =
                codemod.map_or_else(String::new, |codemod| format!(" of `{}`", codemod.name));
            let problem = format!("a fix{whose} was dropped: {problem}");
            report::message(&Failure::ours(&analysed.file.path, &problem));
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

    let stream: Box<dyn Write> = match &plan.output {
        Some(path) => Box::new(fs_err::File::create(path).context("--output-file")?),
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::new(stream);
    let mut printed = false;
    match plan.mode {
        Mode::Diff => printed = print_patches(plan, &looked.analysed, &mut out)?,
        Mode::Report | Mode::Fix => print_findings(plan, &looked, &mut out)?,
    }
    out.flush()?;
    if plan.verbosity >= Verbosity::Normal {
        let all_listed = plan.format.is_for_programs();
        report::line(&summary::sentence(plan.mode, &counts, all_listed));
    }
    if printed || counts.remaining() > 0 {
        exit = exit.max(Exit::Findings);
    }
    Ok(match exit {
        Exit::Findings if plan.exit_zero => Exit::Success,
        exit => exit,
    })
}

/// Warnings and notes.
fn say(plan: &Plan, looked: &Looked) {
    if plan.verbosity >= Verbosity::Normal {
        let warnings = plan.folders.warnings();
        for warning in warnings.iter().chain(&looked.warnings) {
            report::line(&format!("warning: {warning}"));
        }
        for analysed in &looked.analysed {
            let ran = &analysed.file.folder.module.codemods;
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
            let settings = file.folder.settings(&file.canonical);
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

impl Analysed<'_> {
    /// What is left to be reported, and the text that its places are in.
    fn entry(&self) -> Entry<'_> {
        let rewritten = &self.rewritten;
        let output = rewritten.output.as_deref();
        let (text, findings, suppressions): (&str, &[Finding], _) = match output {
            Some(output) if self.written => (
                output,
                &rewritten.remaining,
                &rewritten.remaining_suppressions,
            ),
            _ => (
                &self.source.text,
                &rewritten.findings,
                &rewritten.suppressions,
            ),
        };
        Entry {
            path: &self.file.path,
            canonical: &self.file.canonical,
            source: &self.source,
            text,
            rewritten: output.filter(|_| !self.written),
            faults: &rewritten.faults,
            findings: findings.iter().collect(),
            suppressions,
            apply: self.settings_apply(),
            show_withheld: self.file.folder.show_withheld,
        }
    }

    /// Whether there is nothing to say of it.
    fn is_empty(&self) -> bool {
        let Rewritten {
            findings,
            faults,
            undecided,
            suppressions,
            ..
        } = &self.rewritten;
        findings.is_empty() && faults.is_empty() && suppressions.is_empty() && !undecided
    }

    fn settings_apply(&self) -> edit::Applicability {
        self.file.folder.module.apply
    }
}

/// Whether a comment in the first lines says that the file is written by a program: what is
/// changed in it is lost the next time.
fn is_generated(bytes: &[u8]) -> bool {
    let has = |line: &[u8], words: &[u8]| line.windows(words.len()).any(|window| window == words);
    bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .take(10)
        .filter(|line| line.trim_ascii_start().starts_with(b"#"))
        .any(|line| {
            has(line, b"@generated") || has(line, b"Code generated") && has(line, b"DO NOT EDIT")
        })
}

#[cfg(test)]
mod tests {
    use super::is_generated;

    #[test]
    fn generated_files_say_so_in_a_comment_at_the_top() {
        for text in [
            "# @generated by protoc\n",
            "#!/usr/bin/python\n\n# Code generated by x. DO NOT EDIT.\n",
            "\"\"\"doc\"\"\"\r\n  # @generated\r\n",
        ] {
            assert!(is_generated(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "x = '@generated'\n",
            "# Code generated by hand\n",
            "\n\n\n\n\n\n\n\n\n\n\n# @generated\n",
        ] {
            assert!(!is_generated(text.as_bytes()), "{text}");
        }
    }
}
