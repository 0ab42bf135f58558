//! Lines that a rewrite made too long, broken as Black and `ruff format` break them.

use python::{Part, PartKind};

use crate::layout::width;

/// How lines are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'m> {
    /// The longest line, in characters.
    pub width: usize,
    /// One level of indentation.
    pub indent: &'m str,
    /// The line ending.
    pub newline: &'m str,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is a statement, or the header of one.
    Statement,
    /// It is all that stands between two brackets.
    Content,
    /// It is an element of what stands between brackets, with its comma.
    Element,
}

impl Lines<'_> {
    /// A line, without its indentation, on several; none where it has no place to break at that a
    /// formatter would choose.
    pub fn broken(&self, line: &str, indent: &str, standing: Standing) -> Option<String> {
        let line = line.trim();
        let parts = python::parts(line)?;
        let broken = match standing {
            Standing::Statement => self.statement(line, &parts, indent)?,
            Standing::Content => self.content(line, indent)?,
            Standing::Element => {
                let (element, comma) = match line.strip_suffix(',') {
                    Some(element) => (element, ","),
                    None => (line, ""),
                };
                self.element(element, indent, comma)?
            }
        };
        let fits = broken.lines().enumerate().all(|(number, line)| {
            let before = if number == 0 { width(indent) } else { 0 };
            before + width(line) <= self.width
        });
        fits.then_some(broken)
    }

    /// `if a and f(b):`, `x = f(a) or g(b)`
    fn statement(&self, line: &str, parts: &[Part<'_>], indent: &str) -> Option<String> {
        const HEADERS: &[&str] = &["elif", "for", "if", "while", "with"];
        let first = parts.first()?;
        let is_header = HEADERS.contains(&first.text) || first.text == "async";
        let tail = if is_header {
            // What follows the header on its line stays as it is.
            line.strip_suffix(':').map(|_| ":")?
        } else {
            ""
        };
        let mut end = line.len() - tail.len();
        let start = value_start(parts, is_header)?;
        // `with f(a) as b:`
        let mut depth = 0;
        let named = parts.iter().find(|part| {
            depth = deeper(depth, part);
            depth == 0 && part.kind == PartKind::Other && part.text == "as"
        });
        let mut tail = tail.to_string();
        if let Some(named) = named {
            end = named.start.checked_sub(1)?;
            tail = line.get(end..)?.to_string();
        }
        let value = line.get(start..end)?;
        let head = line.get(..start)?;
        if value.starts_with('*') {
            return None; // it is unpacked there, and may not stand in brackets of its own
        }
        let mut depth = 0;
        let has_several = parts.iter().any(|part| {
            depth = deeper(depth, part);
            depth == 0 && (part.text == ";" || first.text != "for" && part.text == ",")
        });
        if has_several {
            return None;
        }
        let delimiter = Delimiter::of(&python::parts(value)?);
        if delimiter.as_ref().is_none_or(|it| it.places.len() < 2)
            && let Some(text) = self.at_last_bracket(head, value, &tail, indent)
        {
            return Some(text);
        }
        // A context of `with` and what is awaited as a whole take no parentheses.
        if first.text == "with" || first.text == "async" || delimiter.is_none() {
            return None;
        }
        let inner = format!("{indent}{}", self.indent);
        let content = self.content(value, &inner)?;
        let newline = self.newline;
        Some(format!(
            "{head}({newline}{inner}{content}{newline}{indent}){tail}"
        ))
    }

    /// What stands between two brackets: on one line, or broken at what binds least in it.
    fn content(&self, text: &str, indent: &str) -> Option<String> {
        let is_asked_for = text.ends_with(',');
        if !is_asked_for && width(indent) + width(text) <= self.width {
            return Some(text.to_string());
        }
        let parts = python::parts(text)?;
        let Some(delimiter) = Delimiter::of(&parts) else {
            return self.element(text, indent, "");
        };
        let mut pieces = Vec::new();
        let mut start = 0;
        for place in &delimiter.places {
            pieces.push(text.get(start..*place)?.trim());
            start = *place + usize::from(delimiter.is_comma);
        }
        let last = text.get(start..)?.trim();
        if !last.is_empty() {
            pieces.push(last);
        }
        let comma = if delimiter.is_comma { "," } else { "" };
        let lines: Option<Vec<String>> = pieces
            .iter()
            .map(|piece| self.element(piece, indent, comma))
            .collect();
        Some(lines?.join(&format!("{}{indent}", self.newline)))
    }

    /// An element of what stands between two brackets, with what follows it.
    fn element(&self, text: &str, indent: &str, after: &str) -> Option<String> {
        if width(indent) + width(text) + width(after) <= self.width {
            return Some(format!("{text}{after}"));
        }
        self.at_last_bracket("", text, after, indent)
    }

    /// `f(a, b)` with what its last brackets hold on lines of its own; where these hold nothing, or
    /// what is before them is too long, `(f(a, b)).c()` with what the brackets before them hold.
    fn at_last_bracket(&self, head: &str, text: &str, tail: &str, indent: &str) -> Option<String> {
        let parts = python::parts(text)?;
        // The brackets outside of others, as where they open and close.
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        let mut open = None;
        let mut depth = 0_usize;
        for part in &parts {
            match part.kind {
                PartKind::Open => {
                    if depth == 0 {
                        open = Some(part.start);
                    }
                    depth += 1;
                }
                PartKind::Close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        pairs.push((open?, part.start));
                    }
                }
                PartKind::String | PartKind::Other => {}
            }
        }
        for (open, close) in pairs.into_iter().rev() {
            let opening = text.get(..=open)?;
            let content = text.get(open + 1..close)?.trim();
            let closing = text.get(close..)?;
            // Only what is asked of the value may follow.
            if closing.contains(' ') && closing.len() > 1 {
                return None;
            }
            if content.is_empty()
                || width(indent) + width(head) + width(opening) > self.width
                || width(indent) + width(closing) + width(tail) > self.width
            {
                continue;
            }
            let inner = format!("{indent}{}", self.indent);
            let content = self.content(content, &inner)?;
            let newline = self.newline;
            return Some(format!(
                "{head}{opening}{newline}{inner}{content}{newline}{indent}{closing}{tail}"
            ));
        }
        None
    }
}

/// Where the value of a statement starts: after its keyword, or after its last `=`.
fn value_start(parts: &[Part<'_>], is_header: bool) -> Option<usize> {
    const KEYWORDS: &[&str] = &["elif", "if", "raise", "return", "while", "with"];
    let first = parts.first()?;
    let after = |wanted: &dyn Fn(&str) -> bool, is_last: bool| {
        let mut depth = 0;
        let mut found = parts.iter().enumerate().filter_map(|(position, part)| {
            depth = deeper(depth, part);
            (depth == 0 && part.kind == PartKind::Other && wanted(part.text)).then_some(position)
        });
        let position = if is_last { found.last() } else { found.next() };
        parts.get(position? + 1).map(|part| part.start)
    };
    match first.text {
        "async" => {
            let keyword = parts.get(1)?.text;
            if keyword == "for" {
                after(&|it| it == "in", false)
            } else {
                parts.get(2).map(|part| part.start)
            }
        }
        "for" => after(&|it| it == "in", false),
        it if KEYWORDS.contains(&it) => parts.get(1).map(|part| part.start),
        "assert" | "del" | "global" | "import" | "from" | "nonlocal" | "def" | "class" => None,
        _ if is_header => None,
        _ => {
            let is_assignment =
                |it: &str| it.ends_with('=') && !matches!(it, "==" | "!=" | "<=" | ">=");
            after(&is_assignment, true).or(Some(first.start))
        }
    }
}

fn deeper(depth: usize, part: &Part<'_>) -> usize {
    match part.kind {
        PartKind::Open => depth + 1,
        PartKind::Close => depth.saturating_sub(1),
        PartKind::String | PartKind::Other => depth,
    }
}

/// What binds least in a text, outside of brackets.
struct Delimiter {
    /// Where a line may end: before the operator, or before the comma.
    places: Vec<usize>,
    is_comma: bool,
}

impl Delimiter {
    fn of(parts: &[Part<'_>]) -> Option<Self> {
        let is_comprehension = {
            let mut depth = 0;
            parts.iter().any(|part| {
                depth = deeper(depth, part);
                depth == 0 && matches!(part.text, "for") && part.kind == PartKind::Other
            })
        };
        let mut depth = 0;
        let mut found: Vec<(u8, usize)> = Vec::new();
        for (position, part) in parts.iter().enumerate() {
            let is_outside = depth == 0;
            depth = deeper(depth, part);
            if !is_outside || part.kind == PartKind::Open {
                continue;
            }
            let before = position.checked_sub(1).and_then(|it| parts.get(it));
            if part.kind == PartKind::String {
                if before.is_some_and(|it| it.kind == PartKind::String) {
                    found.push((12, part.start));
                }
                continue;
            }
            let is_binary = before.is_some_and(|it| {
                it.kind != PartKind::Other
                    || it
                        .text
                        .starts_with(|c: char| c.is_alphanumeric() || c == '_')
                        && !matches!(
                            it.text,
                            "and"
                                | "await"
                                | "else"
                                | "for"
                                | "if"
                                | "in"
                                | "is"
                                | "lambda"
                                | "not"
                                | "or"
                        )
            });
            let previous = before.map_or("", |it| it.text);
            let priority = match part.text {
                // Its commas and conditions are its own.
                "lambda" => return None,
                "," => 18,
                "for" => 20,
                "async" if is_comprehension => 20,
                "if" if is_comprehension => 20,
                "if" | "else" => 16,
                "and" | "or" => 14,
                "in" if is_comprehension => continue,
                "in" if previous == "not" => continue,
                "not" if parts.get(position + 1).is_some_and(|it| it.text == "in") => 10,
                "<" | ">" | "==" | "!=" | "<=" | ">=" | "in" | "is" => 10,
                "|" if is_binary => 9,
                "^" if is_binary => 8,
                "&" if is_binary => 7,
                "<<" | ">>" if is_binary => 6,
                "+" | "-" if is_binary => 5,
                "*" | "/" | "//" | "%" | "@" if is_binary => 4,
                _ => continue,
            };
            // `async for` breaks once.
            if part.text == "for" && previous == "async" {
                continue;
            }
            found.push((priority, part.start));
        }
        let least = found.iter().map(|(priority, _)| *priority).max()?;
        Some(Delimiter {
            places: found
                .into_iter()
                .filter(|(priority, _)| *priority == least)
                .map(|(_, place)| place)
                .collect(),
            is_comma: least == 18,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(line: &str, standing: Standing) -> String {
        let lines = Lines {
            width: 40,
            indent: "    ",
            newline: "\n",
        };
        lines
            .broken(line, "", standing)
            .unwrap_or_else(|| "as it is".to_string())
    }

    #[test]
    fn what_a_formatter_would_not_break_stays() {
        for line in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = b",
            "if aaaaaaaaaaaaaa(bbbbbbbbbbbbbbbbbbbb, ccccccccccccc): pass",
            "aaaaaaaaaaaaaa(bbbbbbbbbbbbbbbbbbbb); cccccccccccc(ddddd)",
            "assert aaaaaaaaaaaaaaaaaaaaaa(bbbbbbbbbbbbbbb), cccccccccccc",
            "with aaaaaaaaaaaaaaaaaaaaaa(bbbbbbb) as c, ddddddddd(e) as f:",
            "x = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(b  # c",
        ] {
            assert_eq!(broken(line, Standing::Statement), "as it is", "{line}");
        }
    }

    #[test]
    fn statements_break_as_black_breaks_them() {
        for (line, wanted) in [
            (
                "if aaaaaaaaa and not await bbb.ccc(ddddd, eeeee):",
                "if aaaaaaaaa and not await bbb.ccc(\n    ddddd, eeeee\n):",
            ),
            (
                "elif a or bbbbbbbbbbbbbbb and not await bbb.ccc(d) or e:",
                "elif (\n    a\n    or bbbbbbbbbbbbbbb\n    and not await bbb.ccc(d)\n    or e\n):",
            ),
            (
                "x = await aaaa.bbbb(cccccc, dddddd) if eeeee else None",
                "x = (\n    await aaaa.bbbb(cccccc, dddddd)\n    if eeeee\n    else None\n)",
            ),
            (
                "self.x = f(a, await aaa.bbb(cccccc, ddddd))",
                "self.x = f(\n    a, await aaa.bbb(cccccc, ddddd)\n)",
            ),
            (
                "self.x = f(a, await aaaa.bbbb(cccccc, dddddd, e), bbbbbb)",
                "self.x = f(\n    a,\n    await aaaa.bbbb(cccccc, dddddd, e),\n    bbbbbb,\n)",
            ),
            (
                "return [await aaaa.bbbb(cccccc, it) for it in items if it]",
                "return [\n    await aaaa.bbbb(cccccc, it)\n    for it in items\n    if it\n]",
            ),
            (
                "async with aaa.bbbb(**await ccc.ddd(eee)) as f:",
                "async with aaa.bbbb(\n    **await ccc.ddd(eee)\n) as f:",
            ),
            (
                "for a, b in zip(await aaaa.bbbb(cccccc, dd), eeeee):",
                "for a, b in zip(\n    await aaaa.bbbb(cccccc, dd), eeeee\n):",
            ),
        ] {
            assert_eq!(broken(line, Standing::Statement), wanted);
        }
    }

    #[test]
    fn what_stands_in_brackets_breaks_too() {
        for (line, standing, wanted) in [
            (
                "and await aaaaaaaa.bbbbbbb(ccccccccc, ddd, eee)",
                Standing::Element,
                "and await aaaaaaaa.bbbbbbb(\n    ccccccccc, ddd, eee\n)",
            ),
            (
                "name=await aaaaaaaa.bbbbbbb(ccccccccc, ddd),",
                Standing::Element,
                "name=await aaaaaaaa.bbbbbbb(\n    ccccccccc, ddd\n),",
            ),
            (
                "name=(await aaaa.bbb(ccccccc, ddd)).eeee()[0],",
                Standing::Element,
                "name=(\n    await aaaa.bbb(ccccccc, ddd)\n).eeee()[0],",
            ),
            (
                "aaaa, await bbbbbbbb.ccccccc(dddddddd, **e)",
                Standing::Content,
                "aaaa,\nawait bbbbbbbb.ccccccc(dddddddd, **e),",
            ),
        ] {
            assert_eq!(broken(line, standing), wanted);
        }
    }
}
