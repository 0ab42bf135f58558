//! The plan, carried out: walk, look at each file, look again where an import may go, write or
//! print, report.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use edit::LineIndex;
use engine::{Applied, Asking, Fault, Finding, Host, Rewritten, Settings, SyntaxError};
use rayon::prelude::*;

use crate::admission::Filter;
use crate::arguments::OutputFormat;
use crate::baseline::{Baselines, Seen};
use crate::exit::Exit;
use crate::guard::guarded;
use crate::meaning::Meaning;
use crate::plan::{Input, Mode, Plan, Show, Verbosity};
use crate::progress::Progress;
use crate::report::statistics::Statistics;
use crate::report::summary::{self, Beside, Counts, Unchanged};
use crate::report::{self, Entry, Failure, Place, html};
use crate::review::Reviewed;
use crate::show;
use crate::since::Changes;
use crate::source::{NotebookFile, Source, Unreadable};
use crate::stdin;
use crate::usage::{self, Module};
use crate::walk::{File, Walked, walk};
use crate::write::{self, Stamp};

/// Does what the plan says. An error is one of configuration, or of standard output.
pub fn run(plan: &Plan) -> Result<Exit> {
    match plan.show {
        Some(Show::Settings) => return show::settings(plan),
        Some(Show::Files) => return show::files(plan),
        None => {}
    }
    let name = match &plan.input {
        Input::Paths(paths) => {
            let walked = walk(paths, &plan.folders, plan.threads)?;
            return look_decide_and_write(plan, walked, None);
        }
        Input::Stdin(name) => name.as_deref(),
    };
    let (bytes, walked) = stdin::take(name, &plan.folders);
    match walked {
        Ok(walked) => look_decide_and_write(plan, walked, Some(&bytes)),
        Err(error) => {
            if plan.mode == Mode::Fix {
                stdin::give_back(&bytes)?;
            }
            Err(error)
        }
    }
}

/// `input` is what came on standard input, if the text of the only file did.
fn look_decide_and_write(plan: &Plan, walked: Walked, input: Option<&[u8]>) -> Result<Exit> {
    let Walked {
        files,
        failures,
        notes,
    } = walked;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(plan.threads)
        .stack_size(STACK)
        .build()
        .context("no threads can be started")?;
    let changes = match &plan.since {
        Some(revision) => Some(Changes::since(revision, &files)?),
        None => None,
    };
    let roots: &[PathBuf] = match &plan.input {
        Input::Paths(paths) => paths,
        Input::Stdin(_) => &[],
    };
    let named = plan.baseline.as_deref();
    let baselines = pool.install(|| Baselines::read(&files, named, roots, plan.update_baseline))?;
    let meaning = Meaning::new(&files);
    let around = Around {
        meaning: &meaning,
        baselines: &baselines,
        changes: changes.as_ref(),
    };
    let mut looked = pool.install(|| look_at_all(&files, around, plan));
    looked.failures.extend(failures);
    looked.notes.extend(notes);
    pool.install(|| decide(&mut looked, around, plan));
    if plan.mode == Mode::Review {
        return review(plan, &files, &meaning, &pool, looked);
    }
    // A report shows what is found, and an import that may go is part of no finding.
    if plan.mode != Mode::Report || plan.format.has_rewrites() {
        pool.install(|| look_again(&mut looked, &files, around));
    }
    if plan.mode == Mode::Fix {
        pool.install(|| write_all(&mut looked));
        // Before anything else can fail: in a pipe nobody else has the text.
        if let Some(input) = input {
            let fixed = looked.analysed.first().and_then(|it| it.after.as_deref());
            stdin::give_back(fixed.unwrap_or(input))?;
        }
    }
    looked.notes.extend(meaning.notes());
    looked.warnings = meaning.problems();
    looked.warnings.extend(baselines.warnings());
    conclude_baselines(plan, &baselines, &files, &mut looked)?;
    looked.beside.unchanged = changes.map(|changes| Unchanged {
        files: files.len() - changes.count(),
        since: changes.revision,
    });
    conclude(plan, &files, looked)
}

/// Lets a person decide on what was found, and says what is left.
fn review<'a>(
    plan: &Plan,
    files: &'a [File],
    meaning: &Meaning<'a>,
    pool: &rayon::ThreadPool,
    mut looked: Looked<'a>,
) -> Result<Exit> {
    let analysed = std::mem::take(&mut looked.analysed);
    let reviewed = Reviewed::new(plan, files, meaning, pool, analysed)?;
    looked.failures.extend(reviewed.failures.iter().cloned());
    looked.notes.extend(meaning.notes());
    looked.warnings = meaning.problems();
    let mut exit = tell_failures(plan, &mut looked.failures);
    say(plan, &looked);
    reviewed.list_withheld();
    if plan.verbosity >= Verbosity::Normal {
        report::line(&reviewed.summary(files.len(), &looked.failures));
    }
    if reviewed.remaining() > 0 {
        exit = exit.max(Exit::Findings);
    }
    Ok(as_wanted(plan, exit))
}

/// Where findings and patches go.
pub fn output(plan: &Plan) -> Result<BufWriter<Box<dyn Write>>> {
    // Standard output has the text.
    let is_piped = plan.mode == Mode::Fix && matches!(plan.input, Input::Stdin(_));
    let stream: Box<dyn Write> = match &plan.output {
        Some(path) => Box::new(fs_err::File::create(path).context("--output-file")?),
        None if is_piped && plan.show.is_none() => Box::new(io::stderr().lock()),
        None => Box::new(io::stdout().lock()),
    };
    Ok(BufWriter::new(stream))
}

/// What is known beside the files themselves.
#[derive(Clone, Copy)]
struct Around<'m, 'a> {
    meaning: &'m Meaning<'a>,
    baselines: &'m Baselines,
    /// Where only lines that changed count.
    changes: Option<&'m Changes>,
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
    beside: Beside,
}

/// A file in which something was found.
pub struct Analysed<'a> {
    pub file: &'a File,
    /// What the file was when it was read; none where its text came on standard input.
    pub stamp: Option<Stamp>,
    pub source: Source,
    pub rewritten: Rewritten,
    /// The file's bytes after the rewrite.
    pub after: Option<Vec<u8>>,
    /// Whether they were written.
    written: bool,
}

/// What looking at one file gave.
enum Look<'a> {
    Nothing,
    /// The file can be decoded, has so many bytes, and holds no word of a codemod.
    Passed(&'a File, u64),
    Skipped(String),
    Found(Box<Analysed<'a>>),
    Failed(Failure),
}

fn look_at_all<'a>(files: &'a [File], around: Around<'_, 'a>, plan: &Plan) -> Looked<'a> {
    let wanted = plan.verbosity >= Verbosity::Normal && io::stderr().is_terminal();
    let progress = Progress::new(files.len(), wanted);
    let looks: Vec<(Look, Vec<Failure>)> = files
        .par_iter()
        .map_init(Vec::new, |buffer, file| {
            let mut broken = Vec::new();
            let look = look_at(file, around, buffer, &mut broken);
            progress.tick();
            (look, broken)
        })
        .filter(|(look, broken)| !matches!(look, Look::Nothing) || !broken.is_empty())
        .collect();
    progress.finish();
    let mut looked = Looked::default();
    let (mut passed, mut bytes) = (Vec::new(), 0);
    for (look, broken) in looks {
        looked.failures.extend(broken);
        match look {
            Look::Nothing => {}
            Look::Passed(file, length) => {
                passed.push(file);
                bytes += length;
            }
            Look::Skipped(note) => looked.notes.push(note),
            Look::Found(analysed) => looked.analysed.push(*analysed),
            Look::Failed(failure) => looked.failures.push(failure),
        }
    }
    if bytes > PARSED {
        looked.beside.unparsed = passed.len();
    } else {
        let failures = passed.par_iter().map_init(Vec::new, |buffer, file| {
            let failure = check(file, buffer);
            if failure.is_some() {
                around.baselines.lost(file);
            }
            failure
        });
        looked.failures.par_extend(failures.flatten());
    }
    looked
}

/// Files without a word of the codemods are parsed as well, to say which cannot be, if they have
/// no more bytes than this: a third of a second of one core. A report about a larger tree would
/// take half as long again, and says instead how many were not parsed.
const PARSED: u64 = 32 << 20;

/// What keeps a file from being analysed, if there is a reason.
fn check(file: &File, buffer: &mut Vec<u8>) -> Option<Failure> {
    if let Err(error) = file.read_into(buffer) {
        return Some(Failure::io(&file.path, "read", &error));
    }
    if is_generated(buffer) {
        return None;
    }
    let source = match Source::decode(std::mem::take(buffer)) {
        Ok(source) => source,
        Err(Unreadable { message, row }) => {
            return Some(Failure::new(&file.path, message).at_row(row));
        }
    };
    match guarded(|| engine::check(&source.text, &file.settings())) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(refused(file, &source, &error)),
        Err(panic) => Some(Failure::ours(&file.path, &format!("panicked: {panic}"))),
    }
}

/// Reads the file into `buffer`, and goes on only if it can hold a finding, which most cannot, or
/// was named. Cells of a notebook that cannot be parsed are `broken`.
fn look_at<'a>(
    file: &'a File,
    around: Around<'_, 'a>,
    buffer: &mut Vec<u8>,
    broken: &mut Vec<Failure>,
) -> Look<'a> {
    if around
        .changes
        .is_some_and(|changes| changes.of(file).is_none())
    {
        return Look::Nothing;
    }
    if file.settings().codemods.is_empty() {
        return Look::Nothing; // as `per-file-ignores` wants it
    }
    let metadata = match file.read_into(buffer) {
        Ok(metadata) => metadata,
        Err(error) => return Look::Failed(Failure::io(&file.path, "read", &error)),
    };
    // Those that changed are few.
    let is_asked_for = file.is_named || file.is_notebook() || around.changes.is_some();
    if !is_asked_for && !file.folder.prefilter.may_match(buffer) {
        if let Err(Unreadable { message, row }) = Source::check(buffer) {
            return Look::Failed(Failure::new(&file.path, message).at_row(row));
        }
        around.baselines.saw(file, Seen::default());
        return Look::Passed(file, buffer.len() as u64);
    }
    if is_generated(buffer) {
        return Look::Skipped(format!("{}: skipped: it is generated", file.path.display()));
    }
    let source = match decode(file, std::mem::take(buffer)) {
        Ok(Some(source)) => source,
        Ok(None) => {
            let path = file.path.display();
            return Look::Skipped(format!("{path}: skipped: its language is not Python"));
        }
        Err(failure) => return Look::Failed(failure),
    };
    if let Some(NotebookFile { notebook, .. }) = &source.notebook {
        broken.extend(notebook.broken.iter().map(|(number, text, problem)| {
            let position = LineIndex::new(text).position(text, problem.range.start().to_usize());
            let place = Place {
                cell: Some(*number),
                position,
            };
            unparsable(file, &problem.message, place)
        }));
        // The text of the file has escapes, and outputs.
        let prefilter = &file.folder.notebook_prefilter;
        if !prefilter.may_match(source.text.as_bytes()) {
            around.baselines.saw(file, Seen::default());
            return Look::Nothing;
        }
    }
    match analyse(
        file,
        metadata.as_ref().map(Stamp::new),
        source,
        Host {
            asking: Asking::Later(&around.meaning.of(file)),
            ..KEEPING
        },
        around,
    ) {
        Ok(analysed) if analysed.is_empty() => Look::Nothing,
        Ok(analysed) => Look::Found(Box::new(analysed)),
        Err(failure) => Look::Failed(failure),
    }
}

/// The text of a file that was read; none where it is a notebook of another language.
pub fn decode(file: &File, bytes: Vec<u8>) -> Result<Option<Source>, Failure> {
    file.decode(bytes)
        .map_err(|Unreadable { message, row }| Failure::new(&file.path, message).at_row(row))
}

/// Rewrites the files again in which a codemod asked for what lies outside.
fn decide<'a>(looked: &mut Looked<'a>, around: Around<'_, 'a>, plan: &Plan) {
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
            let oracle = around.meaning.of(file);
            let host = Host {
                asking: Asking::Oracle(&oracle),
                ..KEEPING
            };
            let analysed = analyse(file, *stamp, source.clone(), host, around);
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
    stamp: Option<Stamp>,
    source: Source,
    host: Host,
    around: Around,
) -> Result<Analysed<'a>, Failure> {
    let settings = file.settings();
    let changed = around.changes.and_then(|changes| changes.of(file));
    let filter = Filter::new(around.baselines.of(file), changed);
    let host = Host {
        admission: &filter,
        ..host
    };
    around.baselines.lost(file);
    let analysed = analyse_as(&settings, file, stamp, source, host)?;
    let is_whole = |file: &NotebookFile| file.notebook.broken.is_empty();
    if analysed.rewritten.faults.is_empty()
        && analysed.source.notebook.as_ref().is_none_or(is_whole)
    {
        around.baselines.saw(file, filter.into_seen());
    }
    Ok(analysed)
}

/// With settings that are not those of the file.
pub fn analyse_as<'a>(
    settings: &Settings,
    file: &'a File,
    stamp: Option<Stamp>,
    source: Source,
    host: Host,
) -> Result<Analysed<'a>, Failure> {
    let rewritten = match guarded(|| engine::rewrite(&source.text, settings, host)) {
        Ok(Ok(rewritten)) => rewritten,
        Ok(Err(error)) => return Err(refused(file, &source, &error)),
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

/// The parser refused the text of `source`.
fn refused(file: &File, source: &Source, error: &SyntaxError) -> Failure {
    let offset = error.range.start;
    let place = Place::of(source, &source.text, offset);
    let failure = unparsable(file, &error.message, place);
    failure.in_line(source, &source.text, offset)
}

fn unparsable(file: &File, message: &str, place: Place) -> Failure {
    let message = format!("cannot be parsed: {}", write::lowercase_first(message));
    Failure::new(&file.path, message).at(place)
}

/// Rewrites the files again that can lose an import: now that all files are known, it is known
/// whether another one uses it.
fn look_again<'a>(looked: &mut Looked<'a>, files: &'a [File], around: Around<'_, 'a>) {
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
    let used = usage::used(&modules, files, |file, buffer| {
        file.read_into(buffer).is_ok()
    });
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
            let may_remove = |name: &str| unused.contains(name) && !source.may_read(name);
            let oracle = around.meaning.of(file);
            let host = Host {
                asking: Asking::Oracle(&oracle),
                may_remove: &may_remove,
                ..Host::ALONE
            };
            let analysed = analyse(file, *stamp, source.clone(), host, around);
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
pub fn module(analysed: &Analysed, files: &[File]) -> Option<Module> {
    let Analysed {
        file, rewritten, ..
    } = analysed;
    // The imports of a package are its interface.
    if rewritten.unused_imports.is_empty() || file.settings().is_package {
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
    let Some(stamp) = analysed.stamp else {
        analysed.written = true; // to standard output, by whoever has the text
        return Ok(None);
    };
    let path = &analysed.file.path;
    // Decoding is refused where this would not give the file's own bytes.
    let before = analysed
        .source
        .encode(&analysed.source.text)
        .map_err(|error| Failure::new(path, error.message))?;
    let written = write::replace(&analysed.file.canonical, stamp, &before, after)
        .map_err(|message| Failure::unwritten(path, message))?;
    analysed.written = true;
    Ok((written.other_links > 0).then(|| {
        let path = path.display();
        format!("{path}: the file had other names (hard links), which keep the old content")
    }))
}

/// Writes the baselines, if that is wanted. What they hold then is no finding any longer.
fn conclude_baselines(
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
fn conclude(plan: &Plan, files: &[File], mut looked: Looked) -> Result<Exit> {
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
        out.flush()?;
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
fn tell_failures(plan: &Plan, failures: &mut [Failure]) -> Exit {
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

fn as_wanted(plan: &Plan, exit: Exit) -> Exit {
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
        let mut out = io::stdout().lock();
        out.write_all(page.as_bytes())?;
        out.flush()?;
        return Ok(());
    }
    write::create(path, page.as_bytes())
        .map_err(|problem| anyhow::anyhow!("--html: `{}` {problem}", path.display()))
}

/// Warnings and notes.
fn say(plan: &Plan, looked: &Looked) {
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

fn print_statistics(
    plan: &Plan,
    checked: usize,
    looked: &Looked,
    out: &mut impl Write,
) -> Result<()> {
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
    if plan.format == OutputFormat::Json {
        statistics.print_json(out)?;
    } else {
        statistics.print(plan.color, out)?;
    }
    Ok(())
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
    /// The fixes that were dropped because they would have broken the file.
    pub fn faults(&self) -> impl Iterator<Item = Failure> {
        self.rewritten.faults.iter().map(|fault| {
            let Fault { codemod, problem } = fault;
            let whose =
                codemod.map_or_else(String::new, |codemod| format!(" of `{}`", codemod.name));
            let problem = format!("a fix{whose} was dropped: {problem}");
            Failure::ours(&self.file.path, &problem)
        })
    }

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
