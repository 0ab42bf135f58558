//! What functions of other modules do, for blocking-to-thread: ways through calls and imports.

use crate::project::Project;

/// A coroutine that calls `load`, imported by this line.
fn handler(import: &str) -> String {
    calls(import, "load(path)")
}

fn calls(import: &str, call: &str) -> String {
    format!(
        "\
import asyncio
{import}


async def handler(path):
    return {call}
"
    )
}

/// A module whose `load` blocks.
const LOADS: &str = "\
import requests


def load(path):
    return requests.get(path).json()
";

const PYPROJECT: (&str, &str) = ("pyproject.toml", "[project]\nrequires-python = '>=3.11'\n");

/// What is said of the files, with what is withheld.
#[track_caller]
fn said(files: &[(&str, &str)]) -> String {
    let project = Project::new(files.iter().copied().chain([PYPROJECT]));
    let ran = project.run([
        "--blocking-to-thread",
        "--show-withheld",
        "--output-format",
        "concise",
    ]);
    assert!(ran.status < 2, "{ran:?}");
    ran.stdout
}

#[track_caller]
fn is_silent(files: &[(&str, &str)]) {
    let said = said(files);
    assert_eq!(said, "");
}

#[track_caller]
fn says(files: &[(&str, &str)], expected: &str) {
    let said = said(files);
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_name_that_leads_to_no_file_of_the_run_is_silent() {
    let main = handler("from other.load import load");
    is_silent(&[
        ("pkg/__init__.py", ""),
        ("pkg/main.py", &main),
        ("pkg/load.py", LOADS),
    ]);
    let main = handler("from .load import load");
    is_silent(&[("pkg/sub/main.py", &main), ("pkg/load.py", LOADS)]);
}

#[test]
fn what_is_bound_twice_is_silent() {
    let twice = format!("{LOADS}\n\nif not requests:\n    def load(path): ...\n");
    is_silent(&[
        ("main.py", &handler("from load import load")),
        ("load.py", &twice),
    ]);
    let either = "\
try:
    from load import load
except ImportError:
    from other import load
";
    is_silent(&[
        ("main.py", &handler(either)),
        ("load.py", LOADS),
        ("other.py", LOADS),
    ]);
}

#[test]
fn a_function_that_only_defines_what_blocks_is_silent() {
    let load = "\
import requests


def load(path):
    def inner():
        return requests.get(path)

    return inner
";
    is_silent(&[
        ("main.py", &handler("from load import load")),
        ("load.py", load),
    ]);
}

#[test]
fn a_pause_as_short_as_the_way_to_a_thread_is_silent() {
    let load =
        |seconds: &str| format!("import time\n\n\ndef load(path):\n    time.sleep({seconds})\n");
    let main = handler("from load import load");
    is_silent(&[("main.py", &main), ("load.py", &load("0.001"))]);
    says(
        &[("main.py", &main), ("load.py", &load("0.5"))],
        "handler -> load -> time.sleep, load.py:5",
    );
}

#[test]
fn what_blocks_only_the_first_time_is_silent() {
    let load = |code: &str| {
        format!(
            "import requests\n\n_data = None\n\n\ndef fetch(path):\n    return requests.get(path)\n\n\ndef load(path):\n    global _data\n{code}    return _data\n"
        )
    };
    let main = handler("from load import load");
    for code in [
        "    if _data is None:\n        _data = fetch(path)\n",
        "    if not _data:\n        _data = requests.get(path)\n",
        "    if _data is not None:\n        return _data\n    _data = fetch(path)\n",
    ] {
        is_silent(&[("main.py", &main), ("load.py", &load(code))]);
    }
    for code in [
        "    if path:\n        _data = fetch(path)\n",
        "    if not _data:\n        _data = fetch(path)\n    fetch(path)\n",
    ] {
        says(
            &[("main.py", &main), ("load.py", &load(code))],
            "handler -> load -> fetch -> requests.get, load.py:7",
        );
    }
}

#[test]
fn coroutines_and_decorated_functions_are_silent() {
    let load = "\
import requests
from other import in_thread


async def load(path):
    return path


@in_thread
def decorated(path):
    return requests.get(path)
";
    let main = calls(
        "from load import load, decorated",
        "(load(path), decorated(path))",
    );
    is_silent(&[("main.py", &main), ("load.py", load)]);
}

#[test]
fn modules_that_import_each_other_end() {
    let one = "from two import other\n\n\ndef load(path):\n    return other(path)\n";
    let two = "from one import load\n\n\ndef other(path):\n    return load(path)\n";
    is_silent(&[
        ("main.py", &handler("from one import load")),
        ("one.py", one),
        ("two.py", two),
    ]);
    let star = |other: &str| format!("from {other} import *\nfrom third import *\n");
    is_silent(&[
        ("main.py", &handler("from one import load")),
        ("one.py", &star("two")),
        ("two.py", &star("one")),
        ("third.py", &star("two")),
    ]);
}

#[test]
fn tests_are_silent() {
    let main = handler("import pytest\nfrom load import load")
        + "\n\nasync def test_it():\n    load('a')\n";
    is_silent(&[("test_main.py", &main), ("load.py", LOADS)]);
}

#[test]
fn what_must_stay_in_its_thread_two_modules_away_is_withheld() {
    let main = handler("from pkg.load import load");
    for (why, code) in [
        (
            "sqlite3",
            "def read(path):\n    requests.get(path)\n    sqlite3.connect(path).execute('select 1')\n",
        ),
        (
            "it holds the lock `LOCK`",
            "LOCK = threading.Lock()\n\n\ndef read(path):\n    with LOCK:\n        return requests.get(path)\n",
        ),
        (
            "belongs to the event loop's thread",
            "def read(path):\n    asyncio.get_running_loop()\n    return requests.get(path)\n",
        ),
        (
            "`read` is a generator function",
            "def read(path):\n    yield requests.get(path)\n",
        ),
    ] {
        let read = format!(
            "import asyncio\nimport sqlite3\nimport threading\n\nimport requests\n\n\n{code}"
        );
        let files = [
            ("pkg/__init__.py", ""),
            ("main.py", main.as_str()),
            (
                "pkg/load.py",
                "from .read import read\n\n\ndef load(path):\n    return read(path)\n",
            ),
            ("pkg/read.py", read.as_str()),
        ];
        let said = said(&files);
        assert!(
            said.contains("must stay in its thread: in `read` of pkg/read.py"),
            "{said}"
        );
        assert!(said.contains(why), "{said}");
        assert!(
            said.contains("handler -> load -> read -> requests.get, pkg/read.py:"),
            "{said}"
        );
    }
}

#[test]
fn what_does_not_show_makes_it_unsafe() {
    let load = "import requests\nfrom unknown import note\n\n\ndef load(path):\n    note(path)\n    return requests.get(path)\n";
    says(
        &[
            ("main.py", &handler("from load import load")),
            ("load.py", load),
        ],
        "in `load`: what `note` does there does not show [unsafe]",
    );
}

#[test]
fn classes_of_the_project_that_only_hold_data_are_known() {
    let load = "import requests\nfrom data import Data, Derived\n\n\ndef load(path):\n    return Data(requests.get(path))\n";
    let data = "\
from dataclasses import dataclass
from unknown import Base


@dataclass
class Data:
    response: object


class Derived(Base): ...
";
    let main = handler("from load import load");
    says(
        &[("main.py", &main), ("load.py", load), ("data.py", data)],
        "[intended]",
    );
    let load = load.replace("return Data(", "return Derived(");
    says(
        &[("main.py", &main), ("load.py", &load), ("data.py", data)],
        "what `Derived` does there does not show [unsafe]",
    );
}

#[test]
fn a_way_through_modules_is_shown_and_fixed() {
    let project = Project::new([
        PYPROJECT,
        ("pkg/__init__.py", ""),
        ("pkg/main.py", &handler("from .load import load")),
        (
            "pkg/load.py",
            "from pkg import read\n\n\ndef load(path):\n    return read.read(path)\n",
        ),
        ("pkg/read.py", &LOADS.replace("load", "read")),
    ]);
    let ran = project.run(["--blocking-to-thread", "--output-format", "concise"]);
    assert!(
        ran.stdout
            .contains("`load` blocks (`handler -> load -> read -> requests.get, pkg/read.py:5`)"),
        "{ran:?}"
    );
    project.run(["--blocking-to-thread", "--fix"]);
    let after = project.read("pkg/main.py");
    assert!(
        after.contains("    return await asyncio.to_thread(load, path)\n"),
        "{after}"
    );
}

#[test]
fn every_way_to_import_is_followed() {
    let shown = "-> requests.get, pkg/load.py:5";
    for (import, call) in [
        ("from pkg.load import load", "load(path)"),
        ("from pkg.load import load as fetch", "fetch(path)"),
        ("import pkg.load", "pkg.load.load(path)"),
        ("import pkg.load as l", "l.load(path)"),
        ("from pkg import load", "load.load(path)"),
        ("from pkg import again", "again(path)"),
        ("from pkg.stars import load", "load(path)"),
        ("from pkg.relative import load", "load(path)"),
    ] {
        let main = calls(import, call);
        says(
            &[
                ("main.py", &main),
                ("pkg/__init__.py", "from .load import load as again\n"),
                ("pkg/load.py", LOADS),
                ("pkg/stars.py", "from .load import *\n"),
                (
                    "pkg/relative.py",
                    "from . import load as module\n\n\ndef load(path):\n    return module.load(path)\n",
                ),
            ],
            shown,
        );
    }
}

#[test]
fn imports_start_from_src_and_from_beside_the_file() {
    says(
        &[
            ("src/pkg/__init__.py", ""),
            ("src/pkg/load.py", LOADS),
            ("src/pkg/main.py", &handler("from pkg.load import load")),
        ],
        "-> requests.get, src/pkg/load.py:5",
    );
    says(
        &[
            ("scripts/load.py", LOADS),
            ("scripts/main.py", &handler("from load import load")),
        ],
        "-> requests.get, scripts/load.py:5",
    );
}

#[test]
fn classes_that_block_when_they_are_made_are_followed() {
    let client = "\
import requests


class Client:
    def __init__(self, path):
        self.data = self.fetch(path)

    def fetch(self, path):
        return requests.get(path).json()

    @classmethod
    def make(cls, path):
        return requests.get(path)
";
    for (call, way) in [
        ("Client(path)", "handler -> Client -> fetch -> requests.get"),
        ("Client.make(path)", "handler -> make -> requests.get"),
    ] {
        let main = calls("from client import Client", call);
        says(&[("main.py", &main), ("client.py", client)], way);
    }
    is_silent(&[
        (
            "main.py",
            &calls("from client import Client", "Client.fetch(None, path)"),
        ),
        ("client.py", client),
    ]);
}

#[test]
fn the_options_of_the_other_file_hold_there() {
    let main = handler("from load import load");
    let pyproject = "[project]\nrequires-python = '>=3.11'\n[tool.asyncfix.blocking-to-thread]\nallow = ['requests.get']\n";
    let project = Project::new([
        ("pyproject.toml", pyproject),
        ("main.py", &main),
        ("load.py", LOADS),
    ]);
    let ran = project.run(["--blocking-to-thread"]);
    assert_eq!(ran.stdout, "", "{ran:?}");
}

#[test]
fn a_file_of_tests_is_left_alone_by_its_place() {
    let coroutine = handler("from load import load");
    for path in [
        "tests/helpers.py",
        "package/test/app.py",
        "conftest.py",
        "load_test.py",
    ] {
        is_silent(&[(path, &coroutine), ("load.py", LOADS)]);
    }
    says(
        &[("contest/app.py", &coroutine), ("load.py", LOADS)],
        "handler -> load -> requests.get",
    );
}

#[test]
fn what_the_way_gives_decides_in_other_modules() {
    let load = "\
import requests


def load(path, wanted=None):
    return fetch(path, wanted)


def fetch(path, wanted):
    if not wanted:
        return None
    return requests.get(path).json()
";
    is_silent(&[
        ("app.py", &handler("from load import load")),
        ("load.py", load),
    ]);
    says(
        &[
            (
                "app.py",
                &calls("from load import load", "load(path, True)"),
            ),
            ("load.py", load),
        ],
        "handler -> load -> fetch -> requests.get",
    );
    says(
        &[
            (
                "app.py",
                &calls("from load import load", "load(path, **{})"),
            ),
            ("load.py", load),
        ],
        "handler -> load -> fetch -> requests.get",
    );
}

#[test]
fn an_object_of_each_thread_is_known_in_other_modules() {
    let database = "\
from sqlalchemy.orm import scoped_session, sessionmaker


class Database:
    def __init__(self):
        self.session = scoped_session(sessionmaker())


database = Database()
";
    let load = "\
import requests

from database import database


def load(path):
    database.session.add(path)
    return requests.get(path).json()
";
    says(
        &[
            ("app.py", &handler("from load import load")),
            ("load.py", load),
            ("database.py", database),
        ],
        "each thread has a `database.session` of its own",
    );
}
