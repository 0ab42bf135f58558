//! What can be asked, and what is answered: plain data.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One question about a place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    /// What is asked.
    pub ask: Ask,
    /// The expression: byte offsets into the text that is asked about, without parentheses
    /// around it.
    pub range: Range<usize>,
}

/// What is asked of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ask {
    /// What its value gives to `await`: [`Answer::Value`].
    Value,
    /// The same of what it gives when it is iterated over: [`Answer::Value`].
    Element,
    /// Which function a call of it reaches: [`Answer::Callee`].
    Callee,
    /// How its value is entered: [`Answer::Context`].
    Context,
    /// Whether its value has `aclose`, by which `contextlib.aclosing` closes it: [`Answer::Closes`].
    Closes,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Nothing is known, for this reason, if one can be given: "package `foo` is not installed".
    Unknown(Option<String>),
    /// To [`Ask::Value`] and [`Ask::Element`].
    Value(Value),
    /// To [`Ask::Callee`].
    Callee(Function),
    /// To [`Ask::Context`].
    Context(Context),
    /// To [`Ask::Closes`].
    Closes(Aclose),
}

/// A value, as far as its type says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// What it gives to `await`.
    pub gives: Gives,
    /// The type as a person would write it: `PoolAcquireContext`, `CoroutineType[Any, Any, int]`.
    pub shown: String,
    /// The qualified names of its class and of those that this derives from, the closest first;
    /// empty where it is no instance of one class.
    pub classes: Vec<String>,
    /// Where that comes from: the function that was called, or else the class.
    pub evidence: Option<Place>,
}

/// What a value is to asyncio. A union is what all its members are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gives {
    /// A coroutine: an instance of `collections.abc.Coroutine`, which `create_task` takes.
    Coroutine,
    /// An `asyncio.Task`.
    Task,
    /// An `asyncio.Future` that is not known to be a task.
    Future,
    /// It can be awaited, and is none of these: `create_task` refuses it.
    Awaitable,
    /// It cannot be awaited.
    Nothing,
}

/// A function that a call reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// The module's dotted name, where the file is one.
    pub module: Option<String>,
    /// Its name in the module: `Client.fetch`, `make.<locals>.inner`.
    pub name: String,
    /// Where it is defined.
    pub place: Place,
    /// Whether it is an `async def`.
    pub is_async: bool,
    /// Whether it has decorators that may replace it: others than `staticmethod` and the like.
    pub is_decorated: bool,
    /// Whether `yield` stands in its own body.
    pub is_generator: bool,
    /// What becomes of it when its generator is closed.
    pub closing: Closing,
}

/// What becomes of a generator function's code when its generator is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closing {
    /// It ends, and some of its code may run: a `finally`, or the end of a `with`.
    Ends,
    /// It ends where it yielded: it has nothing to clean up.
    RunsNothing,
    /// It does nothing anyway: it is there to be overridden.
    IsStub,
    /// It may come to another `yield`, which then fails.
    MayYield,
}

/// Whether an object has `aclose`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aclose {
    /// Its type has it.
    Has,
    /// It is declared to be an `AsyncIterator` or the like, and may have one or not.
    Undeclared,
    /// It is of a class that has none.
    Lacks,
}

/// How an object is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// It has `__enter__`: `with` takes it.
    pub sync: bool,
    /// It has `__aenter__`: `async with` takes it.
    pub asynchronous: bool,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file's path: absolute, or as typeshed names it.
    pub file: PathBuf,
    /// From 1.
    pub row: usize,
}

impl Answer {
    /// The value, if that is what is known.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Answer::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl std::fmt::Display for Place {
    /// The last parts of the path, which tell a reader the file, and the row:
    /// `asyncpg/pool.py:1021`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<_> = self
            .file
            .iter()
            .map(|part| part.to_string_lossy())
            .collect();
        let last = &parts[parts.len().saturating_sub(2)..];
        write!(f, "{}:{}", last.join("/"), self.row)
    }
}
