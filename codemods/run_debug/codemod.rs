//! `asyncio.run(main())` => `asyncio.run(main(), debug=True)`

use edit::{Applicability, Edit};
use engine::{Codemod, Context, Layout, On, Piece, Refusal, Rewrite, Verdict, arguments, width};
use python::ast::{AnyNodeRef, ArgOrKeyword, Expr, ExprCall, PythonVersion};
use python::{AwaitPlace, Library, Ranged, TextRange, TextSize};

pub const CODEMOD: Codemod = Codemod {
    name: "run-debug",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: None,
    options: &[],
    on: &[On::Call(&["asyncio.run", "asyncio.Runner"], rewrite)],
};

const DEBUG: &str = "debug=True";

/// `asyncio.run(main())` => `asyncio.run(main(), debug=True)`, and so for `asyncio.Runner()`.
///
/// What changes is the stated effect. The argument stops where the mode is chosen already:
/// `debug=False` is a choice too, which even overrides the environment.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    check_arguments(cx, call)?;
    let in_coroutine = matches!(
        module.await_place(call),
        AwaitPlace::Coroutine(_) | AwaitPlace::NestedComprehension(_) | AwaitPlace::Cell
    );
    if in_coroutine && module.library() == Library::Asyncio {
        return Err(Refusal::NotOurs); // fails: await-nested-run
    }
    cx.check_unprinted(call)?;
    Ok(Rewrite {
        message: "the event loop runs without asyncio's debug mode".to_string(),
        applicability: Applicability::Intended,
        edits: edits(cx, call),
        python: None,
    })
}

/// Whether the call takes one more keyword.
fn check_arguments<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<(), Refusal> {
    let keywords = &call.arguments.keywords;
    let names_it =
        |keyword: &python::ast::Keyword| keyword.arg.as_deref().is_none_or(|it| it == "debug");
    if keywords.iter().any(names_it) {
        return Err(Refusal::NotOurs); // the mode is, or may be, chosen already
    }
    let is_runner = cx.module.refers_to(&call.func, "asyncio.Runner");
    match &*call.arguments.args {
        [] if is_runner => Ok(()),
        [] if keywords.iter().any(|it| it.arg.as_deref() == Some("main")) => Ok(()),
        [Expr::Starred(_)] => Err(Refusal::NotOurs), // who knows how many arguments
        // It would need parentheses, and is no coroutine.
        [Expr::Generator(_)] => Err(Refusal::NotOurs),
        [_] if !is_runner => Ok(()),
        _ => Err(Refusal::NotOurs), // fails today
    }
}

fn edits<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Vec<Edit> {
    let module = cx.module;
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let outermost = outermost(cx, call);
    let text = module.text(outermost);
    let line = module.line_start(outermost.start());
    let before = module.text(TextRange::new(line, outermost.start()));
    let after = TextRange::new(outermost.end(), module.line_end(outermost.end()));
    let after = match module.comments(after).first() {
        Some(comment) => {
            let rest = TextRange::new(outermost.end(), comment.start());
            module.text(rest).trim_end()
        }
        None => module.text(after),
    };
    let fits = |grown: usize| width(before) + grown + width(after) <= layout.width;
    let must_break = if text.contains(['\n', '\r']) {
        // Broken by choice, or because it did not fit.
        let whole = arguments(outermost).collect();
        let whole = Piece::Call(opening(cx, outermost), whole, ")");
        !layout
            .flat_piece(&whole)
            .is_some_and(|flat| fits(width(&flat)))
    } else {
        !fits(width(text) + width(DEBUG) + 2)
    };
    let plain = module.comments(outermost.range()).is_empty()
        && !module.has_multiline_string(outermost.range())
        && is_laid_out(cx, outermost);
    if let Some(edits) = on_own_line(cx, call) {
        return edits;
    }
    if plain && must_break {
        let indent = cx.module.line_indentation(outermost.start());
        let piece = piece(cx, outermost, call);
        let text = layout.piece(&piece, indent, width(before), width(after));
        return vec![Edit::replace(outermost.range(), text)];
    }
    vec![inserted(cx, call)]
}

/// The argument on a line of its own, where the others have theirs, or a comment ends the line.
fn on_own_line<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<Vec<Edit>> {
    let module = cx.module;
    let end = last_end(cx, call)?;
    let start = call.arguments.iter_source_order().last()?.range().start();
    let indent = module.indentation_at(start)?;
    let rest = TextRange::new(end, module.line_end(end));
    let text = module.text(rest).trim_start();
    let has_comma = text.starts_with(',');
    let text = text.trim_start_matches(',').trim_start();
    let ends_line = text.is_empty() || text.starts_with('#');
    if !ends_line || (!has_comma && text.is_empty()) {
        return None;
    }
    let mut edits = Vec::new();
    if !has_comma {
        edits.push(Edit::insert(end, ","));
    }
    let line = format!("{indent}{DEBUG},{}", module.newline());
    edits.push(Edit::insert(module.next_line(end), line));
    Some(edits)
}

/// The call around the call, whose only argument it is, and so on: `sys.exit(asyncio.run(main()))`.
fn outermost<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> &'a ExprCall {
    let mut outermost = call;
    while let Some(AnyNodeRef::Arguments(arguments)) = cx.module.parent(outermost)
        && arguments.len() == 1
        && cx.module.text(arguments.range()).starts_with('(')
        && let Some(AnyNodeRef::ExprCall(outer)) = cx.module.parent(arguments)
        && outer
            .arguments
            .args
            .first()
            .is_some_and(|it| cx.module.parenthesized(it) == outermost.range())
    {
        outermost = outer;
    }
    outermost
}

/// Whether a formatter would break the call at its brackets: it is all that is on its lines, but
/// for what stands before it in its statement.
fn is_laid_out<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let is_value = match cx.module.parent(call) {
        Some(AnyNodeRef::StmtExpr(stmt)) => stmt.value.range(),
        Some(AnyNodeRef::StmtAssign(stmt)) => stmt.value.range(),
        Some(AnyNodeRef::StmtReturn(stmt)) => {
            stmt.value.as_deref().map(Ranged::range).unwrap_or_default()
        }
        Some(AnyNodeRef::StmtRaise(stmt)) => {
            stmt.exc.as_deref().map(Ranged::range).unwrap_or_default()
        }
        Some(AnyNodeRef::WithItem(item)) => item.context_expr.range(),
        _ => return false,
    };
    let statement = cx.module.statement(call);
    is_value == call.range() && cx.module.indentation_at(statement.start()).is_some()
}

/// The call with its new argument, to be laid out.
fn piece<'a>(cx: &Context<'a, '_>, outer: &'a ExprCall, call: &'a ExprCall) -> Piece<'a> {
    let open = opening(cx, outer);
    if outer.range() == call.range() {
        let debug = Piece::Text(DEBUG.to_string());
        return Piece::Call(open, arguments(call).chain([debug]).collect(), ")");
    }
    let inner = match outer.arguments.args.first() {
        Some(Expr::Call(inner)) => piece(cx, inner, call),
        _ => Piece::Text(DEBUG.to_string()), // not reached: see `outermost`
    };
    Piece::Call(open, vec![inner], ")")
}

/// The argument after the others, which stay as they are.
fn inserted<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Edit {
    let close = call.end() - TextSize::new(1);
    match last_end(cx, call) {
        Some(end) => Edit::insert(end, format!(", {DEBUG}")),
        None => Edit::insert(close, DEBUG),
    }
}

/// The end of the last argument, with its parentheses.
fn last_end<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<TextSize> {
    let value = match call.arguments.iter_source_order().last()? {
        ArgOrKeyword::Arg(expr) => expr,
        ArgOrKeyword::Keyword(keyword) => &keyword.value,
    };
    Some(cx.module.parenthesized(value).end())
}

/// `asyncio.run(`
fn opening<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> String {
    format!("{}(", cx.module.text(call.func.range()))
}
