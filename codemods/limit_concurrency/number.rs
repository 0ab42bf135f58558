//! How many elements a list has: a few, known ones need no limit.

use engine::Context;
use python::ast::{AnyNodeRef, Comprehension, Expr, ExprName, Number};
use python::{BindingKind, Ranged};

/// Whether a comprehension makes so few elements, or so many as somebody chose right there.
pub(super) fn is_limited_comprehension<'a>(
    cx: &Context<'a, '_>,
    element: &'a Expr,
    clauses: &'a [Comprehension],
) -> bool {
    if clauses.iter().all(|clause| is_limited(cx, &clause.iter)) {
        return true;
    }
    // `[worker(queue) for _ in range(workers)]`
    let own: Vec<&Expr> = clauses.iter().map(|clause| &clause.target).collect();
    let mentions = own.iter().any(|target| {
        names(cx, target).iter().any(|name| {
            let symbol = cx.module.symbol_id(name);
            names(cx, element)
                .iter()
                .any(|it| cx.module.symbol_id(it) == symbol)
        })
    });
    let chosen = |clause: &'a Comprehension| matches!(&clause.iter, Expr::Call(call) if cx.module.refers_to(&call.func, "builtins.range"));
    !mentions && clauses.iter().all(chosen)
}

fn names<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Vec<&'a ExprName> {
    cx.module
        .descendants(expr)
        .filter_map(|node| match node {
            AnyNodeRef::ExprName(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// Whether an iterable has no more elements than may run at a time, or is one batch of many.
pub(super) fn is_limited<'a>(cx: &Context<'a, '_>, iterable: &'a Expr) -> bool {
    let limit = cx.option("limit").parse::<u64>().unwrap_or(u64::MAX);
    match iterable {
        Expr::List(_) | Expr::Tuple(_) | Expr::Set(_) | Expr::Dict(_) => {
            // `[*xs]` is no list of so many.
            !cx.module
                .descendants(iterable)
                .any(|node| matches!(node, AnyNodeRef::ExprStarred(_)))
        }
        // `xs[i : i + 10]`
        Expr::Subscript(subscript) => subscript.slice.is_slice_expr(),
        Expr::Name(name) => is_limited_name(cx, name, limit),
        // `5 * ["host"]`
        Expr::BinOp(operation) => [&*operation.left, &*operation.right]
            .into_iter()
            .any(|it| it.is_list_expr() && is_limited(cx, it)),
        Expr::Call(call) => {
            let arguments = &call.arguments.args;
            let name = cx.module.qualified_name(&call.func);
            match name.as_deref() {
                Some("builtins.range") => is_limited_range(cx, arguments, limit),
                Some(
                    "builtins.enumerate" | "builtins.sorted" | "builtins.reversed"
                    | "builtins.list" | "builtins.set" | "builtins.tuple",
                ) => arguments.first().is_some_and(|it| is_limited(cx, it)),
                Some("builtins.zip") => arguments.iter().any(|it| is_limited(cx, it)),
                Some("itertools.islice") => arguments.get(1).is_some_and(|it| {
                    // Whoever takes so many at a time chose the number.
                    arguments.len() > 2 || it.is_literal_expr() || it.is_name_expr()
                }),
                _ => match &*call.func {
                    // `{"a": 1}.items()`
                    Expr::Attribute(method) if arguments.is_empty() => {
                        matches!(&*method.value, Expr::Dict(_)) && is_limited(cx, &method.value)
                    }
                    _ => false,
                },
            }
        }
        _ => false,
    }
}

/// `range(5)`, `range(WORKERS)`, `range(len(kinds))`
fn is_limited_range<'a>(cx: &Context<'a, '_>, arguments: &'a [Expr], limit: u64) -> bool {
    if let Some(length) = range_length(arguments) {
        return length <= limit;
    }
    // What is not the length of something is a number that somebody chose.
    let ([stop] | [_, stop, ..]) = arguments else {
        return false;
    };
    match stop {
        Expr::Call(call) if cx.module.refers_to(&call.func, "builtins.len") => call
            .arguments
            .args
            .first()
            .is_some_and(|it| is_limited(cx, it)),
        Expr::Name(_) | Expr::Attribute(_) => true,
        _ => false,
    }
}

/// A constant, or a batch: `for batch in chunked(xs, 10)`, `batch = xs[i : i + 10]`.
fn is_limited_name<'a>(cx: &Context<'a, '_>, name: &'a ExprName, limit: u64) -> bool {
    let module = cx.module;
    let Some(symbol) = module.symbol(name) else {
        return false;
    };
    let is_batch = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["batch", "chunk", "slice", "grouper"]
            .iter()
            .any(|it| text.contains(it))
    };
    if symbol.bindings.is_empty() {
        return false;
    }
    // A list of kinds, which others may be chosen from.
    let is_written_out = |value: &'a Expr| match value {
        Expr::List(list) => !list.is_empty() && is_limited(cx, value),
        Expr::Tuple(tuple) => !tuple.is_empty() && is_limited(cx, value),
        _ => false,
    };
    let kinds = symbol.bindings.len() > 1
        && symbol.bindings.iter().any(
            |binding| matches!(binding.kind, BindingKind::Value(value) if is_written_out(value)),
        );
    if kinds {
        return true;
    }
    symbol.bindings.iter().all(|binding| match binding.kind {
        BindingKind::Value(Expr::Subscript(subscript)) => subscript.slice.is_slice_expr(),
        BindingKind::Value(value @ Expr::BinOp(_)) => is_limited(cx, value),
        BindingKind::Value(value @ (Expr::List(_) | Expr::Tuple(_) | Expr::Set(_))) => {
            let elements = match value {
                Expr::List(list) => list.elts.len(),
                Expr::Tuple(tuple) => tuple.elts.len(),
                Expr::Set(set) => set.elts.len(),
                _ => 0,
            };
            // What has a method called may grow.
            let grows = symbol.reads.iter().any(|read| {
                matches!(
                    module.parent(module.node(*read)),
                    Some(AnyNodeRef::ExprAttribute(_))
                )
            });
            elements > 0 && elements as u64 <= limit && is_limited(cx, value) && !grows
        }
        BindingKind::Parameter | BindingKind::Value(_) => is_batch(&name.id),
        BindingKind::Loop => {
            let iterable = loop_iterable(cx, module.node(binding.node));
            is_batch(&name.id)
                || iterable.is_some_and(
                    |it| matches!(it, Expr::Call(call) if is_batch(module.text(call.func.range()))),
                )
        }
        _ => false,
    })
}

/// What the loop that binds `target` goes over.
pub(super) fn loop_iterable<'a>(cx: &Context<'a, '_>, target: AnyNodeRef<'a>) -> Option<&'a Expr> {
    cx.module.ancestors(target).find_map(|around| match around {
        AnyNodeRef::StmtFor(stmt) => Some(&*stmt.iter),
        AnyNodeRef::Comprehension(clause) => Some(&clause.iter),
        _ => None,
    })
}

/// The length of `range(...)`, if its arguments are literal.
fn range_length(arguments: &[Expr]) -> Option<u64> {
    let int = |expr: &Expr| match expr {
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(int) => int.as_u64(),
            _ => None,
        },
        _ => None,
    };
    match arguments {
        [stop] => int(stop),
        [start, stop] => Some(int(stop)?.saturating_sub(int(start)?)),
        [start, stop, by] => {
            let by = int(by).filter(|by| *by > 0)?;
            Some(int(stop)?.saturating_sub(int(start)?).div_ceil(by))
        }
        _ => None,
    }
}
