//! What is answered about small projects.

use std::path::Path;

use super::answer_each;
use super::database::Database;
use crate::{Answer, Ask, Environment, Folders, Gives, Project, Question};

/// A project of these files; the first is asked about.
struct Files {
    folder: tempfile::TempDir,
    first: String,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("pyproject.toml", "")].iter().chain(files) {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self {
            folder,
            first: files[0].0.to_string(),
        }
    }

    /// The answer about the last place where `part` stands.
    fn ask(&self, ask: Ask, part: &str) -> Answer {
        let root = self.folder.path().canonicalize().unwrap();
        let path = root.join(&self.first);
        let text = std::fs::read_to_string(&path).unwrap();
        let start = text.rfind(part).unwrap();
        let question = Question {
            ask,
            range: start..start + part.len(),
        };
        answer(&path, &text, &question)
    }

    #[track_caller]
    fn gives(&self, part: &str, expected: Gives) {
        let answer = self.ask(Ask::Value, part);
        assert_eq!(
            answer.value().map(|it| it.gives),
            Some(expected),
            "{part}: {answer:?}"
        );
    }

    #[track_caller]
    fn unknown(&self, part: &str, reason: &str) {
        let Answer::Unknown(Some(said)) = self.ask(Ask::Value, part) else {
            panic!("{part}: {:?}", self.ask(Ask::Value, part));
        };
        assert!(said.contains(reason), "{said}");
    }
}

fn answer(path: &Path, text: &str, question: &Question) -> Answer {
    let project = Project::of(
        path,
        &Environment::default(),
        (3, 11),
        &mut Folders::default(),
    );
    let (mut database, problem) = Database::new(&project).unwrap();
    assert_eq!(problem, None);
    answer_of(&mut database, path, text, question)
}

fn answer_of(database: &mut Database, path: &Path, text: &str, question: &Question) -> Answer {
    let mut answers = Vec::new();
    let questions = std::slice::from_ref(question);
    let take = |_, answer| {
        answers.push(answer);
        Ok::<(), ()>(())
    };
    answer_each(database, path, text, questions, take).unwrap();
    answers.pop().unwrap_or(Answer::Unknown(None))
}

#[test]
fn files_that_changed_are_read_again() {
    let text = "from client import fetch\nfetch()\n";
    let files = Files::new(&[("m.py", text)]);
    let root = files.folder.path().canonicalize().unwrap();
    let project = Project::of(
        &root.join("m.py"),
        &Environment::default(),
        (3, 11),
        &mut Folders::default(),
    );
    let (mut database, _) = Database::new(&project).unwrap();
    let start = text.rfind("fetch()").unwrap();
    let question = Question {
        ask: Ask::Value,
        range: start..start + "fetch()".len(),
    };
    let mut gives = |changed: &str| {
        database.sync(&root.join(changed));
        let answer = answer_of(&mut database, &root.join("m.py"), text, &question);
        answer.value().map(|it| it.gives)
    };
    let coroutine = Some(Gives::Coroutine);
    assert_eq!(gives("m.py"), None);
    std::fs::write(root.join("client.py"), "async def fetch(): ...\n").unwrap();
    assert_eq!(gives("client.py"), coroutine);
    std::fs::write(root.join("client.py"), "def fetch() -> int: ...\n").unwrap();
    assert_ne!(gives("client.py"), coroutine);
    std::fs::remove_file(root.join("client.py")).unwrap();
    assert_eq!(gives("client.py"), None);
    std::fs::create_dir(root.join("client")).unwrap();
    std::fs::write(root.join("client/__init__.py"), "async def fetch(): ...\n").unwrap();
    assert_eq!(gives("client/__init__.py"), coroutine);
    std::fs::remove_dir_all(root.join("client")).unwrap();
    assert_eq!(gives("client/__init__.py"), None);
}

#[test]
fn nothing_is_said_of_what_may_be_anything() {
    let files = Files::new(&[(
        "m.py",
        "\
import foo
from typing import Any
from bar.baz import Client
def f(bot): return g(bot)
async def main(bot, client: Client, anything: Any):
    read = eval('x')
    read.go()
    anything.go()
    foo.run()
    client.get()
    bot.send()
    f(bot).x
    [it.go() for it in bot.items()]
    self_made = foo.make()
    self_made.go()
",
    )]);
    files.unknown("foo.run()", "package `foo` is not installed");
    files.unknown("client.get()", "package `bar` is not installed");
    files.unknown("bot.send()", "the parameter `bot` has no annotation: ");
    files.unknown("it.go()", "the parameter `bot` has no annotation: ");
    files.unknown("self_made.go()", "package `foo` is not installed");
    files.unknown(
        "anything.go()",
        "the parameter `anything` may be anything: ",
    );
    files.unknown("read.go()", "nothing says what `read` is");
    files.unknown("f(bot)", "`f` does not declare what it returns: ");
}

#[test]
fn coroutines_are_known_across_modules() {
    let files = Files::new(&[
        (
            "app/main.py",
            "\
import functools
from collections.abc import Coroutine
from .client import Client, Session, connect
class App:
    def __init__(self, client: Client):
        self.client = client
    async def run(self, coro: Coroutine[None, None, int]):
        self.client.fetch('x')
        self.client.later('y')
        functools.partial(self.client.fetch, 'z')()
        async with connect() as other:
            other.fetch('other')
        async with Session() as session:
            session.get('session')
        coro
",
        ),
        ("app/__init__.py", ""),
        (
            "app/client.py",
            "\
import contextlib
from collections.abc import AsyncIterator
class Client:
    async def fetch(self, url): return 1
    def later(self, url):
        if url:
            return self.fetch(url)
        else:
            return self.fetch('')
class Session(Client):
    async def __aenter__(self):
        return self
    async def __aexit__(self, *exc): ...
    async def get(self, url): ...
@contextlib.asynccontextmanager
async def connect() -> AsyncIterator[Client]:
    yield Client()
",
        ),
    ]);
    for call in [
        "self.client.fetch('x')",
        "self.client.later('y')",
        "functools.partial(self.client.fetch, 'z')()",
        "other.fetch('other')",
        "session.get('session')",
        "coro",
    ] {
        files.gives(call, Gives::Coroutine);
    }
    let Answer::Value(value) = files.ask(Ask::Value, "self.client.fetch('x')") else {
        panic!();
    };
    assert!(
        value
            .evidence
            .unwrap()
            .to_string()
            .ends_with("app/client.py:4")
    );
    let Answer::Callee(function) = files.ask(Ask::Callee, "self.client.later") else {
        panic!();
    };
    assert_eq!(function.module.as_deref(), Some("app.client"));
    assert_eq!(function.name, "Client.later");
    assert!(!function.is_async && !function.is_decorated && !function.is_generator);
}

#[test]
fn tasks_futures_and_other_awaitables_are_told_apart() {
    let files = Files::new(&[(
        "m.py",
        "\
import asyncio, concurrent.futures
from typing import Awaitable
class Lazy:
    def __await__(self): yield
class Sub(Lazy): pass
class MyTask(asyncio.Task): pass
class Open(unknown): pass
async def main(loop: asyncio.AbstractEventLoop, many: list[asyncio.Task], it: Awaitable[int]):
    task = loop.create_task(main())
    task
    loop.run_in_executor(None, print)
    Sub()
    it
    'text'
    concurrent.futures.Future()
    MyTask(main())
    Open()
",
    )]);
    files.gives("loop.create_task(main())", Gives::Task);
    files.gives("loop.run_in_executor(None, print)", Gives::Future);
    files.gives("Sub()", Gives::Awaitable);
    files.gives("it", Gives::Awaitable);
    files.gives("'text'", Gives::Nothing);
    files.gives("concurrent.futures.Future()", Gives::Nothing);
    files.gives("MyTask(main())", Gives::Task);
    assert!(matches!(
        files.ask(Ask::Value, "Open()"),
        Answer::Unknown(_)
    ));
    let loops = files.ask(Ask::Value, "loop");
    let loops = &loops.value().unwrap().classes;
    assert!(
        loops.contains(&"asyncio.events.AbstractEventLoop".to_string()),
        "{loops:?}"
    );
}

#[test]
fn what_an_iterable_gives_is_known() {
    let files = Files::new(&[(
        "m.py",
        "\
import asyncio
from collections.abc import Coroutine
async def main(coros: list[Coroutine[None, None, int]], tasks: 'dict[str, asyncio.Task]'):
    asyncio.gather(*coros)
    asyncio.gather(*tasks.values())
",
    )]);
    let gives = |part: &str| files.ask(Ask::Element, part).value().map(|it| it.gives);
    assert_eq!(gives("coros"), Some(Gives::Coroutine));
    assert_eq!(gives("tasks.values()"), Some(Gives::Task));
}

#[test]
fn contexts_are_told_apart() {
    let files = Files::new(&[(
        "m.py",
        "\
import asyncio, threading
class Both:
    def __enter__(self): ...
    def __exit__(self, *a): ...
    async def __aenter__(self): ...
    async def __aexit__(self, *a): ...
def main(lock: asyncio.Lock, other: threading.Lock):
    lock
    other
    Both()
    asyncio.timeout(1)
",
    )]);
    let entered = |part: &str| match files.ask(Ask::Context, part) {
        Answer::Context(context) => (context.sync, context.asynchronous),
        other => panic!("{other:?}"),
    };
    assert_eq!(entered("lock"), (false, true));
    assert_eq!(entered("other"), (true, false));
    assert_eq!(entered("Both()"), (true, true));
    assert_eq!(entered("asyncio.timeout(1)"), (false, true));
}

#[test]
fn a_range_that_is_no_expression_is_unknown() {
    let files = Files::new(&[("m.py", "x = 1\ny = (2)\n")]);
    assert_eq!(files.ask(Ask::Value, "x ="), Answer::Unknown(None));
    assert_eq!(files.ask(Ask::Value, "\n"), Answer::Unknown(None));
    assert_eq!(
        answer(
            &files.folder.path().join("m.py"),
            "x = 1\n",
            &Question {
                ask: Ask::Value,
                range: 3..900,
            }
        ),
        Answer::Unknown(None)
    );
}
