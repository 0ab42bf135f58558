//! How many elements a list has: a few, known ones need no limit.

use engine::Context;
use python::ast::{
    AnyNodeRef, CmpOp, Comprehension, Expr, ExprName, Number, Operator, Stmt, UnaryOp,
};
use python::{Binding, BindingKind, Ranged, ScopeKind, Symbol};

use super::fanout::has;
use super::{elsewhere, given, lists};

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
    is_limited_in(cx, iterable, STEPS)
}

/// An iterable is taken apart no further, through functions that give it, or are given it, too.
pub(super) const STEPS: usize = 8;

pub(super) fn is_limited_in<'a>(cx: &Context<'a, '_>, iterable: &'a Expr, left: usize) -> bool {
    let Some(left) = left.checked_sub(1) else {
        return false;
    };
    let is_few = |iterable: &'a Expr| is_limited_in(cx, iterable, left);
    let limit = cx.option("limit").parse::<u64>().unwrap_or(u64::MAX);
    match iterable {
        Expr::List(_) | Expr::Tuple(_) | Expr::Set(_) | Expr::Dict(_) => {
            display_length(cx, iterable).is_some()
        }
        Expr::StringLiteral(text) => text.value.chars().count() as u64 <= limit,
        // A choice from so many, or one thing made of each.
        Expr::ListComp(_) | Expr::SetComp(_) | Expr::Generator(_) | Expr::DictComp(_) => {
            clauses(iterable).iter().all(|it| is_few(&it.iter))
        }
        Expr::If(branch) => is_few(&branch.body) && is_few(&branch.orelse),
        // `xs[i : i + 10]`
        Expr::Subscript(subscript) => is_part(&subscript.slice),
        Expr::Await(awaited) => is_few(&awaited.value),
        Expr::Name(name) => cx
            .module
            .follow_all(name, |symbol| {
                is_limited_name(cx, name, symbol, limit, left)
            })
            .unwrap_or(false),
        Expr::BinOp(operation) => {
            let mut sides = [&*operation.left, &*operation.right].into_iter();
            match operation.op {
                Operator::Add | Operator::BitOr => sides.all(is_few),
                // `5 * ["host"]`
                _ => sides.any(|it| it.is_list_expr() && is_few(it)),
            }
        }
        Expr::Call(call) => {
            let arguments = &call.arguments.args;
            let name = cx.module.qualified_name(&call.func);
            match name.as_deref() {
                Some("builtins.range") => is_limited_range(cx, arguments, limit, left),
                Some(
                    "builtins.enumerate"
                    | "builtins.sorted"
                    | "builtins.reversed"
                    | "builtins.list"
                    | "builtins.set"
                    | "builtins.tuple"
                    | "builtins.frozenset"
                    | "builtins.iter"
                    | "builtins.dict"
                    | "builtins.dict.fromkeys",
                ) => arguments.first().is_some_and(is_few),
                Some("builtins.filter") => arguments.get(1).is_some_and(is_few),
                Some("itertools.chain") => !arguments.is_empty() && arguments.iter().all(is_few),
                Some("builtins.zip") => arguments.iter().any(is_few),
                Some("itertools.islice") => arguments.get(1).is_some_and(|it| {
                    // Whoever takes so many at a time chose the number.
                    arguments.len() > 2 || it.is_literal_expr() || it.is_name_expr()
                }),
                Some("random.sample" | "heapq.nlargest" | "heapq.nsmallest") => true,
                _ => match &*call.func {
                    // `{"a": 1}.items()`, and the same of its name.
                    Expr::Attribute(method)
                        if arguments.is_empty()
                            && LOOKS.contains(&method.attr.as_str())
                            && matches!(&*method.value, Expr::Dict(_) | Expr::Name(_)) =>
                    {
                        is_few(&method.value)
                    }
                    // `counter.most_common(5)`
                    Expr::Attribute(method) if method.attr.as_str() == "most_common" => {
                        !arguments.is_empty()
                    }
                    _ => {
                        given::asks_for_few(cx, call, limit)
                            || elsewhere::gives_few(cx, &call.func, left)
                    }
                },
            }
        }
        _ => false,
    }
}

/// `range(5)`, `range(WORKERS)`, `range(len(kinds))`
fn is_limited_range<'a>(
    cx: &Context<'a, '_>,
    arguments: &'a [Expr],
    limit: u64,
    left: usize,
) -> bool {
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
            .is_some_and(|it| is_limited_in(cx, it, left)),
        // `min(len(xs), MOST)`
        Expr::Call(call) if cx.module.refers_to(&call.func, "builtins.min") => {
            call.arguments.args.iter().any(|it| is_chosen(it, limit))
        }
        // `total_pages = int(response["pages"])`
        Expr::Name(name) if is_counted(cx, name) => false,
        stop => is_chosen(stop, limit),
    }
}

/// Whether a number is small, or one that somebody chose elsewhere.
pub(super) fn is_chosen(number: &Expr, limit: u64) -> bool {
    match number {
        Expr::Name(_) | Expr::Attribute(_) => true,
        number => literal(number).is_some_and(|number| number <= limit),
    }
}

/// Whether a name is one of what there is in all, and is computed, and not given to the function.
fn is_counted<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> bool {
    let is_computed = |binding: &Binding<'a>| matches!(binding.kind, BindingKind::Value(value) if !value.is_literal_expr());
    has(&name.id, &["count", "last", "total"])
        && cx
            .module
            .symbol(name)
            .is_some_and(|symbol| symbol.bindings.iter().any(is_computed))
}

/// A constant, or a batch: `for batch in chunked(xs, 10)`, `batch = xs[i : i + 10]`.
fn is_limited_name<'a>(
    cx: &Context<'a, '_>,
    name: &'a ExprName,
    symbol: &Symbol<'a>,
    limit: u64,
    left: usize,
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
    // `if isinstance(urls, str): urls = [urls]` is none.
    let is_itself = |value: &'a Expr| module.mentions(value, &name.id);
    let is_written_out = |value: &'a Expr| match value {
        value if is_itself(value) => false,
        Expr::List(list) => !list.is_empty() && is_limited_in(cx, value, left),
        Expr::Tuple(tuple) => !tuple.is_empty() && is_limited_in(cx, value, left),
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
        BindingKind::Value(Expr::Subscript(subscript)) => is_part(&subscript.slice),
        BindingKind::Value(
            value @ (Expr::BinOp(_)
            | Expr::If(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)),
        ) => is_batch(&name.id) || is_limited_in(cx, value, left) && !grows(cx, symbol, left),
        BindingKind::Value(value @ (Expr::Call(_) | Expr::Await(_))) => {
            is_batch(&name.id) || is_limited_in(cx, value, left)
        }
        BindingKind::Value(value) if display_length(cx, value).is_some() => {
            // An empty one is filled, or bound anew.
            let is_filled = symbol.bindings.len() > 1;
            let is_few = display_length(cx, value)
                .is_some_and(|it| (it > 0 || is_filled) && it <= limit);
            is_batch(&name.id) || is_few && !grows(cx, symbol, left)
        }
        // `for color in Color:`
        BindingKind::Class(class) => class.bases().iter().any(|base| {
            cx.module
                .qualified_name(base)
                .is_some_and(|base| ENUMS.contains(&base.as_str()))
        }),
        // `async def run_batch(inputs):` is given one of many.
        BindingKind::Parameter => {
            is_batch(&name.id)
                || matches!(module.scope_data(symbol.scope).kind,
                    ScopeKind::Function(it) if it.name.to_lowercase().contains("batch"))
                || given::is_given_few(cx, symbol, left)
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

/// Whether a slice has so many elements and no more: `[:10]`, `[i : i + 10]`, `[-10:]`, and not `[1:]`.
pub(super) fn is_part(slice: &Expr) -> bool {
    let Expr::Slice(slice) = slice else {
        return false;
    };
    let is_from_end = |bound: &Expr| matches!(bound, Expr::UnaryOp(it) if it.op == UnaryOp::USub);
    match (slice.lower.as_deref(), slice.upper.as_deref()) {
        (_, Some(upper)) => !is_from_end(upper),
        (Some(lower), None) => is_from_end(lower),
        (None, None) => false,
    }
}

/// The classes of which each has so many members as are written there.
const ENUMS: &[&str] = &[
    "enum.Enum",
    "enum.Flag",
    "enum.IntEnum",
    "enum.IntFlag",
    "enum.StrEnum",
];

/// Methods that only look at what a collection holds.
const LOOKS: &[&str] = &["copy", "count", "get", "index", "items", "keys", "values"];

/// How many elements are written out. `[*xs]` and `{**xs}` are no lists of so many.
fn display_length<'a>(cx: &Context<'a, '_>, display: &'a Expr) -> Option<u64> {
    let elements = match display {
        Expr::List(list) => list.elts.len(),
        Expr::Tuple(tuple) => tuple.elts.len(),
        Expr::Set(set) => set.elts.len(),
        Expr::Dict(dict) if dict.items.iter().all(|item| item.key.is_some()) => dict.items.len(),
        _ => return None,
    };
    let mut nodes = cx.module.descendants(display);
    (!nodes.any(|node| matches!(node, AnyNodeRef::ExprStarred(_)))).then_some(elements as u64)
}

/// The clauses of a comprehension.
fn clauses(comprehension: &Expr) -> &[Comprehension] {
    match comprehension {
        Expr::ListComp(it) => &it.generators,
        Expr::SetComp(it) => &it.generators,
        Expr::DictComp(it) => &it.generators,
        Expr::Generator(it) => &it.generators,
        _ => &[],
    }
}

/// Whether something may be put into what a name stands for: by a method, or by `urls[key] = url`.
/// One more element, or one for each of a few, does not count.
fn grows<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>, left: usize) -> bool {
    let module = cx.module;
    let is_repeated = |read: AnyNodeRef<'a>| {
        let around = module.ancestors(read);
        let mut around = around.take_while(|it| !matches!(it, AnyNodeRef::StmtFunctionDef(_)));
        around.any(|it| match it {
            AnyNodeRef::StmtFor(stmt) => !is_limited_in(cx, &stmt.iter, left),
            AnyNodeRef::StmtWhile(_) => true,
            _ => false,
        })
    };
    symbol.reads.iter().any(|read| {
        let read = module.node(*read);
        match module.parent(read) {
            Some(AnyNodeRef::ExprAttribute(method)) => match method.attr.as_str() {
                "add" | "append" | "insert" => is_repeated(read),
                method => !LOOKS.contains(&method),
            },
            Some(AnyNodeRef::ExprSubscript(part)) => {
                part.ctx.is_store() && part.value.range() == read.range() && is_repeated(read)
            }
            _ => false,
        }
    })
}

/// `xs = xs[:limit]`, or the last that is bound to the name before is a part of something.
fn is_cut<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>, name: &'a ExprName) -> bool {
    let slice = |binding: &Binding<'a>| match binding.kind {
        BindingKind::Value(Expr::Subscript(part)) if is_part(&part.slice) => Some(part),
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
