//! What code does that would run in another thread: what of it may not, and what nobody knows.

use engine::Context;
use python::ast::{
    AnyNodeRef, Expr, ExprAttribute, ExprCall, ExprContext, Stmt, StmtFunctionDef, WithItem,
};
use python::{Block, NodeId, Ranged, ScopeKind, TextRange, TryPart, first_line};

use super::arguments::Given;
use super::class::class_of;
use super::harmless::{
    HARMLESS_BUILTINS, LOGGING, LOOP_METHODS, READING, is_exception, is_harmless,
    is_method_of_value, is_of_loop, is_of_main_thread,
};
use super::meaning::{Callee, callee};
use super::own::{is_of_window, is_own, is_plain_class, is_value, of_window};
use super::table::{Category, InThread};
use super::{reach, special, thread_local};

/// What a piece of code does, besides what it is there for.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// The calls of it that block, by position.
    pub(super) blocking: Vec<Blocks>,
    /// The functions of the module that it calls, with the calls.
    pub(super) calls: Vec<(NodeId, NodeId)>,
    /// The imported functions that it calls, of which other modules may tell more.
    pub(super) imported: Vec<Imported>,
    /// Why it must stay where it is.
    pub(super) obstacle: Option<String>,
    /// Why nobody knows whether it may go.
    pub(super) doubt: Option<String>,
}

/// A call of a function that another module defines.
#[derive(Clone, Debug)]
pub(super) struct Imported {
    /// Its dotted name, as the module imports it.
    pub(super) name: String,
    /// What is to be said where nobody knows what it does.
    pub(super) doubt: String,
    pub(super) call: NodeId,
}

/// A call that blocks.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    pub(super) name: String,
    pub(super) category: Category,
    pub(super) call: NodeId,
}

impl Effects {
    fn obstacle(&mut self, why: impl FnOnce() -> String) {
        if self.obstacle.is_none() {
            self.obstacle = Some(why());
        }
    }

    fn doubt(&mut self, why: impl FnOnce() -> String) {
        if self.doubt.is_none() {
            self.doubt = Some(why());
        }
    }

    /// Takes in what a function that is called does.
    fn follow(&mut self, reach: &reach::Reach, call: NodeId) {
        if let Some(why) = &reach.obstacle {
            self.obstacle(|| why.clone());
        }
        if let Some(why) = &reach.doubt {
            self.doubt(|| why.clone());
        }
        if let Some(path) = &reach.path {
            self.blocking.push(Blocks {
                name: path.names.join(" -> "),
                category: Category::Project,
                call,
            });
        }
    }
}

/// The nodes of `root` that run when it runs: not the bodies of what is defined in it, but the
/// defaults and decorators of that.
pub(super) fn own_nodes<'a, 'c>(
    cx: &'c Context<'a, '_>,
    root: AnyNodeRef<'a>,
) -> impl Iterator<Item = AnyNodeRef<'a>> + 'c {
    let module = cx.module;
    let root = module.id(root);
    let mut skipped: Option<NodeId> = None;
    module.descendants(module.node(root)).filter(move |node| {
        if let Some(outer) = skipped
            && module.contains(module.node(outer), *node)
        {
            return false;
        }
        let id = module.id(*node);
        let is_body_of = |parent: AnyNodeRef<'a>| match parent {
            _ if id == root || module.id(parent) == root => false,
            AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_) => node.is_statement(),
            AnyNodeRef::ExprLambda(lambda) => node.ptr_eq((&*lambda.body).into()),
            _ => false,
        };
        if module.parent(*node).is_some_and(is_body_of) {
            skipped = Some(id);
            return false;
        }
        true
    })
}

/// What in `root` looks at the exception that is handled around it, in words: in another thread there
/// is none, and a log would say `NoneType: None`.
pub(super) fn looks_at_exception<'a>(cx: &Context<'a, '_>, root: AnyNodeRef<'a>) -> Option<String> {
    const LOOKS: &[&str] = &[
        "sys.exc_info",
        "sys.exception",
        "traceback.format_exc",
        "traceback.print_exc",
    ];
    let module = cx.module;
    let looks = |call: &'a ExprCall| {
        let is_given = call.arguments.find_keyword("exc_info");
        let is_method =
            matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "exception");
        is_method && module.qualified_name(&call.func).is_none()
            || LOOKS.iter().any(|name| module.refers_to(&call.func, name))
            || is_given.is_some_and(
                |keyword| matches!(&keyword.value, Expr::BooleanLiteral(literal) if literal.value),
            )
    };
    let has_own = |node: AnyNodeRef<'a>| {
        module.blocks(node).into_iter().any(|block| {
            matches!(block, Block::Try(stmt, TryPart::Handler(_)) if module.contains(root, stmt))
        })
    };
    own_nodes(cx, root)
        .filter(|node| match node {
            AnyNodeRef::ExprCall(call) => looks(call),
            AnyNodeRef::StmtRaise(stmt) => stmt.exc.is_none(),
            _ => false,
        })
        .find(|node| !has_own(*node))
        .map(|node| format!("`{}` looks at it", one_line(module.text(node))))
}

/// What the body of a plain function does, its callees not included.
pub(super) fn of_function<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
) -> std::rc::Rc<Effects> {
    cx.remember("effects", cx.module.id(function), || {
        let mut effects = Effects::default();
        // What is defined in it runs when somebody calls that.
        let defines = |stmt: &Stmt| matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_));
        for stmt in function.body.iter().filter(|stmt| !defines(stmt)) {
            add(
                cx,
                stmt.into(),
                Frame::Function(function),
                &[],
                &mut effects,
            );
        }
        effects
    })
}

/// What a part of a coroutine does, with what its callees in the module do.
///
/// `outside` are targets of assignments in it that stay with the coroutine.
pub(super) fn of_block<'a>(
    cx: &Context<'a, '_>,
    stmt: AnyNodeRef<'a>,
    outside: &'a [Expr],
) -> Effects {
    let mut effects = Effects::default();
    let frame = Frame::Block(stmt.range());
    add(cx, stmt, frame, outside, &mut effects);
    for imported in std::mem::take(&mut effects.imported) {
        let AnyNodeRef::ExprCall(call) = cx.module.node(imported.call) else {
            continue;
        };
        match reach::of_imported(cx, &imported.name, Given::of(cx, call)) {
            Some(reach) => effects.follow(&reach, imported.call),
            None => effects.doubt(|| imported.doubt),
        }
    }
    for (function, id) in effects.calls.clone() {
        if let AnyNodeRef::StmtFunctionDef(function) = cx.module.node(function)
            && let AnyNodeRef::ExprCall(call) = cx.module.node(id)
        {
            effects.follow(&reach::of(cx, function, Given::of(cx, call)), id);
        }
    }
    effects
}

/// The code that would move.
#[derive(Clone, Copy)]
pub(super) enum Frame<'a> {
    Function(&'a StmtFunctionDef),
    Block(TextRange),
}

fn add<'a>(
    cx: &Context<'a, '_>,
    root: AnyNodeRef<'a>,
    frame: Frame<'a>,
    outside: &'a [Expr],
    effects: &mut Effects,
) {
    let module = cx.module;
    for node in own_nodes(cx, root) {
        if outside.iter().any(|target| module.contains(target, node)) {
            continue;
        }
        if effects.obstacle.is_none() && thread_local::is_thread_local(cx, node) {
            effects.obstacle(|| thread_local::reason(&one_line(module.text(node))));
        }
        match node {
            AnyNodeRef::ExprCall(call) => add_call(cx, call, frame, effects),
            AnyNodeRef::StmtAugAssign(assign) => {
                let is_local = match &*assign.target {
                    Expr::Name(name) => is_local(cx, name),
                    target => is_own(cx, target, frame),
                };
                if !is_local {
                    effects.obstacle(|| {
                        format!(
                            "`{}` is changed in one step that another task's could come between",
                            one_line(module.text(&*assign.target))
                        )
                    });
                }
            }
            AnyNodeRef::ExprAttribute(attribute)
                if attribute.ctx != ExprContext::Load && !is_own(cx, &attribute.value, frame) =>
            {
                if is_of_window(cx, &attribute.value) {
                    effects.obstacle(|| of_window(module.text(attribute)));
                }
                effects.doubt(|| format!("it sets `{}`", one_line(module.text(attribute))));
            }
            AnyNodeRef::ExprSubscript(subscript)
                if subscript.ctx != ExprContext::Load && !is_own(cx, &subscript.value, frame) =>
            {
                effects.doubt(|| format!("it sets `{}`", one_line(module.text(subscript))));
            }
            AnyNodeRef::ExprName(name) if name.ctx != ExprContext::Load && !is_local(cx, name) => {
                effects.doubt(|| format!("it sets the global `{}`", name.id));
            }
            AnyNodeRef::StmtNonlocal(stmt) => {
                // One that is only read is declared for nothing.
                let within = match frame {
                    Frame::Function(function) => function.into(),
                    Frame::Block(_) => root,
                };
                let is_set = |name: &str| {
                    module.lookup(name, node).is_some_and(|symbol| {
                        let mut bound = symbol.bindings.iter().map(|it| module.node(it.node));
                        bound.any(|it| module.contains(within, it))
                    })
                };
                for name in stmt.names.iter().filter(|name| is_set(name.as_str())) {
                    effects.doubt(|| format!("it sets `{name}` of the function around it"));
                }
            }
            AnyNodeRef::StmtWith(with) => {
                for item in &with.items {
                    add_context(cx, item, frame, effects);
                }
            }
            AnyNodeRef::StmtRaise(raise) => {
                let class = match raise.exc.as_deref() {
                    Some(Expr::Call(call)) => Some(&*call.func),
                    other => other,
                };
                if matches!(class, Some(Expr::Name(name)) if name.id == "StopIteration") {
                    effects.obstacle(stops);
                }
            }
            _ => {}
        }
    }
}

/// Whether a name that is bound belongs to the function that binds it, or one around it.
fn is_local(cx: &Context<'_, '_>, name: &python::ast::ExprName) -> bool {
    cx.module.symbol(name).is_some_and(|symbol| {
        !matches!(
            cx.module.scope_data(symbol.scope).kind,
            ScopeKind::Module | ScopeKind::Class(_)
        )
    })
}

fn stops() -> String {
    "it may raise StopIteration, which never arrives from a thread: the coroutine would wait for ever".to_string()
}

/// What is entered around code: a lock, or something that nobody knows.
fn add_context<'a>(
    cx: &Context<'a, '_>,
    item: &'a WithItem,
    frame: Frame<'a>,
    effects: &mut Effects,
) {
    let text = one_line(cx.module.text(&item.context_expr));
    if is_lock(cx, &item.context_expr) {
        effects.obstacle(|| {
            format!("it holds the lock `{text}`, for which the event loop could have to wait")
        });
    }
    // A call is looked at as such.
    if !item.context_expr.is_call_expr() && !is_own(cx, &item.context_expr, frame) {
        effects.doubt(|| format!("what `with {text}` enters does not show"));
    }
}

/// Whether an expression is a lock of threads, by its class or else by its name.
pub(super) fn is_lock(cx: &Context<'_, '_>, expr: &Expr) -> bool {
    let named = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Name(name) => name.id.as_str(),
            _ => "",
        },
        _ => "",
    };
    if let Some(class) = class_of(cx, expr) {
        return class.starts_with("threading.") || class.starts_with("multiprocessing.");
    }
    let named = named.to_lowercase();
    named.contains("mutex")
        || named.contains("semaphore")
        || named.contains("lock") && !named.contains("block") && !named.contains("clock")
}

fn add_call<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, frame: Frame<'a>, effects: &mut Effects) {
    let module = cx.module;
    let shown = || one_line(module.text(&*call.func));
    match callee(cx, call) {
        Callee::Blocking(blocking) => {
            if special::is_quick(cx, call, &blocking) {
                return;
            }
            if blocking.group.in_thread == InThread::Never {
                effects.obstacle(|| {
                    let advice = blocking.group.advice;
                    let why = advice.split_once(": ").map_or(advice, |(why, _)| why);
                    format!("it calls `{}`, and {why}", blocking.name)
                });
            }
            let is_glance = blocking.is_iterator() && takes_one(cx, call);
            effects.blocking.push(Blocks {
                name: blocking.name,
                category: match blocking.group.category {
                    _ if is_glance => Category::Metadata,
                    category => category,
                },
                call: module.id(call),
            });
        }
        Callee::Function(function) => {
            let call = module.id(call);
            effects.calls.push((module.id(function), call));
        }
        Callee::Named(name) => match name.as_str() {
            "builtins.next" if call.arguments.len() == 1 => {
                if !catches_stop(cx, call, frame) {
                    effects.obstacle(stops);
                }
            }
            "asyncio.run_coroutine_threadsafe" => {}
            // In another thread it may: here it fails.
            "asyncio.run" | "asyncio.Runner" | "asyncio.new_event_loop" => {
                effects.doubt(|| {
                    format!("`{}` starts a second event loop, and what runs in it must not belong to the first", shown())
                });
            }
            _ if is_of_loop(&name) => {
                effects.obstacle(|| format!("`{}` belongs to the event loop's thread", shown()));
            }
            _ if is_of_main_thread(&name) => {
                effects.obstacle(|| format!("`{}` belongs to the main thread", shown()));
            }
            _ if is_harmless(&name) || is_exception(&name) => {}
            _ if is_method_of_value(&name) => {}
            _ => {
                let doubt = format!("what `{}` does there does not show", shown());
                let call = module.id(call);
                effects.imported.push(Imported { name, doubt, call });
            }
        },
        Callee::Unknown => match &*call.func {
            Expr::Name(name) => {
                let is_known = module.symbol(name).is_none()
                    && (HARMLESS_BUILTINS.contains(&name.id.as_str()) || is_exception(&name.id));
                let is_class = is_plain_class(cx, name);
                if !is_known && !is_class {
                    effects.doubt(|| format!("what `{}` does there does not show", shown()));
                }
            }
            Expr::Attribute(method) => {
                let name = method.attr.as_str();
                if LOOP_METHODS.contains(&name) {
                    effects
                        .obstacle(|| format!("`{}` belongs to the event loop's thread", shown()));
                } else if is_of_window(cx, &method.value) {
                    effects.obstacle(|| of_window(&shown()));
                } else if !LOGGING.contains(&name)
                    && !READING.contains(&name)
                    && !makes_logger(cx, method)
                    && !is_own(cx, &method.value, frame)
                    && !is_value(&method.value)
                {
                    effects.doubt(|| format!("what `{}` does there does not show", shown()));
                }
            }
            _ => effects.doubt(|| format!("what `{}` does there does not show", shown())),
        },
    }
}

/// `logger.bind(name=name)`: a logger of a logger.
fn makes_logger(cx: &Context<'_, '_>, method: &ExprAttribute) -> bool {
    let receiver = cx.module.text(&*method.value).to_ascii_lowercase();
    matches!(method.attr.as_str(), "bind" | "getChild" | "opt")
        && (receiver.ends_with("log") || receiver.ends_with("logger"))
}

/// Whether only the first of what an iterator gives is asked for: `any(folder.iterdir())`.
fn takes_one<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let outer = module.parent(call).and_then(|it| module.parent(it));
    matches!(outer, Some(AnyNodeRef::ExprCall(outer))
        if matches!(module.builtin(&outer.func), Some("any" | "next")))
}

/// Whether what `next` raises is caught before it leaves the code.
fn catches_stop<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, frame: Frame<'a>) -> bool {
    let within = match frame {
        Frame::Function(function) => function.range(),
        Frame::Block(range) => range,
    };
    cx.module.blocks(call).iter().any(|block| match block {
        Block::Try(stmt, TryPart::Body) if within.contains_range(stmt.range()) => {
            stmt.handlers.iter().any(|handler| {
                let python::ast::ExceptHandler::ExceptHandler(handler) = handler;
                handler.type_.as_deref().is_none_or(|types| {
                    let text = cx.module.text(types);
                    text.contains("StopIteration") || text.contains("Exception")
                })
            })
        }
        _ => false,
    })
}

/// A text that goes on over several lines, as far as the first goes.
pub(super) fn one_line(text: &str) -> String {
    let first = first_line(text);
    if first.len() < text.trim_end().len() {
        format!("{} ...", first.trim_end())
    } else {
        first.trim_end().to_string()
    }
}
