//! Whether what a codemod found fails on the target version.

use python::Module;
use python::ast::{AnyNodeRef, PythonVersion};

use crate::{Codemod, Severity};

/// What the use of something that is gone raises: `asyncio.coroutine`, `from asyncio import
/// coroutine`, `sleep(1, loop=loop)`.
const RAISED: &[&str] = &["AttributeError", "ImportError", "TypeError"];

/// An error is what the target version removed, unless the code around it is prepared for that:
/// by a handler, or in a branch for some versions.
pub fn severity(
    module: &Module<'_>,
    codemod: &Codemod,
    node: AnyNodeRef<'_>,
    target: PythonVersion,
) -> Severity {
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
