//! `save()` => `await save()`

mod callee;
mod dead;
mod decorators;
mod usage;

use edit::{Applicability, Edit};
use engine::{
    Codemod, Context, Layout, On, Piece, Refusal, Rewrite, Verdict, arguments, width, withheld,
};
use python::ast::{AnyNodeRef, ExceptHandler, Expr, ExprCall, NodeKind, PythonVersion, StmtWith};
use python::{AwaitPlace, Block, Library, Ranged, TextRange, TryPart};

use callee::Callee;
use usage::Usage;

pub const CODEMOD: Codemod = Codemod {
    name: "await-coroutine",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: None,
    options: &[],
    on: &[On::Node {
        kinds: &[NodeKind::ExprCall],
        // Whatever is called, it is in a coroutine, or is one.
        words: &["async"],
        decide: rewrite,
    }],
};

/// `save()` => `await save()`, where the value is dropped, tested, or used as no coroutine can be.
///
/// A call of a coroutine function runs nothing. What is dropped never runs; what is tested is
/// always true, equal to nothing, and printed as `<coroutine object ...>`; everything else fails.
/// Nothing but the missing `await` explains such a call, and with it the coroutine runs where it
/// stands. The argument stops where the value could still be awaited by somebody, and where the
/// function may not be what it looks like.
fn rewrite<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let AnyNodeRef::ExprCall(call) = node else {
        return Err(Refusal::NotOurs);
    };
    let module = cx.module;
    if module.library() == Library::Other {
        return Err(Refusal::NotOurs);
    }
    if let Some(refusal) = as_predicate(cx, call) {
        return Err(refusal);
    }
    let usage = usage::of(cx, call).ok_or(Refusal::NotOurs)?; // somebody may await it
    let place = module.await_place(call);
    let shown = callee::of(cx, call);
    let never_runs = || {
        dead::is_dead(cx, call.into())
            || dead::is_of_other_form(cx, call.into())
            || dead::is_asked_about(cx, call)
    };
    if matches!(shown, Callee::Other) || never_runs() {
        return Err(Refusal::NotOurs);
    }
    let in_coroutine = matches!(
        place,
        AwaitPlace::Coroutine(_) | AwaitPlace::NestedComprehension(_)
    );
    let name = module.shown(&call.func);
    if is_on_purpose(cx, call) {
        return Err(Refusal::NotOurs);
    }
    let mut callee = shown;
    // Other uses are too many to ask about, and a dead call need not be asked about.
    if in_coroutine && matches!(usage, Usage::Dropped | Usage::Tested) {
        callee = callee.by_type(cx, call);
    }
    match callee {
        Callee::Coroutine => {}
        Callee::Hook if usage != Usage::Entered => {}
        Callee::Generator if usage == Usage::Dropped && in_coroutine => {
            return Err(withheld!(
                "`{name}` is an asynchronous generator, which runs only when it is iterated: write `async for`, or make it a coroutine"
            ));
        }
        Callee::Doubtful(reason)
            if in_coroutine && matches!(usage, Usage::Dropped | Usage::Tested) =>
        {
            return Err(reason);
        }
        Callee::Hook
        | Callee::Generator
        | Callee::Doubtful(_)
        | Callee::Undecided(_)
        | Callee::Other => {
            return Err(Refusal::NotOurs);
        }
    }

    match place {
        AwaitPlace::Coroutine(_) => {}
        AwaitPlace::NestedComprehension(_) if cx.supports(PythonVersion::PY311) => {}
        AwaitPlace::NestedComprehension(_) => {
            return Err(withheld!(
                "`await` in a comprehension inside a comprehension needs Python 3.11: write a loop"
            ));
        }
        AwaitPlace::GeneratorExpression => {
            return Err(withheld!(
                "the coroutine is never awaited, and `await` would turn the generator expression into an asynchronous one, which cannot be iterated as it is: write a list comprehension or a loop"
            ));
        }
        AwaitPlace::Lambda => {
            return Err(withheld!(
                "the coroutine is never awaited, and `await` cannot stand in a lambda: write a coroutine function in its place"
            ));
        }
        AwaitPlace::Function(function) if module.is_generator_based(function) => {
            return Err(withheld!(
                "the coroutine never runs: write `yield from` in front of it, or make `{}` an `async def` and await it",
                function.name
            ));
        }
        AwaitPlace::Function(function)
            if function.name.starts_with("__") && function.name.ends_with("__") =>
        {
            return Err(withheld!(
                "the coroutine is never awaited, and `{}` cannot be `async`: await it in a method that can, as `__aexit__` can, or run it by `asyncio.run` or `asyncio.create_task`",
                function.name
            ));
        }
        AwaitPlace::Function(function) => {
            return Err(withheld!(
                "the coroutine is never awaited, and `{}` is a plain function, where `await` cannot stand: make it `async` and await it, or run the coroutine by `asyncio.run` or `asyncio.create_task`",
                function.name
            ));
        }
        AwaitPlace::Cell => {
            return Err(withheld!(
                "the coroutine is never awaited: write `await` if it is to run, and not only to be shown"
            ));
        }
        AwaitPlace::Class | AwaitPlace::Module => {
            return Err(withheld!(
                "the coroutine is never awaited, and `await` cannot stand outside of a coroutine: run it by `asyncio.run`"
            ));
        }
        AwaitPlace::Annotation => return Err(Refusal::NotOurs), // it may never be evaluated
    }
    cx.check_unprinted(call)?;
    if usage == Usage::Entered
        && module.refers_to(&call.func, "asyncio.wait_for")
        && let Some(waited) = call.arguments.find_argument_value("fut", 0)
        && !is_coroutine(cx, waited)
    {
        return Err(withheld!(
            "`async with` cannot enter the coroutine of `asyncio.wait_for`: `await` it if `{}` can be awaited, else enter that in an `async with asyncio.timeout(...)`",
            module.first_line(waited)
        ));
    }
    if is_given_for_many(cx, call) {
        return Err(withheld!(
            "`*` takes `{name}(...)` for a list of coroutines, and it is one: leave out the `*`, unless it gives a list of them"
        ));
    }
    if let Some(block) = expects_warning(cx, call) {
        return Err(withheld!(
            "`{block}` around the call expects the warning that the coroutine was never awaited: decide whether that is meant"
        ));
    }
    let (message, applicability) = match usage {
        Usage::Dropped => (
            format!("`{name}(...)` gives a coroutine that never runs: `await` runs it"),
            // What is expected to raise by itself may be no coroutine function.
            if is_expected_to_raise(cx, call) {
                Applicability::Unsafe
            } else {
                Applicability::Intended
            },
        ),
        Usage::Tested => (
            format!(
                "`{name}(...)` gives a coroutine, about which the answer is always the same: `await` gives its result"
            ),
            Applicability::Intended,
        ),
        Usage::Fails | Usage::MayFail | Usage::Entered => (
            format!(
                "`{name}(...)` gives a coroutine, which cannot do this: `await` gives its result"
            ),
            if usage == Usage::MayFail || is_expected(cx, call) {
                Applicability::Unsafe
            } else {
                Applicability::Safe
            },
        ),
    };
    Ok(Rewrite {
        message,
        applicability,
        edits: edits(cx, call),
        python: None,
    })
}

/// Whether a comment at the call, or above it, says that it is not awaited on purpose, or shows
/// it as an error.
fn is_on_purpose<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    const NOT: &[&str] = &[
        "deliberate",
        "do not await",
        "don't await",
        "intention",
        "no await",
        "on purpose",
        "without await",
    ];
    cx.module.comments_about(call.range()).any(|comment| {
        let text = comment.to_lowercase();
        let is_open = ["fixme", "todo", "xxx"].iter().any(|it| text.contains(it));
        let shows = text.trim_start_matches('#').trim();
        matches!(shows, "bad" | "error" | "warning" | "wrong")
            || shows.starts_with("raise") && shows.ends_with("warning")
            || text.contains("await") && NOT.iter().any(|it| text.contains(it)) && !is_open
    })
}

/// `filter(is_ready, xs)`, `sorted(xs, key=load)`: a builtin calls the coroutine function, and
/// looks at the coroutines.
fn as_predicate<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<Refusal> {
    let module = cx.module;
    let name = match &*call.func {
        Expr::Name(name) if module.symbol(name).is_none() => name.id.as_str(),
        _ => return None,
    };
    let function = match name {
        "filter" => call.arguments.args.first()?,
        "sorted" | "min" | "max" => &call.arguments.find_keyword("key")?.value,
        _ => return None,
    };
    let gives_coroutines = match function {
        Expr::Lambda(lambda) => match &*lambda.body {
            Expr::Call(inner) => matches!(callee::of(cx, inner), Callee::Coroutine | Callee::Hook),
            _ => false,
        },
        function => module.coroutine_function(function).is_some(),
    };
    gives_coroutines.then(|| {
        withheld!(
            "`{name}` looks at the coroutines themselves, and awaits none of them: await them in a list comprehension or a loop first"
        )
    })
}

/// The `with` around the call that expects a `RuntimeWarning`, as its text.
fn expects_warning<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<&'a str> {
    let module = cx.module;
    contexts(cx, call).find_map(|context| {
        let expects = ["pytest.warns", "warnings.catch_warnings"]
            .iter()
            .any(|name| module.refers_to(&context.func, name))
            || matches!(&*context.func, Expr::Attribute(method) if method.attr.starts_with("assertWarns"));
        expects.then(|| module.first_line(context))
    })
}

/// The calls that make the context managers around `call`.
fn contexts<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> impl Iterator<Item = &'a ExprCall> {
    let items = |with: &'a StmtWith| with.items.iter();
    cx.module
        .blocks(call)
        .into_iter()
        .filter_map(move |block| match block {
            Block::With(with) => Some(items(with)),
            _ => None,
        })
        .flatten()
        .filter_map(|item| match &item.context_expr {
            Expr::Call(context) => Some(context),
            _ => None,
        })
}

/// Whether the failure of today is caught around the call: the handler is what runs then.
fn is_expected<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let handled = module.blocks(call).into_iter().any(|block| {
        let Block::Try(stmt, TryPart::Body) = block else {
            return false;
        };
        stmt.handlers.iter().any(|handler| {
            let ExceptHandler::ExceptHandler(handler) = handler;
            match handler.type_.as_deref() {
                None => true,
                Some(Expr::Tuple(types)) => types.elts.iter().any(|it| may_catch(cx, it)),
                Some(expr) => may_catch(cx, expr),
            }
        })
    });
    handled
        || is_expected_to_raise(cx, call)
        || contexts(cx, call).any(|context| module.refers_to(&context.func, "contextlib.suppress"))
}

/// Whether a test says that what stands around the call raises.
fn is_expected_to_raise<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    contexts(cx, call).any(|context| {
        cx.module.refers_to(&context.func, "pytest.raises")
            || matches!(&*context.func, Expr::Attribute(method) if method.attr.starts_with("assertRaises"))
    })
}

/// Whether a coroutine is unpacked for `gather`, which waits for it as it is: `gather(*(load(x)))`,
/// where `load` is not seen to give a list.
fn is_given_for_many<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let mut around = module.ancestors(call);
    let is_gathered = matches!(around.next(), Some(AnyNodeRef::ExprStarred(_)))
        && matches!(around.next(), Some(AnyNodeRef::Arguments(_)))
        && matches!(around.next(), Some(AnyNodeRef::ExprCall(outer))
            if module.refers_to(&outer.func, "asyncio.gather"));
    let gives_list = || {
        module
            .function_definition(&call.func)
            .is_some_and(|function| {
                let mut nodes = module.descendants(function);
                nodes.any(|node| {
                matches!(node, AnyNodeRef::StmtReturn(stmt) if stmt.value.as_deref().is_some_and(
                    |value| matches!(value, Expr::List(_) | Expr::Tuple(_) | Expr::ListComp(_))))
            }) || function
                .returns
                .as_deref()
                .is_some_and(|returns| matches!(returns, Expr::Subscript(_)))
            })
    };
    is_gathered && !gives_list()
}

/// Whether an expression is a call of what is seen to be a coroutine function.
fn is_coroutine<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    matches!(expr, Expr::Call(call) if matches!(callee::of(cx, call), Callee::Coroutine))
}

/// Whether a handler of this type may catch a `TypeError` or an `AttributeError`.
fn may_catch<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    let last = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return true,
    };
    matches!(
        last,
        "AttributeError" | "TypeError" | "Exception" | "BaseException"
    ) || cx.module.qualified_name(expr).is_none() && !last.ends_with("Error")
}

/// The call in parentheses of which each has a line of its own, as a formatter lays out what is
/// followed by something and does not fit on one line; none where it does, or may stay.
fn on_lines_of_its_own<'a>(cx: &Context<'a, '_>, call: &'a Expr) -> Option<Edit> {
    let module = cx.module;
    let text = module.text(call);
    let statement = module.statement(call);
    let line = TextRange::new(module.line_start(call.start()), module.line_end(call.end()));
    let is_broken = text.contains(['\n', '\r']);
    let is_too_long = width(module.text(line)) + width("(await )") > cx.settings.line_length;
    // Elsewhere it may be another bracket that is broken.
    let is_value = module
        .ancestors(call)
        .find(|around| {
            !matches!(
                around,
                AnyNodeRef::ExprAttribute(_) | AnyNodeRef::ExprSubscript(_)
            )
        })
        .is_some_and(|around| around.ptr_eq(statement) && !around.is_stmt_aug_assign());
    let is_to_break = is_broken || is_too_long && is_value;
    // Up to Python 3.11 a field of a string has no line breaks.
    let is_in_string = module
        .ancestors(call)
        .any(|around| matches!(around, AnyNodeRef::InterpolatedElement(_)));
    if !is_to_break || is_in_string || module.has_multiline_string(call.range()) {
        return None;
    }
    let indent = module.line_indentation(call.start());
    let inner = format!("{indent}{}", module.indent());
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let newline = module.newline();
    let before = width(&inner) + width("await ");
    let text = layout.inside(&Piece::Expr(call), &inner, before, 0);
    let text = format!("({newline}{inner}await {text}{newline}{indent})");
    Some(Edit::replace(call.range(), text))
}

/// `await ` in front, in parentheses where something follows the call.
fn edits<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Vec<Edit> {
    let module = cx.module;
    // `await` binds less than what follows: `(await f()).real`.
    let trailed = match module.parent(call) {
        Some(AnyNodeRef::ExprAttribute(outer)) => Some(&*outer.value),
        Some(AnyNodeRef::ExprSubscript(outer)) => Some(&*outer.value),
        Some(AnyNodeRef::ExprCall(outer)) => Some(&*outer.func),
        _ => None,
    }
    .filter(|value| value.range() == call.range() && module.parenthesized(value) == call.range());
    if let Some(trailed) = trailed {
        if let Some(edit) = on_lines_of_its_own(cx, trailed) {
            return vec![edit];
        }
        return vec![
            Edit::insert(call.start(), "(await "),
            Edit::insert(call.end(), ")"),
        ];
    }
    let statement = module.statement(call);
    let text = module.text(call);
    if let Some(indent) = module.indentation_at(statement.start())
        && statement.range() == call.range()
        && width(indent) + width("await ") + width(text) > cx.settings.line_length
        && !text.contains(['\n', '\r'])
        && !call.arguments.is_empty()
    {
        // The line gets too long.
        let layout = Layout {
            module,
            width: cx.settings.line_length,
        };
        let func = module.text(module.parenthesized(&call.func));
        let piece = Piece::Call(format!("await {func}("), arguments(call).collect(), ")");
        let text = layout.piece(&piece, indent, width(indent), 0);
        return vec![Edit::replace(call.range(), text)];
    }
    vec![Edit::insert(call.start(), "await ")]
}
