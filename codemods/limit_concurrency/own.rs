//! What the functions of a module do by themselves: what they open or ask, what they wait for, and whether
//! something in them lets so many through and no more. Whoever follows calls puts it together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use engine::Context;
use python::NodeId;
use python::ast::{AnyNodeRef, Expr, ExprCall, Number, Stmt, StmtFunctionDef};

use super::classes::{self, Class, Members, Receiver};
use super::{fanout, limited, outside, waiting};

/// What a function does by itself.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the code"
)]
pub(super) struct Own {
    pub(super) is_async: bool,
    /// Whether it waits, whichever way it takes.
    pub(super) waits: bool,
    /// Whether it waits for threads only, of which the executor has so many and no more.
    pub(super) only_threads: bool,
    /// The class that it is a method of, where it does nothing and is there to be overridden, and its
    /// name.
    pub(super) stub: Option<(String, String)>,
    /// What it opens or asks.
    pub(super) reaches: Option<String>,
    /// Whether something in it lets so many through and no more, or sleeps until something has
    /// happened elsewhere.
    pub(super) needs_no_limit: bool,
    /// Whether it sleeps, and not only before another try.
    pub(super) sleeps: bool,
    /// Whether some time passes while it sleeps.
    pub(super) takes_time: bool,
    /// Whether it waits for nothing else than time and functions.
    pub(super) only_sleeps: bool,
    /// What it calls.
    pub(super) next: Vec<Step>,
}

/// A call.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) runs: Next,
    /// Whether it is waited for right there.
    pub(super) is_awaited: bool,
    /// Whether what it opens is there for this call alone.
    pub(super) is_own: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Next {
    /// One of the same module.
    Here(NodeId),
    /// One that is imported, by its dotted name.
    Imported(String),
    /// A method of an object whose class is known.
    Method(Receiver),
    /// A method of which only types tell what it is: the call.
    Typed(NodeId),
}

/// The functions of a module, for those who call them from other ones.
#[derive(Debug, Default)]
pub(super) struct Functions {
    pub(super) by_path: HashMap<String, NodeId>,
    pub(super) own: HashMap<NodeId, Arc<Own>>,
    pub(super) classes: BTreeMap<String, Members>,
    /// The classes of what has a name in the module.
    pub(super) names: HashMap<String, Class>,
    /// Whether the module tests others, or stands in for them.
    pub(super) has_tests: bool,
}

impl Own {
    pub(super) fn of<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Self {
        let module = cx.module;
        let mut own = Own {
            is_async: function.is_async,
            waits: waiting::waits(cx, function, 0),
            only_threads: limited::is_threads_only(cx, function) && awaits(cx, function),
            stub: stub(cx, function),
            needs_no_limit: limited::limits_itself(cx, function),
            only_sleeps: true,
            ..Own::default()
        };
        for node in module.descendants(function) {
            let awaited = match node {
                AnyNodeRef::ExprCall(call) => {
                    own.calls(cx, call, false);
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
                    own.takes_time |= !matches!(&*call.arguments.args, [it] if is_zero(it));
                    own.needs_no_limit |= place == Place::While;
                }
                // What they are given is looked at by itself.
                Expr::Call(call)
                    if ["asyncio.gather", "asyncio.wait_for"]
                        .iter()
                        .any(|it| module.refers_to(&call.func, it)) => {}
                Expr::Call(call) => {
                    own.only_sleeps &= definition(cx, &call.func).is_some();
                    own.calls(cx, call, true);
                }
                _ => own.only_sleeps = false,
            }
        }
        own
    }

    /// That it makes a call, and whether it waits for it right there.
    fn calls<'a>(&mut self, cx: &Context<'a, '_>, call: &'a ExprCall, is_awaited: bool) {
        let is_own = outside::is_own(cx, call);
        if self.reaches.is_none() && is_own {
            let name = cx.module.qualified_name(&call.func);
            self.reaches = name.filter(|name| outside::is_known(name));
        }
        if let Some(runs) = Next::of(cx, &call.func, is_awaited.then_some(call)) {
            self.next.push(Step {
                runs,
                is_awaited,
                is_own,
            });
        }
    }

    /// That it is made by what a call of `func` gives.
    pub(super) fn runs<'a>(
        &mut self,
        cx: &Context<'a, '_>,
        func: &'a Expr,
        call: Option<&'a ExprCall>,
    ) {
        if self.reaches.is_none() {
            let name = cx.module.qualified_name(func);
            self.reaches = name.filter(|name| outside::is_known(name));
        }
        self.next.extend(Next::of(cx, func, call).map(|runs| Step {
            runs,
            is_awaited: true,
            is_own: true,
        }));
    }
}

impl Next {
    /// What a call of `func` runs; `call` where its type may be asked for.
    fn of<'a>(cx: &Context<'a, '_>, func: &'a Expr, call: Option<&'a ExprCall>) -> Option<Self> {
        if let Some(function) = definition(cx, func) {
            return Some(Next::Here(cx.module.id(function)));
        }
        if let Some(name) = cx.module.qualified_name(func) {
            return Some(Next::Imported(name));
        }
        Receiver::of(cx, func)
            .map(Next::Method)
            .or_else(|| call.map(|call| Next::Typed(cx.module.id(call))))
    }
}

fn is_zero(number: &Expr) -> bool {
    match number {
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(int) => *int == 0,
            Number::Float(float) => *float == 0.0,
            Number::Complex { .. } => false,
        },
        _ => false,
    }
}

fn awaits<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    let mut nodes = cx.module.descendants(function);
    nodes.any(|node| matches!(node, AnyNodeRef::ExprAwait(_)))
}

/// The class and the name of a method that is there to be overridden: one that raises
/// `NotImplementedError` or says nothing.
fn stub<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Option<(String, String)> {
    let AnyNodeRef::StmtClassDef(class) = cx.module.parent(function)? else {
        return None;
    };
    let says_nothing = function.body.iter().all(|stmt| match stmt {
        Stmt::Pass(_) => true,
        Stmt::Expr(stmt) => stmt.value.is_literal_expr(),
        Stmt::Raise(raise) => raise.exc.as_deref().is_some_and(|raised| {
            let raised = match raised {
                Expr::Call(call) => &*call.func,
                raised => raised,
            };
            cx.module.refers_to(raised, "builtins.NotImplementedError")
        }),
        _ => false,
    });
    says_nothing.then(|| (classes::path(cx, class), function.name.to_string()))
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
        let class = classes::itself(cx, receiver)?;
        class.body.iter().find_map(|stmt| match stmt {
            Stmt::FunctionDef(function) if function.name.as_str() == method.attr.as_str() => {
                Some(function)
            }
            _ => None,
        })
    })
}

/// What a number is called that says how often something is tried.
const ATTEMPTS: &[&str] = &["attempt", "max", "retry", "time", "try"];

/// Where a function sleeps.
#[derive(PartialEq, Eq)]
enum Place {
    /// In its way.
    Plain,
    /// Before it tries again.
    Handler,
    /// Until something has happened: `while not job.is_done: await asyncio.sleep(1)`, and
    /// `for _ in range(60):`, where that does not count attempts.
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
                AnyNodeRef::StmtFor(stmt) => {
                    let is_range = matches!(&*stmt.iter, Expr::Call(call)
                        if module.refers_to(&call.func, "builtins.range"));
                    let is_read = matches!(&*stmt.target, Expr::Name(name)
                        if module.symbol(name).is_some_and(|symbol| !symbol.reads.is_empty()));
                    let counts = fanout::has(module.text(&*stmt.iter), ATTEMPTS);
                    (is_range && !is_read && !counts).then_some(Place::While)
                }
                _ => None,
            })
            .unwrap_or(Place::Plain)
    }
}

impl Functions {
    pub(super) fn of(cx: &Context<'_, '_>) -> Self {
        let mut functions = Functions {
            classes: Members::of_module(cx),
            names: classes::of_names(cx),
            has_tests: cx.has_tests(),
            ..Functions::default()
        };
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
