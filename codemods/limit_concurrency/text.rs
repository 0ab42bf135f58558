//! The semaphore and its wrappers before the statement, and the calls of the wrappers in it.

use std::fmt::Write as _;

use edit::Edit;
use engine::{Context, Layout, Line, Piece, Refusal, arguments, insert_before, width, withheld};
use python::ast::{self, AnyNodeRef, Comprehension, Expr, ExprCall};
use python::{Ranged, TextRange, TextSize};

use super::lists::Within;
use super::{Limit, Plan};

pub(super) fn edits<'a>(cx: &Context<'a, '_>, plan: &Plan<'a>) -> Result<Vec<Edit>, Refusal> {
    let (semaphores, wrappers) = plan.before(cx);
    let no_name = || {
        withheld!(
            "there is no free name for a semaphore in `{}`",
            plan.coroutine.name
        )
    };
    let semaphore = free(cx, plan, "semaphore", semaphores).ok_or_else(no_name)?;
    let import = cx.import(plan.call, "asyncio")?;
    let writer = Writer {
        cx,
        layout: Layout {
            module: cx.module,
            width: cx.settings.line_length,
        },
    };
    let mut names = Vec::new();
    for number in plan.wrappers(cx) {
        names.push(free(cx, plan, "limited", wrappers + number).ok_or_else(no_name)?);
    }
    let mut edits = vec![writer.definitions(plan, &import.name, &semaphore, &names)];
    for (limit, name) in plan.limits.iter().zip(&names) {
        edits.extend(writer.site(plan, limit, name));
    }
    edits.extend(import.edit);
    Ok(edits)
}

/// The name of that number that occurs nowhere in the coroutine.
fn free<'a>(cx: &Context<'a, '_>, plan: &Plan<'a>, name: &str, number: usize) -> Option<String> {
    std::iter::once(name.to_string())
        .chain((2..100).map(|number| format!("{name}_{number}")))
        .filter(|name| !cx.module.mentions(plan.coroutine, name))
        .nth(number)
}

struct Writer<'a, 'c, 'm> {
    cx: &'c Context<'a, 'm>,
    layout: Layout<'a, 'm>,
}

impl<'a> Writer<'a, '_, '_> {
    fn definitions(
        &self,
        plan: &Plan<'a>,
        asyncio: &str,
        semaphore: &str,
        names: &[String],
    ) -> Edit {
        let module = self.cx.module;
        let newline = module.newline();
        let placement = module.placement(plan.anchor);
        let indent = &placement.indent;
        let inner = format!("{indent}{}", module.indent());
        let innermost = format!("{inner}{}", module.indent());
        let limit = self.cx.option("limit");
        let mut text = format!("{semaphore} = {asyncio}.Semaphore({limit}){newline}{newline}");
        for (position, (limit, name)) in plan.limits.iter().zip(names).enumerate() {
            if names[..position].contains(name) {
                continue;
            }
            let parameters = limit.wrapper.parameters.iter();
            let parameters = parameters
                .map(|(name, _)| Piece::Text(name.clone()))
                .collect();
            let header = Piece::Call(format!("async def {name}("), parameters, "):");
            let header = self.layout.piece(&header, indent, width(indent), 0);
            let before = width(&innermost) + width("return await ");
            let awaited = self
                .layout
                .piece(&limit.wrapper.awaited, &innermost, before, 0);
            let _ = write!(
                text,
                "{indent}{header}{newline}{inner}async with {semaphore}:{newline}{innermost}return await {awaited}{newline}{newline}"
            );
        }
        // The last line ending comes with the statement.
        let start = self.with_comments(plan.anchor);
        if placement.before.is_some() {
            let text = text.trim_end_matches(newline).to_string() + newline;
            return insert_before(module, plan.anchor, &[Line::new(0, text)]);
        }
        Edit::insert(start, format!("{indent}{text}"))
    }

    /// The start of the first line of the comments directly above a statement, or of its own.
    fn with_comments(&self, statement: AnyNodeRef<'a>) -> TextSize {
        let module = self.cx.module;
        let indent = module.indentation_at(statement.start()).unwrap_or_default();
        let mut start = module.line_start(statement.start());
        while start > TextSize::new(0) {
            let above = module.line_start(start - TextSize::new(1));
            let line = module.text(TextRange::new(above, start));
            let is_comment = line
                .strip_prefix(indent)
                .is_some_and(|rest| rest.starts_with('#'));
            if !is_comment {
                break;
            }
            start = above;
        }
        start
    }

    /// `limited(x)` in the place of `f(x)`, laid out anew where a formatter would.
    fn site(&self, plan: &Plan<'a>, limit: &Limit<'a>, name: &str) -> Vec<Edit> {
        let module = self.cx.module;
        let expr = limit.element.expr;
        if let Within::Map(_) = limit.element.within {
            return vec![Edit::replace(module.parenthesized(expr), name)];
        }
        let given = limit.wrapper.parameters.iter();
        let given = given.map(|(_, site)| site.clone()).collect();
        let element = Piece::Call(format!("{name}("), given, ")");
        let range = module.parenthesized(expr);
        let text = self.in_place(&element, range);
        let minimal = vec![Edit::replace(range, text.clone())];
        let outer = match limit.element.within {
            Within::Append(append) => append.range(),
            Within::Comprehension(display) => match self.around(plan, display) {
                Some(outer) => outer.range(),
                None => return minimal,
            },
            Within::Map(_) => return minimal,
        };
        if text.contains(['\n', '\r']) && module.indentation_at(range.start()).is_some() {
            return minimal; // it has lines of its own, as before
        }
        let line = module.line_start(outer.start());
        let before = module.text(TextRange::new(line, outer.start()));
        let indent = module.line_indentation(outer.start());
        let after = TextRange::new(outer.end(), module.line_end(outer.end()));
        let after = match module.comments(after).first() {
            Some(comment) => {
                let rest = TextRange::new(outer.end(), comment.start());
                module.text(rest).trim_end()
            }
            None => module.text(after),
        };
        let whole = module.text(outer);
        let on_one_line = !whole.contains(['\n', '\r']);
        let grown = width(before) + width(whole) + width(after) + width(&text);
        if on_one_line && grown <= self.layout.width + width(module.text(range)) {
            return minimal;
        }
        let movable = module.comments(outer).is_empty() && !module.has_multiline_string(outer);
        if !movable || !(on_one_line || self.is_too_long(outer, width(before), width(after))) {
            return minimal;
        }
        let (before, after) = (width(before), width(after));
        let text = match limit.element.within {
            Within::Append(append) => {
                let open = format!("{}(", module.text(append.func.range()));
                let append = Piece::Call(open, vec![element], ")");
                self.layout.piece(&append, indent, before, after)
            }
            Within::Comprehension(display) => match self.around(plan, display) {
                Some(whole) => self.leading(whole, display, &element, indent, before, after),
                None => return minimal,
            },
            Within::Map(_) => return minimal,
        };
        vec![Edit::replace(outer, text)]
    }

    /// `limited(x)` where the element stood, on lines of its own if it had them.
    fn in_place(&self, element: &Piece<'a>, range: TextRange) -> String {
        let module = self.cx.module;
        let line = module.line_start(range.start());
        let preceding = module.text(TextRange::new(line, range.start()));
        let indent = module.line_indentation(range.start());
        let following = TextRange::new(range.end(), module.line_end(range.end()));
        let stands_alone = module.indentation_at(range.start()).is_some()
            && module.text(following).trim_matches([',', ' ']).is_empty();
        if stands_alone {
            let after = width(module.text(following));
            return self.layout.piece(element, indent, width(indent), after);
        }
        let flat = self.layout.flat_piece(element);
        flat.unwrap_or_else(|| self.layout.piece(element, indent, width(preceding), 0))
    }

    /// What a formatter breaks to make room for a comprehension: the value of the statement, where
    /// there is nothing else on the way to it than calls, or the display itself, where it is broken
    /// already.
    fn around(&self, plan: &Plan<'a>, display: &'a Expr) -> Option<&'a Expr> {
        let module = self.cx.module;
        let value = match module.statement(display) {
            AnyNodeRef::StmtExpr(stmt) => Some(&*stmt.value),
            AnyNodeRef::StmtAssign(stmt) => Some(&*stmt.value),
            AnyNodeRef::StmtAnnAssign(stmt) => stmt.value.as_deref(),
            AnyNodeRef::StmtAugAssign(stmt) => Some(&*stmt.value),
            AnyNodeRef::StmtReturn(stmt) => stmt.value.as_deref(),
            _ => None,
        };
        let is_alone = |value: &'a Expr| {
            let inside = |limit: &&Limit<'a>| module.contains(value, limit.element.expr);
            plan.limits.iter().filter(inside).count() == 1
        };
        if let Some(value) = value
            && is_alone(value)
            && self.leads_to(value, display)
        {
            return Some(value);
        }
        let is_broken = module.text(display.range()).contains(['\n', '\r']);
        is_broken.then_some(display)
    }

    /// Whether there is nothing else than calls, their arguments and `await` between an expression
    /// and the display in it.
    fn leads_to(&self, expr: &'a Expr, display: &'a Expr) -> bool {
        let module = self.cx.module;
        if expr.range() == display.range() {
            return true;
        }
        if module.parenthesized(expr) != expr.range() {
            return false;
        }
        match expr {
            Expr::Starred(starred) => self.leads_to(&starred.value, display),
            Expr::Await(awaited) => self.leads_to(&awaited.value, display),
            Expr::Call(call) => {
                let mut arguments = call.arguments.args.iter();
                arguments.any(|argument| {
                    module.contains(argument, display) && self.leads_to(argument, display)
                })
            }
            _ => false,
        }
    }

    /// Whether what stands on several lines does not fit on one.
    fn is_too_long(&self, range: TextRange, before: usize, after: usize) -> bool {
        let text = self.cx.module.text(range);
        let mut flat = 0;
        for line in text.lines() {
            let line = line.trim();
            let opens = line.ends_with(['(', '[', '{']) || line.starts_with([')', ']', '}']);
            flat += width(line) + usize::from(!opens);
        }
        before + flat + after > self.layout.width + 1
    }

    /// `[limited(x) for x in xs]`
    fn display(
        &self,
        display: &'a Expr,
        element: &Piece<'a>,
        indent: &str,
        before: usize,
        after: usize,
    ) -> String {
        let (open, clauses, close) = brackets(display);
        if let Some(flat) = self.layout.flat_piece(element)
            && let Some(clauses) = self.layout.clauses(clauses)
        {
            let flat = format!("{open}{flat}{clauses}{close}");
            if before + width(&flat) + after <= self.layout.width {
                return flat;
            }
        }
        self.layout
            .comprehension(open, element, clauses, close, indent)
    }

    /// An expression that leads to the display, with `element` in that.
    fn leading(
        &self,
        expr: &'a Expr,
        display: &'a Expr,
        element: &Piece<'a>,
        indent: &str,
        before: usize,
        after: usize,
    ) -> String {
        if expr.range() == display.range() {
            return self.display(display, element, indent, before, after);
        }
        let rest = |operator: &str, value: &'a Expr| {
            let before = before + width(operator);
            let value = self.leading(value, display, element, indent, before, after);
            format!("{operator}{value}")
        };
        match expr {
            Expr::Starred(starred) => rest("*", &starred.value),
            Expr::Await(awaited) => rest("await ", &awaited.value),
            Expr::Call(call) => self.call(call, display, element, indent, before, after),
            // Nothing else leads to it.
            _ => self.layout.verbatim(expr.range(), indent),
        }
    }

    /// `asyncio.gather(*[limited(x) for x in xs])`, with its keywords.
    fn call(
        &self,
        call: &'a ExprCall,
        display: &'a Expr,
        element: &Piece<'a>,
        indent: &str,
        before: usize,
        after: usize,
    ) -> String {
        let module = self.cx.module;
        let newline = module.newline();
        let inner = format!("{indent}{}", module.indent());
        let func = module.text(module.parenthesized(&call.func));
        let one_a_line = self.layout.has_trailing_comma(call.arguments.range());
        let rendered = |room: usize, after: usize, indent: &str| -> Vec<String> {
            arguments(call)
                .map(|argument| match argument {
                    Piece::Expr(expr) if module.contains(expr, display) => {
                        self.leading(expr, display, element, indent, room, after)
                    }
                    piece => self.layout.inside(&piece, indent, room, after),
                })
                .collect()
        };
        let flat = rendered(0, 0, &inner).join(", ");
        if !one_a_line && !flat.contains(['\n', '\r']) {
            if before + width(func) + width(&flat) + 2 + after <= self.layout.width {
                return format!("{func}({flat})");
            }
            if width(&inner) + width(&flat) <= self.layout.width {
                return format!("{func}({newline}{inner}{flat}{newline}{indent})");
            }
        }
        let comma = if one_a_line || call.arguments.len() > 1 {
            ","
        } else {
            ""
        };
        let mut text = format!("{func}({newline}");
        for argument in rendered(width(&inner), comma.len(), &inner) {
            let _ = write!(text, "{inner}{argument}{comma}{newline}");
        }
        text + indent + ")"
    }
}

/// What opens a comprehension, its clauses, what closes it.
fn brackets(display: &Expr) -> (&'static str, &[Comprehension], &'static str) {
    match display {
        Expr::SetComp(ast::ExprSetComp { generators, .. }) => ("{", generators, "}"),
        Expr::Generator(ast::ExprGenerator { generators, .. }) => ("(", generators, ")"),
        Expr::ListComp(ast::ExprListComp { generators, .. }) => ("[", generators, "]"),
        _ => ("[", &[], "]"),
    }
}
