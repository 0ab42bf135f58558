//! The edits: what goes, what is put in its place, and what moves to another indentation.

use edit::Edit;
use engine::{Context, Layout, Piece, Refusal, Rewrite, Verdict, width, withheld};
use python::ast::token::{Token, TokenKind};
use python::ast::{AnyNodeRef, ExceptHandler, Expr, ExprCall, PythonVersion, Stmt, StmtTry};
use python::{After, Module, Ranged, TextRange, TextSize, is_blank};

use super::argument::{self, Form};
use super::uses::{self, Home, Loop, Source, Use};
use super::{Plan, entry, scope_of_loop};

/// Whether `statement` goes: it makes, sets up or closes the loop; or it is a `try` around nothing
/// but such statements.
pub fn goes(found: &Loop<'_>, statement: AnyNodeRef<'_>) -> bool {
    let direct = found.bindings.iter().any(|it| it.ptr_eq(statement))
        || found
            .uses
            .iter()
            .filter_map(Use::statement)
            .any(|it| it.ptr_eq(statement));
    if direct {
        return true;
    }
    let AnyNodeRef::StmtTry(stmt) = statement else {
        return false;
    };
    let all_go = |body: &[Stmt]| body.iter().all(|stmt| goes(found, stmt.into()));
    let handlers_go = stmt.handlers.iter().all(|handler| {
        let ExceptHandler::ExceptHandler(handler) = handler;
        handler
            .body
            .iter()
            .all(|stmt| stmt.is_pass_stmt() || goes(found, stmt.into()))
    });
    all_go(&stmt.body) && all_go(&stmt.orelse) && all_go(&stmt.finalbody) && handlers_go
}

/// Whether the statements can go without leaving a hole, and the runs be wrapped if they share
/// a loop.
pub fn check<'a>(cx: &Context<'a, '_>, found: &Loop<'a>, shared: bool) -> Result<(), Refusal> {
    let module = cx.module;
    for (body, parent) in lists(module, found) {
        let all_go = body.iter().all(|stmt| goes(found, stmt.into()));
        let is_clause = match parent {
            AnyNodeRef::StmtTry(stmt) => is_finally(stmt, body),
            AnyNodeRef::ExceptHandlerExceptHandler(_) => true,
            _ => false,
        };
        if all_go && !is_clause {
            return Err(withheld!(
                "`{}` is all that stands in its block, which would be empty without it: remove the block",
                argument::text(module, body.first().map_or(parent, AnyNodeRef::from))
            ));
        }
        for stmt in body.iter().filter(|stmt| goes(found, (*stmt).into())) {
            let trailing = module.placement(stmt).comment.into_iter();
            let inside = module.comments(stmt.range()).iter().copied();
            if let Some(comment) = inside
                .chain(trailing.filter(|it| is_directive(module, *it)))
                .next()
            {
                return Err(withheld!(
                    "the comment `{}` belongs to a line that goes: remove it first",
                    module.text(comment)
                ));
            }
        }
        let own_lines = |stmt: &Stmt| module.indentation_at(stmt.start()).is_some();
        if all_go
            && is_finally_of(parent, body)
            && !body.first().is_some_and(own_lines)
            && body.len() > 1
        {
            return Err(one_line(module, body));
        }
    }
    if shared || needs_factory_runner(cx, found) {
        let Some(wrap) = Wrap::around(module, found) else {
            return Err(Refusal::NotOurs); // no runs
        };
        let (Some(first), Some(last)) = (wrap.body.get(wrap.first), wrap.body.get(wrap.last))
        else {
            return Err(Refusal::NotOurs); // no runs
        };
        let alone = module.indentation_at(first.start()).is_some()
            && !matches!(module.placement(last).after, After::Statement(_));
        if !alone {
            return Err(one_line(module, wrap.body));
        }
    }
    Ok(())
}

fn one_line(module: &Module<'_>, body: &[Stmt]) -> Refusal {
    let text = body.first().map(|stmt| argument::text(module, stmt));
    withheld!(
        "several statements stand on the line of `{}`: put each on a line of its own",
        text.unwrap_or_default()
    )
}

/// Whether a comment acts on the line that it stands on.
fn is_directive(module: &Module<'_>, comment: TextRange) -> bool {
    let text = module.text(comment).trim_start_matches(['#', ' ']);
    [
        "fmt:", "isort:", "mypy:", "noqa", "nosec", "pragma", "pylint:", "pyright:", "ruff:",
        "type:",
    ]
    .iter()
    .any(|start| text.to_ascii_lowercase().starts_with(start))
}

/// Whether a runner is needed for one run: `asyncio.run` takes no `loop_factory` before 3.12.
fn needs_factory_runner(cx: &Context<'_, '_>, found: &Loop<'_>) -> bool {
    matches!(found.source, Source::Custom(_)) && !cx.supports(PythonVersion::PY312)
}

/// The lists of statements that something goes from, each with its node.
fn lists<'a>(module: &Module<'a>, found: &Loop<'a>) -> Vec<(&'a [Stmt], AnyNodeRef<'a>)> {
    let mut lists: Vec<(&'a [Stmt], AnyNodeRef<'a>)> = Vec::new();
    let going = found
        .uses
        .iter()
        .filter_map(Use::statement)
        .chain(found.bindings.iter().copied());
    for mut statement in going {
        // A `try` that goes as a whole.
        while let Some(around) = module
            .ancestors(statement)
            .find(|node| node.is_statement())
            .filter(|around| goes(found, *around))
        {
            statement = around;
        }
        let (Some((body, _)), Some(parent)) =
            (module.siblings(statement), module.parent(statement))
        else {
            continue;
        };
        let start = |body: &[Stmt]| body.first().map(Ranged::start);
        if !lists.iter().any(|(known, _)| start(known) == start(body)) {
            lists.push((body, parent));
        }
    }
    lists.sort_by_key(|(body, _)| body.first().map(Ranged::start));
    lists
}

fn is_finally(stmt: &StmtTry, body: &[Stmt]) -> bool {
    match (stmt.finalbody.first(), body.first()) {
        (Some(a), Some(b)) => a.start() == b.start(),
        _ => false,
    }
}

fn is_finally_of(parent: AnyNodeRef<'_>, body: &[Stmt]) -> bool {
    matches!(parent, AnyNodeRef::StmtTry(stmt) if is_finally(stmt, body))
}

/// The statements that share a loop, to be put into a `with`.
struct Wrap<'a> {
    body: &'a [Stmt],
    first: usize,
    last: usize,
}

impl<'a> Wrap<'a> {
    /// From the first statement with a run to the last, in the innermost list that has them all.
    fn around(module: &Module<'a>, found: &Loop<'a>) -> Option<Self> {
        let single = found.bindings.is_empty() && !matches!(found.source, Source::Current);
        let nodes: Vec<AnyNodeRef<'a>> = found
            .runs()
            .map(|run| {
                let node = AnyNodeRef::from(run);
                let repetition = entry::repetition(module, node, scope_of_loop(found));
                repetition.filter(|_| !single).unwrap_or(node)
            })
            .collect();
        let start = module.statement(*nodes.first()?);
        let statements = std::iter::once(start)
            .chain(module.ancestors(start).filter(|node| node.is_statement()));
        for statement in statements {
            let Some((body, _)) = module.siblings(statement) else {
                continue;
            };
            let places: Option<Vec<usize>> = nodes
                .iter()
                .map(|node| body.iter().position(|stmt| module.contains(stmt, *node)))
                .collect();
            if let Some(places) = places {
                return Some(Self {
                    body,
                    first: places.iter().copied().min()?,
                    last: places.iter().copied().max()?,
                });
            }
        }
        None
    }
}

/// The rewrite of all that concerns the loop.
pub fn write<'a>(cx: &Context<'a, '_>, found: &Loop<'a>, plan: &Plan<'a>) -> Verdict {
    let Some((first, _)) = plan.runs.first() else {
        return Err(Refusal::NotOurs); // it only shuts down
    };
    let import = cx.import(*first, "asyncio")?;
    let asyncio = import.name.clone();
    let uses_runner = plan.shared || needs_factory_runner(cx, found);
    let mut options = Vec::new();
    if let Some(value) = plan.debug {
        options.push(format!(
            "debug={}",
            cx.module.text(cx.module.parenthesized(value))
        ));
    }
    if let Source::Custom(call) = found.source {
        let maker = if call.arguments.is_empty() {
            cx.module.text(&*call.func).to_string()
        } else {
            format!("lambda: {}", cx.module.text(call))
        };
        options.push(format!("loop_factory={maker}"));
    }
    let mut writer = Writer {
        cx,
        found,
        edits: Vec::new(),
        shifts: Vec::new(),
    };
    writer.remove();
    let mut names = Vec::new();
    let run = if uses_runner {
        let runner = writer.fresh("runner", &mut names)?;
        writer.wrap(&asyncio, &runner, &options)?;
        options.clear();
        format!("{runner}.run")
    } else {
        format!("{asyncio}.run")
    };
    for (call, form) in &plan.runs {
        if *form == Form::Direct {
            writer.run(call, &run, &options);
        } else {
            let main = writer.fresh("_main", &mut names)?;
            writer.run_generated(call, &run, &main, &options)?;
        }
    }
    let mut edits = writer.finish();
    edits.extend(import.edit);
    let what = if plan.shared {
        "several runs on one loop: `asyncio.Runner` makes it, and shuts it down"
    } else if uses_runner {
        "a loop made by hand: `asyncio.Runner` makes it, and shuts it down"
    } else {
        "a loop made by hand: `asyncio.run` makes it, and shuts it down"
    };
    Ok(Rewrite {
        message: what.to_string(),
        applicability: plan.applicability,
        edits,
        python: uses_runner.then_some(PythonVersion::PY311),
    })
}

/// `try:`, over all its lines.
fn try_header(module: &Module<'_>, stmt: &StmtTry) -> TextRange {
    let tokens = module.tokens().after(stmt.start());
    let colon = tokens
        .iter()
        .find(|token| token.kind() == TokenKind::Colon)
        .map_or(stmt.start(), Ranged::end);
    TextRange::new(stmt.start(), colon)
}

/// Lines that move from one indentation to another.
struct Shift {
    lines: TextRange,
    from: String,
    to: String,
}

struct Writer<'c, 'a, 'm> {
    cx: &'c Context<'a, 'm>,
    found: &'c Loop<'a>,
    edits: Vec<Edit>,
    shifts: Vec<Shift>,
}

impl<'a> Writer<'_, 'a, '_> {
    fn module(&self) -> &Module<'a> {
        self.cx.module
    }

    fn replace(&mut self, start: TextSize, end: TextSize, content: impl Into<String>) {
        self.edits
            .push(Edit::replace(start.to_usize()..end.to_usize(), content));
    }

    /// A name that is free where the runs are.
    fn fresh(&self, name: &str, drawn: &mut Vec<String>) -> Result<String, Refusal> {
        let candidates: Vec<String> = std::iter::once(name.to_string())
            .chain((2..20).map(|number| format!("{name}_{number}")))
            .filter(|name| !drawn.contains(name))
            .collect();
        let candidates: Vec<&str> = candidates.iter().map(String::as_str).collect();
        let found = match self.found.home {
            Home::Module => self.cx.fresh_global(&candidates),
            // Not one that an earlier rewrite bound: the two may be around each other.
            Home::Function(function) => self.cx.fresh_local(function, &candidates, |_| false),
        };
        let Some(found) = found else {
            return Err(withheld!(
                "no free name was found for `{name}`: rename what has it"
            ));
        };
        drawn.push(found.clone());
        Ok(found)
    }

    /// Removes what makes, sets up and closes the loop.
    fn remove(&mut self) {
        let module = self.cx.module;
        for (body, parent) in lists(module, self.found) {
            let going: Vec<bool> = body
                .iter()
                .map(|stmt| goes(self.found, stmt.into()))
                .collect();
            if going.iter().all(|it| *it) {
                match parent {
                    AnyNodeRef::StmtTry(stmt) => self.remove_finally(stmt),
                    _ => {
                        if let (Some(first), Some(last)) = (body.first(), body.last()) {
                            self.replace(first.start(), last.end(), "pass");
                        }
                    }
                }
                continue;
            }
            let mut at = 0;
            while at < body.len() {
                let mut end = at;
                while going.get(end) == Some(&true) && (end == at || self.adjacent(body, end)) {
                    end += 1;
                }
                if end > at {
                    self.remove_statements(body, at, end - 1);
                }
                at = end.max(at + 1);
            }
        }
        self.unite_at_the_end();
    }

    /// What goes at the end of a file without a last line ending takes the one before it along. The
    /// line that this belongs to may go as well, by an edit of another block.
    fn unite_at_the_end(&mut self) {
        let module = self.cx.module;
        self.edits
            .sort_by_key(|edit| (edit.range.start, edit.range.end));
        let Some(mut last) = self.edits.pop() else {
            return;
        };
        let takes_along = |last: &Edit, before: &Edit| {
            last.range.end == module.source().len()
                && last.content.is_empty()
                && before.content.is_empty()
                && last.range.start < before.range.end
        };
        while let Some(before) = self.edits.pop_if(|before| takes_along(&last, before)) {
            let start = TextSize::try_from(before.range.start).unwrap_or_default();
            let starts_line = module.line_start(start) == start;
            last.range.start = if starts_line {
                self.end_of_line_before(start).to_usize()
            } else {
                before.range.start
            };
        }
        self.edits.push(last);
    }

    /// Whether no comment stands between a statement and the one before it.
    fn adjacent(&self, body: &[Stmt], at: usize) -> bool {
        let (Some(before), Some(after)) =
            (at.checked_sub(1).and_then(|at| body.get(at)), body.get(at))
        else {
            return false;
        };
        let between = TextRange::new(before.end(), after.start());
        self.module().comments(between).is_empty()
    }

    /// Removes `body[first..=last]`, with blank lines that are too many then.
    fn remove_statements(&mut self, body: &'a [Stmt], first: usize, last: usize) {
        let module = self.cx.module;
        let (Some(from), Some(to)) = (body.get(first), body.get(last)) else {
            return;
        };
        let placement = module.placement(to);
        let owns_start = module.indentation_at(from.start()).is_some();
        match placement.after {
            // The next statement takes the place.
            After::Statement(between) => {
                return self.replace(from.start(), between.end(), "");
            }
            _ if !owns_start => {
                let before = first.checked_sub(1).and_then(|at| body.get(at));
                let end = match placement.after {
                    After::Semicolon(semicolon) => semicolon.end(),
                    _ => to.end(),
                };
                return self.replace(before.map_or(from.start(), Ranged::end), end, "");
            }
            _ => {}
        }
        if let Some(comment) = placement.comment {
            // It stays, on a line of its own.
            return self.replace(from.start(), comment.start(), "");
        }
        let start = module.line_start(from.start());
        let end = module.next_line(to.end());
        if end == module.line_end(to.end()) {
            // The last line has no line ending, and the one that becomes the last shall have none.
            let above = self.blank_above(start).0;
            return self.replace(self.end_of_line_before(above), end, "");
        }
        let (above, before) = self.blank_above(start);
        let (below, after) = self.blank_below(end);
        let heads = first == 0 && !self.is_comment_before(above);
        // A comment about what goes is about what follows then.
        let is_annotated = before == 0 && self.is_comment_before(start);
        let (start, end) = if heads || is_annotated {
            (start, below)
        } else if last + 1 == body.len() {
            (above, end)
        } else if before > after {
            (start, below)
        } else {
            (above, end)
        };
        self.replace(start, end, "");
    }

    /// The start of the blank lines before the line that starts at `offset`, and their number.
    fn blank_above(&self, offset: TextSize) -> (TextSize, usize) {
        let (mut start, mut count) = (offset, 0);
        while let Some(line) = self.line_before(start) {
            // A backslash above makes it a part of that line.
            let goes_on = |above: TextRange| self.module().line_end(above.start()) >= line.start();
            if !is_blank(self.module().text(line))
                || self.line_before(line.start()).is_some_and(goes_on)
            {
                break;
            }
            start = line.start();
            count += 1;
        }
        (start, count)
    }

    /// The end of the blank lines from `offset` on, the start of a line, and their number.
    fn blank_below(&self, offset: TextSize) -> (TextSize, usize) {
        let module = self.module();
        let (mut end, mut count) = (offset, 0);
        while end.to_usize() < module.source().len() {
            let next = module.next_line(end);
            if !is_blank(module.text(TextRange::new(end, next))) {
                break;
            }
            end = next;
            count += 1;
        }
        (end, count)
    }

    fn line_before(&self, start: TextSize) -> Option<TextRange> {
        let last = start.checked_sub(TextSize::new(1))?;
        // The last byte of a line belongs to its line ending.
        let ending = self.module().source()[..start.to_usize()].ends_with("\r\n");
        let inside = if ending {
            last.checked_sub(TextSize::new(1))?
        } else {
            last
        };
        Some(TextRange::new(self.module().line_start(inside), start))
    }

    fn end_of_line_before(&self, start: TextSize) -> TextSize {
        self.line_before(start).map_or(start, |line| {
            self.without_backslash(self.module().line_end(line.start()))
        })
    }

    /// The end of a line that becomes the last one: before a backslash that leads to nothing but
    /// the end of the file then.
    fn without_backslash(&self, end: TextSize) -> TextSize {
        let module = self.module();
        let tokens = module.tokens().before(end);
        let is_code = |token: &&Token| !token.kind().is_any_newline() && !token.range().is_empty();
        match tokens.iter().rev().find(is_code).map(Ranged::end) {
            Some(code) if module.text(TextRange::new(code, end)).contains('\\') => code,
            _ => end,
        }
    }

    fn is_comment_before(&self, start: TextSize) -> bool {
        self.line_before(start)
            .is_some_and(|line| self.module().text(line).trim_start().starts_with('#'))
    }

    /// Removes the `finally` clause; and the `try` around its body, if there is no other clause.
    fn remove_finally(&mut self, stmt: &'a StmtTry) {
        let module = self.cx.module;
        let (Some(first), Some(last)) = (stmt.finalbody.first(), stmt.finalbody.last()) else {
            return;
        };
        let handler = stmt.handlers.last().map(Ranged::end);
        let before = stmt.orelse.last().map(Ranged::end).or(handler);
        let Some(before) = before.or(stmt.body.last().map(Ranged::end)) else {
            return;
        };
        let Some(keyword) = module
            .tokens()
            .in_range(TextRange::new(before, first.start()))
            .iter()
            .find(|token| token.kind() == TokenKind::Finally)
            .map(Ranged::range)
        else {
            return;
        };
        let outer = module
            .indentation_at(stmt.start())
            .unwrap_or_default()
            .to_string();
        let start = module.next_line(before);
        let end = module.next_line(last.end());
        let comments = module.comments(TextRange::new(start, end)).to_vec();
        if comments.is_empty() {
            if end == module.line_end(last.end()) {
                self.replace(self.without_backslash(module.line_end(before)), end, "");
            } else {
                self.replace(start, end, "");
            }
        } else {
            // The comments stay, at the level of the `try`.
            match module.indentation_at(first.start()) {
                None => self.remove_lines(keyword.start(), last.end()),
                Some(inner) => {
                    self.remove_lines(keyword.start(), keyword.end());
                    let mut rest = stmt.finalbody.as_slice();
                    while let Some((first, after)) = rest.split_first() {
                        let on_line = after
                            .iter()
                            .take_while(|stmt| module.indentation_at(stmt.start()).is_none())
                            .count();
                        let last = on_line.checked_sub(1).and_then(|at| after.get(at));
                        self.remove_lines(first.start(), last.unwrap_or(first).end());
                        rest = after.get(on_line..).unwrap_or_default();
                    }
                    let lines = TextRange::new(module.next_line(keyword.end()), end);
                    self.shifts.push(Shift {
                        lines,
                        from: inner.to_string(),
                        to: outer.clone(),
                    });
                }
            }
        }
        if stmt.handlers.is_empty() {
            self.dissolve(stmt, &outer, start);
        }
    }

    /// Deletes the line of what goes from `start` to `end`, or, if a comment follows there, all but
    /// that comment.
    fn remove_lines(&mut self, start: TextSize, end: TextSize) {
        let module = self.cx.module;
        let rest = TextRange::new(end, module.line_end(end));
        match module.comments(rest).first().copied() {
            Some(comment) => self.replace(start, comment.start(), ""),
            None => self.replace(module.line_start(start), module.next_line(end), ""),
        }
    }

    /// `try:` goes, its body moves to the indentation of the `try`.
    fn dissolve(&mut self, stmt: &'a StmtTry, outer: &str, end: TextSize) {
        let module = self.cx.module;
        let Some(first) = stmt.body.first() else {
            return;
        };
        let Some(inner) = module.indentation_at(first.start()) else {
            // try: loop.run_until_complete(main())
            return self.replace(stmt.start(), first.start(), "");
        };
        let header = try_header(module, stmt);
        self.remove_lines(header.start(), header.end());
        self.shifts.push(Shift {
            lines: TextRange::new(module.next_line(header.end()), end),
            from: inner.to_string(),
            to: outer.to_string(),
        });
    }

    /// Puts the statements with the runs into `with asyncio.Runner(...) as runner:`.
    fn wrap(&mut self, asyncio: &str, runner: &str, options: &[String]) -> Result<(), Refusal> {
        let module = self.cx.module;
        let Some(wrap) = Wrap::around(module, self.found) else {
            return Err(Refusal::NotOurs); // no runs
        };
        let (Some(first), Some(last)) = (wrap.body.get(wrap.first), wrap.body.get(wrap.last))
        else {
            return Err(Refusal::NotOurs); // no runs
        };
        let indent = module.indentation_at(first.start()).unwrap_or_default();
        // Further to the left, where a `try` around it goes.
        let moved = self.indent_after(first.start());
        let layout = Layout {
            module,
            width: self.cx.settings.line_length,
        };
        let header = |indent: &str| {
            let pieces = options.iter().cloned().map(Piece::Text).collect();
            let closing = format!(") as {runner}:");
            let piece = Piece::Call(format!("with {asyncio}.Runner("), pieces, ")");
            let text = layout.piece(&piece, indent, width(indent), width(&closing) - 1);
            format!("{text}{}", &closing[1..])
        };
        // A `try` that goes makes room for the `with`.
        if let Some(AnyNodeRef::StmtTry(stmt)) = module.parent(first)
            && stmt.body.first().map(Ranged::start) == wrap.body.first().map(Ranged::start)
            && stmt.handlers.is_empty()
            && stmt
                .finalbody
                .iter()
                .all(|stmt| goes(self.found, stmt.into()))
            && module
                .indentation_at(stmt.body.first().map_or(stmt.start(), Ranged::start))
                .is_some()
        {
            let outer = module.indentation_at(stmt.start()).unwrap_or_default();
            let colon = try_header(module, stmt).end();
            let line = TextRange::new(stmt.start(), module.next_line(colon));
            let body = TextRange::new(line.end(), stmt.end());
            self.edits.retain(|edit| {
                edit.range.start < module.line_start(line.start()).to_usize()
                    || edit.range.start >= line.end().to_usize()
            });
            self.shifts
                .retain(|shift| shift.lines.start() != body.start());
            let header = header(outer);
            self.replace(stmt.start(), colon, header);
            return Ok(());
        }
        let start = module.line_start(first.start());
        let header = format!("{moved}{}{}", header(&moved), module.newline());
        self.replace(start, start, header);
        self.shifts.push(Shift {
            lines: TextRange::new(start, module.next_line(last.end())),
            from: indent.to_string(),
            to: format!("{indent}{}", module.indent()),
        });
        Ok(())
    }

    fn layout(&self) -> Layout<'a, '_> {
        Layout {
            module: self.cx.module,
            width: self.cx.settings.line_length,
        }
    }

    /// The indentation that a line at `offset` gets.
    fn indent_after(&self, offset: TextSize) -> String {
        let module = self.module();
        let statement_indent = module.indentation_at(offset).unwrap_or_default();
        self.shifted(offset, statement_indent)
    }

    fn shifted(&self, offset: TextSize, indent: &str) -> String {
        let mut shifts: Vec<&Shift> = self
            .shifts
            .iter()
            .filter(|shift| shift.lines.contains(offset))
            .collect();
        shifts.sort_by_key(|shift| shift.from.len());
        let mut indent = indent.to_string();
        // From the inside out, so that each finds the indentation that it knows.
        for shift in shifts.iter().rev() {
            if let Some(rest) = indent.strip_prefix(&shift.from) {
                indent = format!("{}{rest}", shift.to);
            }
        }
        indent
    }

    /// `loop.run_until_complete(main())` => `asyncio.run(main(), debug=True)`.
    fn run(&mut self, call: &'a ExprCall, run: &str, options: &[String]) {
        let module = self.cx.module;
        let Some(argument) = uses::argument(call) else {
            return;
        };
        if let Some(text) = self.laid_out(call, argument, run, options) {
            return self.replace(call.start(), call.end(), text);
        }
        self.replace(call.func.start(), call.func.end(), run);
        if !options.is_empty() {
            let end = module.parenthesized(argument).end();
            self.replace(end, end, format!(", {}", options.join(", ")));
        }
    }

    /// The whole call, where its line breaks may no longer be what a formatter would choose.
    fn laid_out(
        &self,
        call: &'a ExprCall,
        argument: &'a Expr,
        run: &str,
        options: &[String],
    ) -> Option<String> {
        let module = self.cx.module;
        let statement = module.statement(call);
        let is_last = statement.end() == call.end();
        module.indentation_at(statement.start())?;
        if !is_last
            || !module.comments(call.range()).is_empty()
            || module.line_start(statement.start()) != module.line_start(call.start())
        {
            return None;
        }
        let line = TextRange::new(module.line_start(statement.start()), call.start());
        let prefix = TextRange::new(statement.start(), call.start());
        let indent = self.indent_after(statement.start());
        let before = width(&indent) + width(module.text(prefix));
        let mut pieces = vec![Piece::Expr(argument)];
        pieces.extend(options.iter().cloned().map(Piece::Text));
        let layout = self.layout();
        let text = module.text(call);
        let piece = Piece::Call(format!("{run}("), pieces, ")");
        let inside = text.trim_end_matches(')').trim_end();
        if inside.ends_with(',') && module.text(argument).len() < inside.len() {
            return None; // the author wants it on several lines
        }
        let flat = layout.flat_piece(&piece);
        if let Some(flat) = flat
            && before + width(&flat) <= layout.width
        {
            return Some(flat);
        }
        // Where a formatter was at work, its layout; else the author's.
        let was_indent = module.indentation_at(statement.start())?;
        let was = Piece::Call(
            format!("{}(", module.text(&*call.func)),
            vec![Piece::Expr(argument)],
            ")",
        );
        let formatted = text == layout.piece(&was, was_indent, width(module.text(line)), 0);
        formatted.then(|| layout.piece(&piece, &indent, before, 0))
    }

    /// The same with an argument that a generated coroutine awaits.
    fn run_generated(
        &mut self,
        call: &'a ExprCall,
        run: &str,
        main: &str,
        options: &[String],
    ) -> Result<(), Refusal> {
        let module = self.cx.module;
        let Some(argument) = uses::argument(call) else {
            return Err(Refusal::NotOurs); // fails today
        };
        let mut given = vec![format!("{main}()")];
        given.extend_from_slice(options);
        self.replace(
            call.start(),
            call.end(),
            format!("{run}({})", given.join(", ")),
        );

        let newline = module.newline();
        let statement = module.statement(call);
        let outermost = std::iter::once(statement)
            .chain(
                module
                    .ancestors(statement)
                    .filter(|node| node.is_statement()),
            )
            .take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)));
        let is_module = matches!(self.found.home, Home::Module);
        let anchor = if is_module {
            outermost.last()
        } else {
            outermost
                .filter(|node| module.indentation_at(node.start()).is_some())
                .find(|node| module.siblings(*node).is_some())
        };
        let Some(anchor) = anchor else {
            return Err(withheld!(
                "the coroutine that `asyncio.run` needs has no place on this line: put the function's body on lines of its own"
            ));
        };
        let mut at = module.line_start(anchor.start());
        let indent = self.indent_after(anchor.start());
        let own = module.indentation_at(anchor.start()).unwrap_or_default();
        // A comment above stays above its statement, but that above a `with` which begins there.
        while let Some(line) = self.line_before(at)
            && self.module().text(line).trim_start().starts_with('#')
            && module.comments(line).len() == 1
            && self.shifted(line.start(), own) == indent
        {
            at = line.start();
        }
        let inner = format!("{indent}{}", module.indent());
        let before = width(&inner) + "return await ".len();
        let awaited = self
            .layout()
            .piece(&Piece::Expr(argument), &inner, before, 0);
        let blank = if indent.is_empty() { 2 } else { 1 };
        let missing = if self.begins_wrapped(at) {
            1
        } else {
            self.missing_blank_lines(anchor, at, blank)
        };
        let text = format!(
            "{}{indent}async def {main}():{newline}{inner}return await {awaited}{newline}{}",
            newline.repeat(missing),
            newline.repeat(blank)
        );
        self.replace(at, at, text);
        Ok(())
    }

    /// Whether the `try` goes and its body stays.
    fn is_dissolved(&self, stmt: &StmtTry) -> bool {
        let module = self.module();
        let body = module.next_line(try_header(module, stmt).end());
        self.shifts
            .iter()
            .any(|shift| shift.lines.start() == body && shift.to.len() < shift.from.len())
    }

    /// Whether the `with` of a runner is put before the line that starts at `at`.
    fn begins_wrapped(&self, at: TextSize) -> bool {
        self.shifts
            .iter()
            .any(|shift| shift.lines.start() == at && shift.from.len() < shift.to.len())
    }

    /// How many blank lines are missing before a definition at `at`.
    fn missing_blank_lines(&self, anchor: AnyNodeRef<'a>, at: TextSize, wanted: usize) -> usize {
        let module = self.module();
        let (mut above, mut blank) = self.blank_above(at);
        if above.to_usize() == 0 {
            return 0;
        }
        let Some((body, position)) = module.siblings(anchor) else {
            return wanted;
        };
        let mut position = position;
        while let Some(previous) = position.checked_sub(1).and_then(|it| body.get(it)) {
            let touches = module.next_line(previous.end()) >= above;
            if !touches || !goes(self.found, previous.into()) {
                break;
            }
            position -= 1;
            let (start, count) = self.blank_above(module.line_start(previous.start()));
            above = start;
            blank = blank.max(count);
        }
        if position == 0
            && let Some(AnyNodeRef::StmtTry(stmt)) = module.parent(anchor)
            && self.is_dissolved(stmt)
        {
            let stmt = AnyNodeRef::from(stmt);
            return self.missing_blank_lines(stmt, module.line_start(stmt.start()), wanted);
        }
        if position == 0 && !matches!(self.found.home, Home::Module) {
            return 0; // first in its block
        }
        wanted.saturating_sub(blank)
    }

    /// The edits; as one, where lines move: nobody else may write into them meanwhile.
    fn finish(mut self) -> Vec<Edit> {
        if self.shifts.is_empty() {
            return self.edits;
        }
        let module = self.cx.module;
        let mut shifting = Vec::new();
        for shift in &self.shifts {
            let mut line = shift.lines.start();
            while line < shift.lines.end() {
                shifting.push(line);
                line = module.next_line(line);
            }
        }
        shifting.sort();
        shifting.dedup();
        let (Some(first), Some(last)) = (shifting.first(), shifting.last()) else {
            return self.edits;
        };
        // To the end of the last line that moves: what others write there has its indentation.
        let lines = TextRange::new(*first, module.line_end(*last));
        let strings = module.multiline_strings(lines);
        for line in shifting {
            let next = module.next_line(line).to_usize();
            let inside = |edit: &Edit| {
                let (start, end) = (edit.range.start, edit.range.end);
                let goes = start == line.to_usize() && next <= end && edit.content.is_empty();
                goes || (start < line.to_usize() && line.to_usize() < end)
            };
            let in_string = strings
                .iter()
                .any(|string| string.start() < line && line < string.end());
            let content = TextRange::new(line, module.line_end(line));
            let text = module.text(content);
            if in_string || text.trim().is_empty() || self.edits.iter().any(inside) {
                continue;
            }
            let indent = module.line_indentation(line);
            let moved = self.shifted(line, indent);
            if moved != indent {
                let start = module.indentation_start(line).to_usize();
                let end = start + indent.len();
                self.edits.push(Edit::replace(start..end, moved));
            }
        }
        vec![Edit::joined(module.source(), lines.into(), self.edits)]
    }
}
