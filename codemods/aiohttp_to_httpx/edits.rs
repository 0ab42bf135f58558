//! The text of the rewrite.

use edit::Edit;
use engine::{Context, Layout, Piece, Refusal, arguments, width, withheld};
use python::ast::token::TokenKind;
use python::ast::{AnyNodeRef, ExprName, StmtWith, UnaryOp};
use python::{Ranged, TextLen, TextRange, TextSize};

use super::response::{Use, UseKind};
use super::session::{Place, Request, Session};

/// What the client is told so that it does what a session does.
const OPTIONS: &[&str] = &["follow_redirects=True", "timeout=300", "trust_env=False"];

/// The edits for one session.
pub fn of<'a>(cx: &Context<'a, '_>, session: &Session<'a>) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    if !module.comments(session.call.range()).is_empty() {
        return Err(withheld!(
            "a comment stands in the call that makes the session, which is written anew: move it out"
        ));
    }
    let import = cx.import_beside(&session.call.func, "httpx")?;
    let mut writer = Writer {
        cx,
        session,
        client: format!("{}.AsyncClient(", import.name),
        edits: Vec::new(),
        dissolved: Vec::new(),
    };
    let mut withs: Vec<&'a StmtWith> = Vec::new();
    if let Some(AnyNodeRef::WithItem(item)) = module.parent(session.call)
        && let Some(AnyNodeRef::StmtWith(with)) = module.parent(item)
    {
        withs.push(with);
    } else {
        writer.assigned();
    }
    for request in &session.requests {
        match request.place {
            Place::Item(with, _) if withs.iter().all(|it| !std::ptr::eq(*it, with)) => {
                withs.push(with);
            }
            Place::Item(..) => {}
            Place::Awaited(_) => writer.arguments(request),
        }
    }
    // The inner ones need to know how far the outer ones move them.
    withs.sort_by_key(Ranged::start);
    for with in withs {
        writer.with(with)?;
    }
    for close in &session.closes {
        writer.replace(close.attr.range(), "aclose");
    }
    for used in &session.uses {
        writer.used(used)?;
    }
    let mut edits = writer.finish();
    edits.extend(import.edit);
    Ok(edits)
}

struct Writer<'a, 'c, 'm> {
    cx: &'c Context<'a, 'm>,
    session: &'c Session<'a>,
    /// `httpx.AsyncClient(`.
    client: String,
    edits: Vec<Edit>,
    /// The blocks that go, so that their lines move to the left.
    dissolved: Vec<Dissolved<'a>>,
}

struct Dissolved<'a> {
    lines: TextRange,
    outer: &'a str,
    inner: &'a str,
}

impl<'a> Writer<'a, '_, '_> {
    fn replace(&mut self, range: TextRange, text: impl Into<String>) {
        self.edits.push(Edit::replace(range, text));
    }

    fn layout(&self) -> Layout<'a, '_> {
        Layout {
            module: self.cx.module,
            width: self.cx.settings.line_length,
        }
    }

    fn client(&self) -> Piece<'a> {
        let options = OPTIONS.iter().map(|it| Piece::Text((*it).to_string()));
        Piece::Call(self.client.clone(), options.collect(), ")")
    }

    /// `session = aiohttp.ClientSession()`.
    fn assigned(&mut self) {
        let module = self.cx.module;
        let call = self.session.call;
        let indent = self.indent(call.start());
        let line = TextRange::new(module.line_start(call.start()), call.start());
        let text = module.text(line).trim_start();
        let before = width(&indent) + width(text);
        let text = self.layout().piece(&self.client(), &indent, before, 0);
        self.replace(call.range(), text);
    }

    /// The indentation that the line of `offset` will have.
    fn indent(&self, offset: TextSize) -> String {
        let module = self.cx.module;
        let line = module.line_start(offset);
        let mut indent = module.line_indentation(offset).to_string();
        // From the inside out, so that each finds the indentation that it knows.
        for block in self.dissolved.iter().rev() {
            if block.lines.contains(line)
                && let Some(rest) = indent.strip_prefix(block.inner)
            {
                indent = format!("{}{rest}", block.outer);
            }
        }
        indent
    }

    fn request_at(&self, with: &StmtWith, position: usize) -> Option<&Request<'a>> {
        self.session.requests.iter().find(|request| {
            matches!(request.place, Place::Item(it, at) if std::ptr::eq(it, with) && at == position)
        })
    }

    fn with(&mut self, with: &'a StmtWith) -> Result<(), Refusal> {
        let module = self.cx.module;
        let count = with.items.len();
        let goes: Vec<bool> = (0..count)
            .map(|at| self.request_at(with, at).is_some_and(|it| !it.streams))
            .collect();
        let Some((last, first)) = with.items.last().zip(with.body.first()) else {
            return Ok(());
        };
        let colon = module
            .tokens()
            .after(last.end())
            .iter()
            .find(|token| token.kind() == TokenKind::Colon)
            .map_or(last.end(), Ranged::end);
        let header = TextRange::new(with.start(), colon);
        let comments = module.comments(header).to_vec();
        let is_kept = |comment: &TextRange| {
            (0..count).any(|at| {
                self.request_at(with, at)
                    .is_some_and(|it| it.call.range().contains_range(*comment))
            })
        };
        let is_mixed = goes.contains(&true) && goes.contains(&false);
        if comments
            .iter()
            .any(|comment| is_mixed || (goes.contains(&true) && !is_kept(comment)))
        {
            return Err(withheld!(
                "a comment stands in the header of the `async with` that goes: move it out"
            ));
        }
        if is_mixed {
            return self.mixed(with, &goes, header);
        }
        if goes.contains(&true) {
            return self.dissolve(with, header, first.start());
        }
        self.kept(with, header);
        Ok(())
    }

    /// A statement of which all items stay: the session, and what reads in pieces.
    fn kept(&mut self, with: &'a StmtWith, header: TextRange) {
        let module = self.cx.module;
        let is_one_line = !module.text(header).contains(['\n', '\r']);
        let creates =
            |item: &python::ast::WithItem| item.context_expr.range() == self.session.call.range();
        let has_uses = self
            .session
            .uses
            .iter()
            .any(|used| header.contains_range(used.attribute.range()));
        if is_one_line && !has_uses && with.items.iter().any(creates) {
            let indent = self.indent(with.start());
            let items: Vec<_> = (0..with.items.len())
                .filter_map(|at| self.item(with, at))
                .collect();
            let text = self.header(&items, &indent);
            return self.replace(header, text);
        }
        for (at, item) in with.items.iter().enumerate() {
            if creates(item) {
                let text = self.layout().flat_piece(&self.client()).unwrap_or_default();
                self.replace(item.context_expr.range(), text);
            } else if let Some(request) = self.request_at(with, at) {
                let open = opening(request);
                let (text, call) = (Self::called(request), request.call);
                self.replace(open, text);
                self.keywords(call);
            }
        }
    }

    /// An item that stays, as it will be, with its ` as target`.
    fn item(&self, with: &'a StmtWith, at: usize) -> Option<(Piece<'a>, String)> {
        let module = self.cx.module;
        let item = with.items.get(at)?;
        let piece = match self.request_at(with, at) {
            Some(request) => self.request(request),
            None if item.context_expr.range() == self.session.call.range() => self.client(),
            None => Piece::Expr(&item.context_expr),
        };
        let target = item
            .optional_vars
            .as_deref()
            .map_or(String::new(), |target| {
                format!(" as {}", module.text(module.parenthesized(target)))
            });
        Some((piece, target))
    }

    /// What stands between `session.` and the first argument.
    fn called(request: &Request<'a>) -> String {
        let verb = request.method.attr.as_str();
        let name = if request.streams {
            "stream"
        } else if request.needs_request() {
            "request"
        } else {
            return format!("{verb}(");
        };
        format!("{name}(\"{}\", ", verb.to_ascii_uppercase())
    }

    /// `allow_redirects=` => `follow_redirects=`.
    fn keywords(&mut self, call: &'a python::ast::ExprCall) {
        for keyword in &call.arguments.keywords {
            if let Some(name) = &keyword.arg
                && name.as_str() == "allow_redirects"
            {
                self.replace(name.range(), "follow_redirects");
            }
        }
    }

    /// The call of a request that stays where it is.
    fn arguments(&mut self, request: &Request<'a>) {
        if request.needs_request() {
            let text = Self::called(request);
            self.replace(opening(request), text);
        }
        self.keywords(request.call);
    }

    /// The call of a request, to be laid out.
    fn request(&self, request: &Request<'a>) -> Piece<'a> {
        let receiver = self.cx.module.text(&*request.method.value);
        let pieces = arguments(request.call).map(|piece| match piece {
            Piece::Keyword(keyword) if keyword.arg.as_deref() == Some("allow_redirects") => {
                let value = self.cx.module.text(&keyword.value);
                Piece::Text(format!("follow_redirects={value}"))
            }
            piece => piece,
        });
        let open = format!("{receiver}.{}", Self::called(request));
        let Some((open, method)) = open.rsplit_once('(') else {
            return Piece::Text(open);
        };
        let method = method.trim_end_matches([',', ' ']).to_string();
        let method = (!method.is_empty()).then_some(Piece::Text(method));
        let pieces = method.into_iter().chain(pieces).collect();
        Piece::Call(format!("{open}("), pieces, ")")
    }

    /// `response = await ` for an item.
    fn assignment(target: Option<&ExprName>) -> String {
        match target {
            Some(name) => format!("{} = await ", name.id),
            None => "await ".to_string(),
        }
    }

    /// All items are requests: the statement goes, its body stays.
    fn dissolve(
        &mut self,
        with: &'a StmtWith,
        header: TextRange,
        body: TextSize,
    ) -> Result<(), Refusal> {
        let module = self.cx.module;
        let newline = module.newline();
        let indent = self.indent(with.start());
        let mut start = with.start();
        for at in 0..with.items.len() {
            let Some(request) = self.request_at(with, at) else {
                continue;
            };
            let call = request.call;
            let mut text = String::new();
            if at > 0 {
                text.push_str(newline);
                text.push_str(&indent);
            }
            let assignment = Self::assignment(request.target(self.cx));
            text.push_str(&assignment);
            let before = width(&indent) + width(&assignment);
            if let Some(call_text) = self.laid_out(request, &indent, before) {
                text.push_str(&call_text);
                self.replace(TextRange::new(start, call.end()), text);
            } else {
                let open = opening(request);
                let method = request.needs_request().then(|| Self::called(request));
                // The brackets that it stood in go with the header.
                let breaks = python::breaks_outside_brackets(module.text(call.range()));
                if breaks {
                    text.push('(');
                    self.replace(TextRange::empty(call.end()), ")");
                }
                self.replace(TextRange::new(start, call.start()), text);
                if let Some(method) = method {
                    self.replace(open, method);
                }
                self.keywords(call);
            }
            start = call.end();
        }
        if module.indentation_at(body).is_none() {
            // async with session.get(url) as response: print(response.status)
            let text = format!("{newline}{indent}");
            self.replace(TextRange::new(start, body), text);
            return Ok(());
        }
        self.replace(TextRange::new(start, header.end()), "");
        let outer = module.indentation_at(with.start()).unwrap_or_default();
        let inner = module.indentation_at(body).unwrap_or_default();
        if !inner.starts_with(outer) {
            return Err(withheld!(
                "the block is indented in another way than what is around it: indent the file in one way"
            ));
        }
        let end = self.end_of_block(with.end(), inner);
        self.dissolved.push(Dissolved {
            lines: TextRange::new(module.next_line(header.end()), end),
            outer,
            inner,
        });
        Ok(())
    }

    /// The end of a block, with the comment lines that follow and are indented as it is.
    fn end_of_block(&self, end: TextSize, inner: &str) -> TextSize {
        let module = self.cx.module;
        let mut end = module.line_end(end);
        let mut line = module.next_line(end);
        while line < module.source().text_len() {
            let text = module.text(TextRange::new(line, module.line_end(line)));
            match text.strip_prefix(inner) {
                Some(rest) if rest.trim_start().starts_with('#') => end = module.line_end(line),
                _ if text.trim().is_empty() => {}
                _ => break,
            }
            let next = module.next_line(line);
            if next == line {
                break;
            }
            line = next;
        }
        end
    }

    /// The call where its line breaks are to be made anew; none where its text can stay.
    fn laid_out(&self, request: &Request<'a>, indent: &str, before: usize) -> Option<String> {
        let module = self.cx.module;
        let range = request.call.range();
        let has_uses = self
            .session
            .uses
            .iter()
            .any(|used| range.contains_range(used.attribute.range()));
        let layout = self.layout();
        let is_one_line = !module.text(range).contains(['\n', '\r']);
        if has_uses
            || !module.comments(range).is_empty()
            || module.has_multiline_string(range)
            || (!is_one_line && layout.has_trailing_comma(range))
        {
            return None;
        }
        let piece = self.request(request);
        let flat = layout.flat_piece(&piece)?;
        if is_one_line && before + width(&flat) <= layout.width {
            return None;
        }
        Some(layout.piece(&piece, indent, before, 0))
    }

    /// Some items go, the others stay: what goes becomes statements before or after.
    fn mixed(
        &mut self,
        with: &'a StmtWith,
        goes: &[bool],
        header: TextRange,
    ) -> Result<(), Refusal> {
        let module = self.cx.module;
        let newline = module.newline();
        let is_used_in_header = self
            .session
            .uses
            .iter()
            .any(|used| header.contains_range(used.attribute.range()));
        let first = goes.iter().position(|it| *it).unwrap_or_default();
        let comes_first = goes.first() == Some(&true);
        let stays = goes.iter().position(|it| !*it).unwrap_or_default();
        let is_apart = if comes_first {
            goes[stays..].iter().all(|it| !*it)
        } else {
            goes[first..].iter().all(|it| *it)
        };
        if !is_apart || is_used_in_header || module.has_multiline_string(header) {
            return Err(withheld!(
                "the requests stand in one `async with` with other contexts: write statements of their own for them"
            ));
        }
        let indent = self.indent(with.start());
        let body = with.body.first().map_or(header.end(), Ranged::start);
        let own_lines = module.indentation_at(body).is_some();
        let inner = if own_lines {
            self.indent(body)
        } else {
            format!("{indent}{}", module.indent())
        };
        let (mut kept, mut requests) = (Vec::new(), Vec::new());
        for at in 0..with.items.len() {
            match self.request_at(with, at) {
                Some(request) if !request.streams => {
                    let indent = if comes_first { &indent } else { &inner };
                    let assignment = Self::assignment(request.target(self.cx));
                    let before = width(indent) + width(&assignment);
                    let call = self
                        .layout()
                        .piece(&self.request(request), indent, before, 0);
                    requests.push(format!("{assignment}{call}"));
                }
                _ => kept.extend(self.item(with, at)),
            }
        }
        let header_text = self.header(&kept, &indent);
        let mut text = String::new();
        if comes_first {
            for request in &requests {
                text.push_str(request);
                text.push_str(newline);
                text.push_str(&indent);
            }
        }
        text.push_str(&header_text);
        self.replace(header, text);
        if comes_first {
            return Ok(());
        }
        let mut text = String::new();
        for request in &requests {
            if own_lines {
                text.push_str(&inner);
                text.push_str(request);
                text.push_str(newline);
            } else {
                text.push_str(newline);
                text.push_str(&inner);
                text.push_str(request);
            }
        }
        if own_lines {
            let line = module.next_line(header.end());
            self.replace(TextRange::empty(line), text);
        } else {
            let text = format!("{text}{newline}{inner}");
            self.replace(TextRange::new(header.end(), body), text);
        }
        Ok(())
    }

    /// `async with a as b, c:`, laid out.
    fn header(&self, items: &[(Piece<'a>, String)], indent: &str) -> String {
        let layout = self.layout();
        let newline = self.cx.module.newline();
        if let [(piece, target)] = items {
            let before = width(indent) + width("async with ");
            let text = layout.piece(piece, indent, before, width(target) + 1);
            return format!("async with {text}{target}:");
        }
        let flat: Option<Vec<String>> = items
            .iter()
            .map(|(piece, target)| Some(format!("{}{target}", layout.flat_piece(piece)?)))
            .collect();
        if let Some(flat) = flat.map(|it| it.join(", "))
            && (width(indent) + width("async with ") + width(&flat) < layout.width
                || !self.cx.supports(python::ast::PythonVersion::PY39))
        {
            return format!("async with {flat}:");
        }
        let inner = format!("{indent}{}", self.cx.module.indent());
        let mut text = format!("async with ({newline}");
        for (piece, target) in items {
            let piece = layout.piece(piece, &inner, width(&inner), width(target) + 1);
            text.extend([&inner, &piece, target, ",", newline]);
        }
        text.extend([indent, "):"]);
        text
    }

    /// What is done with a response.
    fn used(&mut self, used: &Use<'a>) -> Result<(), Refusal> {
        let module = self.cx.module;
        let attribute = used.attribute;
        let name = module.text(&*attribute.value);
        let rest = TextRange::new(attribute.value.end(), attribute.end());
        let has_comment = |range: TextRange| !module.comments(range).is_empty();
        let in_the_way =
            || withheld!("a comment stands inside what is done with `{name}`: move it out");
        match used.kind {
            UseKind::Raise => {}
            UseKind::Value(name) => self.replace(attribute.attr.range(), name),
            UseKind::Ok => {
                if let Some(AnyNodeRef::ExprUnaryOp(unary)) = module.parent(attribute)
                    && unary.op == UnaryOp::Not
                {
                    if has_comment(unary.range()) {
                        return Err(in_the_way());
                    }
                    self.replace(unary.range(), format!("{name}.is_error"));
                    return Ok(());
                }
                if has_comment(rest) {
                    return Err(in_the_way());
                }
                let text = format!("not {name}.is_error");
                let text = if module.binds_more_than_not(attribute) {
                    format!("({text})")
                } else {
                    text
                };
                self.replace(attribute.range(), text);
            }
            UseKind::Body(awaited, _) => {
                // `(await response.json())["x"]` needs its parentheses no longer.
                let value = match module.parent(awaited) {
                    Some(AnyNodeRef::ExprAttribute(outer)) => Some(&outer.value),
                    Some(AnyNodeRef::ExprSubscript(outer)) => Some(&outer.value),
                    _ => None,
                };
                let range = value
                    .filter(|value| value.range() == awaited.range())
                    .map_or(awaited.range(), |value| module.parenthesized(value));
                if has_comment(range) {
                    return Err(in_the_way());
                }
                let text = match attribute.attr.as_str() {
                    "json" => "json()",
                    "text" => "text",
                    _ => "content",
                };
                self.replace(range, format!("{name}.{text}"));
            }
            UseKind::Chunks(iterate) => {
                let range = TextRange::new(attribute.attr.start(), iterate.end());
                if has_comment(range) {
                    return Err(in_the_way());
                }
                self.replace(range, "aiter_bytes");
            }
        }
        Ok(())
    }

    /// The edits; as one, where lines move: nobody else may write into them meanwhile.
    fn finish(mut self) -> Vec<Edit> {
        if self.dissolved.is_empty() {
            return self.edits;
        }
        let module = self.cx.module;
        let mut moves = Vec::new();
        for block in &self.dissolved {
            for line in module.lines_to_indent(block.lines) {
                if !module.source()[line.to_usize()..].starts_with(block.inner) {
                    continue; // a line that goes on, or a comment further to the left
                }
                let range =
                    TextRange::new(line + block.outer.text_len(), line + block.inner.text_len());
                let is_replaced = self.edits.iter().any(|it| {
                    it.range.start < range.start().to_usize()
                        && range.end().to_usize() <= it.range.end
                });
                if !is_replaced {
                    moves.push(Edit::delete(range));
                }
            }
        }
        self.edits.extend(moves);
        // To the end of the last line that moves: what others write there has its indentation.
        let lines = self
            .dissolved
            .iter()
            .map(|block| block.lines)
            .reduce(TextRange::cover);
        match lines {
            Some(lines) => vec![Edit::joined(module.source(), lines.into(), self.edits)],
            None => self.edits,
        }
    }
}

/// The name of the method and the bracket of a request: `get(`.
fn opening(request: &Request<'_>) -> TextRange {
    TextRange::new(
        request.method.attr.start(),
        request.call.arguments.start() + "(".text_len(),
    )
}
