//! `r = requests.get(url)` => `async with httpx.AsyncClient(...) as client: r = await client.get(url)`

mod arguments;
mod response;

use std::ops::Range;

use edit::{Applicability, Edit};
use engine::{
    Choices, Codemod, Context, Layout, Line, On, OptionSpec, Piece, Refusal, Rewrite, Verdict,
    arguments as pieces, handled_around, is_unrelated, replace_statement_commented, width,
    withheld,
};
use python::ast::{AnyNodeRef, ExceptHandler, Expr, ExprCall, PythonVersion, StmtFunctionDef};
use python::{AwaitPlace, BindingKind, Block, Library, Ranged, Symbol, TextRange};

pub const CODEMOD: Codemod = Codemod {
    name: "requests-to-httpx",
    page: include_str!("README.md"),
    python: PythonVersion::PY38,
    headline: false,
    rules: &["ASYNC210"],
    dated: None,
    options: &[OptionSpec {
        name: "httpx",
        help: "whether httpx has to be among the dependencies that the project declares",
        choices: Choices::Words(&["declared", "assumed"]),
    }],
    on: &[On::CallBeside(
        "async",
        &[
            "requests.get",
            "requests.post",
            "requests.put",
            "requests.delete",
            "requests.patch",
        ],
        rewrite,
    )],
};

/// What the client is told so that it does what `requests.get` does.
const OPTIONS: &[&str] = &["follow_redirects=True", "timeout=None"];

/// `r = requests.get(url)` =>
/// ```python
/// async with httpx.AsyncClient(follow_redirects=True, timeout=None) as client:
///     r = await client.get(url)
/// ```
///
/// requests opens a connection for each call and closes it, and so does this. The body is read in
/// both when the call returns, so that the response can be used after the block. The argument is
/// that the call's arguments and all that is done with its response are seen, and that both
/// libraries take them for the same: see the table on the page. It stops where one of them is not
/// seen, where an error of requests is handled, and where other tasks must not run meanwhile.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    if matches!(module.library(), Library::Other | Library::Curio) {
        return Err(Refusal::NotOurs); // httpx does not run there
    }
    let function = match module.await_place(call) {
        AwaitPlace::Coroutine(function) => function,
        AwaitPlace::NestedComprehension(_) | AwaitPlace::GeneratorExpression => {
            return Err(withheld!(
                "a client would have to be opened around the whole statement: write a loop"
            ));
        }
        _ => return Err(Refusal::NotOurs), // no coroutine's code
    };
    let (statement, uses) = check(cx, call, function)?;
    check_others(cx, call, function)?;
    cx.check_declared("httpx")?;

    let import = cx.import_beside(&call.func, "httpx")?;
    let client = cx
        .fresh_local(function, &["client"], |symbol| {
            is_own(cx, symbol, &import.name, call)
        })
        .ok_or_else(|| withheld!("no name is left for the client: rename something"))?;
    let mut edits = vec![replaced(cx, call, statement, &uses, &import.name, &client)];
    let inside = |edit: &Edit| {
        let range = statement.range();
        range.start().to_usize() <= edit.range.start && edit.range.end <= range.end().to_usize()
    };
    edits.extend(uses.edits.into_iter().filter(|edit| !inside(edit)));
    edits.extend(import.edit);
    Ok(Rewrite {
        message: "`requests` blocks the event loop: a client of httpx, which has to be installed, lets other tasks run"
            .to_string(),
        applicability: Applicability::Unsafe,
        edits,
        python: None,
    })
}

/// The statement of the request, and the uses of its response, if all of it is the same in httpx.
fn check<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    function: &'a StmtFunctionDef,
) -> Result<(AnyNodeRef<'a>, response::Uses<'a>), Refusal> {
    check_module(cx)?;
    let statement = statement(cx, call)?;
    arguments::check(cx, call)?;
    let uses = response::uses(cx, call, statement)?;
    check_surroundings(cx, call, function, &uses)?;
    Ok((statement, uses))
}

/// A function should not make its requests by two libraries: withheld where another one in it
/// stays with requests.
fn check_others<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    function: &'a StmtFunctionDef,
) -> Result<(), Refusal> {
    let module = cx.module;
    let own = module.id(function);
    for other in module.calls_in(function) {
        let is_own = module
            .function(*other)
            .is_some_and(|it| module.id(it) == own);
        if !is_own || other.range() == call.range() {
            continue;
        }
        let name = module.qualified_name(&other.func).unwrap_or_default();
        let stays = match name.strip_prefix("requests.") {
            Some("get" | "post" | "put" | "delete" | "patch") => {
                check(cx, other, function).is_err()
            }
            Some("head" | "options" | "request" | "session" | "Session") => true,
            _ => false,
        };
        if stays {
            return Err(withheld!(
                "`{name}` on line {} stays with requests, and a function should not make its requests by two libraries: see there first",
                module.row(other.start())
            ));
        }
    }
    Ok(())
}

/// The simple statement that the call stands in, directly enough to be moved into a block.
fn statement<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<AnyNodeRef<'a>, Refusal> {
    let module = cx.module;
    let statement = module.statement(call);
    let is_simple = matches!(
        statement,
        AnyNodeRef::StmtExpr(_)
            | AnyNodeRef::StmtAssign(_)
            | AnyNodeRef::StmtAnnAssign(_)
            | AnyNodeRef::StmtReturn(_)
    );
    if !is_simple {
        return Err(withheld!(
            "a client has to be open around the request: write the request as a statement of its own"
        ));
    }
    let is_in_comprehension = module
        .ancestors(call)
        .take_while(|node| !node.is_statement())
        .any(|node| {
            matches!(
                node,
                AnyNodeRef::Comprehension(_)
                    | AnyNodeRef::ExprListComp(_)
                    | AnyNodeRef::ExprSetComp(_)
                    | AnyNodeRef::ExprDictComp(_)
                    | AnyNodeRef::ExprGenerator(_)
            )
        });
    if is_in_comprehension {
        return Err(withheld!(
            "a client would have to be opened around the whole statement: write a loop"
        ));
    }
    let yields = module
        .descendants(statement)
        .any(|node| matches!(node, AnyNodeRef::ExprYield(_)));
    if yields {
        return Err(withheld!(
            "the client would stay open while the generator waits: assign what is to be yielded to a name first"
        ));
    }
    let others = module.calls_in(statement).iter().filter(|other| {
        module
            .qualified_name(&other.func)
            .is_some_and(|name| name.split('.').next() == Some("requests"))
    });
    if others.count() > 1 {
        return Err(withheld!(
            "several calls of requests stand in one statement: write one statement for each"
        ));
    }
    cx.check_unprinted(call)?;
    let is_in_string = module
        .ancestors(call)
        .take_while(|node| !node.is_statement())
        .any(|node| matches!(node, AnyNodeRef::InterpolatedElement(_)));
    if is_in_string || module.has_multiline_string(statement.range()) {
        return Err(withheld!(
            "the request stands in one statement with a string of several lines or with fields: write it as a statement of its own"
        ));
    }
    Ok(statement)
}

/// The refusals for what else stands in the module.
fn check_module(cx: &Context<'_, '_>) -> Result<(), Refusal> {
    let module = cx.module;
    let replaced = module
        .descendants(module.root())
        .find_map(|node| match node {
            AnyNodeRef::ExprStringLiteral(literal) => {
                let text = literal.value.to_str();
                let is_target = text.starts_with("requests.") || text.contains(".requests.");
                (is_target && !text.contains(char::is_whitespace)).then_some(text)
            }
            _ => None,
        });
    if let Some(replaced) = replaced {
        return Err(withheld!(
            "the file names `{replaced}` in a string, and what replaces it in tests would have no effect: replace httpx there first"
        ));
    }
    let stands_in = module.imported_symbols().find_map(|symbol| {
        let name = module.imported_as(symbol)?;
        let package = name.split('.').next()?;
        ["responses", "requests_mock", "httpretty", "vcr"]
            .into_iter()
            .find(|it| *it == package)
    });
    if let Some(package) = stands_in {
        return Err(withheld!(
            "the file imports `{package}`, which stands in for requests in tests: replace it by its like for httpx first"
        ));
    }
    Ok(())
}

/// The refusals for what stands around the call and around the uses of its response.
fn check_surroundings<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    function: &'a StmtFunctionDef,
    uses: &response::Uses<'a>,
) -> Result<(), Refusal> {
    let module = cx.module;
    let mut places = vec![AnyNodeRef::from(call)];
    places.extend(uses.places.iter().copied());
    if let Some(type_) = handled_around(cx, places.clone()) {
        return Err(withheld!(
            "`{}` is handled around it, and what httpx raises is neither an OSError nor a ValueError, but an `httpx.HTTPError`: decide what is to be handled",
            module.first_line(type_)
        ));
    }
    if let Some(read) = places.into_iter().find_map(|it| uses_of_error(cx, it)) {
        return Err(withheld!(
            "`{}` is read of the error, and errors of httpx need not have it: decide what is to be handled",
            module.text(read)
        ));
    }
    for block in module.blocks(call) {
        match block {
            Block::Try(_, python::TryPart::Finally) => {
                return Err(withheld!(
                    "it stands in `finally`: a cancellation could arrive in the middle of the cleanup; decide whether it may wait"
                ));
            }
            Block::With(with) if !with.is_async && !is_harmless(cx, with) => {
                let context = with
                    .items
                    .first()
                    .map(|it| module.first_line(&it.context_expr));
                return Err(withheld!(
                    "it stands inside `with {}`: if that is a lock or replaces global state, other tasks would meet it during the request; move the request out of the block",
                    context.unwrap_or_default()
                ));
            }
            _ => {}
        }
    }
    if module.is_reflective(function) {
        return Err(withheld!(
            "`{}` reads its local names by `locals()`, `eval` or `exec`, which would see a new one: write the client by hand",
            function.name
        ));
    }
    Ok(())
}

fn is_harmless(cx: &Context<'_, '_>, with: &python::ast::StmtWith) -> bool {
    with.items.iter().all(|item| {
        let Expr::Call(call) = &item.context_expr else {
            return false;
        };
        [
            "builtins.open",
            "contextlib.suppress",
            "contextlib.nullcontext",
        ]
        .iter()
        .any(|name| cx.module.refers_to(&call.func, name))
    })
}

/// Whether a name is that of clients which were opened in the same way, each for its own request,
/// and none of which is open at `call`.
fn is_own<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>, httpx: &str, call: &'a ExprCall) -> bool {
    let module = cx.module;
    symbol.bindings.iter().all(|binding| {
        let BindingKind::With(Expr::Call(made), true) = binding.kind else {
            return false;
        };
        let with = module.statement(made);
        module.text(&*made.func) == format!("{httpx}.AsyncClient") && !module.contains(with, call)
    }) && symbol.reads.iter().all(|read| {
        let with = module.ancestors(module.node(*read)).find(|node| {
            matches!(node, AnyNodeRef::StmtWith(with) if with.is_async && with.items.iter().any(|item| {
                matches!(item.optional_vars.as_deref(), Some(Expr::Name(it)) if it.id == symbol.name)
            }))
        });
        with.is_some()
    })
}

/// The statement in a block of its own.
fn replaced<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    statement: AnyNodeRef<'a>,
    uses: &response::Uses<'a>,
    httpx: &str,
    client: &str,
) -> Edit {
    let module = cx.module;
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let indent = module.placement(statement).indent;
    let inner = format!("{indent}{}", module.indent());
    let options = OPTIONS.iter().map(|it| Piece::Text((*it).to_string()));
    let piece = Piece::Call(format!("{httpx}.AsyncClient("), options.collect(), ")");
    let target = format!(" as {client}:");
    let before = width(&indent) + width("async with ");
    let header = format!(
        "async with {}{target}",
        layout.piece(&piece, &indent, before, width(&target))
    );

    let trailed = match module.parent(call) {
        Some(AnyNodeRef::ExprAttribute(_)) => true,
        Some(AnyNodeRef::ExprSubscript(outer)) => outer.value.range() == call.range(),
        _ => false,
    };
    let (open, close) = if trailed {
        ("(await ", ")")
    } else {
        ("await ", "")
    };
    let name = format!("{client}.{}", arguments::method(call));
    let body = if module.text(statement).contains(['\n', '\r']) {
        let mut edits = uses.edits.clone();
        edits.extend(arguments::edits(cx, call));
        edits.push(Edit::replace(call.func.range(), format!("{open}{name}")));
        edits.push(Edit::insert(call.end(), close));
        let text = spliced(module.source(), statement.range(), edits);
        let newline = module.newline();
        let lines: Vec<&str> = text.split(newline).collect();
        let separator = format!("{newline}{}", module.indent());
        lines.join(&separator)
    } else {
        let before = TextRange::new(statement.start(), call.start());
        let before = spliced(module.source(), before, uses.edits.clone());
        let after = TextRange::new(call.end(), statement.end());
        let after = spliced(module.source(), after, uses.edits.clone());
        let pieces: Vec<Piece> = arguments::verb_argument(call)
            .into_iter()
            .chain(pieces(call).map(|piece| arguments::renamed(cx, piece)))
            .collect();
        let piece = Piece::Call(format!("{name}("), pieces, ")");
        let start = width(&inner) + width(&before) + width(open);
        let text = layout.piece(&piece, &inner, start, width(close) + width(&after));
        format!("{before}{open}{text}{close}{after}")
    };
    // Behind its own comments, if it has any.
    let commented = usize::from(!module.comments(statement.range()).is_empty());
    replace_statement_commented(
        module,
        statement,
        &[Line::new(0, header), Line::new(1, body)],
        commented,
    )
}

/// The text of `range` with those of the edits that lie in it.
fn spliced(source: &str, range: TextRange, edits: Vec<Edit>) -> String {
    let range: Range<usize> = range.into();
    let inside = edits
        .into_iter()
        .filter(|edit| range.start <= edit.range.start && edit.range.end <= range.end)
        .collect();
    Edit::joined(source, range, inside).content
}

/// What a handler around a place reads of the error that it names, and that is not in each error.
fn uses_of_error<'a>(cx: &Context<'a, '_>, place: AnyNodeRef<'a>) -> Option<AnyNodeRef<'a>> {
    const IN_ALL: &[&str] = &[
        "__cause__",
        "__class__",
        "__context__",
        "__traceback__",
        "add_note",
        "args",
        "with_traceback",
    ];
    let module = cx.module;
    module.blocks(place).into_iter().find_map(|block| {
        let Block::Try(stmt, python::TryPart::Body) = block else {
            return None;
        };
        stmt.handlers.iter().find_map(|handler| {
            if is_unrelated(cx, handler) {
                return None;
            }
            let ExceptHandler::ExceptHandler(handler) = handler;
            let name = handler.name.as_ref()?;
            module.descendants(handler).find(|node| {
                matches!(node, AnyNodeRef::ExprAttribute(it)
                    if matches!(&*it.value, Expr::Name(value) if value.id == name.id)
                        && !IN_ALL.contains(&it.attr.as_str()))
            })
        })
    })
}
