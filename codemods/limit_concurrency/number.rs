//! How many elements a list has: a few, known ones need no limit.

use engine::Context;
use python::ast::{
    AnyNodeRef, CmpOp, Comprehension, Expr, ExprCall, ExprName, Number, Stmt, StmtFunctionDef,
};
use python::{Binding, BindingKind, Ranged, ScopeKind, Symbol};

use super::{elsewhere, lists};

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
        Expr::Await(awaited) => is_limited(cx, &awaited.value),
        Expr::Name(name) => cx
            .module
            .follow_all(name, |symbol| is_limited_name(cx, name, symbol, limit))
            .unwrap_or(false),
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
                Some("random.sample" | "heapq.nlargest" | "heapq.nsmallest") => true,
                _ => match &*call.func {
                    // `{"a": 1}.items()`
                    Expr::Attribute(method)
                        if arguments.is_empty() && matches!(&*method.value, Expr::Dict(_)) =>
                    {
                        is_limited(cx, &method.value)
                    }
                    // `counter.most_common(5)`
                    Expr::Attribute(method) if method.attr.as_str() == "most_common" => {
                        !arguments.is_empty()
                    }
                    _ => asks_for_few(call, limit) || elsewhere::gives_few(cx, &call.func),
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
        // `min(len(xs), MOST)`
        Expr::Call(call) if cx.module.refers_to(&call.func, "builtins.min") => {
            call.arguments.args.iter().any(|it| is_chosen(it, limit))
        }
        stop => is_chosen(stop, limit),
    }
}

/// Whether a number is small, or one that somebody chose elsewhere.
fn is_chosen(number: &Expr, limit: u64) -> bool {
    match number {
        Expr::Name(_) | Expr::Attribute(_) => true,
        number => literal(number).is_some_and(|number| number <= limit),
    }
}

/// Whether a function is told how many there are to be: `async def search(query, max_pages=3)`.
pub(super) fn is_told_how_many(function: &StmtFunctionDef) -> bool {
    let mut parameters = function.parameters.iter_non_variadic_params();
    parameters.any(|it| {
        let name = it.name().as_str();
        // How large a batch is says nothing about how many there are.
        !name.ends_with("size") && is_number_of_elements(name)
    })
}

/// Whether a parameter of this name says how many of something there are to be.
fn is_number_of_elements(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "age",
        "attempts",
        "char",
        "chars",
        "delay",
        "depth",
        "errors",
        "iterations",
        "len",
        "length",
        "retries",
        "size",
        "time",
        "token",
        "tokens",
        "wait",
    ];
    let words: Vec<&str> = name.trim_start_matches('_').split('_').collect();
    let is_number = match words.as_slice() {
        ["k" | "n" | "limit" | "topk"] | ["top" | "n" | "num", _] => true,
        ["max" | "limit", ..] => true,
        [.., "limit"] => words.len() == 2,
        ["page" | "batch", "size"] => return true,
        _ => false,
    };
    is_number && !words.iter().any(|word| OTHERS.contains(word))
}

/// `search(query, max_results=5)`, `client.list(limit=limit)`: whoever calls it chose how many it
/// gives.
fn asks_for_few(call: &ExprCall, limit: u64) -> bool {
    call.arguments.keywords.iter().any(|keyword| {
        let name = keyword.arg.as_ref().map_or("", |name| name.as_str());
        is_number_of_elements(name)
            && !keyword.value.is_none_literal_expr()
            && is_chosen(&keyword.value, limit)
    })
}

/// A constant, or a batch: `for batch in chunked(xs, 10)`, `batch = xs[i : i + 10]`.
fn is_limited_name<'a>(
    cx: &Context<'a, '_>,
    name: &'a ExprName,
    symbol: &Symbol<'a>,
    limit: u64,
) -> bool {
    let module = cx.module;
    let makes_batches = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["batch", "chunk", "slice", "grouper"]
            .iter()
            .any(|it| text.contains(it))
    };
    // `batch`, and not `batches`, of which there may be any number.
    let is_batch = |text: &str| {
        let text = text.trim_end_matches(|it: char| it.is_ascii_digit() || it == '_');
        ["batch", "chunk", "slice"]
            .iter()
            .any(|it| text.to_ascii_lowercase().ends_with(it))
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
    if kinds || is_cut(cx, symbol, name) || is_guarded(cx, symbol, name, limit) {
        return true;
    }
    symbol.bindings.iter().all(|binding| match binding.kind {
        BindingKind::Value(Expr::Subscript(subscript)) => subscript.slice.is_slice_expr(),
        BindingKind::Value(value @ Expr::BinOp(_)) => is_limited(cx, value),
        BindingKind::Value(value @ (Expr::Call(_) | Expr::Await(_))) => {
            is_batch(&name.id) || is_limited(cx, value)
        }
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
        // `async def run_batch(inputs):` is given one of many.
        BindingKind::Parameter => {
            is_batch(&name.id)
                || matches!(module.scope_data(symbol.scope).kind,
                    ScopeKind::Function(it) if it.name.to_lowercase().contains("batch"))
        }
        BindingKind::Value(_) => is_batch(&name.id),
        BindingKind::Loop => {
            let iterable = loop_iterable(cx, module.node(binding.node));
            is_batch(&name.id)
                || iterable.is_some_and(
                    |it| matches!(it, Expr::Call(call) if makes_batches(module.text(call.func.range()))),
                )
        }
        _ => false,
    })
}

/// `xs = xs[:limit]`, or the last that is bound to the name before is a part of something.
fn is_cut<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>, name: &'a ExprName) -> bool {
    let slice = |binding: &Binding<'a>| match binding.kind {
        BindingKind::Value(Expr::Subscript(part)) if part.slice.is_slice_expr() => Some(part),
        _ => None,
    };
    let is_cut = |binding: &Binding<'a>| {
        slice(binding).is_some_and(
            |part| matches!(&*part.value, Expr::Name(whole) if whole.id == symbol.name),
        ) && cx.module.node(binding.node).start() < name.start()
    };
    symbol.bindings.iter().any(is_cut)
        || lists::reaching(cx, symbol, name).is_some_and(|binding| slice(binding).is_some())
}

/// `if len(xs) > MOST: raise ...` above it.
fn is_guarded<'a>(
    cx: &Context<'a, '_>,
    symbol: &Symbol<'a>,
    name: &'a ExprName,
    limit: u64,
) -> bool {
    let module = cx.module;
    let is_length = |expr: &Expr| match expr {
        Expr::Call(call) => {
            module.refers_to(&call.func, "builtins.len")
                && matches!(&*call.arguments.args, [Expr::Name(of)] if of.id == symbol.name)
        }
        _ => false,
    };
    let Some(function) = module.function(name) else {
        return false;
    };
    module.descendants(function).any(|node| {
        let AnyNodeRef::StmtIf(guard) = node else {
            return false;
        };
        let Expr::Compare(test) = &*guard.test else {
            return false;
        };
        let is_over = is_length(&test.left)
            && matches!(&*test.ops, [CmpOp::Gt | CmpOp::GtE])
            && matches!(&*test.comparators, [most] if is_chosen(most, limit));
        let leaves = matches!(guard.body.last(), Some(Stmt::Raise(_) | Stmt::Return(_)));
        is_over && leaves && guard.end() <= name.start()
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
    let int = literal;
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

fn literal(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(int) => int.as_u64(),
            _ => None,
        },
        _ => None,
    }
}
