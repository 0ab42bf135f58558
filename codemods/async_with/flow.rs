//! Where a session and its responses get to.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, StmtFunctionDef};
use python::{AwaitPlace, BindingKind, Module, NodeId, Ranged, ScopeKind, Symbol};

/// What has to be read, or else closed, before the session is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The session.
    Session,
    /// A response whose body may not have been read, a stream, or a websocket.
    Response,
}

/// The methods of a session that start a request.
const REQUESTS: &[&str] = &[
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "request",
    "send",
    "stream",
    "ws_connect",
];

/// What a session tells about itself.
const SESSION_DATA: &[&str] = &[
    "auth",
    "base_url",
    "build_request",
    "closed",
    "cookie_jar",
    "cookies",
    "event_hooks",
    "headers",
    "is_closed",
    "loop",
    "params",
    "timeout",
    "trust_env",
    "version",
];

/// Methods of responses, streams and websockets that are done when they return.
const PLAIN_METHODS: &[&str] = &[
    "at_eof",
    "close",
    "exception",
    "get_encoding",
    "get_extra_info",
    "raise_for_status",
    "release",
];

/// Methods of streams that an `async for` goes through.
const ITERATIONS: &[&str] = &["iter_any", "iter_chunked", "iter_chunks"];

/// Methods that need the session open.
const READING: &[&str] = &[
    "json",
    "ping",
    "pong",
    "read",
    "receive",
    "receive_bytes",
    "receive_json",
    "receive_str",
    "send_bytes",
    "send_json",
    "send_str",
    "text",
];

/// Builtins that keep nothing of what they are given.
const KEEP_NOTHING: &[&str] = &[
    "bool",
    "format",
    "hasattr",
    "id",
    "isinstance",
    "len",
    "print",
    "repr",
    "str",
    "type",
];

/// Whether a call closes what it is given, or keeps it to close it, as the name of what is called
/// says: `stack.enter_async_context(session)`, `await close_session(session)`.
pub fn closes_argument(module: &Module<'_>, call: &ExprCall) -> bool {
    match &*call.func {
        Expr::Attribute(method) => {
            matches!(
                method.attr.as_str(),
                "aclosing"
                    | "enterAsyncContext"
                    | "enter_async_context"
                    | "finalize"
                    | "push_async_exit"
            ) || is_named_closing(&method.attr)
        }
        Expr::Name(name) if is_named_closing(&name.id) => true,
        func => {
            module.refers_to(func, "contextlib.aclosing")
                || module.refers_to(func, "weakref.finalize")
        }
    }
}

/// Whether a function is named for closing what it is given.
fn is_named_closing(name: &str) -> bool {
    name.to_ascii_lowercase().contains("close")
}

/// Whether the session itself gets to somebody else: returned, stored, or given to a call.
pub fn hands_on<'a>(cx: &Context<'a, '_>, session: &Symbol<'a>) -> bool {
    let module = cx.module;
    session.reads.iter().any(|read| {
        let node = module.node(*read);
        match module.parent(node) {
            Some(
                AnyNodeRef::StmtReturn(_)
                | AnyNodeRef::ExprYield(_)
                | AnyNodeRef::StmtAssign(_)
                | AnyNodeRef::StmtAnnAssign(_)
                | AnyNodeRef::Keyword(_)
                | AnyNodeRef::ExprTuple(_)
                | AnyNodeRef::ExprList(_)
                | AnyNodeRef::ExprDict(_),
            ) => true,
            Some(AnyNodeRef::Arguments(_)) => call_around(cx, node)
                .and_then(|call| module.builtin(&call.func))
                .is_none_or(|name| !KEEP_NOTHING.contains(&name)),
            _ => false,
        }
    })
}

/// Whether what is called is a class, by its name, or another way of a class to make an object:
/// `Server.from_openapi(client=session)`.
pub fn makes_object(func: &Expr) -> bool {
    let name = match func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => match attribute.attr.as_str() {
            made if made.starts_with("from_") => return makes_object(&attribute.value),
            name => name,
        },
        Expr::Subscript(generic) => return makes_object(&generic.value),
        _ => return false,
    };
    let name = name.trim_start_matches('_');
    name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)
}

/// Whether a request may be made with a session of httpx, here or by who gets it.
pub fn may_open<'a>(cx: &Context<'a, '_>, session: &Symbol<'a>) -> bool {
    let module = cx.module;
    hands_on(cx, session)
        || session.reads.iter().any(|read| {
            matches!(
                module.parent(module.node(*read)),
                Some(AnyNodeRef::ExprAttribute(method)) if REQUESTS.contains(&method.attr.as_str())
            )
        })
}

/// The call that `node` is an argument of.
fn call_around<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Option<&'a ExprCall> {
    cx.module
        .ancestors(node)
        .take(3)
        .find_map(|ancestor| match ancestor {
            AnyNodeRef::ExprCall(call) => Some(call),
            _ => None,
        })
}

/// All uses of a session and of what its requests give, in the function's own code.
///
/// Withheld where one of them gets out of sight.
pub fn uses<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    session: &Symbol<'a>,
    close: &'static str,
) -> Result<Vec<AnyNodeRef<'a>>, Refusal> {
    let mut flow = Flow {
        cx,
        function,
        session: session.name,
        close,
        advice: advice(session, close),
        uses: Vec::new(),
        responses: Vec::new(),
    };
    flow.follow(session, Kind::Session)?;
    let mut next = 0;
    while let Some(name) = flow.responses.get(next).copied() {
        next += 1;
        let AnyNodeRef::ExprName(name) = cx.module.node(name) else {
            continue;
        };
        if let Some(symbol) = cx.module.symbol(name) {
            flow.follow(symbol, Kind::Response)?;
        }
    }
    Ok(flow.uses)
}

/// How a session is to be closed. Where the name may also be bound to what somebody else made (a
/// parameter, `getattr(bot, "session", None)`), only that which is made here is.
pub fn advice(session: &Symbol<'_>, close: &str) -> String {
    let call = format!("`await {}.{close}()`", session.name);
    let is_other = |kind: BindingKind| match kind {
        BindingKind::Value(Expr::Call(made)) => !makes_object(&made.func),
        BindingKind::Value(value) => !value.is_none_literal_expr(),
        BindingKind::Declared | BindingKind::Deleted => false,
        _ => true,
    };
    if session.bindings.iter().any(|it| is_other(it.kind)) {
        format!("{call} if it was made here")
    } else {
        call
    }
}

struct Flow<'a, 'c, 'm> {
    cx: &'c Context<'a, 'm>,
    function: &'a StmtFunctionDef,
    session: &'a str,
    close: &'static str,
    advice: String,
    uses: Vec<AnyNodeRef<'a>>,
    /// The names that are bound to responses, one for each symbol.
    responses: Vec<NodeId>,
}

impl<'a> Flow<'a, '_, '_> {
    fn follow(&mut self, symbol: &Symbol<'a>, kind: Kind) -> Result<(), Refusal> {
        let module = self.cx.module;
        for read in &symbol.reads {
            let node = module.node(*read);
            let is_own = module
                .function(node)
                .is_some_and(|function| module.id(function) == module.id(self.function));
            let is_now = matches!(
                module.await_place(node),
                AwaitPlace::Coroutine(_)
                    | AwaitPlace::NestedComprehension(_)
                    | AwaitPlace::Function(_)
            );
            if !is_own || !is_now {
                return Err(self.escapes(kind, node, "is used in a function that may run later"));
            }
            self.uses.push(node);
            self.value(node, kind)?;
        }
        Ok(())
    }

    /// `node` is an expression whose value is a session or a response: where does it go?
    fn value(&mut self, node: AnyNodeRef<'a>, kind: Kind) -> Result<(), Refusal> {
        let module = self.cx.module;
        let Some(parent) = module.parent(node) else {
            return Ok(());
        };
        match parent {
            AnyNodeRef::ExprAttribute(attribute) => {
                if !attribute.ctx.is_load() {
                    return Ok(());
                }
                match kind {
                    Kind::Session => self.of_session(parent, attribute.attr.as_str()),
                    Kind::Response => self.of_response(parent, attribute.attr.as_str()),
                }
            }
            AnyNodeRef::ExprCompare(_)
            | AnyNodeRef::ExprUnaryOp(_)
            | AnyNodeRef::StmtIf(_)
            | AnyNodeRef::StmtWhile(_)
            | AnyNodeRef::ElifElseClause(_)
            | AnyNodeRef::StmtAssert(_)
            | AnyNodeRef::StmtExpr(_)
            | AnyNodeRef::StmtDelete(_)
            | AnyNodeRef::InterpolatedElement(_)
            | AnyNodeRef::WithItem(_) => Ok(()),
            AnyNodeRef::StmtFor(stmt) if stmt.is_async && kind == Kind::Response => Ok(()),
            AnyNodeRef::Comprehension(clause) if clause.is_async && kind == Kind::Response => {
                Ok(())
            }
            AnyNodeRef::Arguments(_) | AnyNodeRef::Keyword(_) => match call_around(self.cx, node) {
                Some(call)
                    if module
                        .builtin(&call.func)
                        .is_some_and(|name| KEEP_NOTHING.contains(&name)) =>
                {
                    Ok(())
                }
                _ => Err(self.escapes(kind, node, "is an argument of a call")),
            },
            AnyNodeRef::StmtAssign(assign) if kind == Kind::Response => {
                match assign.targets.as_slice() {
                    [Expr::Name(name)] => self.bind(module.id(name), node),
                    _ => Err(self.escapes(kind, node, "is stored")),
                }
            }
            AnyNodeRef::StmtAnnAssign(assign) if kind == Kind::Response => match &*assign.target {
                Expr::Name(name) => self.bind(module.id(name), node),
                _ => Err(self.escapes(kind, node, "is stored")),
            },
            AnyNodeRef::ExprNamed(named) if kind == Kind::Response => {
                if let Expr::Name(name) = &*named.target {
                    self.bind(module.id(name), node)?;
                }
                self.value(parent, kind)
            }
            AnyNodeRef::StmtReturn(_) => Err(self.escapes(kind, node, "is returned")),
            AnyNodeRef::ExprYield(_) => Err(self.escapes(kind, node, "is yielded")),
            AnyNodeRef::StmtAssign(_) | AnyNodeRef::StmtAnnAssign(_) => {
                Err(self.escapes(kind, node, "is stored"))
            }
            _ => Err(self.escapes(kind, node, "becomes part of another value")),
        }
    }

    /// The name at `id` is bound to a response.
    fn bind(&mut self, id: NodeId, node: AnyNodeRef<'a>) -> Result<(), Refusal> {
        let module = self.cx.module;
        let AnyNodeRef::ExprName(name) = module.node(id) else {
            return Ok(());
        };
        let Some(symbol) = module.symbol(name) else {
            return Ok(());
        };
        let is_own = matches!(
            module.scope_data(symbol.scope).kind,
            ScopeKind::Function(owner) if module.id(owner) == module.id(self.function)
        );
        if !is_own {
            return Err(self.escapes(Kind::Response, node, "is stored"));
        }
        let is_known = self.responses.iter().any(|known| {
            matches!(module.node(*known), AnyNodeRef::ExprName(known) if known.id == name.id)
        });
        if !is_known {
            self.responses.push(id);
        }
        Ok(())
    }

    /// `session.name`, which is `attribute`.
    fn of_session(&mut self, attribute: AnyNodeRef<'a>, name: &str) -> Result<(), Refusal> {
        let module = self.cx.module;
        if SESSION_DATA.contains(&name) {
            return Ok(());
        }
        let called = match module.parent(attribute) {
            Some(AnyNodeRef::ExprCall(call)) if REQUESTS.contains(&name) => call,
            _ => return Err(self.escapes(Kind::Session, attribute, "is passed on")),
        };
        match module.parent(called) {
            Some(AnyNodeRef::WithItem(_)) => Ok(()),
            // httpx has read the whole body by then, unless it was told not to.
            Some(AnyNodeRef::ExprAwait(_))
                if self.close == "aclose"
                    && name != "stream"
                    && called.arguments.find_keyword("stream").is_none() =>
            {
                Ok(())
            }
            Some(awaited @ AnyNodeRef::ExprAwait(_)) => self.value(awaited, Kind::Response),
            _ => Err(self.escapes(
                Kind::Session,
                attribute,
                "is used by a request that is not awaited at once",
            )),
        }
    }

    /// `response.name`, which is `attribute`.
    fn of_response(&mut self, attribute: AnyNodeRef<'a>, name: &str) -> Result<(), Refusal> {
        let module = self.cx.module;
        let Some(AnyNodeRef::ExprCall(call)) = module.parent(attribute) else {
            return self.of_attribute(attribute, name);
        };
        if module.id(&*call.func) != module.id(attribute) {
            return self.of_attribute(attribute, name);
        }
        let is_done = match module.parent(call) {
            Some(AnyNodeRef::ExprAwait(_)) => true,
            Some(AnyNodeRef::StmtFor(stmt)) => stmt.is_async && ITERATIONS.contains(&name),
            Some(AnyNodeRef::Comprehension(clause)) => {
                clause.is_async && ITERATIONS.contains(&name)
            }
            _ => PLAIN_METHODS.contains(&name),
        };
        if is_done {
            Ok(())
        } else {
            Err(self.escapes(
                Kind::Response,
                attribute,
                "is read by what is not awaited at once",
            ))
        }
    }

    /// `response.name` that is not called: data, or a way to the body.
    fn of_attribute(&mut self, attribute: AnyNodeRef<'a>, name: &str) -> Result<(), Refusal> {
        if name == "content" {
            self.value(attribute, Kind::Response)
        } else if READING.contains(&name) {
            Err(self.escapes(Kind::Response, attribute, "is read by what is passed on"))
        } else {
            Ok(())
        }
    }

    fn escapes(&self, kind: Kind, node: AnyNodeRef<'a>, how: &str) -> Refusal {
        let (session, advice) = (self.session, &self.advice);
        let text = self.cx.module.text(node.range());
        let text = python::first_line(text);
        match kind {
            Kind::Session => withheld!(
                "nothing closes `{session}`, which {how} (`{text}`), so that its last use is not seen here: close it there with {advice}"
            ),
            Kind::Response => withheld!(
                "nothing closes `{session}`, whose response {how} (`{text}`), and reading it needs the session open: read it first, or close the session after that with {advice}"
            ),
        }
    }
}
