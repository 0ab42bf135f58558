//! A policy of event loops, which `loop_factory=` replaces: reported, never rewritten

use engine::{Codemod, Context, Dated, On, Refusal, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, PythonVersion};

pub const CODEMOD: Codemod = Codemod {
    name: "policy-to-loop-factory",
    page: include_str!("README.md"),
    python: PythonVersion::PY312,
    headline: false,
    rules: &[],
    dated: Some(Dated::removed(
        PythonVersion::PY314,
        PythonVersion {
            major: 3,
            minor: 16,
        },
    )),
    options: &[],
    on: &[
        On::Call(&["asyncio.set_event_loop_policy"], set),
        On::Call(&["asyncio.get_event_loop_policy"], got),
        On::Call(&["uvloop.install", "winloop.install"], installed),
    ],
};

/// The policies that are known, and what makes their loops.
const FACTORIES: &[(&str, &str)] = &[
    (
        "asyncio.WindowsSelectorEventLoopPolicy",
        "asyncio.SelectorEventLoop",
    ),
    (
        "asyncio.WindowsProactorEventLoopPolicy",
        "asyncio.ProactorEventLoop",
    ),
    ("uvloop.EventLoopPolicy", "uvloop.new_event_loop"),
    ("winloop.EventLoopPolicy", "winloop.new_event_loop"),
];

/// `asyncio.set_event_loop_policy(policy)`
///
/// The policy counts for every loop that the process makes afterwards, in other modules too, and
/// `loop_factory=` for one run. So nothing is rewritten.
fn set<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    let policy = match (&*call.arguments.args, &*call.arguments.keywords) {
        ([policy], []) => policy,
        ([], [keyword]) if keyword.arg.as_deref() == Some("policy") => &keyword.value,
        _ => return Err(Refusal::NotOurs), // fails today
    };
    if is_for_old_versions(cx, call) {
        return Err(Refusal::NotOurs);
    }
    let made = match policy {
        Expr::Call(made) => {
            let name = FACTORIES.iter().find(|it| is(cx, &made.func, it.0));
            if let Some((_, factory)) = name {
                return Err(recipe(cx, call, factory));
            }
            is(cx, &made.func, "asyncio.DefaultEventLoopPolicy")
        }
        _ => false,
    };
    if made || policy.is_none_literal_expr() {
        return Err(withheld!(
            "`{}` puts the default policy back, and policies are deprecated since Python 3.14 and removed in 3.16: drop it together with the call that sets another one",
            module.first_line(call)
        ));
    }
    Err(withheld!(
        "`{}` sets a policy for the whole process, and policies are deprecated since Python 3.14 and removed in 3.16: give a function that makes the policy's loops as `loop_factory=` to `asyncio.run` (Python 3.12) or `asyncio.Runner` (3.11)",
        module.first_line(call)
    ))
}

/// `uvloop.install()`
fn installed<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    if is_for_old_versions(cx, call) {
        return Err(Refusal::NotOurs);
    }
    let factory = match cx.module.qualified_name(&call.func).as_deref() {
        Some("winloop.install") => "winloop.new_event_loop",
        _ => "uvloop.new_event_loop",
    };
    Err(recipe(cx, call, factory))
}

/// `asyncio.get_event_loop_policy()`
fn got<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    if is_for_old_versions(cx, call) {
        return Err(Refusal::NotOurs);
    }
    let method = match module.parent(call) {
        Some(AnyNodeRef::ExprAttribute(method)) => method.attr.as_str(),
        _ => "",
    };
    match method {
        // A matter of drop-child-watcher.
        "get_child_watcher" | "set_child_watcher" => Err(Refusal::NotOurs),
        "get_event_loop" | "new_event_loop" | "set_event_loop" => Err(withheld!(
            "`{}` asks the policy, and policies are deprecated since Python 3.14 and removed in 3.16: `asyncio.{method}` does the same without naming it",
            module.first_line(call)
        )),
        _ => Err(withheld!(
            "`{}` reads the policy, and policies are deprecated since Python 3.14 and removed in 3.16: give `loop_factory=` to `asyncio.run` (Python 3.12) or `asyncio.Runner` (3.11) instead of setting one, and nothing has to be read or put back",
            module.first_line(call)
        )),
    }
}

fn recipe<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, factory: &str) -> Refusal {
    let module = cx.module;
    let condition = module
        .ancestors(call)
        .take_while(|ancestor| !matches!(ancestor, AnyNodeRef::StmtFunctionDef(_)))
        .any(|ancestor| matches!(ancestor, AnyNodeRef::StmtIf(_)));
    let condition = if condition {
        ", under the same condition"
    } else {
        ""
    };
    let run = main(cx);
    withheld!(
        "`{}` sets a policy for the whole process, and policies are deprecated since Python 3.14 and removed in 3.16: drop it, and write `asyncio.run({run}, loop_factory={factory})` where the program starts (Python 3.12){condition}",
        module.first_line(call)
    )
}

/// What the file runs, as far as it is one call of `asyncio.run`.
fn main(cx: &Context<'_, '_>) -> String {
    let module = cx.module;
    let mut runs = module
        .calls()
        .iter()
        .filter(|call| module.refers_to(&call.func, "asyncio.run"));
    match (runs.next(), runs.next()) {
        (Some(run), None) => match run.arguments.args.first() {
            Some(coroutine) if !module.text(coroutine).contains(['\n', '\r']) => {
                module.text(coroutine).to_string()
            }
            _ => "main()".to_string(),
        },
        _ => "main()".to_string(),
    }
}

/// Policies still are what there is in older versions.
fn is_for_old_versions<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    cx.module.is_for_versions_below(call, PythonVersion::PY314)
}

/// Whether `func` is the class `name`, which may be imported from the module that defines it.
fn is(cx: &Context<'_, '_>, func: &Expr, name: &str) -> bool {
    cx.module.qualified_name(func).is_some_and(|it| {
        it == name
            || ["asyncio.windows_events.", "asyncio.unix_events."]
                .iter()
                .any(|inner| {
                    it.strip_prefix(inner)
                        .is_some_and(|last| name.strip_prefix("asyncio.") == Some(last))
                })
    })
}
