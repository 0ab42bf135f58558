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
        pub static ALL: &[&Codemod] = &[
            $(&$module::CODEMOD,)*
            // What the nets of the tests have to catch.
            #[cfg(feature = "wrong-codemods")] &wrong::BREAKS_SYNTAX,
            #[cfg(feature = "wrong-codemods")] &wrong::LOSES_COMMENT,
            #[cfg(feature = "wrong-codemods")] &wrong::SWAPS_STATEMENTS,
            #[cfg(feature = "wrong-codemods")] &wrong::DROPS_SLEEP,
            #[cfg(feature = "wrong-codemods")] &wrong::HIDES_FAILURE,
        ];
    };
}

/// Codemods that are wrong, which no build has but that of their own test.
#[cfg(feature = "wrong-codemods")]
#[path = "../tests/wrong_codemods/codemods.rs"]
mod wrong;

codemods! {
    // Before gather-to-taskgroup, after which no gather is left.
    "limit_concurrency/codemod.rs" => limit_concurrency,
    "gather_to_taskgroup/codemod.rs" => gather_to_taskgroup,
    "run_until_complete_to_run/codemod.rs" => run_until_complete_to_run,
    "await_sleep/codemod.rs" => await_sleep,
    "keep_task_reference/codemod.rs" => keep_task_reference,
    "await_nested_run/codemod.rs" => await_nested_run,
    "run_debug/codemod.rs" => run_debug,
    "close_async_generator/codemod.rs" => close_async_generator,
    "aiohttp_to_httpx/codemod.rs" => aiohttp_to_httpx,
    "requests_to_httpx/codemod.rs" => requests_to_httpx,
    // After requests-to-httpx and await-sleep: what has an asynchronous counterpart needs no thread.
    "blocking_to_thread/codemod.rs" => blocking_to_thread,
    "async_timeout_to_timeout/codemod.rs" => async_timeout_to_timeout,
    "wait_for_to_timeout/codemod.rs" => wait_for_to_timeout,
    "async_with/codemod.rs" => async_with,
    "builtin_timeout_error/codemod.rs" => builtin_timeout_error,
    "drop_loop_argument/codemod.rs" => drop_loop_argument,
    "ensure_future_to_create_task/codemod.rs" => ensure_future_to_create_task,
    "wait_on_tasks/codemod.rs" => wait_on_tasks,
    // Before running-loop, which would only rename the loop that it leaves without a use.
    "executor_to_thread/codemod.rs" => executor_to_thread,
    "task_to_create_task/codemod.rs" => task_to_create_task,
    "task_method_to_function/codemod.rs" => task_method_to_function,
    "running_loop/codemod.rs" => running_loop,
    "inspect_iscoroutinefunction/codemod.rs" => inspect_iscoroutinefunction,
    "coroutine_to_async_def/codemod.rs" => coroutine_to_async_def,
    "reraise_cancelled/codemod.rs" => reraise_cancelled,
    "queue_shutdown/codemod.rs" => queue_shutdown,
    "policy_to_loop_factory/codemod.rs" => policy_to_loop_factory,
    "drop_child_watcher/codemod.rs" => drop_child_watcher,
    "make_event_loop/codemod.rs" => make_event_loop,
    "await_coroutine/codemod.rs" => await_coroutine,
}

/// The codemod of that name.
pub fn find(name: &str) -> Option<&'static Codemod> {
    ALL.iter().copied().find(|codemod| codemod.name == name)
}
