//! Statements that make the tasks, moved into the group.

use std::fmt::Write as _;

use edit::Edit;
use engine::{Line, Piece, Refusal, replace_statement, width};
use python::ast::{self, AnyNodeRef, Expr, Stmt};
use python::{Ranged, TextRange, TextSize, indentation};

use super::children::{Child, Item};
use super::place::Place;
use super::render::{Writer, display_items};

impl<'a> Writer<'a, '_, '_> {
    /// `tasks = [create_task(f(x)) for x in xs]` => `tasks = [tg.create_task(f(x)) for x in xs]`,
    /// laid out anew where its author left that to a formatter.
    pub(super) fn created_display(
        &self,
        stmt: &'a Stmt,
        display: &'a Expr,
        calls: &[&'a ast::ExprCall],
    ) -> Vec<Edit> {
        let module = self.cx.module;
        let plain = module.comments(stmt.range()).is_empty()
            && !module.has_multiline_string(stmt.range())
            && !self.layout.has_trailing_comma(display.range())
            && !display.is_generator_expr();
        if !plain {
            return calls
                .iter()
                .map(|call| {
                    Edit::replace(
                        call.func.range(),
                        format!("{}.create_task", self.names.group),
                    )
                })
                .collect();
        }
        let items = display_items(self.cx, display);
        let borrowed: Vec<(&Item<'a>, &'a Expr)> = items
            .iter()
            .map(|(item, argument)| (item, *argument))
            .collect();
        let target = TextRange::new(stmt.start(), display.start());
        let target = module
            .text(target)
            .trim_end()
            .trim_end_matches('=')
            .trim_end();
        vec![Edit::replace(stmt.range(), self.display(target, &borrowed))]
    }

    /// `one = create_task(f())` => `one = tg.create_task(f())`, laid out anew where a formatter
    /// laid it out.
    pub(super) fn created_statement(&self, stmt: &'a Stmt, call: &'a ast::ExprCall) -> Edit {
        let module = self.cx.module;
        let text = module.text(stmt.range());
        let formatted = text.lines().count() == 1
            || text
                .lines()
                .next()
                .is_some_and(|line| line.ends_with(['(', '[']));
        let plain = formatted
            && module.comments(stmt.range()).is_empty()
            && !module.has_multiline_string(stmt.range())
            && !self.layout.has_trailing_comma(call.arguments.range());
        match super::children::created(self.cx, call) {
            Some(child) if plain => {
                let value = match stmt {
                    Stmt::Assign(assign) => module.parenthesized(&assign.value).start(),
                    _ => call.start(),
                };
                let target = module.text(TextRange::new(stmt.start(), value));
                let indent = self.indent_at(self.depth());
                let before = width(&indent) + width(target);
                let create = child.create(&self.names);
                let text = self.layout.piece(&create, &indent, before, 0);
                Edit::replace(stmt.range(), format!("{target}{text}"))
            }
            _ => self.created_call(call),
        }
    }

    /// `create_task(f())` => `tg.create_task(f())`
    pub(super) fn created_call(&self, call: &'a ast::ExprCall) -> Edit {
        Edit::replace(
            call.func.range(),
            format!("{}.create_task", self.names.group),
        )
    }

    /// `tasks.append(create_task(f(x)))` => `tg.create_task(f(x))`, or, where the list stays,
    /// `tasks.append(tg.create_task(f(x)))`.
    pub(super) fn appended(
        &self,
        list_goes: bool,
        appended: &[(&'a ast::ExprCall, Child<'a>)],
    ) -> Vec<Edit> {
        let module = self.cx.module;
        let deeper = module.indent().repeat(self.depth());
        let mut edits = Vec::new();
        for (append, child) in appended {
            let created = append
                .arguments
                .args
                .first()
                .and_then(|element| match element {
                    Expr::Call(call) if !std::ptr::eq(child.coroutine, element) => Some(call),
                    _ => None,
                });
            let plain = module.comments(append.range()).is_empty()
                && !module.has_multiline_string(append.range());
            if let Some(indent) = module.indentation_at(append.start()).filter(|_| plain) {
                let indent = format!("{indent}{deeper}");
                let create = child.create(&self.names);
                let piece = if list_goes {
                    create
                } else {
                    Piece::Call(
                        format!("{}(", module.text(append.func.range())),
                        vec![create],
                        ")",
                    )
                };
                let text = self.layout.piece(&piece, &indent, width(&indent), 0);
                edits.push(Edit::replace(append.range(), text));
                continue;
            }
            match (list_goes, created) {
                (true, Some(call)) => {
                    edits.push(Edit::replace(
                        TextRange::new(append.start(), call.arguments.start()),
                        format!("{}.create_task", self.names.group),
                    ));
                    edits.push(Edit::delete(TextRange::new(call.end(), append.end())));
                }
                (true, None) => edits.push(Edit::replace(
                    append.func.range(),
                    format!("{}.create_task", self.names.group),
                )),
                (false, Some(call)) => edits.push(self.created_call(call)),
                (false, None) => {}
            }
        }
        edits
    }

    /// The statements from the first to the last of `moved` stand in the group: the header before
    /// them, their lines indented, `inner` the edits of their text. What is awaited after them
    /// goes, or becomes the results.
    pub(super) fn move_into_group(
        &self,
        (first, last): (&'a Stmt, &'a Stmt),
        inner: Vec<Edit>,
        guard: Option<&'a Stmt>,
        place: &Place<'a>,
    ) -> Vec<Edit> {
        let module = self.cx.module;
        let newline = module.newline();
        let end = self.end_of_moved(last);
        let mut edits = Vec::new();
        let mut header = String::new();
        let mut after_header = None;
        match place {
            Place::Unused(awaited) => {
                let gone = guard.map_or(AnyNodeRef::from(*awaited), AnyNodeRef::from);
                let trailing = module.placement(gone).comment;
                let region_end = module.next_line(gone.end());
                let mut region = TextRange::new(module.next_line(end), region_end);
                if !module.text(region).ends_with(['\n', '\r']) && self.failures.is_none() {
                    // A file without a last line ending stays one.
                    region = TextRange::new(module.line_end(end), region_end);
                }
                for comment in module.comments(region) {
                    if guard.is_none() && Some(*comment) == trailing {
                        after_header = Some(module.text(*comment));
                    } else {
                        let _ = write!(header, "{}{}{newline}", self.indent, module.text(*comment));
                    }
                }
                let mut text = self.closing();
                let between = TextRange::new(region.start(), module.line_start(gone.start()));
                let is_last = module
                    .siblings(gone)
                    .is_none_or(|(body, position)| position + 1 == body.len());
                let next = TextRange::new(region.end(), module.next_line(region.end()));
                if !is_last
                    && !between.is_empty()
                    && module
                        .text(between)
                        .lines()
                        .any(|line| line.trim().is_empty())
                    && !module.text(next).trim().is_empty()
                {
                    text.push_str(newline);
                }
                edits.push(Edit::replace(region, text));
            }
            Place::Names(assign, names) if !self.is_starred() => {
                let lines: Vec<Line> = names
                    .iter()
                    .zip(self.argument_results())
                    .map(|(name, result)| Line::new(0, format!("{name} = {result}")))
                    .collect();
                let same_number = lines.len() == names.len();
                edits.push(if same_number {
                    replace_statement(module, *assign, &lines)
                } else {
                    self.replace_site(self.moved_results())
                });
                edits.push(Edit::insert(module.next_line(end), self.closing()));
            }
            Place::Names(..) | Place::Value(_) => {
                edits.push(self.replace_site(self.moved_results()));
                edits.push(Edit::insert(module.next_line(end), self.closing()));
            }
        }
        for (position, line) in self.header().into_iter().enumerate() {
            let indent = self.indent_at(line.depth);
            let _ = write!(header, "{indent}{}", line.text);
            if let Some(comment) = after_header.filter(|_| position == 0) {
                let _ = write!(header, "  {comment}");
            }
            header.push_str(newline);
        }
        let deeper = module.indent().repeat(self.depth());
        let start = module.indentation_start(first.start());
        for line in module.lines_to_indent(TextRange::new(first.start(), end)) {
            let offset = line.to_usize();
            if inner
                .iter()
                .any(|edit| edit.range.start < offset && offset <= edit.range.end)
            {
                continue;
            }
            let mut text = deeper.clone();
            if line == start {
                // One insertion, so that nothing can come between the header and the first line.
                text.insert_str(0, &header);
            }
            edits.push(Edit::insert(line, text));
        }
        edits.retain(|edit| !edit.range.is_empty() || !edit.content.is_empty());
        edits.extend(inner);
        edits
    }

    /// The end of a moved statement with the comments after it that stand deeper than it does:
    /// they belong to its body.
    pub(super) fn end_of_moved(&self, last: &'a Stmt) -> TextSize {
        let module = self.cx.module;
        let mut end = last.end();
        let mut line = module.next_line(end);
        while line.to_usize() < module.source().len() {
            let range = TextRange::new(line, module.line_end(line));
            let text = module.text(range);
            let indent = indentation(text).len();
            if text.trim().is_empty() {
                line = module.next_line(line);
                continue;
            }
            if !text.trim_start().starts_with('#') || indent <= self.indent.len() {
                break;
            }
            end = range.end();
            line = module.next_line(line);
        }
        end
    }

    pub(super) fn is_starred(&self) -> bool {
        self.gather
            .call
            .arguments
            .args
            .iter()
            .any(Expr::is_starred_expr)
    }

    /// `one.result()` for each of the arguments, which are names of tasks.
    pub(super) fn argument_results(&self) -> Vec<String> {
        let arguments = &self.gather.call.arguments.args;
        arguments
            .iter()
            .map(|argument| format!("{}.result()", self.cx.module.text(argument)))
            .collect()
    }

    /// The results of tasks that were made before the gather.
    pub(super) fn moved_results(&self) -> String {
        match &*self.gather.call.arguments.args {
            [Expr::Starred(starred)] => {
                let name = self.cx.module.text(starred.value.range());
                format!("[task.result() for task in {name}]")
            }
            _ => format!("[{}]", self.argument_results().join(", ")),
        }
    }

    /// The group in the place of `if tasks: await gather(*tasks)`: without tasks it does nothing.
    pub(super) fn replace_guard(
        &self,
        guard: &'a Stmt,
        items: &[(Item<'a>, &'a Expr)],
    ) -> Result<Vec<Edit>, Refusal> {
        let module = self.cx.module;
        let own = module.placement(guard).comment;
        let site = self.gather.site.range();
        let mut lines = self.header();
        for comment in module.comments(guard.range()) {
            if Some(*comment) != own && !site.contains_range(*comment) {
                lines.push(Line::new(self.depth(), module.text(*comment)));
            }
        }
        self.statements(&mut lines, items)?;
        self.close(&mut lines);
        Ok(vec![replace_statement(module, guard, &lines)])
    }

    /// The lines that unwrap the failures, after the last statement that was moved.
    pub(super) fn closing(&self) -> String {
        let mut lines = Vec::new();
        self.close(&mut lines);
        let mut text = String::new();
        for line in lines {
            let indent = self.indent_at(line.depth);
            let _ = write!(text, "{indent}{}{}", line.text, self.cx.module.newline());
        }
        text
    }
}
