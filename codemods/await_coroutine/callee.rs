//! What a call gives: a coroutine, perhaps one, or something else.

use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, Stmt, StmtClassDef, StmtFunctionDef};
use python::{Awaitable, BindingKind, NodeId, ScopeId, ScopeKind, Symbol};
use types::{Answer, Gives};

use super::decorators;

/// What a call gives.
#[derive(Debug)]
pub enum Callee {
    /// A coroutine, for sure.
    Coroutine,
    /// A coroutine, unless a subclass has something else in the place of this hook, which does
    /// nothing.
    Hook,
    /// An asynchronous generator, which runs only when it is iterated.
    Generator,
    /// A coroutine as far as one can see, and this is why one cannot be sure. Types could tell.
    Doubtful(Refusal),
    /// What the module does not show, and types could tell; the reason if it looks like a coroutine.
    Undecided(Option<Refusal>),
    /// Something else, or nobody knows.
    Other,
}

impl Callee {
    /// The same, where the module leaves it undecided, by the type of what `call` gives.
    pub fn by_type<'a>(self, cx: &Context<'a, '_>, call: &'a ExprCall) -> Callee {
        let Callee::Undecided(reason) = self else {
            return self;
        };
        if reason.is_none() && is_commonplace(call) {
            return Callee::Other;
        }
        match cx.given(call).value().map(|value| value.gives) {
            Some(Gives::Coroutine) if may_be_overridden(cx, call) => Callee::Other,
            Some(Gives::Coroutine) => Callee::Coroutine,
            Some(Gives::Task | Gives::Future | Gives::Nothing) => Callee::Other,
            Some(Gives::Awaitable) | None => reason.map_or(Callee::Other, Callee::Doubtful),
        }
    }
}

/// Whether something that is no coroutine function may stand in the place of the method that the
/// type shows: a stub that is assigned, or what a class of the project has that derives from the
/// receiver's. The type is that of the declared class, and what is called is the method of
/// whichever class the object is of.
fn may_be_overridden<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let Expr::Attribute(method) = &*call.func else {
        return false;
    };
    let name = method.attr.as_str();
    if cx.module.stores_attribute(name) {
        return true;
    }
    let receiver = cx.value(&method.value);
    let class = receiver.value().and_then(|value| value.classes.first());
    let class = class.cloned().or_else(|| match cx.callee(&call.func) {
        Answer::Callee(function) => {
            let (class, _) = function.name.rsplit_once('.')?;
            Some(class.to_string())
        }
        _ => None,
    });
    class.is_some_and(|class| cx.is_overridden(&class, name))
}

/// Whether a method has the name of one that is called everywhere, of lists and loggers, about
/// which asking would cost too much.
fn is_commonplace(call: &ExprCall) -> bool {
    const NAMES: &[&str] = &[
        "add_argument",
        "add_done_callback",
        "append",
        "critical",
        "debug",
        "endswith",
        "error",
        "exception",
        "extend",
        "format",
        "info",
        "insert",
        "isdigit",
        "items",
        "join",
        "keys",
        "lower",
        "setdefault",
        "startswith",
        "strip",
        "upper",
        "warning",
    ];
    matches!(&*call.func, Expr::Attribute(method) if NAMES.contains(&method.attr.as_str()))
}

/// What `call` gives, as far as this module shows it.
pub fn of<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Callee {
    let module = cx.module;
    if let Some(function) = module.function_definition(&call.func) {
        let callee = of_function(cx, function);
        return match callee {
            Callee::Coroutine if is_method(cx, function) => of_hook(function).unwrap_or(callee),
            callee => callee,
        };
    }
    if module.awaitable_call(call) == Awaitable::Coroutine || is_attribute_method(cx, call) {
        return Callee::Coroutine;
    }
    match &*call.func {
        Expr::Name(name) => match module.symbol(name) {
            Some(symbol) => of_symbol(cx, call, symbol),
            None => Callee::Other,
        },
        Expr::Attribute(attribute) => {
            let name = attribute.attr.as_str();
            let method = match &*attribute.value {
                Expr::Name(receiver) => match module.class_of_self(receiver) {
                    Some(class) => own(class, name)
                        .or_else(|| inherited(cx, class, name, 0))
                        .map(|method| (class, method)),
                    None => return of_imported(cx, call),
                },
                Expr::Call(receiver) if module.refers_to(&receiver.func, "builtins.super") => {
                    class_of_super(cx, receiver).and_then(|class| {
                        inherited(cx, class, name, 0).map(|method| (class, method))
                    })
                }
                _ => return of_imported(cx, call),
            };
            match method {
                Some((class, method)) => of_method(cx, class, method),
                None => Callee::Undecided(None),
            }
        }
        _ => Callee::Other,
    }
}

/// The method that the class itself defines.
fn own<'a>(class: &'a StmtClassDef, name: &str) -> Option<&'a StmtFunctionDef> {
    class.body.iter().find_map(|stmt| match stmt {
        Stmt::FunctionDef(method) if method.name.as_str() == name => Some(method),
        _ => None,
    })
}

/// The method that the class inherits, if the module shows all the classes that could have it.
fn inherited<'a>(
    cx: &Context<'a, '_>,
    class: &'a StmtClassDef,
    name: &str,
    depth: usize,
) -> Option<&'a StmtFunctionDef> {
    if depth > 20 {
        return None; // a class that inherits from itself fails
    }
    for base in &class.arguments.as_ref()?.args {
        let Expr::Name(base) = base else {
            return None;
        };
        let BindingKind::Class(base) = cx.module.only_binding(base)?.kind else {
            return None;
        };
        let method = own(base, name).or_else(|| inherited(cx, base, name, depth + 1));
        if method.is_some() {
            return method;
        }
        if base.arguments.is_some() {
            return None; // it may come from elsewhere
        }
    }
    None
}

/// The class in whose method `super()` is called.
fn class_of_super<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<&'a StmtClassDef> {
    let method = cx.module.function(call)?;
    match cx.module.parent(method) {
        Some(AnyNodeRef::StmtClassDef(class)) if call.arguments.is_empty() => Some(class),
        _ => None,
    }
}

/// The only function of its name.
fn of_function<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Callee {
    if !function.is_async {
        return Callee::Other;
    }
    let mut decorators = function.decorator_list.iter();
    if decorators.any(|decorator| decorators::gives_plain(cx, &decorator.expression)) {
        return Callee::Other;
    }
    let opaque = function
        .decorator_list
        .iter()
        .find(|decorator| !is_transparent(cx, &decorator.expression));
    match opaque {
        Some(_) if cx.module.is_generator(function) => Callee::Other,
        Some(decorator) => Callee::Undecided(Some(withheld!(
            "`{}` is decorated by `@{}`, which may give back something else than a coroutine: `await` it if it does not",
            function.name,
            cx.module.first_line(&decorator.expression)
        ))),
        None if cx.module.is_generator(function) => Callee::Generator,
        None => Callee::Coroutine,
    }
}

fn is_method<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> bool {
    matches!(
        cx.module.parent(function),
        Some(AnyNodeRef::StmtClassDef(_))
    )
}

/// What a method gives that is there for subclasses: they may have an asynchronous generator, or
/// a plain function, in its place.
fn of_hook(method: &StmtFunctionDef) -> Option<Callee> {
    let does_nothing = |stmt: &Stmt| match stmt {
        Stmt::Pass(_) => true,
        Stmt::Expr(stmt) => stmt.value.is_literal_expr(),
        _ => false,
    };
    let last = method.body.last()?;
    if !method.body.iter().rev().skip(1).all(does_nothing) {
        return None;
    }
    match last {
        Stmt::Raise(_) => Some(Callee::Doubtful(withheld!(
            "`{}` is there for subclasses, and the module does not show what they have in its place: `await` it if all of them have coroutine functions",
            method.name
        ))),
        last => does_nothing(last).then_some(Callee::Hook),
    }
}

/// Whether a decorator gives back what it gets, as far as a call can tell.
fn is_transparent<'a>(cx: &Context<'a, '_>, decorator: &'a Expr) -> bool {
    const TRANSPARENT: &[&str] = &[
        "typing.final",
        "typing.no_type_check",
        "typing.override",
        "typing_extensions.final",
        "typing_extensions.override",
    ];
    if let Expr::Name(name) = decorator
        && matches!(name.id.as_str(), "staticmethod" | "classmethod")
    {
        return cx.module.symbol(name).is_none();
    }
    TRANSPARENT
        .iter()
        .any(|name| cx.module.refers_to(decorator, name))
}

/// The classes of the module whose methods an instance of `class` may have: those that derive from
/// it, and all that these derive from.
fn related<'a>(cx: &Context<'a, '_>, class: &'a StmtClassDef) -> Vec<NodeId> {
    fn collect<'a>(cx: &Context<'a, '_>, class: &'a StmtClassDef, lineage: &mut Vec<NodeId>) {
        let id = cx.module.id(class);
        if lineage.contains(&id) {
            return; // a class that inherits from itself fails
        }
        lineage.push(id);
        for base in class.bases() {
            if let Expr::Name(name) = base
                && let Some(binding) = cx.module.only_binding(name)
                && let BindingKind::Class(base) = binding.kind
            {
                collect(cx, base, lineage);
            }
        }
    }
    let own = cx.module.id(class);
    let mut related = Vec::new();
    for node in cx.module.descendants(cx.module.root()) {
        if let AnyNodeRef::StmtClassDef(other) = node {
            let mut lineage = Vec::new();
            collect(cx, other, &mut lineage);
            if lineage.contains(&own) {
                related.append(&mut lineage);
            }
        }
    }
    related
}

/// A method of the class, of whose name there are others in the module, or an attribute.
fn of_method<'a>(
    cx: &Context<'a, '_>,
    class: &'a StmtClassDef,
    method: &'a StmtFunctionDef,
) -> Callee {
    let module = cx.module;
    if !method.is_async || module.is_generator(method) {
        return Callee::Other;
    }
    let name = method.name.as_str();
    let related = related(cx, class);
    let is_related = |scope: ScopeId| {
        matches!(module.scope_data(scope).kind,
            ScopeKind::Class(class) if related.contains(&module.id(class)))
    };
    // Whichever of them is called, it is a coroutine function.
    let are_coroutines = !module.stores_attribute(name)
        && module
            .symbols()
            .filter(|symbol| symbol.name == name && is_related(symbol.scope))
            .all(|symbol| match symbol.bindings.as_slice() {
                [binding] => match binding.kind {
                    BindingKind::Function(function) => {
                        matches!(of_function(cx, function), Callee::Coroutine)
                    }
                    _ => false,
                },
                _ => false,
            });
    if are_coroutines {
        return of_hook(method).unwrap_or(Callee::Coroutine);
    }
    Callee::Doubtful(withheld!(
        "`{name}` is also something else in this module, which a subclass or an instance may have in its place: `await` it if that is a coroutine function too"
    ))
}

/// A name with several bindings, one of which is a coroutine function.
fn of_symbol<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, symbol: &Symbol<'a>) -> Callee {
    let is_coroutine =
        |function: &StmtFunctionDef| function.is_async && !cx.module.is_generator(function);
    let some = symbol.bindings.iter().any(
        |binding| matches!(binding.kind, BindingKind::Function(function) if is_coroutine(function)),
    );
    // On another platform, or under another version, a call may run it. `@overload` says nothing.
    let is_other =
        |function: &StmtFunctionDef| !is_coroutine(function) && function.decorator_list.is_empty();
    let others = symbol.bindings.iter().any(
        |binding| matches!(binding.kind, BindingKind::Function(function) if is_other(function)),
    );
    if some {
        let reason = withheld!(
            "`{}` is bound in several places, and not all of them show the same coroutine function: `await` it if they all do",
            symbol.name
        );
        return if others {
            Callee::Doubtful(reason)
        } else {
            Callee::Undecided(Some(reason))
        };
    }
    of_imported(cx, call)
}

/// What is imported from elsewhere, and awaited where else it is called in this module.
fn of_imported<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Callee {
    let module = cx.module;
    let Some(name) = module.qualified_name(&call.func) else {
        return Callee::Undecided(None); // a method of some object
    };
    // What asyncio gives without being a coroutine runs by itself.
    if name.starts_with("asyncio.") || name.starts_with("builtins.") {
        return Callee::Other;
    }
    // An object that can be awaited may be made for its own sake.
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.starts_with(|first: char| first.is_ascii_uppercase()) {
        return Callee::Other;
    }
    let is_awaited = module.calls().iter().any(|other| {
        matches!(module.parent(*other), Some(AnyNodeRef::ExprAwait(_)))
            && module.refers_to(&other.func, &name)
    });
    if !is_awaited || is_given_function(cx, call) {
        return Callee::Undecided(None);
    }
    Callee::Undecided(Some(withheld!(
        "`{}` is awaited elsewhere in this module, but is imported, and the module does not show what it gives: `await` it if that is a coroutine",
        module.first_line(&*call.func)
    )))
}

/// Whether a call is given a function, which may decide what it gives: `pipe(message, agent.post)`.
fn is_given_function<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let is_called = |name: &str| {
        let mut calls = module.calls().iter();
        calls.any(
            |other| matches!(&*other.func, Expr::Attribute(method) if method.attr.as_str() == name),
        )
    };
    let mut arguments = call.arguments.iter_source_order();
    arguments.any(|argument| match argument.value() {
        Expr::Lambda(_) => true,
        Expr::Attribute(attribute) => is_called(attribute.attr.as_str()),
        Expr::Name(name) => module
            .only_binding(name)
            .is_some_and(|binding| matches!(binding.kind, BindingKind::Function(_))),
        _ => false,
    })
}

/// `self.queue.put(x)`, where `self.queue` is an object of asyncio whenever something is assigned
/// to an attribute of that name.
fn is_attribute_method<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let Expr::Attribute(method) = &*call.func else {
        return false;
    };
    let Expr::Attribute(attribute) = &*method.value else {
        return false;
    };
    let Expr::Name(receiver) = &*attribute.value else {
        return false;
    };
    let Some(class) = module.class_of_self(receiver) else {
        return false;
    };
    let name = attribute.attr.as_str();
    if !COROUTINE_METHODS.contains(&method.attr.as_str()) || !module.stores_attribute(name) {
        return false;
    }
    let stores = |node: AnyNodeRef<'a>| {
        module.descendants(node).filter(move |node| {
            matches!(node, AnyNodeRef::ExprAttribute(other) if other.attr.as_str() == name && !other.ctx.is_load())
        })
    };
    let mut own = stores(class.into());
    let (Some(store), None) = (own.next(), own.next()) else {
        return false;
    };
    let value = match module.parent(store) {
        Some(AnyNodeRef::StmtAssign(assign)) => &*assign.value,
        Some(AnyNodeRef::StmtAnnAssign(assign)) => match assign.value.as_deref() {
            Some(value) => value,
            None => return false,
        },
        _ => return false,
    };
    let Expr::Call(made) = value else {
        return false;
    };
    let is_known = module
        .qualified_name(&made.func)
        .is_some_and(|class| is_coroutine_method(&class, method.attr.as_str()));
    if !is_known || stores(module.root()).count() != 1 {
        return false;
    }
    // A class attribute of that name is something else.
    let in_class = class.body.iter().any(|stmt| match stmt {
        Stmt::FunctionDef(function) => function.name.as_str() == name,
        Stmt::Assign(assign) => module.mentions(assign, name),
        _ => false,
    });
    !in_class
}

/// The methods in [`is_coroutine_method`].
const COROUTINE_METHODS: &[&str] = &[
    "abort", "acquire", "get", "join", "put", "reset", "wait", "wait_for",
];

/// The coroutine methods of what asyncio's constructors make.
fn is_coroutine_method(class: &str, method: &str) -> bool {
    match class {
        "asyncio.Event" => method == "wait",
        "asyncio.Lock" | "asyncio.Semaphore" | "asyncio.BoundedSemaphore" => method == "acquire",
        "asyncio.Condition" => matches!(method, "acquire" | "wait" | "wait_for"),
        "asyncio.Queue" | "asyncio.PriorityQueue" | "asyncio.LifoQueue" => {
            matches!(method, "get" | "put" | "join")
        }
        "asyncio.Barrier" => matches!(method, "wait" | "reset" | "abort"),
        _ => false,
    }
}
