//! Generated calls and lists, laid out as Black and `ruff format` lay them out, so that a file
//! which they accepted before is accepted after.
//!
//! What fits on a line stays on it. What does not is opened at its outermost bracket: its content
//! on one indented line if that fits and no trailing comma asks for more, else one element a line
//! with a trailing comma. Text that this cannot lay out, because of comments in it or because it
//! is no call or list, keeps the line breaks that its author gave it.

use python::ast::{self, Expr};
use python::{Module, Ranged, TextRange};

/// Lays out expressions of one module.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a, 'm> {
    /// Where the expressions come from.
    pub module: &'m Module<'a>,
    /// The longest line, in characters.
    pub width: usize,
}

/// What stands between brackets.
#[derive(Clone, Debug)]
pub enum Piece<'a> {
    /// An expression of the module.
    Expr(&'a Expr),
    /// A keyword argument of the module.
    Keyword(&'a ast::Keyword),
    /// A generated expression: what opens it, what it holds, what closes it.
    Call(String, Vec<Piece<'a>>, &'static str),
    /// Generated text that is never broken.
    Text(String),
}

impl<'a> Layout<'a, '_> {
    /// `piece` as it stands after `before` characters, indentation included, on a line of
    /// indentation `indent`, with `after` characters to follow it. No bracket is open there, so that
    /// what its author broke outside of its own brackets gets parentheses.
    pub fn piece(&self, piece: &Piece<'a>, indent: &str, before: usize, after: usize) -> String {
        let text = self.inside(piece, indent, before, after);
        let (operator, operand) = match piece {
            Piece::Expr(Expr::Starred(_)) => text.split_at(1),
            Piece::Expr(_) => ("", text.as_str()),
            Piece::Keyword(_) | Piece::Call(..) | Piece::Text(_) => return text,
        };
        if python::breaks_outside_brackets(operand) {
            return format!("{operator}({operand})");
        }
        text
    }

    /// The same inside of brackets, where a line may break anywhere.
    pub fn inside(&self, piece: &Piece<'a>, indent: &str, before: usize, after: usize) -> String {
        if let Some(flat) = self.flat_piece(piece)
            && before + width(&flat) + after <= self.width
        {
            return flat;
        }
        match piece {
            Piece::Expr(expr) => self.expr(expr, indent, before, after),
            Piece::Keyword(keyword) => {
                let name = match &keyword.arg {
                    Some(name) => format!("{name}="),
                    None => "**".to_string(),
                };
                let before = before + width(&name);
                let value = Piece::Expr(&keyword.value);
                format!("{name}{}", self.inside(&value, indent, before, after))
            }
            Piece::Call(open, pieces, close) => {
                self.opened(open, pieces, close, indent, *close == "]")
            }
            Piece::Text(text) => text.clone(),
        }
    }

    fn expr(&self, expr: &'a Expr, indent: &str, before: usize, after: usize) -> String {
        let range = self.module.parenthesized(expr);
        if range != expr.range() || !self.module.comments(range).is_empty() {
            return self.verbatim(range, indent);
        }
        match expr {
            Expr::Call(call) => {
                let Some(func) = self.flat(&call.func) else {
                    return self.verbatim(range, indent);
                };
                if self.module.has_multiline_string(range) {
                    return self.verbatim(range, indent);
                }
                let pieces: Vec<Piece> = arguments(call).collect();
                if let [Piece::Expr(Expr::Generator(generator))] = pieces.as_slice()
                    && !generator.parenthesized
                {
                    return self.comprehension(
                        &format!("{func}("),
                        &Piece::Expr(&generator.elt),
                        &generator.generators,
                        ")",
                        indent,
                    );
                }
                if pieces.is_empty() {
                    return self.verbatim(range, indent);
                }
                let one_a_line = self.has_trailing_comma(call.arguments.range());
                self.opened(&format!("{func}("), &pieces, ")", indent, one_a_line)
            }
            Expr::List(list) if !list.elts.is_empty() => {
                let pieces: Vec<Piece> = list.elts.iter().map(Piece::Expr).collect();
                self.opened("[", &pieces, "]", indent, true)
            }
            Expr::StringLiteral(literal) if literal.value.is_implicit_concatenated() => {
                let parts: Vec<&str> = literal
                    .value
                    .iter()
                    .map(|part| self.module.text(part))
                    .collect();
                parts.join(&format!("{}{indent}", self.module.newline()))
            }
            Expr::ListComp(comprehension) => self.comprehension(
                "[",
                &Piece::Expr(&comprehension.elt),
                &comprehension.generators,
                "]",
                indent,
            ),
            Expr::Starred(starred) => {
                let value = Piece::Expr(&starred.value);
                format!("*{}", self.inside(&value, indent, before + 1, after))
            }
            Expr::Await(awaited) => {
                let value = Piece::Expr(&awaited.value);
                format!("await {}", self.inside(&value, indent, before + 6, after))
            }
            _ => self.verbatim(range, indent),
        }
    }

    /// `open`, the pieces on lines of their own, `close`. Arguments may share one line, unless
    /// their author asked for one a line by a trailing comma; the elements of a list may not.
    fn opened(
        &self,
        open: &str,
        pieces: &[Piece<'a>],
        close: &str,
        indent: &str,
        one_a_line: bool,
    ) -> String {
        let newline = self.module.newline();
        let inner = format!("{indent}{}", self.module.indent());
        let room = width(&inner);
        let flat: Option<Vec<String>> = pieces.iter().map(|piece| self.flat_piece(piece)).collect();
        if !one_a_line
            && let Some(flat) = flat.map(|flat| flat.join(", "))
            && room + width(&flat) <= self.width
        {
            return format!("{open}{newline}{inner}{flat}{newline}{indent}{close}");
        }
        // A lone argument has no comma that could be broken at.
        let comma = if one_a_line || pieces.len() > 1 {
            ","
        } else {
            ""
        };
        let mut text = format!("{open}{newline}");
        for piece in pieces {
            text.push_str(&inner);
            text.push_str(&self.inside(piece, &inner, room, comma.len()));
            text.push_str(comma);
            text.push_str(newline);
        }
        text.push_str(indent);
        text.push_str(close);
        text
    }

    /// `open`, the element and the clauses of a comprehension on lines of their own, `close`.
    pub fn comprehension(
        &self,
        open: &str,
        element: &Piece<'a>,
        clauses: &'a [ast::Comprehension],
        close: &str,
        indent: &str,
    ) -> String {
        let newline = self.module.newline();
        let inner = format!("{indent}{}", self.module.indent());
        let room = width(&inner);
        let mut parts = vec![self.inside(element, &inner, room, 0)];
        for clause in clauses {
            let head = if clause.is_async { "async for" } else { "for" };
            let target = self.text(&clause.target);
            let clause_head = format!("{head} {target} in ");
            let before = room + width(&clause_head);
            let iter = self.inside(&Piece::Expr(&clause.iter), &inner, before, 0);
            parts.push(format!("{clause_head}{iter}"));
            for condition in &clause.ifs {
                let text = self
                    .flat(condition)
                    .filter(|text| room + "if ".len() + width(text) <= self.width)
                    .unwrap_or_else(|| self.verbatim(self.module.parenthesized(condition), &inner));
                parts.push(format!("if {text}"));
            }
        }
        let one_line = parts.join(" ");
        if !one_line.contains(['\n', '\r']) && room + width(&one_line) <= self.width {
            return format!("{open}{newline}{inner}{one_line}{newline}{indent}{close}");
        }
        let separator = format!("{newline}{inner}");
        format!(
            "{open}{newline}{inner}{}{newline}{indent}{close}",
            parts.join(&separator)
        )
    }

    /// A piece on one line; none where its author's line breaks must stay.
    pub fn flat_piece(&self, piece: &Piece<'a>) -> Option<String> {
        match piece {
            Piece::Expr(expr) => self.flat(expr),
            Piece::Keyword(keyword) => {
                let value = self.flat(&keyword.value)?;
                Some(match &keyword.arg {
                    Some(name) => format!("{name}={value}"),
                    None => format!("**{value}"),
                })
            }
            Piece::Call(open, pieces, close) => {
                let flat: Option<Vec<String>> =
                    pieces.iter().map(|piece| self.flat_piece(piece)).collect();
                Some(format!("{open}{}{close}", flat?.join(", ")))
            }
            Piece::Text(text) => (!text.contains(['\n', '\r'])).then(|| text.clone()),
        }
    }

    /// An expression on one line, with its parentheses.
    pub fn flat(&self, expr: &'a Expr) -> Option<String> {
        let range = self.module.parenthesized(expr);
        let text = self.module.text(range);
        if !text.contains(['\n', '\r']) {
            return Some(text.to_string());
        }
        if !self.module.comments(range).is_empty() {
            return None;
        }
        if range != expr.range() {
            return self.joined(range);
        }
        match expr {
            Expr::Call(call) => {
                let pieces: Vec<Piece> = arguments(call).collect();
                if self.has_trailing_comma(call.arguments.range()) {
                    return None;
                }
                let func = self.flat(&call.func)?;
                let flat: Option<Vec<String>> =
                    pieces.iter().map(|piece| self.flat_piece(piece)).collect();
                Some(format!("{func}({})", flat?.join(", ")))
            }
            Expr::Attribute(attribute) => Some(format!(
                "{}.{}",
                self.flat(&attribute.value)?,
                attribute.attr
            )),
            Expr::List(list) if !self.has_trailing_comma(range) => {
                let flat: Option<Vec<String>> = list.elts.iter().map(|it| self.flat(it)).collect();
                Some(format!("[{}]", flat?.join(", ")))
            }
            Expr::ListComp(it) => {
                Some(format!("[{}]", self.flat_clauses(&it.elt, &it.generators)?))
            }
            Expr::Generator(it) => {
                let text = self.flat_clauses(&it.elt, &it.generators)?;
                Some(if it.parenthesized {
                    format!("({text})")
                } else {
                    text
                })
            }
            Expr::Starred(starred) => Some(format!("*{}", self.flat(&starred.value)?)),
            Expr::Await(awaited) => Some(format!("await {}", self.flat(&awaited.value)?)),
            _ => self.joined(range),
        }
    }

    /// The lines of an expression without comments, joined to one; none where a string goes over
    /// several, or a trailing comma asks for one element a line.
    fn joined(&self, range: TextRange) -> Option<String> {
        if self.module.has_multiline_string(range) {
            return None;
        }
        joined(self.module.text(range))
    }

    fn flat_clauses(&self, element: &'a Expr, clauses: &'a [ast::Comprehension]) -> Option<String> {
        let mut text = self.flat(element)?;
        text.push_str(&self.clauses(clauses)?);
        Some(text)
    }

    /// ` for x in xs if x`, on one line.
    pub fn clauses(&self, clauses: &'a [ast::Comprehension]) -> Option<String> {
        let mut text = String::new();
        for clause in clauses {
            text.push_str(if clause.is_async {
                " async for "
            } else {
                " for "
            });
            text.push_str(&self.text(&clause.target));
            text.push_str(" in ");
            text.push_str(&self.flat(&clause.iter)?);
            for condition in &clause.ifs {
                text.push_str(" if ");
                text.push_str(&self.flat(condition)?);
            }
        }
        Some(text)
    }

    fn text(&self, expr: &'a Expr) -> String {
        self.module
            .text(self.module.parenthesized(expr))
            .to_string()
    }

    /// The text as its author laid it out, its lines moved to `indent`.
    pub fn verbatim(&self, range: TextRange, indent: &str) -> String {
        let original = self.module.line_indentation(range.start());
        self.module.reindented(range, original, indent)
    }

    /// Whether its author asked for one element a line.
    pub fn has_trailing_comma(&self, range: TextRange) -> bool {
        self.module
            .text(range)
            .trim_end_matches([')', ']', '}'])
            .trim_end()
            .ends_with(',')
    }
}

/// Lines of code without comments and without strings that go over several, joined to one; none where
/// a trailing comma asks for one element a line.
pub fn joined(code: &str) -> Option<String> {
    let mut text = String::new();
    for line in code.lines() {
        let line = line.trim();
        let line = line.strip_suffix('\\').unwrap_or(line).trim_end();
        let opens = text.is_empty() || text.ends_with(['(', '[', '{']);
        let closes = line.starts_with([')', ']', '}']);
        if closes && text.ends_with(',') {
            return None;
        }
        if !opens && !closes && !line.starts_with('.') && !line.is_empty() {
            text.push(' ');
        }
        text.push_str(line);
    }
    Some(text)
}

/// The arguments of a call, in the order of the text.
pub fn arguments(call: &ast::ExprCall) -> impl Iterator<Item = Piece<'_>> {
    call.arguments
        .iter_source_order()
        .map(|argument| match argument {
            ast::ArgOrKeyword::Arg(expr) => Piece::Expr(expr),
            ast::ArgOrKeyword::Keyword(keyword) => Piece::Keyword(keyword),
        })
}

/// The width of a line, in characters.
pub fn width(text: &str) -> usize {
    text.chars().count()
}
