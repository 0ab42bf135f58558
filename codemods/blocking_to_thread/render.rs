//! Writing the function that statements move into.

use std::fmt::Write as _;

use edit::Edit;
use engine::{Context, Layout, Lines, Piece, Standing, width};
use python::ast::{AnyNodeRef, Expr, StmtFunctionDef};
use python::{Ranged, TextRange, TextSize};

use super::block::{Block, Gives, Waits};
use super::hop::Hop;
use super::kind::files;
use super::table::Category;

impl Block {
    /// The first statement.
    pub(super) fn site<'a>(&self, cx: &Context<'a, '_>) -> AnyNodeRef<'a> {
        cx.module.node(self.first)
    }

    /// The edits that move the statements into a function, and run that in a thread.
    ///
    /// ```python
    /// with open(path) as f:
    ///     data = json.load(f)
    /// ```
    /// =>
    /// ```python
    /// def _read_file():
    ///     with open(path) as f:
    ///         return json.load(f)
    ///
    /// data = await asyncio.to_thread(_read_file)
    /// ```
    pub(super) fn edits<'a>(
        &self,
        cx: &Context<'a, '_>,
        coroutine: &'a StmtFunctionDef,
        hop: &Hop,
    ) -> Option<Vec<Edit>> {
        let module = cx.module;
        let (first, last) = (module.node(self.first), module.node(self.last));
        let source = module.source();
        let newline = module.newline();
        let unit = module.indent();
        let indent = module.indentation_at(first.start())?;
        let end = module.end_with_comments(last);
        let range = TextRange::new(first.start(), end);

        // What is written into the statements: deeper lines, and `return` for an assignment.
        let given = match &self.gives {
            Gives::Value(id) => Some(module.node(*id).start()),
            _ => None,
        };
        let mut pieces: Vec<(TextRange, String)> = module
            .lines_to_indent(range)
            .into_iter()
            .filter(|line| *line > first.start())
            .map(|line| match broken_deeper(cx, line) {
                Some((range, text)) if given.is_none_or(|it| !range.contains(it)) => {
                    (range, format!("{unit}{text}"))
                }
                _ => (TextRange::new(line, line), unit.to_string()),
            })
            .collect();
        // The first line is moved by what is written before it.
        let start = module.indentation_start(first.start());
        pieces.extend(broken_deeper(cx, start).filter(|(range, _)| {
            range.start() == first.start() && given.is_none_or(|it| !range.contains(it))
        }));
        let call = |head: &str| {
            let layout = Layout {
                module,
                width: cx.settings.line_length,
            };
            let open = format!("await {}(", hop.name);
            let piece = Piece::Call(open, vec![Piece::Text(self.name.clone())], ")");
            let last_line = head.lines().last().unwrap_or_default();
            let before = width(indent) + width(last_line);
            format!("{head}{}", layout.piece(&piece, indent, before, 0))
        };
        let mut tail = String::new();
        let result = match &self.gives {
            Gives::Nothing => call(""),
            Gives::Name(name) => {
                tail = format!("{newline}{indent}{unit}return {name}");
                call(&format!("{name} = "))
            }
            Gives::Value(id) => {
                let stmt = module.node(*id);
                let value = match stmt {
                    AnyNodeRef::StmtAssign(assign) => &*assign.value,
                    AnyNodeRef::StmtAnnAssign(assign) => assign.value.as_deref()?,
                    _ => return None,
                };
                let start = module.parenthesized(value).start();
                let head = TextRange::new(stmt.start(), start);
                pieces.push((head, "return ".to_string()));
                call(module.text(head))
            }
            Gives::Returned(_) => call("return "),
        };
        pieces.sort_by_key(|(range, _)| range.start());
        let returns = match (&self.gives, &coroutine.returns) {
            (Gives::Nothing, Some(_)) => " -> None",
            _ => "",
        };

        let start = start_with_comments(cx, first.start());
        let mut text = String::new();
        if is_blank_wanted(cx, first, start) {
            text.push_str(newline);
        }
        text.push_str(source.get(start.to_usize()..first.start().to_usize())?);
        let name = &self.name;
        let _ = write!(text, "def {name}(){returns}:{newline}{indent}{unit}");
        let mut at = first.start();
        for (piece, content) in pieces {
            if piece.start() < at {
                return None;
            }
            text.push_str(source.get(at.to_usize()..piece.start().to_usize())?);
            text.push_str(&content);
            at = piece.end();
        }
        text.push_str(source.get(at.to_usize()..end.to_usize())?);
        text.push_str(&tail);
        let _ = write!(text, "{newline}{newline}{indent}{result}");

        let mut edits = vec![Edit::replace(TextRange::new(start, end), text)];
        edits.extend(hop.edits.iter().cloned());
        Some(edits)
    }
}

/// A statement on one line that gets too long when it stands one level deeper, on several.
fn broken_deeper(cx: &Context<'_, '_>, line: TextSize) -> Option<(TextRange, String)> {
    let module = cx.module;
    let start = line + TextSize::of(module.line_indentation(line));
    let range = TextRange::new(start, module.line_end(start));
    let longest = cx.settings.line_length;
    let wide = width(module.text(TextRange::new(module.line_start(line), range.end())));
    let is_statement = module.logical_line(start) == range;
    if wide > longest || wide + width(module.indent()) <= longest || !is_statement {
        return None;
    }
    let lines = Lines {
        width: longest,
        indent: module.indent(),
        newline: module.newline(),
    };
    let indent = format!("{}{}", module.line_indentation(line), module.indent());
    let text = lines.broken(module.text(range), &indent, Standing::Statement)?;
    Some((range, text))
}

/// The start of the comments directly above a statement, which belong to it.
fn start_with_comments(cx: &Context<'_, '_>, statement: TextSize) -> TextSize {
    let module = cx.module;
    let mut start = module.line_start(statement);
    while start > TextSize::new(0) {
        let above = module.line_start(start - TextSize::new(1));
        let line = module.text(TextRange::new(above, start));
        if !line.trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    start
}

/// Whether a blank line has to come before a function that starts at `start`: not at the start of
/// its suite, nor after another blank line.
fn is_blank_wanted<'a>(cx: &Context<'a, '_>, first: AnyNodeRef<'a>, start: TextSize) -> bool {
    let module = cx.module;
    let is_first = module
        .siblings(first)
        .is_none_or(|(_, position)| position == 0);
    if is_first || start == TextSize::new(0) {
        return false;
    }
    let above = module.line_start(start - TextSize::new(1));
    !module.text(TextRange::new(above, start)).trim().is_empty()
}

/// A name for the function, after what it does.
pub(super) fn name<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    calls: &[Waits],
    found: &[Block],
) -> Option<String> {
    let base = base_name(cx, calls);
    let numbered = (2..100).map(|number| format!("{base}_{number}"));
    std::iter::once(base.to_string())
        .chain(numbered)
        .find(|name| {
            found.iter().all(|block| block.name != *name) && !cx.module.mentions(coroutine, name)
        })
}

fn base_name(cx: &Context<'_, '_>, calls: &[Waits]) -> &'static str {
    let all = |wanted: &dyn Fn(&str, Category) -> bool| {
        calls
            .iter()
            .all(|(name, category, _)| wanted(name, *category))
    };
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_string();
    let opens = |name: &str| matches!(last(name).as_str(), "open" | "open_code");
    let writes = |call: &Waits| {
        let (name, _, id) = call;
        match last(name).as_str() {
            "write_text"
            | "write_bytes"
            | "mkdir"
            | "makedirs"
            | "TemporaryFile"
            | "NamedTemporaryFile"
            | "SpooledTemporaryFile" => true,
            "open" => match cx.module.node(*id) {
                AnyNodeRef::ExprCall(call) => {
                    let position =
                        usize::from(!call.func.is_attribute_expr() || name != "pathlib.Path.open");
                    let mode = call.arguments.find_argument_value("mode", position);
                    mode.is_some_and(|mode| {
                        matches!(mode, Expr::StringLiteral(text)
                            if text.value.to_str().contains(['w', 'a', 'x', '+']))
                    })
                }
                _ => false,
            },
            _ => false,
        }
    };
    let content = |name: &str, category: Category| {
        files(category)
            && (opens(name)
                || matches!(
                    last(name).as_str(),
                    "read_text"
                        | "read_bytes"
                        | "write_text"
                        | "write_bytes"
                        | "mkdir"
                        | "makedirs"
                        | "TemporaryFile"
                        | "NamedTemporaryFile"
                        | "SpooledTemporaryFile"
                ))
    };
    if all(&content) {
        let some = |wanted: &dyn Fn(&Waits) -> bool| calls.iter().any(wanted);
        return match (some(&writes), some(&|call| !writes(call))) {
            (true, false) => "_write_file",
            (false, _) => "_read_file",
            (true, true) => "_update_files",
        };
    }
    if all(&|_, category| files(category)) {
        return "_update_files";
    }
    if all(&|_, category| category == Category::Process) {
        return "_run_commands";
    }
    if all(&|_, category| category == Category::Http) {
        return "_make_requests";
    }
    "_in_thread"
}
