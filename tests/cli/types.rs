//! What types and callers in other files decide, and what the inference survives.

use std::fmt::Write as _;

use crate::project::Project;

/// A client whose methods another module gathers.
const CLIENT: &str = "\
import asyncio


class Client:
    async def fetch(self, path):
        await asyncio.sleep(0)
        return path

    def later(self, path):
        return self.fetch(path)

    def soon(self, path):
        return asyncio.ensure_future(self.fetch(path))
";

/// A module that gathers `call`s of that client.
fn gathers(call: &str) -> String {
    format!(
        "\
import asyncio

from client import Client


async def load(client: Client):
    await asyncio.gather(client.{call}('a'), client.{call}('b'))
"
    )
}

const PYPROJECT: (&str, &str) = ("pyproject.toml", "[project]\nrequires-python = '>=3.11'\n");

fn project(files: &[(&str, &str)]) -> Project {
    Project::new(
        files
            .iter()
            .copied()
            .chain([PYPROJECT, ("client.py", CLIENT)]),
    )
}

fn withheld(project: &Project, arguments: &[&str]) -> String {
    let shown = ["--show-withheld", "--output-format", "concise", "-v"];
    let ran = project.run(shown.iter().chain(arguments).copied());
    assert!(ran.status < 2, "{ran:?}");
    ran.stdout + &ran.stderr
}

#[test]
fn what_is_no_coroutine_is_withheld_with_its_definition() {
    let project = project(&[("main.py", &gathers("soon"))]);
    let said = withheld(&project, &["main.py"]);
    assert!(
        said.contains("`client.soon('a')` is a task that runs already"),
        "{said}"
    );
    project.write(
        "main.py",
        "\
import asyncio


class Lazy:
    def __await__(self):
        yield


async def main(lazy: Lazy):
    await asyncio.gather(lazy, lazy.__class__())
",
    );
    let said = withheld(&project, &["main.py"]);
    assert!(
        said.contains("`lazy` is a `Lazy`, not a coroutine"),
        "{said}"
    );
    assert!(said.contains("main.py:4)"), "{said}");
}

#[test]
fn a_missing_package_is_named() {
    let project = project(&[(
        "main.py",
        "import asyncio\nimport foo\n\n\nasync def main():\n    await asyncio.gather(foo.a(), foo.b())\n",
    )]);
    let said = withheld(&project, &["main.py"]);
    assert!(
        said.contains("package `foo` is not installed: pass --python"),
        "{said}"
    );
}

#[test]
fn an_environment_is_looked_into() {
    let project = project(&[
        (
            "main.py",
            "import asyncio\nimport foo\n\n\nasync def main():\n    await asyncio.gather(foo.a(), foo.a())\n",
        ),
        ("env/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.7\n"),
        (
            "env/lib/python3.11/site-packages/foo/__init__.py",
            "async def a(): ...\n",
        ),
        ("env/bin/python", ""),
    ]);
    let patch = project.run(["--diff", "--python", "env", "main.py"]);
    assert!(
        patch.stdout.contains("+        tg.create_task(foo.a())"),
        "{patch:?}"
    );
    let said = withheld(&project, &["--python", "nowhere", "main.py"]);
    assert!(said.contains("nowhere` is no Python environment"), "{said}");
}

#[test]
fn a_coroutine_of_another_module_is_gathered() {
    for call in ["fetch", "later"] {
        let project = project(&[("main.py", &gathers(call))]);
        let patch = project.run(["--diff", "."]);
        assert!(
            patch
                .stdout
                .contains("+    async with asyncio.TaskGroup() as tg:"),
            "{patch:?}"
        );
        let without = withheld(&project, &["--no-types"]);
        assert!(
            without.contains("is not known to give a coroutine"),
            "{without}"
        );
        assert!(!without.contains("questions about types"), "{without}");
    }
}

#[test]
fn what_no_codemod_asks_starts_no_child() {
    let project = Project::of(crate::project::SLEEPS);
    let said = withheld(&project, &[]);
    assert!(!said.contains("questions about types"), "{said}");
}

#[test]
fn a_handler_around_a_call_in_another_file_withholds() {
    let caller =
        |block: &str| format!("from main import load\n\n\nasync def use(client):\n{block}");
    let caught = "    try:\n        await load(client)\n    except ValueError:\n        pass\n";
    let project = project(&[("main.py", &gathers("fetch")), ("use.py", &caller(caught))]);
    for arguments in [&["."][..], &["--no-types", "."][..]] {
        let said = withheld(&project, arguments);
        if arguments.contains(&"--no-types") {
            // Nobody knows what `client.fetch` is then, which is found out first.
            assert!(said.contains("is not known to give a coroutine"), "{said}");
        } else {
            assert!(
                said.contains("`except ValueError` in use.py:7 would no longer match"),
                "{said}"
            );
        }
    }
    let unwrap = "gather-to-taskgroup.exceptions=\"unwrap\"";
    let patch = project.run(["--diff", "--config", unwrap, "."]);
    assert!(
        patch.stdout.contains("+        raise group.exceptions[0]"),
        "{patch:?}"
    );

    // What catches everything goes on doing so, and whoever is further out sees nothing.
    let everything = "    try:\n        await load(client)\n    except Exception:\n        pass\n";
    project.write(
        "use.py",
        caller(everything)
            + "\n\nasync def outer(client):\n    try:\n        await use(client)\n    except KeyError:\n        pass\n",
    );
    assert!(
        project
            .run(["--diff", "."])
            .stdout
            .contains("+    async with")
    );

    // But not where it asks what it has caught.
    let asks = "    try:\n        await load(client)\n    except Exception as e:\n        print(isinstance(e, OSError))\n";
    project.write("use.py", caller(asks));
    let said = withheld(&project, &["."]);
    assert!(said.contains("`except Exception` in use.py:7"), "{said}");

    // Through another function, and as an assertion of a test.
    project.write(
        "use.py",
        caller("    await load(client)\n")
            + "\n\nasync def test(self, client):\n    with self.assertRaises(KeyError):\n        await use(client)\n",
    );
    let said = withheld(&project, &["."]);
    assert!(
        said.contains("`self.assertRaises(KeyError)` in use.py:9"),
        "{said}"
    );

    // A function of the same name that is another one.
    project.write(
        "use.py",
        "class Other:\n    async def load(self): ...\n\n\nasync def use(other: Other):\n    try:\n        await other.load()\n    except ValueError:\n        pass\n",
    );
    assert!(
        project
            .run(["--diff", "."])
            .stdout
            .contains("+    async with")
    );
}

#[test]
fn a_call_of_the_base_class_may_run_the_method() {
    let project = project(&[
        (
            "main.py",
            "\
import asyncio

from base import Base
from client import Client


class Loader(Base):
    async def load(self, client: Client):
        await asyncio.gather(client.fetch('a'), client.fetch('b'))
",
        ),
        (
            "base.py",
            "\
class Base:
    async def load(self, client): ...

    async def run(self, client):
        try:
            await self.load(client)
        except OSError:
            pass
",
        ),
    ]);
    let said = withheld(&project, &["."]);
    assert!(said.contains("`except OSError` in base.py:7"), "{said}");
}

#[test]
fn a_loop_is_known_by_its_type() {
    let project = project(&[(
        "main.py",
        "\
import asyncio


class App:
    def __init__(self, loop: asyncio.AbstractEventLoop, other):
        self.loop = loop
        self.other = other

    async def start(self):
        self.loop.create_task(self.run())
        self.other.create_task(self.run())

    async def run(self): ...
",
    )]);
    let patch = project.run(["--diff", "main.py"]).stdout;
    assert!(
        patch.contains("+        task = self.loop.create_task(self.run())"),
        "{patch}"
    );
    assert!(!patch.contains("-        self.other"), "{patch}");
}

/// Beside a file that the inference cannot stand, others get their answers.
#[track_caller]
fn survives(killer: &str, arguments: &[&str], said: &str) {
    let project = project(&[("a_killer.py", killer), ("main.py", &gathers("fetch"))]);
    let ran = project.run(["--diff", "-v", "."].iter().chain(arguments).copied());
    assert!(ran.status < 2, "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("+    async with asyncio.TaskGroup() as tg:"),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

/// Something undecided, so that types are asked for.
const ASKS: &str = "\n\nasync def main(x):\n    await asyncio.gather(x.f(), x.g())\n";

#[test]
fn a_table_of_ten_thousand_keys_is_survived() {
    let mut table = String::from("import asyncio\n\nIds = {}\n");
    for number in 0..15_000 {
        let _ = writeln!(table, "Ids['Object{number}'] = {number}");
    }
    survives(&(table + ASKS), &[], "");
    // And where another module imports it.
    let project = project(&[(
        "main.py",
        "import asyncio\n\nimport table\nfrom client import Client\n\n\nasync def f(c: Client):\n    await asyncio.gather(c.fetch(table.Ids['Object1']), c.fetch(table.x))\n",
    )]);
    let mut table = String::from("Ids = {}\n");
    for number in 0..15_000 {
        let _ = writeln!(table, "Ids['Object{number}'] = {number}");
    }
    project.write("table.py", table);
    assert!(
        project
            .run(["--diff", "."])
            .stdout
            .contains("+    async with")
    );
}

/// ty 0.0.10 solves the constraints of `map` over such a product in exponential time.
pub const NEVER_ENDS: &str = "\
import asyncio
import itertools
import math
import string


async def main(width, letters=string.ascii_lowercase):
    count = max(1, math.ceil(math.log(width, len(letters))))
    inputs = (letters,) * count
    products = itertools.product(*inputs)
    names = map(''.join, products)
    await asyncio.gather(*[x.f() for x in itertools.islice(names, width)])
";

#[test]
fn an_inference_that_does_not_end_is_survived() {
    survives(
        NEVER_ENDS,
        &["--config", "types-file-timeout=15"],
        "a_killer.py: types are unknown: it took too long",
    );
}

#[test]
fn a_chain_of_twenty_thousand_calls_is_survived() {
    let chain = "x".to_string() + &".f()".repeat(20_000);
    // Beyond 10,000 levels CPython does not compile it, and it is not analysed.
    survives(&format!("import asyncio\n\ny = {chain}\n{ASKS}"), &[], "");
    let project = project(&[
        ("main.py", &gathers("fetch")),
        ("a.py", &format!("x = 1\ny = {chain}\n")),
    ]);
    project.write(
        "main.py",
        gathers("fetch").replace("import asyncio\n", "import asyncio\n\nfrom a import y\n")
            + "\n\nprint(y)\n",
    );
    let ran = project.run(["--diff", "main.py"]);
    assert!(ran.stdout.contains("+    async with"), "{ran:?}");
}

#[test]
fn too_little_memory_costs_answers_and_no_more() {
    let project = project(&[("main.py", &gathers("fetch"))]);
    let said = withheld(&project, &["--config", "types-memory=1", "."]);
    assert!(said.contains("is not known to give a coroutine"), "{said}");
    assert!(said.contains("types are unknown: "), "{said}");
}

#[test]
fn the_time_for_a_run_is_bounded() {
    let project = project(&[("main.py", NEVER_ENDS), ("other.py", NEVER_ENDS)]);
    let started = std::time::Instant::now();
    let said = withheld(&project, &["--config", "types-timeout=2", "."]);
    assert!(said.contains("types are unknown: "), "{said}");
    assert!(started.elapsed().as_secs() < 60, "{said}");
}

#[test]
fn a_helper_that_keeps_its_task_is_left_alone() {
    let project = project(&[
        (
            "main.py",
            "import loops\n\n\nasync def job(): ...\n\n\nasync def main(loop: loops.Loop):\n    loop.create_task(job())\n",
        ),
        (
            "loops.py",
            "import asyncio\n\n\nclass Loop(asyncio.AbstractEventLoop):\n    def create_task(self, coro): ...\n",
        ),
    ]);
    assert!(
        project
            .run(["--diff", "main.py"])
            .stdout
            .contains("+    background_tasks.add")
    );
    let helpers = "keep-task-reference.helpers=['loops.Loop.create_task']";
    let ran = project.run(["--diff", "--config", helpers, "main.py"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn a_patched_loop_in_another_file_makes_a_rewrite_unsafe() {
    let nested =
        "import asyncio\n\n\nasync def f(): ...\n\n\nasync def main():\n    asyncio.run(f())\n";
    let project = project(&[("main.py", nested)]);
    let arguments = ["--diff", "--safe-only", "--await-nested-run", "."];
    assert!(project.run(arguments).stdout.contains("+    await f()"));
    project.write("patch.py", "import nest_asyncio\n\nprint(nest_asyncio)\n");
    assert!(!project.run(arguments).stdout.contains("+    await f()"));
}

#[test]
fn a_call_through_a_protocol_may_run_the_function() {
    let project = project(&[
        ("main.py", &gathers("fetch").replace("load", "load_it")),
        (
            "use.py",
            "\
from typing import Protocol


class Loads(Protocol):
    async def load_it(self, client): ...


async def use(module: Loads, client):
    try:
        await module.load_it(client)
    except OSError:
        pass
",
        ),
    ]);
    let said = withheld(&project, &["."]);
    assert!(said.contains("`except OSError` in use.py:11"), "{said}");
}

/// The decorator awaited what a function without `yield` returns, if it could.
#[test]
fn what_a_decorated_function_returns_is_known_by_its_type() {
    let client = "\
class Reply:
    pass


class Client:
    def reply(self) -> Reply: ...

    async def fetch(self) -> Reply: ...

    def steps(self):
        yield
";
    let decorated = |returned: &str| {
        format!(
            "import asyncio\n\nfrom replies import Client\n\n\n@asyncio.coroutine\ndef f(client: Client):\n    return client.{returned}()\n"
        )
    };
    for (returned, expected) in [("reply", ""), ("fetch", "await "), ("steps", "")] {
        let text = decorated(returned);
        let project = project(&[("replies.py", client), ("main.py", &text)]);
        let arguments = [
            "--coroutine-to-async-def",
            "--unsafe-fixes",
            "--diff",
            "main.py",
        ];
        let patch = project.run(arguments).stdout;
        if returned == "steps" {
            assert_eq!(patch, "", "the decorator ran generators");
            continue;
        }
        assert!(patch.contains("+async def f(client: Client):"), "{patch}");
        let awaits = format!("+    return {expected}client.{returned}()");
        assert_eq!(patch.contains(&awaits), expected == "await ", "{patch}");
    }
}

/// A module that gathers a `call` of that client for each path.
fn gathers_all(call: &str) -> String {
    format!(
        "\
import asyncio

from client import Client


async def load(client: Client, paths):
    await asyncio.gather(*[client.{call}(path) for path in paths])
"
    )
}

#[test]
fn a_list_of_tasks_from_another_module_is_not_limited() {
    let project = project(&[("main.py", &gathers_all("soon"))]);
    let said = withheld(&project, &["--limit-concurrency"]);
    assert!(
        said.contains("`client.soon(path)` gives a task or a future, which runs already"),
        "{said}"
    );
}

#[test]
fn a_method_that_reaches_nothing_outside_of_the_program_is_not_limited() {
    let looks_up =
        "class Client:\n    async def fetch(self, path):\n        await self.ready(path)\n";
    let project = project(&[("main.py", &gathers_all("fetch"))]);
    project.write("client.py", looks_up);
    let found = project.run(["--limit-concurrency", "--show-withheld"]);
    assert!(
        found.stdout.contains("No findings") || found.stderr.contains("No findings"),
        "{found:?}"
    );
}

#[test]
fn a_coroutine_of_another_module_is_limited() {
    for call in ["fetch", "later"] {
        let project = project(&[("main.py", &gathers_all(call))]);
        let found = project.run([
            "--limit-concurrency",
            "--unsafe-fixes",
            "--output-format",
            "json",
        ]);
        assert!(
            found.stdout.contains("\"applicability\": \"unsafe\""),
            "{call}: {found:?}"
        );
    }
}

#[test]
fn a_coroutine_of_another_module_is_awaited() {
    let project = project(&[(
        "main.py",
        "\
from client import Client


async def main(client: Client):
    client.later('a')
    client.soon('b')
    if client.fetch('c'):
        client.nothing('d')
",
    )]);
    let arguments = ["--await-coroutine", "main.py"];
    let said = withheld(&project, &[&["--no-types"], &arguments[..]].concat());
    assert!(!said.contains("await-coroutine"), "{said}");
    let patch = project
        .run(["--diff"].iter().chain(&arguments).copied())
        .stdout;
    assert!(patch.contains("+    await client.later('a')"), "{patch}");
    assert!(
        patch.contains("+    if await client.fetch('c'):"),
        "{patch}"
    );
    assert!(!patch.contains("await client.soon"), "{patch}");
}

#[test]
fn a_method_that_a_plain_one_may_override_is_not_awaited() {
    let project = project(&[
        (
            "emitter.py",
            "\
class Emitter:
    async def send(self):
        pass

    async def close(self):
        print('closed')

    async def read(self):
        print('read')

    async def stop(self):
        print('stopped')


def current() -> Emitter: ...
",
        ),
        (
            "session.py",
            "\
from emitter import Emitter


class SessionEmitter(Emitter):
    def send(self):
        print('sent')


class PlainEmitter:
    def close(self):
        print('closed, and no Emitter')
",
        ),
        (
            "main.py",
            "\
from emitter import Emitter, current


class Canned(Emitter):
    def read(self):
        return 'canned'


async def main(stub):
    emitter = current()
    emitter.send()
    emitter.read()
    emitter.close()
    emitter.stop = stub
    emitter.stop()
",
        ),
    ]);
    let patch = project
        .run(["--await-coroutine", "--diff", "main.py", "session.py"])
        .stdout;
    assert!(patch.contains("+    await emitter.close()"), "{patch}");
    assert_eq!(patch.matches("\n+    await").count(), 1, "{patch}");
    let said = withheld(&project, &["--await-coroutine", "main.py", "session.py"]);
    assert_eq!(said.matches("await-coroutine").count(), 1, "{said}");
}

#[test]
fn a_session_that_a_base_of_another_module_closes_is_closed() {
    let closing = "\
class Closing:
    async def close(self):
        await self.session.close()
";
    let bases = "\
from closing import Closing


class Events(Closing):
    pass
";
    let audio = |bases: &str| {
        format!(
            "\
import aiohttp
from bases import Events


class Audio({bases}):
    def __init__(self):
        self.session = aiohttp.ClientSession()
"
        )
    };
    let said = |base| {
        let audio = audio(base);
        let project = project(&[
            ("closing.py", closing),
            ("bases.py", bases),
            ("audio.py", &audio),
        ]);
        withheld(&project, &["--async-with", "--no-types"])
    };
    let closed = said("Events");
    assert!(!closed.contains("async-with"), "{closed}");
    let open = said("object");
    assert!(open.contains("nothing in this file closes it"), "{open}");
}

#[test]
fn a_session_that_a_derived_class_of_another_module_closes_is_closed() {
    let base = "\
import aiohttp


class Requests:
    def open(self):
        self.session = aiohttp.ClientSession()
";
    let derived = |base: &str| {
        format!(
            "\
from requesting import Requests


class Market({base}):
    async def close(self):
        await self.session.close()
"
        )
    };
    let said = |of| {
        let derived = derived(of);
        let project = project(&[("requesting.py", base), ("market.py", &derived)]);
        withheld(&project, &["--async-with", "--no-types"])
    };
    let closed = said("Requests");
    assert!(!closed.contains("async-with"), "{closed}");
    let open = said("object");
    assert!(open.contains("nothing in this file closes it"), "{open}");
}

#[test]
fn a_decorated_function_is_what_its_decorator_gives() {
    let decorators = "\
import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec('P')


def background(f: Callable[P, Awaitable[None]]) -> Callable[P, asyncio.Task[None]]: ...


def retried(f: Callable[P, Awaitable[None]]) -> Callable[P, Coroutine[Any, Any, None]]: ...
";
    let project = project(&[
        ("decorators.py", decorators),
        (
            "main.py",
            "\
from decorators import background, retried


@background
async def notify() -> None:
    print('notified')


@retried
async def save() -> None:
    print('saved')


async def main():
    notify()
    save()
",
        ),
    ]);
    let said = withheld(&project, &["--await-coroutine", "--no-types", "main.py"]);
    assert_eq!(said.matches("is decorated by").count(), 2, "{said}");
    let patch = project.run(["--await-coroutine", "--diff", "main.py"]);
    assert!(patch.stdout.contains("+    await save()"), "{patch:?}");
    assert!(!patch.stdout.contains("await notify()"), "{patch:?}");
    let said = withheld(&project, &["--await-coroutine", "main.py"]);
    assert!(!said.contains("is decorated by"), "{said}");
}

#[test]
fn an_iterator_of_a_class_is_no_generator_to_close() {
    let pages = "\
from collections.abc import AsyncIterator


class Pages:
    def __aiter__(self):
        return self

    async def __anext__(self):
        raise StopAsyncIteration


class Source:
    def pages(self) -> Pages:
        return Pages()

    def lines(self) -> AsyncIterator[str]: ...

    def hidden(self) -> AsyncIterator[str]:
        return Pages()

    def either(self, lines) -> AsyncIterator[str]:
        if lines:
            return self.lines()
        return Pages()

    def given(self, lines) -> object:
        return lines
";
    let main = |method: &str| {
        format!(
            "\
from pages import Source


async def main(source: Source):
    async for item in source.{method}():
        return item
"
        )
    };
    let project = project(&[("pages.py", pages), ("main.py", "")]);
    let arguments = ["--close-async-generator", "main.py"];
    for (method, is_found) in [
        ("pages", false),
        ("hidden", false),
        ("either", true),
        ("given", true),
    ] {
        project.write("main.py", main(method));
        let said = withheld(&project, &arguments);
        assert_eq!(
            said.contains("is not known to be"),
            is_found,
            "{method}: {said}"
        );
    }
    project.write("main.py", main("lines"));
    let said = withheld(&project, &arguments);
    assert!(said.contains("`source.lines` is not known to be"), "{said}");
    // The loop fails.
    let loads = "import json


async def main(text):
    async for item in json.loads(text):
        return item
";
    project.write("main.py", loads);
    let said = withheld(&project, &arguments);
    assert!(!said.contains("is not known to be"), "{said}");
}

#[test]
fn what_only_plain_functions_of_the_project_give_is_no_generator_to_close() {
    let main = "async def main(client):
    async for attempt in client.attempts():
        return attempt
";
    let plain = "class Client:
    def attempts(self):
        return Retry(self)
";
    let arguments = ["--close-async-generator", "--no-types", "."];
    let project = project(&[("retrying.py", plain), ("main.py", main)]);
    let said = withheld(&project, &arguments);
    assert!(!said.contains("is not known to be"), "{said}");
    // One of them is asynchronous.
    project.write(
        "retrying.py",
        format!("{plain}\n    async def attempts(self):\n        yield 1\n"),
    );
    let said = withheld(&project, &arguments);
    assert!(
        said.contains("`client.attempts` is not known to be"),
        "{said}"
    );
    // The reader has it before the eyes.
    project.write("retrying.py", "");
    project.write("main.py", format!("{plain}\n\n{main}"));
    let said = withheld(&project, &arguments);
    assert!(
        said.contains("`client.attempts` is not known to be"),
        "{said}"
    );
}

#[test]
fn an_asynchronous_generator_function_of_another_file_is_known_by_its_type() {
    let pages = "from collections.abc import AsyncGenerator, AsyncIterator

from package import cached


class Source:
    async def added(self):
        raise NotImplementedError
        yield

    async def typed_stub(self) -> AsyncGenerator[int, None]:
        raise NotImplementedError
        yield

    async def kept(self):
        try:
            yield 1
        except BaseException:
            yield 2

    @cached
    async def shared(self):
        yield 1

    def iterator(self) -> AsyncIterator[int]: ...

    def declared(self) -> AsyncGenerator[int, None]: ...

    def passed_on(self) -> AsyncIterator[int]:
        return self.typed()

    async def typed(self) -> AsyncIterator[int]:
        with self:
            yield 1

    async def exact(self) -> AsyncGenerator[int, None]:
        with self:
            yield 1

    def more(self) -> AsyncIterator[int]:
        return self.exact()

    @staticmethod
    async def numbers():
        try:
            yield 1
        finally:
            print(1)
";
    let main = |method: &str| {
        format!(
            "\
from pages import Source


async def main(source: Source):
    async for item in source.{method}():
        return item
"
        )
    };
    let project = project(&[("pages.py", pages), ("main.py", "")]);
    let arguments = ["--close-async-generator", "main.py"];
    for (method, reason) in [
        ("added", "there to be overridden"),
        ("kept", "may yield once more when it is closed"),
        ("shared", "is not known to be"),
        ("iterator", "is not known to be"),
        ("passed_on", "is not known to be"),
        ("more", "it is declared to be a generator"),
        ("typed", "declare it so first"),
    ] {
        project.write("main.py", main(method));
        let said = withheld(&project, &arguments);
        assert!(said.contains(reason), "{method}: {said}");
    }
    for method in ["typed_stub", "declared"] {
        project.write("main.py", main(method));
        let said = withheld(&project, &arguments);
        assert!(said.contains("it is declared to be a generator"), "{said}");
    }
    assert_eq!(
        project
            .run(["--fix", "--close-async-generator", "main.py"])
            .status,
        1
    );
    project.write("main.py", main("numbers"));
    project.run(["--fix", "--close-async-generator", "main.py"]);
    assert!(
        project
            .read("main.py")
            .contains("async with contextlib.aclosing(source.numbers()) as agen:")
    );
}

#[test]
fn what_type_checkers_would_refuse_is_not_written() {
    let pages = "from collections.abc import AsyncIterator


class Source:
    async def numbers(self) -> AsyncIterator[int]:
        with self:
            yield 1
";
    let loops = "    async for number in source.numbers():
        return number
";
    let annotated =
        format!("from pages import Source\n\n\nasync def main(source: Source) -> int:\n{loops}");
    let bare = format!("from pages import SOURCE as source\n\n\nasync def main():\n{loops}");
    let project = project(&[
        ("pages.py", &format!("{pages}\n\nSOURCE = Source()\n")),
        ("main.py", &annotated),
    ]);
    let arguments = ["--close-async-generator", "main.py"];
    let said = withheld(&project, &arguments);
    assert!(said.contains("declare it so first"), "{said}");
    // No type checker looks into a function without annotations.
    project.write("main.py", &bare);
    let said = withheld(&project, &arguments);
    assert!(said.contains("type checkers take that only"), "{said}");

    // The declaration of a method that another file overrides stays.
    let here = format!(
        "{pages}\n    async def first(self) -> int:\n        async for number in self.numbers():\n            return number\n"
    );
    project.write("pages.py", &here);
    project.write(
        "main.py",
        "from collections.abc import AsyncIterator

from pages import Source


class Other(Source):
    async def numbers(self) -> AsyncIterator[int]:
        yield 2
",
    );
    let said = withheld(&project, &["--close-async-generator", "."]);
    assert!(said.contains("declare it so first"), "{said}");
    project.write("main.py", "");
    let said = withheld(&project, &["--close-async-generator", "."]);
    assert!(said.contains("`aclosing` closes it"), "{said}");
}

#[test]
fn a_generator_of_another_file_that_has_nothing_to_clean_up_is_left_alone() {
    let pages = "from collections.abc import AsyncIterator

from elsewhere import lines


class Pages:
    def __aiter__(self):
        return self

    async def __anext__(self):
        raise StopAsyncIteration


class Source:
    async def plain(self):
        for number in range(4):
            try:
                yield number
            except ValueError:
                pass

    async def through(self):
        async for number in self.plain():
            yield number

    async def down(self):
        yield self
        async for node in self.down():
            yield node

    async def named(self, stream):
        async for number in stream:
            yield number

    async def objects(self):
        async for number in Pages():
            yield number

    async def around(self):
        async with self:
            yield 1

    async def further(self):
        async for number in self.around():
            yield number

    async def unknown(self):
        async for line in lines():
            yield line

    async def handled(self):
        try:
            yield 1
        except GeneratorExit:
            print(1)
            raise
";
    let project = project(&[("pages.py", pages), ("main.py", "")]);
    for (method, is_found) in [
        ("plain", false),
        ("through", false),
        ("down", false),
        ("named", false),
        ("objects", false),
        ("around", true),
        ("further", true),
        ("unknown", true),
        ("handled", true),
    ] {
        project.write(
            "main.py",
            format!(
                "\
from pages import Source


async def main(source: Source, stream):
    async for item in source.{method}({}):
        return item
",
                if method == "named" { "stream" } else { "" }
            ),
        );
        let said = withheld(&project, &["--close-async-generator", "main.py"]);
        assert_eq!(
            said.contains("`aclosing` closes it"),
            is_found,
            "{method}: {said}"
        );
    }
}

#[test]
fn a_method_that_blocks_is_known_by_its_receivers_type() {
    let main = "\
import asyncio

import requests
from store import Cache, Store


async def main(store: Store, cache: Cache):
    print(store.path.read_text())
    print(store.own.read_text(), store.kept.read_text())
    with store.path.open() as f:
        text = f.read()
    store.reader.start()
    store.reader.join()
    store.connection.execute('select 1')
    print(', '.join(text), cache.get('a'), cache.values.get('a'), cache.exists())
    await cache.execute('a')
";
    let store = "\
import sqlite3
import threading
from pathlib import Path


class Own(type(Path())):
    def read_text(self):
        return 'own'


class Kept(Path):
    def name_of(self):
        return self.name


class Store:
    def __init__(self, path: Path, own: Own, kept: Kept):
        self.path = path
        self.own = own
        self.kept = kept
        self.reader = threading.Thread(target=print)
        self.connection = sqlite3.connect('a.db')


class Cache:
    values: dict[str, str]

    def get(self, key): ...

    def exists(self): ...

    async def execute(self, key): ...
";
    let project = project(&[("main.py", main), ("store.py", store)]);
    let ran = project.run(["--blocking-to-thread", "--diff", "main.py"]);
    let added: Vec<&str> = ran
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix('+'))
        .collect();
    assert_eq!(
        added,
        [
            "++ b/main.py",
            "    print(await asyncio.to_thread(store.path.read_text))",
            "    print(store.own.read_text(), await asyncio.to_thread(store.kept.read_text))",
            "",
            "    def _read_file():",
            "        with store.path.open() as f:",
            "            return f.read()",
            "",
            "    text = await asyncio.to_thread(_read_file)",
            "    await asyncio.to_thread(store.reader.join)",
        ],
        "{ran:?}"
    );
    let said = withheld(&project, &["--blocking-to-thread", "main.py"]);
    assert!(said.contains("what sqlite3 makes belongs to"), "{said}");
    assert_eq!(said.matches("main.py:").count(), 5, "{said}");

    let said = withheld(&project, &["--blocking-to-thread", "--no-types", "main.py"]);
    assert_eq!(said.matches("main.py:").count(), 0, "{said}");
}

/// What derives from what is known from all files, whichever were parsed before.
#[test]
fn a_handler_in_a_base_class_counts_whatever_was_asked_before() {
    let base = "\
class Base:
    async def fetch_all(self): ...

    async def outcome(self):
        try:
            await self.fetch_all()
        except ValueError:
            pass
";
    let other = "class Other:\n    async def fetch_all(self): ...\n";
    let derived = "\
import asyncio

from middle import Middle


async def one(): ...


class Derived(Middle):
    async def fetch_all(self):
        await asyncio.gather(one(), one())
";
    let project = project(&[
        ("base.py", base),
        ("further.py", other),
        (
            "middle.py",
            "from base import Base\n\n\nclass Middle(Base):\n    pass\n",
        ),
        ("zebra.py", derived),
    ]);
    for arguments in [&["--no-types"][..], &[]] {
        let said = withheld(&project, arguments);
        assert!(said.contains("`except ValueError` in base.py:7"), "{said}");
    }
}

#[test]
fn a_file_without_a_library_may_run_under_that_of_another_file() {
    let neutral = "import os\nimport time\n\n\nasync def remove(path):\n    time.sleep(1)\n    os.remove(path)\n";
    let run = |other: &str| {
        let project = project(&[("neutral.py", neutral), ("backend.py", other)]);
        project.run(["--await-sleep", "--blocking-to-thread", "--show-withheld"])
    };
    let reason = "the file imports no asynchronous library, and another file of the project imports trio, under which `remove` may run as well";
    for other in ["import trio\n", "from trio import sleep\n"] {
        let ran = run(other);
        assert_eq!(ran.stdout.matches(reason).count(), 2, "{ran:?}");
    }
    let own_loop = "import types\n\ncoroutine = types.coroutine(print)\n";
    let ran = run(own_loop);
    let reason =
        "makes coroutines by `types.coroutine`, so that `remove` need not run under asyncio";
    assert_eq!(ran.stdout.matches(reason).count(), 2, "{ran:?}");
    for other in ["import asyncio\n", "import anyio\n"] {
        let ran = run(other);
        assert!(!ran.stdout.contains("withheld"), "{ran:?}");
        assert_eq!(ran.stdout.matches("[intended]").count(), 2, "{ran:?}");
    }
}

#[test]
fn what_a_platform_decides_is_bound_in_several_places() {
    let project = project(&[(
        "app.py",
        "import sys\n\nif sys.platform == \"win32\":\n\n    async def beep():\n        print()\n\nelse:\n\n    def beep():\n        print()\n\n\nasync def main():\n    beep()\n",
    )]);
    let ran = project.run(["--await-coroutine", "--show-withheld"]);
    assert!(
        ran.stdout.contains("`beep` is bound in several places"),
        "{ran:?}"
    );
}
