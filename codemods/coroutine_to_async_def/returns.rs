//! What a decorated function without `yield` returns: the decorator awaited it, if it could be.

use edit::Edit;
use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprName, Stmt, StmtClassDef, StmtFunctionDef};
use python::{Awaitable, BindingKind, Block, Ranged, ScopeKind, TryPart};

use types::Gives;

use super::is_generator_based;

/// Builtins whose result nothing awaits.
const PLAIN_BUILTINS: &[&str] = &[
    "abs",
    "all",
    "any",
    "bool",
    "bytes",
    "dict",
    "enumerate",
    "float",
    "frozenset",
    "hash",
    "id",
    "int",
    "isinstance",
    "issubclass",
    "len",
    "list",
    "range",
    "repr",
    "round",
    "set",
    "sorted",
    "str",
    "tuple",
];

/// What the decorator did with a returned value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Returned {
    /// It returned it.
    Plain,
    /// It awaited it.
    Awaitable,
    /// Nothing that this module shows.
    Unknown,
}

/// The edits that await what the function returns, where the decorator did.
pub fn edits<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let own = |stmt: &'a Stmt| module.descendants(stmt);
    let returned = function
        .body
        .iter()
        .flat_map(own)
        .filter_map(|node| match node {
            AnyNodeRef::StmtReturn(stmt) => Some((node, stmt.value.as_deref()?)),
            _ => None,
        })
        .filter(|(node, _)| {
            module
                .function(*node)
                .is_some_and(|owner| module.id(owner) == module.id(function))
        });
    let mut edits = Vec::new();
    for (stmt, value) in returned {
        let text = module.first_line(value);
        let mut returned = what(cx, value);
        if returned == Returned::Unknown {
            returned = typed(cx, value);
        }
        match returned {
            Returned::Plain => {}
            Returned::Unknown => {
                return Err(withheld!(
                    "the decorator awaited what `{}` returns if it could, and whether `{text}` can be awaited cannot be seen here: write `async def` and `return` or `return await` as it has to be",
                    function.name
                ));
            }
            Returned::Awaitable => {
                if is_guarded(cx, stmt) {
                    return Err(withheld!(
                        "the decorator awaited `{text}` after the block around it was left: write `return await` where its exceptions are to be caught"
                    ));
                }
                let range = module.parenthesized(value);
                edits.push(Edit::insert(range.start(), "await "));
            }
        }
    }
    Ok(edits)
}

/// Whether leaving a block is part of what happens at a `return`.
fn is_guarded<'a>(cx: &Context<'a, '_>, stmt: AnyNodeRef<'a>) -> bool {
    cx.module.blocks(stmt).into_iter().any(|block| match block {
        Block::With(_) => true,
        Block::Try(_, TryPart::Body) => true,
        Block::Try(stmt, TryPart::Handler(_) | TryPart::Else) => !stmt.finalbody.is_empty(),
        Block::Try(_, TryPart::Finally) | Block::For(_) | Block::While(_) => false,
    })
}

/// What the decorator did with a value. Types across files are to be asked where it says
/// `Unknown`.
fn what<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Returned {
    let module = cx.module;
    match expr {
        Expr::NoneLiteral(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::BytesLiteral(_)
        | Expr::BooleanLiteral(_)
        | Expr::EllipsisLiteral(_)
        | Expr::FString(_)
        | Expr::List(_)
        | Expr::Tuple(_)
        | Expr::Dict(_)
        | Expr::Set(_)
        | Expr::ListComp(_)
        | Expr::DictComp(_)
        | Expr::SetComp(_)
        | Expr::Compare(_)
        | Expr::BinOp(_)
        | Expr::UnaryOp(_)
        | Expr::Lambda(_) => Returned::Plain,
        Expr::If(choice) => both(what(cx, &choice.body), what(cx, &choice.orelse)),
        Expr::BoolOp(choice) => choice
            .values
            .iter()
            .map(|value| what(cx, value))
            .reduce(both)
            .unwrap_or(Returned::Unknown),
        Expr::Call(call) => call_of(cx, call),
        Expr::Name(name) => match module.awaitable(expr) {
            Awaitable::Unknown if is_plain_name(cx, name) => Returned::Plain,
            Awaitable::Unknown => Returned::Unknown,
            _ => Returned::Awaitable,
        },
        _ => Returned::Unknown,
    }
}

/// What the type says, where the module does not. The decorator awaited generators, too.
fn typed<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Returned {
    let answer = cx.value(expr);
    let Some(value) = answer.value() else {
        return Returned::Unknown;
    };
    let may_be_generator = |class: &String| {
        let name = class.rsplit('.').next().unwrap_or_default();
        matches!(
            name,
            "Generator" | "GeneratorType" | "Iterator" | "Iterable"
        )
    };
    match value.gives {
        Gives::Nothing if value.classes.is_empty() => Returned::Unknown,
        Gives::Nothing if value.classes.iter().any(may_be_generator) => Returned::Unknown,
        Gives::Nothing => Returned::Plain,
        Gives::Coroutine | Gives::Task | Gives::Future | Gives::Awaitable => Returned::Awaitable,
    }
}

/// Whether all that binds a name gives it values that nothing awaits; or it is `self`, of a class
/// that has no base and no `__await__`.
fn is_plain_name<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> bool {
    let module = cx.module;
    let Some(symbol) = module.symbol(name) else {
        return false;
    };
    let is_self = || {
        let ScopeKind::Function(method) = module.scope_data(symbol.scope).kind else {
            return false;
        };
        let first = method.parameters.iter_non_variadic_params().next();
        let has_base = |class: &StmtClassDef| {
            let arguments = class.arguments.iter().flat_map(|it| it.iter_source_order());
            arguments
                .filter(|it| cx.module.text(it.range()) != "object")
                .count()
                > 0
        };
        first.is_some_and(|first| first.name().as_str() == name.id)
            && matches!(module.parent(method), Some(AnyNodeRef::StmtClassDef(class)) if !has_base(class) && !module.mentions(class, "__await__") && class.decorator_list.is_empty())
            && method
                .decorator_list
                .iter()
                .all(|it| super::is_ours(cx, it))
    };
    match symbol.bindings.as_slice() {
        [] => false,
        [binding] if matches!(binding.kind, BindingKind::Parameter) => is_self(),
        bindings => bindings.iter().all(|binding| match binding.kind {
            BindingKind::Value(value) => {
                !value.is_name_expr() && what(cx, value) == Returned::Plain
            }
            _ => false,
        }),
    }
}

/// Only where both are plain is one of them that; to await one of two takes a person.
fn both(one: Returned, other: Returned) -> Returned {
    if one == Returned::Plain && other == Returned::Plain {
        Returned::Plain
    } else {
        Returned::Unknown
    }
}

fn call_of<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Returned {
    let module = cx.module;
    if module.awaitable_call(call) != Awaitable::Unknown {
        return Returned::Awaitable;
    }
    if let Some(function) = module.function_definition(&call.func)
        && is_generator_based(cx, function)
    {
        return Returned::Awaitable;
    }
    // `"{}".format(x)`: no method of a string gives what can be awaited.
    let is_of_string = matches!(&*call.func, Expr::Attribute(method) if matches!(
        &*method.value,
        Expr::StringLiteral(_) | Expr::BytesLiteral(_) | Expr::FString(_)
    ));
    let builtin = module.builtin(&call.func);
    if is_of_string || builtin.is_some_and(|name| PLAIN_BUILTINS.contains(&name)) {
        Returned::Plain
    } else {
        Returned::Unknown
    }
}
