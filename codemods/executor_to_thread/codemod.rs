//! `await loop.run_in_executor(None, f, x)` => `await asyncio.to_thread(f, x)`

use edit::{Applicability, Edit};
use engine::{Codemod, Context, Dated, Import, On, Refusal, Rewrite, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprName, PythonVersion};
use python::{BindingKind, Library, Ranged, ScopeKind};

#[path = "text.rs"]
mod text;

pub const CODEMOD: Codemod = Codemod {
    name: "executor-to-thread",
    page: include_str!("README.md"),
    python: PythonVersion::PY39,
    headline: false,
    rules: &[],
    dated: Some(Dated::SUPERSEDED),
    options: &[],
    on: &[On::Call(&[".run_in_executor"], rewrite)],
};

/// What is run, and what it is given.
struct Site<'a> {
    call: &'a ExprCall,
    executor: &'a Expr,
    function: &'a Expr,
    receiver: &'a Expr,
    /// How `to_thread` is named there.
    import: Import,
}

/// `await loop.run_in_executor(None, f, x)` => `await asyncio.to_thread(f, x)`
///
/// `to_thread` calls `run_in_executor(None, ...)` of the running loop, with a copy of the context.
/// The argument stops where the future is kept, since it runs at once and `to_thread` gives a
/// coroutine, which does not (B28); where the executor or the loop is another one; and where the
/// default executor may see what it is given.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let site = site(cx, call)?;
    let mut edits = Vec::new();
    let group = unused_loop(cx, &site);
    match group {
        // All of them or none: no one may be left behind without its loop.
        Some((sites, assignment)) => {
            for site in &sites {
                add(&mut edits, text::edits(cx, site)?);
            }
            add(&mut edits, vec![assignment]);
        }
        None => add(&mut edits, text::edits(cx, &site)?),
    }
    Ok(Rewrite {
        message: "`asyncio.to_thread` runs it in the same threads, and in the caller's context"
            .to_string(),
        applicability: Applicability::Intended,
        edits,
        python: None,
    })
}

fn add(edits: &mut Vec<Edit>, more: Vec<Edit>) {
    for edit in more {
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
}

/// The call as one that can be rewritten.
fn site<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<Site<'a>, Refusal> {
    let module = cx.module;
    let Expr::Attribute(method) = &*call.func else {
        return Err(Refusal::NotOurs);
    };
    if !matches!(module.parent(call), Some(AnyNodeRef::ExprAwait(_))) {
        return Err(Refusal::NotOurs); // a future that is kept or passed on
    }
    let keyword = |name: &str| call.arguments.find_keyword(name).map(|it| &it.value);
    let (executor, function) = match (&*call.arguments.args, call.arguments.keywords.len()) {
        ([executor, function, ..], 0) => (executor, function),
        ([executor], 1) => (executor, keyword("func").ok_or(Refusal::NotOurs)?),
        ([], 2) => keyword("executor")
            .zip(keyword("func"))
            .ok_or(Refusal::NotOurs)?,
        _ => return Err(Refusal::NotOurs), // fails today
    };
    if !executor.is_none_literal_expr() || module.library() == Library::Other {
        return Err(Refusal::NotOurs); // another executor, or one that cannot be seen
    }
    if function.is_starred_expr() {
        return Err(withheld!(
            "the function is unpacked from `{}`, which may hold none: pass it by itself",
            module.first_line(function)
        ));
    }
    cx.check_unprinted(call)?;
    if module.coroutine_function(function).is_some() {
        return Err(withheld!(
            "`{}` is a coroutine function, whose call runs nothing in a thread: await it",
            module.first_line(function)
        ));
    }
    let root = module.id(module.root());
    if cx.once("replaced", root, || is_replaced(cx)) {
        return Err(withheld!(
            "the file puts something else in the place of `run_in_executor` or of the loop, which would have no effect here: replace `asyncio.to_thread` instead"
        ));
    }
    if cx.once("executor", root, || has_own_executor(cx)) {
        return Err(withheld!(
            "`set_default_executor` may set an executor of another kind, which is given another function by `to_thread`: write `to_thread` if it sets a plain ThreadPoolExecutor"
        ));
    }
    if !is_bare(cx, &method.value) {
        return Err(withheld!(
            "`{}` may do more than to give the loop: assign it to a name first",
            module.first_line(&*method.value)
        ));
    }
    let import = cx.import_function(call, "asyncio", "to_thread")?;
    check_loop(cx, &method.value)?;
    Ok(Site {
        call,
        executor,
        function,
        receiver: &method.value,
        import,
    })
}

/// Other libraries have loops with such a method, and executors of their own: `IOLoop` of tornado.
fn check_loop<'a>(cx: &Context<'a, '_>, receiver: &'a Expr) -> Result<(), Refusal> {
    if cx.is_loop(receiver) {
        return Ok(());
    }
    Err(withheld!(
        "whether `{}` is an event loop of asyncio cannot be seen here: annotate it as `asyncio.AbstractEventLoop`, or write `asyncio.to_thread`",
        cx.module.first_line(receiver)
    ))
}

/// Whether leaving out the evaluation of the receiver changes nothing.
fn is_bare<'a>(cx: &Context<'a, '_>, receiver: &'a Expr) -> bool {
    match receiver {
        Expr::Name(_) => true,
        Expr::Attribute(attribute) => is_bare(cx, &attribute.value),
        Expr::Call(call) => call.arguments.is_empty() && cx.module.is_loop(receiver),
        _ => false,
    }
}

fn is_replaced(cx: &Context<'_, '_>) -> bool {
    ["run_in_executor", "get_event_loop", "get_running_loop"]
        .iter()
        .any(|name| cx.module.replaces("asyncio", name))
}

/// Whether the default executor may be anything else than a plain pool of threads: before Python
/// 3.11 it may be one of processes, to which a context cannot be sent, and a class of its own may
/// look at what it is given.
fn has_own_executor(cx: &Context<'_, '_>) -> bool {
    let module = cx.module;
    let mut is_set_here = false;
    for call in module.calls() {
        let Expr::Attribute(method) = &*call.func else {
            continue;
        };
        if method.attr.as_str() != "set_default_executor" {
            continue;
        }
        is_set_here = true;
        let is_plain = matches!(&*call.arguments.args, [executor] if makes_threads(cx, executor));
        if !is_plain {
            return true;
        }
    }
    !is_set_here && cx.project_mentions("set_default_executor")
}

/// `ThreadPoolExecutor(...)`, or a name that is bound to nothing else.
fn makes_threads(cx: &Context<'_, '_>, executor: &Expr) -> bool {
    match executor {
        Expr::Call(call) => [
            "concurrent.futures.ThreadPoolExecutor",
            "concurrent.futures.thread.ThreadPoolExecutor",
        ]
        .iter()
        .any(|name| cx.module.refers_to(&call.func, name)),
        Expr::Name(name) => cx.module.symbol(name).is_some_and(|symbol| {
            !symbol.bindings.is_empty()
                && symbol.bindings.iter().all(|binding| match binding.kind {
                    BindingKind::Value(value @ Expr::Call(_))
                    | BindingKind::With(value @ Expr::Call(_), false) => makes_threads(cx, value),
                    _ => false,
                })
        }),
        _ => false,
    }
}

/// `loop = asyncio.get_running_loop()` that serves only calls that are rewritten: these calls, and
/// the edit that deletes the statement.
fn unused_loop<'a>(cx: &Context<'a, '_>, site: &Site<'a>) -> Option<(Vec<Site<'a>>, Edit)> {
    let module = cx.module;
    let Expr::Name(name) = site.receiver else {
        return None;
    };
    let symbol = module.symbol(name)?;
    let [binding] = symbol.bindings.as_slice() else {
        return None;
    };
    let (ScopeKind::Function(function), BindingKind::Value(value @ Expr::Call(call))) =
        (module.scope_data(symbol.scope).kind, binding.kind)
    else {
        return None;
    };
    let gives_it = ["asyncio.get_running_loop", "asyncio.get_event_loop"]
        .iter()
        .any(|name| module.refers_to(&call.func, name));
    // In a plain function it may fail, or make a loop.
    if !gives_it
        || !call.arguments.is_empty()
        || !function.is_async
        || binding.from != symbol.scope
        || symbol.named_in_string
        || module.is_reflective(function)
    {
        return None;
    }
    let statement = module.statement(value);
    let AnyNodeRef::StmtAssign(assign) = statement else {
        return None;
    };
    if !matches!(assign.targets.as_slice(), [Expr::Name(_)])
        || assign.value.range() != value.range()
    {
        return None;
    }
    let mut sites = Vec::new();
    for read in &symbol.reads {
        let AnyNodeRef::ExprName(read) = module.node(*read) else {
            return None;
        };
        sites.push(self::site(cx, call_on(cx, read)?).ok()?);
    }
    // A call in the arguments of another one is rewritten in a later round.
    let is_nested = sites.iter().enumerate().any(|(position, site)| {
        let outer = sites.get(..position).unwrap_or_default();
        outer.iter().any(|it| module.contains(it.call, site.call))
    });
    if is_nested {
        return None;
    }
    Some((sites, text::deleted(cx, statement)?))
}

/// `name.run_in_executor(...)`
fn call_on<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> Option<&'a ExprCall> {
    let attribute = cx.module.parent(name)?;
    match (attribute, cx.module.parent(attribute)?) {
        (AnyNodeRef::ExprAttribute(method), AnyNodeRef::ExprCall(call))
            if method.attr.as_str() == "run_in_executor" && call.func.range() == method.range() =>
        {
            Some(call)
        }
        _ => None,
    }
}
