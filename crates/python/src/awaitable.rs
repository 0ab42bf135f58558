//! What an expression gives to `await`, as far as one module can tell.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use crate::index::{Binding, BindingKind, ScopeKind};
use crate::module::Module;

/// What the value of an expression is to asyncio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaitable {
    /// A coroutine object: it runs only once it is awaited or made into a task.
    Coroutine,
    /// A task: it runs already.
    Task,
    /// A future that is not known to be a task.
    Future,
    /// Nothing that this module shows.
    Unknown,
}

/// Functions of asyncio that are coroutine functions (`inspect.iscoroutinefunction`).
const COROUTINE_FUNCTIONS: &[&str] = &[
    "asyncio.sleep",
    "asyncio.wait_for",
    "asyncio.wait",
    "asyncio.to_thread",
    "asyncio.open_connection",
    "asyncio.open_unix_connection",
    "asyncio.start_server",
    "asyncio.start_unix_server",
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
];

/// Functions of asyncio that give a future which is not a coroutine.
const FUTURE_FUNCTIONS: &[&str] = &["asyncio.gather", "asyncio.shield", "asyncio.wrap_future"];

/// The coroutine methods of what asyncio's constructors make.
const COROUTINE_METHODS: &[(&str, &[&str])] = &[
    ("asyncio.Event", &["wait"]),
    ("asyncio.Lock", &["acquire"]),
    ("asyncio.Semaphore", &["acquire"]),
    ("asyncio.BoundedSemaphore", &["acquire"]),
    ("asyncio.Condition", &["acquire", "wait", "wait_for"]),
    ("asyncio.Queue", &["get", "put", "join"]),
    ("asyncio.PriorityQueue", &["get", "put", "join"]),
    ("asyncio.LifoQueue", &["get", "put", "join"]),
    ("asyncio.Barrier", &["wait", "reset", "abort"]),
    (
        "asyncio.StreamReader",
        &["read", "readline", "readexactly", "readuntil"],
    ),
    ("asyncio.StreamWriter", &["drain", "wait_closed"]),
    ("asyncio.subprocess.Process", &["wait", "communicate"]),
];

/// Decorators that leave a method's first parameter what it is.
const PASSING_SELF: &[&str] = &[
    "abc.abstractmethod",
    "asyncio.coroutine",
    "contextlib.asynccontextmanager",
    "contextlib.contextmanager",
    "types.coroutine",
];

impl<'a> Module<'a> {
    /// Whether a function is a coroutine of the time before `async def`, which waits by `yield from`:
    /// `@asyncio.coroutine def` or `@types.coroutine def`.
    pub fn is_generator_based(&self, function: &ast::StmtFunctionDef) -> bool {
        function.decorator_list.iter().any(|decorator| {
            ["asyncio.coroutine", "types.coroutine"]
                .iter()
                .any(|name| self.refers_to(&decorator.expression, name))
        })
    }

    /// What `expr` gives to `await`.
    pub fn awaitable(&self, expr: &Expr) -> Awaitable {
        match expr {
            Expr::Call(call) => self.awaitable_call(call),
            Expr::Name(name) => match self.only_binding(name).map(|binding| binding.kind) {
                // A task stays one however often it is named. A coroutine too, but only one of
                // its uses can run it.
                Some(BindingKind::Value(value @ Expr::Call(_))) => self.awaitable(value),
                _ => Awaitable::Unknown,
            },
            _ => Awaitable::Unknown,
        }
    }

    /// What the value of a call gives to `await`.
    pub fn awaitable_call(&self, call: &ast::ExprCall) -> Awaitable {
        if self.coroutine_function(&call.func).is_some() {
            return Awaitable::Coroutine;
        }
        if let Some(name) = self.qualified_name(&call.func) {
            let name = name.as_str();
            if COROUTINE_FUNCTIONS.contains(&name) {
                return Awaitable::Coroutine;
            }
            if FUTURE_FUNCTIONS.contains(&name) {
                return Awaitable::Future;
            }
            return match name {
                "asyncio.create_task" => Awaitable::Task,
                // It gives back what it was given, if that is a future of another kind.
                "asyncio.ensure_future" => match call.arguments.args.first() {
                    Some(argument) if self.awaitable(argument) == Awaitable::Coroutine => {
                        Awaitable::Task
                    }
                    _ => Awaitable::Future,
                },
                "asyncio.Future" => Awaitable::Future,
                "asyncio.Task" => Awaitable::Task,
                _ => Awaitable::Unknown,
            };
        }
        let Expr::Attribute(method) = &*call.func else {
            return Awaitable::Unknown;
        };
        if self.is_loop(&method.value) {
            return match method.attr.as_str() {
                "create_task" => Awaitable::Task,
                "run_in_executor" | "create_future" => Awaitable::Future,
                _ => Awaitable::Unknown,
            };
        }
        let Some(class) = self.asyncio_class(&method.value) else {
            return Awaitable::Unknown;
        };
        let is_coroutine = COROUTINE_METHODS
            .iter()
            .any(|(name, methods)| *name == class && methods.contains(&method.attr.as_str()));
        if is_coroutine {
            Awaitable::Coroutine
        } else {
            Awaitable::Unknown
        }
    }

    /// The coroutine function of this module that a call of `func` runs: an undecorated
    /// `async def` without `yield`, the only thing bound to its name, or such a method called on
    /// `self` that no other class of the module has under the same name.
    pub fn coroutine_function(&self, func: &Expr) -> Option<&'a ast::StmtFunctionDef> {
        let function = self.function_definition(func)?;
        let is_coroutine =
            function.is_async && function.decorator_list.is_empty() && !self.is_generator(function);
        is_coroutine.then_some(function)
    }

    /// The function of this module that a call of `func` runs, if nothing else is bound to its
    /// name: a plain name, or a method called on `self` or on a new instance.
    pub fn function_definition(&self, func: &Expr) -> Option<&'a ast::StmtFunctionDef> {
        match func {
            Expr::Name(name) => match self.only_binding(name)?.kind {
                BindingKind::Function(function) => Some(function),
                _ => None,
            },
            Expr::Attribute(attribute) => {
                let class = match &*attribute.value {
                    Expr::Name(receiver) => self
                        .class_of_self(receiver)
                        .or_else(|| self.class_of_instance(&attribute.value))?,
                    instance => self.class_of_instance(instance)?,
                };
                self.method(class, attribute.attr.as_str())
            }
            _ => None,
        }
    }

    /// The class of this module that `expr` is a new instance of: `C()`, or a name that is bound
    /// to nothing else. None where a decorator, a metaclass or `__new__` may give something else.
    fn class_of_instance(&self, expr: &Expr) -> Option<&'a ast::StmtClassDef> {
        let call = match expr {
            Expr::Call(call) => call,
            Expr::Name(name) => match self.only_binding(name)?.kind {
                BindingKind::Value(Expr::Call(call)) => call,
                _ => return None,
            },
            _ => return None,
        };
        let Expr::Name(name) = &*call.func else {
            return None;
        };
        let BindingKind::Class(class) = self.only_binding(name)?.kind else {
            return None;
        };
        let is_plain = class
            .arguments
            .as_ref()
            .is_none_or(|arguments| arguments.keywords.is_empty());
        let is_known = class.decorator_list.iter().all(|decorator| {
            let decorator = match &decorator.expression {
                Expr::Call(call) => &*call.func,
                other => other,
            };
            self.refers_to(decorator, "dataclasses.dataclass")
        });
        let makes_others = class.body.iter().any(
            |stmt| matches!(stmt, ast::Stmt::FunctionDef(method) if method.name.as_str() == "__new__"),
        );
        (is_plain && is_known && !makes_others).then_some(class)
    }

    /// The class whose method has `receiver` as its first parameter.
    pub fn class_of_self(&self, receiver: &ast::ExprName) -> Option<&'a ast::StmtClassDef> {
        let symbol = self.symbol(receiver)?;
        let [binding] = symbol.bindings.as_slice() else {
            return None;
        };
        if !matches!(binding.kind, BindingKind::Parameter) {
            return None;
        }
        let ScopeKind::Function(method) = self.scope_data(symbol.scope).kind else {
            return None;
        };
        let first = method.parameters.iter_non_variadic_params().next()?;
        // A class method or static method is decorated, and gets something else.
        let passes_self = |decorator: &ast::Decorator| {
            PASSING_SELF
                .iter()
                .any(|name| self.refers_to(&decorator.expression, name))
        };
        if first.name().as_str() != receiver.id || !method.decorator_list.iter().all(passes_self) {
            return None;
        }
        match self.parent(method)? {
            AnyNodeRef::StmtClassDef(class) => Some(class),
            _ => None,
        }
    }

    /// The method `name` of `class`, if no other class of the module has something of that name
    /// and nothing is assigned to an attribute of that name.
    fn method(&self, class: &ast::StmtClassDef, name: &str) -> Option<&'a ast::StmtFunctionDef> {
        if self.stores_attribute(name) {
            return None;
        }
        let mut found = None;
        for symbol in self.index.symbols_named(name) {
            let ScopeKind::Class(owner) = self.scope_data(symbol.scope).kind else {
                continue;
            };
            if self.id(owner) != self.id(class) {
                return None;
            }
            match symbol.bindings.as_slice() {
                [binding] => match binding.kind {
                    BindingKind::Function(function) => found = Some(function),
                    _ => return None,
                },
                _ => return None,
            }
        }
        found
    }

    /// Whether `expr` is an event loop: a call of asyncio's functions that give one, or a name
    /// that is bound to nothing but such calls, or is a parameter of that type.
    pub fn is_loop(&self, expr: &Expr) -> bool {
        const GIVE_A_LOOP: &[&str] = &[
            "asyncio.get_event_loop",
            "asyncio.get_running_loop",
            "asyncio.new_event_loop",
        ];
        match expr {
            Expr::Call(call) => self
                .qualified_name(&call.func)
                .is_some_and(|name| GIVE_A_LOOP.contains(&name.as_str())),
            Expr::Name(name) => self.symbol(name).is_some_and(|symbol| {
                !symbol.bindings.is_empty()
                    && symbol.bindings.iter().all(|binding| match binding.kind {
                        BindingKind::Value(value @ Expr::Call(_)) => self.is_loop(value),
                        BindingKind::Parameter => self.is_declared_loop(binding),
                        _ => false,
                    })
            }),
            _ => false,
        }
    }

    /// Whether a parameter is annotated as an event loop.
    fn is_declared_loop(&self, parameter: &Binding<'a>) -> bool {
        let AnyNodeRef::Parameter(parameter) = self.node(parameter.node) else {
            return false;
        };
        parameter.annotation.as_deref().is_some_and(|annotation| {
            self.refers_to(annotation, "asyncio.AbstractEventLoop")
                || self.refers_to(annotation, "asyncio.BaseEventLoop")
        })
    }

    /// The class of asyncio that `expr`, a name with one binding, is an instance of.
    fn asyncio_class(&self, expr: &Expr) -> Option<String> {
        let Expr::Name(name) = expr else {
            return None;
        };
        match self.only_binding(name)?.kind {
            BindingKind::Value(Expr::Call(call)) => self.qualified_name(&call.func),
            BindingKind::Value(Expr::Await(awaited)) => {
                let Expr::Call(call) = &*awaited.value else {
                    return None;
                };
                matches!(
                    self.qualified_name(&call.func)?.as_str(),
                    "asyncio.create_subprocess_exec" | "asyncio.create_subprocess_shell"
                )
                .then(|| "asyncio.subprocess.Process".to_string())
            }
            BindingKind::Unpacked(Expr::Await(awaited), Some(position)) => {
                let Expr::Call(call) = &*awaited.value else {
                    return None;
                };
                let opens = matches!(
                    self.qualified_name(&call.func)?.as_str(),
                    "asyncio.open_connection" | "asyncio.open_unix_connection"
                );
                match position {
                    0 if opens => Some("asyncio.StreamReader".to_string()),
                    1 if opens => Some("asyncio.StreamWriter".to_string()),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
