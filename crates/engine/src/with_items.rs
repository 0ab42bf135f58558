//! Turning items of a `with` statement asynchronous, and putting code into a new block.

use edit::Edit;
use python::ast::token::TokenKind;
use python::ast::{Expr, StmtWith};
use python::{Module, Ranged, TextLen, TextRange, TextSize, indentation};

use crate::layout::{Layout, Piece, width};

/// What becomes of an item of a `with` statement.
#[derive(Clone, Debug)]
pub struct HeaderItem {
    /// Whether it is entered by `async with`.
    pub is_async: bool,
    /// What stands in the place of its context expression; none where that stays.
    pub context: Option<String>,
}

/// Why a header cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderProblem {
    /// The statement would be split, and a comment stands between its items.
    Comment,
}

/// The edits that make `items` of `with`, one for each of its own. Where some are asynchronous
/// and some are not, the statement is split into nested ones, which enter them in the same order,
/// and the body goes deeper.
pub fn with_headers(
    module: &Module<'_>,
    line_length: usize,
    with: &StmtWith,
    items: &[HeaderItem],
) -> Result<Vec<Edit>, HeaderProblem> {
    let mut groups: Vec<(bool, Vec<usize>)> = Vec::new();
    for (position, item) in items.iter().enumerate() {
        match groups.last_mut() {
            Some((is_async, group)) if *is_async == item.is_async => group.push(position),
            _ => groups.push((item.is_async, vec![position])),
        }
    }
    if let [(is_async, _)] = groups.as_slice() {
        if *is_async
            && items.iter().all(|item| item.context.is_none())
            && let Some(edit) = opened_header(module, line_length, with)
        {
            return Ok(vec![edit]);
        }
        let header = Header::of(module, with);
        let mut edits: Vec<Edit> = with
            .items
            .iter()
            .zip(items)
            .enumerate()
            .filter_map(|(position, (item, new))| {
                let context = new.context.clone()?;
                // With its parentheses, where they belong to nothing else.
                let range = match (&header, &item.optional_vars) {
                    (Some(header), None) => *header.items.get(position)?,
                    _ => module.parenthesized(&item.context_expr),
                };
                let range = if module.comments(range).is_empty() {
                    range
                } else {
                    item.context_expr.range()
                };
                Some(Edit::replace(range, context))
            })
            .collect();
        if *is_async && !with.is_async {
            edits.push(Edit::insert(with.start(), "async "));
        }
        return Ok(edits);
    }

    let Some(header) = Header::of(module, with) else {
        return Ok(Vec::new());
    };
    let range = TextRange::new(with.start(), header.colon);
    if !module.comments(range).is_empty() {
        return Err(HeaderProblem::Comment);
    }
    let newline = module.newline();
    let outer = module.line_indentation(with.start());
    let unit = unit(module, with, outer);
    let mut text = String::new();
    for (depth, (is_async, group)) in groups.iter().enumerate() {
        let inner = format!("{outer}{}", unit.repeat(depth));
        if depth > 0 {
            text.push(':');
            text.push_str(newline);
            text.push_str(&inner);
        }
        let group: Vec<String> = group
            .iter()
            .filter_map(|position| {
                let range = *header.items.get(*position)?;
                let item = with.items.get(*position)?;
                let context = items.get(*position)?.context.as_ref();
                Some(match (context, &item.optional_vars) {
                    (Some(context), None) => context.clone(),
                    (Some(context), Some(target)) => {
                        format!("{context} as {}", module.text(module.parenthesized(target)))
                    }
                    (None, _) => module.reindented(range, outer, &inner),
                })
            })
            .collect();
        let group = group.join(", ");
        text.push_str(if *is_async { "async with " } else { "with " });
        // Line breaks that the parentheses around all items allowed need others.
        if header.is_parenthesized && group.contains(['\n', '\r']) {
            text.push('(');
            text.push_str(&group);
            text.push(')');
        } else {
            text.push_str(&group);
        }
    }
    let mut end = header.colon;
    if let (Some(first), Some(last)) = (with.body.first(), with.body.last())
        && module.indentation_at(first.start()).is_some()
    {
        // Comments between the header and the first statement are the body's too.
        let start = module.next_line(header.colon);
        end = end_of_block(module, last.end(), outer);
        let unit = unit.repeat(groups.len() - 1);
        text.push_str(module.text(TextRange::new(header.colon, start)));
        text.push_str(&deepened(module, TextRange::new(start, end), outer, &unit));
    }
    Ok(vec![Edit::replace(TextRange::new(with.start(), end), text)])
}

/// `async with f(...) as x` with the arguments on lines of their own, where the line would
/// otherwise get too long.
fn opened_header(module: &Module<'_>, line_length: usize, with: &StmtWith) -> Option<Edit> {
    let [item] = with.items.as_slice() else {
        return None;
    };
    let indent = module.indentation_at(with.start())?;
    let header = Header::of(module, with)?;
    let range = TextRange::new(with.start(), header.colon);
    let text = module.text(range);
    let length = width(indent) + width(text) + 1;
    let is_plain = module.parenthesized(&item.context_expr) == item.context_expr.range();
    if !matches!(&item.context_expr, Expr::Call(call) if !call.arguments.is_empty())
        || !is_plain
        || with.is_async
        || text.contains(['\n', '\r'])
        || length > line_length
        || length + width("async ") <= line_length
    {
        return None;
    }
    let tail = &text[(item.context_expr.end() - with.start()).to_usize()..];
    let layout = Layout {
        module,
        width: line_length,
    };
    let before = width(indent) + width("async with ");
    let piece = Piece::Expr(&item.context_expr);
    let call = layout.piece(&piece, indent, before, width(tail) + 1);
    Some(Edit::replace(range, format!("async with {call}{tail}")))
}

/// Where the parts of a header stand.
struct Header {
    /// The items with the parentheses that belong to them alone.
    items: Vec<TextRange>,
    /// Whether one pair of parentheses stands around all of them.
    is_parenthesized: bool,
    /// The start of the colon.
    colon: TextSize,
}

impl Header {
    fn of(module: &Module<'_>, with: &StmtWith) -> Option<Self> {
        let last = with.items.last()?;
        let body = with.body.first()?;
        let colon = module
            .tokens()
            .in_range(TextRange::new(last.end(), body.start()))
            .iter()
            .find(|token| token.kind() == TokenKind::Colon)?
            .start();
        // The commas between the items: those that stand in none of them.
        let mut commas = Vec::new();
        let mut depth = 0_usize;
        let mut depth_of_commas = 0;
        let mut first = None;
        let tokens = module
            .tokens()
            .in_range(TextRange::new(with.start(), colon));
        for token in tokens {
            match token.kind() {
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                    depth = depth.saturating_sub(1);
                }
                TokenKind::With => {
                    first.get_or_insert(token.end());
                }
                TokenKind::Comma
                    if !with
                        .items
                        .iter()
                        .any(|item| item.range().contains_range(token.range())) =>
                {
                    commas.push(token.range());
                    depth_of_commas = depth;
                }
                _ => {}
            }
        }
        let mut start = first?;
        let mut end = colon;
        let is_parenthesized = depth_of_commas > 0;
        if is_parenthesized {
            let inner = module.tokens().in_range(TextRange::new(start, colon));
            let open = inner.iter().find(|it| it.kind() == TokenKind::Lpar)?;
            let close = inner.iter().rfind(|it| it.kind() == TokenKind::Rpar)?;
            start = open.end();
            end = close.start();
        }
        let mut items = Vec::new();
        for comma in commas.iter().take(with.items.len() - 1) {
            items.push(trimmed(module, TextRange::new(start, comma.start())));
            start = comma.end();
        }
        if let Some(trailing) = commas.get(with.items.len() - 1) {
            end = trailing.start();
        }
        items.push(trimmed(module, TextRange::new(start, end)));
        (items.len() == with.items.len()).then_some(Self {
            items,
            is_parenthesized,
            colon,
        })
    }
}

/// Without the white space at both ends, and the backslashes that continue its lines there.
fn trimmed(module: &Module<'_>, range: TextRange) -> TextRange {
    let text = module.text(range);
    let is_space = |c: char| c.is_whitespace() || c == '\\';
    let start = text.len() - text.trim_start_matches(is_space).len();
    let length = text.trim_matches(is_space).len();
    TextRange::at(
        range.start() + TextSize::try_from(start).unwrap_or_default(),
        TextSize::try_from(length).unwrap_or_default(),
    )
}

/// One level of indentation as the body of `with` has it.
fn unit(module: &Module<'_>, with: &StmtWith, outer: &str) -> String {
    with.body
        .first()
        .and_then(|first| module.indentation_at(first.start()))
        .and_then(|inner| inner.strip_prefix(outer))
        .filter(|unit| !unit.is_empty())
        .unwrap_or(module.indent())
        .to_string()
}

/// The end of a block whose last statement ends at `end`, with the comments after it that stand
/// deeper than `outer`: they belong to it.
pub fn end_of_block(module: &Module<'_>, end: TextSize, outer: &str) -> TextSize {
    let source = module.source();
    let mut block = module.line_end(end);
    let mut line = module.next_line(end);
    while line.to_usize() < source.len() {
        let range = TextRange::new(line, module.line_end(line));
        let text = module.text(range);
        let code = text.trim_start();
        if !code.is_empty() {
            if !code.starts_with('#') || indentation(text).len() <= outer.len() {
                break;
            }
            block = range.end();
        }
        line = module.next_line(line);
    }
    block
}

/// The text of `range` with its lines indented by `unit` more, inside of the indentation `outer`,
/// which they have now. It is meant for one edit of the whole range: what others would write into
/// it at the same time would not be indented.
pub fn deepened(module: &Module<'_>, range: TextRange, outer: &str, unit: &str) -> String {
    let source = module.source();
    let mut text = String::with_capacity(range.len().to_usize());
    let mut copied = range.start();
    for line in module.lines_to_indent(range) {
        // A line that goes on in brackets may stand anywhere.
        let rest = &source[line.to_usize()..];
        let offset = if rest.starts_with(outer) {
            line + outer.text_len()
        } else {
            line
        };
        if offset < copied {
            continue; // the range starts further right on its first line
        }
        text.push_str(&source[TextRange::new(copied, offset)]);
        text.push_str(unit);
        copied = offset;
    }
    text.push_str(&source[TextRange::new(copied, range.end())]);
    text
}

#[cfg(test)]
mod tests {
    use edit::{Change, merge};
    use python::ast::{AnyNodeRef, PythonVersion};

    use super::*;

    /// `source` with those items of its first `with` asynchronous that start with `a`.
    fn rewritten(source: &str) -> String {
        with_context(source, None)
    }

    /// The same, with another context expression in their places.
    fn replaced(source: &str, context: &str) -> String {
        with_context(source, Some(context))
    }

    fn with_context(source: &str, context: Option<&str>) -> String {
        let parsed = python::parse(source, PythonVersion::PY311).unwrap();
        let module = Module::new(source, &parsed);
        let with = module
            .descendants(module.root())
            .find_map(|node| match node {
                AnyNodeRef::StmtWith(with) => Some(with),
                _ => None,
            })
            .unwrap();
        let items: Vec<HeaderItem> = with
            .items
            .iter()
            .map(|item| HeaderItem {
                is_async: module.text(&item.context_expr).starts_with('a'),
                context: context.map(str::to_string),
            })
            .collect();
        let change = Change {
            edits: with_headers(&module, 30, with, &items).unwrap(),
            tag: (),
        };
        merge(source, &[change], &[]).text
    }

    #[test]
    fn a_statement_of_one_kind_keeps_its_header() {
        assert_eq!(rewritten("with a: b\n"), "async with a: b\n");
        assert_eq!(replaced("with (await l): b\n", "l"), "async with l: b\n");
        assert_eq!(
            replaced("with (await l) as x: b\n", "l"),
            "async with l as x: b\n"
        );
        assert_eq!(
            replaced("with (  # c\n    await l\n): b\n", "l"),
            "async with (  # c\n    l\n): b\n"
        );
        assert_eq!(
            rewritten("with (  # c\n    a(),\n    a1 as x,\n):\n    b\n"),
            "async with (  # c\n    a(),\n    a1 as x,\n):\n    b\n"
        );
        assert_eq!(
            rewritten("with a(\"0123456789\") as b:\n    c\n"),
            "async with a(\n    \"0123456789\"\n) as b:\n    c\n"
        );
    }

    #[test]
    fn a_mixed_one_is_split_in_its_order() {
        assert_eq!(
            rewritten("with s, a(1, 2) as b, a3, (s, s): c; d\n"),
            "with s:\n    async with a(1, 2) as b, a3:\n        with (s, s): c; d\n"
        );
        assert_eq!(
            rewritten(
                "if 1:\n\twith (a as x, (s) as y,):\n\t\tb\n\n\t\t\"\"\"c\n\t\td\"\"\"\n\t\t# e\n\t# f\n"
            ),
            "if 1:\n\tasync with a as x:\n\t\twith (s) as y:\n\t\t\tb\n\n\t\t\t\"\"\"c\n\t\td\"\"\"\n\t\t\t# e\n\t# f\n"
        );
    }
}
