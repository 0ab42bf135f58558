//! What `yield from` takes and `await` does not, and who takes the function for a generator.

use engine::{Context, Refusal, withheld};
use python::BindingKind;
use python::ast::{AnyNodeRef, Expr, StmtFunctionDef};

use super::is_generator_based;

/// Builtins that give an iterable.
const ITERABLES: &[&str] = &[
    "dict",
    "enumerate",
    "filter",
    "frozenset",
    "iter",
    "list",
    "map",
    "range",
    "reversed",
    "set",
    "sorted",
    "str",
    "tuple",
    "zip",
];

/// Why `await` does not take `expr`, as far as this module shows.
pub fn plain<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<&'static str> {
    let module = cx.module;
    match expr {
        Expr::List(_)
        | Expr::Tuple(_)
        | Expr::Set(_)
        | Expr::Dict(_)
        | Expr::ListComp(_)
        | Expr::SetComp(_)
        | Expr::DictComp(_)
        | Expr::StringLiteral(_)
        | Expr::BytesLiteral(_)
        | Expr::FString(_) => Some("a plain iterable"),
        Expr::Generator(_) => Some("a generator expression"),
        Expr::Call(call) => {
            if module
                .builtin(&call.func)
                .is_some_and(|name| ITERABLES.contains(&name))
            {
                return Some("a plain iterable");
            }
            let function = module.function_definition(&call.func)?;
            let is_plain = module.is_generator(function)
                && !function.is_async
                && function.decorator_list.is_empty();
            is_plain.then_some("a plain generator")
        }
        Expr::Name(name) => module.follow(name, |binding| match binding.kind {
            BindingKind::Value(value) if !value.is_name_expr() => plain(cx, value),
            _ => None,
        })?,
        Expr::If(choice) => plain(cx, &choice.body).or_else(|| plain(cx, &choice.orelse)),
        Expr::BoolOp(choice) => choice.values.iter().find_map(|value| plain(cx, value)),
        Expr::Named(named) => plain(cx, &named.value),
        _ => None,
    }
}

/// Withheld where a call of `function` in this module is gone through like a generator.
pub fn check<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Result<(), Refusal> {
    let module = cx.module;
    let name = function.name.as_str();
    for call in module.calls() {
        let is_named = match &*call.func {
            Expr::Name(callee) => callee.id == name,
            Expr::Attribute(method) => method.attr.as_str() == name,
            _ => false,
        };
        let is_it = is_named
            && module
                .function_definition(&call.func)
                .is_some_and(|called| module.id(called) == module.id(function));
        if !is_it {
            continue;
        }
        let in_generator = || {
            let outer = module.function(*call)?;
            let delegates = matches!(module.parent(*call), Some(AnyNodeRef::ExprYieldFrom(_)))
                && outer.decorator_list.is_empty();
            (delegates && !is_generator_based(cx, outer)).then_some(outer)
        };
        if let Some(outer) = in_generator() {
            return Err(withheld!(
                "the plain generator `{}` delegates to `{name}` by `yield from`, which does not take an `async def`: make it a coroutine first",
                outer.name
            ));
        }
        let is_iterated = match module.parent(*call) {
            Some(AnyNodeRef::StmtFor(stmt)) => module.contains(&*stmt.iter, *call),
            Some(AnyNodeRef::Comprehension(clause)) => module.contains(&clause.iter, *call),
            Some(arguments @ AnyNodeRef::Arguments(_)) => match module.parent(arguments) {
                Some(AnyNodeRef::ExprCall(outer)) => {
                    module.builtin(&outer.func).is_some_and(|name| {
                        name == "next" || ITERABLES.contains(&name) && name != "str"
                    })
                }
                _ => false,
            },
            _ => false,
        };
        if is_iterated {
            return Err(withheld!(
                "the file goes through `{name}()` like a generator, which a coroutine is not: run it by an event loop there"
            ));
        }
    }
    Ok(())
}
