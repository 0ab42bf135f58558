//! `session = ClientSession()` that nothing closes => `async with ClientSession() as session:`

use edit::{Applicability, Edit};
use engine::{
    Context, Layout, Piece, Refusal, Rewrite, Verdict, deepened, end_of_block, width, withheld,
};
use python::ast::{
    AnyNodeRef, Expr, ExprCall, ExprName, ExprTuple, Stmt, StmtAssign, StmtFunctionDef,
};
use python::{
    After, AwaitPlace, BindingKind, Ranged, ScopeId, ScopeKind, Symbol, TextRange, is_blank,
};

use super::closed::{is_closed, is_value_closed};
use super::places::Target;
use super::{flow, kept, sources};

/// What makes a session.
pub const NAMES: &[&str] = &[
    "aiohttp.ClientSession",
    "aiohttp.client.ClientSession",
    "httpx.AsyncClient",
];

/// The methods that close a session, and the attributes by which it is handed on to be closed.
pub const CLOSING: &[&str] = &["close", "aclose", "__aexit__", "detach"];

/// `session = ClientSession()` ... => `async with ClientSession() as session: ...`
///
/// The session is closed after its last use, where nothing closed it before. That is right as
/// long as everything that needs it open is in the block: requests that are awaited there, and
/// responses that are read there. The argument stops where the session, or a response that may
/// not have been read, gets anywhere else.
pub fn never_closed<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    let (statement, targets) = match module.parent(call) {
        Some(parent @ AnyNodeRef::StmtAssign(assign)) => (parent, assign.targets.iter().collect()),
        Some(parent @ AnyNodeRef::StmtAnnAssign(assign)) => (parent, vec![&*assign.target]),
        Some(AnyNodeRef::ExprTuple(values)) => match module.parent(values) {
            Some(parent @ AnyNodeRef::StmtAssign(assign)) => {
                let target = unpacked(cx, assign, values, call).ok_or(Refusal::NotOurs)?;
                return together(cx, call, parent, &[target]);
            }
            _ => return Err(Refusal::NotOurs),
        },
        // As part of an expression it belongs to whoever gets it.
        _ => return Err(Refusal::NotOurs),
    };
    if opens_nothing(cx, call) || is_closed_by_connector(cx, call) {
        return Err(Refusal::NotOurs);
    }
    match targets.as_slice() {
        [target @ Expr::Name(name)] => local(cx, call, statement, target, name),
        [target @ (Expr::Attribute(_) | Expr::Subscript(_))] => {
            kept::never_closed(cx, call, target)
        }
        targets => together(cx, call, statement, targets),
    }
}

/// `client` of `client, retries = AsyncClient(), 3`.
fn unpacked<'a>(
    cx: &Context<'a, '_>,
    assign: &'a StmtAssign,
    values: &'a ExprTuple,
    call: &'a ExprCall,
) -> Option<&'a Expr> {
    let [Expr::Tuple(targets)] = assign.targets.as_slice() else {
        return None;
    };
    let is_plain = |exprs: &[Expr]| !exprs.iter().any(Expr::is_starred_expr);
    let id = cx.module.id(call);
    let position = values.elts.iter().position(|it| cx.module.id(it) == id)?;
    let is_pairwise = targets.elts.len() == values.elts.len()
        && is_plain(&targets.elts)
        && is_plain(&values.elts);
    targets.elts.get(position).filter(|_| is_pairwise)
}

/// `self.session = session = ClientSession()`, `client, retries = AsyncClient(), 3`: what binds
/// more than a session is not rewritten.
fn together<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    statement: AnyNodeRef<'a>,
    targets: &[&'a Expr],
) -> Verdict {
    let module = cx.module;
    let close = closing(cx, call);
    let is_idle = module
        .function(statement)
        .is_none_or(|it| close == "aclose" && !it.is_async);
    if is_idle || opens_nothing(cx, call) || is_expected_to_fail(cx, call.into()) {
        return Err(Refusal::NotOurs);
    }
    for target in targets {
        if kept::is_target_closed(cx, target) {
            return Err(Refusal::NotOurs);
        }
        if let Expr::Name(name) = target
            && let Some(symbol) = module.symbol(name)
            && (symbol.scope == ScopeId::MODULE
                || (flow::hands_on(cx, symbol) && is_closed_by_like_name(cx, &name.id)))
        {
            return Err(Refusal::NotOurs);
        }
    }
    let text = targets
        .first()
        .map(|it| module.text(*it))
        .unwrap_or_default();
    Err(withheld!(
        "nothing closes `{text}`, which is bound together with something else: bind it in a statement of its own, and close it with `await {text}.{close}()` after its last use"
    ))
}

/// How the session that `call` makes is closed.
pub fn closing<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> &'static str {
    if cx.module.refers_to(&call.func, "httpx.AsyncClient") {
        "aclose"
    } else {
        "close"
    }
}

/// `AsyncClient(transport=MockTransport(handler))`: it answers by itself, so that there is
/// nothing to close.
fn opens_nothing<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    const WITHIN: &[&str] = &["httpx.ASGITransport", "httpx.MockTransport"];
    let module = cx.module;
    let Some(keyword) = call.arguments.find_keyword("transport") else {
        return false;
    };
    let made = match &keyword.value {
        Expr::Name(name) => match module.only_binding(name).map(|binding| binding.kind) {
            Some(BindingKind::Value(value)) => value,
            _ => return false,
        },
        value => value,
    };
    let Expr::Call(made) = made else {
        return false;
    };
    WITHIN.iter().any(|name| module.refers_to(&made.func, name))
}

/// `ClientSession(connector=connector)`, where something closes the connector: a session holds
/// nothing else. With `connector_owner=False` it is not for the session to close.
fn is_closed_by_connector<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let given = |name| call.arguments.find_keyword(name).map(|it| &it.value);
    given("connector_owner").is_some_and(|it| !it.is_literal_expr() || is_false(it))
        || given("connector").is_some_and(|it| is_value_closed(cx, it))
}

fn is_false(expr: &Expr) -> bool {
    matches!(expr, Expr::BooleanLiteral(literal) if !literal.value)
}

fn local<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    statement: AnyNodeRef<'a>,
    target: &'a Expr,
    name: &'a ExprName,
) -> Verdict {
    let module = cx.module;
    let Some(function) = module.function(statement) else {
        return Err(Refusal::NotOurs); // the module's, for as long as the program runs
    };
    let Some(symbol) = module.symbol(name) else {
        return Err(Refusal::NotOurs);
    };
    let is_own = matches!(module.scope_data(symbol.scope).kind, ScopeKind::Function(owner) if module.id(owner) == module.id(function));
    if symbol.scope == ScopeId::MODULE {
        // `global session`, which is there until the program ends: then aiohttp says that it is
        // unclosed, and httpx says nothing.
        return match closing(cx, call) {
            "aclose" => Err(Refusal::NotOurs),
            _ => kept::never_closed(cx, call, target),
        };
    }
    let place = sources::place_of(module, symbol);
    if !is_own || place.is_some_and(|(place, _)| is_closed(cx, Target::Here(place), 0)) {
        return Err(Refusal::NotOurs);
    }
    if is_expected_to_fail(cx, call.into()) || is_deleted_on_trial(cx, symbol) {
        return Err(Refusal::NotOurs); // a test of what becomes of it
    }
    let id = &name.id;
    let close = closing(cx, call);
    let is_idle = || !flow::may_open(cx, symbol) || is_plain_test(cx, function, symbol);
    if close == "aclose" && !function.is_async && is_idle() {
        return Err(Refusal::NotOurs); // httpx opens nothing before the first request
    }
    if symbol.reads.is_empty() && symbol.bindings.len() == 1 {
        return Err(withheld!(
            "nothing closes `{id}`, and nothing uses it: delete the line"
        ));
    }
    let uses = match flow::uses(cx, function, symbol, close) {
        Ok(uses) => uses,
        // Whoever got it may well be who closes it.
        Err(_) if flow::hands_on(cx, symbol) && is_closed_by_like_name(cx, id) => {
            return Err(Refusal::NotOurs);
        }
        Err(refusal) => return Err(refusal),
    };
    if symbol.bindings.len() > 1 {
        return Err(withheld!(
            "nothing closes `{id}`, which is bound more than once: close it after its last use with {}",
            flow::advice(symbol, close)
        ));
    }
    if !matches!(module.await_place(statement), AwaitPlace::Coroutine(_)) {
        return Err(withheld!(
            "nothing closes `{id}`, and `{}` is a plain function, which cannot have `async with`: make it an `async def`",
            function.name
        ));
    }
    check_arguments(cx, call, id)?;

    let outside = || {
        withheld!(
            "nothing closes `{id}`, which is used outside of the block in which it is made: move its making there, or close it with `await {id}.{close}()` after its last use"
        )
    };
    let (body, position) = module.siblings(statement).ok_or_else(outside)?;
    let mut last = position;
    for used in uses {
        let sibling = body.iter().position(|stmt| module.contains(stmt, used));
        match sibling {
            Some(sibling) if sibling > position => last = last.max(sibling),
            _ => return Err(outside()),
        }
    }
    // Statements that share the last line go with it.
    while body
        .get(last + 1)
        .is_some_and(|next| module.indentation_at(next.start()).is_none())
    {
        last += 1;
    }
    let shared = || {
        withheld!(
            "nothing closes `{id}`, whose line holds another statement: write them on lines of their own"
        )
    };
    let placement = module.placement(statement);
    if placement.before.is_some() || placement.after != After::Nothing {
        return Err(shared());
    }
    let value = match statement {
        AnyNodeRef::StmtAssign(assign) => module.parenthesized(&assign.value),
        AnyNodeRef::StmtAnnAssign(assign) => match &assign.value {
            Some(value) => module.parenthesized(value),
            None => return Err(Refusal::NotOurs),
        },
        _ => return Err(Refusal::NotOurs),
    };
    let head = TextRange::new(statement.start(), value.start());
    if !module.comments(head).is_empty() {
        return Err(withheld!(
            "nothing closes `{id}`, and a comment stands before its value: move it above the statement"
        ));
    }
    let (Some(first), Some(end)) = (body.get(position + 1), body.get(last).map(Stmt::end)) else {
        return Err(outside());
    };

    let mut text = header(cx, call, value, id, &placement.indent);
    let unit = match module.indentation_at(first.start()) {
        Some(indent) if indent.starts_with('\t') => "\t",
        _ => module.indent(),
    };
    let start = module.next_line(statement.end());
    // Deeper comments after the last statement are its own.
    let end = end_of_block(module, end, &placement.indent);
    text.push_str(module.text(TextRange::new(value.end(), start)));
    // A block does not begin with blank lines.
    let start = std::iter::successors(Some(start), |line| Some(module.next_line(*line)))
        .take_while(|line| *line < end)
        .find(|line| !is_blank(module.text(TextRange::new(*line, module.line_end(*line)))))
        .unwrap_or(start);
    text.push_str(&deepened(
        module,
        TextRange::new(start, end),
        &placement.indent,
        unit,
    ));
    let edits = vec![Edit::replace(TextRange::new(statement.start(), end), text)];
    Ok(Rewrite {
        message: format!("nothing closes `{id}`: `async with` does after its last use"),
        applicability: Applicability::Unsafe,
        edits,
        python: None,
    })
}

/// Whether a function is a test that runs no event loop, in which nobody can make a request with
/// the session, whoever gets it.
fn is_plain_test<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    session: &Symbol<'a>,
) -> bool {
    const RUNNING: &[&str] = &["run", "run_sync", "run_until_complete"];
    let module = cx.module;
    let leaves = |parent: Option<AnyNodeRef>| {
        matches!(
            parent,
            Some(AnyNodeRef::StmtReturn(_) | AnyNodeRef::ExprYield(_))
        )
    };
    function.name.starts_with("test")
        && !session
            .reads
            .iter()
            .any(|read| leaves(module.parent(module.node(*read))))
        && !module.calls_in(function).iter().any(|call| {
            matches!(&*call.func, Expr::Attribute(it) if RUNNING.contains(&it.attr.as_str()))
        })
}

/// `del session` where a test says that something warns: that nobody closed it.
fn is_deleted_on_trial<'a>(cx: &Context<'a, '_>, session: &Symbol<'a>) -> bool {
    let module = cx.module;
    let mut nodes = session
        .bindings
        .iter()
        .map(|binding| module.node(binding.node));
    nodes.any(|node| {
        matches!(module.parent(node), Some(AnyNodeRef::StmtDelete(_)))
            && is_expected_to_fail(cx, node)
    })
}

/// Whether a node stands where a test says that something fails, or warns: with `pytest.raises`
/// and the like.
fn is_expected_to_fail<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    cx.module.ancestors(node).any(|around| match around {
        AnyNodeRef::StmtWith(with) => with.items.iter().any(|item| {
            let Expr::Call(call) = &item.context_expr else {
                return false;
            };
            let name = match &*call.func {
                Expr::Attribute(method) => method.attr.as_str(),
                Expr::Name(name) => name.id.as_str(),
                _ => return false,
            };
            matches!(
                name,
                "raises" | "warns" | "assertRaises" | "assertRaisesRegex" | "assertWarns"
            )
        }),
        _ => false,
    })
}

/// Whether the file closes what it calls like a session of this name, `self._session` where
/// this is `new_session`: with `await it.close()`, `it.detach()`, `async with it:`. One of
/// `_CLIENTS` may be called `client`.
fn is_closed_by_like_name(cx: &Context<'_, '_>, name: &str) -> bool {
    let module = cx.module;
    let last_word = |name: &str| {
        let word = name.rsplit('_').next().map(str::to_ascii_lowercase);
        word.map(|word| word.trim_end_matches('s').to_string())
    };
    let wanted = last_word(name);
    let is_held = |expr: &Expr| match expr {
        Expr::Name(it) => last_word(&it.id) == wanted,
        Expr::Attribute(it) => last_word(&it.attr) == wanted,
        _ => false,
    };
    module.descendants(module.root()).any(|node| match node {
        AnyNodeRef::ExprCall(call) => match &*call.func {
            Expr::Attribute(method) => match method.attr.as_str() {
                "aclose" | "detach" => is_held(&method.value),
                "close" => {
                    is_held(&method.value)
                        && matches!(module.parent(call), Some(AnyNodeRef::ExprAwait(_)))
                }
                _ => false,
            },
            _ => false,
        },
        AnyNodeRef::StmtWith(with) => {
            with.is_async && with.items.iter().any(|item| is_held(&item.context_expr))
        }
        _ => false,
    })
}

/// `session = C(...)` => `async with C(...) as session:`
fn header<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    value: TextRange,
    name: &str,
    indent: &str,
) -> String {
    let module = cx.module;
    let tail = format!(" as {name}:");
    let text = module.text(value);
    let before = width(indent) + width("async with ");
    if !text.contains(['\n', '\r'])
        && value == call.range()
        && !call.arguments.is_empty()
        && before + width(text) + width(&tail) > cx.settings.line_length
    {
        let layout = Layout {
            module,
            width: cx.settings.line_length,
        };
        let piece = Piece::Call(
            format!("{}(", module.text(module.parenthesized(&call.func))),
            engine::arguments(call).collect(),
            ")",
        );
        let call = layout.piece(&piece, indent, before, width(&tail));
        return format!("async with {call}{tail}");
    }
    format!("async with {text}{tail}")
}

/// A connector is closed with the session that was made with it.
fn check_arguments<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    name: &str,
) -> Result<(), Refusal> {
    let module = cx.module;
    for keyword in &call.arguments.keywords {
        let is_shared = match keyword.arg.as_deref() {
            None => true,
            Some("connector" | "transport" | "mounts") => match &keyword.value {
                Expr::Call(_) | Expr::NoneLiteral(_) => false,
                Expr::Name(connector) => {
                    let is_own = matches!(
                        module.only_binding(connector).map(|binding| binding.kind),
                        Some(BindingKind::Value(Expr::Call(_)))
                    );
                    let reads = module.symbol(connector).map_or(0, |it| it.reads.len());
                    !is_own || reads != 1
                }
                _ => true,
            },
            Some(_) => false,
        };
        if is_shared {
            return Err(withheld!(
                "nothing closes `{name}`, and to close it would close what `{}` gives to it, which may be used elsewhere: decide who closes that",
                module.text(keyword)
            ));
        }
    }
    Ok(())
}
