//! The plan, carried out: walk, look at each file, look again where more is to be known, write or
//! print, report.

mod again;
mod analysed;
mod conclude;
mod look;
mod one;
mod unparsed;

use std::path::PathBuf;

use anyhow::{Context, Result};
use engine::Host;
use rayon::prelude::*;

use crate::admission::{Filter, Withheld};
use crate::baseline::Baselines;
use crate::exit::Exit;
use crate::meaning::Meaning;
use crate::plan::{Input, Mode, Plan, Show, Verbosity};
use crate::report::summary::{Beside, Unchanged};
use crate::report::{self, Entry, Failure};
use crate::review::Reviewed;
use crate::show;
use crate::since::Changes;
use crate::source::{NotebookFile, Source};
use crate::stdin;
use crate::suggest::{self, PullRequest};
use crate::verify::{self, Rewriting, Verified};
use crate::walk::{File, Files, Walked, walk};
use crate::write::{self, Stamp};

use again::{decide, look_again};
use conclude::{as_wanted, conclude, conclude_baselines, say, tell_failures};
use look::look_at_all;

pub use again::module;
pub use analysed::{Analysed, analyse_as};
pub use conclude::output;
pub use look::{decode, is_generated};
pub use one::{One, look_at_one};

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
fn look_decide_and_write(plan: &Plan, mut walked: Walked, input: Option<&[u8]>) -> Result<Exit> {
    let count = walked.files.len();
    if let Some(project) = &plan.project {
        let project = std::slice::from_ref(project);
        walked.know(walk(project, &plan.folders, plan.threads)?);
    }
    let Walked {
        files: known,
        failures,
        notes,
    } = walked;
    let known = known.as_slice();
    let files = &known[..count];
    let all = Files {
        looked_at: files,
        known,
    };
    // What a run left that was killed, before it is read.
    let journal = verify::begin(plan)?;
    let pool = threads(plan.threads)?;
    let pull_request = match &plan.proposal {
        Some(proposal) => Some(PullRequest::new(proposal)?),
        None => None,
    };
    let changes = match (&pull_request, &plan.since) {
        (Some(pull_request), _) => pull_request.changes(files)?,
        (None, Some(revision)) => Some(Changes::since(revision, files)?),
        (None, None) => None,
    };
    let roots: &[PathBuf] = match &plan.input {
        Input::Paths(paths) => paths,
        Input::Stdin(_) => &[],
    };
    let named = plan.baseline.as_deref();
    let baselines = pool.install(|| Baselines::read(files, named, roots, plan.update_baseline))?;
    let meaning = Meaning::new(known);
    let around = Around {
        meaning: &meaning,
        baselines: &baselines,
        changes: changes.as_ref(),
    };
    let mut looked = pool.install(|| look_at_all(files, around, plan));
    looked.failures.extend(failures);
    looked.notes.extend(notes);
    pool.install(|| decide(&mut looked, around, plan));
    if plan.mode == Mode::Review {
        return review(plan, all, around, &pool, looked);
    }
    if let Some(pull_request) = &pull_request {
        return propose(plan, pull_request, all, around, &pool, looked);
    }
    // An import that may go is part of no finding.
    if plan.has_rewrites() {
        pool.install(|| look_again(&mut looked, all, around));
    }
    if let Some(journal) = journal {
        let rewriting = Rewriting::new(all, around, &pool);
        let analysed = std::mem::take(&mut looked.analysed);
        let verified = verify::verify(plan, journal, rewriting, analysed);
        if let (Err(error), Some(path)) = (&verified, &plan.outcome)
            && let Some(stopped) = error.downcast_ref()
        {
            report::outcome::write_stopped(path, stopped)?;
        }
        match verified? {
            Verified::Interrupted => return Ok(Exit::Interrupted),
            Verified::Done(done) => looked.take(done),
        }
    } else if plan.mode == Mode::Fix {
        pool.install(|| write_all(&mut looked));
        // Before anything else can fail: in a pipe nobody else has the text.
        if let Some(input) = input {
            let fixed = looked.analysed.first().and_then(|it| it.after.as_deref());
            stdin::give_back(fixed.unwrap_or(input))?;
        }
    }
    looked.hear(around);
    conclude_baselines(plan, &baselines, files, &mut looked)?;
    looked.beside.unchanged = changes.map(|changes| Unchanged {
        files: files.len() - changes.count(),
        since: changes.revision,
    });
    conclude(plan, files, looked)
}

/// Lets a person decide on what was found, and says what is left.
fn review<'a>(
    plan: &Plan,
    files: Files<'a>,
    around: Around<'_, 'a>,
    pool: &rayon::ThreadPool,
    mut looked: Looked<'a>,
) -> Result<Exit> {
    let analysed = std::mem::take(&mut looked.analysed);
    let reviewed = Reviewed::new(plan, files, around, pool, analysed)?;
    looked.failures.extend(reviewed.failures.iter().cloned());
    looked.hear(around);
    let mut exit = tell_failures(plan, &mut looked.failures);
    say(plan, &looked);
    reviewed.list_withheld();
    if plan.verbosity >= Verbosity::Normal {
        report::line(&reviewed.summary(files.looked_at.len(), &looked.failures));
    }
    if reviewed.remaining() > 0 {
        exit = exit.max(Exit::Findings);
    }
    Ok(as_wanted(plan, exit))
}

/// Proposes what was found on a pull request.
fn propose<'a>(
    plan: &Plan,
    pull_request: &PullRequest,
    files: Files<'a>,
    around: Around<'_, 'a>,
    pool: &rayon::ThreadPool,
    mut looked: Looked<'a>,
) -> Result<Exit> {
    let rewriting = Rewriting::new(files, around, pool);
    let analysed = std::mem::take(&mut looked.analysed);
    let (proposed, analysed, failures) = suggest::files(pull_request, analysed, &rewriting);
    looked.analysed = analysed;
    looked.failures.extend(failures);
    looked
        .failures
        .extend(looked.analysed.iter().flat_map(Analysed::faults));
    looked.hear(around);
    let exit = tell_failures(plan, &mut looked.failures);
    say(plan, &looked);
    let entries: Vec<Entry> = looked.analysed.iter().map(Analysed::entry).collect();
    let said = suggest::propose(plan, pull_request, &proposed, &entries, &looked.failures)?;
    Ok(as_wanted(plan, exit.max(said)))
}

/// What is known beside the files themselves.
#[derive(Clone, Copy)]
pub struct Around<'m, 'a> {
    pub meaning: &'m Meaning<'a>,
    pub baselines: &'m Baselines,
    /// Where only lines that changed count.
    pub changes: Option<&'m Changes>,
}

impl<'m> Around<'m, '_> {
    /// Which findings of a file count, as it was when the run began.
    pub fn filter(&self, file: &File) -> Filter<'m> {
        let changed = self.changes.and_then(|changes| changes.of(file));
        Filter::new(self.baselines.of(file), changed)
    }
}

/// So many threads on which files can be looked at. The error is one of the system.
pub fn threads(count: usize) -> Result<rayon::ThreadPool> {
    /// The parser and the visitors recurse as deep as the code is nested. Pages that are not
    /// touched cost nothing.
    const STACK: usize = 64 << 20;
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .stack_size(STACK)
        .build()
        .context("no threads can be started")
}

/// What looking at the files gave, by path.
#[derive(Default)]
struct Looked<'a> {
    /// Only those in which something was found.
    analysed: Vec<Analysed<'a>>,
    /// Those in which a codemod asks for what lies outside of the module.
    asking: Vec<&'a File>,
    failures: Vec<Failure>,
    notes: Vec<String>,
    warnings: Vec<String>,
    beside: Beside,
}

impl<'a> Looked<'a> {
    /// Takes in what whoever was asked has to say of it.
    fn hear(&mut self, around: Around<'_, 'a>) {
        self.notes.extend(around.meaning.notes());
        self.warnings = around.meaning.problems();
        self.warnings.extend(around.baselines.warnings());
    }

    /// Takes in what became of the files that were verified.
    fn take(&mut self, done: verify::Done<'a>) {
        self.analysed = done.analysed;
        self.failures.extend(done.failures);
        self.notes.extend(done.notes);
        self.beside.verified = done.summary;
    }
}

fn analyse<'a>(
    file: &'a File,
    stamp: Option<Stamp>,
    source: Source,
    host: Host,
    around: Around,
) -> Result<Analysed<'a>, Failure> {
    analyse_without(&[], file, stamp, source, host, around)
}

/// Without the fixes that are to be withheld.
pub fn analyse_without<'a>(
    withheld: &[Withheld],
    file: &'a File,
    stamp: Option<Stamp>,
    source: Source,
    host: Host,
    around: Around,
) -> Result<Analysed<'a>, Failure> {
    let settings = file.settings();
    let filter = around.filter(file).withholding(withheld);
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

fn write_all(looked: &mut Looked) {
    let results: Vec<Result<Option<String>, Failure>> =
        looked.analysed.par_iter_mut().map(write_one).collect();
    for result in results {
        match result {
            Ok(note) => looked.notes.extend(note),
            Err(failure) => looked.failures.push(failure),
        }
    }
    // Their lines are those of the file as it is now.
    for Analysed {
        file,
        source,
        rewritten,
        written,
        ..
    } in &looked.analysed
    {
        let Some(text) = rewritten.output.as_deref().filter(|_| *written) else {
            continue;
        };
        let cells = unparsed::cells(file, source, text);
        if !cells.is_empty() {
            let is_of_cell = |it: &Failure| it.cell.is_some() && it.path == file.path;
            looked.failures.retain(|failure| !is_of_cell(failure));
            looked.failures.extend(cells);
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
    Ok((written.other_links > 0).then(|| write::linked(path)))
}
