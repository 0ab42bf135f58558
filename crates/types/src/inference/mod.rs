//! The child's side. The only place that names ty's crates.

mod classify;
mod database;
mod explain;
mod functions;
mod generators;
mod probe;
mod system;
#[cfg(test)]
mod tests;

use std::io::{self, BufReader, Write};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::mpsc::channel;

use ruff_db::files::File;
use ruff_db::source::source_text;
use ruff_python_ast::AnyNodeRef;
use ruff_python_ast::find_node::covering_node;
use ruff_text_size::{Ranged, TextRange, TextSize};
use rustc_hash::FxHashMap;
use salsa::Setter;
use ty_python_semantic::{HasType, ProgramEnvironment, SemanticModel};

use self::database::Database;
use self::probe::Probe;
use crate::wire::{self, Reply, Request};
use crate::{Answer, Ask, Project, Question};

/// Inference recurses as deep as code is nested: a chain of 20,000 calls fits. Pages that are not
/// touched cost nothing but address space.
const STACK: usize = 1 << 30;

/// Answers what comes on standard input until it ends.
pub(crate) fn serve(memory: u64) -> io::Result<()> {
    limit_address_space(memory);
    // Beside the work, so that the end is seen while that goes on: whoever asked may be gone, and
    // inference need not come to an end by itself.
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        let mut input = BufReader::new(io::stdin().lock());
        while let Ok(Some(request)) = wire::receive::<Request>(&mut input) {
            if sender.send(request).is_err() {
                return;
            }
        }
        // Nothing is to be saved.
        std::process::exit(0);
    });
    let work = move || {
        let mut output = io::stdout().lock();
        let mut current: Option<(Project, Database)> = None;
        while let Ok(request) = requests.recv() {
            let problem = answer_request(&mut current, request, &mut output)?;
            wire::send(&Reply::Done(problem), &mut output)?;
        }
        Ok(())
    };
    let thread = std::thread::Builder::new().stack_size(STACK);
    std::thread::scope(|scope| match thread.spawn_scoped(scope, work)?.join() {
        Ok(result) => result,
        Err(_) => Err(io::Error::other("the inference panicked")),
    })
}

/// What takes more than this ends the process, and costs one file's answers.
fn limit_address_space(memory: u64) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let bytes = (memory << 20) + STACK as u64;
        let limit = Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        };
        // Where it cannot be set, the deadlines are left.
        let _ = setrlimit(Resource::As, limit);
    }
    #[cfg(not(unix))]
    let _ = memory;
}

/// Sends the answers, and gives what could not be set up.
fn answer_request(
    current: &mut Option<(Project, Database)>,
    request: Request,
    output: &mut impl Write,
) -> io::Result<Option<String>> {
    let mut problem = None;
    if current
        .as_ref()
        .is_none_or(|(project, _)| *project != request.project)
    {
        // The old one is given back before the new one is made.
        *current = None;
        match Database::new(&request.project) {
            Ok((database, broken)) => {
                problem = broken;
                *current = Some((request.project, database));
            }
            Err(error) => return Ok(Some(error)),
        }
    }
    let Some((_, database)) = current else {
        return Ok(problem);
    };
    for path in &request.changed {
        database.sync(path);
    }
    answer_each(
        database,
        &request.path,
        &request.text,
        &request.questions,
        |number, answer| wire::send(&Reply::Answer(number, answer), output),
    )?;
    Ok(problem)
}

/// Answers questions about the file at `path`, taken to hold `text`, one after the other. What is
/// not answered is unknown.
fn answer_each<E>(
    database: &mut Database,
    path: &Path,
    text: &str,
    questions: &[Question],
    mut take: impl FnMut(usize, Answer) -> Result<(), E>,
) -> Result<(), E> {
    let Some(file) = database.file(path) else {
        return Ok(());
    };
    let probe = Probe::new(text, questions);
    let before = source_text(database, file);
    let is_changed = before.as_str() != probe.text;
    if is_changed {
        let text = before.with_text(probe.text.clone(), &ruff_diagnostics::SourceMap::default());
        file.set_source_text_override(database).to(Some(text));
    }
    let mut answered: FxHashMap<(Ask, TextRange), Answer> = FxHashMap::default();
    for (number, question) in questions.iter().enumerate() {
        let range = probe.range(number);
        let answer = answered
            .entry((question.ask, range))
            .or_insert_with(|| guarded(database, file, question, range));
        take(number, answer.clone())?;
    }
    if is_changed {
        file.set_source_text_override(database).to(None);
    }
    Ok(())
}

/// The answer, or unknown where ty panics.
fn guarded(database: &Database, file: File, question: &Question, range: TextRange) -> Answer {
    let ask = AssertUnwindSafe(|| Inference::new(database, file).answer(question, range));
    ruff_db::panic::catch_unwind(ask).unwrap_or(Answer::Unknown(None))
}

/// What is asked about one file.
pub(super) struct Inference<'db> {
    db: &'db Database,
    model: SemanticModel<'db>,
    env: ProgramEnvironment<'db>,
}

impl<'db> Inference<'db> {
    fn new(db: &'db Database, file: File) -> Self {
        let model = SemanticModel::new(db, db.program().program_file(db, file));
        let env = model.program_environment();
        Self { db, model, env }
    }

    fn answer(&self, question: &Question, range: TextRange) -> Answer {
        let module = ruff_db::parsed::parsed_module(self.db, self.model.python_file());
        let module = module.load(self.db);
        let root = AnyNodeRef::from(module.syntax());
        if !root.range().contains_range(range) {
            return Answer::Unknown(None);
        }
        // An expression that is a statement has that one's range too.
        let covering = covering_node(root, range);
        let Some(expr) = covering
            .ancestors()
            .filter(|node| node.range() == range)
            .find_map(AnyNodeRef::as_expr_ref)
        else {
            return Answer::Unknown(None);
        };
        match question.ask {
            Ask::Value | Ask::Element => self.value(expr),
            Ask::Callee => self.callee(expr),
            Ask::Context => self.context(expr),
            Ask::Closes => self.closes(expr),
        }
    }

    /// The type of an expression of this file, from its own tree.
    fn type_of(
        &self,
        expr: ruff_python_ast::ExprRef<'_>,
    ) -> Option<ty_python_semantic::types::Type<'db>> {
        expr.inferred_type(&self.model)
    }
}

/// A range of bytes, where it fits into a text that ty takes.
fn text_range(range: &std::ops::Range<usize>) -> TextRange {
    let size = |offset: usize| TextSize::new(u32::try_from(offset).unwrap_or(u32::MAX));
    TextRange::new(size(range.start), size(range.end.max(range.start)))
}
