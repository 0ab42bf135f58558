//! Lines, indentation, and how a statement stands among its neighbours.

use std::borrow::Cow;

use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::{AnyNodeRef, Expr};
use ruff_python_trivia::{PythonWhitespace, indentation_at_offset};
use ruff_source_file::LineRanges;
use ruff_text_size::{Ranged, TextLen, TextRange, TextSize};

use crate::module::Module;

/// How a statement stands on its lines, so that it can be replaced by several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The indentation that the statement has, or would have on a line of its own.
    pub indent: String,
    /// What stands between the statement and what precedes it on its line, another statement or
    /// the header of its suite: to be replaced by a line break. None where the line is its own.
    pub before: Option<TextRange>,
    /// Where the suite is on its header's line and the statement is not the first of it: what
    /// stands between the header and the first, to be replaced by a line break as well.
    pub suite: Option<TextRange>,
    /// What stands between the statement and the one that follows on its line, to be replaced by
    /// a line break; or a `;` that nothing follows, to be deleted.
    pub after: After,
    /// The comment at the end of the statement's line, if the statement is the last there.
    pub comment: Option<TextRange>,
}

/// What follows a statement on its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Nothing, or a comment.
    Nothing,
    /// A `;` and nothing more: the range from the end of the statement past the `;`.
    Semicolon(TextRange),
    /// A `;` and another statement: the range between the two.
    Statement(TextRange),
}

/// The first line of a text, for messages.
pub fn first_line(text: &str) -> &str {
    text.split(['\n', '\r']).next().unwrap_or_default()
}

/// The indentation of a line: the white space that it begins with. A form feed in that begins
/// anew, as CPython's tokenizer has it, so that only what follows the last one counts.
pub fn indentation(line: &str) -> &str {
    space(line).1
}

/// The white space that a line begins with: as far as its last form feed, and from there on.
fn space(line: &str) -> (&str, &str) {
    let code = line.trim_start_matches([' ', '\t', '\x0c']);
    let space = &line[..line.len() - code.len()];
    space.split_at(space.rfind('\x0c').map_or(0, |at| at + 1))
}

impl<'a> Module<'a> {
    /// The start of the line that `offset` is on.
    pub fn line_start(&self, offset: TextSize) -> TextSize {
        self.source().line_start(offset)
    }

    /// The end of the line that `offset` is on, before its line ending.
    ///
    /// A backslash that goes on in a blank line, in a comment, or in a semicolon goes on in no code:
    /// that line belongs to this one.
    pub fn line_end(&self, offset: TextSize) -> TextSize {
        let source = self.source();
        let mut end = source.line_end(offset);
        while self.goes_on(end) {
            let next = source.full_line_end(end);
            let next = TextRange::new(next, source.line_end(next));
            let text = source[next].trim();
            if !(text.is_empty() || text == "\\" || text.starts_with([';', '#'])) {
                break;
            }
            end = next.end();
        }
        end
    }

    /// The start of the line after the one that `offset` is on; the end of the text after the last.
    pub fn next_line(&self, offset: TextSize) -> TextSize {
        self.source().full_line_end(self.line_end(offset))
    }

    /// Whether the line that ends at `end` goes on in the next by a backslash.
    fn goes_on(&self, end: TextSize) -> bool {
        let is_last = end == self.source().text_len();
        if is_last || !self.source()[..end.to_usize()].ends_with('\\') {
            return false;
        }
        // In a comment or a string it is text. Indentation may go over several lines.
        let tokens = self.tokens();
        let next = tokens.partition_point(|token| token.end() < end);
        let is_indent = |kind| matches!(kind, TokenKind::Indent | TokenKind::Dedent);
        tokens[next..]
            .iter()
            .find(|token| !is_indent(token.kind()))
            .is_none_or(|token| token.start() >= end)
    }

    /// The statement, or the header of a compound one, that `offset` is in, or else the next:
    /// from its first token to its line ending, over all its lines. At the end of the text, empty.
    pub fn logical_line(&self, offset: TextSize) -> TextRange {
        let is_end = |token: &&Token| token.kind() == TokenKind::Newline;
        let before = self.tokens().before(offset);
        let start = before
            .iter()
            .rev()
            .find(is_end)
            .map_or(TextSize::new(0), Ranged::end);
        let tokens = self.tokens().after(start);
        let is_trivia = |token: &&Token| {
            matches!(
                token.kind(),
                TokenKind::Comment
                    | TokenKind::NonLogicalNewline
                    | TokenKind::Indent
                    | TokenKind::Dedent
            )
        };
        let first = tokens.iter().find(|token| !is_trivia(token));
        let last = tokens.iter().find(is_end);
        match (first, last) {
            (Some(first), Some(last)) => TextRange::new(first.start(), last.start()),
            _ => TextRange::empty(self.source().text_len()),
        }
    }

    /// The text of a node as far as its first line goes, for messages.
    pub fn first_line(&self, node: impl Ranged) -> &'a str {
        first_line(self.text(node))
    }

    /// What is called, on one line, for messages: `Series(...).load` where the arguments go over
    /// several.
    pub fn shown(&self, expr: &'a Expr) -> Cow<'a, str> {
        let text = self.text(expr);
        if !text.contains(['\n', '\r']) {
            return text.into();
        }
        match expr {
            Expr::Attribute(attribute) => {
                format!("{}.{}", self.shown(&attribute.value), attribute.attr).into()
            }
            Expr::Call(call) => format!("{}(...)", self.shown(&call.func)).into(),
            Expr::Subscript(part) => format!("{}[...]", self.shown(&part.value)).into(),
            _ => first_line(text).into(),
        }
    }

    /// The comments on the lines of `range`, and those on the lines directly above.
    pub fn comments_about(&self, range: TextRange) -> impl Iterator<Item = &'a str> {
        let mut start = self.line_start(range.start());
        while start > TextSize::new(0) {
            let above = self.line_start(start - TextSize::new(1));
            let line = TextRange::new(above, start);
            if !self.text(line).trim_start().starts_with('#') {
                break;
            }
            start = above;
        }
        let lines = TextRange::new(start, self.line_end(range.end()));
        self.comments(lines)
            .iter()
            .map(|comment| self.text(*comment))
    }

    /// The indentation of the line that `offset` is on, whatever stands before it there. If nothing but
    /// backslashes stands in the lines above that lead to it, the first of those has it.
    pub fn line_indentation(&self, offset: TextSize) -> &'a str {
        let source = self.source();
        let mut start = self.line_start(offset);
        while start.to_usize() > 0 {
            let ending = if source[..start.to_usize()].ends_with("\r\n") {
                2
            } else {
                1
            };
            let last = start - TextSize::new(ending);
            let above = TextRange::new(self.line_start(last), last);
            if source[above].trim() != "\\" || !self.goes_on(above.end()) {
                break;
            }
            start = above.start();
        }
        indentation(&source[TextRange::new(start, source.line_end(start))])
    }

    /// Where the indentation of the line that `offset` is on starts.
    pub fn indentation_start(&self, offset: TextSize) -> TextSize {
        let line = TextRange::new(self.line_start(offset), self.source().line_end(offset));
        line.start() + space(&self.source()[line]).0.text_len()
    }

    /// The [`indentation`] before `offset`, if there is nothing else before it on its line, and the
    /// line does not go on from the one before by a backslash.
    pub fn indentation_at(&self, offset: TextSize) -> Option<&'a str> {
        let space = indentation_at_offset(offset, self.source())?;
        let before = &self.source()[..offset.to_usize() - space.len()];
        let line = before.strip_suffix('\n').unwrap_or(before);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let is_own = line.len() == before.len() || !self.goes_on(TextSize::of(line));
        is_own.then(|| indentation(space))
    }

    /// How a statement stands on its lines. Compound statements stand alone, but for the first
    /// line of what they hold.
    pub fn placement<'n>(&self, statement: impl Into<AnyNodeRef<'n>>) -> Placement {
        let node = self.node(self.id(statement));
        let (after, comment) = self.after(node.end());
        if let Some(indent) = self.indentation_at(node.start()) {
            return Placement {
                indent: indent.to_string(),
                before: None,
                suite: None,
                after,
                comment,
            };
        }
        let colon = |start: TextSize| {
            self.tokens()
                .before(start)
                .iter()
                .rev()
                .find(|token| token.kind() == TokenKind::Colon)
                .map_or(start, Ranged::end)
        };
        let mut placement = Placement {
            indent: String::new(),
            before: None,
            suite: None,
            after,
            comment,
        };
        let mut from = None;
        if let Some((body, position)) = self.siblings(node)
            && let Some(first) = body.first()
        {
            from = position
                .checked_sub(1)
                .and_then(|at| body.get(at))
                .map(Ranged::end);
            placement.indent = if let Some(indent) = self.indentation_at(first.start()) {
                indent.to_string()
            } else {
                placement.suite = from.map(|_| TextRange::new(colon(first.start()), first.start()));
                format!("{}{}", self.header_indent(node), self.indent())
            };
        }
        // Without a statement before it on the line there is the colon of the header.
        let from = from.unwrap_or_else(|| colon(node.start()));
        placement.before = Some(TextRange::new(from, node.start()));
        placement
    }

    /// The indentation of the clause that `node` stands in on the header's own line.
    fn header_indent(&self, node: AnyNodeRef<'a>) -> &'a str {
        let Some(parent) = self.parent(node) else {
            return "";
        };
        // `else:`, `finally:` and the like have no node, but the indentation of their statement.
        self.indentation_at(parent.start())
            .or_else(|| {
                let decorated = self.line_start(parent.start());
                self.indentation_at(decorated)
            })
            .unwrap_or_default()
    }

    fn after(&self, end: TextSize) -> (After, Option<TextRange>) {
        let mut semicolon = None;
        for token in self.tokens().after(end) {
            match token.kind() {
                TokenKind::Semi => semicolon = Some(token.end()),
                TokenKind::Comment => {
                    let after = semicolon.map_or(After::Nothing, |semicolon| {
                        After::Semicolon(TextRange::new(end, semicolon))
                    });
                    return (after, Some(token.range()));
                }
                TokenKind::Newline
                | TokenKind::NonLogicalNewline
                | TokenKind::EndOfFile
                | TokenKind::Dedent => break,
                _ => {
                    return match semicolon {
                        Some(_) => (After::Statement(TextRange::new(end, token.start())), None),
                        None => (After::Nothing, None),
                    };
                }
            }
        }
        let after = semicolon.map_or(After::Nothing, |semicolon| {
            After::Semicolon(TextRange::new(end, semicolon))
        });
        (after, None)
    }

    /// The lines of `statement` from the start of its first line to the end of its last, line
    /// ending included: what has to go when it goes. None where something else, a comment
    /// included, stands on these lines.
    pub fn whole_lines<'n>(&self, statement: impl Into<AnyNodeRef<'n>>) -> Option<TextRange> {
        let node = self.node(self.id(statement));
        self.indentation_at(node.start())?;
        let rest = TextRange::new(node.end(), self.line_end(node.end()));
        if !self.source()[rest].trim_whitespace().is_empty() {
            return None;
        }
        let start = self.line_start(node.start());
        Some(TextRange::new(start, self.next_line(node.end())))
    }

    /// The text of `range` with its lines moved from indentation `from` to indentation `to`. The
    /// first line is not touched, nor is a line that starts inside a string.
    pub fn reindented(&self, range: TextRange, from: &str, to: &str) -> String {
        let source = self.source();
        if from == to {
            return source[range].to_string();
        }
        let strings = self.multiline_strings(range);
        let mut text = String::with_capacity(range.len().to_usize());
        let mut start = range.start();
        loop {
            let end = self.next_line(start).min(range.end());
            let line = &source[TextRange::new(start, end)];
            let inside_string = strings
                .iter()
                .any(|string| string.start() < start && start < string.end());
            let (page, _) = space(line);
            match line[page.len()..].strip_prefix(from) {
                Some(rest) if start > range.start() && !inside_string => {
                    text.push_str(page);
                    text.push_str(to);
                    text.push_str(rest);
                }
                _ => text.push_str(line),
            }
            if end >= range.end() {
                return text;
            }
            start = end;
        }
    }

    /// Where the indentation starts in the lines of `range` that have to be indented for it to stand
    /// deeper: not the blank ones, nor those that start inside a string.
    pub fn lines_to_indent(&self, range: TextRange) -> Vec<TextSize> {
        let strings = self.multiline_strings(range);
        let mut lines = Vec::new();
        let mut start = self.line_start(range.start());
        while start < range.end() {
            let end = self.next_line(start);
            let blank = self.source()[TextRange::new(start, end)].trim().is_empty();
            let inside_string = strings
                .iter()
                .any(|string| string.start() < start && start < string.end());
            if !blank && !inside_string {
                lines.push(self.indentation_start(start));
            }
            start = end;
        }
        lines
    }

    /// Whether a string token in `range` goes over more than one line.
    pub fn has_multiline_string(&self, range: TextRange) -> bool {
        !self.multiline_strings(range).is_empty()
    }

    /// The string tokens in `range` that go over more than one line; an f-string with its fields.
    pub fn multiline_strings(&self, range: TextRange) -> Vec<TextRange> {
        let mut strings = Vec::new();
        let mut nested = Vec::new();
        for token in self.tokens().in_range(range) {
            match token.kind() {
                TokenKind::String => strings.push(token.range()),
                TokenKind::FStringStart | TokenKind::TStringStart => nested.push(token.start()),
                TokenKind::FStringEnd | TokenKind::TStringEnd => {
                    if let Some(start) = nested.pop() {
                        strings.push(TextRange::new(start, token.end()));
                    }
                }
                _ => {}
            }
        }
        strings.retain(|string| self.source().contains_line_break(*string));
        strings
    }
}

/// Whether a line sets others apart and does nothing else. One with a form feed is no such line:
/// it marks a page, and stays.
pub fn is_blank(line: &str) -> bool {
    line.trim_matches([' ', '\t', '\r', '\n']).is_empty()
}

#[cfg(test)]
mod tests {
    use ruff_python_ast::PythonVersion;

    use super::*;
    use crate::module::parse;

    #[test]
    fn a_form_feed_is_no_level_of_indentation() {
        let source = "import x\n\n\x0cdef f(): x()\n";
        let parsed = parse(source, PythonVersion::PY311).unwrap();
        assert_eq!(Module::new(source, &parsed).indent(), "    ");
    }

    #[test]
    fn indentation_over_two_lines_is_that_of_the_first() {
        for newline in ["\n", "\r", "\r\n"] {
            indentation_over_two_lines(newline);
        }
    }

    fn indentation_over_two_lines(newline: &str) {
        let source = &"if x:\n     \\\n  y\n".replace('\n', newline);
        let parsed = parse(source, PythonVersion::PY311).unwrap();
        let module = Module::new(source, &parsed);
        let offset = TextSize::try_from(source.find('y').unwrap()).unwrap();
        assert_eq!(module.indentation_at(offset), None);
        assert_eq!(module.line_indentation(offset), "     ");
    }

    #[test]
    fn a_form_feed_begins_the_indentation_anew() {
        let source = "if x:\n    \x0c  if y:\n \x0c\x0c  \t(1,\n  \x0c  2)\n";
        let parsed = parse(source, PythonVersion::PY311).unwrap();
        let module = Module::new(source, &parsed);
        let at = |what: &str| module.source().find(what).unwrap().try_into().unwrap();
        assert_eq!(module.indent(), "  ");
        assert_eq!(module.indentation_at(at("if y")), Some("  "));
        assert_eq!(module.indentation_at(at("(1")), Some("  \t"));
        assert_eq!(module.line_indentation(at("2)")), "  ");
        let all = TextRange::up_to(source.text_len());
        let mut deeper = source.to_string();
        for start in module.lines_to_indent(all).into_iter().rev() {
            deeper.insert(start.to_usize(), '>');
        }
        assert_eq!(
            deeper,
            ">if x:\n    \x0c>  if y:\n \x0c\x0c>  \t(1,\n  \x0c>  2)\n"
        );
        assert_eq!(
            module.reindented(all, "  ", ">"),
            "if x:\n    \x0c>if y:\n \x0c\x0c>\t(1,\n  \x0c>2)\n"
        );
    }
}
