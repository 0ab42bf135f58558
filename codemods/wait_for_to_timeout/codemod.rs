//! `await asyncio.wait_for(f(), t)` => `async with asyncio.timeout(t): await f()`

use edit::{Applicability, Edit};
use engine::{
    Codemod, Context, Dated, Layout, Line, On, Piece, Refusal, Rewrite, Verdict, replace_statement,
    width, withheld,
};
use python::ast::{AnyNodeRef, Expr, ExprCall, Number, PythonVersion};
use python::{AwaitPlace, Library, Ranged, TextRange};

pub const CODEMOD: Codemod = Codemod {
    name: "wait-for-to-timeout",
    page: include_str!("README.md"),
    python: PythonVersion::PY311,
    headline: false,
    rules: &[],
    dated: Some(Dated::SUPERSEDED),
    options: &[],
    on: &[On::Call(&["asyncio.wait_for"], rewrite)],
};

/// `x = await asyncio.wait_for(f(), t)` =>
/// ```python
/// async with asyncio.timeout(t):
///     x = await f()
/// ```
///
/// Both cancel what is awaited after the same time and raise the same `TimeoutError` (M14-M16,
/// M35). What changes is the stated effect, since `wait_for` of Python 3.11 makes a task of a
/// coroutine; later ones do what is written here. The argument stops where the time may be zero
/// or less, at which `wait_for` does not start the coroutine, and where the argument awaits, which
/// would come under the timeout.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    if module.library() == Library::Other {
        return Err(Refusal::NotOurs); // its loop is not asyncio's
    }
    let (awaitable, time) = arguments(call)?;
    if let Expr::Call(inner) = awaitable
        && module.refers_to(&inner.func, "asyncio.gather")
    {
        return Err(Refusal::NotOurs); // gather-to-taskgroup knows what to do
    }
    let Some(AnyNodeRef::ExprAwait(awaited)) = module.parent(call) else {
        return Err(withheld!(
            "the call is not awaited where it stands, and a block cannot be passed on: await it in a statement of its own"
        ));
    };
    if time.is_none_literal_expr() {
        return without_limit(cx, call, awaitable);
    }
    let in_statement = withheld!(
        "a block takes the place of a whole statement: write the call as one, or assign its result to a name first"
    );
    if !matches!(module.await_place(call), AwaitPlace::Coroutine(_)) {
        return Err(in_statement);
    }
    let Some(
        statement @ (AnyNodeRef::StmtExpr(_)
        | AnyNodeRef::StmtAssign(_)
        | AnyNodeRef::StmtAnnAssign(_)
        | AnyNodeRef::StmtReturn(_)),
    ) = module.parent(awaited)
    else {
        return Err(in_statement);
    };
    if module
        .descendants(awaitable)
        .chain(module.descendants(time))
        .any(|node| matches!(node, AnyNodeRef::ExprAwait(_) | AnyNodeRef::ExprYield(_)))
    {
        return Err(withheld!(
            "what is passed awaits something by itself, which would come under the timeout: assign it to a name first"
        ));
    }
    if !module.comments(statement.range()).is_empty()
        || module.has_multiline_string(statement.range())
    {
        return Err(withheld!(
            "a comment or a string of several lines stands inside the statement: move it out"
        ));
    }
    let applicability = check_time(time)?;

    let import = cx.import(call, "asyncio")?;
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let indent = module.placement(statement).indent;
    let inner = format!("{indent}{}", module.indent());
    let timeout = Piece::Call(
        format!("{}.timeout(", import.name),
        vec![Piece::Expr(time)],
        ")",
    );
    let before = width(&indent) + width("async with ");
    let header = layout.piece(&timeout, &indent, before, 1);
    let start = module.text(TextRange::new(statement.start(), awaited.start()));
    let end = module.text(TextRange::new(awaited.end(), statement.end()));
    let before = width(&inner) + width(start) + width("await ");
    let value = layout.piece(&Piece::Expr(awaitable), &inner, before, width(end));
    let value = if binds_less(awaitable) && module.parenthesized(awaitable) == awaitable.range() {
        format!("({value})")
    } else {
        value
    };
    // The lines of parentheses around it go in with it.
    let deeper = format!("{}{}", module.newline(), module.indent());
    let (start, end) = (
        start.replace(module.newline(), &deeper),
        end.replace(module.newline(), &deeper),
    );
    let lines = [
        Line::new(0, format!("async with {header}:")),
        Line::new(1, format!("{start}await {value}{end}")),
    ];
    let mut edits = vec![replace_statement(module, statement, &lines)];
    edits.extend(import.edit);
    Ok(Rewrite {
        message: "`asyncio.timeout` does it without a task of its own".to_string(),
        applicability,
        edits,
        python: None,
    })
}

/// `await asyncio.wait_for(f(), None)` => `await f()`
///
/// Without a time `wait_for` awaits what it is given, and makes no task of it in any version.
fn without_limit<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, awaitable: &'a Expr) -> Verdict {
    let module = cx.module;
    let kept = module.parenthesized(awaitable);
    if module.comments(call.range()) != module.comments(kept) {
        return Err(withheld!(
            "a comment stands between the arguments: move it out"
        ));
    }
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let statement = module.statement(call);
    let indent = module.placement(statement).indent;
    let line = TextRange::new(module.line_start(call.start()), call.start());
    let before = width(module.text(line));
    let text = layout.piece(&Piece::Expr(awaitable), &indent, before, 0);
    let text = if binds_less(awaitable) && kept == awaitable.range() {
        format!("({text})")
    } else {
        text
    };
    Ok(Rewrite {
        message: "without a time `asyncio.wait_for` only awaits what it is given".to_string(),
        applicability: Applicability::Safe,
        edits: vec![Edit::replace(call.range(), text)],
        python: None,
    })
}

/// The awaitable and the time.
fn arguments(call: &ExprCall) -> Result<(&Expr, &Expr), Refusal> {
    let keyword = |name: &str| {
        let keyword = call.arguments.find_keyword(name)?;
        Some(&keyword.value)
    };
    if call.arguments.find_keyword("loop").is_some() {
        return Err(withheld!(
            "`loop=` is gone since Python 3.10: apply drop-loop-argument first"
        ));
    }
    let found = match (&*call.arguments.args, call.arguments.keywords.len()) {
        ([awaitable, time], 0) => Some((awaitable, time)),
        ([awaitable], 1) => keyword("timeout").map(|time| (awaitable, time)),
        ([], 2) => keyword("fut").zip(keyword("timeout")),
        _ => None,
    };
    match found {
        Some((awaitable, time)) if !awaitable.is_starred_expr() && !time.is_starred_expr() => {
            Ok((awaitable, time))
        }
        _ => Err(Refusal::NotOurs), // fails today, or nobody knows with what
    }
}

/// What the time, which is evaluated first now, makes of the rewrite.
fn check_time(time: &Expr) -> Result<Applicability, Refusal> {
    let is_positive = |number: &Number| match number {
        Number::Int(value) => value.as_u64() != Some(0),
        Number::Float(value) => *value > 0.0,
        Number::Complex { .. } => false,
    };
    match time {
        Expr::NumberLiteral(number) if is_positive(&number.value) => Ok(Applicability::Intended),
        Expr::NumberLiteral(_) | Expr::UnaryOp(_) => Err(withheld!(
            "with a time of zero or less `wait_for` does not start the coroutine, and `timeout` runs it until it first waits: decide which is meant"
        )),
        // It may be zero.
        _ => Ok(Applicability::Unsafe),
    }
}

/// Whether `await` needs parentheses around an expression.
fn binds_less(expr: &Expr) -> bool {
    !matches!(
        expr,
        Expr::Call(_) | Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_)
    )
}
