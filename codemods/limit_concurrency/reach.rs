//! Whether a coroutine is seen to reach what lies outside of the program, through any number of
//! functions and modules.
//!
//! Names of functions do not tell: `resolve_peer` may look into a table, and `fetch` ask a client
//! that keeps ten connections. So each function is read, and those that it waits for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use engine::{Context, Definition};
use python::NodeId;
use python::ast::{AnyNodeRef, Expr, ExprCall, Stmt, StmtFunctionDef};
use types::Answer;

use super::elsewhere::{self, Seen};
use super::lists::{Element, Within};
use super::{fanout, limited, outside};

/// More functions than these are not followed from one element.
const MOST: usize = 64;

/// What a function does by itself.
#[derive(Debug, Default)]
struct Own {
    /// What it opens or asks.
    reaches: Option<String>,
    /// Whether something in it lets so many through and no more, or sleeps until something has
    /// happened elsewhere.
    needs_no_limit: bool,
    /// Whether it sleeps, and not only before another try.
    sleeps: bool,
    /// Whether it waits for nothing else than time and functions.
    only_sleeps: bool,
    /// The functions that it waits for.
    next: Vec<Next>,
}

#[derive(Clone, Debug)]
enum Next {
    /// One of the same module.
    Here(NodeId),
    /// One that is imported, by its dotted name.
    Imported(String),
    /// A method of which only types tell what it is: the call.
    Typed(NodeId),
}

/// The functions of a module, for those who call them from other ones.
#[derive(Debug, Default)]
pub(super) struct Functions {
    by_path: HashMap<String, NodeId>,
    own: HashMap<NodeId, Arc<Own>>,
}

/// A function: the number of its file, none for the file in hand, and its own.
type At = (Option<usize>, NodeId);

/// What the coroutine that is made for an element opens or asks: none where that is not seen, or
/// where something on the way to it lets so many through and no more.
///
/// What sleeps, and does nothing else, stands for work, as it does in examples.
pub(super) fn of<'a>(cx: &Context<'a, '_>, element: &Element<'a>) -> Option<String> {
    let mut first = Own {
        only_sleeps: true,
        ..Own::default()
    };
    if let Within::Map(_) = element.within {
        let function = definition(cx, element.expr)?;
        first.next.push(Next::Here(cx.module.id(function)));
    }
    for call in fanout::calls(cx, element) {
        first.waits_for(cx, call);
        first.reaches = first.reaches.or_else(|| outside::reached(cx, &call.func));
    }
    // What it costs to ask for types is spent where nothing else tells.
    let first = Arc::new(first);
    Ways::default()
        .follow(cx, first.clone(), false)
        .or_else(|| Ways::default().follow(cx, first, true))
}

impl Own {
    fn of<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Self {
        let module = cx.module;
        let mut own = Own {
            needs_no_limit: limited::limits_itself(cx, function),
            only_sleeps: true,
            ..Own::default()
        };
        for node in module.descendants(function) {
            let awaited = match node {
                AnyNodeRef::ExprCall(call) => {
                    if own.reaches.is_none() && outside::is_own(cx, call) {
                        own.reaches = outside::reached(cx, &call.func);
                    }
                    if definition(cx, &call.func).is_some_and(|it| it.is_async) {
                        own.waits_for(cx, call); // as in `gather(load(), check())`
                    }
                    continue;
                }
                AnyNodeRef::ExprAwait(awaited) => &*awaited.value,
                AnyNodeRef::WithItem(item) => match module.parent(item) {
                    Some(AnyNodeRef::StmtWith(with)) if with.is_async => &item.context_expr,
                    _ => continue,
                },
                AnyNodeRef::StmtFor(stmt) if stmt.is_async => &stmt.iter,
                AnyNodeRef::Comprehension(clause) if clause.is_async => &clause.iter,
                _ => continue,
            };
            match awaited {
                Expr::Call(call) if module.refers_to(&call.func, "asyncio.sleep") => {
                    let place = Place::of(cx, function, call);
                    own.sleeps |= place != Place::Handler;
                    own.needs_no_limit |= place == Place::While;
                }
                // What they are given is looked at by itself.
                Expr::Call(call)
                    if ["asyncio.gather", "asyncio.wait_for"]
                        .iter()
                        .any(|it| module.refers_to(&call.func, it)) => {}
                Expr::Call(call) => {
                    own.only_sleeps &= definition(cx, &call.func).is_some();
                    own.waits_for(cx, call);
                }
                _ => own.only_sleeps = false,
            }
        }
        own
    }

    /// That it waits for what a call gives.
    fn waits_for<'a>(&mut self, cx: &Context<'a, '_>, call: &'a ExprCall) {
        let module = cx.module;
        let next = if let Some(function) = definition(cx, &call.func) {
            Next::Here(module.id(function))
        } else if let Some(name) = module.qualified_name(&call.func) {
            Next::Imported(name)
        } else {
            Next::Typed(module.id(call))
        };
        self.next.push(next);
    }
}

/// The function of this module that a call of `func` runs, also where other classes of the module
/// have one of that name: what the class itself has is what it says that it does.
fn definition<'a>(cx: &Context<'a, '_>, func: &'a Expr) -> Option<&'a StmtFunctionDef> {
    let module = cx.module;
    module.function_definition(func).or_else(|| {
        let Expr::Attribute(method) = func else {
            return None;
        };
        let Expr::Name(receiver) = &*method.value else {
            return None;
        };
        let class = outside::class_itself(cx, receiver)?;
        class.body.iter().find_map(|stmt| match stmt {
            Stmt::FunctionDef(function) if function.name.as_str() == method.attr.as_str() => {
                Some(function)
            }
            _ => None,
        })
    })
}

/// Where a function sleeps.
#[derive(PartialEq, Eq)]
enum Place {
    /// In its way.
    Plain,
    /// Before it tries again.
    Handler,
    /// Until something has happened: `while not job.is_done: await asyncio.sleep(1)`.
    While,
}

impl Place {
    fn of<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, sleep: &'a ExprCall) -> Self {
        let module = cx.module;
        let around = module.ancestors(sleep);
        let mut around = around.take_while(|node| !node.ptr_eq(function.into()));
        around
            .find_map(|node| match node {
                AnyNodeRef::ExceptHandlerExceptHandler(_) => Some(Place::Handler),
                AnyNodeRef::StmtWhile(stmt) if !stmt.test.is_boolean_literal_expr() => {
                    Some(Place::While)
                }
                _ => None,
            })
            .unwrap_or(Place::Plain)
    }
}

impl Functions {
    pub(super) fn of(cx: &Context<'_, '_>) -> Self {
        let mut functions = Functions::default();
        for node in cx.module.descendants(cx.module.root()) {
            if let AnyNodeRef::StmtFunctionDef(function) = node {
                let id = cx.module.id(function);
                functions.own.insert(id, Arc::new(Own::of(cx, function)));
                if let Some(path) = cx.module.path_of(function) {
                    functions.by_path.insert(path, id);
                }
            }
        }
        functions
    }
}

/// The modules on the ways from one element.
#[derive(Default)]
struct Ways {
    modules: HashMap<usize, Arc<Seen>>,
}

impl Ways {
    fn follow(&mut self, cx: &Context<'_, '_>, first: Arc<Own>, typed: bool) -> Option<String> {
        let mut found = None;
        let (mut sleeps, mut only_sleeps) = (false, true);
        let mut seen: HashSet<At> = HashSet::new();
        let mut next: VecDeque<(Option<usize>, Arc<Own>)> = VecDeque::from([(None, first)]);
        while let Some((file, own)) = next.pop_front() {
            if own.needs_no_limit {
                return None;
            }
            sleeps |= own.sleeps;
            only_sleeps &= own.only_sleeps;
            if found.is_none() {
                found.clone_from(&own.reaches);
            }
            for step in &own.next {
                let place = match step {
                    Next::Here(function) => Some((file, *function)),
                    Next::Imported(name) => self.imported(cx, file, name),
                    Next::Typed(call) if typed && file.is_none() => match cx.module.node(*call) {
                        AnyNodeRef::ExprCall(call) => {
                            let name = callee(cx, call);
                            if found.is_none() {
                                found = name.clone().filter(|name| outside::is_known(name));
                            }
                            name.and_then(|name| self.imported(cx, None, &name))
                        }
                        _ => None,
                    },
                    Next::Typed(_) => None,
                };
                let Some(place) = place else {
                    only_sleeps = false;
                    continue;
                };
                if seen.len() < MOST
                    && seen.insert(place)
                    && let Some(own) = self.own(cx, place)
                {
                    next.push_back((place.0, own));
                }
            }
        }
        found.or_else(|| (sleeps && only_sleeps).then(|| "asyncio.sleep".to_string()))
    }

    fn own(&self, cx: &Context<'_, '_>, (file, id): At) -> Option<Arc<Own>> {
        if let Some(file) = file {
            return self.modules.get(&file)?.functions.own.get(&id).cloned();
        }
        let AnyNodeRef::StmtFunctionDef(function) = cx.module.node(id) else {
            return None;
        };
        let own = cx.remember("reach", id, || Arc::new(Own::of(cx, function)));
        Some(Arc::clone(&own))
    }

    /// The function that a dotted name stands for in a file, as far as the run holds its module.
    fn imported(&mut self, cx: &Context<'_, '_>, from: Option<usize>, name: &str) -> Option<At> {
        let Definition {
            file,
            name,
            summary,
            ..
        } = cx.elsewhere(from, name, elsewhere::summarise)?;
        let module = summary.downcast::<Seen>().ok()?;
        let id = *module.functions.by_path.get(&name)?;
        self.modules.entry(file).or_insert(module);
        Some((Some(file), id))
    }
}

/// The dotted name of the function that a call runs, by its type.
fn callee(cx: &Context<'_, '_>, call: &ExprCall) -> Option<String> {
    match cx.callee(&call.func) {
        Answer::Callee(function) => Some(format!("{}.{}", function.module?, function.name)),
        _ => None,
    }
}
