//! What is done beside the loop that reads messages: looks at texts, and answers that need one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use lsp_server::{ErrorCode, RequestId};
use lsp_types::{CodeAction, Position, Uri};
use serde_json::{Value, json};

use crate::actions::{self, Data, Wish};
use crate::analyst::{Analyst, Change, Depth, IsOutdated, Look, Problem, Text};
use crate::client::{Refused, value};
use crate::document::Part;
use crate::position::Places;
use crate::session::Event;
use crate::support::Support;
use crate::{diagnostics, hover};

/// Something to do about one document.
pub struct Job {
    pub uri: Uri,
    /// Which text of the document it is about.
    pub edition: u64,
    /// And what is around it.
    pub generation: u64,
    pub text: Text,
    pub parts: Vec<Part>,
    /// The number of the part that is asked about.
    pub part: usize,
    pub is_notebook: bool,
    /// What is known of that text.
    pub known: Option<Arc<Look>>,
    /// Whether the text has moved on, or the client no longer wants it.
    pub is_outdated: IsOutdated,
    pub task: Task,
}

pub enum Task {
    /// Finds out what is known.
    Look(Depth),
    /// And tells whoever asked.
    Answer(RequestId, Asked),
}

/// What a request asks.
pub enum Asked {
    /// At one of these places.
    Actions {
        at: Vec<lsp_types::Range>,
        only: Option<Vec<String>>,
    },
    /// The edit of an action.
    Resolve(Box<CodeAction>, Change),
    Diagnostics(Depth),
    Hover(Position),
}

/// What became of a job.
pub struct Done {
    pub uri: Uri,
    pub generation: u64,
    /// The number of the part that was asked about.
    pub part: usize,
    /// What is known now, if it was looked for.
    pub look: Option<Result<Arc<Look>, Problem>>,
    pub answer: Option<(RequestId, Result<Value, Refused>)>,
}

/// Threads that do jobs in their order.
pub struct Lane {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: Mutex<VecDeque<Job>>,
    more: Condvar,
    ended: AtomicBool,
}

/// The parser and the visitors recurse as deep as the code is nested. Pages that are not touched
/// cost nothing.
const STACK: usize = 64 << 20;

impl Lane {
    /// Starts the threads.
    pub fn new(
        threads: usize,
        analyst: &Arc<dyn Analyst>,
        support: &Arc<Support>,
        events: &Sender<Event>,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        for _ in 0..threads {
            let worker = Worker {
                analyst: Arc::clone(analyst),
                support: Arc::clone(support),
            };
            let (queue, events) = (Arc::clone(&queue), events.clone());
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn(move || {
                while let Some(job) = queue.take() {
                    if events.send(Event::Done(worker.run(&job))).is_err() {
                        break;
                    }
                }
            })?;
        }
        Ok(Self { queue })
    }

    /// Whoever waits for an answer comes before looks that nobody asked for.
    pub fn push(&self, job: Job) {
        let mut jobs = self.queue.jobs();
        let at = match job.task {
            Task::Look(_) => jobs.len(),
            Task::Answer(..) => jobs.partition_point(|it| matches!(it.task, Task::Answer(..))),
        };
        jobs.insert(at, job);
        drop(jobs);
        self.queue.more.notify_one();
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.queue.ended.store(true, Ordering::SeqCst);
        self.queue.jobs().clear();
        self.queue.more.notify_all();
    }
}

impl Queue {
    /// The next job; none at the end.
    fn take(&self) -> Option<Job> {
        let mut jobs = self.jobs();
        loop {
            if self.ended.load(Ordering::SeqCst) {
                return None;
            }
            if let Some(job) = jobs.pop_front() {
                return Some(job);
            }
            jobs = self.more.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A lock that a panic of another thread does not poison: what is behind it is whole.
    fn jobs(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Worker {
    analyst: Arc<dyn Analyst>,
    support: Arc<Support>,
}

impl Worker {
    fn run(&self, job: &Job) -> Done {
        let mut done = Done {
            uri: job.uri.clone(),
            generation: job.generation,
            part: job.part,
            look: None,
            answer: None,
        };
        match &job.task {
            _ if (job.is_outdated)() => {}
            Task::Look(depth) => done.look = Some(self.look(job, *depth)),
            Task::Answer(id, asked) => {
                let answer = self.answer(job, asked, &mut done.look);
                done.answer = Some((id.clone(), answer));
            }
        }
        done
    }

    fn look(&self, job: &Job, depth: Depth) -> Result<Arc<Look>, Problem> {
        let look = self.analyst.look(&job.text, depth, &job.is_outdated);
        look.map(Arc::new)
    }

    /// What is known, or is found now and put into `found`.
    fn known(
        &self,
        job: &Job,
        depth: Depth,
        found: &mut Option<Result<Arc<Look>, Problem>>,
    ) -> Result<Arc<Look>, Refused> {
        let look = match &job.known {
            Some(known) if known.is_final || depth == Depth::Quick => return Ok(Arc::clone(known)),
            _ => self.look(job, depth),
        };
        *found = Some(look.clone());
        match look {
            Ok(look) => Ok(look),
            // What cannot be parsed has no findings.
            Err(Problem::Unreadable(_) | Problem::Configuration(_)) => Ok(Arc::new(Look {
                is_final: true,
                ..Look::default()
            })),
            Err(problem @ Problem::Ours(_)) => Err(refused(problem)),
        }
    }

    fn answer(
        &self,
        job: &Job,
        asked: &Asked,
        found: &mut Option<Result<Arc<Look>, Problem>>,
    ) -> Result<Value, Refused> {
        let analyst = &*self.analyst;
        let part = job.part;
        let content = job.parts.get(part).map_or("", |part| &part.text);
        let places = || Places::new(content, self.support.encoding);
        match asked {
            Asked::Diagnostics(depth) => {
                let look = self.known(job, *depth, found)?;
                let items = diagnostics::all(analyst, &look, part, &places());
                Ok(json!({ "kind": "full", "items": items }))
            }
            Asked::Hover(position) => {
                let look = self.known(job, Depth::Quick, found)?;
                let markdown = self.support.markdown;
                let hover = hover::at(analyst, &look, part, &places(), *position, markdown);
                Ok(value(hover))
            }
            Asked::Actions { at, only } => {
                let look = self.known(job, Depth::Whole, found)?;
                let places = places();
                let at: Vec<_> = at.iter().map(|it| places.bytes(*it)).collect();
                let wish = Wish {
                    part,
                    is_cell: job.is_notebook,
                    at: &at,
                    only: only.as_deref(),
                };
                let offers = actions::offers(analyst, &look, &places, &wish, &self.support);
                let mut actions = Vec::new();
                for actions::Offer { mut action, change } in offers {
                    if self.support.resolves_edits {
                        action.data = Some(value(Data {
                            uri: job.uri.0.clone(),
                            edition: job.edition,
                            change,
                        }));
                    } else {
                        match self.edit(job, &change) {
                            Ok(edit) => action.edit = Some(edit),
                            Err(_) => continue, // it would do nothing
                        }
                    }
                    actions.push(action);
                }
                Ok(value(actions))
            }
            Asked::Resolve(action, change) => Ok(value(CodeAction {
                edit: Some(self.edit(job, change)?),
                ..CodeAction::clone(action)
            })),
        }
    }

    fn edit(&self, job: &Job, change: &Change) -> Result<lsp_types::WorkspaceEdit, Refused> {
        let changed = self.analyst.change(&job.text, change, &job.is_outdated);
        let changed = changed.map_err(refused)?;
        if changed.is_empty() {
            return Err(Refused::new(
                ErrorCode::RequestFailed,
                "nothing would change: the finding is not there any longer",
            ));
        }
        let edit = actions::workspace_edit(&job.parts, &changed, &self.support);
        Ok(edit)
    }
}

fn refused(problem: Problem) -> Refused {
    match problem {
        Problem::Unreadable(message) | Problem::Configuration(message) => {
            Refused::new(ErrorCode::RequestFailed, message)
        }
        Problem::Ours(message) => Refused::new(ErrorCode::InternalError, message),
    }
}
