//! `async with aiohttp.ClientSession() as s` => `async with httpx.AsyncClient(...) as s`

mod arguments;
mod edits;
mod handlers;
mod module;
mod response;
mod session;

use edit::{Applicability, Edit};
use engine::{Choices, Codemod, Context, On, OptionSpec, Refusal, Rewrite, Verdict, withheld};
use python::Ranged;
use python::ast::{ExprCall, PythonVersion};

pub const CODEMOD: Codemod = Codemod {
    name: "aiohttp-to-httpx",
    page: include_str!("README.md"),
    python: PythonVersion::PY38,
    headline: false,
    rules: &[],
    dated: None,
    options: &[OptionSpec {
        name: "httpx",
        help: "whether httpx has to be among the dependencies that the project declares",
        choices: Choices::Words(&["declared", "assumed"]),
    }],
    on: &[On::Call(&["aiohttp.ClientSession"], rewrite)],
};

/// ```python
/// async with aiohttp.ClientSession() as session:
///     async with session.get(url) as response:
///         print(response.status, await response.text())
/// ```
/// =>
/// ```python
/// async with httpx.AsyncClient(follow_redirects=True, timeout=300, trust_env=False) as session:
///     response = await session.get(url)
///     print(response.status_code, response.text)
/// ```
///
/// The same requests are made, by another library, which is not the same on the wire nor in its
/// errors: hence always unsafe. The argument is that a session which is used in one function only,
/// and its responses too, are seen completely, so that every use of them is translated. It stops
/// where a use has no equal in httpx, and, because a module should not be written for two
/// libraries, with it the whole module.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let root = cx.module.id(cx.module.root());
    if cx.once("needs aiohttp", root, || module::needs_aiohttp(cx)) {
        return Err(Refusal::NotOurs); // httpx has nothing in its place
    }
    let others = || module::sessions(cx).filter(|other| !std::ptr::eq(*other, call));
    let refused = |question, refusal: fn(&Refusal) -> bool| {
        others().find(|other| {
            cx.once(question, cx.module.id(*other), || {
                decide(cx, other).is_err_and(|it| refusal(&it))
            })
        })
    };
    if refused("outside", |it| *it == Refusal::NotOurs).is_some() {
        return Err(Refusal::NotOurs); // httpx has nothing in its place
    }
    let edits = decide(cx, call)?;
    if let Some(other) = refused("withheld", |it| *it != Refusal::NotOurs) {
        let before = &cx.module.source()[..other.start().to_usize()];
        let line = before.matches('\n').count() + 1;
        return Err(withheld!(
            "the session on line {line} stays with aiohttp, and a module should not need both libraries: see the reason there"
        ));
    }
    cx.check_declared("httpx")?;
    Ok(Rewrite {
        message: "the session of aiohttp becomes a client of httpx, which has to be installed"
            .to_string(),
        applicability: Applicability::Unsafe,
        edits,
        python: None,
    })
}

/// The edits for one session, whatever the others of the module are.
fn decide<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<Vec<Edit>, Refusal> {
    let session = session::of(cx, call)?;
    module::check(cx)?;
    session::check(cx, &session)?;
    handlers::check(cx, &session)?;
    edits::of(cx, &session)
}
