//! The class that an expression is an instance of, as far as the module shows it.

use engine::Context;
use python::ast::{self, AnyNodeRef, Expr, Operator};
use python::{Binding, BindingKind, Ranged};

use super::meaning::{canonical, is_plain};
use super::table;

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
            // `def folder() -> Path:`
            if let Some(function) = module.function_definition(&call.func)
                && let Some(returns) = &function.returns
            {
                let gives_it = !function.is_async && is_plain(cx, function);
                return gives_it.then(|| annotated(cx, returns)).flatten();
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
