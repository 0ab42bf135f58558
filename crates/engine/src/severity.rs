//! Whether what a codemod found fails on the target version.

use python::ast::{AnyNodeRef, Expr, PythonVersion};
use python::{AwaitPlace, Module};

use crate::{Codemod, Severity};

/// What the use of something that is gone raises: `asyncio.coroutine`, `from asyncio import
/// coroutine`, `sleep(1, loop=loop)`.
const RAISED: &[&str] = &["AttributeError", "ImportError", "TypeError"];

/// An error is what fails in a notebook, and what the target version removed, unless the code around it is prepared for that:
/// by a handler, or in a branch for some versions.
pub fn severity(
    module: &Module<'_>,
    codemod: &Codemod,
    node: AnyNodeRef<'_>,
    target: PythonVersion,
) -> Severity {
    if runs_loop_in_cell(module, node) {
        return Severity::Error;
    }
    let removed = codemod.dated.and_then(|dated| dated.removed);
    if removed.is_none_or(|removed| target < removed)
        || module.is_in_version_branch(node)
        || module
            .catcher(node, RAISED)
            .is_some_and(|catcher| catcher.is_exact)
    {
        return Severity::Warning;
    }
    Severity::Error
}

/// Whether a call at the top level of a notebook's cell runs a loop, although one runs there already,
/// and nothing makes that possible.
fn runs_loop_in_cell(module: &Module<'_>, node: AnyNodeRef<'_>) -> bool {
    let AnyNodeRef::ExprCall(call) = node else {
        return false;
    };
    let runs = match &*call.func {
        Expr::Attribute(method) if method.attr.as_str() == "run_until_complete" => {
            module.is_loop(&method.value)
        }
        func => module.refers_to(func, "asyncio.run"),
    };
    runs && matches!(module.await_place(node), AwaitPlace::Cell)
        && !module.source().contains("nest_asyncio")
}
