//! The list of codemods. Its order is the precedence: where two fixes meet in one place, the
//! codemod that stands first has its way, and the other is asked again about the result.
//!
//! A new codemod is a folder with `codemod.rs` (the rule) and `README.md` (its page: the contract,
//! with examples that the tests execute), and one line here.

use engine::Codemod;

macro_rules! codemods {
    ($($path:literal => $module:ident,)*) => {
        $(#[path = $path] mod $module;)*

        /// Every codemod, in the order of precedence.
        pub static ALL: &[&Codemod] = &[$(&$module::CODEMOD),*];
    };
}

codemods! {
    "gather_to_taskgroup/codemod.rs" => gather_to_taskgroup,
    "run_until_complete_to_run/codemod.rs" => run_until_complete_to_run,
    "await_sleep/codemod.rs" => await_sleep,
    "keep_task_reference/codemod.rs" => keep_task_reference,
    "reraise_cancelled/codemod.rs" => reraise_cancelled,
    "await_coroutine/codemod.rs" => await_coroutine,
}

/// The codemod of that name.
pub fn find(name: &str) -> Option<&'static Codemod> {
    ALL.iter().copied().find(|codemod| codemod.name == name)
}
