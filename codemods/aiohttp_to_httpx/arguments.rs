//! The arguments of requests.

use engine::{Context, Refusal, withheld};
use python::BindingKind;
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprDict, Keyword};

use super::module;
use super::session::Request;

/// Refuses what httpx does not know.
pub fn known(call: &ExprCall) -> Result<(), Refusal> {
    let is_known = |keyword: &Keyword| {
        matches!(
            keyword.arg.as_deref(),
            Some("url" | "headers" | "json" | "data" | "params" | "allow_redirects")
        )
    };
    let has_url = match &*call.arguments.args {
        [] => keyword(call, "url").is_some(),
        [Expr::Starred(_)] => false,
        [_] => keyword(call, "url").is_none(),
        _ => false,
    };
    let is_sent_once = keyword(call, "json").is_none() || keyword(call, "data").is_none();
    if has_url && is_sent_once && call.arguments.keywords.iter().all(is_known) {
        Ok(())
    } else {
        Err(Refusal::NotOurs) // no equal, or fails today
    }
}

/// `await response.json(content_type=None)`, which httpx does by itself.
pub fn checks_no_content_type(call: &ExprCall) -> bool {
    match (&*call.arguments.args, &*call.arguments.keywords) {
        ([], [keyword]) => {
            keyword.arg.as_deref() == Some("content_type") && keyword.value.is_none_literal_expr()
        }
        _ => false,
    }
}

fn keyword<'a>(call: &'a ExprCall, name: &str) -> Option<&'a Expr> {
    call.arguments
        .find_keyword(name)
        .map(|keyword| &keyword.value)
}

/// Whether a redirect is followed for certain.
pub fn follows_redirects(call: &ExprCall) -> bool {
    match keyword(call, "allow_redirects") {
        None => true,
        Some(Expr::BooleanLiteral(literal)) => literal.value,
        Some(_) => false,
    }
}

/// Whether the headers ask for the answer 304.
pub fn is_conditional<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    keyword(call, "headers").is_some_and(|headers| {
        let headers = match headers {
            Expr::Name(name) => match cx.module.only_binding(name).map(|it| it.kind) {
                Some(BindingKind::Value(value)) => value,
                _ => headers,
            },
            _ => headers,
        };
        let text = cx.module.text(headers).to_ascii_lowercase();
        text.contains("if-none-match") || text.contains("if-modified-since")
    })
}

/// Whether another module of the project may have made a `yarl.URL` of it.
fn may_be_of_project<'a>(cx: &Context<'a, '_>, url: &'a Expr) -> bool {
    let is_text = || {
        let value = cx.value(url);
        let classes = value.value().map_or(&[][..], |value| &value.classes);
        classes.iter().any(|it| it == "builtins.str")
    };
    cx.project_mentions_any(&["import yarl", "from yarl "]) && !is_text()
}

/// The refusals for arguments that the two libraries take for different things.
pub fn check<'a>(cx: &Context<'a, '_>, request: &Request<'a>) -> Result<(), Refusal> {
    let call = request.call;
    let url = call.arguments.args.first().or_else(|| keyword(call, "url"));
    if let Some(url) = url
        && !cx.module.is_text(url)
        && (module::has_other_types(cx) || may_be_of_project(cx, url))
    {
        return Err(withheld!(
            "`{}` may be a `yarl.URL`, which httpx does not take: write `str(...)` around it",
            cx.module.first_line(url)
        ));
    }
    if let Some(params) = keyword(call, "params")
        && !params.is_none_literal_expr()
    {
        if !url.is_some_and(|url| cx.module.has_no_query(url)) {
            return Err(withheld!(
                "the URL may have a query of its own, which httpx replaces by `params` and aiohttp keeps: write all of it into `params`, and the URL as a literal without `?`"
            ));
        }
        if let Some(ExprDict { items, .. }) = dict(cx, params)
            && items.iter().any(|item| is_refused(&item.value))
        {
            return Err(withheld!(
                "aiohttp refuses None, bool and bytes in `params`, httpx sends them: leave them out, or write the text that is meant"
            ));
        }
    }
    if let Some(data) = keyword(call, "data")
        && !data.is_none_literal_expr()
        && !is_form(cx, data)
    {
        return Err(withheld!(
            "`data` is the same form in both only as a dict of text and numbers: aiohttp uploads files and bytes, and writes None and bool in another way; write the dict in the call, with `str(...)` around what may be something else"
        ));
    }
    Ok(())
}

fn is_refused(value: &Expr) -> bool {
    matches!(
        value,
        Expr::NoneLiteral(_) | Expr::BooleanLiteral(_) | Expr::BytesLiteral(_)
    )
}

/// The dict display that an expression is or names.
fn dict<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<&'a ExprDict> {
    match expr {
        Expr::Dict(dict) => Some(dict),
        Expr::Name(name) => {
            let symbol = cx.module.symbol(name)?;
            let is_only_read = symbol.reads.iter().all(|read| {
                let parent = cx.module.parent(cx.module.node(*read));
                // `payload["file"] = file`, `payload.update(...)`, and whoever else has it.
                matches!(parent, Some(AnyNodeRef::Keyword(_)))
                    || matches!(parent, Some(AnyNodeRef::ExprSubscript(it)) if it.ctx.is_load())
            });
            match symbol.bindings.as_slice() {
                [binding] if is_only_read => match binding.kind {
                    BindingKind::Value(Expr::Dict(dict)) => Some(dict),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether `data` is a form that both libraries encode in the same way.
fn is_form<'a>(cx: &Context<'a, '_>, data: &'a Expr) -> bool {
    // What the module does not show is none: a file would be uploaded by one library, and written
    // as `<_io.BufferedReader ...>` by the other.
    dict(cx, data).is_some_and(|dict| {
        let mut items = dict.items.iter();
        // Of an empty form only aiohttp tells the content type.
        !dict.items.is_empty()
            && items.all(|item| item.key.is_some() && cx.module.is_text_or_number(&item.value))
    })
}
