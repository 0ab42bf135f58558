//! The task group in the place of the gather.

use std::fmt::Write;

use edit::Edit;
use engine::{
    Context, Layout, Line, Piece, Refusal, insert_before, replace_statement, width, withheld,
};
use python::ast::{self, AnyNodeRef, Comprehension, Expr, Stmt};
use python::{BindingKind, Ranged, ScopeKind, TextRange, TextSize, is_blank};

use super::Gather;
use super::children::{Child, Children, Item, Names};
use super::lists::List;
use super::names::{binds, fresh, is_finished_group, is_finished_list, wrapper};
use super::place::Place;

/// The edits that make the task group.
pub(super) fn edits<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    place: &Place<'a>,
    children: &Children<'a>,
) -> Result<Vec<Edit>, Refusal> {
    let import = cx.import(gather.call, "asyncio")?;
    let group = fresh(cx, gather, &["tg", "group", "task_group"], |symbol| {
        is_finished_group(cx, gather, symbol)
    })?;
    let (wrapper, definition) = if children.wraps {
        wrapper(cx, gather)?
    } else {
        (String::new(), None)
    };
    let list = children.list.as_ref();
    let guard = list.and_then(List::guard);
    let first = match list.and_then(List::moved) {
        Some((first, _)) => AnyNodeRef::from(first),
        None => guard.map_or(cx.module.statement(gather.site), AnyNodeRef::from),
    };
    let unwrap = cx.option("exceptions") == "unwrap";
    let failures = if unwrap {
        let candidates = ["group", "failures", "exceptions"];
        let candidates: Vec<&str> = candidates.into_iter().filter(|it| *it != group).collect();
        Some(fresh(cx, gather, &candidates, |symbol| {
            symbol
                .bindings
                .iter()
                .all(|binding| matches!(binding.kind, BindingKind::Except))
        })?)
    } else {
        None
    };
    let writer = Writer {
        cx,
        gather,
        layout: Layout {
            module: cx.module,
            width: cx.settings.line_length,
        },
        names: Names { group, wrapper },
        failures,
        asyncio: import.name.clone(),
        replaced: replaced_list(gather, children),
        display: match list {
            Some(List::Inline { display, .. }) => Some(display),
            _ => None,
        },
        indent: cx.module.placement(first).indent,
    };
    let mut edits = match &children.list {
        Some(List::Created {
            stmt,
            display,
            calls,
            ..
        }) => {
            let inner = writer.created_display(stmt, display, calls);
            writer.move_into_group((stmt, stmt), inner, guard, place)
        }
        Some(List::Named(statements)) => {
            let inner = statements
                .iter()
                .map(|(stmt, call)| writer.created_statement(stmt, call))
                .collect();
            let Some(moved) = children.list.as_ref().and_then(List::moved) else {
                return Err(Refusal::NotOurs); // a gather of nothing
            };
            writer.move_into_group(moved, inner, None, place)
        }
        Some(List::Loop {
            empty,
            body,
            appended,
            ..
        }) => {
            let inner = writer.appended(empty.is_some(), appended);
            let mut edits = writer.move_into_group((body, body), inner, guard, place);
            edits.extend(empty.map(|empty| delete_statement(cx, empty)));
            edits
        }
        Some(List::Inline { stmt, display, .. }) => {
            let items = display_items(cx, display);
            let mut edits = match guard {
                Some(guard) => writer.replace_guard(guard, &items)?,
                None => writer.write(place, &items)?,
            };
            edits.push(delete_statement(cx, stmt));
            edits
        }
        Some(List::Kept) | None => writer.write(place, &children.items)?,
    };
    check_comments(cx, &edits)?;
    edits.extend(import.edit);
    edits.extend(definition);
    Ok(edits)
}

/// A comment may stand where the result has no place for it.
fn check_comments(cx: &Context<'_, '_>, edits: &[Edit]) -> Result<(), Refusal> {
    let written: String = edits.iter().map(|edit| edit.content.as_str()).collect();
    for edit in edits {
        let (Ok(start), Ok(end)) = (
            TextSize::try_from(edit.range.start),
            TextSize::try_from(edit.range.end),
        ) else {
            continue;
        };
        for comment in cx.module.comments(TextRange::new(start, end)) {
            let text = cx.module.text(*comment);
            if !written.contains(text) {
                return Err(withheld!(
                    "the comment `{text}` has no place in the result: move it before the statement"
                ));
            }
        }
    }
    Ok(())
}

/// The deletion of a statement that stands alone on its lines. A comment after it stays; of the
/// blank lines around it those before, or those after where nothing stands before.
fn delete_statement<'a>(cx: &Context<'a, '_>, stmt: &'a Stmt) -> Edit {
    let module = cx.module;
    if let Some(comment) = module.placement(stmt).comment {
        return Edit::delete(TextRange::new(stmt.start(), comment.start()));
    }
    let start = module.line_start(stmt.start());
    let mut end = module.next_line(stmt.end());
    let is_blank_at = |offset: TextSize| {
        let line = TextRange::new(module.line_start(offset), module.next_line(offset));
        !line.is_empty() && is_blank(module.text(line))
    };
    let opens_body = module
        .siblings(stmt)
        .is_some_and(|(_, position)| position == 0)
        && module
            .comments(TextRange::new(
                module.line_start(start.checked_sub(1.into()).unwrap_or_default()),
                start,
            ))
            .is_empty();
    let blank_before = start.checked_sub(1.into()).is_some_and(is_blank_at);
    while (opens_body || blank_before) && is_blank_at(end) {
        end = module.next_line(end);
    }
    Edit::delete(TextRange::new(start, end))
}

/// The name of the list that is made in the group instead: its readers know it.
fn replaced_list<'a>(gather: &Gather<'a>, children: &Children<'a>) -> Option<&'a str> {
    let (Some(List::Inline { .. }), [Expr::Starred(starred)]) =
        (&children.list, &*gather.call.arguments.args)
    else {
        return None;
    };
    match &*starred.value {
        Expr::Name(name) if !name.id.contains("coro") => Some(name.id.as_str()),
        _ => None,
    }
}

/// The children in a list display or comprehension.
pub(super) fn display_items<'a>(
    cx: &Context<'a, '_>,
    display: &'a Expr,
) -> Vec<(Item<'a>, &'a Expr)> {
    let child = |expr: &'a Expr| super::children::child(cx, expr);
    match display {
        Expr::List(list) => list
            .elts
            .iter()
            .filter_map(|element| Some((Item::One(child(element)?), element)))
            .collect(),
        Expr::ListComp(ast::ExprListComp {
            elt, generators, ..
        })
        | Expr::Generator(ast::ExprGenerator {
            elt, generators, ..
        }) => child(elt)
            .map(|child| (Item::Each(child, generators), display))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

pub(super) struct Writer<'a, 'm, 'c> {
    pub(super) cx: &'c Context<'a, 'm>,
    pub(super) gather: &'c Gather<'a>,
    pub(super) layout: Layout<'a, 'm>,
    pub(super) names: Names,
    /// The name of the group of failures that is unwrapped.
    pub(super) failures: Option<String>,
    pub(super) asyncio: String,
    /// The name of a list that the group's own takes the place of.
    pub(super) replaced: Option<&'a str>,
    /// The list that is made in the group instead.
    pub(super) display: Option<&'a Expr>,
    /// The indentation of the first statement of the group.
    pub(super) indent: String,
}

impl<'a> Writer<'a, '_, '_> {
    /// The group, written anew in the place of the gather or before its statement.
    pub(super) fn write(
        &self,
        place: &Place<'a>,
        items: &[(Item<'a>, &'a Expr)],
    ) -> Result<Vec<Edit>, Refusal> {
        let module = self.cx.module;
        match place {
            Place::Unused(stmt) => {
                let mut lines = self.header();
                self.statements(&mut lines, items)?;
                self.close(&mut lines);
                Ok(vec![replace_statement(module, *stmt, &lines)])
            }
            Place::Names(assign, names) => {
                if let Some(lines) = self.named(names, items) {
                    return Ok(vec![replace_statement(module, *assign, &lines)]);
                }
                self.listed(AnyNodeRef::from(*assign), items)
            }
            Place::Value(statement) => self.listed(*statement, items),
        }
    }

    /// The lines that open the group.
    pub(super) fn header(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let group = format!("{}.TaskGroup() as {}", self.asyncio, self.names.group);
        let timeout = self.gather.timeout.map(|limit| {
            format!(
                "{}.timeout({})",
                self.asyncio,
                self.cx.module.text(limit.range())
            )
        });
        match (&self.failures, timeout) {
            (None, None) => lines.push(Line::new(0, format!("async with {group}:"))),
            (None, Some(timeout)) => {
                lines.push(Line::new(0, format!("async with {timeout}, {group}:")));
            }
            (Some(_), None) => {
                lines.push(Line::new(0, "try:"));
                lines.push(Line::new(1, format!("async with {group}:")));
            }
            // A child whose cleanup fails when the time is up leaves as its own exception then.
            (Some(_), Some(timeout)) => {
                lines.push(Line::new(0, format!("async with {timeout}:")));
                lines.push(Line::new(1, "try:"));
                lines.push(Line::new(2, format!("async with {group}:")));
            }
        }
        lines
    }

    /// How deep the children stand under the header.
    pub(super) fn depth(&self) -> usize {
        match (&self.failures, self.gather.timeout) {
            (None, _) => 1,
            (Some(_), None) => 2,
            (Some(_), Some(_)) => 3,
        }
    }

    /// The lines that unwrap the group's failures.
    pub(super) fn close(&self, lines: &mut Vec<Line>) {
        if let Some(failures) = &self.failures {
            let depth = self.depth() - 2;
            lines.push(Line::new(
                depth,
                format!("except BaseExceptionGroup as {failures}:"),
            ));
            lines.push(Line::new(
                depth + 1,
                format!("raise {failures}.exceptions[0]"),
            ));
        }
    }

    pub(super) fn indent_at(&self, depth: usize) -> String {
        format!("{}{}", self.indent, self.cx.module.indent().repeat(depth))
    }

    /// One statement for each child, with the comments of the arguments.
    pub(super) fn statements(
        &self,
        lines: &mut Vec<Line>,
        items: &[(Item<'a>, &'a Expr)],
    ) -> Result<(), Refusal> {
        let comments = self.comments(items);
        for (position, (item, argument)) in items.iter().enumerate() {
            for comment in comments.before(position) {
                lines.push(Line::new(self.depth(), comment));
            }
            self.statement(lines, item, argument)?;
            if let (Some(comment), Some(line)) = (comments.after(position), lines.last_mut()) {
                let _ = write!(line.text, "  {comment}");
            }
        }
        for comment in comments.before(items.len()) {
            lines.push(Line::new(self.depth(), comment));
        }
        Ok(())
    }

    pub(super) fn statement(
        &self,
        lines: &mut Vec<Line>,
        item: &Item<'a>,
        argument: &'a Expr,
    ) -> Result<(), Refusal> {
        let depth = self.depth();
        match item {
            Item::One(child) => self.create(lines, depth, "", child),
            Item::Nested(children) => {
                for child in children {
                    self.create(lines, depth, "", child);
                }
            }
            Item::Each(child, clauses) => {
                let comments = self.cx.module.comments(argument.range());
                let headers = self.loop_headers(clauses).filter(|_| comments.is_empty());
                if let Some(headers) = headers.filter(|_| self.can_be_loop(clauses)) {
                    for header in &headers {
                        lines.push(Line::new(header.depth, &*header.text));
                    }
                    self.create(lines, depth + headers.len(), "", child);
                } else {
                    lines.push(self.unused_list(item, argument)?);
                }
            }
            Item::All(iterable, wrapped) => {
                let variable = if *wrapped { "awaitable" } else { "coro" };
                let header = self.header_line(depth, &format!("for {variable} in "), iterable);
                if let Some(header) = header.filter(|_| self.is_free_for_loop(variable)) {
                    let element = if *wrapped {
                        format!("{}({variable})", self.names.wrapper)
                    } else {
                        variable.to_string()
                    };
                    lines.push(header);
                    let create = format!("{}.create_task({element})", self.names.group);
                    lines.push(Line::new(depth + 1, create));
                } else {
                    lines.push(self.unused_list(item, argument)?);
                }
            }
        }
        Ok(())
    }

    pub(super) fn create(
        &self,
        lines: &mut Vec<Line>,
        depth: usize,
        assigned: &str,
        child: &Child<'a>,
    ) {
        let indent = self.indent_at(depth);
        let before = width(&indent) + width(assigned);
        let text = self
            .layout
            .piece(&child.create(&self.names), &indent, before, 0);
        lines.push(Line::new(depth, format!("{assigned}{text}")));
    }

    /// The clauses of a comprehension as statements; none where one cannot be laid out.
    pub(super) fn loop_headers(&self, clauses: &'a [Comprehension]) -> Option<Vec<Line>> {
        let mut lines = Vec::new();
        for clause in clauses {
            let mut target = self.layout.flat(&clause.target)?;
            // The parentheses of `for (a, b) in pairs` are needless in both.
            if let Expr::Tuple(tuple) = &clause.target
                && tuple.parenthesized
                && !tuple.elts.is_empty()
                && let Some(bare) = target.strip_prefix('(').and_then(|it| it.strip_suffix(')'))
            {
                target = bare.to_string();
            }
            let depth = self.depth() + lines.len();
            lines.push(self.header_line(depth, &format!("for {target} in "), &clause.iter)?);
            for condition in &clause.ifs {
                let depth = self.depth() + lines.len();
                lines.push(self.header_line(depth, "if ", condition)?);
            }
        }
        Some(lines)
    }

    /// `open`, the expression without needless parentheses, and a colon; none where the
    /// expression has to be broken and this cannot tell where.
    pub(super) fn header_line(&self, depth: usize, open: &str, expr: &'a Expr) -> Option<Line> {
        let indent = self.indent_at(depth);
        let parenthesized = self.cx.module.parenthesized(expr) != expr.range();
        if let Some(text) = self.layout.flat(expr) {
            let needless = parenthesized
                && !matches!(expr, Expr::Named(_) | Expr::Yield(_) | Expr::YieldFrom(_));
            let bare = text
                .strip_prefix('(')
                .and_then(|text| text.strip_suffix(')'));
            let text = bare.filter(|_| needless).map_or(text.as_str(), str::trim);
            if width(&indent) + width(open) + width(text) < self.layout.width {
                return Some(Line::new(depth, format!("{open}{text}:")));
            }
        }
        // A line break outside of its own brackets stands in those of the gather.
        let is_broken = python::breaks_outside_brackets(self.cx.module.text(expr));
        match expr {
            Expr::BoolOp(operation) => {
                let newline = self.cx.module.newline();
                let inner = format!("{indent}{}", self.cx.module.indent());
                let mut text = format!("{open}(");
                for (position, value) in operation.values.iter().enumerate() {
                    let operator = if position == 0 {
                        ""
                    } else {
                        operation.op.as_str()
                    };
                    let space = if position == 0 { "" } else { " " };
                    let value = self.layout.flat(value)?;
                    let _ = write!(text, "{newline}{inner}{operator}{space}{value}");
                }
                Some(Line::new(depth, format!("{text}{newline}{indent}):")))
            }
            Expr::Call(_) | Expr::List(_) | Expr::ListComp(_) if !parenthesized && !is_broken => {
                let before = width(&indent) + width(open);
                let text = self.layout.piece(&Piece::Expr(expr), &indent, before, 1);
                Some(Line::new(depth, format!("{open}{text}:")))
            }
            _ => None,
        }
    }

    /// `_tasks = [...]` for an argument that is a list by itself, and whose results nobody wants.
    pub(super) fn unused_list(&self, item: &Item<'a>, argument: &'a Expr) -> Result<Line, Refusal> {
        let name = fresh(self.cx, self.gather, &["_tasks", "_children"], |symbol| {
            symbol.reads.is_empty()
        })?;
        let indent = self.indent_at(self.depth());
        let text = self.display_one(&format!("{name} = "), item, argument, &indent);
        Ok(Line::new(self.depth(), text.unwrap_or_default()))
    }

    /// Whether the clauses of a comprehension can become statements: their variables would then
    /// be the function's own, so that nothing else in it may have these names.
    pub(super) fn can_be_loop(&self, clauses: &'a [Comprehension]) -> bool {
        let module = self.cx.module;
        let is_plain = clauses.iter().all(|clause| {
            !clause.is_async
                && module.descendants(&clause.target).all(|node| {
                    !matches!(
                        node,
                        AnyNodeRef::ExprAttribute(_) | AnyNodeRef::ExprSubscript(_)
                    )
                })
        });
        is_plain
            && clauses
                .iter()
                .flat_map(|clause| module.descendants(&clause.target))
                .all(|node| match node {
                    AnyNodeRef::ExprName(name) => self.is_free_for_loop(name.id.as_str()),
                    _ => true,
                })
    }

    /// Whether a loop may bind this name in the coroutine: it is the variable of comprehensions
    /// there, or of loops that are over or not begun, and everything that reads it is inside them.
    pub(super) fn is_free_for_loop(&self, name: &str) -> bool {
        let module = self.cx.module;
        let coroutine = self.gather.coroutine;
        let own = coroutine.body.first().map(|first| module.scope(first));
        module.descendants(coroutine).all(|node| match node {
            AnyNodeRef::ExprName(it) if it.id == name => module.symbol(it).is_some_and(|symbol| {
                matches!(
                    module.scope_data(symbol.scope).kind,
                    ScopeKind::Comprehension
                ) || (Some(symbol.scope) == own
                    && own == Some(module.scope(it))
                    && self.is_inside_own_loop(it))
            }),
            AnyNodeRef::ExprName(_) => true,
            _ => !binds(node, name),
        })
    }

    /// Whether a name stands in a `for` statement of which it is the variable, and the gather
    /// does not.
    pub(super) fn is_inside_own_loop(&self, name: &ast::ExprName) -> bool {
        let module = self.cx.module;
        module.ancestors(name).any(|node| match node {
            AnyNodeRef::StmtFor(stmt) => {
                matches!(&*stmt.target, Expr::Name(target) if target.id == name.id)
                    && (module.contains(&*stmt.target, name)
                        || stmt.body.iter().any(|inner| module.contains(inner, name)))
                    && !module.contains(stmt, self.gather.site)
            }
            _ => false,
        })
    }

    /// `a, b = await gather(f(), g())`: a task for each name, its result after the block.
    pub(super) fn named(
        &self,
        names: &[&'a str],
        items: &[(Item<'a>, &'a Expr)],
    ) -> Option<Vec<Line>> {
        let children: Option<Vec<&Child<'a>>> = items
            .iter()
            .map(|(item, _)| match item {
                Item::One(child) => Some(child),
                _ => None,
            })
            .collect();
        let children = children?;
        if children.len() != names.len() {
            return None;
        }
        let module = self.cx.module;
        let mut tasks = Vec::new();
        for name in names {
            let unread = *name == "_"
                && module
                    .descendants(self.gather.coroutine)
                    .all(|node| !matches!(node, AnyNodeRef::ExprName(it) if it.id == "_" && it.ctx.is_load()));
            let task = format!("{name}_task");
            if unread {
                tasks.push(None);
            } else if module.mentions(self.gather.coroutine, &task)
                || name.ends_with("task")
                || name.starts_with('_')
            {
                return None;
            } else {
                tasks.push(Some(task));
            }
        }
        let comments = self.comments(items);
        let mut lines = self.header();
        for (position, (child, task)) in children.iter().zip(&tasks).enumerate() {
            for comment in comments.before(position) {
                lines.push(Line::new(self.depth(), comment));
            }
            let assigned = task
                .as_ref()
                .map(|task| format!("{task} = "))
                .unwrap_or_default();
            self.create(&mut lines, self.depth(), &assigned, child);
            if let (Some(comment), Some(line)) = (comments.after(position), lines.last_mut()) {
                let _ = write!(line.text, "  {comment}");
            }
        }
        for comment in comments.before(items.len()) {
            lines.push(Line::new(self.depth(), comment));
        }
        self.close(&mut lines);
        for (name, task) in names.iter().zip(&tasks) {
            if let Some(task) = task {
                lines.push(Line::new(0, format!("{name} = {task}.result()")));
            }
        }
        Some(lines)
    }

    /// A list of the tasks in the group, and the list of their results where the gather stood.
    pub(super) fn listed(
        &self,
        statement: AnyNodeRef<'a>,
        items: &[(Item<'a>, &'a Expr)],
    ) -> Result<Vec<Edit>, Refusal> {
        let tasks = match self.replaced {
            Some(name) => name.to_string(),
            None => fresh(self.cx, self.gather, &["tasks", "child_tasks"], |symbol| {
                is_finished_list(self.cx, symbol)
            })?,
        };
        let mut lines = self.header();
        let borrowed: Vec<(&Item<'a>, &'a Expr)> = items
            .iter()
            .map(|(item, argument)| (item, *argument))
            .collect();
        lines.push(Line::new(self.depth(), self.display(&tasks, &borrowed)));
        self.close(&mut lines);
        let results = results(&tasks, items);
        Ok(vec![
            insert_before(self.cx.module, statement, &lines),
            self.replace_site(results),
        ])
    }

    pub(super) fn replace_site(&self, results: String) -> Edit {
        let site = self
            .cx
            .module
            .ancestors(self.gather.call)
            .find(|node| node.range() == self.gather.site.range() && node.is_expression());
        let range = match site {
            Some(AnyNodeRef::ExprAwait(_)) => self.site_range(),
            _ => self.gather.site.range(),
        };
        self.fit(range, results)
    }

    /// The edit that writes the results, laid out where that is plain: brackets that were opened
    /// for a long call are closed again, and a list that is too long for its line is opened.
    pub(super) fn fit(&self, range: TextRange, results: String) -> Edit {
        let module = self.cx.module;
        let source = module.source();
        let (before, after) = (
            &source[..range.start().to_usize()],
            &source[range.end().to_usize()..],
        );
        let (open, close) = (before.trim_end(), after.trim_start());
        let opened = TextRange::new(TextSize::of(open), range.start());
        let closed = TextRange::new(
            range.end(),
            range.end() + TextSize::of(after) - TextSize::of(close),
        );
        let line_before =
            |end: TextSize| width(&source[TextRange::new(module.line_start(end), end)]);
        let line_after =
            |start: TextSize| width(&source[TextRange::new(start, module.line_end(start))]);
        let fits = |range: TextRange| {
            line_before(range.start()) + width(&results) + line_after(range.end())
                <= self.layout.width
        };
        let has_break = |range: TextRange| module.text(range).contains(['\n', '\r']);
        let cover = opened.cover(closed);
        if open.ends_with(['(', '['])
            && close.starts_with([')', ']'])
            && has_break(opened)
            && has_break(closed)
            && fits(cover)
        {
            return Edit::replace(cover, results);
        }
        let is_value = matches!(
            module.parent(self.gather.site),
            Some(
                AnyNodeRef::StmtAssign(_)
                    | AnyNodeRef::StmtAnnAssign(_)
                    | AnyNodeRef::StmtReturn(_)
            )
        );
        if is_value
            && !fits(range)
            && let Some(inner) = results
                .strip_prefix('[')
                .and_then(|it| it.strip_suffix(']'))
        {
            let newline = module.newline();
            let statement = module.statement(self.gather.site);
            let indent = module.placement(statement).indent;
            let deeper = format!("{indent}{}", module.indent());
            return Edit::replace(
                range,
                format!("[{newline}{deeper}{inner}{newline}{indent}]"),
            );
        }
        Edit::replace(range, results)
    }
    /// The `await` with the parentheses around it, which a list needs no longer.
    pub(super) fn site_range(&self) -> TextRange {
        let module = self.cx.module;
        let Some(parent) = module.parent(self.gather.site) else {
            return self.gather.site.range();
        };
        ast::token::parenthesized_range(self.gather.site.into(), parent, module.tokens())
            .filter(|range| module.comments(*range).is_empty())
            .unwrap_or(self.gather.site.range())
    }

    /// `name = [tg.create_task(f()), ...]`, laid out, with the comments of the arguments.
    pub(super) fn display(&self, name: &str, items: &[(&Item<'a>, &'a Expr)]) -> String {
        let module = self.cx.module;
        let indent = self.indent_at(self.depth());
        let newline = module.newline();
        if let [(item, argument)] = items
            && self.comments_of(&[*argument]).is_empty()
            && let Some(text) = self.display_one(&format!("{name} = "), item, argument, &indent)
        {
            return text;
        }
        let open = format!("{name} = [");
        let mut pieces: Vec<(Piece<'a>, usize)> = Vec::new();
        for (position, (item, argument)) in items.iter().enumerate() {
            match item {
                Item::One(child) => pieces.push((child.create(&self.names), position)),
                Item::Nested(children) => {
                    pieces.extend(
                        children
                            .iter()
                            .map(|child| (child.create(&self.names), position)),
                    );
                }
                Item::Each(..) | Item::All(..) => {
                    let inner = format!("{indent}{}", module.indent());
                    let text = self.display_one("*", item, argument, &inner);
                    pieces.push((Piece::Text(text.unwrap_or_default()), position));
                }
            }
        }
        let arguments: Vec<&'a Expr> = items.iter().map(|(_, argument)| *argument).collect();
        let comments = self.comments_of(&arguments);
        if comments.is_empty() {
            let pieces = pieces.into_iter().map(|(piece, _)| piece).collect();
            let piece = Piece::Call("[".to_string(), pieces, "]");
            let assigned = format!("{name} = ");
            let before = width(&indent) + width(&assigned);
            return format!(
                "{assigned}{}",
                self.layout.piece(&piece, &indent, before, 0)
            );
        }
        let inner = format!("{indent}{}", module.indent());
        let mut text = format!("{open}{newline}");
        for (position, _) in items.iter().enumerate() {
            for comment in comments.before(position) {
                let _ = write!(text, "{inner}{comment}{newline}");
            }
            let own: Vec<&Piece<'a>> = pieces
                .iter()
                .filter(|(_, of)| *of == position)
                .map(|(piece, _)| piece)
                .collect();
            for (number, piece) in own.iter().enumerate() {
                let laid_out = self.layout.inside(piece, &inner, width(&inner), 1);
                let _ = write!(text, "{inner}{laid_out},");
                if number + 1 == own.len()
                    && let Some(comment) = comments.after(position)
                {
                    let _ = write!(text, "  {comment}");
                }
                text.push_str(newline);
            }
        }
        for comment in comments.before(items.len()) {
            let _ = write!(text, "{inner}{comment}{newline}");
        }
        let _ = write!(text, "{indent}]");
        text
    }

    /// `[tg.create_task(f(x)) for x in xs]` after `before`, for an argument that is a list by
    /// itself.
    pub(super) fn display_one(
        &self,
        before: &str,
        item: &Item<'a>,
        argument: &'a Expr,
        indent: &str,
    ) -> Option<String> {
        let module = self.cx.module;
        match item {
            Item::Each(child, clauses) => {
                if !module.comments(argument.range()).is_empty() {
                    return Some(format!(
                        "{before}{}",
                        self.commented(child, argument, indent)
                    ));
                }
                let element = child.create(&self.names);
                if let (Some(flat), Some(rest)) = (
                    self.layout.flat_piece(&element),
                    self.layout.clauses(clauses),
                ) {
                    let text = format!("{before}[{flat}{rest}]");
                    if width(indent) + width(&text) <= self.layout.width {
                        return Some(text);
                    }
                }
                let open = format!("{before}[");
                Some(
                    self.layout
                        .comprehension(&open, &element, clauses, "]", indent),
                )
            }
            Item::All(iterable, wrapped) => {
                let (variable, element) = if *wrapped {
                    ("awaitable", format!("{}(awaitable)", self.names.wrapper))
                } else {
                    ("coro", "coro".to_string())
                };
                let range = module.parenthesized(iterable);
                let iterable = self
                    .layout
                    .flat(iterable)
                    .unwrap_or_else(|| self.layout.verbatim(range, indent));
                let create = format!("{}.create_task({element})", self.names.group);
                Some(format!("{before}[{create} for {variable} in {iterable}]"))
            }
            Item::One(_) | Item::Nested(_) => None,
        }
    }

    /// A comprehension with comments in it keeps its text: only its element is wrapped, and its
    /// brackets are those of a list.
    pub(super) fn commented(&self, child: &Child<'a>, argument: &'a Expr, indent: &str) -> String {
        let module = self.cx.module;
        let comprehension = match argument {
            Expr::Starred(starred) => &starred.value,
            other => other,
        };
        let element = match comprehension {
            Expr::ListComp(it) => &it.elt,
            Expr::SetComp(it) => &it.elt,
            Expr::Generator(it) => &it.elt,
            _ => return String::new(),
        };
        let range = comprehension.range();
        let brackets = !matches!(comprehension, Expr::Generator(it) if !it.parenthesized);
        let trim = TextSize::new(u32::from(brackets));
        // A comment in its parentheses is part of what is wrapped.
        let element = module.parenthesized(element);
        let head = TextRange::new(range.start() + trim, element.start());
        let tail = TextRange::new(element.end(), range.end() - trim);
        let old = module.line_indentation(range.start());
        let create = child.create(&self.names);
        let deeper = format!("{indent}{}", module.indent());
        let element = self.layout.piece(&create, &deeper, width(&deeper), 0);
        format!(
            "[{}{element}{}]",
            module.reindented(head, old, indent),
            module.reindented(tail, old, indent)
        )
    }
}

/// The results of the tasks in the list: nested where a gather was nested.
fn results(tasks: &str, items: &[(Item<'_>, &Expr)]) -> String {
    let nested = items
        .iter()
        .any(|(item, _)| matches!(item, Item::Nested(_)));
    if !nested {
        return format!("[task.result() for task in {tasks}]");
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for (item, _) in items {
        if let Item::Nested(children) = item {
            let end = start + children.len();
            parts.push(format!(
                "[task.result() for task in {tasks}[{start}:{end}]]"
            ));
            start = end;
        } else {
            parts.push(format!("{tasks}[{start}].result()"));
            start += 1;
        }
    }
    format!("[{}]", parts.join(", "))
}
