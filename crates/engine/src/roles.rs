//! What a function or a module is there for, as its names and decorators say.

use python::Module;
use python::ast::{AnyNodeRef, Expr, ExprCall, StmtFunctionDef};

/// `@click.command()`, `@app.command`, `@cli.group()`: it is called once a process.
pub fn is_command(function: &StmtFunctionDef) -> bool {
    function.decorator_list.iter().any(|decorator| {
        let decorator = match &decorator.expression {
            Expr::Call(call) => &*call.func,
            other => other,
        };
        let name = match decorator {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Name(name) => name.id.as_str(),
            _ => return false,
        };
        matches!(name, "command" | "group")
    })
}

/// Whether a function looks for a running loop, to do something else if there is one: itself, or by
/// what it asks in a condition.
pub fn asks_for_loop<'a>(module: &Module<'a>, function: &'a StmtFunctionDef) -> bool {
    looks_for_loop(module, function)
        || module.calls_in(function).iter().any(|call| {
            is_condition(module, call)
                && module
                    .function_definition(&call.func)
                    .is_some_and(|it| !it.is_async && looks_for_loop(module, it))
        })
}

/// Whether an expression decides what is done: `if f() or x:`, `y if f() else z`.
fn is_condition<'a>(module: &Module<'a>, expr: &'a ExprCall) -> bool {
    let mut within = AnyNodeRef::from(expr);
    while let Some(parent) = module.parent(within) {
        let test = match parent {
            AnyNodeRef::StmtIf(it) => &it.test,
            AnyNodeRef::StmtWhile(it) => &it.test,
            AnyNodeRef::ExprIf(it) => &it.test,
            AnyNodeRef::StmtAssert(it) => &it.test,
            AnyNodeRef::ElifElseClause(it) => match &it.test {
                Some(test) => test,
                None => return false,
            },
            _ if parent.is_statement() => return false,
            _ => {
                within = parent;
                continue;
            }
        };
        return module.contains(test, expr);
    }
    false
}

fn looks_for_loop<'a>(module: &Module<'a>, function: &'a StmtFunctionDef) -> bool {
    let asks = |name: &str| {
        matches!(
            name,
            "get_running_loop"
                | "_get_running_loop"
                | "is_running"
                | "current_task"
                | "current_async_library"
        )
    };
    module
        .calls_in(function)
        .iter()
        .any(|call| match &*call.func {
            Expr::Name(name) => asks(&name.id),
            Expr::Attribute(attribute) => asks(&attribute.attr),
            _ => false,
        })
}

/// Whether a module holds tests.
pub fn has_tests(module: &Module<'_>) -> bool {
    const FRAMEWORKS: &[&str] = &[
        "pytest",
        "unittest",
        "pytest_asyncio",
        "hypothesis",
        "asynctest",
    ];
    let imports = module.imported_symbols().any(|symbol| {
        module
            .imported_as(symbol)
            .is_some_and(|name| FRAMEWORKS.contains(&name.split('.').next().unwrap_or_default()))
    });
    // What has stand-ins is a helper of tests: `tests/mocking.py`.
    let mocks = module.imported_symbols().any(|symbol| {
        module
            .imported_as(symbol)
            .is_some_and(|name| name == "unittest.mock" || name.starts_with("unittest.mock."))
    });
    if mocks {
        return true;
    }
    let asserts = |function: &StmtFunctionDef| {
        module
            .descendants(function)
            .any(|node| matches!(node, AnyNodeRef::StmtAssert(_)))
    };
    let is_test = |node: AnyNodeRef<'_>| match node {
        AnyNodeRef::StmtFunctionDef(function) => {
            (function.name.starts_with("test_") && (imports || asserts(function)))
                || imports
                    && function.decorator_list.iter().any(|decorator| {
                        let text = module.text(&decorator.expression);
                        text.starts_with("pytest.fixture")
                            || text.starts_with("pytest_asyncio.fixture")
                    })
        }
        // `class TestLoad(ModuleTestBase)` has its tests where its base is.
        AnyNodeRef::StmtClassDef(class) => class.arguments.iter().any(|arguments| {
            arguments.args.iter().any(|base| {
                let base = module.text(base);
                base.ends_with("TestCase")
                    || class.name.starts_with("Test") && base.contains("Test")
            })
        }),
        _ => false,
    };
    module.descendants(module.root()).any(is_test)
}

/// Whether a function of this name is there to clean up: `close`, `_shutdown_pool`, `on_stop`.
pub fn cleans_up(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let name = name.strip_prefix("on_").unwrap_or(name);
    let name = name.strip_prefix("async_").unwrap_or(name);
    name.split('_').next().is_some_and(names_cleanup)
}

/// Whether a word of `name` is one for cleanup.
pub fn names_cleanup(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "aclose",
        "aexit",
        "cancel",
        "clean",
        "cleanup",
        "close",
        "deregister",
        "detach",
        "disconnect",
        "dispose",
        "finalize",
        "flush",
        "kill",
        "logout",
        "release",
        "rmtree",
        "rollback",
        "shutdown",
        "stop",
        "teardown",
        "terminate",
        "unlink",
        "unregister",
        "unsubscribe",
    ];
    has_word(name, WORDS)
}

/// Whether one of these words is one of those of a name: `ttl` of `_cache_TTL`.
pub fn has_word(name: &str, words: &[&str]) -> bool {
    name.to_lowercase()
        .split('_')
        .any(|word| words.contains(&word))
}
