//! What names, calls and places mean in one module. Each snippet marks what it asks about by a
//! call of `HERE(...)`.

// A test says by its end that something is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use asyncfix_python as python;
use python::ast::{Expr, ExprCall, PythonVersion};
use python::{AwaitPlace, Awaitable, Library, Module, Parsed, parse};

fn parsed(source: &str) -> Parsed {
    parse(source, PythonVersion::PY311).expect("the snippet parses")
}

/// The marked call.
fn here<'a>(module: &Module<'a>) -> &'a ExprCall {
    module
        .calls()
        .iter()
        .find(|call| matches!(&*call.func, Expr::Name(name) if name.id == "HERE"))
        .expect("the snippet marks a call")
}

/// The argument of the marked call.
fn argument<'a>(module: &Module<'a>) -> &'a Expr {
    &here(module).arguments.args[0]
}

#[track_caller]
fn check_name(source: &str, expected: Option<&str>) {
    let parsed = parsed(source);
    let module = Module::new(source, &parsed);
    let name = module.qualified_name(argument(&module));
    assert_eq!(name.as_deref(), expected, "{source}");
    if let Some(expected) = expected {
        assert!(module.refers_to(argument(&module), expected), "{source}");
    }
}

#[test]
fn a_name_that_may_mean_something_else_is_not_known() {
    check_name("HERE(time.sleep)", None);
    check_name("import time\ntime = 1\nHERE(time.sleep)", None);
    check_name("import time\ndef f(time):\n    HERE(time.sleep)", None);
    check_name(
        "import time\ndef f():\n    HERE(time.sleep)\n    time = 1",
        None,
    );
    check_name(
        "import time\ndef f():\n    global time\n    time = 1\ndef g():\n    HERE(time.sleep)",
        None,
    );
    check_name(
        "try:\n    import time\nexcept ImportError:\n    time = None\nHERE(time.sleep)",
        None,
    );
    check_name(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import time\nHERE(time.sleep)",
        None,
    );
    check_name("def f():\n    import time\nHERE(time.sleep)", None);
    check_name("import time\n[HERE(time.sleep) for time in x]", None);
    check_name("import time\nlambda time: HERE(time.sleep)", None);
    check_name(
        "import time\nmatch x:\n    case time:\n        pass\nHERE(time.sleep)",
        None,
    );
    check_name("import time\ndel time\nHERE(time.sleep)", None);
    check_name("from m import *\nHERE(open)", None);
    check_name(
        "class C:\n    import time\n    def f(self):\n        HERE(time.sleep)",
        None,
    );
    check_name(
        "import time\n[time := 1 for x in y]\nHERE(time.sleep)",
        None,
    );
}

#[test]
fn an_import_is_known_by_whatever_name() {
    check_name("import time\nHERE(time.sleep)", Some("time.sleep"));
    check_name("import time as t\nHERE(t.sleep)", Some("time.sleep"));
    check_name("from time import sleep as s\nHERE(s)", Some("time.sleep"));
    check_name(
        "import asyncio.subprocess\nHERE(asyncio.sleep)",
        Some("asyncio.sleep"),
    );
    check_name(
        "import asyncio\nimport asyncio.events\nHERE(asyncio.sleep)",
        Some("asyncio.sleep"),
    );
    check_name(
        "from asyncio.tasks import gather\nHERE(gather)",
        Some("asyncio.gather"),
    );
    check_name(
        "import asyncio\nHERE(asyncio.tasks.gather)",
        Some("asyncio.gather"),
    );
    check_name(
        "import asyncio\nHERE(asyncio.subprocess.PIPE)",
        Some("asyncio.subprocess.PIPE"),
    );
    check_name("from .time import sleep\nHERE(sleep)", Some(".time.sleep"));
    check_name("HERE(open)", Some("builtins.open"));
    check_name(
        "def f():\n    import time\n    HERE(time.sleep)",
        Some("time.sleep"),
    );
    check_name(
        "class C:\n    import time\n    HERE(time.sleep)",
        Some("time.sleep"),
    );
    check_name(
        "def f():\n    global time\n    import time\nHERE(time.sleep)",
        Some("time.sleep"),
    );
    check_name(
        "import time\n[x for time in HERE(time.sleep)]",
        Some("time.sleep"),
    );
    check_name(
        "import time\nclass C:\n    time = 1\n    def f(self):\n        HERE(time.sleep)",
        Some("time.sleep"),
    );
    check_name(
        "from typing import TYPE_CHECKING\nimport time\nif TYPE_CHECKING:\n    import time\nHERE(time.sleep)",
        Some("time.sleep"),
    );
}

#[track_caller]
fn check_awaitable(source: &str, expected: Awaitable) {
    let parsed = parsed(source);
    let module = Module::new(source, &parsed);
    assert_eq!(module.awaitable(argument(&module)), expected, "{source}");
}

#[test]
fn what_may_be_no_coroutine_is_unknown() {
    use Awaitable::Unknown;
    check_awaitable("def f(): ...\nHERE(f())", Unknown);
    check_awaitable("@wraps\nasync def f(): ...\nHERE(f())", Unknown);
    check_awaitable("async def f():\n    yield\nHERE(f())", Unknown);
    check_awaitable("async def f(): ...\nf = g\nHERE(f())", Unknown);
    check_awaitable(
        "if x:\n    async def f(): ...\nelse:\n    async def f(): ...\nHERE(f())",
        Unknown,
    );
    check_awaitable("from m import f\nHERE(f())", Unknown);
    check_awaitable(
        "class C:\n    async def f(self): ...\n    def g(self):\n        HERE(other.f())",
        Unknown,
    );
    check_awaitable(
        "class C:\n    async def f(self): ...\n    @staticmethod\n    def g(self):\n        HERE(self.f())",
        Unknown,
    );
    check_awaitable(
        "class C:\n    async def f(self): ...\n    def g(self):\n        HERE(self.f())\nclass D(C):\n    def f(self): ...",
        Unknown,
    );
    check_awaitable(
        "class C:\n    async def f(self): ...\n    def g(self):\n        self.f = 1\n        HERE(self.f())",
        Unknown,
    );
}

#[test]
fn coroutines_tasks_and_futures_are_told_apart() {
    use Awaitable::{Coroutine, Future, Task};
    check_awaitable("async def f(): ...\nHERE(f())", Coroutine);
    check_awaitable(
        "async def f():\n    def g():\n        yield\nHERE(f())",
        Coroutine,
    );
    check_awaitable(
        "class C:\n    async def f(self): ...\n    def g(self):\n        HERE(self.f())",
        Coroutine,
    );
    check_awaitable("import asyncio\nHERE(asyncio.sleep(1))", Coroutine);
    check_awaitable(
        "import asyncio\nlock = asyncio.Lock()\nHERE(lock.acquire())",
        Coroutine,
    );
    check_awaitable(
        "import asyncio\nasync def f():\n    r, w = await asyncio.open_connection()\n    HERE(w.drain())",
        Coroutine,
    );
    check_awaitable(
        "import asyncio\nasync def f(): ...\nt = asyncio.create_task(f())\nHERE(t)",
        Task,
    );
    check_awaitable(
        "import asyncio\nasync def f(): ...\nHERE(asyncio.ensure_future(f()))",
        Task,
    );
    check_awaitable("import asyncio\nHERE(asyncio.ensure_future(x))", Future);
    check_awaitable("import asyncio\nHERE(asyncio.gather())", Future);
    check_awaitable(
        "import asyncio\nloop = asyncio.get_running_loop()\nHERE(loop.run_in_executor(None, f))",
        Future,
    );
}

/// The name of the place where `await` would have to be written.
#[track_caller]
fn check_place(source: &str, expected: &str) {
    let parsed = parsed(source);
    let module = Module::new(source, &parsed);
    let place = match module.await_place(here(&module)) {
        AwaitPlace::Coroutine(_) => "coroutine",
        AwaitPlace::NestedComprehension(_) => "nested comprehension",
        AwaitPlace::GeneratorExpression => "generator expression",
        AwaitPlace::Lambda => "lambda",
        AwaitPlace::Function(_) => "function",
        AwaitPlace::Class => "class",
        AwaitPlace::Module => "module",
        AwaitPlace::Cell => "cell",
        AwaitPlace::Annotation => "annotation",
    };
    assert_eq!(place, expected, "{source}");
}

#[test]
fn await_is_not_legal_everywhere() {
    check_place("HERE()", "module");
    check_place("def f():\n    HERE()", "function");
    check_place("async def f():\n    def g():\n        HERE()", "function");
    check_place("async def f():\n    lambda: HERE()", "lambda");
    check_place("async def f():\n    class C:\n        HERE()", "class");
    check_place(
        "async def f():\n    (HERE() for x in y)",
        "generator expression",
    );
    check_place(
        "async def f():\n    (x for x in y if HERE())",
        "generator expression",
    );
    check_place(
        "async def f():\n    (x for x in y for z in HERE())",
        "generator expression",
    );
    check_place("async def f(x: HERE()): ...", "annotation");
    check_place("async def f() -> HERE(): ...", "annotation");
}

#[test]
fn await_is_legal_in_a_coroutines_own_code() {
    check_place("async def f():\n    HERE()", "coroutine");
    check_place("def g():\n    async def f():\n        HERE()", "coroutine");
    check_place("async def f():\n    [HERE() for x in y]", "coroutine");
    check_place("async def f():\n    (x for x in HERE())", "coroutine");
    check_place(
        "async def f():\n    [[HERE() for x in y] for z in y]",
        "nested comprehension",
    );
    check_place("async def f():\n    lambda x=HERE(): x", "coroutine");
    check_place("async def f():\n    @HERE()\n    def g(): ...", "coroutine");
    check_place("async def f():\n    def g(x=HERE()): ...", "coroutine");
    check_place("async def f():\n    class C(HERE()): ...", "coroutine");
    check_place("async def f():\n    f'{HERE()}'", "coroutine");
}

#[track_caller]
fn check_library(source: &str, expected: Library) {
    let parsed = parsed(source);
    assert_eq!(Module::new(source, &parsed).library(), expected, "{source}");
}

#[test]
fn the_library_is_seen_by_the_imports() {
    check_library("", Library::Asyncio);
    check_library("import anyio, asyncio", Library::Asyncio);
    check_library("import trio", Library::Trio);
    check_library("import trio, anyio", Library::Trio);
    check_library("from anyio import sleep", Library::Anyio);
    check_library("def f():\n    import curio", Library::Curio);
    check_library("import trio\nimport asyncio.subprocess", Library::Several);
    check_library("import gevent.monkey", Library::Other);
    check_library("from twisted.internet import reactor", Library::Other);
    check_library(
        "from twisted.internet import asyncioreactor",
        Library::Asyncio,
    );
}

#[track_caller]
fn check_import(source: &str, expected: &str) {
    let parsed = parsed(source);
    let module = Module::new(source, &parsed);
    let insertion = module.import_insertion("asyncio");
    let mut text = source.to_string();
    text.insert_str(insertion.offset.to_usize(), &insertion.text);
    assert_eq!(text, expected);
}

#[test]
fn an_import_does_not_go_before_what_has_to_be_first() {
    check_import("\"\"\"Doc.\"\"\"\n", "\"\"\"Doc.\"\"\"\n\nimport asyncio\n");
    check_import(
        "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nx = 1\n",
        "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n\nimport asyncio\n\nx = 1\n",
    );
    check_import(
        "from __future__ import annotations\nimport time\n",
        "from __future__ import annotations\nimport asyncio\nimport time\n",
    );
    check_import(
        "try:\n    import m\nexcept ImportError:\n    m = None\nimport time\n",
        "try:\n    import m\nexcept ImportError:\n    m = None\nimport asyncio\nimport time\n",
    );
}

#[test]
fn an_import_takes_its_sorted_place() {
    check_import(
        "import abc\nimport time\n",
        "import abc\nimport asyncio\nimport time\n",
    );
    check_import(
        "import abc\nfrom os import path\n",
        "import abc\nimport asyncio\nfrom os import path\n",
    );
    check_import(
        "import abc\n\nimport httpx\n",
        "import abc\nimport asyncio\n\nimport httpx\n",
    );
    check_import(
        "import time\nimport abc\n",
        "import asyncio\nimport time\nimport abc\n",
    );
    check_import(
        "import abc\nfrom asyncio import sleep\nimport time\n",
        "import abc\nimport asyncio\nfrom asyncio import sleep\nimport time\n",
    );
    check_import("import httpx\n", "import asyncio\n\nimport httpx\n");
    check_import(
        "import time; import sys\n",
        "import asyncio\nimport time; import sys\n",
    );
    check_import(
        "import abc\r\nimport time\r\n",
        "import abc\r\nimport asyncio\r\nimport time\r\n",
    );
    check_import("def f(): ...\n", "import asyncio\n\n\ndef f(): ...\n");
}

#[test]
fn what_cpython_refuses_is_a_problem() {
    let problems = |source| python::problems(source, PythonVersion::PY311).len();
    assert_eq!(problems("async def f():\n    await g()\n"), 0);
    assert_eq!(
        problems("async def f():\n    [await g() for x in y]\n    f'{await g()}'\n"),
        0
    );
    assert_ne!(problems("def f():\n    await g()\n"), 0);
    assert_ne!(problems("async def f():\n    lambda: await g()\n"), 0);
    assert_ne!(problems("def f():\n    async with x:\n        pass\n"), 0);
    assert_ne!(problems("for x in y:\n    def f():\n        break\n"), 0);
    assert_ne!(problems("x = 1\nfrom __future__ import annotations\n"), 0);
    let leaves = |before: &str, statement: &str| {
        let group = "try:\n  pass\n except* ValueError:\n  ";
        python::problems(
            &format!("{before}\n {group}{statement}\n"),
            PythonVersion::PY311,
        )
        .len()
    };
    assert_ne!(leaves("while x:", "break"), 0);
    assert_ne!(leaves("while x:", "continue"), 0);
    assert_ne!(leaves("def f():", "return"), 0);
    assert_eq!(leaves("def f():", "while x: break"), 0);
    assert_eq!(leaves("def f():", "def g(): return"), 0);
}
