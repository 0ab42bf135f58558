//! The parent's side: child processes that are started when somebody asks, and killed when they
//! take too long.

use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::table::is_table;
use crate::wire::{self, Reply, Request};
use crate::{Answer, HAS_INFERENCE, Project, Question};

/// The first argument of a child. The second is its address space in MiB.
pub const ARGUMENT: &str = "__types";

/// What the inference may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the questions about one file.
    pub file: Duration,
    /// For all questions of a run together, counted from the first.
    pub run: Duration,
    /// The address space of each child, in MiB.
    pub memory: u64,
}

/// A file whose questions were not all answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The file.
    pub path: PathBuf,
    /// What happened, in a few words.
    pub what: String,
}

/// The children. Each thread that asks has one for itself while it waits.
#[derive(Debug)]
pub struct Pool {
    /// The program that calls [`crate::serve`] when its arguments are [`ARGUMENT`] and the memory;
    /// none where nobody is to be asked.
    command: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Child>,
    /// When the first question was asked.
    started: Option<Instant>,
    children: usize,
    asked: usize,
    lost: Vec<Lost>,
    problems: Vec<String>,
    /// The files that changed while there were children, in that order.
    changed: Vec<PathBuf>,
    /// How often all that the children have read became worthless.
    era: usize,
}

/// Rather than to tell of more files than these, new children are started.
const MAX_CHANGED: usize = 1000;

/// How often to look whether somebody still waits for an answer.
const GLANCE: Duration = Duration::from_millis(50);

/// A child that nobody waits for is left to come to an end so long: what it has read by then is of
/// use for the next question, and a new one would have to read it again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a child gave no more answers.
enum Broken {
    /// It took too long.
    Late,
    /// Nobody waits for it.
    Outdated,
    /// It ended.
    Ended,
}

impl Pool {
    /// A pool whose children are `program`, called with [`ARGUMENT`] and the memory limit. No child
    /// is started before the first question.
    pub fn new(program: PathBuf) -> Self {
        Self {
            command: HAS_INFERENCE.then_some(program),
            state: Mutex::default(),
        }
    }

    /// The answers to questions about the file at `path`, taken to hold `text`, in their order.
    /// Those that are not had in time are unknown, and so are all once nobody waits for them any
    /// longer, as `is_outdated` says.
    pub fn answer(
        &self,
        project: &Project,
        limits: Limits,
        path: &Path,
        text: &str,
        questions: &[Question],
        is_outdated: &dyn Fn() -> bool,
    ) -> Vec<Answer> {
        let mut answers = vec![Answer::Unknown(None); questions.len()];
        if self.command.is_none() || questions.is_empty() {
            return answers;
        }
        if is_table(text) {
            self.lose(path, "it is a generated table");
            return answers;
        }
        let end = {
            let mut state = self.state();
            state.asked += questions.len();
            let started = *state.started.get_or_insert_with(Instant::now);
            started + limits.run
        };
        let mut request = Request {
            project: project.clone(),
            changed: Vec::new(),
            path: path.to_path_buf(),
            text: text.to_string(),
            questions: questions.to_vec(),
        };
        // What a child has gathered from other files may be too much for this one: a new child
        // gets a second chance.
        for attempt in 0..2 {
            if is_outdated() {
                return answers;
            }
            let now = Instant::now();
            if now >= end {
                self.lose(path, "the time for the whole run was up");
                return answers;
            }
            let (mut child, changed) = match self.child(project, limits.memory) {
                Ok(found) => found,
                Err(error) => {
                    self.lose(path, &format!("no child could be started: {error}"));
                    return answers;
                }
            };
            request.changed = changed;
            let deadline = end.min(now + limits.file);
            match child.ask(&request, deadline, is_outdated, &mut answers) {
                Ok(problem) => {
                    let mut state = self.state();
                    if let Some(problem) = problem
                        && !state.problems.contains(&problem)
                    {
                        state.problems.push(problem);
                    }
                    child.project = Some(project.clone());
                    child.served += 1;
                    if child.era == state.era {
                        state.idle.push(child);
                    }
                    return answers;
                }
                Err(Broken::Outdated) => return answers,
                Err(Broken::Late) => {
                    self.lose(path, "it took too long");
                    return answers;
                }
                Err(Broken::Ended) if child.served > 0 && attempt == 0 => {
                    // Nobody knows whose fault it was.
                    self.state().idle.clear();
                }
                Err(Broken::Ended) => {
                    self.lose(path, "the inference ran out of memory or stack");
                    return answers;
                }
            }
        }
        answers
    }

    /// Counts [`Limits::run`] from the next question on.
    pub fn restart(&self) {
        self.state().started = None;
    }

    /// Files that the children may have read are not what they were, or are new, or gone.
    pub fn changed(&self, files: impl IntoIterator<Item = PathBuf>) {
        let mut state = self.state();
        state.changed.extend(files);
        if state.changed.len() > MAX_CHANGED {
            drop(state);
            self.forget();
        }
    }

    /// Whatever the children have read may be something else now: they end, and others take their
    /// place. What was lost and what was wrong is forgotten.
    pub fn forget(&self) {
        let mut state = self.state();
        let idle = std::mem::take(&mut state.idle);
        state.lost.clear();
        state.problems.clear();
        state.changed.clear();
        state.era += 1;
        drop(state);
        drop(idle); // which waits for their end
    }

    /// The files whose questions were not all answered, so far.
    pub fn lost(&self) -> Vec<Lost> {
        let mut lost = self.state().lost.clone();
        lost.sort_by(|one, other| one.path.cmp(&other.path));
        lost.dedup();
        lost
    }

    /// What could not be set up, in sentences: an environment that is none.
    pub fn problems(&self) -> Vec<String> {
        self.state().problems.clone()
    }

    /// How many children were started, and how many questions were asked.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.children, state.asked)
    }

    fn lose(&self, path: &Path, what: &str) {
        self.state().lost.push(Lost {
            path: path.to_path_buf(),
            what: what.to_string(),
        });
    }

    /// A lock that a panic of another thread does not poison: what is behind it is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A child that knows the project, if one is idle; else any; else a new one. And the files that
    /// changed since it was asked last.
    fn child(&self, project: &Project, memory: u64) -> io::Result<(Child, Vec<PathBuf>)> {
        let mut state = self.state();
        let known = state
            .idle
            .iter()
            .position(|child| child.project.as_ref() == Some(project));
        let known = match known {
            Some(position) => Some(state.idle.swap_remove(position)),
            None => state.idle.pop(),
        };
        let (now, era) = (state.changed.len(), state.era);
        if let Some(mut child) = known {
            let changed = state.changed.get(child.seen..).unwrap_or_default();
            let changed = changed.to_vec();
            child.seen = now;
            return Ok((child, changed));
        }
        state.children += 1;
        drop(state);
        let Some(program) = &self.command else {
            return Err(io::Error::other("there is none"));
        };
        let mut child = Child::start(program, memory)?;
        (child.seen, child.era) = (now, era);
        Ok((child, Vec::new()))
    }
}

/// A child process, and the thread that reads what it says.
#[derive(Debug)]
struct Child {
    process: process::Child,
    input: Option<ChildStdin>,
    replies: Receiver<Reply>,
    /// The project that it has loaded.
    project: Option<Project>,
    /// How many files it has answered for.
    served: usize,
    /// How many of the files that changed it was told of.
    seen: usize,
    /// When it was started: see [`State::era`].
    era: usize,
}

impl Child {
    fn start(program: &Path, memory: u64) -> io::Result<Self> {
        let mut process = Command::new(program)
            .arg(ARGUMENT)
            .arg(memory.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What it has to say it says in its answers; a panic that is caught is none.
            .stderr(Stdio::null())
            .spawn()?;
        let input = process.stdin.take();
        let (sender, replies) = channel();
        if let Some(output) = process.stdout.take() {
            thread::spawn(move || {
                let mut output = BufReader::new(output);
                while let Ok(Some(reply)) = wire::receive::<Reply>(&mut output) {
                    if sender.send(reply).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Self {
            process,
            input,
            replies,
            project: None,
            served: 0,
            seen: 0,
            era: 0,
        })
    }

    /// Fills in the answers as they come; what could not be set up, in the end.
    fn ask(
        &mut self,
        request: &Request,
        deadline: Instant,
        is_outdated: &dyn Fn() -> bool,
        answers: &mut [Answer],
    ) -> Result<Option<String>, Broken> {
        let input = self.input.as_mut().ok_or(Broken::Ended)?;
        // It reads a request whole before it answers, so that neither waits for the other.
        wire::send(request, input).map_err(|_| Broken::Ended)?;
        let patience = Instant::now() + PATIENCE;
        loop {
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            match self.replies.recv_timeout(left.min(GLANCE)) {
                Ok(Reply::Answer(number, answer)) => {
                    if let Some(slot) = answers.get_mut(number) {
                        *slot = answer;
                    }
                }
                Ok(Reply::Done(problem)) => return Ok(problem),
                Err(RecvTimeoutError::Timeout) if now >= deadline => return Err(Broken::Late),
                Err(RecvTimeoutError::Timeout) if now >= patience && is_outdated() => {
                    return Err(Broken::Outdated);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Broken::Ended),
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It has nothing to save. Whether it is gone already does not matter.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
