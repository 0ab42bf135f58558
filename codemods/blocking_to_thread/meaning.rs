//! What a call reaches, and what its receiver is: the questions to which one module has only a
//! part of the answers.

use engine::Context;
use python::ast::{self, AnyNodeRef, Expr, ExprCall, Operator, Stmt, StmtFunctionDef};
use python::{Binding, BindingKind, Ranged};

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

/// What gives an instance of a class that is not called as the class is.
const GIVE: &[(&str, &str)] = &[
    ("pathlib.Path.cwd", "pathlib.Path"),
    ("pathlib.Path.home", "pathlib.Path"),
    ("pathlib.PosixPath", "pathlib.Path"),
    ("requests.session", "requests.Session"),
    ("sqlite3.connect", "sqlite3.Connection"),
    ("ssl.create_default_context", "ssl.SSLContext"),
    ("socket.create_connection", "socket.socket"),
    ("http.client.HTTPSConnection", "http.client.HTTPConnection"),
];

/// Methods that give an instance of a class.
const METHODS_GIVE: &[(&str, &[&str], &str)] = &[
    (
        "pathlib.Path",
        &[
            "absolute",
            "expanduser",
            "joinpath",
            "readlink",
            "relative_to",
            "rename",
            "replace",
            "resolve",
            "with_name",
            "with_segments",
            "with_stem",
            "with_suffix",
        ],
        "pathlib.Path",
    ),
    (
        "sqlite3.Connection",
        &["cursor", "execute", "executemany", "executescript"],
        "sqlite3.Cursor",
    ),
    (
        "sqlite3.Cursor",
        &["execute", "executemany", "executescript"],
        "sqlite3.Cursor",
    ),
    (
        "concurrent.futures.ThreadPoolExecutor",
        &["submit"],
        "concurrent.futures.Future",
    ),
    (
        "concurrent.futures.ProcessPoolExecutor",
        &["submit"],
        "concurrent.futures.Future",
    ),
];

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

/// The dotted name of the class that `expr` is an instance of, as far as the module shows it.
pub(super) fn class_of(cx: &Context<'_, '_>, expr: &Expr) -> Option<String> {
    class_within(cx, expr, 8)
}

/// The same, through no more than `depth` names.
fn class_within(cx: &Context<'_, '_>, expr: &Expr, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let module = cx.module;
    match expr {
        Expr::Call(call) => {
            if let Some(name) = module.qualified_name(&call.func) {
                return made_by(&canonical(name));
            }
            let Expr::Attribute(method) = &*call.func else {
                return None;
            };
            let known = METHODS_GIVE
                .iter()
                .any(|(_, methods, _)| methods.contains(&method.attr.as_str()));
            if !known {
                return None;
            }
            let class = class_within(cx, &method.value, depth)?;
            METHODS_GIVE
                .iter()
                .find(|(of, methods, _)| *of == class && methods.contains(&method.attr.as_str()))
                .map(|(_, _, gives)| (*gives).to_string())
        }
        Expr::BinOp(operation) if operation.op == Operator::Div => {
            let path =
                |side: &Expr| class_within(cx, side, depth).filter(|class| class == "pathlib.Path");
            path(&operation.left).or_else(|| path(&operation.right))
        }
        Expr::Attribute(attribute) if attribute.attr.as_str() == "parent" => {
            class_within(cx, &attribute.value, depth).filter(|class| class == "pathlib.Path")
        }
        Expr::Attribute(attribute) => class_of_attribute(cx, attribute, depth),
        Expr::Subscript(subscript) => match &*subscript.value {
            Expr::Attribute(attribute) if attribute.attr.as_str() == "parents" => {
                class_within(cx, &attribute.value, depth).filter(|class| class == "pathlib.Path")
            }
            _ => None,
        },
        Expr::Named(named) => class_within(cx, &named.value, depth),
        Expr::If(choice) => {
            let class = class_within(cx, &choice.body, depth)?;
            (class_within(cx, &choice.orelse, depth)? == class).then_some(class)
        }
        Expr::Name(name) => {
            let mut found: Option<String> = None;
            for binding in &module.symbol(name)?.bindings {
                let class = match class_of_binding(cx, binding, depth) {
                    Bound::Nothing => continue,
                    Bound::Unknown => return None,
                    Bound::Class(class) => class,
                };
                if found.as_ref().is_some_and(|other| *other != class) {
                    return None;
                }
                found = Some(class);
            }
            found
        }
        _ => None,
    }
}

/// The class that a call of `name` gives an instance of.
fn made_by(name: &str) -> Option<String> {
    if let Some((_, class)) = GIVE.iter().find(|(maker, _)| *maker == name) {
        return Some((*class).to_string());
    }
    table::is_class(name).then(|| name.to_string())
}

/// What a binding says of the class of its name.
enum Bound {
    /// Nothing: it binds None, or nothing at all.
    Nothing,
    /// It may be anything.
    Unknown,
    Class(String),
}

impl From<Option<String>> for Bound {
    fn from(class: Option<String>) -> Self {
        class.map_or(Bound::Unknown, Bound::Class)
    }
}

fn class_of_binding(cx: &Context<'_, '_>, binding: &Binding<'_>, depth: usize) -> Bound {
    let module = cx.module;
    let node = module.node(binding.node);
    match binding.kind {
        BindingKind::Value(value) => {
            if let Some(AnyNodeRef::StmtAnnAssign(assign)) = module.parent(node) {
                return annotated(cx, &assign.annotation).into();
            }
            match value {
                Expr::NoneLiteral(_) => Bound::Nothing,
                _ => class_within(cx, value, depth).into(),
            }
        }
        BindingKind::Declared => match module.parent(node) {
            Some(AnyNodeRef::StmtAnnAssign(assign)) => annotated(cx, &assign.annotation).into(),
            _ => Bound::Unknown,
        },
        // What is entered as itself.
        BindingKind::With(context, false) => class_within(cx, context, depth)
            .filter(|class| ENTERED_AS_THEMSELVES.contains(&class.as_str()))
            .into(),
        BindingKind::Parameter => match node {
            AnyNodeRef::Parameter(parameter) => parameter
                .annotation
                .as_deref()
                .and_then(|annotation| annotated(cx, annotation))
                .into(),
            _ => Bound::Unknown,
        },
        BindingKind::Loop => {
            let iterable = module.ancestors(node).find_map(|parent| match parent {
                AnyNodeRef::StmtFor(stmt) => Some((&*stmt.target, &*stmt.iter)),
                AnyNodeRef::Comprehension(clause) => Some((&clause.target, &clause.iter)),
                _ => None,
            });
            match iterable {
                Some((target, iterable)) if target.range() == node.range() => {
                    element(cx, iterable, depth).into()
                }
                _ => Bound::Unknown,
            }
        }
        BindingKind::Augmented => Bound::Nothing, // `path /= name`
        BindingKind::Deleted => Bound::Nothing,
        _ => Bound::Unknown,
    }
}

const ENTERED_AS_THEMSELVES: &[&str] = &[
    "http.client.HTTPConnection",
    "httpx.Client",
    "requests.Session",
    "socket.socket",
    "sqlite3.Connection",
    "subprocess.Popen",
    "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.ProcessPoolExecutor",
    "urllib3.PoolManager",
];

/// The class of what an iterable gives: `sorted(path.glob("*"))`.
fn element(cx: &Context<'_, '_>, iterable: &Expr, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let Expr::Call(call) = iterable else {
        return None;
    };
    match &*call.func {
        Expr::Attribute(method) if matches!(method.attr.as_str(), "iterdir" | "glob" | "rglob") => {
            class_within(cx, &method.value, depth).filter(|class| class == "pathlib.Path")
        }
        Expr::Name(name)
            if matches!(name.id.as_str(), "sorted" | "list" | "reversed" | "tuple") =>
        {
            element(cx, call.arguments.args.first()?, depth)
        }
        _ => None,
    }
}

/// The class that an annotation names.
fn annotated(cx: &Context<'_, '_>, annotation: &Expr) -> Option<String> {
    let name = canonical(cx.module.annotated_class(annotation)?);
    made_by(&name)
}

/// The class of `self.name`: what all assignments to it in its class, and its declaration there,
/// agree on.
fn class_of_attribute(
    cx: &Context<'_, '_>,
    attribute: &ast::ExprAttribute,
    depth: usize,
) -> Option<String> {
    let module = cx.module;
    let Expr::Name(receiver) = &*attribute.value else {
        return None;
    };
    let class = module.class_of_self(receiver)?;
    let root = module.id(class);
    let fields = cx.remember("fields", root, || fields(cx, class, depth));
    let mut known = fields
        .iter()
        .filter(|(name, _)| *name == attribute.attr.as_str());
    let (_, first) = known.next()?;
    known
        .all(|(_, other)| other == first)
        .then(|| first.clone())
        .flatten()
}

/// What is assigned to the attributes of `self` in a class, and how they are declared, with their
/// classes.
fn fields(
    cx: &Context<'_, '_>,
    class: &ast::StmtClassDef,
    depth: usize,
) -> Vec<(String, Option<String>)> {
    let module = cx.module;
    let mut fields = Vec::new();
    let of_self = |target: &Expr| match target {
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(receiver) => module
                .class_of_self(receiver)
                .is_some_and(|it| module.id(it) == module.id(class))
                .then(|| attribute.attr.to_string()),
            _ => None,
        },
        _ => None,
    };
    for node in module.descendants(class) {
        match node {
            AnyNodeRef::StmtAnnAssign(assign) => {
                let name = match &*assign.target {
                    Expr::Name(name) if matches!(module.parent(assign), Some(AnyNodeRef::StmtClassDef(it)) if module.id(it) == module.id(class)) => {
                        Some(name.id.to_string())
                    }
                    target => of_self(target),
                };
                if let Some(name) = name {
                    fields.push((name, annotated(cx, &assign.annotation)));
                }
            }
            AnyNodeRef::StmtAssign(assign) => {
                for target in &assign.targets {
                    match target {
                        Expr::Tuple(tuple) => {
                            fields
                                .extend(tuple.elts.iter().filter_map(of_self).map(|it| (it, None)));
                        }
                        _ if assign.value.is_none_literal_expr() => {}
                        _ => {
                            if let Some(name) = of_self(target) {
                                fields.push((name, class_within(cx, &assign.value, depth)));
                            }
                        }
                    }
                }
            }
            AnyNodeRef::WithItem(item) => {
                let target = item.optional_vars.as_deref();
                fields.extend(target.and_then(of_self).map(|name| (name, None)));
            }
            _ => {}
        }
    }
    fields
}
