//! Child watchers, which Python 3.14 removed: reported, never rewritten

use engine::{Codemod, Context, Dated, On, Refusal, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, NodeKind, PythonVersion, StmtImportFrom};
use python::{AwaitPlace, Binding, BindingKind, Module, Ranged};

pub const CODEMOD: Codemod = Codemod {
    name: "drop-child-watcher",
    page: include_str!("README.md"),
    python: PythonVersion::PY38,
    headline: false,
    rules: &[],
    dated: Some(Dated::removed(PythonVersion::PY312, PythonVersion::PY314)),
    options: &[],
    on: &[
        On::Call(&["asyncio.set_child_watcher", ".set_child_watcher"], set),
        On::Call(&["asyncio.get_child_watcher", ".get_child_watcher"], got),
        On::Node {
            kinds: &[
                NodeKind::ExprAttribute,
                NodeKind::ExprName,
                NodeKind::StmtImportFrom,
            ],
            words: CLASSES,
            decide: class,
        },
    ],
};

const CLASSES: &[&str] = &[
    "AbstractChildWatcher",
    "FastChildWatcher",
    "MultiLoopChildWatcher",
    "PidfdChildWatcher",
    "SafeChildWatcher",
    "ThreadedChildWatcher",
];

/// `asyncio.set_child_watcher(watcher)`
///
/// Which watcher the event loop would use instead depends on version and platform, and a program
/// may have set one because of threads or signals. So nothing is rewritten.
fn set<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    check_function(cx, call, "asyncio.set_child_watcher")?;
    check(cx, call.into())?;
    Err(withheld!(
        "`{}` fails since Python 3.14, which has no child watchers: drop it, for the event loop watches its child processes itself (from Python 3.12 on as well as it can on its platform)",
        cx.module.first_line(call)
    ))
}

/// `asyncio.get_child_watcher()`
fn got<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    check_function(cx, call, "asyncio.get_child_watcher")?;
    check(cx, call.into())?;
    Err(withheld!(
        "`{}` fails since Python 3.14, which has no child watchers: wait for child processes by `asyncio.create_subprocess_exec` and `await process.wait()`, and drop what is done with the watcher",
        cx.module.first_line(call)
    ))
}

/// The class of a watcher, but where it is given to `set_child_watcher`.
fn class<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let module = cx.module;
    let name = match node {
        AnyNodeRef::StmtImportFrom(import) => return imported(cx, import),
        AnyNodeRef::ExprAttribute(attribute) => qualified(cx, &Expr::Attribute(attribute.clone())),
        AnyNodeRef::ExprName(name) => qualified(cx, &Expr::Name(name.clone())),
        _ => None,
    };
    let Some(name) = name else {
        return Err(Refusal::NotOurs); // something else of that name
    };
    if is_annotation(module, node) {
        return Err(Refusal::NotOurs); // never evaluated since Python 3.14
    }
    let given = module.ancestors(node).any(|ancestor| match ancestor {
        AnyNodeRef::ExprCall(call) => match &*call.func {
            Expr::Attribute(method) => method.attr.as_str() == "set_child_watcher",
            func => module.refers_to(func, "asyncio.set_child_watcher"),
        },
        _ => false,
    });
    if given {
        return Err(Refusal::NotOurs); // said there
    }
    check(cx, node)?;
    Err(withheld!(
        "`asyncio.{name}` does not exist since Python 3.14, which has no child watchers: drop what is done with it, for the event loop watches its child processes itself"
    ))
}

/// The import of a class that only annotations use: the import fails.
fn imported<'a>(cx: &Context<'a, '_>, import: &'a StmtImportFrom) -> Verdict {
    let module = cx.module;
    if import.level > 0
        || !matches!(
            import.module.as_deref(),
            Some("asyncio" | "asyncio.unix_events")
        )
    {
        return Err(Refusal::NotOurs);
    }
    let is_this = |binding: &Binding<'a>| {
        !binding.typing_only
            && matches!(binding.kind, BindingKind::FromImport(from, alias)
                if from.range() == import.range() && CLASSES.contains(&alias.name.as_str()))
    };
    let Some(symbol) = module
        .symbols()
        .find(|symbol| symbol.bindings.iter().any(is_this))
    else {
        return Err(Refusal::NotOurs);
    };
    let used = module.descendants(module.root()).any(|node| match node {
        AnyNodeRef::ExprName(name) => {
            !is_annotation(module, node)
                && module
                    .symbol(name)
                    .is_some_and(|seen| std::ptr::eq(seen, symbol))
        }
        _ => false,
    });
    let node = AnyNodeRef::from(import);
    let guard = module.catcher(node, &["ImportError"]);
    if used || guard.is_some_and(|guard| guard.is_exact) {
        return Err(Refusal::NotOurs); // said at its use
    }
    check(cx, node)?;
    Err(withheld!(
        "the import fails since Python 3.14, which has no child watchers: drop it, and the annotations for which it is there"
    ))
}

fn is_annotation<'a>(module: &Module<'a>, node: AnyNodeRef<'a>) -> bool {
    matches!(module.await_place(node), AwaitPlace::Annotation)
}

/// The name of the class of watchers that an expression is.
fn qualified(cx: &Context<'_, '_>, expr: &Expr) -> Option<String> {
    let name = cx.module.qualified_name(expr)?;
    let last = name
        .strip_prefix("asyncio.unix_events.")
        .or_else(|| name.strip_prefix("asyncio."))?;
    CLASSES.contains(&last).then(|| last.to_string())
}

/// The function of asyncio, or the method of what is a policy: `policy.get_child_watcher()`.
fn check_function<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, name: &str) -> Result<(), Refusal> {
    if cx.module.refers_to(&call.func, name) {
        return Ok(());
    }
    let Expr::Attribute(method) = &*call.func else {
        return Err(Refusal::NotOurs);
    };
    let is_policy = match &*method.value {
        Expr::Call(policy) => cx
            .module
            .refers_to(&policy.func, "asyncio.get_event_loop_policy"),
        Expr::Name(name) => {
            cx.module.qualified_name(&method.value).is_none() && name.id.contains("policy")
        }
        _ => false,
    };
    if is_policy {
        Ok(())
    } else {
        Err(Refusal::NotOurs) // another object's method
    }
}

/// Code for versions that have child watchers is fine as it is.
fn check<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Result<(), Refusal> {
    let module = cx.module;
    if module.is_for_versions_below(node, PythonVersion::PY314)
        || module.is_fallback(node)
        || module
            .catcher(node, &["AttributeError", "NotImplementedError"])
            .is_some_and(|catcher| catcher.is_exact)
    {
        return Err(Refusal::NotOurs);
    }
    Ok(())
}
