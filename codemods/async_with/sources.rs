//! Where an expression takes its value from, and what a target binds, as far as names tell.

use python::ast::{AnyNodeRef, Expr, ExprCall, ExprName, Stmt, StmtClassDef};
use python::{BindingKind, Module, ScopeId, ScopeKind, Symbol};

use super::places::{Place, Step, Target};

/// A place from which an expression takes its value.
pub struct Source {
    /// The place.
    pub place: Place,
    /// How the value is taken from what is there.
    pub step: Step,
    /// Whether the place may be one of another file.
    pub is_outside: bool,
}

/// Methods that give what is in something, all of it.
const ALL: &[&str] = &["copy", "values"];

/// Methods that give one of what is in something.
const ONE: &[&str] = &["get", "get_nowait", "pop", "popleft", "setdefault"];

/// Builtins that give what is in their arguments.
const PASSING: &[&str] = &[
    "dict", "filter", "iter", "list", "reversed", "set", "sorted", "tuple",
];

/// The place of a name, and whether other files may mean it too.
pub fn place_of(module: &Module<'_>, symbol: &Symbol<'_>) -> Option<(Place, bool)> {
    if let Some(imported) = module.imported_as(symbol) {
        let last = imported.rsplit('.').next().unwrap_or(symbol.name);
        return Some((Place::Attribute(last.to_string()), true));
    }
    if symbol.scope == ScopeId::MODULE {
        return Some((Place::Global(symbol.name.to_string()), false));
    }
    match module.scope_data(symbol.scope).kind {
        ScopeKind::Class(_) => Some((Place::Attribute(symbol.name.to_string()), false)),
        _ => Some((Place::Local(symbol.bindings.first()?.node), false)),
    }
}

/// The class whose method has `receiver` as its first parameter, `cls` included.
pub fn owner<'a>(module: &Module<'a>, receiver: &Expr) -> Option<&'a StmtClassDef> {
    let Expr::Name(receiver) = receiver else {
        return None;
    };
    let symbol = module.symbol(receiver)?;
    let ScopeKind::Function(method) = module.scope_data(symbol.scope).kind else {
        return None;
    };
    let first = method.parameters.iter_non_variadic_params().next()?;
    let is_static = |it: &Expr| matches!(it, Expr::Name(name) if name.id == "staticmethod");
    let mut decorators = method.decorator_list.iter();
    if first.name().as_str() != receiver.id || decorators.any(|it| is_static(&it.expression)) {
        return None;
    }
    match module.parent(method)? {
        AnyNodeRef::StmtClassDef(class) => Some(class),
        _ => None,
    }
}

/// `__session` of `_Client__session`, as it stands in the class itself.
pub fn unmangled(name: &str) -> &str {
    match name.strip_prefix('_').and_then(|rest| rest.find("__")) {
        Some(at) if at > 0 && !name.ends_with("__") => name.get(at + 1..).unwrap_or(name),
        _ => name,
    }
}

/// The places of an expression's value, as the file itself means them.
pub fn places(module: &Module<'_>, expr: &Expr) -> Vec<(Place, Step)> {
    let sources = sources(module, expr).into_iter();
    sources.map(|source| (source.place, source.step)).collect()
}

pub fn attribute(module: &Module<'_>, object: &Expr, name: &str) -> Target {
    let name = unmangled(name).to_string();
    match owner(module, object) {
        Some(class) => Target::Own(class.name.to_string(), name),
        None => Target::Others(name),
    }
}

/// What `target` binds.
pub fn targets(module: &Module<'_>, target: &Expr) -> Vec<(Step, Target)> {
    match target {
        Expr::Name(name) => {
            let place = module.symbol(name).and_then(|it| place_of(module, it));
            let target = match place {
                Some((Place::Attribute(name), true)) => Target::Others(name),
                Some((place @ Place::Local(_), _)) => Target::Here(place),
                Some((place, _)) => Target::Anywhere(place),
                None => return Vec::new(),
            };
            vec![(Step::SAME, target)]
        }
        Expr::Attribute(it) => vec![(Step::SAME, attribute(module, &it.value, &it.attr))],
        Expr::Starred(it) => targets(module, &it.value),
        Expr::Subscript(it) => {
            let holders = targets(module, &it.value).into_iter();
            let mut targets: Vec<(Step, Target)> =
                holders.map(|(_, target)| (Step::HOLDER, target)).collect();
            if let Expr::StringLiteral(key) = &*it.slice {
                let key = Target::Others(key.value.to_str().to_string());
                targets.push((Step::SAME, key));
            }
            targets
        }
        _ => Vec::new(),
    }
}

/// The function that is called, by its last name, and whether it may be one of another file.
pub fn called(module: &Module<'_>, call: &ExprCall) -> Option<(String, bool)> {
    match &*call.func {
        Expr::Name(name) => {
            let symbol = module.symbol(name)?;
            if let Some(imported) = module.imported_as(symbol) {
                let last = imported.rsplit('.').next()?;
                return Some((last.to_string(), true));
            }
            let is_function = |kind| matches!(kind, BindingKind::Function(_));
            let is_here = symbol.bindings.iter().any(|it| is_function(it.kind));
            Some((name.id.to_string(), !is_here))
        }
        Expr::Attribute(method) => {
            let has = |class: &StmtClassDef| {
                class.body.iter().any(|stmt| {
                    matches!(stmt, Stmt::FunctionDef(it) if it.name.as_str() == method.attr.as_str())
                })
            };
            let is_own = owner(module, &method.value).is_some_and(has);
            Some((method.attr.to_string(), !is_own))
        }
        _ => None,
    }
}

/// Where the value of an expression may come from.
pub fn sources(module: &Module<'_>, expr: &Expr) -> Vec<Source> {
    let all = |exprs: &mut dyn Iterator<Item = &Expr>, step: Step| -> Vec<Source> {
        let sources = exprs.flat_map(|it| sources(module, it));
        sources
            .map(|source| Source {
                step: step.after(source.step),
                ..source
            })
            .collect()
    };
    match expr {
        Expr::Name(name) => named(module, name),
        Expr::Attribute(it) => match it.attr.as_str() {
            // Which is closed with what it belongs to.
            "connector" | "_connector" => {
                let mut sources = sources(module, &it.value);
                sources.extend(of_attribute(module, &it.value, &it.attr));
                sources
            }
            "__dict__" => vec![held_unnamed()],
            _ => of_attribute(module, &it.value, &it.attr),
        },
        Expr::Await(it) => sources(module, &it.value),
        Expr::Starred(it) => all(&mut std::iter::once(&*it.value), Step::ELEMENT),
        Expr::Named(it) => sources(module, &it.value),
        Expr::If(it) => all(&mut [&*it.body, &*it.orelse].into_iter(), Step::SAME),
        Expr::BoolOp(it) => all(&mut it.values.iter(), Step::SAME),
        Expr::Tuple(it) => all(&mut it.elts.iter(), Step::HOLDER),
        Expr::List(it) => all(&mut it.elts.iter(), Step::HOLDER),
        Expr::Set(it) => all(&mut it.elts.iter(), Step::HOLDER),
        Expr::Dict(it) => all(&mut it.items.iter().map(|it| &it.value), Step::HOLDER),
        Expr::ListComp(it) => all(&mut std::iter::once(&*it.elt), Step::HOLDER),
        Expr::SetComp(it) => all(&mut std::iter::once(&*it.elt), Step::HOLDER),
        Expr::Generator(it) => all(&mut std::iter::once(&*it.elt), Step::HOLDER),
        Expr::Subscript(it) => {
            let mut sources = all(&mut std::iter::once(&*it.value), Step::ELEMENT);
            if let Expr::StringLiteral(key) = &*it.slice {
                sources.push(key_of(key.value.to_str()));
            }
            sources
        }
        Expr::Call(call) => {
            let args = &call.arguments.args;
            match module.builtin(&call.func) {
                Some("getattr") => {
                    return match &**args {
                        [object, Expr::StringLiteral(name), ..] => {
                            of_attribute(module, object, name.value.to_str())
                        }
                        _ => vec![unnamed()],
                    };
                }
                Some("vars") => return vec![held_unnamed()],
                Some("next") => return all(&mut args.iter(), Step::ELEMENT),
                Some("enumerate" | "zip") => return all(&mut args.iter(), Step::HOLDER),
                Some(name) if PASSING.contains(&name) => {
                    return all(&mut args.iter(), Step::SAME);
                }
                _ => {}
            }
            let mut sources = Vec::new();
            if let Expr::Attribute(method) = &*call.func {
                let object = &mut std::iter::once(&*method.value);
                match method.attr.as_str() {
                    name if ALL.contains(&name) => return all(object, Step::SAME),
                    "items" => return all(object, Step::HOLDER), // pairs
                    "gather" => return all(&mut args.iter(), Step::HOLDER),
                    name if ONE.contains(&name) => {
                        sources = all(object, Step::ELEMENT);
                        if let Some(Expr::StringLiteral(key)) = args.first() {
                            sources.push(key_of(key.value.to_str()));
                        }
                    }
                    "__aenter__" => return all(object, Step::SAME),
                    "enter_async_context" | "enterAsyncContext" | "cast" => {
                        return all(&mut args.iter(), Step::SAME);
                    }
                    _ => {}
                }
            }
            if let Some((function, is_outside)) = called(module, call) {
                sources.push(Source {
                    place: Place::Returned(function),
                    step: Step::SAME,
                    is_outside,
                });
            }
            sources
        }
        _ => Vec::new(),
    }
}

fn named(module: &Module<'_>, name: &ExprName) -> Vec<Source> {
    let place = module.symbol(name).and_then(|it| place_of(module, it));
    let source = place.map(|(place, is_outside)| Source {
        place,
        step: Step::SAME,
        is_outside,
    });
    source.into_iter().collect()
}

/// An attribute, which may be a property.
fn of_attribute(module: &Module<'_>, object: &Expr, name: &str) -> Vec<Source> {
    let name = unmangled(name).to_string();
    let is_outside = owner(module, object).is_none();
    let places = [Place::Attribute(name.clone()), Place::Returned(name)];
    let sources = places.into_iter().map(|place| Source {
        place,
        step: Step::SAME,
        is_outside,
    });
    sources.collect()
}

/// `vars(self)`
fn held_unnamed() -> Source {
    Source {
        step: Step::HOLDER,
        ..unnamed()
    }
}

fn unnamed() -> Source {
    Source {
        place: Place::Unnamed,
        step: Step::SAME,
        is_outside: false,
    }
}

/// `app["session"]`
fn key_of(key: &str) -> Source {
    Source {
        place: Place::Attribute(key.to_string()),
        step: Step::SAME,
        is_outside: true,
    }
}
