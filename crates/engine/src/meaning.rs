//! What lies outside of the module: types, and who calls a function.
//!
//! A codemod asks when it needs to know, and gets what is known. What is not known yet is noted,
//! and the text is gone over again when all that was noted has been answered: so the questions
//! about a file go out together, and a codemod stays a plain function.

use std::cell::RefCell;
use std::path::PathBuf;

use python::Catcher;
use rustc_hash::FxHashMap;
use types::{Answer, Question};

use crate::elsewhere::Elsewhere;
use crate::rewrite::Taken;

/// Whoever knows the other files. It answers for one file.
pub trait Oracle: Elsewhere {
    /// The answers to `questions` about `text`, which the file is taken to hold, in their order.
    fn types(&self, text: &str, questions: &[Question]) -> Vec<Answer>;

    /// For each of these functions of the file (`Client.fetch`, as
    /// [`python::Module::path_of`] names them) the calls of it in the files of the run, and the
    /// calls of the functions around those.
    fn callers(&self, functions: &[String]) -> Vec<Vec<Caller>>;

    /// For each of these words whether it stands in a file of the same project that is in the run.
    fn mentions(&self, words: &[String]) -> Vec<bool>;

    /// For each of these methods (`emitter.Emitter.send`), whether a class of the same project in
    /// the run that derives from its class has something else than a coroutine function in its place.
    fn overridden(&self, methods: &[String]) -> Vec<bool>;
}

/// Whom to ask.
#[derive(Clone, Copy)]
pub enum Asking<'a> {
    /// Nobody: what the module does not show stays unknown.
    Nobody,
    /// Whoever knows the other modules. Of the rest nobody yet: where that is asked for, the file
    /// is undecided, and will be rewritten again.
    Later(&'a dyn Elsewhere),
    /// This.
    Oracle(&'a dyn Oracle),
}

/// A place that an exception of a function passes on its way out, since the function is called
/// there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The file, as it is shown.
    pub file: PathBuf,
    /// The line of the call, from 1.
    pub row: usize,
    /// What is around the call, up to the end of the function that it stands in, from the inside
    /// out.
    pub catchers: Vec<Catcher>,
}

/// What has been asked about one text, and what has been answered.
pub(crate) struct Meaning<'o> {
    elsewhere: Option<&'o dyn Elsewhere>,
    /// Whether another file takes a name from this module.
    pub(crate) taken: &'o dyn Fn(&str) -> Taken,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// Whether there is anybody to ask.
    is_open: bool,
    /// Whether they know types.
    has_types: bool,
    // What is known; of what is asked, what is taken for true until it is answered.
    answers: FxHashMap<Question, Answer>,
    callers: FxHashMap<String, Vec<Caller>>,
    mentions: FxHashMap<String, bool>,
    overridden: FxHashMap<String, bool>,
    // What is asked.
    questions: Vec<Question>,
    functions: Vec<String>,
    words: Vec<String>,
    methods: Vec<String>,
}

/// Rounds of questions about one text. The answer to one may lead to the next; nobody has needed
/// more than four.
const MAX_ROUNDS: usize = 8;

impl<'o> Meaning<'o> {
    pub(crate) fn new(asking: Asking<'o>, taken: &'o dyn Fn(&str) -> Taken) -> Self {
        let elsewhere: Option<&'o dyn Elsewhere> = match asking {
            Asking::Nobody => None,
            Asking::Later(elsewhere) => Some(elsewhere),
            Asking::Oracle(oracle) => Some(oracle),
        };
        Self {
            taken,
            elsewhere,
            state: RefCell::new(State {
                is_open: elsewhere.is_some(),
                has_types: elsewhere.is_some_and(Elsewhere::has_types),
                ..State::default()
            }),
        }
    }

    /// Whoever knows the other modules.
    pub(crate) fn elsewhere(&self) -> Option<&'o dyn Elsewhere> {
        self.elsewhere
    }

    /// Goes over the text until all that it asks is answered. Says whether something was asked
    /// that will be answered later only.
    pub(crate) fn settle<T>(
        &self,
        asking: Asking<'_>,
        text: &str,
        mut look: impl FnMut() -> T,
    ) -> (T, bool) {
        let mut seen = look();
        for _ in 0..MAX_ROUNDS {
            let (questions, functions, words, methods) = {
                let mut state = self.state.borrow_mut();
                (
                    std::mem::take(&mut state.questions),
                    std::mem::take(&mut state.functions),
                    std::mem::take(&mut state.words),
                    std::mem::take(&mut state.methods),
                )
            };
            if questions.is_empty()
                && functions.is_empty()
                && words.is_empty()
                && methods.is_empty()
            {
                return (seen, false);
            }
            let Asking::Oracle(oracle) = asking else {
                return (seen, true);
            };
            let answers = oracle.types(text, &questions);
            let callers = oracle.callers(&functions);
            let mentions = oracle.mentions(&words);
            let overridden = oracle.overridden(&methods);
            let mut state = self.state.borrow_mut();
            state.answers.extend(questions.into_iter().zip(answers));
            state.callers.extend(functions.into_iter().zip(callers));
            state.mentions.extend(words.into_iter().zip(mentions));
            state.overridden.extend(methods.into_iter().zip(overridden));
            drop(state);
            seen = look();
        }
        (seen, false)
    }

    pub(crate) fn answer(&self, question: Question) -> Answer {
        let mut state = self.state.borrow_mut();
        if let Some(answer) = state.answers.get(&question) {
            return answer.clone();
        }
        let unknown = Answer::Unknown(None);
        if state.has_types {
            state.answers.insert(question.clone(), unknown.clone());
            state.questions.push(question);
        }
        unknown
    }

    pub(crate) fn mentions(&self, word: &str) -> bool {
        let mut state = self.state.borrow_mut();
        if let Some(mentions) = state.mentions.get(word) {
            return *mentions;
        }
        if state.is_open {
            state.mentions.insert(word.to_string(), false);
            state.words.push(word.to_string());
        }
        false
    }

    pub(crate) fn is_overridden(&self, method: &str) -> bool {
        let mut state = self.state.borrow_mut();
        if let Some(overridden) = state.overridden.get(method) {
            return *overridden;
        }
        if state.is_open {
            state.overridden.insert(method.to_string(), false);
            state.methods.push(method.to_string());
        }
        false
    }

    pub(crate) fn callers(&self, function: &str) -> Vec<Caller> {
        let mut state = self.state.borrow_mut();
        if let Some(callers) = state.callers.get(function) {
            return callers.clone();
        }
        if state.is_open {
            state.callers.insert(function.to_string(), Vec::new());
            state.functions.push(function.to_string());
        }
        Vec::new()
    }
}

impl std::fmt::Debug for Meaning<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meaning").finish_non_exhaustive()
    }
}
