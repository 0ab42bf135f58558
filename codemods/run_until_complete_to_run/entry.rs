//! Who calls a function, and what else of a run needs the current loop.

use engine::is_command;
use python::ast::{AnyNodeRef, Expr, ExprCall, PythonVersion, StmtFunctionDef};
use python::{AwaitPlace, BindingKind, Module, NodeId, Ranged, ScopeId, ScopeKind};

use super::uses::{Home, in_coroutine};

/// Fixtures of pytest that have nothing to do with a loop.
const HARMLESS_FIXTURES: &[&str] = &[
    "capfd",
    "caplog",
    "capsys",
    "monkeypatch",
    "recwarn",
    "request",
    "self",
    "tmp_path",
    "tmp_path_factory",
    "tmpdir",
];

/// Whether a function is where the program, a command of it, or a test starts.
///
/// `commands` are the functions of the module that the project's metadata names as commands.
pub fn is_entry_point(
    module: &Module<'_>,
    function: &StmtFunctionDef,
    commands: &[String],
) -> bool {
    let is_free_test = is_test(module, function)
        && function.parameters.iter().all(|parameter| {
            let name = parameter.name().as_str();
            HARMLESS_FIXTURES.contains(&name) || name.contains("mock")
        });
    is_free_test
        || is_command(function)
        || is_called_once(module, function, 0)
        || is_named_command(module, function, commands)
}

/// Whether a function is a test, by its name and its place.
pub fn is_test(module: &Module<'_>, function: &StmtFunctionDef) -> bool {
    if !function.name.starts_with("test") {
        return false;
    }
    match module.parent(function) {
        Some(AnyNodeRef::ModModule(_)) => true,
        Some(AnyNodeRef::StmtClassDef(class)) => {
            let bases = class.arguments.iter().flat_map(|arguments| &arguments.args);
            class.name.starts_with("Test")
                || bases.into_iter().any(|base| {
                    module
                        .text(base)
                        .rsplit('.')
                        .next()
                        .is_some_and(|name| name.contains("Test"))
                })
        }
        _ => false,
    }
}

/// Whether a function is a command of the project, and nothing in the module calls it besides, or
/// only what runs where the module is started by itself.
fn is_named_command(module: &Module<'_>, function: &StmtFunctionDef, commands: &[String]) -> bool {
    let name = function.name.as_str();
    if function.is_async || !commands.iter().any(|command| command == name) {
        return false;
    }
    module.global(name).is_some_and(|symbol| {
        symbol.bindings.len() == 1
            && symbol.reads.len() <= 1
            && symbol
                .reads
                .iter()
                .all(|read| matches!(module.await_place(module.node(*read)), AwaitPlace::Module))
    })
}

/// Whether two functions never run in the same program, or in no order that matters: one of them
/// is a test, or they are two commands.
pub fn run_apart(module: &Module<'_>, one: Home<'_>, other: Home<'_>) -> bool {
    let (Home::Function(one), Home::Function(other)) = (one, other) else {
        return false;
    };
    is_test(module, one) || is_test(module, other) || (is_command(one) && is_command(other))
}

/// A function of the module whose one call stands at module level, or in another such function,
/// and in no loop.
fn is_called_once(module: &Module<'_>, function: &StmtFunctionDef, depth: usize) -> bool {
    if depth > 4 || function.is_async || module.is_generator(function) {
        return false;
    }
    let Some(symbol) = module.global(function.name.as_str()) else {
        return false;
    };
    let [binding] = symbol.bindings.as_slice() else {
        return false;
    };
    let is_it = matches!(binding.kind, BindingKind::Function(it) if it.range() == function.range());
    let [read] = symbol.reads.as_slice() else {
        return false;
    };
    let read = module.node(*read);
    if !is_it || !function.decorator_list.is_empty() {
        return false;
    }
    // typer.run(main), fire.Fire(main)
    let runner = super::uses::call_around(module, read).filter(|call| {
        ["typer.run", "fire.Fire", "absl.app.run", "click.command"]
            .iter()
            .any(|name| module.refers_to(&call.func, name))
    });
    let call = match (module.parent(read), runner) {
        (_, Some(call)) => call,
        (Some(AnyNodeRef::ExprCall(call)), None) if call.func.range() == read.range() => call,
        _ => return false,
    };
    if is_repeated(module, call.into(), None) {
        return false;
    }
    match module.await_place(call) {
        AwaitPlace::Module => true,
        AwaitPlace::Function(caller) => {
            is_command(caller) || is_called_once(module, caller, depth + 1)
        }
        _ => false,
    }
}

/// The outermost loop or comprehension around `node` in its function, inside of `within`.
pub fn repetition<'a>(
    module: &Module<'a>,
    node: AnyNodeRef<'a>,
    within: Option<AnyNodeRef<'a>>,
) -> Option<AnyNodeRef<'a>> {
    let mut child = node;
    let mut found = None;
    for parent in module.ancestors(node) {
        match parent {
            AnyNodeRef::StmtFunctionDef(_)
            | AnyNodeRef::StmtClassDef(_)
            | AnyNodeRef::ExprLambda(_) => break,
            _ if within.is_some_and(|within| module.contains(parent, within)) => break,
            AnyNodeRef::StmtFor(stmt) if child.range() != stmt.iter.range() => {
                found = Some(parent);
            }
            AnyNodeRef::StmtWhile(_)
            | AnyNodeRef::ExprListComp(_)
            | AnyNodeRef::ExprSetComp(_)
            | AnyNodeRef::ExprDictComp(_) => found = Some(parent),
            _ => {}
        }
        child = parent;
    }
    found
}

/// Whether `node` is evaluated more than once in one run of its function.
pub fn is_repeated<'a>(
    module: &Module<'a>,
    node: AnyNodeRef<'a>,
    within: Option<AnyNodeRef<'a>>,
) -> bool {
    repetition(module, node, within).is_some()
}

/// The functions that plain code of the module reaches, and `home`: nothing in them runs in a
/// coroutine.
fn reached<'a>(module: &Module<'a>, home: Home<'a>) -> Vec<NodeId> {
    let mut reached = Vec::new();
    if let Home::Function(function) = home {
        reached.push(module.id(function));
    }
    loop {
        let known = reached.len();
        for call in module.calls() {
            if !is_reached(module, call, &reached) {
                continue;
            }
            for function in targets(module, call) {
                let id = module.id(function);
                if !function.is_async && !reached.contains(&id) {
                    reached.push(id);
                }
            }
        }
        if reached.len() == known {
            return reached;
        }
    }
}

fn is_reached<'a>(module: &Module<'a>, call: &'a ExprCall, reached: &[NodeId]) -> bool {
    match module.await_place(call) {
        AwaitPlace::Module | AwaitPlace::Class => true,
        AwaitPlace::Function(function) => reached.contains(&module.id(function)),
        _ => false,
    }
}

/// The functions of the module that a call runs: the function itself, or what makes an instance.
fn targets<'a>(module: &Module<'a>, call: &'a ExprCall) -> Vec<&'a StmtFunctionDef> {
    if let Some(function) = module.function_definition(&call.func) {
        return vec![function];
    }
    let Expr::Name(name) = &*call.func else {
        return Vec::new();
    };
    let Some(BindingKind::Class(class)) = module.only_binding(name).map(|it| it.kind) else {
        return Vec::new();
    };
    let class = module.id(class);
    module
        .symbols()
        .filter(|symbol| matches!(symbol.name, "__init__" | "__post_init__" | "__new__"))
        .filter(|symbol| {
            matches!(module.scope_data(symbol.scope).kind, ScopeKind::Class(owner) if module.id(owner) == class)
        })
        .flat_map(|symbol| &symbol.bindings)
        .filter_map(|binding| match binding.kind {
            BindingKind::Function(function) => Some(function),
            _ => None,
        })
        .collect()
}

/// A call in plain code that needs the current loop or holds on to it, and that is not a loop
/// being asked for: `asyncio.ensure_future(...)`, `asyncio.gather(...)`, a client session.
pub fn needs_current_loop<'a>(
    module: &Module<'a>,
    home: Home<'a>,
    oldest: PythonVersion,
    except: impl Fn(&'a ExprCall) -> bool,
) -> Option<&'a ExprCall> {
    const NEED: &[&str] = &[
        "aiohttp.ClientSession",
        "aiohttp.TCPConnector",
        "aiohttp.UnixConnector",
        "asyncio.Future",
        "asyncio.Task",
        "asyncio.as_completed",
        "asyncio.ensure_future",
        "asyncio.gather",
        "asyncio.shield",
        "asyncio.wrap_future",
        "motor.motor_asyncio.AsyncIOMotorClient",
    ];
    // They took the current loop when they were made.
    const NEED_UNTIL_39: &[&str] = &[
        "asyncio.BoundedSemaphore",
        "asyncio.Condition",
        "asyncio.Event",
        "asyncio.LifoQueue",
        "asyncio.Lock",
        "asyncio.PriorityQueue",
        "asyncio.Queue",
        "asyncio.Semaphore",
    ];
    let candidates: Vec<&'a ExprCall> = module
        .calls()
        .iter()
        .copied()
        .filter(|call| {
            let last = match &*call.func {
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                // Whatever it is called here, the import tells what it is.
                Expr::Name(_) => "",
                _ => return false,
            };
            let may_be = |name: &&str| last.is_empty() || name.ends_with(last);
            if !NEED.iter().chain(NEED_UNTIL_39).any(may_be) {
                return false;
            }
            module.qualified_name(&call.func).is_some_and(|name| {
                NEED.contains(&name.as_str())
                    || (oldest < PythonVersion::PY310 && NEED_UNTIL_39.contains(&name.as_str()))
            })
        })
        .filter(|call| !except(call))
        .collect();
    if candidates.is_empty() {
        return None;
    }
    let reached = reached(module, home);
    candidates
        .into_iter()
        .find(|call| is_reached(module, call, &reached))
}

/// Whether every call of the plain function around `node` stands in a coroutine, so that a loop
/// always runs when it is evaluated.
pub fn runs_in_coroutines<'a>(module: &Module<'a>, node: AnyNodeRef<'a>) -> bool {
    let inside_async = module
        .ancestors(node)
        .any(|node| matches!(node, AnyNodeRef::StmtFunctionDef(function) if function.is_async));
    if inside_async {
        return true;
    }
    let Some(function) = module.function(node) else {
        return false;
    };
    let Some(symbol) = module.global(function.name.as_str()) else {
        return false;
    };
    let is_function = module
        .parent(function)
        .is_some_and(|parent| matches!(parent, AnyNodeRef::ModModule(_)));
    is_function
        && symbol.scope == ScopeId::MODULE
        && symbol.bindings.len() == 1
        && !symbol.reads.is_empty()
        && symbol.reads.iter().all(|read| {
            let read = module.node(*read);
            let is_call = matches!(module.parent(read), Some(AnyNodeRef::ExprCall(call)) if call.func.range() == read.range());
            is_call && in_coroutine(module, read)
        })
}
