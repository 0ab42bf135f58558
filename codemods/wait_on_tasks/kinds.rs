//! What `asyncio.wait` is given, and where tasks are to be made of it.

use engine::{Context, Refusal, withheld};
use python::ast::{self, AnyNodeRef, Expr, ExprCall, ExprName};
use python::{Awaitable, BindingKind, Ranged, ScopeKind, Symbol, displayed};

/// Where the tasks are made.
pub(super) enum Plan<'a> {
    /// Of these elements, where they stand.
    Elements(Vec<&'a Expr>),
    /// The same in a generator, which becomes a list: `wait` takes generators since Python 3.12.
    Generator(&'a ast::ExprGenerator),
    /// Of everything in an iterable: `[create_task(coro) for coro in iterable]`.
    All(&'a Expr),
}

/// What an element is to `wait`.
enum Kind<'a> {
    Coroutine,
    /// A task, or what nobody would take for a coroutine.
    Other,
    /// Perhaps a coroutine.
    Unknown(&'a Expr),
    /// A name of a coroutine that has other uses, which would not mean the task.
    Named(&'a ExprName),
}

pub(super) fn plan<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    given: &'a Expr,
) -> Result<Plan<'a>, Refusal> {
    match given {
        Expr::Generator(generator) => {
            let runs_later = generator.generators.iter().any(|clause| clause.is_async)
                || cx
                    .module
                    .descendants(given)
                    .any(|node| matches!(node, AnyNodeRef::ExprAwait(_)));
            if runs_later {
                return Err(Refusal::NotOurs); // asynchronous: fails in another way
            }
            coroutines(cx, vec![&generator.elt])?;
            Ok(Plan::Generator(generator))
        }
        Expr::Name(name) => of_name(cx, call, name),
        Expr::Call(inner) => {
            let is_copy = ["list", "set", "tuple"]
                .iter()
                .any(|name| cx.module.builtin(&inner.func) == Some(name));
            match &*inner.arguments.args {
                [only] if is_copy && is_display(only) => {
                    Ok(Plan::Elements(coroutines(cx, elements(only))?))
                }
                [func, ..] if cx.module.builtin(&inner.func) == Some("map") => {
                    if cx.module.coroutine_function(func).is_some() {
                        Ok(Plan::All(given))
                    } else {
                        Err(Refusal::NotOurs)
                    }
                }
                _ => by_type(cx, given),
            }
        }
        display if is_display(display) => Ok(Plan::Elements(coroutines(cx, elements(display))?)),
        _ => by_type(cx, given),
    }
}

/// Whether code stands in a branch of a choice that asks for the version: it is for the versions
/// that take coroutines.
pub(super) fn is_choice<'a>(cx: &Context<'a, '_>, node: impl Into<AnyNodeRef<'a>>) -> bool {
    let decides = |test: &'a Expr| {
        cx.module.descendants(test).any(|part| match part {
            AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str() == "version_info",
            AnyNodeRef::ExprName(name) => name.id == "version_info" || name.id.starts_with("PY"),
            _ => false,
        })
    };
    cx.module.ancestors(node).any(|ancestor| match ancestor {
        AnyNodeRef::StmtIf(stmt) => {
            let mut clauses = stmt.elif_else_clauses.iter();
            decides(&stmt.test) || clauses.any(|it| it.test.as_ref().is_some_and(decides))
        }
        AnyNodeRef::ExprIf(choice) => decides(&choice.test),
        _ => false,
    })
}

fn by_type<'a>(cx: &Context<'a, '_>, given: &'a Expr) -> Result<Plan<'a>, Refusal> {
    if gives_coroutines(cx, given) {
        Ok(Plan::All(given))
    } else {
        Err(Refusal::NotOurs)
    }
}

fn gives_coroutines<'a>(cx: &Context<'a, '_>, iterable: &'a Expr) -> bool {
    cx.element(iterable)
        .value()
        .is_some_and(|value| value.gives == types::Gives::Coroutine)
}

fn is_display(expr: &Expr) -> bool {
    displayed(expr).is_some()
}

/// The elements of a display, those of displays unpacked in it among them.
fn elements(display: &Expr) -> Vec<&Expr> {
    displayed(display)
        .into_iter()
        .flatten()
        .flat_map(|element| match element {
            Expr::Starred(starred) if is_display(&starred.value) => elements(&starred.value),
            element => vec![element],
        })
        .collect()
}

/// The coroutines among the elements.
fn coroutines<'a>(cx: &Context<'a, '_>, elements: Vec<&'a Expr>) -> Result<Vec<&'a Expr>, Refusal> {
    let mut found = Vec::new();
    let mut refusal = None;
    for element in elements {
        let because = match kind(cx, element) {
            Kind::Coroutine => {
                found.push(element);
                continue;
            }
            Kind::Other => continue,
            Kind::Named(name) => withheld!(
                "`{0}` has other uses, which would not mean the task: write `{0} = asyncio.create_task(...)` where it is made",
                name.id
            ),
            Kind::Unknown(unknown) => unknown_refusal(cx, unknown),
        };
        refusal.get_or_insert(because);
    }
    match refusal {
        Some(refusal) => Err(refusal),
        None if found.is_empty() => Err(Refusal::NotOurs),
        None => Ok(found),
    }
}

fn unknown_refusal<'a>(cx: &Context<'a, '_>, unknown: &'a Expr) -> Refusal {
    let text = cx.module.first_line(unknown);
    withheld!(
        "whether `{text}` is a coroutine cannot be seen here, which `wait` refuses since Python 3.11, and `create_task` refuses anything else: write `asyncio.create_task(...)` if it is one"
    )
}

/// What an element is. Types are asked here.
fn kind<'a>(cx: &Context<'a, '_>, element: &'a Expr) -> Kind<'a> {
    match element {
        Expr::If(choice) => match (kind(cx, &choice.body), kind(cx, &choice.orelse)) {
            (Kind::Coroutine, Kind::Coroutine) => Kind::Coroutine,
            (Kind::Other, Kind::Other) => Kind::Other,
            _ => Kind::Unknown(element),
        },
        Expr::Name(name) => match cx.awaitable(element) {
            Awaitable::Coroutine => {
                let is_only_use = cx.module.symbol(name).is_some_and(|it| it.reads.len() == 1);
                if is_only_use {
                    Kind::Coroutine
                } else {
                    Kind::Named(name)
                }
            }
            _ => Kind::Other,
        },
        Expr::Call(call) => {
            let name = match &*call.func {
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                Expr::Name(name) => name.id.as_str(),
                _ => "",
            };
            if cx.module.awaitable(element) == Awaitable::Unknown && gives_future(name) {
                return Kind::Other;
            }
            match cx.awaitable(element) {
                Awaitable::Coroutine => Kind::Coroutine,
                Awaitable::Task | Awaitable::Future => Kind::Other,
                // What has a type and is no coroutine either fails or is a future of another kind.
                Awaitable::Unknown if cx.value(element).value().is_some() => Kind::Other,
                Awaitable::Unknown => Kind::Unknown(element),
            }
        }
        _ => Kind::Other,
    }
}

/// Whether a function of that name says that it gives a task or a future: `create_task` of
/// whatever, and those that projects write around it.
fn gives_future(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "task",
        "future",
        "run_in_executor",
        "run_coroutine_threadsafe",
        "submit",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// `tasks = [f(), g()]` and then `wait(tasks)`.
fn of_name<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    name: &'a ExprName,
) -> Result<Plan<'a>, Refusal> {
    let module = cx.module;
    let given = module.id(name);
    let Some(symbol) = module.symbol(name) else {
        return Err(Refusal::NotOurs);
    };
    if let Some(display) = made_before(cx, call, symbol) {
        return Ok(Plan::Elements(coroutines(cx, elements(display))?));
    }
    let iterable = call
        .arguments
        .args
        .first()
        .or_else(|| call.arguments.find_keyword("fs").map(|it| &it.value))
        .ok_or(Refusal::NotOurs)?;
    if !holds_coroutines(cx, symbol)? && !gives_coroutines(cx, iterable) {
        return Err(Refusal::NotOurs);
    }
    for read in &symbol.reads {
        let node = module.node(*read);
        if *read != given && !is_harmless(cx, node) {
            return Err(withheld!(
                "`{}` has other uses, which would not mean the tasks: make the tasks where they are put into it",
                name.id
            ));
        }
    }
    Ok(Plan::All(iterable))
}

/// The display that a name is bound to by the statement right before the one that waits, so that
/// nothing can happen between the making of the tasks and the waiting for them.
fn made_before<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    symbol: &Symbol<'a>,
) -> Option<&'a Expr> {
    let module = cx.module;
    let mut waiting = module.statement(call);
    // `while tasks: done, tasks = await asyncio.wait(tasks)`
    if let Some((_, 0)) = module.siblings(waiting)
        && let Some(outer @ (AnyNodeRef::StmtWhile(_) | AnyNodeRef::StmtIf(_))) =
            module.parent(waiting)
    {
        let test = match outer {
            AnyNodeRef::StmtWhile(stmt) => &stmt.test,
            AnyNodeRef::StmtIf(stmt) => &stmt.test,
            _ => return None,
        };
        let is_its = matches!(&**test, Expr::Name(name)
            if module.symbol(name).is_some_and(|it| std::ptr::eq(it, symbol)));
        if !is_its
            || !module
                .siblings(waiting)?
                .0
                .iter()
                .any(|it| module.contains(it, call))
        {
            return None;
        }
        waiting = outer;
    }
    let (block, position) = module.siblings(waiting)?;
    let before = block.get(position.checked_sub(1)?)?;
    let (Expr::Name(target), value) = python::assignment(before)? else {
        return None;
    };
    if !std::ptr::eq(module.symbol(target)?, symbol)
        || !is_display(value)
        || value.is_generator_expr()
        || !is_local(cx, symbol)
    {
        return None;
    }
    // Whatever else it is bound to comes after the waiting, or does not reach it.
    let others_are_results = symbol.bindings.iter().all(|binding| match binding.kind {
        BindingKind::Value(other) if other.range() == value.range() => true,
        BindingKind::Unpacked(Expr::Await(awaited), Some(_)) => {
            matches!(&*awaited.value, Expr::Call(call) if module.refers_to(&call.func, "asyncio.wait"))
        }
        _ => false,
    });
    others_are_results.then_some(value)
}

fn is_local<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>) -> bool {
    matches!(
        cx.module.scope_data(symbol.scope).kind,
        ScopeKind::Function(_)
    ) && symbol
        .bindings
        .iter()
        .all(|binding| binding.from == symbol.scope)
}

/// Whether a local list holds coroutines only, by everything that is put into it. Withheld where
/// there are some, and others that may be none.
fn holds_coroutines<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>) -> Result<bool, Refusal> {
    let module = cx.module;
    if !is_local(cx, symbol) {
        return Ok(false);
    }
    let mut put = Vec::new();
    for binding in &symbol.bindings {
        match binding.kind {
            BindingKind::Value(value) if is_display(value) => put.extend(elements(value)),
            BindingKind::Value(Expr::Call(call))
                if call.arguments.is_empty()
                    && matches!(module.builtin(&call.func), Some("list" | "set")) => {}
            _ => return Ok(false),
        }
    }
    for read in &symbol.reads {
        let Some((method, call)) = method_call(cx, module.node(*read)) else {
            continue;
        };
        match (method, call.arguments.args.first()) {
            ("append" | "add", Some(element)) => put.push(element),
            ("extend" | "update", Some(display)) if is_display(display) => {
                put.extend(elements(display));
            }
            ("extend" | "update" | "insert", _) => return Ok(false),
            _ => {}
        }
    }
    if put.iter().any(|element| is_choice(cx, *element)) {
        return Ok(false);
    }
    let count = put.len();
    let mut known = 0;
    let mut unknown = None;
    for element in put {
        match kind(cx, element) {
            Kind::Coroutine => known += 1,
            Kind::Unknown(expr) => unknown = unknown.or(Some(expr)),
            Kind::Other | Kind::Named(_) => {}
        }
    }
    match unknown {
        Some(unknown) if known > 0 => Err(unknown_refusal(cx, unknown)),
        _ if known > 0 && known < count => Err(withheld!(
            "`{}` holds coroutines and tasks: make tasks of the coroutines where they are put into it",
            symbol.name
        )),
        _ => Ok(known > 0),
    }
}

/// `name.append(x)`
fn method_call<'a>(cx: &Context<'a, '_>, name: AnyNodeRef<'a>) -> Option<(&'a str, &'a ExprCall)> {
    let attribute = cx.module.parent(name)?;
    match (attribute, cx.module.parent(attribute)?) {
        (AnyNodeRef::ExprAttribute(method), AnyNodeRef::ExprCall(call))
            if call.func.range() == method.range() =>
        {
            Some((method.attr.as_str(), call))
        }
        _ => None,
    }
}

/// Whether a use of the list neither takes anything out of it nor gives it away: what puts in, and
/// what asks whether there is anything in it.
fn is_harmless<'a>(cx: &Context<'a, '_>, name: AnyNodeRef<'a>) -> bool {
    let module = cx.module;
    if let Some((method, _)) = method_call(cx, name) {
        return matches!(method, "append" | "add" | "clear" | "extend" | "update");
    }
    match module.parent(name) {
        Some(AnyNodeRef::StmtIf(_) | AnyNodeRef::ExprUnaryOp(_)) => true,
        Some(arguments @ AnyNodeRef::Arguments(_)) => match module.parent(arguments) {
            Some(AnyNodeRef::ExprCall(call)) => module.builtin(&call.func) == Some("len"),
            _ => false,
        },
        _ => false,
    }
}
