//! What the modules of the run say of what is imported, for codemods that look there.

use crate::project::Project;

const PYPROJECT: (&str, &str) = ("pyproject.toml", "[project]\nrequires-python = '>=3.11'\n");

/// What a codemod says of the files, with what is withheld.
#[track_caller]
fn said(codemod: &str, files: &[(&str, &str)]) -> String {
    let project = Project::new(files.iter().copied().chain([PYPROJECT]));
    let ran = project.run([
        codemod,
        "--no-types",
        "--show-withheld",
        "--output-format",
        "concise",
    ]);
    assert!(ran.status < 2, "{ran:?}");
    ran.stdout
}

/// A list of calls of `fetch`, which a module of the run defines in this way.
fn fetches(function: &str) -> String {
    let main = "\
import asyncio

from client import fetch


async def load(urls):
    return await asyncio.gather(*[fetch(url) for url in urls])
";
    said(
        "--limit-concurrency",
        &[("main.py", main), ("client.py", function)],
    )
}

#[test]
fn what_waits_for_nothing_in_another_module_needs_no_limit() {
    let found = fetches("async def fetch(url):\n    return url.upper()\n");
    assert_eq!(found, "");
    let found = fetches(
        "import asyncio\n\nasync def fetch(url):\n    return await asyncio.to_thread(url.read)\n",
    );
    assert_eq!(found, "");
}

#[test]
fn what_is_limited_in_another_module_needs_no_other_limit() {
    let found = fetches(
        "semaphore = None\n\nasync def fetch(url):\n    async with semaphore:\n        return await url.get()\n",
    );
    assert_eq!(found, "");
}

#[test]
fn what_waits_sometimes_in_another_module_needs_no_limit() {
    let found = fetches(
        "import httpx\n\nasync def fetch(url):\n    if url.is_open:\n        async with httpx.AsyncClient() as client:\n            return await client.get(url)\n",
    );
    assert_eq!(found, "");
}

#[test]
fn what_is_not_seen_to_reach_anything_in_another_module_needs_no_limit() {
    let found = fetches("async def fetch(url):\n    return await url.get()\n");
    assert_eq!(found, "");
    let shared = "import httpx\n\nCLIENT = httpx.AsyncClient()\n\nasync def fetch(url):\n    return await CLIENT.get(url)\n";
    assert_eq!(fetches(shared), "");
}

/// A function that opens a connection of its own.
const OPENS: &str = "\
import httpx


async def ask(url):
    async with httpx.AsyncClient() as client:
        return await client.get(url)
";

#[test]
fn what_is_limited_on_the_way_through_modules_needs_no_other_limit() {
    let main = "import asyncio\n\nfrom client import fetch\n\n\nasync def load(urls):\n    return await asyncio.gather(*[fetch(url) for url in urls])\n";
    let client = "from asks import ask\n\nasync def fetch(url):\n    async with semaphore:\n        return await ask(url)\n";
    let found = said(
        "--limit-concurrency",
        &[("main.py", main), ("client.py", client), ("asks.py", OPENS)],
    );
    assert_eq!(found, "");
}

#[test]
fn what_opens_a_connection_through_modules_is_limited() {
    let main = "import asyncio\n\nfrom client import fetch\n\n\nasync def load(urls):\n    return await asyncio.gather(*[fetch(url) for url in urls])\n";
    let client = "async def fetch(url):\n    from asks import ask\n\n    return await ask(url)\n";
    let found = said(
        "--limit-concurrency",
        &[("main.py", main), ("client.py", client), ("asks.py", OPENS)],
    );
    assert!(
        found.contains("each reaches `httpx.AsyncClient`: a semaphore limits them"),
        "{found}"
    );
}

/// A list of calls of a method that is there to be overridden, in these modules.
fn embeds(classes: &[(&str, &str)]) -> String {
    let main = "\
import asyncio
from typing import Optional

from base import Embedder


class Index:
    def __init__(self, embedder: Optional[Embedder] = None):
        self.embedder = embedder

    async def add(self, texts):
        return await asyncio.gather(*[self.embedder.embed(text) for text in texts])
";
    let base =
        "class Embedder:\n    async def embed(self, text):\n        raise NotImplementedError\n";
    let files = [("main.py", main), ("base.py", base)];
    said(
        "--limit-concurrency",
        &files.iter().chain(classes).copied().collect::<Vec<_>>(),
    )
}

const HTTP: (&str, &str) = (
    "http.py",
    "import httpx\nfrom base import Embedder\n\nclass Http(Embedder):\n    async def embed(self, text):\n        async with httpx.AsyncClient() as client:\n            return await client.post(text)\n",
);

#[test]
fn a_method_that_is_overridden_nowhere_needs_no_limit() {
    assert_eq!(embeds(&[]), "");
    let other = "class Embedder:\n    pass\n\nclass Other(Embedder):\n    async def embed(self, text):\n        await ask(text)\n";
    assert_eq!(embeds(&[("other.py", other)]), "");
}

#[test]
fn a_method_that_is_overridden_by_what_stays_in_the_program_needs_no_limit() {
    let local = "from base import Embedder\n\nclass Local(Embedder):\n    async def embed(self, text):\n        return hash(text)\n";
    assert_eq!(embeds(&[HTTP, ("local.py", local)]), "");
    let limited = "from base import Embedder\n\nclass Local(Embedder):\n    async def embed(self, text):\n        async with self.semaphore:\n            return await self.post(text)\n";
    assert_eq!(embeds(&[HTTP, ("local.py", limited)]), "");
}

#[test]
fn a_method_that_is_overridden_mostly_by_what_is_not_seen_needs_no_limit() {
    let unseen = "from base import Embedder\n\nclass One(Embedder):\n    async def embed(self, text):\n        return await self.ask(text)\n\nclass Two(One):\n    async def embed(self, text):\n        return await self.ask(text)\n";
    assert_eq!(embeds(&[HTTP, ("unseen.py", unseen)]), "");
}

#[test]
fn a_method_that_is_overridden_by_what_opens_connections_is_limited() {
    let threads = "import asyncio\nfrom base import Embedder\n\nclass Local(Embedder):\n    async def embed(self, text):\n        return await asyncio.to_thread(hash, text)\n";
    let stands_in = "import pytest\nfrom base import Embedder\n\nclass Fake(Embedder):\n    async def embed(self, text):\n        return 1\n\n@pytest.fixture\ndef embedder():\n    return Fake()\n";
    let found = embeds(&[HTTP, ("threads.py", threads), ("fakes.py", stands_in)]);
    assert!(
        found.contains("each reaches `httpx.AsyncClient`: a semaphore limits them"),
        "{found}"
    );
}

/// A list of calls of a method of an object that this object has.
fn asks(module: &str) -> String {
    let main = "\
import asyncio

from client import Client


class Site:
    def __init__(self):
        self.client = Client()

    async def fetch(self, urls):
        return await asyncio.gather(*[self.client.api.fetch(url) for url in urls])
";
    said(
        "--limit-concurrency",
        &[("main.py", main), ("client.py", module)],
    )
}

#[test]
fn a_method_of_an_attribute_that_keeps_its_connection_needs_no_limit() {
    let kept = "import httpx\n\nclass Api:\n    def __init__(self):\n        self.http = httpx.AsyncClient()\n\n    async def fetch(self, url):\n        return await self.http.get(url)\n\nclass Client:\n    api: Api\n";
    assert_eq!(asks(kept), "");
    let sometimes = "import httpx\n\nclass Api:\n    async def fetch(self, url):\n        if url not in self.known:\n            async with httpx.AsyncClient() as http:\n                self.known[url] = await http.get(url)\n        return self.known[url]\n\nclass Client:\n    api: Api\n";
    assert_eq!(asks(sometimes), "");
}

#[test]
fn a_method_of_an_attribute_that_opens_connections_is_limited() {
    let opens = "import httpx\n\nclass Api:\n    async def fetch(self, url):\n        async with httpx.AsyncClient() as http:\n            return await http.get(url)\n\n";
    let property = "class Base:\n    @property\n    def api(self) -> Api:\n        return Api()\n\nclass Client(Base):\n    pass\n";
    // An annotation says more than what is assigned.
    let annotated =
        "class Client:\n    api: Api\n\n    def __init__(self):\n        self.api = Api.of(self)\n";
    for client in [property, annotated] {
        let found = asks(&format!("{opens}{client}"));
        assert!(
            found.contains("each reaches `httpx.AsyncClient`: a semaphore limits them"),
            "{found}"
        );
    }
}

#[test]
fn a_list_that_another_module_writes_out_needs_no_limit() {
    let main = "import asyncio\n\nfrom asks import ask\nfrom sites import urls\n\n\nasync def load():\n    return await asyncio.gather(*[ask(url) for url in urls()])\n";
    let loads = |sites: &str| {
        said(
            "--limit-concurrency",
            &[("main.py", main), ("sites.py", sites), ("asks.py", OPENS)],
        )
    };
    assert_eq!(loads("def urls():\n    return [\"a\", \"b\"]\n"), "");
    let found = loads("def urls():\n    return [url for url in open(\"urls\")]\n");
    assert!(
        found.contains("each reaches `httpx.AsyncClient`"),
        "{found}"
    );
}

/// A request of aiohttp for what another module gives.
fn requests(module: &str) -> String {
    let main = "\
import aiohttp

from routes import route


async def load():
    async with aiohttp.ClientSession() as session:
        async with session.get(route(1)) as response:
            return response.status
";
    said(
        "--aiohttp-to-httpx",
        &[("main.py", main), ("routes.py", module)],
    )
}

#[test]
fn a_url_that_another_module_may_have_made_of_yarl_is_withheld() {
    let found =
        requests("import yarl\n\ndef route(n):\n    return yarl.URL(\"http://localhost\")\n");
    assert!(
        found.contains(
            "`route(1)` may be a `yarl.URL`, which httpx does not take: write `str(...)` around it"
        ),
        "{found}"
    );
}

#[test]
fn a_url_of_a_project_without_yarl_is_text() {
    let found = requests("def route(n):\n    return \"http://localhost\"\n");
    assert!(found.contains("[unsafe]"), "{found}");
}

#[test]
fn a_function_of_another_module_that_asks_for_the_result_is_named() {
    let main = "\
import asyncio

from tasks import spawn


async def serve(connection):
    try:
        await connection.serve()
    except asyncio.CancelledError:
        return


def start(connection):
    spawn(serve(connection))
";
    let spawns = |asks: &str| {
        format!(
            "\
import asyncio


def done(task):
    {asks}


def spawn(coroutine):
    task = asyncio.create_task(coroutine)
    task.add_done_callback(done)
    return task
"
        )
    };
    let found = said(
        "--reraise-cancelled",
        &[("main.py", main), ("tasks.py", &spawns("task.result()"))],
    );
    assert!(
        found.contains("`spawn` looks at the result of the task"),
        "{found}"
    );
    let looks = "if not task.cancelled():\n        task.result()";
    let found = said(
        "--reraise-cancelled",
        &[("main.py", main), ("tasks.py", &spawns(looks))],
    );
    assert!(found.contains("lets it through"), "{found}");
}

#[test]
fn a_session_that_another_file_closes_is_silent() {
    let client = "\
import aiohttp


class Client:
    async def start(self):
        self.session = aiohttp.ClientSession()
";
    let main = |does: &str| format!("async def stop(client):\n    {does}\n");
    let found = said(
        "--async-with",
        &[
            ("client.py", client),
            ("main.py", &main("await client.session.close()")),
        ],
    );
    assert_eq!(found, "");
    let found = said(
        "--async-with",
        &[("client.py", client), ("main.py", &main("pass"))],
    );
    assert!(found.contains("`self.session` outlives"), "{found}");
}

#[test]
fn a_session_of_another_object_that_closes_it_itself_is_silent() {
    let start = "\
import httpx


async def start(agent):
    agent.graph = httpx.AsyncClient()
";
    let agent = |does: &str| {
        format!("class Agent:\n    graph = None\n\n    async def close(self):\n        {does}\n")
    };
    let found = |does| {
        said(
            "--async-with",
            &[("start.py", start), ("agent.py", &agent(does))],
        )
    };
    assert_eq!(found("await self.graph.aclose()"), "");
    let open = found("pass");
    assert!(open.contains("`agent.graph` outlives"), "{open}");
}

/// What is found of `make`, which gives a session, where another module uses it in this way.
fn keeps(uses: &str) -> String {
    let make = "\
import httpx


def make():
    client = httpx.AsyncClient()
    return client
";
    let main = format!("from make import make\n\n\n{uses}");
    said("--async-with", &[("make.py", make), ("main.py", &main)])
}

#[test]
fn a_session_that_another_file_gets_and_closes_is_silent() {
    let class = |closes: &str| {
        format!(
            "class Api:\n    def __init__(self):\n        self.http = make()\n\n    async def stop(self):\n        {closes}\n"
        )
    };
    assert_eq!(keeps(&class("await self.http.aclose()")), "");
    let open = keeps(&class("await self.http.get(\"url\")"));
    assert!(open.contains("nothing closes `client`"), "{open}");
    let entered =
        "async def main():\n    async with make() as it:\n        await it.get(\"url\")\n";
    assert_eq!(keeps(entered), "");
}

#[test]
fn a_function_of_the_same_name_in_another_file_closes_nothing() {
    let other = "def make():\n    return open(\"file\")\n\n\nasync def main():\n    async with make() as it:\n        print(it)\n";
    let found = said(
        "--async-with",
        &[
            (
                "client.py",
                "import httpx\n\n\ndef make():\n    client = httpx.AsyncClient()\n    return client\n",
            ),
            ("other.py", other),
        ],
    );
    assert!(found.contains("nothing closes `client`"), "{found}");
}

#[test]
fn a_session_that_a_class_beside_it_closes_is_silent() {
    let http = "import aiohttp\n\n\nclass Http:\n    async def start(self):\n        self.web = aiohttp.ClientSession()\n";
    let api = "from http_mixin import Http\nfrom closing import Closing\n\n\nclass Api(Http, Closing):\n    async def run(self):\n        await self.start()\n";
    let closing =
        |does: &str| format!("class Closing:\n    async def stop(self):\n        {does}\n");
    let found = |does| {
        said(
            "--async-with",
            &[
                ("http_mixin.py", http),
                ("api.py", api),
                ("closing.py", &closing(does)),
            ],
        )
    };
    assert_eq!(found("await self.web.close()"), "");
    let open = found("await self.queue.close()");
    assert!(open.contains("`self.web` outlives"), "{open}");
}

#[test]
fn a_session_that_the_base_class_is_made_with_is_silent_where_that_closes_it() {
    let api = "import httpx\n\nfrom base import Base\n\n\nclass Api(Base):\n    def __init__(self, http=None):\n        if http is None:\n            http = httpx.AsyncClient()\n        super().__init__(http)\n";
    let base = |does: &str| {
        format!(
            "class Other:\n    def __init__(self, http):\n        self.closed = http\n\n    async def stop(self):\n        await self.closed.aclose()\n\n\nclass Base:\n    def __init__(self, client):\n        self.client = client\n\n    async def stop(self):\n        {does}\n"
        )
    };
    let found = |does| said("--async-with", &[("api.py", api), ("base.py", &base(does))]);
    assert_eq!(found("await self.client.aclose()"), "");
    let open = found("await self.client.get(\"url\")");
    assert!(
        open.contains("close it there with `await http.aclose()` if it was made here"),
        "{open}"
    );
}

#[test]
fn a_fixture_that_a_test_closes_is_silent() {
    let conftest = "import aiohttp\nimport pytest\n\n\n@pytest.fixture\nasync def web():\n    session = aiohttp.ClientSession()\n    yield session\n";
    let test = |does: &str| format!("async def test_web(web):\n    {does}\n");
    let found = |does| {
        said(
            "--async-with",
            &[("conftest.py", conftest), ("test_web.py", &test(does))],
        )
    };
    assert_eq!(found("await web.close()"), "");
    let open = found("await web.get(\"url\")");
    assert!(open.contains("nothing closes `session`"), "{open}");
}

const ASKS: &str = "\
import requests


async def load(url):
    response = requests.get(url)
    return response.json()
";

#[test]
fn httpx_has_to_be_declared_where_dependencies_are() {
    let asked = |files: &[(&str, &str)], option: Option<&str>| {
        let project = Project::new([("main.py", ASKS)].iter().chain(files).copied());
        let config = option.map(|option| format!("requests-to-httpx.httpx='{option}'"));
        let config = config.iter().flat_map(|config| ["--config", config]);
        let arguments = ["--requests-to-httpx", "--unsafe-fixes", "--show-withheld"];
        project.run(arguments.into_iter().chain(config)).stdout
    };
    let lacks = ("pyproject.toml", "[project]\ndependencies = ['requests']\n");
    let said = asked(&[lacks], None);
    assert!(
        said.contains(
            "httpx is not among the dependencies that `pyproject.toml` declares: add it there, or set `requests-to-httpx.httpx = \"assumed\"`"
        ),
        "{said}"
    );
    let has = (
        "pyproject.toml",
        "[project]\ndependencies = ['requests', 'httpx>=0.27']\n",
    );
    let imports = ("other.py", "import httpx\n");
    let nothing = ("pyproject.toml", "[project]\nname = 'main'\n");
    for said in [
        asked(&[has], None),
        asked(&[lacks], Some("assumed")),
        asked(&[lacks, imports], None),
        asked(&[nothing], None),
        asked(&[], None),
    ] {
        assert!(!said.contains("declares"), "{said}");
        assert!(said.contains("a client of httpx"), "{said}");
    }
}

/// A module whose `fetch_now` runs a loop, and another one that calls it.
fn runs(calls: &str) -> String {
    let client = "\
import asyncio


async def fetch():
    return 1


def fetch_now():
    return asyncio.run(fetch())


class Client:
    def fetch_now(self):
        return asyncio.run(fetch())
";
    said(
        "--await-nested-run",
        &[("client.py", client), ("main.py", calls)],
    )
}

#[test]
fn a_loop_that_a_coroutine_of_another_file_runs_is_withheld() {
    let found = runs(
        "\
from client import fetch_now


def load():
    return fetch_now()


async def main():
    return load()
",
    );
    assert!(
        found.contains("the function `fetch_now` is reached by the coroutine `main`, main.py:9, whose event loop runs already, and fails there"),
        "{found}"
    );
}

#[test]
fn a_loop_that_may_run_where_no_other_does_is_silent() {
    for calls in [
        "async def main():\n    return await asyncio.to_thread(fetch_now)\n",
        "async def main():\n    return await asyncio.to_thread(lambda: fetch_now())\n",
        "async def main():\n    try:\n        return fetch_now()\n    except RuntimeError:\n        pass\n",
        "def load():\n    if asyncio.get_event_loop().is_running():\n        return\n    fetch_now()\n\nasync def main():\n    load()\n",
        "async def load():\n    await asyncio.sleep(0)\n\ndef main():\n    fetch_now()\n",
        "async def main(client):\n    client.fetch_now()\n",
    ] {
        let calls = format!("import asyncio\n\nfrom client import fetch_now\n\n\n{calls}");
        assert_eq!(runs(&calls), "", "{calls}");
    }
}

#[test]
fn a_session_that_another_file_enters_is_silent() {
    let make = "\
import httpx


def make_session(wrapped):
    session = httpx.AsyncClient()
    return wrapped(session)
";
    let main = |enters: &str| format!("async def fetch(make_session):\n    {enters}\n");
    let found = said(
        "--async-with",
        &[
            ("make.py", make),
            (
                "main.py",
                &main("async with make_session(list) as it: pass"),
            ),
        ],
    );
    assert_eq!(found, "");
    let found = said(
        "--async-with",
        &[("make.py", make), ("main.py", &main("pass"))],
    );
    assert!(found.contains("nothing closes `session`"), "{found}");
}
