//! The task group in the place of the gather.

use std::fmt::Write;

use edit::Edit;
use engine::{
    Context, Layout, Line, Piece, Refusal, insert_before, replace_statement, width,
    withheld,
};
use python::ast::{self, AnyNodeRef, Comprehension, Expr, Stmt};
use python::{BindingKind, Ranged, ScopeKind, Symbol, TextRange, TextSize, is_blank};

use super::Gather;
use super::children::{Child, Children, Item, Names};
use super::lists::List;
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
        let (Ok(start), Ok(end)) = (TextSize::try_from(edit.range.start), TextSize::try_from(edit.range.end))
        else {
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
        && module.comments(TextRange::new(
            module.line_start(start.checked_sub(1.into()).unwrap_or_default()),
            start,
        ))
        .is_empty();
    let blank_before = start
        .checked_sub(1.into())
        .is_some_and(is_blank_at);
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
fn display_items<'a>(cx: &Context<'a, '_>, display: &'a Expr) -> Vec<(Item<'a>, &'a Expr)> {
    let child = |expr: &'a Expr| super::children::child(cx, expr);
    match display {
        Expr::List(list) => list
            .elts
            .iter()
            .filter_map(|element| Some((Item::One(child(element)?), element)))
            .collect(),
        Expr::ListComp(ast::ExprListComp { elt, generators, .. })
        | Expr::Generator(ast::ExprGenerator { elt, generators, .. }) => child(elt)
            .map(|child| (Item::Each(child, generators), display))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

fn fresh<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    candidates: &[&str],
    reusable: impl Fn(&Symbol<'a>) -> bool,
) -> Result<String, Refusal> {
    cx.fresh_local(gather.coroutine, candidates, reusable)
        .ok_or_else(|| withheld!("there is no free name for the task group in `{}`", gather.coroutine.name))
}

/// Whether a name is bound to nothing but task groups whose blocks are left before this gather.
fn is_finished_group<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>, symbol: &Symbol<'a>) -> bool {
    symbol.bindings.iter().all(|binding| {
        let BindingKind::With(Expr::Call(call), true) = binding.kind else {
            return false;
        };
        let block = cx.module.statement(cx.module.node(binding.node));
        cx.module.refers_to(&call.func, "asyncio.TaskGroup")
            && !cx.module.contains(block, gather.site)
            && symbol
                .reads
                .iter()
                .all(|read| {
                    let node = cx.module.node(*read);
                    symbol.bindings.iter().any(|binding| {
                        let block = cx.module.statement(cx.module.node(binding.node));
                        cx.module.contains(block, node)
                    })
                })
    })
}

/// Whether a name is bound to nothing but lists of tasks made in a group, each read in the
/// statement after that group and nowhere else.
fn is_finished_list<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>) -> bool {
    let groups: Vec<TextRange> = symbol
        .bindings
        .iter()
        .filter_map(|binding| {
            let BindingKind::Value(Expr::List(_) | Expr::ListComp(_)) = binding.kind else {
                return None;
            };
            let statement = cx.module.statement(cx.module.node(binding.node));
            match cx.module.parent(statement)? {
                AnyNodeRef::StmtWith(with) if with.is_async => Some(with.range()),
                _ => None,
            }
        })
        .collect();
    groups.len() == symbol.bindings.len()
        && symbol.reads.iter().all(|read| {
            let statement = cx.module.statement(cx.module.node(*read));
            super::place::previous(cx, statement)
                .is_some_and(|previous| groups.contains(&previous.range()))
        })
}

/// The function that makes a coroutine of anything that can be awaited, and its definition where
/// the module has none.
fn wrapper<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>) -> Result<(String, Option<Edit>), Refusal> {
    let known = cx.module.symbols().find_map(|symbol| {
        let [binding] = symbol.bindings.as_slice() else {
            return None;
        };
        let BindingKind::Function(function) = binding.kind else {
            return None;
        };
        let is_global = matches!(cx.module.scope_data(symbol.scope).kind, ScopeKind::Module);
        let [Stmt::Return(stmt)] = function.body.as_slice() else {
            return None;
        };
        let Some(Expr::Await(awaited)) = stmt.value.as_deref() else {
            return None;
        };
        let mut parameters = function.parameters.iter();
        let only = parameters.next()?.name().as_str();
        let is_visible = cx
            .module
            .lookup(symbol.name, gather.site)
            .is_some_and(|seen| std::ptr::eq(seen, symbol));
        let is_wrapper = is_global
            && is_visible
            && function.is_async
            && function.decorator_list.is_empty()
            && parameters.next().is_none()
            && matches!(&*awaited.value, Expr::Name(name) if name.id == only);
        is_wrapper.then(|| symbol.name.to_string())
    });
    if let Some(name) = known {
        return Ok((name, None));
    }
    let candidates = ["_await", "_await_any"];
    let name = candidates
        .into_iter()
        .find(|name| !cx.module.mentions(cx.module.root(), name))
        .ok_or_else(|| withheld!("there is no free name for a function that awaits its argument"))?;
    let indent = cx.module.indent();
    let text = format!("async def {name}(awaitable):\n{indent}return await awaitable");
    Ok((name.to_string(), Some(cx.define(&text, TextSize::new(0), 2))))
}

/// Whether a node that is no name expression binds or declares `name`.
fn binds(node: AnyNodeRef<'_>, name: &str) -> bool {
    match node {
        AnyNodeRef::Parameter(parameter) => parameter.name.as_str() == name,
        AnyNodeRef::StmtGlobal(stmt) => stmt.names.iter().any(|it| it.as_str() == name),
        AnyNodeRef::StmtNonlocal(stmt) => stmt.names.iter().any(|it| it.as_str() == name),
        AnyNodeRef::ExceptHandlerExceptHandler(it) => it.name.as_deref() == Some(name),
        AnyNodeRef::StmtFunctionDef(it) => it.name.as_str() == name,
        AnyNodeRef::StmtClassDef(it) => it.name.as_str() == name,
        AnyNodeRef::Alias(it) => {
            let bound = it.asname.as_ref().unwrap_or(&it.name).as_str();
            bound.split('.').next() == Some(name)
        }
        AnyNodeRef::PatternMatchAs(it) => it.name.as_deref() == Some(name),
        AnyNodeRef::PatternMatchStar(it) => it.name.as_deref() == Some(name),
        AnyNodeRef::PatternMatchMapping(it) => it.rest.as_deref() == Some(name),
        _ => false,
    }
}

struct Writer<'a, 'm, 'c> {
    cx: &'c Context<'a, 'm>,
    gather: &'c Gather<'a>,
    layout: Layout<'a, 'm>,
    names: Names,
    /// The name of the group of failures that is unwrapped.
    failures: Option<String>,
    asyncio: String,
    /// The name of a list that the group's own takes the place of.
    replaced: Option<&'a str>,
    /// The list that is made in the group instead.
    display: Option<&'a Expr>,
    /// The indentation of the first statement of the group.
    indent: String,
}

impl<'a> Writer<'a, '_, '_> {
    /// The group, written anew in the place of the gather or before its statement.
    fn write(&self, place: &Place<'a>, items: &[(Item<'a>, &'a Expr)]) -> Result<Vec<Edit>, Refusal> {
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
    fn header(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let group = format!("{}.TaskGroup() as {}", self.asyncio, self.names.group);
        let timeout = self.gather.timeout.map(|limit| {
            format!("{}.timeout({})", self.asyncio, self.cx.module.text(limit.range()))
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
    fn depth(&self) -> usize {
        match (&self.failures, self.gather.timeout) {
            (None, _) => 1,
            (Some(_), None) => 2,
            (Some(_), Some(_)) => 3,
        }
    }

    /// The lines that unwrap the group's failures.
    fn close(&self, lines: &mut Vec<Line>) {
        if let Some(failures) = &self.failures {
            let depth = self.depth() - 2;
            lines.push(Line::new(depth, format!("except BaseExceptionGroup as {failures}:")));
            lines.push(Line::new(depth + 1, format!("raise {failures}.exceptions[0]")));
        }
    }

    fn indent_at(&self, depth: usize) -> String {
        format!("{}{}", self.indent, self.cx.module.indent().repeat(depth))
    }

    /// One statement for each child, with the comments of the arguments.
    fn statements(&self, lines: &mut Vec<Line>, items: &[(Item<'a>, &'a Expr)]) -> Result<(), Refusal> {
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

    fn statement(&self, lines: &mut Vec<Line>, item: &Item<'a>, argument: &'a Expr) -> Result<(), Refusal> {
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

    fn create(&self, lines: &mut Vec<Line>, depth: usize, assigned: &str, child: &Child<'a>) {
        let indent = self.indent_at(depth);
        let before = width(&indent) + width(assigned);
        let text = self.layout.piece(&child.create(&self.names), &indent, before, 0);
        lines.push(Line::new(depth, format!("{assigned}{text}")));
    }

    /// The clauses of a comprehension as statements; none where one cannot be laid out.
    fn loop_headers(&self, clauses: &'a [Comprehension]) -> Option<Vec<Line>> {
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
    fn header_line(&self, depth: usize, open: &str, expr: &'a Expr) -> Option<Line> {
        let indent = self.indent_at(depth);
        let parenthesized = self.cx.module.parenthesized(expr) != expr.range();
        if let Some(text) = self.layout.flat(expr) {
            let needless = parenthesized
                && !matches!(expr, Expr::Named(_) | Expr::Yield(_) | Expr::YieldFrom(_));
            let bare = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
            let text = bare.filter(|_| needless).map_or(text.as_str(), str::trim);
            if width(&indent) + width(open) + width(text) < self.layout.width {
                return Some(Line::new(depth, format!("{open}{text}:")));
            }
        }
        match expr {
            Expr::BoolOp(operation) => {
                let newline = self.cx.module.newline();
                let inner = format!("{indent}{}", self.cx.module.indent());
                let mut text = format!("{open}(");
                for (position, value) in operation.values.iter().enumerate() {
                    let operator = if position == 0 { "" } else { operation.op.as_str() };
                    let space = if position == 0 { "" } else { " " };
                    let value = self.layout.flat(value)?;
                    let _ = write!(text, "{newline}{inner}{operator}{space}{value}");
                }
                Some(Line::new(depth, format!("{text}{newline}{indent}):")))
            }
            Expr::Call(_) | Expr::List(_) | Expr::ListComp(_) if !parenthesized => {
                let before = width(&indent) + width(open);
                let text = self.layout.piece(&Piece::Expr(expr), &indent, before, 1);
                Some(Line::new(depth, format!("{open}{text}:")))
            }
            _ => None,
        }
    }

    /// `_tasks = [...]` for an argument that is a list by itself, and whose results nobody wants.
    fn unused_list(&self, item: &Item<'a>, argument: &'a Expr) -> Result<Line, Refusal> {
        let name = fresh(self.cx, self.gather, &["_tasks", "_children"], |symbol| {
            symbol.reads.is_empty()
        })?;
        let indent = self.indent_at(self.depth());
        let text = self.display_one(&format!("{name} = "), item, argument, &indent);
        Ok(Line::new(self.depth(), text.unwrap_or_default()))
    }

    /// Whether the clauses of a comprehension can become statements: their variables would then
    /// be the function's own, so that nothing else in it may have these names.
    fn can_be_loop(&self, clauses: &'a [Comprehension]) -> bool {
        let module = self.cx.module;
        let is_plain = clauses.iter().all(|clause| {
            !clause.is_async
                && module
                    .descendants(&clause.target)
                    .all(|node| !matches!(node, AnyNodeRef::ExprAttribute(_) | AnyNodeRef::ExprSubscript(_)))
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
    fn is_free_for_loop(&self, name: &str) -> bool {
        let module = self.cx.module;
        let coroutine = self.gather.coroutine;
        let own = coroutine.body.first().map(|first| module.scope(first));
        module.descendants(coroutine).all(|node| match node {
            AnyNodeRef::ExprName(it) if it.id == name => module.symbol(it).is_some_and(|symbol| {
                matches!(module.scope_data(symbol.scope).kind, ScopeKind::Comprehension)
                    || (Some(symbol.scope) == own
                        && own == Some(module.scope(it))
                        && self.is_inside_own_loop(it))
            }),
            AnyNodeRef::ExprName(_) => true,
            _ => !binds(node, name),
        })
    }

    /// Whether a name stands in a `for` statement of which it is the variable, and the gather
    /// does not.
    fn is_inside_own_loop(&self, name: &ast::ExprName) -> bool {
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
    fn named(&self, names: &[&'a str], items: &[(Item<'a>, &'a Expr)]) -> Option<Vec<Line>> {
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
            let assigned = task.as_ref().map(|task| format!("{task} = ")).unwrap_or_default();
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
    fn listed(&self, statement: AnyNodeRef<'a>, items: &[(Item<'a>, &'a Expr)]) -> Result<Vec<Edit>, Refusal> {
        let tasks = match self.replaced {
            Some(name) => name.to_string(),
            None => fresh(self.cx, self.gather, &["tasks", "child_tasks"], |symbol| {
                is_finished_list(self.cx, symbol)
            })?,
        };
        let mut lines = self.header();
        let borrowed: Vec<(&Item<'a>, &'a Expr)> =
            items.iter().map(|(item, argument)| (item, *argument)).collect();
        lines.push(Line::new(self.depth(), self.display(&tasks, &borrowed)));
        self.close(&mut lines);
        let results = results(&tasks, items);
        Ok(vec![
            insert_before(self.cx.module, statement, &lines),
            self.replace_site(results),
        ])
    }

    fn replace_site(&self, results: String) -> Edit {
        let site = self.cx.module.ancestors(self.gather.call).find(|node| {
            node.range() == self.gather.site.range() && node.is_expression()
        });
        let range = match site {
            Some(AnyNodeRef::ExprAwait(_)) => self.site_range(),
            _ => self.gather.site.range(),
        };
        self.fit(range, results)
    }

    /// The edit that writes the results, laid out where that is plain: brackets that were opened
    /// for a long call are closed again, and a list that is too long for its line is opened.
    fn fit(&self, range: TextRange, results: String) -> Edit {
        let module = self.cx.module;
        let source = module.source();
        let (before, after) = (&source[..range.start().to_usize()], &source[range.end().to_usize()..]);
        let (open, close) = (before.trim_end(), after.trim_start());
        let opened = TextRange::new(TextSize::of(open), range.start());
        let closed = TextRange::new(range.end(), range.end() + TextSize::of(after) - TextSize::of(close));
        let line_before = |end: TextSize| width(&source[TextRange::new(module.line_start(end), end)]);
        let line_after = |start: TextSize| width(&source[TextRange::new(start, module.line_end(start))]);
        let fits = |range: TextRange| {
            line_before(range.start()) + width(&results) + line_after(range.end()) <= self.layout.width
        };
        let has_break = |range: TextRange| module.text(range).contains(['\n', '\r']);
        let cover = opened.cover(closed);
        if open.ends_with(['(', '[']) && close.starts_with([')', ']']) && has_break(opened) && has_break(closed) && fits(cover) {
            return Edit::replace(cover, results);
        }
        let is_value = matches!(
            module.parent(self.gather.site),
            Some(AnyNodeRef::StmtAssign(_) | AnyNodeRef::StmtAnnAssign(_) | AnyNodeRef::StmtReturn(_))
        );
        if is_value
            && !fits(range)
            && let Some(inner) = results.strip_prefix('[').and_then(|it| it.strip_suffix(']'))
        {
            let newline = module.newline();
            let statement = module.statement(self.gather.site);
            let indent = module.placement(statement).indent;
            let deeper = format!("{indent}{}", module.indent());
            return Edit::replace(range, format!("[{newline}{deeper}{inner}{newline}{indent}]"));
        }
        Edit::replace(range, results)
    }
    /// The `await` with the parentheses around it, which a list needs no longer.
    fn site_range(&self) -> TextRange {
        let module = self.cx.module;
        let Some(parent) = module.parent(self.gather.site) else {
            return self.gather.site.range();
        };
        ast::token::parenthesized_range(self.gather.site.into(), parent, module.tokens())
            .filter(|range| module.comments(*range).is_empty())
            .unwrap_or(self.gather.site.range())
    }

    /// `name = [tg.create_task(f()), ...]`, laid out, with the comments of the arguments.
    fn display(&self, name: &str, items: &[(&Item<'a>, &'a Expr)]) -> String {
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
                    pieces.extend(children.iter().map(|child| (child.create(&self.names), position)));
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
            return format!("{assigned}{}", self.layout.piece(&piece, &indent, before, 0));
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
                let laid_out = self.layout.piece(piece, &inner, width(&inner), 1);
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
    fn display_one(
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
                    return Some(format!("{before}{}", self.commented(child, argument, indent)));
                }
                let element = child.create(&self.names);
                if let (Some(flat), Some(rest)) =
                    (self.layout.flat_piece(&element), self.layout.clauses(clauses))
                {
                    let text = format!("{before}[{flat}{rest}]");
                    if width(indent) + width(&text) <= self.layout.width {
                        return Some(text);
                    }
                }
                let open = format!("{before}[");
                Some(self.layout.comprehension(&open, &element, clauses, "]", indent))
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
    fn commented(&self, child: &Child<'a>, argument: &'a Expr, indent: &str) -> String {
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
        let head = TextRange::new(range.start() + trim, element.start());
        let tail = TextRange::new(element.end(), range.end() - trim);
        let line = module.line_start(range.start());
        let old: String = module.source()[TextRange::new(line, range.start())]
            .chars()
            .take_while(|c| c.is_whitespace())
            .collect();
        let create = child.create(&self.names);
        let deeper = format!("{indent}{}", module.indent());
        let element = self.layout.piece(&create, &deeper, width(&deeper), 0);
        format!(
            "[{}{element}{}]",
            module.reindented(head, &old, indent),
            module.reindented(tail, &old, indent)
        )
    }

    /// `tasks = [create_task(f(x)) for x in xs]` => `tasks = [tg.create_task(f(x)) for x in xs]`,
    /// laid out anew where its author left that to a formatter.
    fn created_display(&self, stmt: &'a Stmt, display: &'a Expr, calls: &[&'a ast::ExprCall]) -> Vec<Edit> {
        let module = self.cx.module;
        let plain = module.comments(stmt.range()).is_empty()
            && !module.has_multiline_string(stmt.range())
            && !self.layout.has_trailing_comma(display.range())
            && !display.is_generator_expr();
        if !plain {
            return calls
                .iter()
                .map(|call| Edit::replace(call.func.range(), format!("{}.create_task", self.names.group)))
                .collect();
        }
        let items = display_items(self.cx, display);
        let borrowed: Vec<(&Item<'a>, &'a Expr)> =
            items.iter().map(|(item, argument)| (item, *argument)).collect();
        let target = TextRange::new(stmt.start(), display.start());
        let target = module.text(target).trim_end().trim_end_matches('=').trim_end();
        vec![Edit::replace(stmt.range(), self.display(target, &borrowed))]
    }

    /// `one = create_task(f())` => `one = tg.create_task(f())`, laid out anew where a formatter
    /// laid it out.
    fn created_statement(&self, stmt: &'a Stmt, call: &'a ast::ExprCall) -> Edit {
        let module = self.cx.module;
        let text = module.text(stmt.range());
        let formatted = text.lines().count() == 1
            || text.lines().next().is_some_and(|line| line.ends_with(['(', '[']));
        let plain = formatted
            && module.comments(stmt.range()).is_empty()
            && !module.has_multiline_string(stmt.range())
            && !self.layout.has_trailing_comma(call.arguments.range());
        match super::children::created(self.cx, call) {
            Some(child) if plain => {
                let target = module.text(TextRange::new(stmt.start(), call.start()));
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
    fn created_call(&self, call: &'a ast::ExprCall) -> Edit {
        Edit::replace(call.func.range(), format!("{}.create_task", self.names.group))
    }

    /// `tasks.append(create_task(f(x)))` => `tg.create_task(f(x))`, or, where the list stays,
    /// `tasks.append(tg.create_task(f(x)))`.
    fn appended(&self, list_goes: bool, appended: &[(&'a ast::ExprCall, Child<'a>)]) -> Vec<Edit> {
        let module = self.cx.module;
        let deeper = module.indent().repeat(self.depth());
        let mut edits = Vec::new();
        for (append, child) in appended {
            let created = append.arguments.args.first().and_then(|element| match element {
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
                    Piece::Call(format!("{}(", module.text(append.func.range())), vec![create], ")")
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
    fn move_into_group(
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
                    && module.text(between).lines().any(|line| line.trim().is_empty())
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
        let start = module.line_start(first.start());
        for line in module.lines_to_indent(TextRange::new(first.start(), end)) {
            let offset = line.to_usize();
            if inner.iter().any(|edit| edit.range.start < offset && offset <= edit.range.end) {
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
    fn end_of_moved(&self, last: &'a Stmt) -> TextSize {
        let module = self.cx.module;
        let mut end = last.end();
        let mut line = module.next_line(end);
        while line.to_usize() < module.source().len() {
            let range = TextRange::new(line, module.line_end(line));
            let text = module.text(range);
            let indent = text.len() - text.trim_start().len();
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

    fn is_starred(&self) -> bool {
        self.gather.call.arguments.args.iter().any(Expr::is_starred_expr)
    }

    /// `one.result()` for each of the arguments, which are names of tasks.
    fn argument_results(&self) -> Vec<String> {
        let arguments = &self.gather.call.arguments.args;
        arguments
            .iter()
            .map(|argument| format!("{}.result()", self.cx.module.text(argument)))
            .collect()
    }

    /// The results of tasks that were made before the gather.
    fn moved_results(&self) -> String {
        match &*self.gather.call.arguments.args {
            [Expr::Starred(starred)] => {
                let name = self.cx.module.text(starred.value.range());
                format!("[task.result() for task in {name}]")
            }
            _ => format!("[{}]", self.argument_results().join(", ")),
        }
    }

    /// The group in the place of `if tasks: await gather(*tasks)`: without tasks it does nothing.
    fn replace_guard(&self, guard: &'a Stmt, items: &[(Item<'a>, &'a Expr)]) -> Result<Vec<Edit>, Refusal> {
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
    fn closing(&self) -> String {
        let mut lines = Vec::new();
        self.close(&mut lines);
        let mut text = String::new();
        for line in lines {
            let indent = self.indent_at(line.depth);
            let _ = write!(text, "{indent}{}{}", line.text, self.cx.module.newline());
        }
        text
    }

    fn comments(&self, items: &[(Item<'a>, &'a Expr)]) -> Comments<'a> {
        let arguments: Vec<&'a Expr> = items.iter().map(|(_, argument)| *argument).collect();
        self.comments_of(&arguments)
    }

    /// The comments in the call that are in no argument, by the argument that they belong to.
    fn comments_of(&self, arguments: &[&'a Expr]) -> Comments<'a> {
        let module = self.cx.module;
        let mut comments = Comments {
            before: vec![Vec::new(); arguments.len() + 1],
            after: vec![None; arguments.len()],
        };
        let display = self.display.map(Ranged::range);
        let ranges = std::iter::once(self.gather.site.range()).chain(display);
        for comment in ranges.flat_map(|range| module.comments(range)) {
            if arguments.iter().any(|it| it.range().contains_range(*comment)) {
                continue;
            }
            let text = module.text(*comment);
            let previous = arguments.iter().rposition(|it| it.end() <= comment.start());
            let same_line = previous.filter(|at| {
                arguments
                    .get(*at)
                    .is_some_and(|it| module.line_end(it.end()) == module.line_end(comment.start()))
            });
            match same_line {
                Some(at) if comments.after[at].is_none() => comments.after[at] = Some(text),
                _ => comments.before[previous.map_or(0, |at| at + 1)].push(text),
            }
        }
        comments
    }
}

/// The comments of a call's arguments.
struct Comments<'a> {
    before: Vec<Vec<&'a str>>,
    after: Vec<Option<&'a str>>,
}

impl<'a> Comments<'a> {
    fn is_empty(&self) -> bool {
        self.before.iter().all(Vec::is_empty) && self.after.iter().all(Option::is_none)
    }

    fn before(&self, position: usize) -> impl Iterator<Item = &'a str> + '_ {
        self.before.get(position).into_iter().flatten().copied()
    }

    fn after(&self, position: usize) -> Option<&'a str> {
        self.after.get(position).copied().flatten()
    }
}

/// The results of the tasks in the list: nested where a gather was nested.
fn results(tasks: &str, items: &[(Item<'_>, &Expr)]) -> String {
    let nested = items.iter().any(|(item, _)| matches!(item, Item::Nested(_)));
    if !nested {
        return format!("[task.result() for task in {tasks}]");
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for (item, _) in items {
        if let Item::Nested(children) = item {
            let end = start + children.len();
            parts.push(format!("[task.result() for task in {tasks}[{start}:{end}]]"));
            start = end;
        } else {
            parts.push(format!("{tasks}[{start}].result()"));
            start += 1;
        }
    }
    format!("[{}]", parts.join(", "))
}

