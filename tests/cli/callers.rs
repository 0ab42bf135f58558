//! Which calls in other files reach a function, where nobody knows types.

use crate::project::Project;

/// A gather in `load`, another function of that name, and `use.py`, which may call the first.
fn project(gathers: &str, user: &str) -> Project {
    let other = "async def load(): ...\n";
    Project::new([
        ("pyproject.toml", "[project]\nrequires-python = '>=3.12'\n"),
        ("pkg/__init__.py", ""),
        ("pkg/main.py", gathers),
        ("other.py", other),
        ("use.py", user),
    ])
}

const FUNCTION: &str = "\
import asyncio


async def one(): ...


async def load():
    await asyncio.gather(one(), one())
";

const METHOD: &str = "\
import asyncio


async def one(): ...


class Client(Base):
    async def load(self):
        await asyncio.gather(one(), one())
";

/// Whether a handler around a call in `use.py` withholds the rewrite of the gather.
fn reaches(gathers: &str, imports: &str, call: &str) -> bool {
    let user = format!(
        "{imports}\n\n\nasync def use(m, self):\n    try:\n        await {call}\n    except ValueError:\n        pass\n"
    );
    let project = project(gathers, &user);
    let output = project.run(["--no-types", "--show-withheld", "."]).stdout;
    let is_withheld = output.contains("`except ValueError` in use.py:");
    let is_rewritten = output.contains("[intended]");
    assert_ne!(is_withheld, is_rewritten, "{output}");
    is_withheld
}

#[test]
fn a_function_is_reached_by_the_name_of_its_module() {
    for (imports, call) in [
        ("from pkg.main import load", "load()"),
        ("from .pkg.main import load", "load()"),
        ("from pkg import load", "load()"),
        ("from pkg.main import load as l", "l()"),
        ("from pkg.main import (\n    load  # why\n    as l)", "l()"),
        ("from pkg.main \\\n    import load", "load ()"),
        ("import pkg.main", "pkg.main.load()"),
        ("import pkg.main", "(pkg.main  # f(x)\n            .load())"),
        ("import pkg.main as p", "p.load()"),
        ("from pkg import main as p", "p.load()"),
        ("from pkg import main", "main.load()"),
    ] {
        assert!(reaches(FUNCTION, imports, call), "{imports}: {call}");
    }
}

#[test]
fn a_function_is_not_reached_by_its_own_name_alone() {
    for (imports, call) in [
        ("from other import load", "load()"),
        ("import other", "other.load()"),
        ("import pkg.main", "m.load()"),
        ("from pkg.main import one", "m.load()"),
        ("def load(): ...", "load()"),
        // Inside of functions of other names, which `<locals>` is the name of neither.
        (
            "def f():\n    async def load(): ...\n    load()",
            "m.load()",
        ),
    ] {
        assert!(!reaches(FUNCTION, imports, call), "{imports}: {call}");
    }
    let inside = FUNCTION.replace(
        "async def load():\n    await",
        "def outer():\n    async def load():\n        await",
    );
    let imports = "async def f():\n    async def load(): ...\n    try:\n        await load()\n    except ValueError:\n        pass";
    assert!(!reaches(&inside, imports, "m.load()"));
}

#[test]
fn a_method_is_reached_through_its_bases() {
    let base = |header: &str| format!("{header}:\n    async def load(self): ...");
    for (header, is_reached) in [
        ("class Base", true),
        ("class Client", false),
        ("class Base(Root)", true),
        ("class Any(Protocol)", true),
        ("class Other", false),
        ("class Other(Base)", false),
    ] {
        let class = header.trim_start_matches("class ");
        let class = class.split('(').next().unwrap_or(class);
        let call = format!("{class}().load()");
        let found = reaches(METHOD, &base(header), &call);
        assert_eq!(found, is_reached, "{header}");
    }
}
