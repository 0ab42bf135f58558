//! The arguments of a request.

use edit::Edit;
use engine::{Context, Piece, Refusal, withheld};
use python::ast::{Expr, ExprAttribute, ExprCall, ExprDict, Keyword};
use python::{BindingKind, Ranged, TextLen, TextRange};

/// Characters of a URL that the two escape differently.
const DIFFERENT: &[char] = &['[', ']', '|', '^', '`', '{', '}', '\\', '%'];

fn keyword<'a>(call: &'a ExprCall, name: &str) -> Option<&'a Expr> {
    call.arguments
        .find_keyword(name)
        .map(|keyword| &keyword.value)
}

/// `get` of `requests.get`, whatever it is called here.
fn verb<'a>(call: &'a ExprCall, name: &'a str) -> &'a str {
    match &*call.func {
        Expr::Attribute(ExprAttribute { attr, .. }) => attr.as_str(),
        _ => name,
    }
}

/// The method of the client: `request` where only that takes a body.
pub fn method(call: &ExprCall) -> &str {
    if needs_request(call) {
        "request"
    } else {
        verb(call, "get")
    }
}

fn needs_request(call: &ExprCall) -> bool {
    let has_body = keyword(call, "json").is_some() || keyword(call, "data").is_some();
    has_body && matches!(verb(call, "get"), "get" | "delete")
}

/// `"DELETE"`, where the method is `request`.
pub fn verb_argument<'a>(call: &ExprCall) -> Option<Piece<'a>> {
    let verb = verb(call, "get").to_ascii_uppercase();
    needs_request(call).then(|| Piece::Text(format!("\"{verb}\"")))
}

/// The name that an argument has in httpx.
fn new_name(cx: &Context<'_, '_>, keyword: &Keyword) -> Option<&'static str> {
    match keyword.arg.as_deref() {
        Some("allow_redirects") => Some("follow_redirects"),
        Some("data") if is_raw(cx, &keyword.value) => Some("content"),
        _ => None,
    }
}

/// An argument as httpx calls it.
pub fn renamed<'a>(cx: &Context<'a, '_>, piece: Piece<'a>) -> Piece<'a> {
    match piece {
        Piece::Keyword(keyword) => match new_name(cx, keyword) {
            Some(name) => Piece::Text(format!("{name}={}", cx.module.text(&keyword.value))),
            None => piece,
        },
        piece => piece,
    }
}

/// The same as edits, where the call keeps its lines.
pub fn edits<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Vec<Edit> {
    let names = call.arguments.keywords.iter().filter_map(|keyword| {
        let name = new_name(cx, keyword)?;
        Some(Edit::replace(keyword.arg.as_ref()?.range(), name))
    });
    let mut edits: Vec<Edit> = names.collect();
    if let Some(Piece::Text(verb)) = verb_argument(call) {
        let open = call.arguments.start() + "(".text_len();
        edits.push(Edit::replace(TextRange::empty(open), format!("{verb}, ")));
    }
    edits
}

/// The refusals for arguments that the two take for different things, or may.
pub fn check<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<(), Refusal> {
    let module = cx.module;
    if !call.func.is_attribute_expr() {
        return Err(withheld!(
            "the function is imported by name, and the client has it as a method: write `requests.` in front of it"
        ));
    }
    if !module.comments(call.func.range()).is_empty() {
        return Err(withheld!(
            "a comment stands inside the name of the function: move it out"
        ));
    }
    let url = match &*call.arguments.args {
        [] => keyword(call, "url"),
        [Expr::Starred(_), ..] => None,
        [url] => Some(url),
        _ => None,
    };
    let Some(url) = url else {
        return Err(withheld!(
            "the arguments after the URL have other places in httpx: write them with their names"
        ));
    };
    for keyword in &call.arguments.keywords {
        match keyword.arg.as_deref() {
            Some(
                "url" | "headers" | "json" | "data" | "params" | "timeout" | "allow_redirects"
                | "auth",
            ) => {}
            Some(name) => {
                return Err(withheld!(
                    "`{name}=` has no equal in a request of httpx: build the client by hand"
                ));
            }
            None => {
                return Err(withheld!(
                    "`**` may hold arguments that httpx does not know: write them out"
                ));
            }
        }
    }
    let literal = module.literal_text(url);
    if literal.as_ref().is_some_and(|it| it.contains(DIFFERENT)) {
        return Err(withheld!(
            "the URL has characters that httpx escapes in another way: write it escaped, without `%` before letters and digits"
        ));
    }
    if literal
        .as_ref()
        .is_some_and(|it| it.starts_with(char::is_whitespace))
    {
        return Err(withheld!(
            "the URL begins with a space, which requests leaves out and httpx does not: write it without"
        ));
    }
    for name in ["headers", "auth"] {
        if keyword(call, name).is_some_and(|value| has_other_letters(cx, value)) {
            return Err(withheld!(
                "`{name}` has letters outside of ASCII, which the two encode differently: write the encoded bytes"
            ));
        }
    }
    if keyword(call, "data").is_some() && keyword(call, "json").is_some() {
        return Err(withheld!(
            "both `data` and `json` are given: write the one that is meant"
        ));
    }
    if let Some(params) = keyword(call, "params")
        && !params.is_none_literal_expr()
    {
        if !module.has_no_query(url) {
            return Err(withheld!(
                "the URL may have a query of its own, which httpx replaces by `params` and requests keeps: write all of it into `params`, and the URL as a literal without `?`"
            ));
        }
        if !is_plain(cx, params) {
            return Err(withheld!(
                "`params` may hold None or bool, which the two write differently: write a dict of text and numbers in the call, with `str(...)` around what may be something else"
            ));
        }
    }
    if let Some(headers) = keyword(call, "headers")
        && !headers.is_none_literal_expr()
        && !is_plain(cx, headers)
    {
        return Err(withheld!(
            "`headers` may hold None, which requests leaves out and httpx refuses: write a dict of text in the call, with `str(...)` around what may be something else"
        ));
    }
    if let Some(data) = keyword(call, "data")
        && !data.is_none_literal_expr()
        && !is_raw(cx, data)
        && !is_plain(cx, data)
    {
        return Err(withheld!(
            "`data` may be what httpx sends in another way, None, bool and bytes in a form, or a file: write a dict of text and numbers in the call, with `str(...)` around what may be something else"
        ));
    }
    if let Some(auth) = keyword(call, "auth")
        && !matches!(auth, Expr::Tuple(tuple) if tuple.elts.len() == 2)
    {
        return Err(withheld!(
            "`auth` may be a class of requests: write the pair of name and password in the call, or the class of httpx"
        ));
    }
    Ok(())
}

/// Whether a text outside of ASCII is seen in a value, or in the dict that a name stands for.
fn has_other_letters<'a>(cx: &Context<'a, '_>, value: &'a Expr) -> bool {
    use python::ast::AnyNodeRef;
    let value = match value {
        Expr::Name(name) => match cx.module.only_binding(name).map(|it| it.kind) {
            Some(BindingKind::Value(value)) => value,
            _ => return false,
        },
        value => value,
    };
    cx.module.descendants(value).any(
        |node| matches!(node, AnyNodeRef::ExprStringLiteral(it) if !it.value.to_str().is_ascii()),
    )
}

/// Whether a body is bytes or text as it is.
fn is_raw(cx: &Context<'_, '_>, data: &Expr) -> bool {
    cx.module.is_bytes(data) || cx.module.is_text(data)
}

/// Whether a value is a dict of text and numbers.
fn is_plain<'a>(cx: &Context<'a, '_>, value: &'a Expr) -> bool {
    let dict = match value {
        Expr::Dict(dict) => Some(dict),
        Expr::Name(name) => named(cx, name),
        _ => None,
    };
    dict.is_some_and(|dict| {
        let mut items = dict.items.iter();
        items.all(|item| item.key.is_some() && cx.module.is_text_or_number(&item.value))
    })
}

/// The dict display that is all that a name stands for: nothing is put into it later.
fn named<'a>(cx: &Context<'a, '_>, name: &python::ast::ExprName) -> Option<&'a ExprDict> {
    use python::ast::AnyNodeRef;
    let symbol = cx.module.symbol(name)?;
    let [binding] = symbol.bindings.as_slice() else {
        return None;
    };
    let is_only_read =
        symbol
            .reads
            .iter()
            .all(|read| match cx.module.parent(cx.module.node(*read)) {
                Some(AnyNodeRef::Keyword(_)) => true,
                Some(AnyNodeRef::ExprSubscript(it)) => it.ctx.is_load(),
                _ => false,
            });
    match binding.kind {
        BindingKind::Value(Expr::Dict(dict)) if is_only_read => Some(dict),
        _ => None,
    }
}

/// Whether a redirect is followed for certain, and 304 is not asked for.
pub fn raises_the_same(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    let follows = match keyword(call, "allow_redirects") {
        None => true,
        Some(Expr::BooleanLiteral(literal)) => literal.value,
        Some(_) => false,
    };
    let headers = keyword(call, "headers").map(|headers| match headers {
        Expr::Name(name) => match cx.module.only_binding(name).map(|it| it.kind) {
            Some(BindingKind::Value(value)) => cx.module.text(value),
            _ => "",
        },
        headers => cx.module.text(headers),
    });
    let headers = headers.unwrap_or_default().to_ascii_lowercase();
    follows && !headers.contains("if-none-match") && !headers.contains("if-modified-since")
}
