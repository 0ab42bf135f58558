//! The generator function: whether it is one, and what closing its generator does.

use edit::Applicability;
use engine::{Context, Refusal, withheld};
use python::ast::{
    AnyNodeRef, ExceptHandler, ExceptHandlerExceptHandler, Expr, ExprCall, Stmt, StmtFor,
    StmtFunctionDef, StmtTry, StmtWith,
};
use python::{BindingKind, Block, Ranged, TryPart};
use types::{Aclose, Answer, Closing};

use super::declared;

/// What gives the generator.
pub(super) enum Generator<'a> {
    /// An asynchronous generator function of this file.
    Function(&'a StmtFunctionDef),
    /// One of another file, of this name.
    Elsewhere(String),
    /// A call of this name, which is declared to give one.
    Declared(String),
}

impl Generator<'_> {
    pub(super) fn name(&self) -> &str {
        match self {
            Generator::Function(function) => function.name.as_str(),
            Generator::Elsewhere(name) | Generator::Declared(name) => name,
        }
    }
}

/// What `call` gives the generator by: the asynchronous generator function that is called, or else
/// what its type says. Anything else may give an iterator that has no `aclose`.
pub(super) fn of<'a>(
    cx: &Context<'a, '_>,
    stmt: &'a StmtFor,
    call: &'a ExprCall,
) -> Result<Generator<'a>, Refusal> {
    let module = cx.module;
    let name = module.first_line(call.func.range());
    let Some(function) = module.function_definition(&call.func) else {
        if is_other(cx, call) || is_of_context(cx, call) || is_aiter(cx, call) {
            return Err(Refusal::NotOurs);
        }
        return by_type(cx, stmt, call);
    };
    if !function
        .decorator_list
        .iter()
        .all(|it| is_transparent(cx, it))
    {
        if gives_generator(cx, call) {
            return Ok(Generator::Declared(function.name.to_string()));
        }
        return Err(withheld!(
            "`{name}` is decorated, and may give an iterator without `aclose`, on which `aclosing` fails: write it by hand if there is one"
        ));
    }
    if !module.is_generator(function) {
        if function.is_async {
            return Err(Refusal::NotOurs); // a coroutine, over which no loop goes
        }
        if gives_generator(cx, call) {
            return Ok(Generator::Declared(function.name.to_string()));
        }
        if is_other(cx, call) || enters_each(stmt) {
            return Err(Refusal::NotOurs);
        }
        return Err(withheld!(
            "`{name}` is no asynchronous generator function, and `aclosing` fails on an iterator without `aclose`: write it by hand if what it returns has one"
        ));
    }
    if !function.is_async {
        return Err(Refusal::NotOurs); // a plain generator, over which no such loop goes
    }
    if is_method(cx, function) && is_abstract(cx, function) {
        return Err(withheld!(
            "`{name}` is there to be overridden, by what may have no `aclose`, without which `aclosing` fails: write it by hand if there is one"
        ));
    }
    Ok(Generator::Function(function))
}

/// The generator that a function of another file gives, as far as types say.
fn by_type<'a>(
    cx: &Context<'a, '_>,
    stmt: &'a StmtFor,
    call: &'a ExprCall,
) -> Result<Generator<'a>, Refusal> {
    let name = cx.module.first_line(call.func.range());
    if let Answer::Callee(function) = cx.callee(&call.func)
        && function.is_async
        && function.is_generator
        && !function.is_decorated
    {
        if function.closing == Closing::IsStub {
            return Err(withheld!(
                "`{name}` is there to be overridden, by what may have no `aclose`, without which `aclosing` fails: write it by hand if there is one"
            ));
        }
        if function.closing == Closing::MayYield {
            return Err(withheld!(
                "`{name}` may yield once more when it is closed, which raises `RuntimeError`: let `GeneratorExit` out of it first"
            ));
        }
        return Ok(Generator::Elsewhere(name.to_string()));
    }
    if gives_generator(cx, call) {
        return Ok(Generator::Declared(name.to_string()));
    }
    if enters_each(stmt) || is_other_by_name(cx, call) || is_plain_elsewhere(cx, call) {
        return Err(Refusal::NotOurs);
    }
    Err(withheld!(
        "`{name}` is not known to be an asynchronous generator function, and `aclosing` fails on an iterator without `aclose`: write it by hand if there is one"
    ))
}

/// Whether what a call gives is declared to have `aclose`, as a generator has it.
fn gives_generator(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    matches!(cx.closes(call), Answer::Closes(Aclose::Has))
}

/// `aiter(x)`: whoever has `x` may go on with it.
fn is_aiter(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    cx.module.builtin(&call.func) == Some("aiter")
}

/// `async for attempt in retrying(): with attempt: ...`: an object that tries something again gives
/// what is to be entered, and holds nothing itself. Those of tenacity, edgedb and gel have no
/// `aclose`.
fn enters_each(stmt: &StmtFor) -> bool {
    let Expr::Name(target) = &*stmt.target else {
        return false;
    };
    stmt.body.iter().any(|stmt| match stmt {
        Stmt::With(with) => with
            .items
            .iter()
            .any(|item| matches!(&item.context_expr, Expr::Name(name) if name.id == target.id)),
        _ => false,
    })
}

/// What by its name alone is no asynchronous generator, where its type is not known:
/// - `Retrying(...)`, `stub.Stream(request)`: an object of a class, or a call of gRPC;
/// - `channel.unary_stream("/Method")(request)`: the same call of gRPC;
/// - `client.list_blobs()`, `paginator.paginate()`: the pages of a cloud's client;
/// - `response.content.iter_chunked(1024)`: aiohttp's body of a response;
/// - `websockets.connect(url)`: a connection that is made again and again;
/// - `tqdm(generator())`: an object that counts what it is given.
///
/// None of them has `aclose`.
fn is_other_by_name(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    if let Expr::Call(made) = &*call.func {
        return called_name(made)
            .is_some_and(|name| matches!(name, "unary_stream" | "stream_stream"));
    }
    let Some(name) = called_name(call) else {
        return false;
    };
    let is_class = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.contains(|c: char| c.is_ascii_lowercase());
    let is_method = match &*call.func {
        Expr::Attribute(method) => {
            let of_body =
                matches!(&*method.value, Expr::Attribute(it) if it.attr.as_str() == "content");
            name.starts_with("list_")
                || matches!(name, "list" | "paginate")
                || of_body && matches!(name, "iter_any" | "iter_chunked" | "iter_chunks")
        }
        _ => false,
    };
    is_class
        || is_method
        || cx.module.qualified_name(&call.func).is_some_and(|name| {
            name.starts_with("websockets.") && name.ends_with(".connect")
                || name.starts_with("tqdm.")
        })
}

/// Whether the functions of this name that the project has are all plain functions of other files:
/// `def transaction(self): return Retry(self)`. Where the type of what they give is not known, it
/// is more often an object of a class than a generator.
fn is_plain_elsewhere(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    let Some(name) = called_name(call) else {
        return false;
    };
    let plain = format!("def {name}(");
    if cx.module.source().contains(&plain) {
        return false; // whoever reads the finding has them before the eyes
    }
    let asynchronous = format!("async {plain}");
    let mentioned = cx.project_mentions_each(&[&plain, &asynchronous]);
    matches!(mentioned[..], [true, false])
}

/// `stream` of `stream()` and `client.stream()`.
fn called_name(call: &ExprCall) -> Option<&str> {
    match &*call.func {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(method) => Some(method.attr.as_str()),
        _ => None,
    }
}

/// Whether a generator function is declared to give an `AsyncIterator` or `AsyncIterable`, which has
/// no `aclose` for a type checker.
pub(super) fn is_declared_less<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    generator: &Generator<'a>,
) -> bool {
    match generator {
        Generator::Function(function) => declared::is_less(cx, function),
        Generator::Elsewhere(_) => matches!(cx.closes(call), Answer::Closes(Aclose::Undeclared)),
        Generator::Declared(_) => false,
    }
}

/// Whether a decorator leaves the function what it is, but for how it is bound.
fn is_transparent(cx: &Context<'_, '_>, decorator: &python::ast::Decorator) -> bool {
    let expr = &decorator.expression;
    matches!(expr, Expr::Name(name) if matches!(name.id.as_str(), "staticmethod" | "classmethod"))
        || cx.module.refers_to(expr, "typing.override")
        || cx.module.refers_to(expr, "typing_extensions.override")
}

/// `async with client.stream(url) as response:` around `async for line in response.lines():`: what
/// the iterator holds is the context's, which cleans up when the loop is left.
fn is_of_context<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let mut root = &*call.func;
    while let Expr::Attribute(attribute) = root {
        root = &attribute.value;
    }
    let Expr::Name(root) = root else {
        return false;
    };
    if !call.func.is_attribute_expr() {
        return false;
    }
    let is_bound = module.only_binding(root).is_some_and(|binding| {
        matches!(binding.kind, BindingKind::With(_, true))
            && module.contains(module.statement(module.node(binding.node)), call)
    });
    // `async with stream:`
    is_bound
        || module.blocks(call).into_iter().any(|block| match block {
            Block::With(with) => {
                let mut items = with.items.iter();
                with.is_async
                    && items.any(
                        |item| matches!(&item.context_expr, Expr::Name(name) if name.id == root.id),
                    )
            }
            _ => false,
        })
}

fn is_method<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    matches!(
        cx.module.parent(function),
        Some(AnyNodeRef::StmtClassDef(_))
    )
}

/// `raise NotImplementedError`, or `return`, and a `yield` that only makes it a generator.
fn is_abstract<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    let is_never = |stmt: &Stmt| match stmt {
        Stmt::If(stmt) => match &*stmt.test {
            Expr::BooleanLiteral(literal) => !literal.value,
            Expr::NumberLiteral(_) => cx.module.text(stmt.test.range()) == "0",
            _ => false,
        },
        _ => false,
    };
    let ends = |stmt: &Stmt| matches!(stmt, Stmt::Raise(_) | Stmt::Return(_));
    yields(cx, function).iter().all(|node| {
        let mut body = function.body.iter();
        let position = body.position(|stmt| cx.module.contains(stmt, *node));
        position.is_some_and(|position| {
            is_never(&function.body[position]) || function.body[..position].iter().any(ends)
        })
    })
}

/// The `yield` expressions of a generator function's own code.
fn yields<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Vec<AnyNodeRef<'a>> {
    cx.module
        .descendants(function)
        .filter(|node| matches!(node, AnyNodeRef::ExprYield(_)))
        .filter(|node| {
            let own = cx.module.function(*node);
            own.is_some_and(|own| own.range() == function.range())
        })
        .collect()
}

/// Safe where closing the generator runs none of its code.
///
/// What is only declared to give a generator may give an iterator that has no `aclose`.
pub(super) fn applicability<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    generator: &Generator<'a>,
) -> Applicability {
    let module = cx.module;
    let generator = match generator {
        Generator::Function(function) => *function,
        Generator::Elsewhere(_) => return Applicability::Intended,
        Generator::Declared(_) => return Applicability::Unsafe,
    };
    // A subclass elsewhere may have another one.
    if is_method(cx, generator) || call.func.is_attribute_expr() {
        return Applicability::Intended;
    }
    let runs_code = |node: AnyNodeRef<'a>| {
        module
            .ancestors(node)
            .take_while(|around| !around.ptr_eq(generator.into()))
            .any(|around| match around {
                AnyNodeRef::StmtTry(_) | AnyNodeRef::StmtWith(_) => true,
                AnyNodeRef::StmtFor(stmt) => stmt.is_async || is_generator(cx, &stmt.iter),
                _ => false,
            })
    };
    if yields(cx, generator).into_iter().any(runs_code) {
        Applicability::Intended
    } else {
        Applicability::Safe
    }
}

/// `for x in g():`, where `g` is a generator function of this module: it is closed, too.
fn is_generator<'a>(cx: &Context<'a, '_>, iterable: &'a Expr) -> bool {
    let function = match iterable {
        Expr::Call(call) => cx.module.function_definition(&call.func),
        _ => None,
    };
    function.is_some_and(|function| cx.module.is_generator(function))
}

/// Closing a generator raises `GeneratorExit` at its `yield`. If it yields once more then, that
/// is a `RuntimeError`, which was only logged as long as the event loop did the closing.
pub(super) fn check_closing<'a>(
    cx: &Context<'a, '_>,
    generator: &Generator<'a>,
) -> Result<(), Refusal> {
    let Generator::Function(generator) = generator else {
        return Ok(()); // its type has said so
    };
    let yields = yields(cx, generator);
    if yields
        .iter()
        .any(|node| goes_on(cx, generator, *node, &yields))
    {
        return Err(withheld!(
            "`{}` may yield once more when it is closed, which raises `RuntimeError`: let `GeneratorExit` out of it first",
            generator.name
        ));
    }
    Ok(())
}

/// Whether the generator may come to another `yield` when it is closed at this one.
fn goes_on<'a>(
    cx: &Context<'a, '_>,
    generator: &'a StmtFunctionDef,
    node: AnyNodeRef<'a>,
    yields: &[AnyNodeRef<'a>],
) -> bool {
    let module = cx.module;
    for block in module.blocks(node) {
        match block {
            Block::Try(stmt, part @ (TryPart::Body | TryPart::Else | TryPart::Handler(_))) => {
                let holds_yield = |body: &'a [Stmt]| {
                    let mut inner = yields.iter();
                    inner.any(|it| body.iter().any(|stmt| module.contains(stmt, *it)))
                };
                if holds_yield(&stmt.finalbody) {
                    return true;
                }
                if !matches!(part, TryPart::Body) {
                    continue;
                }
                let Some(handler) = closing_handler(cx, stmt) else {
                    continue;
                };
                if holds_yield(&handler.body)
                    || !ends(&handler.body) && has_next(cx, generator, stmt.into(), yields)
                {
                    return true;
                }
            }
            Block::With(with)
                if suppresses(cx, with) && has_next(cx, generator, with.into(), yields) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// Whether the generator may come to a `yield` after `stmt` is left.
fn has_next<'a>(
    cx: &Context<'a, '_>,
    generator: &'a StmtFunctionDef,
    stmt: AnyNodeRef<'a>,
    yields: &[AnyNodeRef<'a>],
) -> bool {
    let in_loop = cx
        .module
        .ancestors(stmt)
        .take_while(|around| !around.ptr_eq(generator.into()))
        .any(|around| matches!(around, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_)));
    in_loop || yields.iter().any(|node| node.start() >= stmt.end())
}

/// The handler of `stmt` that gets the `GeneratorExit`.
fn closing_handler<'a>(
    cx: &Context<'a, '_>,
    stmt: &'a StmtTry,
) -> Option<&'a ExceptHandlerExceptHandler> {
    stmt.handlers.iter().find_map(|handler| {
        let ExceptHandler::ExceptHandler(handler) = handler;
        let catches = match handler.type_.as_deref() {
            None => true,
            Some(expr) => is_exit(cx, expr),
        };
        catches.then_some(handler)
    })
}

/// `GeneratorExit`, `BaseException`, or a tuple with one of them.
fn is_exit<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Tuple(types) => types.elts.iter().any(|it| is_exit(cx, it)),
        _ => cx.module.qualified_name(expr).is_some_and(|name| {
            matches!(
                name.as_str(),
                "builtins.GeneratorExit" | "builtins.BaseException"
            )
        }),
    }
}

/// `with suppress(BaseException):`
fn suppresses<'a>(cx: &Context<'a, '_>, with: &'a StmtWith) -> bool {
    with.items.iter().any(|item| {
        let Expr::Call(call) = &item.context_expr else {
            return false;
        };
        cx.module.refers_to(&call.func, "contextlib.suppress")
            && call.arguments.args.iter().any(|it| is_exit(cx, it))
    })
}

/// Whether a handler always leaves the generator.
fn ends(body: &[Stmt]) -> bool {
    matches!(body.last(), Some(Stmt::Raise(_) | Stmt::Return(_)))
}

/// Whether what the call gives is by its type an object of a class, and none that may be a
/// generator: what is declared as an iterator may be one.
fn is_other(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    const MAY_BE: &[&str] = &[
        "AsyncGenerator",
        "AsyncGeneratorType",
        "AsyncIterable",
        "AsyncIterator",
    ];
    if matches!(cx.closes(call), Answer::Closes(Aclose::Lacks)) {
        return true;
    }
    cx.given(call).value().is_some_and(|value| {
        value
            .classes
            .first()
            .and_then(|class| class.rsplit('.').next())
            .is_some_and(|class| !MAY_BE.contains(&class) && class != "object")
            && !value
                .classes
                .iter()
                .any(|class| class.ends_with(".AsyncGenerator"))
    })
}
