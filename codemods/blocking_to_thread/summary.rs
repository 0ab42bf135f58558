//! What the functions of a module do by themselves, as plain data: it is found out once for each,
//! in whichever module it is, and put together by whoever follows calls.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use engine::Context;
use python::ast::{AnyNodeRef, Expr, Number, Stmt, StmtClassDef, StmtFunctionDef};
use python::{BindingKind, NodeId, Ranged};

use super::arguments::{self, Given, Parameter};
use super::conditions::{self, Test, Value, Values};
use super::effects;
use super::ending;
use super::first_time::FirstTime;
use super::harmless::is_exception;
use super::meaning::{Making, is_plain, made_in};
use super::table::Category;
use super::thread_local;

/// What a function does, its callees not included.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) name: String,
    /// Why it must stay in the event loop's thread.
    pub(super) obstacle: Option<String>,
    /// Why nobody knows whether it may go to another.
    pub(super) doubt: Option<String>,
    /// What in it looks at the exception that is handled where it is called, in words.
    pub(super) looks: Option<String>,
    /// Whether its code runs where what it gives is iterated.
    pub(super) is_generator: bool,
    /// The calls that block, as far as the first that is always made.
    pub(super) blocks: Vec<Waits>,
    /// What can be given to it.
    parameters: Vec<Parameter>,
    /// What it sets attributes of its object to, where that is done once.
    sets: Vec<(String, Value)>,
    /// The parameters and attributes on which it depends what it does.
    matter: Vec<String>,
    /// The functions of its module that it calls.
    pub(super) calls: Vec<Call>,
    /// The imported functions that it calls, each with what is to be said where it is not known.
    pub(super) imported: Vec<ImportedCall>,
}

/// A call that blocks.
#[derive(Clone, Debug)]
pub(super) struct Waits {
    pub(super) name: String,
    /// The line that it is on, from 1.
    pub(super) line: usize,
    /// What has to hold for it to be made.
    pub(super) when: Vec<Test>,
}

/// A call of a function of the same module.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) function: NodeId,
    pub(super) made: Made,
}

/// How a call is made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// Whether it is made only the first time, or to report a failure.
    pub(super) first_time: bool,
    /// What has to hold for it to be made.
    pub(super) when: Vec<Test>,
    pub(super) given: Given,
}

/// A call of an imported function.
#[derive(Clone, Debug)]
pub(super) struct ImportedCall {
    pub(super) name: String,
    pub(super) doubt: String,
    pub(super) made: Made,
}

/// A module, for those that call into it.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// What a call of these names runs: `load`, `Client`, `Client.make`.
    exports: HashMap<String, Runs>,
    /// What of it each thread has its own of: `Session`, `database.session`.
    thread_local: Vec<String>,
    functions: HashMap<NodeId, Arc<Own>>,
}

/// What a call of a name runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Runs {
    /// This function.
    Function(NodeId),
    /// Nothing but what makes an instance.
    Nothing,
}

impl Own {
    /// What a function of the module does.
    pub(super) fn of<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Self {
        let module = cx.module;
        let effects = effects::of_function(cx, function);
        let first = FirstTime::of(cx, function);
        let when = |call: NodeId| conditions::of(cx, function, module.node(call));
        let made = |call: NodeId| Made {
            first_time: first.has(cx, call) || reports_failure(cx, call),
            when: when(call),
            given: match module.node(call) {
                AnyNodeRef::ExprCall(call) => Given::of(cx, call),
                _ => Given::default(),
            },
        };
        let mut blocks: Vec<Waits> = Vec::new();
        for it in &effects.blocking {
            if !takes_time(cx, it) || first.has(cx, it.call) {
                continue;
            }
            let waits = Waits {
                name: it.name.clone(),
                line: module.row(module.node(it.call).start()),
                when: when(it.call),
            };
            let is_always = waits.when.is_empty();
            blocks.push(waits);
            if is_always {
                break;
            }
        }
        let mut own = Self {
            name: called(cx, function).to_string(),
            obstacle: effects.obstacle.clone(),
            doubt: effects.doubt.clone(),
            looks: effects::looks_at_exception(cx, function.into()),
            is_generator: module.is_generator(function),
            blocks,
            parameters: arguments::parameters(cx, function),
            sets: match module.parent(function) {
                Some(AnyNodeRef::StmtClassDef(class)) if function.name.as_str() == "__init__" => {
                    conditions::set_once(cx, class).to_vec()
                }
                _ => Vec::new(),
            },
            matter: Vec::new(),
            calls: effects
                .calls
                .iter()
                .map(|(function, call)| Call {
                    function: *function,
                    made: made(*call),
                })
                .collect(),
            imported: effects
                .imported
                .iter()
                .map(|it| ImportedCall {
                    name: it.name.clone(),
                    doubt: it.doubt.clone(),
                    made: made(it.call),
                })
                .collect(),
        };
        own.matter = own.what_matters();
        own
    }

    /// The parameters and attributes that it asks about or hands on.
    fn what_matters(&self) -> Vec<String> {
        let mut names = Vec::new();
        let calls = self.calls.iter().map(|call| &call.made);
        let made = calls.chain(self.imported.iter().map(|call| &call.made));
        let mut tests: Vec<&Test> = self.blocks.iter().flat_map(|it| &it.when).collect();
        for made in made {
            tests.extend(&made.when);
            made.given.add_names(&mut names);
        }
        for test in tests {
            test.add_names(&mut names);
        }
        for (_, value) in &self.sets {
            if let Value::Same(name) = value {
                names.push(name.clone());
            }
        }
        names
    }

    /// What is known in it where it is called with `given`, where `values` are known.
    pub(super) fn bind(&self, given: &Given, values: &Values) -> Values {
        let mut bound = given.bind(&self.parameters, values);
        // An object's attributes matter to the methods that it calls.
        bound.retain(|name, _| name.starts_with("self.") || self.matter.contains(name));
        for (name, value) in &self.sets {
            if let Some(known) = value.known(&bound) {
                bound.insert(format!("self.{name}"), known);
            }
        }
        bound
    }
}

impl Summary {
    /// What a call of a name of the module runs; none where nobody knows.
    pub(super) fn runs(&self, name: &str) -> Option<Runs> {
        self.exports.get(name).copied()
    }

    /// The object that each thread has its own of, if `name` is that or something of it.
    pub(super) fn thread_local(&self, name: &str) -> Option<&str> {
        let is_of = |object: &str| {
            name.strip_prefix(object)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut objects = self.thread_local.iter().map(String::as_str);
        objects.find(|object| is_of(object))
    }

    /// What one of its functions does.
    pub(super) fn own(&self, function: NodeId) -> Option<&Arc<Own>> {
        self.functions.get(&function)
    }
}

/// What the functions do that other modules can reach by name.
pub(super) fn of(cx: &Context<'_, '_>) -> engine::Summary {
    let module = cx.module;
    let mut summary = Summary {
        thread_local: thread_local::names(cx),
        ..Summary::default()
    };
    let mut waiting: Vec<NodeId> = Vec::new();
    for symbol in module.globals() {
        // What is bound twice may be either.
        let [binding] = symbol.bindings.as_slice() else {
            continue;
        };
        match binding.kind {
            BindingKind::Function(function) if is_plain(cx, function) => {
                let runs = Runs::Function(module.id(function));
                summary.exports.insert(symbol.name.to_string(), runs);
            }
            BindingKind::Class(class) => add_class(cx, class, &mut summary),
            _ => {}
        }
    }
    for runs in summary.exports.values() {
        if let Runs::Function(function) = runs {
            waiting.push(*function);
        }
    }
    while let Some(id) = waiting.pop() {
        if let Entry::Vacant(vacant) = summary.functions.entry(id)
            && let AnyNodeRef::StmtFunctionDef(function) = module.node(id)
        {
            let own = vacant.insert(Arc::new(Own::of(cx, function)));
            waiting.extend(own.calls.iter().map(|call| call.function));
        }
    }
    Arc::new(summary)
}

fn add_class<'a>(cx: &Context<'a, '_>, class: &'a StmtClassDef, summary: &mut Summary) {
    let module = cx.module;
    match made_in(cx, class) {
        Making::By(init) if is_plain(cx, init) => {
            let runs = Runs::Function(module.id(init));
            summary.exports.insert(class.name.to_string(), runs);
        }
        Making::Plainly
            if class
                .arguments
                .iter()
                .all(|it| it.args.iter().all(|it| is_known(cx, it))) =>
        {
            summary
                .exports
                .insert(class.name.to_string(), Runs::Nothing);
        }
        _ => {}
    }
    for stmt in &class.body {
        let Stmt::FunctionDef(method) = stmt else {
            continue;
        };
        // `Client.make()` of any other has lost its object, and is no call to follow.
        let is_bound = method.decorator_list.iter().any(|decorator| {
            matches!(
                module.text(&decorator.expression),
                "staticmethod" | "classmethod"
            )
        });
        if is_bound && is_plain(cx, method) {
            let runs = Runs::Function(module.id(method));
            let name = format!("{}.{}", class.name, method.name);
            summary.exports.insert(name, runs);
        }
    }
}

/// Whether a call, in the handler of an exception, is given that: what is done to report a failure is
/// not why a function takes time.
fn reports_failure(cx: &Context<'_, '_>, call: NodeId) -> bool {
    let module = cx.module;
    let AnyNodeRef::ExprCall(call) = module.node(call) else {
        return false;
    };
    let handler = module.ancestors(call).find_map(|outer| match outer {
        AnyNodeRef::ExceptHandlerExceptHandler(handler) => Some(handler),
        _ => None,
    });
    let Some(name) = handler.and_then(|handler| handler.name.as_ref()) else {
        return false;
    };
    module
        .descendants(&call.arguments)
        .any(|node| matches!(node, AnyNodeRef::ExprName(it) if it.id == name.id))
}

/// Pauses below this many seconds are not worth a thread.
const SHORT: f64 = 0.01;

/// What a function is called by: `__init__` by its class.
fn called<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> &'a str {
    match cx.module.parent(function) {
        Some(AnyNodeRef::StmtClassDef(class)) if function.name.as_str() == "__init__" => {
            class.name.as_str()
        }
        _ => function.name.as_str(),
    }
}

/// Whether a class can be made of this base without that anything runs.
fn is_known(cx: &Context<'_, '_>, base: &Expr) -> bool {
    let named = match base {
        Expr::Name(name) => is_exception(&name.id),
        _ => false,
    };
    let is_library =
        |name: String| name == "pydantic.BaseModel" || python::is_of_standard_library(&name);
    named || cx.module.qualified_name(base).is_some_and(is_library)
}

/// Whether a call is why a function takes time: what it asks a file system about one file, a
/// process that it only starts, a lock that is free, a pause as short as the way to a thread and one
/// in which the process ends are not.
fn takes_time(cx: &Context<'_, '_>, blocks: &effects::Blocks) -> bool {
    let is_short = |node: AnyNodeRef<'_>| match node {
        AnyNodeRef::ExprCall(call) => match call.arguments.args.first() {
            Some(Expr::NumberLiteral(seconds)) => match &seconds.value {
                Number::Float(seconds) => *seconds < SHORT,
                Number::Int(seconds) => seconds.as_i64() == Some(0),
                Number::Complex { .. } => false,
            },
            _ => false,
        },
        _ => false,
    };
    let is_no_pause = || {
        blocks.category == Category::Pause
            && (is_short(cx.module.node(blocks.call))
                || ending::is_told_before(cx, blocks.call)
                || ending::is_before_exit(cx, blocks.call))
    };
    !is_no_pause()
        && blocks.category != Category::Metadata
        && !matches!(blocks.name.as_str(), "subprocess.Popen" | "os.popen")
        && !blocks.name.ends_with(".acquire")
}
