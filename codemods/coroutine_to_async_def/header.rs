//! The decorator, `async`, and the annotation of what the function returns.

use edit::Edit;
use engine::{Context, Layout, Piece, width};
use python::ast::token::TokenKind;
use python::ast::{Decorator, Expr, StmtFunctionDef};
use python::{Ranged, TextRange, TextSize, is_blank};

/// The edits that take a decorator away. A comment on its line goes to the line of the function
/// that follows (where a `# pragma: no cover` means the same), or else stays where it is.
pub fn without_decorator<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    decorator: &'a Decorator,
) -> Vec<Edit> {
    let module = cx.module;
    let end_of_line = module.line_end(decorator.end());
    let rest = TextRange::new(decorator.end(), end_of_line);
    let line = TextRange::new(
        module.line_start(decorator.start()),
        module.next_line(decorator.end()),
    );
    let Some(comment) = module.comments(rest).first().copied() else {
        if is_blank(module.text(rest)) {
            return vec![Edit::delete(line)];
        }
        return vec![Edit::delete(decorator.range())];
    };
    let header = module.line_end(line.end());
    let text = module.text(TextRange::new(line.end(), header));
    let is_header = text.trim_start().starts_with("def ") && text.ends_with(':');
    let is_followed = function.body.first().is_some_and(|first| {
        first.start() > header
            && module
                .comments(TextRange::new(line.end(), header))
                .is_empty()
    });
    if is_header && is_followed {
        return vec![
            Edit::delete(line),
            Edit::insert(header, format!("  {}", module.text(comment))),
        ];
    }
    vec![Edit::delete(TextRange::new(
        decorator.start(),
        comment.start(),
    ))]
}

/// The edits that make `def` an `async def`.
pub fn asynchronous<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Vec<Edit> {
    let module = cx.module;
    let after_decorators = function
        .decorator_list
        .last()
        .map_or(function.start(), Ranged::end);
    let keyword = module
        .tokens()
        .in_range(TextRange::new(
            after_decorators,
            function.parameters.start(),
        ))
        .iter()
        .find(|token| token.kind() == TokenKind::Def);
    let Some(keyword) = keyword else {
        return Vec::new();
    };
    let mut edits = match opened_parameters(cx, function, keyword.start()) {
        Some(edit) => vec![edit],
        None => vec![Edit::insert(keyword.start(), "async ")],
    };
    edits.extend(returned_type(cx, function));
    edits
}

/// `async def f(` with the parameters on lines of their own, where the line would otherwise get
/// too long.
fn opened_parameters<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    start: TextSize,
) -> Option<Edit> {
    let module = cx.module;
    let parameters = function.parameters.range();
    let line = TextRange::new(module.line_start(start), module.line_end(start));
    let length = width(module.text(line));
    let limit = cx.settings.line_length;
    let indent = module.indentation_at(start)?;
    if length > limit
        || length + width("async ") <= limit
        || !line.contains_range(parameters)
        || function.parameters.is_empty()
    {
        return None;
    }
    // Each with its default: what stands between the commas that are in no bracket.
    let inside = TextRange::new(
        parameters.start() + TextSize::new(1),
        parameters.end() - TextSize::new(1),
    );
    let mut pieces = Vec::new();
    let mut depth = 0_usize;
    let mut from = inside.start();
    for token in module.tokens().in_range(inside) {
        match token.kind() {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace | TokenKind::Lambda => depth += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                depth = depth.saturating_sub(1);
            }
            TokenKind::FStringStart => return None,
            TokenKind::Comma if depth == 0 => {
                pieces.push(module.text(TextRange::new(from, token.start())).trim());
                from = token.end();
            }
            _ => {}
        }
    }
    pieces.push(module.text(TextRange::new(from, inside.end())).trim());
    if depth > 0 || pieces.iter().any(|piece| piece.is_empty()) {
        return None; // a lambda, or a trailing comma
    }
    let before = module.text(TextRange::new(start, parameters.start()));
    let after = TextRange::new(parameters.end(), line.end());
    let layout = Layout {
        module,
        width: limit,
    };
    let piece = Piece::Call(
        format!("async {before}("),
        pieces
            .into_iter()
            .map(|piece| Piece::Text(piece.to_string()))
            .collect(),
        ")",
    );
    let text = layout.piece(&piece, indent, width(indent), width(module.text(after)));
    let range = TextRange::new(start, parameters.end());
    Some(Edit::replace(range, text))
}

/// `-> Generator[Any, None, int]` => `-> int`: what the function returns, and not what a call
/// gives, is what an `async def` says.
fn returned_type<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Option<Edit> {
    let module = cx.module;
    let Expr::Subscript(subscript) = function.returns.as_deref()? else {
        return None;
    };
    let is_generator = ["typing.Generator", "collections.abc.Generator"]
        .iter()
        .any(|name| module.refers_to(&subscript.value, name));
    let Expr::Tuple(types) = &*subscript.slice else {
        return None;
    };
    let [_, _, returned] = types.elts.as_slice() else {
        return None;
    };
    if !is_generator || !module.comments(subscript.range()).is_empty() {
        return None;
    }
    Some(Edit::replace(
        subscript.range(),
        module.text(module.parenthesized(returned)),
    ))
}
