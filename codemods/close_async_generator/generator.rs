//! The generator function: whether it is one, and what closing its generator does.

use edit::Applicability;
use engine::{Context, Refusal, withheld};
use python::ast::{
    AnyNodeRef, ExceptHandler, ExceptHandlerExceptHandler, Expr, ExprCall, Stmt, StmtFor,
    StmtFunctionDef, StmtTry, StmtWith,
};
use python::{Block, Ranged, TryPart};
use types::{Aclose, Answer, Closing};

use super::{declared, iterators};

/// What gives the generator.
pub(super) enum Generator<'a> {
    /// An asynchronous generator function of this file.
    Function(&'a StmtFunctionDef),
    /// One of another file, of this name, and whether that is a file of an installed package.
    Elsewhere(String, bool),
    /// A call of this name, which is declared to give one.
    Declared(String),
}

impl Generator<'_> {
    pub(super) fn name(&self) -> &str {
        match self {
            Generator::Function(function) => function.name.as_str(),
            Generator::Elsewhere(name, _) | Generator::Declared(name) => name,
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
    if iterators::is_aiter(call) {
        return Err(Refusal::NotOurs);
    }
    let Some(function) = module.function_definition(&call.func) else {
        if iterators::is_other(cx, call) || iterators::is_of_context(cx, call) {
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
        if iterators::is_other(cx, call) || iterators::enters_each(stmt) {
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
            if gives_generator(cx, call) {
                return Ok(Generator::Declared(name.to_string())); // what overrides it is bound to that
            }
            return Err(withheld!(
                "`{name}` is there to be overridden, by what may have no `aclose`, without which `aclosing` fails: write it by hand if there is one"
            ));
        }
        if function.closing == Closing::MayYield {
            return Err(withheld!(
                "`{name}` may yield once more when it is closed, which raises `RuntimeError`: let `GeneratorExit` out of it first"
            ));
        }
        if function.closing == Closing::RunsNothing {
            return Err(Refusal::NotOurs); // there is nothing that closing it would do
        }
        let is_installed = function.place.file.components().any(|part| {
            matches!(
                part.as_os_str().to_str(),
                Some("site-packages" | "dist-packages")
            )
        });
        return Ok(Generator::Elsewhere(name.to_string(), is_installed));
    }
    if gives_generator(cx, call) {
        return Ok(Generator::Declared(name.to_string()));
    }
    if iterators::is_of_standard_library(cx, call) {
        return Err(Refusal::NotOurs); // the loop fails, or it is no generator
    }
    if iterators::enters_each(stmt)
        || iterators::is_other_by_name(cx, call)
        || iterators::is_plain_elsewhere(cx, call)
    {
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

/// Whether a generator function is declared to give an `AsyncIterator` or `AsyncIterable`, which has
/// no `aclose` for a type checker.
pub(super) fn is_declared_less<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    generator: &Generator<'a>,
) -> bool {
    match generator {
        Generator::Function(function) => declared::is_less(cx, function),
        Generator::Elsewhere(..) => matches!(cx.closes(call), Answer::Closes(Aclose::Undeclared)),
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
        Generator::Elsewhere(..) => return Applicability::Intended,
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
