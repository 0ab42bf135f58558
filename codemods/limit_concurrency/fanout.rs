//! What a list is of: data, of which there may be any number, or parts of the program.
//!
//! A limit is for the first. Of the second there are as many as the program was made of, and they
//! are often there to run at a time: handlers that wait for each other, workers, devices. Which of
//! the two a list holds, its names say, and what is done with each element: they are read here as
//! a person reads them, and where they say nothing, nobody can tell.

use engine::{Context, names_cleanup};
use python::BindingKind;
use python::ast::{self, AnyNodeRef, Comprehension, Expr, ExprCall, Stmt, StmtFunctionDef};

use super::lists::{Element, Within};
use super::{given, hazards, waiting};

/// What comes in, or is stored: there may be any number of it.
const DATA: &[&str] = &[
    "address",
    "archive",
    "article",
    "asset",
    "attachment",
    "avatar",
    "batch",
    "book",
    "chapter",
    "chunk",
    "clip",
    "comment",
    "content",
    "dataset",
    "date",
    "directory",
    "doc",
    "document",
    "download",
    "email",
    "entry",
    "episode",
    "file",
    "filename",
    "folder",
    "hash",
    "host",
    "hostname",
    "id",
    "image",
    "img",
    "invoice",
    "ip",
    "issue",
    "key",
    "keyword",
    "link",
    "listing",
    "mail",
    "media",
    "message",
    "msg",
    "offset",
    "order",
    "page",
    "paper",
    "paragraph",
    "passage",
    "path",
    "photo",
    "pic",
    "picture",
    "port",
    "post",
    "product",
    "prompt",
    "proxy",
    "query",
    "question",
    "quote",
    "record",
    "reference",
    "repo",
    "repository",
    "req",
    "request",
    "review",
    "row",
    "sample",
    "screenshot",
    "section",
    "segment",
    "sentence",
    "site",
    "sku",
    "slug",
    "snippet",
    "song",
    "story",
    "string",
    "subdomain",
    "submission",
    "symbol",
    "text",
    "thumbnail",
    "ticker",
    "ticket",
    "title",
    "track",
    "transaction",
    "transcript",
    "translation",
    "tweet",
    "tx",
    "uid",
    "uri",
    "url",
    "user",
    "username",
    "uuid",
    "video",
    "wallet",
    "webpage",
    "word",
];

/// What is stored in a file, and what it is stored in.
const FILES: &[&str] = &[
    "archive",
    "attachment",
    "clip",
    "dir",
    "directory",
    "doc",
    "document",
    "file",
    "filename",
    "folder",
    "image",
    "img",
    "log",
    "path",
    "photo",
    "pic",
    "picture",
    "screenshot",
    "thumbnail",
    "video",
];

/// What says of a list only that it holds something.
const ANYTHING: &[&str] = &[
    "arg", "argument", "data", "input", "item", "number", "object", "obj", "pair", "param", "val",
    "value",
];

/// What a program is made of.
const PARTS: &[&str] = &[
    "actor",
    "adapter",
    "addon",
    "agent",
    "api",
    "backend",
    "base",
    "broadcast",
    "camera",
    "cert",
    "certificate",
    "channel",
    "client",
    "cog",
    "component",
    "config",
    "conf",
    "configuration",
    "connection",
    "connector",
    "consumer",
    "controller",
    "coordinator",
    "database",
    "db",
    "deployment",
    "device",
    "domain",
    "driver",
    "endpoint",
    "engine",
    "entity",
    "exchange",
    "executor",
    "extension",
    "field",
    "gateway",
    "group",
    "handler",
    "hook",
    "instance",
    "integration",
    "kind",
    "listener",
    "manager",
    "method",
    "middleware",
    "model",
    "module",
    "monitor",
    "nanny",
    "node",
    "observer",
    "peer",
    "pipeline",
    "platform",
    "player",
    "plugin",
    "process",
    "processor",
    "producer",
    "profile",
    "project",
    "provider",
    "reader",
    "receiver",
    "recipient",
    "replica",
    "retriever",
    "router",
    "runner",
    "scheduler",
    "sensor",
    "server",
    "service",
    "session",
    "shard",
    "socket",
    "stage",
    "store",
    "strategy",
    "stream",
    "subscriber",
    "subscription",
    "tool",
    "unit",
    "vehicle",
    "watcher",
    "websocket",
    "worker",
    "writer",
];

/// What is to be run, as somebody asked for it.
const RUNS: &[&str] = &[
    "call",
    "callable",
    "callback",
    "coro",
    "coroutine",
    "func",
    "function",
    "future",
    "job",
    "step",
    "task",
];

/// What says that somebody thought of that.
const AT_A_TIME: &[&str] = &["concurrent", "parallel", "simultaneous"];

/// What takes many at a time on purpose: to put them together, or to be asked at one time.
const TAKES_MANY: &[&str] = &[
    "consumer",
    "discover",
    "discovery",
    "encoder",
    "engine",
    "health",
    "heartbeat",
    "ping",
    "probe",
    "processor",
    "retriever",
    "scheduler",
    "step",
    "tokenize",
    "tokenizer",
    "worker",
];

/// What a function is called that tells something to those who want to know it.
const TELLS: &[&str] = &["announce", "broadcast", "dispatch", "emit", "notify"];

/// What a function is called that makes a program out of its parts.
pub(super) const SETS_UP: &[&str] = &[
    "boot",
    "init",
    "initialise",
    "initialize",
    "reload",
    "setup",
    "start",
    "startup",
];

/// Whether the elements are seen to be data of which there may be any number, and nothing in how
/// they are made says that they are to run at a time.
pub(super) fn is_of_data<'a>(
    cx: &Context<'a, '_>,
    around: Option<&'a StmtFunctionDef>,
    element: &Element<'a>,
) -> bool {
    let loops = loops(cx, around, element);
    let is_of_parts = |turn: &Turn<'a>| {
        let mut names = turn.iterable_names(cx).chain(turn.target_names(cx));
        turn.iterable_names(cx).any(|name| has(name, AT_A_TIME))
            || names.any(|name| has(name, RUNS) || has(name, PARTS))
    };
    let is_of_data = loops.last().is_none_or(|inner| {
        // `range(100)` has no name, and a number that is seen.
        inner.iterable_names(cx).next().is_none() || inner.iterable_names(cx).any(is_of_many)
    });
    let waits = match element.within {
        Within::Map(_) => waiting::waits_for_sure(cx, element.expr),
        _ => calls(cx, element)
            .into_iter()
            .all(|call| does_work(cx, call, &loops)),
    };
    let is_told = around.is_some_and(given::is_told_how_many);
    !loops.iter().any(is_of_parts) && is_of_data && !is_told && !is_paced(cx, element) && waits
}

/// Whether the elements are of files: a program has few of other things that are each kept in one.
pub(super) fn is_of_files<'a>(
    cx: &Context<'a, '_>,
    around: Option<&'a StmtFunctionDef>,
    element: &Element<'a>,
) -> bool {
    loops(cx, around, element).iter().any(|turn| {
        let mut names = turn.iterable_names(cx).chain(turn.target_names(cx));
        names.any(|name| has(name, FILES))
    })
}

/// Whether the loop that starts tasks waits between them, so that it has a say in how many run at a
/// time: `while not tracker.has_capacity(): await asyncio.sleep(0.1)`.
fn is_paced<'a>(cx: &Context<'a, '_>, element: &Element<'a>) -> bool {
    let Within::Append(append) = element.within else {
        return false;
    };
    let module = cx.module;
    let starts = |expr: &'a Expr| {
        module
            .calls_in(expr)
            .iter()
            .any(|call| hazards::starts(call))
    };
    let are_tasks = match element.expr {
        Expr::Name(name) => module.symbol(name).is_some_and(|symbol| {
            let mut bindings = symbol.bindings.iter();
            bindings
                .any(|binding| matches!(binding.kind, BindingKind::Value(value) if starts(value)))
        }),
        expr => starts(expr),
    };
    let around = module.ancestors(append).find_map(|around| match around {
        AnyNodeRef::StmtFor(stmt) => Some(&stmt.body),
        AnyNodeRef::StmtWhile(stmt) => Some(&stmt.body),
        _ => None,
    });
    are_tasks
        && around.is_some_and(|body| {
            let mut nodes = body.iter().flat_map(|stmt| module.descendants(stmt));
            nodes.any(|node| matches!(node, AnyNodeRef::ExprAwait(_)))
        })
}

/// A loop that makes the elements, or a clause of the comprehension.
struct Turn<'a> {
    target: Option<&'a Expr>,
    iterable: &'a Expr,
}

impl<'a> Turn<'a> {
    /// What the iterable is called, and what it was chosen from: `pending` and `documents` of
    /// `pending = [it for it in documents if not it.is_done]`.
    fn iterable_names(&self, cx: &Context<'a, '_>) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut names = Vec::new();
        named(self.iterable, &mut names);
        if let Expr::Name(name) = self.iterable
            && let Some(BindingKind::Value(Expr::ListComp(chosen))) =
                cx.module.only_binding(name).map(|binding| binding.kind)
            && let [clause] = chosen.generators.as_slice()
            && let (Expr::Name(element), Expr::Name(target)) = (&*chosen.elt, &clause.target)
            && element.id == target.id
        {
            named(&clause.iter, &mut names);
        }
        names.into_iter()
    }

    fn target_names(&self, cx: &Context<'a, '_>) -> impl Iterator<Item = &'a str> + use<'a> {
        let names: Vec<&'a str> = self.target.map_or_else(Vec::new, |target| {
            let nodes = cx.module.descendants(target);
            nodes
                .filter_map(|node| match node {
                    AnyNodeRef::ExprName(name) => Some(name.id.as_str()),
                    _ => None,
                })
                .collect()
        });
        names.into_iter()
    }

    /// Whether `name` is what the loop binds for each element.
    fn binds(&self, cx: &Context<'a, '_>, name: &'a ast::ExprName) -> bool {
        let symbol = cx.module.symbol_id(name);
        self.target.is_some_and(|target| {
            cx.module.descendants(target).any(|node| {
                matches!(node, AnyNodeRef::ExprName(it) if cx.module.symbol_id(it) == symbol)
            })
        })
    }
}

/// The loops that an element is made in, from the outside.
fn loops<'a>(
    cx: &Context<'a, '_>,
    function: Option<&'a StmtFunctionDef>,
    element: &Element<'a>,
) -> Vec<Turn<'a>> {
    let clauses = |clauses: &'a [Comprehension]| {
        let turn = |clause: &'a Comprehension| Turn {
            target: Some(&clause.target),
            iterable: &clause.iter,
        };
        clauses.iter().map(turn).collect()
    };
    match element.within {
        Within::Comprehension(
            Expr::ListComp(ast::ExprListComp { generators, .. })
            | Expr::SetComp(ast::ExprSetComp { generators, .. })
            | Expr::Generator(ast::ExprGenerator { generators, .. }),
        ) => clauses(generators),
        Within::Comprehension(_) => Vec::new(),
        Within::Append(append) => {
            let turn = |around| match around {
                AnyNodeRef::StmtFor(stmt) => Some(Turn {
                    target: Some(&*stmt.target),
                    iterable: &stmt.iter,
                }),
                _ => None,
            };
            let around = cx.module.ancestors(append);
            let around =
                around.take_while(|node| function.is_none_or(|it| !node.ptr_eq(it.into())));
            let mut turns: Vec<Turn<'a>> = around.filter_map(turn).collect();
            turns.reverse();
            turns
        }
        Within::Map(map) => {
            let iterables = map.arguments.args.iter().skip(1);
            let turn = |iterable| Turn {
                target: None,
                iterable,
            };
            iterables.map(turn).collect()
        }
    }
}

/// The calls that make an element, also one that a task is made of; of a name those that it is bound
/// to.
pub(super) fn calls<'a>(cx: &Context<'a, '_>, element: &Element<'a>) -> Vec<&'a ExprCall> {
    match element.expr {
        Expr::Call(call) => vec![inner_call(cx, call)],
        Expr::Name(name) => cx.module.symbol(name).map_or_else(Vec::new, |symbol| {
            let bindings = symbol.bindings.iter();
            bindings
                .filter_map(|binding| match binding.kind {
                    BindingKind::Value(Expr::Call(call)) => Some(inner_call(cx, call)),
                    _ => None,
                })
                .collect()
        }),
        _ => Vec::new(),
    }
}

/// `f(x)` of `wait_for(f(x), 1)` and of `create_task(f(x))`.
fn inner_call<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> &'a ExprCall {
    let is_around = cx.module.refers_to(&call.func, "asyncio.wait_for") || hazards::starts(call);
    match call.arguments.args.first() {
        Some(Expr::Call(inner)) if is_around => inner_call(cx, inner),
        _ => call,
    }
}

/// Whether a call does work for one element, that nothing says has to be done together with that
/// for others.
fn does_work<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, loops: &[Turn<'a>]) -> bool {
    let module = cx.module;
    let mut names = Vec::new();
    chain(&call.func, &mut names);
    let last = names.first().copied().unwrap_or_default();
    let function = module.function_definition(&call.func);
    let takes_many = names
        .iter()
        .any(|name| has(name, TAKES_MANY) || has(name, &["cache", "cached"]))
        || function.is_some_and(|function| waits_for_engine(cx, function));
    let tells = last.starts_with("on_") || has(last, TELLS);
    // One connection carries what is sent over it in its own time.
    let sends = matches!(&*call.func, Expr::Attribute(method)
        if method.attr.as_str() == "send" && matches!(&*method.value, Expr::Name(it) if it.id == "self"));
    let sets_up = has(last, SETS_UP) || names_cleanup(last);
    let is_of_element = |name: &'a ast::ExprName| loops.iter().any(|turn| turn.binds(cx, name));
    let is_data = |name: &'a ast::ExprName| {
        has(&name.id, DATA)
            || loops
                .iter()
                .any(|turn| turn.iterable_names(cx).any(|it| has(it, DATA)))
    };
    // `message.to_dict()` and `text.get_words()` mostly look at what is there.
    let is_getter = ["to_", "get_", "as_"].iter().any(|it| last.starts_with(it));
    let is_elements_own = match root(&call.func) {
        Some(name) if is_of_element(name) => !is_data(name) || is_getter || is_of_part(&call.func),
        _ => chosen_by(&call.func).into_iter().any(is_of_element),
    };
    let runs_element =
        || function.is_some_and(|function| handed_over(cx, call, function, loops).is_some());
    let is_of_all = makes_task(cx, call)
        || takes_many
        || tells
        || sends
        || sets_up
        || is_elements_own
        || runs_element();
    !is_of_all && waiting::waits_for_sure(cx, &call.func)
}

/// `create_eager_task(...)`, `self.start_background_task(...)`, and plain functions, which do what
/// they do when they are called.
fn makes_task<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let name = match &*call.func {
        Expr::Attribute(method) => method.attr.as_str(),
        Expr::Name(name) => name.id.as_str(),
        _ => return false,
    };
    let words = words(name);
    let is_task = words.last().is_some_and(|word| word == "task")
        && words
            .iter()
            .any(|word| matches!(word.as_str(), "add" | "create" | "spawn" | "start"));
    let function = cx.module.function_definition(&call.func);
    is_task || function.is_some_and(|function| !function.is_async && gives_task(cx, function))
}

/// Whether a plain function makes something run.
fn gives_task<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    cx.module.calls_in(function).iter().any(|call| {
        let name = match &*call.func {
            Expr::Attribute(method) => method.attr.as_str(),
            Expr::Name(name) => name.id.as_str(),
            _ => return false,
        };
        name.ends_with("task") || name.ends_with("ensure_future")
    })
}

/// Whether a function waits for what puts requests together: `async for it in engine.generate(x)`.
fn waits_for_engine<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    cx.module.descendants(function).any(|node| {
        let waited = match node {
            AnyNodeRef::ExprAwait(awaited) => &*awaited.value,
            AnyNodeRef::StmtFor(stmt) if stmt.is_async => &*stmt.iter,
            _ => return false,
        };
        let mut names = Vec::new();
        chain(waited, &mut names);
        names.iter().any(|name| has(name, &["engine", "scheduler"]))
    })
}

/// The parameter of a function of this module that is given an element, and whose own code the
/// function waits for: `await handler(event)`, `await agent.run()`.
fn handed_over<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    function: &'a StmtFunctionDef,
    loops: &[Turn<'a>],
) -> Option<&'a str> {
    let module = cx.module;
    let is_element = |expr: &'a Expr| {
        let name = expr.as_name_expr();
        name.is_some_and(|name| {
            loops.iter().any(|turn| turn.binds(cx, name)) || is_bound_to_await(cx, name)
        })
    };
    let first: &Stmt = function.body.first()?;
    let is_method = matches!(module.parent(function), Some(AnyNodeRef::StmtClassDef(_)))
        && call.func.is_attribute_expr();
    let parameters = || {
        let all = function.parameters.iter_non_variadic_params();
        all.map(ast::ParameterWithDefault::name)
    };
    let given = call.arguments.args.iter().enumerate();
    let given = given
        .filter(|(_, value)| is_element(value))
        .filter_map(|(position, _)| parameters().nth(position + usize::from(is_method)));
    let keywords = call.arguments.keywords.iter();
    let keywords = keywords
        .filter(|keyword| is_element(&keyword.value))
        .filter_map(|keyword| keyword.arg.as_ref())
        .filter(|name| parameters().any(|it| it.as_str() == name.as_str()));
    for parameter in given.chain(keywords) {
        if has(parameter.as_str(), DATA) {
            continue;
        }
        let symbol = module.lookup(parameter.as_str(), first)?;
        let is_it = |expr: &'a Expr| {
            root(expr).is_some_and(|name| {
                module
                    .symbol(name)
                    .is_some_and(|it| std::ptr::eq(it, symbol))
            })
        };
        let waits = module.descendants(function).any(|node| match node {
            AnyNodeRef::ExprAwait(awaited) => {
                matches!(&*awaited.value, Expr::Call(inner) if is_it(&inner.func))
            }
            AnyNodeRef::StmtFor(stmt) => stmt.is_async && is_it(&stmt.iter),
            _ => false,
        });
        if waits {
            return Some(symbol.name);
        }
    }
    None
}

/// `agent = await self.agent(id)`: what the element is made with is looked up first.
fn is_bound_to_await<'a>(cx: &Context<'a, '_>, name: &'a ast::ExprName) -> bool {
    let binding = cx.module.only_binding(name).map(|binding| binding.kind);
    matches!(binding, Some(BindingKind::Value(Expr::Await(_))))
}

/// The name that `handler`, `agent.run` and `self.steps[0].run` start from.
fn root(expr: &Expr) -> Option<&ast::ExprName> {
    match expr {
        Expr::Name(name) => Some(name),
        Expr::Attribute(attribute) => root(&attribute.value),
        Expr::Subscript(part) => root(&part.value),
        _ => None,
    }
}

/// Whether what is called is a method of something that the element has: `order.client.fetch`.
fn is_of_part(func: &Expr) -> bool {
    match func {
        Expr::Attribute(method) => match &*method.value {
            Expr::Attribute(part) => !has(&part.attr, DATA),
            value => value.is_subscript_expr(),
        },
        _ => false,
    }
}

/// The names by which the object whose method is called is chosen: `key` of `counters[key].add` and
/// of `self.counter(key).add`.
fn chosen_by(expr: &Expr) -> Vec<&ast::ExprName> {
    match expr {
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Call(call) => {
                let given = call.arguments.args.iter();
                given.filter_map(Expr::as_name_expr).collect()
            }
            value => chosen_by(value),
        },
        Expr::Subscript(part) => part.slice.as_name_expr().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The names of what is called, from the last on.
fn chain<'a>(func: &'a Expr, names: &mut Vec<&'a str>) {
    match func {
        Expr::Name(name) => names.push(name.id.as_str()),
        Expr::Attribute(attribute) => {
            names.push(attribute.attr.as_str());
            chain(&attribute.value, names);
        }
        Expr::Subscript(part) => chain(&part.value, names),
        Expr::Call(call) => chain(&call.func, names),
        _ => {}
    }
}

/// What an iterable is called: `beds` of `list(client.beds.values())`.
fn named<'a>(iterable: &'a Expr, names: &mut Vec<&'a str>) {
    const SEE_THROUGH: &[&str] = &[
        "all", "copy", "fetchall", "get", "items", "keys", "pop", "result", "scalars", "values",
    ];
    const BUILTINS: &[&str] = &[
        "chain",
        "enumerate",
        "filter",
        "iter",
        "len",
        "list",
        "map",
        "range",
        "reversed",
        "set",
        "sorted",
        "tuple",
        "zip",
    ];
    match iterable {
        Expr::Name(name) => names.push(name.id.as_str()),
        Expr::Attribute(attribute) if SEE_THROUGH.contains(&attribute.attr.as_str()) => {
            named(&attribute.value, names);
        }
        Expr::Attribute(attribute) => names.push(attribute.attr.as_str()),
        Expr::StringLiteral(string) => names.push(string.value.to_str()),
        // What it is of says nothing about what `data["plugins"]` holds.
        Expr::Subscript(part) if part.slice.is_string_literal_expr() => named(&part.slice, names),
        Expr::Subscript(part) => {
            named(&part.value, names);
            named(&part.slice, names);
        }
        Expr::Call(call) => {
            let (of_builtin, of_getter) = match &*call.func {
                Expr::Name(name) => (BUILTINS.contains(&name.id.as_str()), false),
                Expr::Attribute(method) => (false, SEE_THROUGH.contains(&method.attr.as_str())),
                _ => (false, false),
            };
            if !of_builtin {
                named(&call.func, names);
            }
            if of_builtin || of_getter {
                for argument in &call.arguments.args {
                    named(argument, names);
                }
            }
        }
        Expr::Await(awaited) => named(&awaited.value, names),
        Expr::Starred(starred) => named(&starred.value, names),
        Expr::BinOp(operation) => {
            named(&operation.left, names);
            named(&operation.right, names);
        }
        Expr::BoolOp(operation) => {
            for value in &operation.values {
                named(value, names);
            }
        }
        Expr::List(ast::ExprList { elts, .. })
        | Expr::Tuple(ast::ExprTuple { elts, .. })
        | Expr::Set(ast::ExprSet { elts, .. }) => {
            for element in elts {
                named(element, names);
            }
        }
        Expr::ListComp(ast::ExprListComp { generators, .. })
        | Expr::SetComp(ast::ExprSetComp { generators, .. })
        | Expr::Generator(ast::ExprGenerator { generators, .. }) => {
            for clause in generators {
                named(&clause.iter, names);
            }
        }
        _ => {}
    }
}

/// Whether a list of this name may be of any length: `urls`, `items`, `xs`.
fn is_of_many(name: &str) -> bool {
    let is_letter = |word: &String| word.len() == 1;
    has(name, DATA) || has(name, ANYTHING) || words(name).iter().all(is_letter)
}

/// Whether one of these words is in a name.
pub(super) fn has(name: &str, known: &[&str]) -> bool {
    words(name)
        .iter()
        .any(|word| known.contains(&word.as_str()))
}

/// The words of a name, in the singular: `url` and `list` of `urlLists`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let is_word = letter.is_alphabetic();
        if !is_word || letter.is_uppercase() && was_lower {
            words.push(String::new());
        }
        if is_word && let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    for word in &mut words {
        singular(word);
    }
    words
}

fn singular(word: &mut String) {
    if word.ends_with("ies") && word.len() > 4 {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if ["sses", "xes", "ches", "shes"]
        .iter()
        .any(|end| word.ends_with(end))
    {
        word.truncate(word.len() - 2);
    } else if word.ends_with('s') && !word.ends_with("ss") && word.len() > 1 {
        word.truncate(word.len() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_in_the_singular() {
        assert_eq!(words("_agentIds"), ["agent", "id"]);
        assert_eq!(words("search_queries2"), ["search", "query"]);
        assert_eq!(words("xs"), ["x"]);
        assert_eq!(words("addresses"), ["address"]);
        assert_eq!(words("TERMINAL_SERVERS"), ["terminal", "server"]);
    }
}
