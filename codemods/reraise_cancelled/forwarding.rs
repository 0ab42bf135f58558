//! Where a handler hands the exception on.

use engine::{Context, has_word};
use python::NodeId;
use python::Ranged;
use python::ast::{AnyNodeRef, ExceptHandlerExceptHandler, Expr, ExprCall, Stmt, StmtFunctionDef};

use super::child;
use super::following::{self, Following};

/// Where the handler stores the exception or hands it to somebody else, as text.
pub fn forwarded<'a>(
    cx: &Context<'a, '_>,
    handler: &'a ExceptHandlerExceptHandler,
) -> Option<&'a str> {
    let module = cx.module;
    let mut values: Vec<AnyNodeRef<'a>> = Vec::new();
    if let Some(name) = &handler.name
        && let Some(first) = handler.body.first()
        && let Some(symbol) = module.lookup(name.as_str(), first)
    {
        let reads = symbol.reads.iter().map(|id| module.node(*id));
        values.extend(reads.filter(|read| module.contains(handler, *read)));
    }
    for call in module.calls_in(handler) {
        if module.refers_to(&call.func, "sys.exc_info") {
            values.push((*call).into());
        }
        if let Expr::Attribute(method) = &*call.func
            && method.attr.as_str() == "set_exception"
        {
            return Some(module.first_line(*call));
        }
    }
    values
        .into_iter()
        .find_map(|value| handed_on(cx, value, &mut Vec::new()))
        .map(|node| module.first_line(node))
}

/// Whether the coroutine ends when it has handed the exception on, and nobody in the module goes on
/// after it as if nothing was: it is only run as a task. Whoever has the exception then has it in the
/// place of whoever would get the cancellation.
pub fn ends_there<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    handler: &'a ExceptHandlerExceptHandler,
) -> bool {
    let following = match handler.body.last() {
        Some(Stmt::Return(stmt)) => match stmt.value.as_deref() {
            None | Some(Expr::NoneLiteral(_)) => Following::Nothing,
            Some(_) => return false, // that is for a caller
        },
        Some(last @ Stmt::Break(_)) => following::after_loop(cx, last),
        _ => following::after_try(cx, handler),
    };
    matches!(
        following,
        Following::Nothing | Following::Harmless | Following::Value(Expr::NoneLiteral(_))
    ) && is_only_task(cx, coroutine)
}

/// Whether the module gives the coroutine, or its function, to calls, and awaits it nowhere itself.
fn is_only_task<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> bool {
    let module = cx.module;
    let mut is_given = false;
    for call in module.calls() {
        if child::is_call_of(cx, coroutine, call) {
            if matches!(module.parent(*call), Some(AnyNodeRef::ExprAwait(_))) {
                return false;
            }
            is_given = true;
        }
        let mut arguments = call.arguments.args.iter();
        is_given |= arguments.any(|argument| {
            matches!(argument, Expr::Name(_) | Expr::Attribute(_))
                && child::is_function(cx, coroutine, argument)
        });
    }
    is_given
}

/// The node that stores `value`, or hands it to somebody who may.
fn handed_on<'a>(
    cx: &Context<'a, '_>,
    value: AnyNodeRef<'a>,
    seen: &mut Vec<NodeId>,
) -> Option<AnyNodeRef<'a>> {
    let module = cx.module;
    let mut child = value;
    loop {
        let parent = module.parent(child)?;
        match parent {
            AnyNodeRef::StmtReturn(_)
            | AnyNodeRef::ExprYield(_)
            | AnyNodeRef::StmtAssign(_)
            | AnyNodeRef::StmtAnnAssign(_)
            | AnyNodeRef::StmtAugAssign(_)
            | AnyNodeRef::ExprNamed(_) => return Some(parent),
            AnyNodeRef::ExprCall(call) => {
                // The function itself, not an argument: `e.with_traceback(None)`.
                if call.func.range() == child.range() {
                    return None;
                }
                return (!is_told(cx, call, value, seen)).then_some(parent);
            }
            // What holds the value, or may be it.
            AnyNodeRef::Arguments(_)
            | AnyNodeRef::Keyword(_)
            | AnyNodeRef::ExprStarred(_)
            | AnyNodeRef::ExprTuple(_)
            | AnyNodeRef::ExprList(_)
            | AnyNodeRef::ExprSet(_)
            | AnyNodeRef::ExprDict(_)
            | AnyNodeRef::ExprIf(_)
            | AnyNodeRef::ExprBoolOp(_)
            | AnyNodeRef::ExprSubscript(_) => child = parent,
            // Its text, its attributes, a comparison.
            _ => return None,
        }
    }
}

/// Whether a call only looks at its arguments, or writes them to a log.
fn is_told<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    value: AnyNodeRef<'a>,
    seen: &mut Vec<NodeId>,
) -> bool {
    const BUILTINS: &[&str] = &[
        "print",
        "str",
        "repr",
        "type",
        "isinstance",
        "issubclass",
        "format",
        "getattr",
        "hasattr",
        "id",
        "len",
        "bool",
        "ascii",
        "callable",
    ];
    const WORDS: &[&str] = &[
        "capture",
        "critical",
        "debug",
        "echo",
        "format",
        "info",
        "log",
        "logger",
        "logging",
        "print",
        "report",
        "trace",
        "traceback",
        "warn",
        "warning",
    ];
    const METHODS: &[&str] = &["error", "exception", "fatal", "success", "notice"];
    let module = cx.module;
    let last = match &*call.func {
        Expr::Name(name) if module.symbol(name).is_none() => {
            return BUILTINS.contains(&name.id.as_str());
        }
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(method) => method.attr.as_str(),
        _ => return false,
    };
    if let Some(function) = module.function_definition(&call.func) {
        return only_looks(cx, function, call, value, seen);
    }
    let library = module.qualified_name(&call.func);
    let is_library = library.is_some_and(|name| {
        ["logging.", "traceback.", "warnings.", "inspect."]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    });
    is_library
        || METHODS.contains(&last) && matches!(&*call.func, Expr::Attribute(_))
        || has_word(last, WORDS)
}

/// Whether a function of this module only looks at the argument that it is given for `value`.
fn only_looks<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    call: &'a ExprCall,
    value: AnyNodeRef<'a>,
    seen: &mut Vec<NodeId>,
) -> bool {
    let module = cx.module;
    let id = module.id(function);
    if seen.contains(&id) {
        return true;
    }
    seen.push(id);
    let skipped = usize::from(matches!(&*call.func, Expr::Attribute(_)));
    let position = call
        .arguments
        .args
        .iter()
        .position(|argument| module.contains(argument, value));
    let parameter = if let Some(position) = position {
        let mut parameters = function.parameters.iter_non_variadic_params();
        parameters
            .nth(position + skipped)
            .map(python::ast::ParameterWithDefault::name)
    } else {
        let keyword = call
            .arguments
            .keywords
            .iter()
            .find(|keyword| module.contains(*keyword, value));
        keyword.and_then(|keyword| keyword.arg.as_ref())
    };
    let (Some(parameter), Some(first)) = (parameter, function.body.first()) else {
        return false;
    };
    let Some(symbol) = module.lookup(parameter.as_str(), first) else {
        return false;
    };
    symbol
        .reads
        .iter()
        .all(|read| handed_on(cx, module.node(*read), seen).is_none())
}
