//! `time.sleep(x)` => `await asyncio.sleep(x)`

use engine::{Codemod, Context, On, Refusal, Verdict};
use python::ast::{ExprCall, PythonVersion};

pub const CODEMOD: Codemod = Codemod {
    name: "await-sleep",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: true,
    options: &[],
    on: On::Call(&["time.sleep"], rewrite),
};

fn rewrite<'a>(_cx: &Context<'a, '_>, _call: &'a ExprCall) -> Verdict {
    Err(Refusal::NotOurs)
}
