//! One call, moved to a thread where it stands.

use edit::Edit;
use engine::{Context, Layout, Piece, Refusal, arguments, width, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall};
use python::{Ranged, TextRange, TextSize};

use super::hop::{Hop, imported};
use super::lines::{in_a_laid_out_line, in_a_long_line};

/// `f(x, y=1)` => `await asyncio.to_thread(f, x, y=1)`, with parentheses where something follows
/// that belongs to the result.
pub(super) fn edits<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    hop: &Hop,
) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    cx.check_unprinted(call)?;
    let func = module.parenthesized(&call.func);
    let between = TextRange::new(func.end(), call.arguments.start());
    if !module.comments(func).is_empty() || !module.comments(between).is_empty() {
        return Err(withheld!(
            "a comment stands inside the name of the function: move it out"
        ));
    }
    let mut edits = hop.edits.clone();
    let has_keywords = !call.arguments.keywords.is_empty();
    let partial = if has_keywords && !hop.takes_keywords {
        let partial = if let Some(known) = imported(cx, call.into(), "functools.partial") {
            known
        } else {
            let import = cx.import(call, "functools")?;
            edits.extend(import.edit);
            format!("{}.partial", import.name)
        };
        Some(partial)
    } else {
        None
    };
    let keyword = match module.parent(call) {
        // `await subprocess.run(...)` ran, and then failed to await the result.
        Some(AnyNodeRef::ExprAwait(_)) => "",
        _ => "await ",
    };
    let is_trailed = cx.module.is_trailed(call);
    let mut open = format!("{keyword}{}(", hop.name);
    let mut close = String::new();
    if let Some(partial) = &partial {
        open = format!("{open}{partial}(");
        close.push(')');
    }
    if is_trailed {
        open.insert(0, '(');
        close.push(')');
    }

    if let Some(text) = laid_out(cx, call, hop, partial.as_deref(), keyword, is_trailed) {
        edits.push(Edit::replace(call.range(), text));
        return Ok(edits);
    }
    let head = module.text(func);
    if let Some(edit) = below(cx, call, func, &open, &close) {
        edits.push(edit);
        return Ok(edits);
    }
    if let Some(edit) = in_a_long_line(cx, call, &format!("{open}{head}"), &close) {
        edits.push(edit);
        return Ok(edits);
    }
    let inside = call.arguments.range();
    let comma = if call.arguments.is_empty() { "" } else { ", " };
    let given = module.text(inside);
    let given = given.get(1..given.len() - 1).unwrap_or_default().trim();
    // A generator expression is no longer the only argument.
    let given = match &*call.arguments.args {
        [Expr::Generator(generator)] if !generator.parenthesized => format!("({given})"),
        _ => given.to_string(),
    };
    let new = format!("{open}{head}{comma}{given}){close}");
    if let Some(edit) = in_a_laid_out_line(cx, call.range(), &new) {
        edits.push(edit);
        return Ok(edits);
    }
    let after_paren = inside.start() + TextSize::new(1);
    if call.arguments.is_empty() {
        if !module.comments(inside).is_empty() {
            return Err(withheld!(
                "a comment stands between the parentheses of the call: move it out"
            ));
        }
        edits.push(Edit::replace(call.range(), format!("{open}{head}){close}")));
        return Ok(edits);
    }
    let first = arguments(call)
        .next()
        .map_or(inside.start(), |first| start_of(cx, &first));
    let line = module.line_start(first);
    let broken = line > inside.start();
    if let [Expr::Generator(generator)] = &*call.arguments.args
        && !generator.parenthesized
        && !has_keywords
    {
        edits.push(Edit::insert(call.start(), open));
        edits.push(Edit::replace(between, ", "));
        edits.push(Edit::insert(call.end(), format!("){close}")));
        return Ok(edits);
    }
    if broken {
        // The arguments start on a line of their own, and so does the function.
        let indent = module.indentation_at(first).unwrap_or_default();
        let newline = module.newline();
        // The `partial` gets a line of its own, and what it takes stands one level deeper.
        let end = TextRange::new(module.line_start(call.end()), call.end());
        if let Some(partial) = &partial
            && module.text(end).trim_start() == ")"
            && let Some(outer) = module.indentation_at(call.end() - TextSize::new(1))
        {
            let unit = module.indent();
            let start = if is_trailed { "(" } else { "" };
            edits.push(Edit::insert(
                call.start(),
                format!(
                    "{start}{keyword}{}({newline}{indent}{partial}({newline}{indent}{unit}",
                    hop.name
                ),
            ));
            edits.push(Edit::replace(TextRange::new(func.end(), after_paren), ","));
            let lines = TextRange::new(after_paren, call.end());
            let deeper = module.lines_to_indent(lines).into_iter();
            for line in deeper.filter(|line| *line >= after_paren) {
                edits.push(Edit::insert(line, unit.to_string()));
            }
            let end = if is_trailed { "))" } else { ")" };
            edits.push(Edit::insert(call.end(), format!("{newline}{outer}{end}")));
            return Ok(edits);
        }
        edits.push(Edit::insert(
            call.start(),
            format!("{open}{newline}{indent}"),
        ));
        edits.push(Edit::replace(TextRange::new(func.end(), after_paren), ","));
    } else {
        match aligned(cx, call, func, &open, &close) {
            Some(Aligned::Moved(moved)) => edits.extend(moved),
            Some(Aligned::Anew(edit)) => {
                edits.push(edit);
                return Ok(edits);
            }
            None => {}
        }
        edits.push(Edit::insert(call.start(), open));
        edits.push(Edit::replace(TextRange::new(func.end(), first), ", "));
    }
    if !close.is_empty() {
        edits.push(Edit::insert(call.end(), close));
    }
    Ok(edits)
}

/// A function that goes over several lines, `Path(⏎ ... ⏎).resolve`, stands below what it is given to.
fn below<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    func: TextRange,
    open: &str,
    close: &str,
) -> Option<Edit> {
    let module = cx.module;
    let is_plain = module.text(func).contains(['\n', '\r'])
        && !module.has_multiline_string(call.range())
        && module.comments(call.range()).is_empty();
    if !is_plain {
        return None;
    }
    let indent = module.line_indentation(call.start());
    let inner = format!("{indent}{}", module.indent());
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let mut pieces = vec![module.reindented(func, indent, &inner)];
    let room = width(&inner);
    pieces.extend(arguments(call).map(|piece| layout.inside(&piece, &inner, room, 1)));
    let newline = module.newline();
    let comma = if pieces.len() > 1 { "," } else { "" };
    let text = pieces.join(&format!(",{newline}{inner}"));
    Some(Edit::replace(
        call.range(),
        format!("{open}{newline}{inner}{text}{comma}{newline}{indent}){close}"),
    ))
}

/// What becomes of arguments on several lines that stand below each other.
enum Aligned {
    /// The lines move with the first.
    Moved(Vec<Edit>),
    /// The call is laid out anew, since they would get too long.
    Anew(Edit),
}

/// The arguments of a call whose lines start below the first of them, `run(a,⏎    b)`.
fn aligned<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    func: TextRange,
    open: &str,
    close: &str,
) -> Option<Aligned> {
    let module = cx.module;
    let start = call.arguments.start() + TextSize::new(1);
    let before = module.text(TextRange::new(module.line_start(start), start));
    let column = width(before);
    let head = module.text(func);
    // By so much the first of them moves: to the right, or else to the left.
    let (wider, narrower) = (
        width(open).saturating_sub(width(head) + 1),
        (width(head) + 1).saturating_sub(width(open)),
    );
    let lines: Vec<TextSize> = module
        .lines_to_indent(call.arguments.range())
        .into_iter()
        .filter(|line| *line > start)
        .collect();
    let indentation = |line: &TextSize| width(module.line_indentation(*line));
    if lines.is_empty() || lines.iter().any(|line| indentation(line) < column) {
        return None;
    }
    let longest = cx.settings.line_length;
    let is_long = |line: &TextSize| {
        let text = module.text(TextRange::new(
            module.line_start(*line),
            module.line_end(*line),
        ));
        width(text) + wider > longest + narrower
    };
    let first = module.text(TextRange::new(
        module.line_start(start),
        module.line_end(start),
    ));
    let first = width(first) + width(open) + 1;
    if first <= longest && !lines.iter().any(is_long) {
        let moved = lines
            .iter()
            .map(|line| Edit::insert(*line, " ".repeat(wider)));
        return Some(Aligned::Moved(moved.collect()));
    }
    if !module.comments(call.range()).is_empty() || module.has_multiline_string(call.range()) {
        return None;
    }
    let layout = Layout {
        module,
        width: longest,
    };
    let mut pieces = vec![Piece::Text(head.to_string())];
    pieces.extend(arguments(call));
    let indent = module.line_indentation(call.start());
    let piece = Piece::Call(open.to_string(), pieces, ")");
    let text = layout.inside(&piece, indent, longest, 0);
    Some(Aligned::Anew(Edit::replace(
        call.range(),
        format!("{text}{close}"),
    )))
}

/// Where an argument starts, with its parentheses.
fn start_of(cx: &Context<'_, '_>, piece: &Piece<'_>) -> TextSize {
    match piece {
        Piece::Expr(expr) => cx.module.parenthesized(expr).start(),
        Piece::Keyword(keyword) => keyword.start(),
        Piece::Call(..) | Piece::Text(_) => TextSize::default(),
    }
}

/// The call as a formatter lays it out, where the line would get too long or the arguments were
/// broken by one: the call ends the statement, and nothing but the beginning of an assignment or a
/// `return` is before it.
fn laid_out<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    hop: &Hop,
    partial: Option<&str>,
    keyword: &str,
    is_trailed: bool,
) -> Option<String> {
    let module = cx.module;
    let statement = module.statement(call);
    let value = match statement {
        AnyNodeRef::StmtExpr(stmt) => &*stmt.value,
        AnyNodeRef::StmtAssign(stmt) => &stmt.value,
        AnyNodeRef::StmtAnnAssign(stmt) => stmt.value.as_deref()?,
        AnyNodeRef::StmtReturn(stmt) => stmt.value.as_deref()?,
        _ => return None,
    };
    if value.range() != call.range()
        || statement.end() != call.end()
        || is_trailed
        || !module.comments(statement.range()).is_empty()
        || module.has_multiline_string(statement.range())
    {
        return None;
    }
    let indent = module.indentation_at(statement.start())?;
    let before = module.text(TextRange::new(statement.start(), call.start()));
    if before.contains(['\n', '\r']) {
        return None;
    }
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let text = module.text(call);
    let is_broken = text.contains(['\n', '\r']);
    let by_formatter = module
        .text(call.arguments.range())
        .trim_start_matches('(')
        .starts_with(['\n', '\r']);
    if layout.has_trailing_comma(call.arguments.range()) || is_broken && !by_formatter {
        return None;
    }
    let func = module.text(module.parenthesized(&call.func));
    if func.contains(['\n', '\r']) {
        return None;
    }
    let mut pieces = vec![Piece::Text(func.to_string())];
    match &*call.arguments.args {
        [Expr::Generator(generator)] if !generator.parenthesized => return None,
        _ => pieces.extend(arguments(call)),
    }
    let open = format!("{keyword}{}(", hop.name);
    let piece = match partial {
        Some(partial) => {
            let inner = Piece::Call(format!("{partial}("), pieces, ")");
            Piece::Call(open, vec![inner], ")")
        }
        None => Piece::Call(open, pieces, ")"),
    };
    let start = width(indent) + width(before);
    let fits = layout
        .flat_piece(&piece)
        .is_some_and(|flat| start + width(&flat) <= layout.width);
    // What was on one line and still fits there needs no layout.
    if fits && !is_broken {
        return None;
    }
    Some(layout.piece(&piece, indent, start, 0))
}
