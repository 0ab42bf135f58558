//! What lies outside of the module: types, and who calls a function.
//!
//! A codemod asks when it needs to know, and gets what is known. Types that are not known yet are
//! noted, and the text is gone over again when all that was noted has been answered: so the
//! questions about a file go out together, and a codemod stays a plain function.

use std::cell::RefCell;
use std::path::PathBuf;

use python::Catcher;
use rustc_hash::FxHashMap;
use types::{Answer, Question};

use crate::elsewhere::{Elsewhere, Look, Summary};
use crate::rewrite::Taken;

/// Whoever knows the other files. It answers for one file.
pub trait Oracle: Elsewhere {
    /// The answers to `questions` about `text`, which the file is taken to hold, in their order.
    fn types(&self, text: &str, questions: &[Question]) -> Vec<Answer>;

    /// Of the calls of this function of the file (`Client.fetch`, as [`python::Module::path_of`]
    /// names it) in the files of the run, and of the calls of the functions around those, the first
    /// that is `wanted`. What comes after it is not looked for.
    fn caller(&self, function: &str, wanted: &dyn Fn(&Caller) -> bool) -> Option<Caller>;

    /// For each of these words whether it stands in a file of the same project that is in the run.
    fn mentions(&self, words: &[String]) -> Vec<bool>;

    /// For each of these methods (`emitter.Emitter.send`), whether a class of the same project in
    /// the run that derives from its class has something else than a coroutine function in its place.
    fn overridden(&self, methods: &[String]) -> Vec<bool>;

    /// The other modules of the same project in the run that have a class which derives, as far as
    /// names tell, from one of this name, by their numbers, with what is said of them.
    fn deriving(&self, class: &str, look: Look) -> Vec<(usize, Summary)>;

    /// The other files of the same project in the run in which this word stands, and one of those
    /// `beside` it if there are any, by their numbers, with what is said of them.
    fn naming(&self, word: &str, beside: &[&str], look: Look) -> Vec<(usize, Summary)>;

    /// For each of these packages the file that declares what the project depends on, as it is
    /// shown, if that is without the package; none where that is not known.
    fn undeclared(&self, packages: &[String]) -> Vec<Option<String>>;
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
    /// The coroutine function that it stands in, if it is seen to run the function in its own code,
    /// directly or through plain functions, with nothing on the way that catches what it raises.
    pub coroutine: Option<String>,
}

/// What has been asked about one text, and what has been answered.
pub(crate) struct Meaning<'o> {
    asking: Asking<'o>,
    pub(crate) taken: &'o dyn Fn(&str) -> Taken,
    has_types: bool,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    // What is known; of what is asked, what is taken for true until it is answered.
    answers: FxHashMap<Question, Answer>,
    /// By the codemod that asked for them, and the function.
    callers: FxHashMap<(&'static str, String), Option<Caller>>,
    mentions: FxHashMap<String, bool>,
    overridden: FxHashMap<String, bool>,
    undeclared: FxHashMap<String, Option<String>>,
    /// What is asked about types.
    questions: Vec<Question>,
    /// Whether something else is asked that nobody answers yet.
    is_waiting: bool,
}

/// Rounds of questions about one text. The answer to one may lead to the next; nobody has needed
/// more than four.
const MAX_ROUNDS: usize = 8;

impl<'o> Meaning<'o> {
    pub(crate) fn new(asking: Asking<'o>, taken: &'o dyn Fn(&str) -> Taken) -> Self {
        let mut meaning = Self {
            asking,
            taken,
            has_types: false,
            state: RefCell::default(),
        };
        meaning.has_types = meaning.elsewhere().is_some_and(Elsewhere::has_types);
        meaning
    }

    /// Whoever knows the other modules.
    pub(crate) fn elsewhere(&self) -> Option<&'o dyn Elsewhere> {
        match self.asking {
            Asking::Nobody => None,
            Asking::Later(elsewhere) => Some(elsewhere),
            Asking::Oracle(oracle) => Some(oracle),
        }
    }

    /// Goes over the text until all that it asks is answered. Says whether something was asked
    /// that will be answered later only.
    pub(crate) fn settle<T>(&self, text: &str, mut look: impl FnMut() -> T) -> (T, bool) {
        let mut seen = look();
        for _ in 0..MAX_ROUNDS {
            let questions = std::mem::take(&mut self.state.borrow_mut().questions);
            if questions.is_empty() {
                break;
            }
            let Asking::Oracle(oracle) = self.asking else {
                return (seen, true);
            };
            let answers = oracle.types(text, &questions);
            let mut state = self.state.borrow_mut();
            state.answers.extend(questions.into_iter().zip(answers));
            drop(state);
            seen = look();
        }
        (seen, self.state.borrow().is_waiting)
    }

    pub(crate) fn answer(&self, question: Question) -> Answer {
        let mut state = self.state.borrow_mut();
        if let Some(answer) = state.answers.get(&question) {
            return answer.clone();
        }
        let unknown = Answer::Unknown(None);
        if self.has_types {
            state.answers.insert(question.clone(), unknown.clone());
            state.questions.push(question);
        }
        unknown
    }

    /// For each of these words, whether it stands in a file of the project.
    pub(crate) fn mentions(&self, words: &[String]) -> Vec<bool> {
        self.known(
            |state| &mut state.mentions,
            words,
            |oracle, words| oracle.mentions(words),
        )
    }

    pub(crate) fn is_overridden(&self, method: &str) -> bool {
        let methods = [method.to_string()];
        let overridden = self.known(
            |state| &mut state.overridden,
            &methods,
            |oracle, methods| oracle.overridden(methods),
        );
        overridden.first().is_some_and(|it| *it)
    }

    pub(crate) fn deriving(&self, class: &str, look: Look) -> Vec<(usize, Summary)> {
        match self.asking {
            Asking::Oracle(oracle) => oracle.deriving(class, look),
            Asking::Nobody => Vec::new(),
            Asking::Later(_) => {
                self.state.borrow_mut().is_waiting = true;
                Vec::new()
            }
        }
    }

    pub(crate) fn naming(&self, word: &str, beside: &[&str], look: Look) -> Vec<(usize, Summary)> {
        match self.asking {
            Asking::Oracle(oracle) => oracle.naming(word, beside, look),
            Asking::Nobody => Vec::new(),
            Asking::Later(_) => {
                self.state.borrow_mut().is_waiting = true;
                Vec::new()
            }
        }
    }

    pub(crate) fn undeclared(&self, package: &str) -> Option<String> {
        let packages = [package.to_string()];
        let undeclared = self.known(
            |state| &mut state.undeclared,
            &packages,
            |oracle, packages| oracle.undeclared(packages),
        );
        undeclared.into_iter().next().flatten()
    }

    /// The first caller of `function` that the codemod of this name wants: it is to want the same of
    /// a function whenever it asks.
    pub(crate) fn caller(
        &self,
        codemod: &'static str,
        function: String,
        wanted: &dyn Fn(&Caller) -> bool,
    ) -> Option<Caller> {
        let question = (codemod, function);
        if let Some(known) = self.state.borrow().callers.get(&question) {
            return known.clone();
        }
        let found = match self.asking {
            Asking::Oracle(oracle) => oracle.caller(&question.1, wanted),
            Asking::Nobody => None,
            Asking::Later(_) => {
                self.state.borrow_mut().is_waiting = true;
                None
            }
        };
        let mut state = self.state.borrow_mut();
        state.callers.insert(question, found.clone());
        found
    }

    /// What is known of each of `names`, and asked where it is not. Only about types more than one
    /// question is asked at a time: the others are answered from what is at hand.
    fn known<T: Clone + Default>(
        &self,
        answers: impl Fn(&mut State) -> &mut FxHashMap<String, T>,
        names: &[String],
        ask: impl Fn(&dyn Oracle, &[String]) -> Vec<T>,
    ) -> Vec<T> {
        let mut state = self.state.borrow_mut();
        let known = answers(&mut state);
        let is_open = |name: &&String| !known.contains_key(*name);
        let open: Vec<String> = names.iter().filter(is_open).cloned().collect();
        if !open.is_empty() {
            drop(state);
            let found = match self.asking {
                Asking::Oracle(oracle) => ask(oracle, &open),
                Asking::Nobody | Asking::Later(_) => vec![T::default(); open.len()],
            };
            state = self.state.borrow_mut();
            state.is_waiting |= matches!(self.asking, Asking::Later(_));
            answers(&mut state).extend(open.into_iter().zip(found));
        }
        let known = answers(&mut state);
        let answer = |name: &String| known.get(name).cloned().unwrap_or_default();
        names.iter().map(answer).collect()
    }
}

impl std::fmt::Debug for Meaning<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meaning").finish_non_exhaustive()
    }
}
