//! Of which class an object is, as it is annotated, made or entered; and what the classes of a module
//! have, for those who follow calls through several modules.

use std::collections::{BTreeMap, HashMap};

use engine::Context;
use python::ast::{self, AnyNodeRef, Expr, Operator, Stmt};
use python::{Binding, BindingKind, ScopeKind};

/// A class, as a module names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// One of the module itself, by its path in it.
    Here(String),
    /// One that is imported, by its dotted name.
    Imported(String),
}

/// No more names and attributes are followed from one expression: `x = x or y` names itself.
const STEPS: usize = 4;

/// What is called: `self._client.responses.create` is `responses.create` of what `_client` of a class
/// is.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    pub(super) class: Class,
    /// The attributes on the way to the method.
    pub(super) attributes: Vec<String>,
    pub(super) method: String,
}

/// What a class of a module has beside its methods.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) bases: Vec<Class>,
    /// The classes of its attributes.
    pub(super) attributes: HashMap<String, Class>,
}

impl Receiver {
    /// Of `func`, as far as this module shows whose method it is.
    pub(super) fn of<'a>(cx: &Context<'a, '_>, func: &'a Expr) -> Option<Self> {
        let Expr::Attribute(method) = func else {
            return None;
        };
        let mut attributes = Vec::new();
        let mut object = &*method.value;
        let class = loop {
            if let Some(class) = class_of(cx, object, STEPS) {
                break class;
            }
            let Expr::Attribute(attribute) = object else {
                return None;
            };
            attributes.insert(0, attribute.attr.to_string());
            object = &attribute.value;
        };
        Some(Self {
            class,
            attributes,
            method: method.attr.to_string(),
        })
    }
}

impl Members {
    /// Of all classes of a module, by their paths.
    pub(super) fn of_module(cx: &Context<'_, '_>) -> BTreeMap<String, Self> {
        let nodes = cx.module.descendants(cx.module.root());
        nodes
            .filter_map(|node| match node {
                AnyNodeRef::StmtClassDef(class) => Some((path(cx, class), Self::of(cx, class))),
                _ => None,
            })
            .collect()
    }

    fn of<'a>(cx: &Context<'a, '_>, class: &'a ast::StmtClassDef) -> Self {
        let mut members = Self {
            bases: class
                .bases()
                .iter()
                .filter_map(|base| named(cx, base))
                .collect(),
            ..Self::default()
        };
        let mut names: Vec<&str> = Vec::new();
        for node in cx.module.descendants(class) {
            let name = match node {
                AnyNodeRef::StmtAssign(assign) => assign
                    .targets
                    .iter()
                    .find_map(|target| attribute_name(cx, class, target)),
                AnyNodeRef::StmtAnnAssign(assign) => attribute_name(cx, class, &assign.target),
                AnyNodeRef::StmtFunctionDef(function) if is_property(cx, function) => {
                    Some(function.name.as_str())
                }
                _ => None,
            };
            names.extend(name);
        }
        names.sort_unstable();
        names.dedup();
        for name in names {
            if let Some(class) = of_attribute(cx, class, name, STEPS) {
                members.attributes.insert(name.to_string(), class);
            }
        }
        members
    }
}

/// The classes of what a module has bound to names, and of what its functions give, by their names.
pub(super) fn of_names(cx: &Context<'_, '_>) -> HashMap<String, Class> {
    let symbols = cx.module.globals().filter_map(|symbol| {
        let bindings = symbol.bindings.iter();
        let class = match symbol.bindings.as_slice() {
            [
                Binding {
                    kind: BindingKind::Function(function),
                    ..
                },
            ] => annotated(cx, function.returns.as_deref()?)?,
            _ => agreed(bindings.map(|binding| of_binding(cx, binding, STEPS)))?,
        };
        Some((symbol.name.to_string(), class))
    });
    symbols.collect()
}

/// The path of a class in its module: `Client.Request`.
pub(super) fn path<'a>(cx: &Context<'a, '_>, class: &'a ast::StmtClassDef) -> String {
    let mut parts = vec![class.name.to_string()];
    for around in cx.module.ancestors(class) {
        match around {
            AnyNodeRef::StmtClassDef(class) => parts.push(class.name.to_string()),
            AnyNodeRef::StmtFunctionDef(outer) => parts.push(format!("{}.<locals>", outer.name)),
            _ => {}
        }
    }
    parts.reverse();
    parts.join(".")
}

/// The class of this module that a name stands for, or an instance of it: `Client`, `self`, `cls`,
/// and a parameter that is annotated so.
pub(super) fn itself<'a>(
    cx: &Context<'a, '_>,
    name: &'a ast::ExprName,
) -> Option<&'a ast::StmtClassDef> {
    let module = cx.module;
    if let Some(class) = of_first(cx, name) {
        return Some(class);
    }
    let binding = module.only_binding(name)?;
    match binding.kind {
        BindingKind::Class(class) => Some(class),
        BindingKind::Parameter => match module.node(binding.node) {
            AnyNodeRef::Parameter(parameter) => match parameter.annotation.as_deref() {
                Some(Expr::Name(class)) => match module.only_binding(class)?.kind {
                    BindingKind::Class(class) => Some(class),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The class whose method has `name` as its first parameter: `self`, `cls`. Decorators keep that, but
/// for one.
fn of_first<'a>(cx: &Context<'a, '_>, name: &'a ast::ExprName) -> Option<&'a ast::StmtClassDef> {
    let module = cx.module;
    let symbol = module.symbol(name)?;
    let [
        Binding {
            kind: BindingKind::Parameter,
            ..
        },
    ] = symbol.bindings.as_slice()
    else {
        return None;
    };
    let ScopeKind::Function(method) = module.scope_data(symbol.scope).kind else {
        return None;
    };
    let first = method.parameters.iter_non_variadic_params().next()?;
    let is_static = method.decorator_list.iter().any(|decorator| {
        matches!(&decorator.expression, Expr::Name(name) if name.id.as_str() == "staticmethod")
    });
    if first.name().as_str() != name.id.as_str() || is_static {
        return None;
    }
    match module.parent(method)? {
        AnyNodeRef::StmtClassDef(class) => Some(class),
        _ => None,
    }
}

/// The class that an expression is an instance of: as it is annotated, made or entered in this
/// module.
fn class_of<'a>(cx: &Context<'a, '_>, expr: &'a Expr, left: usize) -> Option<Class> {
    let left = left.checked_sub(1)?;
    let module = cx.module;
    match expr {
        Expr::Call(_) | Expr::BoolOp(_) => of_value(cx, expr, left).class(),
        Expr::Name(name) => {
            if let Some(class) = itself(cx, name) {
                return Some(Class::Here(path(cx, class)));
            }
            let bindings = module.symbol(name)?.bindings.iter();
            agreed(bindings.map(|binding| of_binding(cx, binding, left)))
        }
        Expr::Attribute(attribute) => {
            let Expr::Name(receiver) = &*attribute.value else {
                return None;
            };
            of_attribute(cx, itself(cx, receiver)?, &attribute.attr, left)
        }
        _ => None,
    }
}

/// The class that an expression names.
fn named<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<Class> {
    if let Some(name) = cx.module.qualified_name(expr) {
        return Some(Class::Imported(name));
    }
    match expr {
        Expr::Name(name) => match cx.module.only_binding(name)?.kind {
            BindingKind::Class(class) => Some(Class::Here(path(cx, class))),
            _ => None,
        },
        // `Base[int]`
        Expr::Subscript(subscript) => named(cx, &subscript.value),
        _ => None,
    }
}

/// The class that an annotation names, `None` beside it left out.
fn annotated<'a>(cx: &Context<'a, '_>, annotation: &'a Expr) -> Option<Class> {
    let module = cx.module;
    if let Some(name) = module.annotated_class(annotation) {
        return Some(Class::Imported(name));
    }
    let here = |name: &str| {
        let symbol = module.lookup(name, annotation)?;
        match symbol.bindings.as_slice() {
            [
                Binding {
                    kind: BindingKind::Class(class),
                    ..
                },
            ] => Some(Class::Here(path(cx, class))),
            _ => None,
        }
    };
    match annotation {
        Expr::Name(name) => here(&name.id),
        Expr::StringLiteral(literal) => {
            let text = literal.value.to_str().trim();
            here(text.strip_suffix("| None").unwrap_or(text).trim())
        }
        Expr::BinOp(union) if union.op == Operator::BitOr => match (&*union.left, &*union.right) {
            (Expr::NoneLiteral(_), class) | (class, Expr::NoneLiteral(_)) => annotated(cx, class),
            _ => None,
        },
        Expr::Subscript(subscript) => match module.annotated_class(&subscript.value)?.as_str() {
            "typing.Optional" | "typing.Final" | "typing.ClassVar" => {
                annotated(cx, &subscript.slice)
            }
            _ => None,
        },
        _ => None,
    }
}

/// The class of the elements of what is annotated so: `list[Document]`.
fn annotated_elements<'a>(cx: &Context<'a, '_>, annotation: &'a Expr) -> Option<Class> {
    const OF_ELEMENTS: &[&str] = &[
        "Collection",
        "FrozenSet",
        "Iterable",
        "Iterator",
        "List",
        "Sequence",
        "Set",
        "frozenset",
        "list",
        "set",
    ];
    match annotation {
        Expr::Subscript(subscript) => {
            let name = match cx.module.qualified_name(&subscript.value) {
                Some(name) => name,
                None => cx.module.annotated_class(&subscript.value)?,
            };
            let last = name.rsplit('.').next().unwrap_or_default();
            if OF_ELEMENTS.contains(&last) {
                return annotated(cx, &subscript.slice);
            }
            match name.as_str() {
                "typing.Optional" | "typing.Final" | "typing.ClassVar" => {
                    annotated_elements(cx, &subscript.slice)
                }
                _ => None,
            }
        }
        Expr::BinOp(union) if union.op == Operator::BitOr => match (&*union.left, &*union.right) {
            (Expr::NoneLiteral(_), list) | (list, Expr::NoneLiteral(_)) => {
                annotated_elements(cx, list)
            }
            _ => None,
        },
        _ => None,
    }
}

/// What a place says of the class of its name.
enum Said {
    /// It is None there, or nothing.
    Nothing,
    Unknown,
    Class(Class),
}

impl From<Option<Class>> for Said {
    fn from(class: Option<Class>) -> Self {
        class.map_or(Said::Unknown, Said::Class)
    }
}

impl Said {
    fn class(self) -> Option<Class> {
        match self {
            Said::Class(class) => Some(class),
            Said::Nothing | Said::Unknown => None,
        }
    }
}

/// What all of them say, if they agree.
fn agreed(said: impl Iterator<Item = Said>) -> Option<Class> {
    let mut found = None;
    for said in said {
        match said {
            Said::Nothing => {}
            Said::Unknown => return None,
            Said::Class(class) if found.as_ref().is_none_or(|it| *it == class) => {
                found = Some(class);
            }
            Said::Class(_) => return None,
        }
    }
    found
}

fn of_binding<'a>(cx: &Context<'a, '_>, binding: &Binding<'a>, left: usize) -> Said {
    let module = cx.module;
    let node = module.node(binding.node);
    match binding.kind {
        BindingKind::Value(value) => match module.parent(node) {
            Some(AnyNodeRef::StmtAnnAssign(assign)) => annotated(cx, &assign.annotation).into(),
            _ => of_value(cx, value, left),
        },
        BindingKind::With(context, _) => of_value(cx, context, left),
        BindingKind::Parameter => match node {
            AnyNodeRef::Parameter(parameter) => parameter
                .annotation
                .as_deref()
                .and_then(|annotation| annotated(cx, annotation))
                .into(),
            _ => Said::Unknown,
        },
        BindingKind::Loop => super::number::loop_iterable(cx, node)
            .and_then(|iterable| of_elements(cx, iterable, left))
            .into(),
        _ => Said::Unknown,
    }
}

/// The class of the elements of an iterable that has an annotation, or is made of one that has.
fn of_elements<'a>(cx: &Context<'a, '_>, iterable: &'a Expr, left: usize) -> Option<Class> {
    let Expr::Name(name) = iterable else {
        return None;
    };
    let symbol = cx.module.symbol(name)?;
    let [binding] = symbol.bindings.as_slice() else {
        return None;
    };
    let node = cx.module.node(binding.node);
    match (binding.kind, node) {
        (BindingKind::Parameter, AnyNodeRef::Parameter(parameter)) => {
            annotated_elements(cx, parameter.annotation.as_deref()?)
        }
        (BindingKind::Value(value), _) => match (cx.module.parent(node), value) {
            (Some(AnyNodeRef::StmtAnnAssign(assign)), _) => {
                annotated_elements(cx, &assign.annotation)
            }
            // `[d for d in documents if d.embedding is None]`
            (_, Expr::ListComp(comprehension)) => match &*comprehension.elt {
                Expr::Name(_) => class_of(cx, &comprehension.elt, left),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Of a value that is not followed any further.
fn of_value<'a>(cx: &Context<'a, '_>, value: &'a Expr, left: usize) -> Said {
    match value {
        Expr::NoneLiteral(_) => Said::Nothing,
        Expr::Call(call) => match cx.module.function_definition(&call.func) {
            Some(function) => function
                .returns
                .as_deref()
                .and_then(|returns| annotated(cx, returns))
                .into(),
            None => named(cx, &call.func).into(),
        },
        // `self.client = client`, where `client` is a parameter.
        Expr::Name(name) => match cx.module.only_binding(name) {
            Some(binding) if matches!(binding.kind, BindingKind::Parameter) => {
                of_binding(cx, binding, left)
            }
            _ => Said::Unknown,
        },
        // `client or self.client`
        Expr::BoolOp(operation) => {
            let of_operand = |operand: &'a Expr| match operand {
                Expr::BoolOp(_) => Said::Unknown,
                Expr::Name(_) | Expr::Attribute(_) => class_of(cx, operand, left).into(),
                _ => of_value(cx, operand, left),
            };
            agreed(operation.values.iter().map(of_operand)).into()
        }
        _ => Said::Unknown,
    }
}

/// `@property`, `@functools.cached_property`
fn is_property<'a>(cx: &Context<'a, '_>, function: &'a ast::StmtFunctionDef) -> bool {
    function.decorator_list.iter().any(|decorator| {
        ["builtins.property", "functools.cached_property"]
            .iter()
            .any(|it| cx.module.refers_to(&decorator.expression, it))
    })
}

/// The attribute that something is assigned to: `self.name` in a method, and `name` in the body of
/// the class itself.
fn attribute_name<'a>(
    cx: &Context<'a, '_>,
    class: &'a ast::StmtClassDef,
    target: &'a Expr,
) -> Option<&'a str> {
    match target {
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(it) if of_first(cx, it).is_some() => Some(&attribute.attr),
            _ => None,
        },
        Expr::Name(name) => {
            let statement = cx.module.statement(target);
            let is_own = matches!(cx.module.parent(statement),
                Some(AnyNodeRef::StmtClassDef(around)) if cx.module.id(around) == cx.module.id(class));
            is_own.then_some(name.id.as_str())
        }
        _ => None,
    }
}

/// Of `self.name`: what it is annotated as, or a property of that name gives; else what all that is
/// assigned to it agrees on.
fn of_attribute<'a>(
    cx: &Context<'a, '_>,
    class: &'a ast::StmtClassDef,
    name: &str,
    left: usize,
) -> Option<Class> {
    let is_it = |target: &'a Expr| attribute_name(cx, class, target) == Some(name);
    let property = class.body.iter().find_map(|stmt| match stmt {
        Stmt::FunctionDef(function)
            if function.name.as_str() == name && is_property(cx, function) =>
        {
            Some(function)
        }
        _ => None,
    });
    if let Some(property) = property {
        return annotated(cx, property.returns.as_deref()?);
    }
    let nodes = || cx.module.descendants(class);
    let mut annotations = nodes().filter_map(|node| match node {
        AnyNodeRef::StmtAnnAssign(assign) if is_it(&assign.target) => Some(&*assign.annotation),
        _ => None,
    });
    if let Some(annotation) = annotations.next() {
        return annotated(cx, annotation);
    }
    let said = nodes().filter_map(|node| match node {
        AnyNodeRef::StmtAssign(assign) if assign.targets.iter().any(is_it) => {
            Some(of_value(cx, &assign.value, left))
        }
        _ => None,
    });
    agreed(said)
}
