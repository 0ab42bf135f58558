//! What a call reaches, and what its receiver is: the questions to which one module has only a
//! part of the answers.

use engine::Context;
use python::BindingKind;
use python::ast::{self, Expr, ExprCall, Stmt, StmtFunctionDef};

use super::class::class_of;
use super::table::{self, Category, EXTENDED, Group, HOLDS_LOCK, InThread};
use super::typed;

/// What a call does.
#[derive(Clone, Debug)]
pub(super) enum Callee<'a> {
    /// It blocks.
    Blocking(Blocking),
    /// It runs this plain function of the module.
    Function(&'a StmtFunctionDef),
    /// It runs code that this module does not show. Where the name is imported or a builtin, this
    /// is it; where it is a method of a known class, with the class.
    Named(String),
    /// Nothing is known.
    Unknown,
}

/// A call that blocks.
#[derive(Clone, Debug)]
pub(super) struct Blocking {
    /// Its name, as the table or the configuration has it.
    pub(super) name: String,
    /// What is to be said of it.
    pub(super) group: &'static Group,
}

impl Blocking {
    /// Whether it gives an iterator, which reads while it is iterated.
    pub(super) fn is_iterator(&self) -> bool {
        self.group.category == Category::Files && self.group.in_thread == InThread::Later
    }
}

/// What the configuration says.
#[derive(Debug)]
pub(super) struct Configured {
    extend: Vec<String>,
    allow: Vec<String>,
}

impl Configured {
    pub(super) fn of(cx: &Context<'_, '_>) -> std::rc::Rc<Self> {
        let root = cx.module.id(cx.module.root());
        cx.remember("configuration", root, || Configured {
            extend: cx.names("extend"),
            allow: cx.names("allow"),
        })
    }

    pub(super) fn blocking(&self, name: &str) -> Option<Blocking> {
        let is_in = |allowed: &String| {
            name.strip_prefix(allowed.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if self.allow.iter().any(is_in) {
            return None;
        }
        let extended = || {
            self.extend.iter().any(|it| it == name).then(|| {
                let holds_lock = HOLDS_LOCK.names.contains(&name);
                if holds_lock { &HOLDS_LOCK } else { &EXTENDED }
            })
        };
        let group = table::find(name).or_else(extended)?;
        Some(Blocking {
            name: name.to_string(),
            group,
        })
    }

    /// The classes that have a blocking method of this name.
    pub(super) fn classes_with<'c>(&'c self, method: &'c str) -> impl Iterator<Item = &'c str> {
        let extended = self.extend.iter().filter_map(move |name| {
            let (class, last) = name.rsplit_once('.')?;
            (last == method && table::is_class(class)).then_some(class)
        });
        table::classes_with(method).iter().copied().chain(extended)
    }
}

/// What a call does: the one place that decides it. Where it says `Unknown`, the module does not
/// show it, and whoever knows more than one module may be asked.
pub(super) fn callee<'a>(cx: &Context<'a, '_>, call: &ExprCall) -> Callee<'a> {
    let module = cx.module;
    let configured = Configured::of(cx);
    if let Some(name) = module.qualified_name(&call.func) {
        let name = canonical(name);
        return match configured.blocking(&name) {
            Some(blocking) => Callee::Blocking(blocking),
            None => Callee::Named(name),
        };
    }
    if let Some(function) = function(cx, &call.func) {
        return Callee::Function(function);
    }
    let Expr::Attribute(method) = &*call.func else {
        return Callee::Unknown;
    };
    let name = method.attr.as_str();
    let may_block = configured
        .classes_with(name)
        .any(|class| is_imported(cx, class));
    let is_of_loop = || {
        LOOP_OBJECTS
            .iter()
            .any(|(_, methods)| methods.contains(&name))
    };
    let class = if may_block || is_of_loop() {
        class_of(cx, &method.value)
    } else {
        None
    };
    match class {
        Some(class) => {
            let name = format!("{class}.{name}");
            match configured.blocking(&name) {
                Some(blocking) => Callee::Blocking(blocking),
                None => Callee::Named(name),
            }
        }
        None => match typed::blocking(cx, call, method, &configured, may_block) {
            Some(blocking) => Callee::Blocking(blocking),
            None => Callee::Unknown,
        },
    }
}

/// Methods of asyncio's objects, which belong to the thread of the event loop.
const LOOP_OBJECTS: &[(&str, &[&str])] = &[
    ("asyncio.Event", &["clear", "set"]),
    ("asyncio.Queue", &["get_nowait", "put_nowait", "task_done"]),
    ("asyncio.Lock", &["release"]),
    ("asyncio.Future", &["set_result", "set_exception", "cancel"]),
    ("asyncio.Task", &["cancel"]),
    ("contextvars.ContextVar", &["set"]),
];

/// The plain function of this module that a call of `func` runs in the caller's thread.
fn function<'a>(cx: &Context<'a, '_>, func: &Expr) -> Option<&'a StmtFunctionDef> {
    let module = cx.module;
    let function = module
        .function_definition(func)
        .or_else(|| constructor(cx, func))?;
    is_plain(cx, function).then_some(function)
}

/// Whether a call of a function runs it in the caller's thread, as far as its decorators tell.
pub(super) fn is_plain(cx: &Context<'_, '_>, function: &StmtFunctionDef) -> bool {
    let module = cx.module;
    let is_transparent = |decorator: &ast::Decorator| {
        let expr = match &decorator.expression {
            Expr::Call(call) => &*call.func,
            expr => expr,
        };
        matches!(expr, Expr::Name(name) if matches!(name.id.as_str(), "staticmethod" | "classmethod"))
            || [
                "functools.cache",
                "functools.lru_cache",
                "functools.wraps",
                "typing.override",
                "typing_extensions.override",
                "typing.no_type_check",
            ]
            .iter()
            .any(|name| module.refers_to(expr, name))
    };
    // Any other decorator may run it elsewhere.
    !function.is_async && function.decorator_list.iter().all(is_transparent)
}

/// `__init__` of the class of this module that a call of `func` makes an instance of.
fn constructor<'a>(cx: &Context<'a, '_>, func: &Expr) -> Option<&'a StmtFunctionDef> {
    let Expr::Name(name) = func else {
        return None;
    };
    let BindingKind::Class(class) = cx.module.only_binding(name)?.kind else {
        return None;
    };
    match made_in(cx, class) {
        Making::By(init) => Some(init),
        Making::Plainly | Making::Unknown => None,
    }
}

/// How the instances of a class are made.
pub(super) enum Making<'a> {
    /// By its `__init__`.
    By(&'a StmtFunctionDef),
    /// As its bases make them.
    Plainly,
    /// A decorator, a metaclass or `__new__` may make something else.
    Unknown,
}

pub(super) fn made_in<'a>(cx: &Context<'a, '_>, class: &'a ast::StmtClassDef) -> Making<'a> {
    let has_metaclass = class
        .arguments
        .as_ref()
        .is_some_and(|arguments| !arguments.keywords.is_empty());
    let is_data = |decorator: &ast::Decorator| {
        let expr = match &decorator.expression {
            Expr::Call(call) => &*call.func,
            expr => expr,
        };
        cx.module.refers_to(expr, "dataclasses.dataclass")
    };
    if has_metaclass || !class.decorator_list.iter().all(is_data) {
        return Making::Unknown;
    }
    let method = |wanted: &str| {
        class.body.iter().find_map(|stmt| match stmt {
            Stmt::FunctionDef(function) if function.name.as_str() == wanted => Some(function),
            _ => None,
        })
    };
    if method("__new__").is_some() || method("__post_init__").is_some() {
        return Making::Unknown;
    }
    method("__init__").map_or(Making::Plainly, Making::By)
}

/// Classes that have other names as well.
const ALIASES: &[(&str, &str)] = &[
    ("requests.api.", "requests."),
    ("requests.sessions.", "requests."),
    ("concurrent.futures.thread.", "concurrent.futures."),
    ("concurrent.futures._base.", "concurrent.futures."),
    ("urllib3.poolmanager.", "urllib3."),
    ("urllib3.connectionpool.", "urllib3."),
    ("posixpath.", "os.path."),
    ("httpx2.", "httpx."),
    ("httpx._client.", "httpx."),
    ("paramiko.client.", "paramiko."),
    ("_queue.", "queue."),
    ("_thread.RLock", "threading.RLock"),
    ("_thread.lock", "threading.Lock"),
    ("pathlib._local.", "pathlib."),
];

/// The name that the table has for what also has another one.
pub(super) fn canonical(name: String) -> String {
    for (alias, short) in ALIASES {
        if let Some(rest) = name.strip_prefix(alias) {
            return format!("{short}{rest}");
        }
    }
    name
}

/// Whether the module has an import of the package that `class` is in.
fn is_imported(cx: &Context<'_, '_>, class: &str) -> bool {
    let package = class.split('.').next().unwrap_or_default();
    let root = cx.module.id(cx.module.root());
    let packages = cx.remember("packages", root, || {
        let mut packages: Vec<String> = Vec::new();
        for binding in cx
            .module
            .imported_symbols()
            .flat_map(|symbol| &symbol.bindings)
        {
            let name = match binding.kind {
                BindingKind::Import(alias) => alias.name.as_str(),
                BindingKind::FromImport(import, _) if import.level == 0 => {
                    import.module.as_deref().unwrap_or_default()
                }
                _ => continue,
            };
            let name = name.split('.').next().unwrap_or_default();
            if !packages.iter().any(|it| it == name) {
                packages.push(name.to_string());
            }
        }
        packages
    });
    packages.iter().any(|it| it == package)
        || (package == "httpx" && packages.iter().any(|it| it == "httpx2"))
}
