//! What a file says of the places of its sessions.

use std::sync::Arc;

use engine::Context;
use python::ast::{
    AnyNodeRef, Expr, ExprCall, ExprName, Parameter, Stmt, StmtClassDef, StmtFunctionDef, WithItem,
};
use python::{BindingKind, Module, ScopeId, ScopeKind, Symbol};

use super::flow::{closes_argument, makes_object};
use super::places::{Fate, Place, Slot, Step, Summary, Target};
use super::sessions::CLOSING;

/// A place from which an expression takes its value.
struct Source {
    place: Place,
    step: Step,
    /// Whether the place may be one of another file.
    is_outside: bool,
}

/// Methods that give what is in something, all of it.
const ALL: &[&str] = &["copy", "items", "values"];

/// Methods that give one of what is in something.
const ONE: &[&str] = &[
    "get",
    "get_nowait",
    "pop",
    "popitem",
    "popleft",
    "setdefault",
];

/// Methods that put something into what they are called on.
const PUTTING: &[&str] = &[
    "add",
    "append",
    "appendleft",
    "extend",
    "insert",
    "put",
    "put_nowait",
    "setdefault",
    "update",
];

/// Builtins that give what is in their arguments.
const PASSING: &[&str] = &[
    "dict",
    "enumerate",
    "filter",
    "iter",
    "list",
    "reversed",
    "set",
    "sorted",
    "tuple",
    "zip",
];

/// What a parameter's default says that a framework calls: `Depends(get_client)`.
const DEPENDING: &[&str] = &["Depends", "Provide", "Security"];

/// What a file says, for other files.
pub fn summarise(cx: &Context<'_, '_>) -> engine::Summary {
    Arc::new(summary(cx))
}

/// What a file says.
pub fn summary(cx: &Context<'_, '_>) -> Summary {
    let mut gathering = Gathering {
        module: cx.module,
        summary: Summary::default(),
    };
    for node in cx.module.descendants(cx.module.root()) {
        gathering.look(node);
    }
    gathering.summary
}

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
    let gathering = Gathering {
        module,
        summary: Summary::default(),
    };
    let sources = gathering.sources(expr).into_iter();
    sources.map(|source| (source.place, source.step)).collect()
}

struct Gathering<'a, 'm> {
    module: &'m Module<'a>,
    summary: Summary,
}

impl<'a> Gathering<'a, '_> {
    fn look(&mut self, node: AnyNodeRef<'a>) {
        match node {
            AnyNodeRef::ExprAttribute(it) if CLOSING.contains(&it.attr.as_str()) => {
                self.closes(&it.value);
            }
            AnyNodeRef::WithItem(item) => self.enters(item),
            AnyNodeRef::ExprCall(call) => self.calls(call),
            AnyNodeRef::StmtAssign(assign) => {
                for target in &assign.targets {
                    self.flows(&assign.value, target);
                }
            }
            AnyNodeRef::StmtAnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.flows(value, &assign.target);
                }
            }
            AnyNodeRef::StmtAugAssign(assign) => self.flows(&assign.value, &assign.target),
            AnyNodeRef::ExprNamed(named) => self.flows(&named.value, &named.target),
            AnyNodeRef::StmtFor(stmt) => self.each(&stmt.iter, &stmt.target),
            AnyNodeRef::Comprehension(clause) => self.each(&clause.iter, &clause.target),
            AnyNodeRef::StmtReturn(stmt) => {
                if let (Some(value), Some(function)) = (&stmt.value, self.module.function(stmt)) {
                    let returned = Place::Returned(function.name.to_string());
                    self.goes(value, Step::Same, &Target::Anywhere(returned));
                }
            }
            AnyNodeRef::ExprYield(it) => {
                if let (Some(value), Some(function)) = (&it.value, self.module.function(it)) {
                    let yielded = Place::Yielded(function.name.to_string());
                    self.goes(value, Step::Same, &Target::Anywhere(yielded));
                }
            }
            AnyNodeRef::StmtFunctionDef(function) => self.defines(function),
            AnyNodeRef::StmtClassDef(class) => {
                let bases = class.arguments.iter().flat_map(|it| &it.args);
                let bases = bases.filter_map(|base| match base {
                    Expr::Name(name) if self.module.qualified_name(base).is_none() => {
                        Some(name.id.to_string())
                    }
                    base => self.module.qualified_name(base),
                });
                let bases = bases.collect();
                self.summary.bases.insert(class.name.to_string(), bases);
            }
            _ => {}
        }
    }

    /// `async with session:`, and `async with opened() as session:`.
    fn enters(&mut self, item: &'a WithItem) {
        self.closes(&item.context_expr);
        let Some(target) = &item.optional_vars else {
            return;
        };
        self.flows(&item.context_expr, target);
        if let Expr::Call(call) = &item.context_expr
            && let Some((function, is_outside)) = self.called(call)
        {
            for (step, target) in self.targets(target) {
                self.note(&Place::Yielded(function.to_string()), is_outside, |fate| {
                    fate.gets_to.insert((step, target.clone()));
                });
            }
        }
    }

    fn calls(&mut self, call: &'a ExprCall) {
        let keywords = call.arguments.keywords.iter().map(|it| &it.value);
        let given: Vec<&Expr> = call.arguments.args.iter().chain(keywords).collect();
        for value in &given {
            let names = self.sources(value).into_iter().filter_map(|it| match it {
                Source {
                    place: Place::Attribute(name),
                    step: Step::Same | Step::Holder,
                    ..
                } => Some(name),
                _ => None,
            });
            self.summary.handed.extend(names.collect::<Vec<_>>());
        }
        // `getattr(session, "close")`
        if self.module.builtin(&call.func) == Some("getattr")
            && let [value, Expr::StringLiteral(name), ..] = &*call.arguments.args
            && CLOSING.contains(&name.value.to_str())
        {
            self.closes(value);
        }
        if self.module.builtin(&call.func) == Some("setattr")
            && let [object, Expr::StringLiteral(name), value] = &*call.arguments.args
        {
            let target = self.attribute(object, name.value.to_str());
            self.goes(value, Step::Same, &target);
            return;
        }
        if closes_argument(self.module, call) {
            given.iter().for_each(|it| self.closes(it));
        } else if makes_object(&call.func) {
            // Which is then the object's to close; of an attribute that is said above.
            for value in &given {
                for source in self.sources(value) {
                    if !matches!(source.place, Place::Attribute(_)) {
                        self.note(&source.place, source.is_outside, |fate| {
                            fate.is_closed = true;
                            fate.holds_closed = true;
                        });
                    }
                }
            }
        }
        if let Expr::Attribute(method) = &*call.func
            && PUTTING.contains(&method.attr.as_str())
        {
            for (_, target) in self.targets(&method.value) {
                given
                    .iter()
                    .for_each(|it| self.goes(it, Step::Holder, &target));
            }
        }
        if let Some((function, is_outside)) = self.called(call) {
            let target = |slot| {
                let place = Place::Argument(function.clone(), slot);
                if is_outside {
                    Target::Anywhere(place)
                } else {
                    Target::Here(place)
                }
            };
            for (position, value) in call.arguments.args.iter().enumerate() {
                self.goes(value, Step::Same, &target(Slot::Position(position)));
            }
            for keyword in &call.arguments.keywords {
                if let Some(name) = &keyword.arg {
                    let target = target(Slot::Name(name.to_string()));
                    self.goes(&keyword.value, Step::Same, &target);
                }
            }
        }
    }

    /// What is given to a function is at its parameters.
    fn defines(&mut self, function: &'a StmtFunctionDef) {
        let name = &function.name;
        let is_method = matches!(
            self.module.parent(function),
            Some(AnyNodeRef::StmtClassDef(_))
        ) && !function
            .decorator_list
            .iter()
            .any(|it| matches!(&it.expression, Expr::Name(it) if it.id == "staticmethod"));
        let is_injected = name.starts_with("test")
            || function
                .decorator_list
                .iter()
                .any(|it| self.module.text(&it.expression).contains("fixture"));
        let parameters = function.parameters.iter_non_variadic_params();
        for (position, with_default) in parameters.enumerate() {
            let parameter = &with_default.parameter;
            let slots = [
                position
                    .checked_sub(usize::from(is_method))
                    .map(Slot::Position),
                Some(Slot::Name(parameter.name.to_string())),
            ];
            for slot in slots.into_iter().flatten() {
                self.is_parameter(Place::Argument(name.to_string(), slot), parameter);
            }
            if is_injected {
                self.is_given_by(parameter.name.as_str(), parameter);
            }
            let default = with_default.default.as_deref().map(AnyNodeRef::from);
            let annotation = parameter.annotation.as_deref().map(AnyNodeRef::from);
            for said in [default, annotation].into_iter().flatten() {
                for call in self.module.calls_in(said) {
                    let depends = last_name(&call.func).is_some_and(|it| DEPENDING.contains(&it));
                    let provider = call.arguments.args.first().and_then(last_name);
                    if let (true, Some(provider)) = (depends, provider) {
                        self.is_given_by(provider, parameter);
                    }
                }
            }
        }
    }

    /// Whoever calls the function gives this parameter what the function `provider` gives.
    fn is_given_by(&mut self, provider: &str, parameter: &'a Parameter) {
        self.is_parameter(Place::Returned(provider.to_string()), parameter);
        self.is_parameter(Place::Yielded(provider.to_string()), parameter);
    }

    fn is_parameter(&mut self, place: Place, parameter: &'a Parameter) {
        let local = Target::Here(Place::Local(self.module.id(parameter)));
        self.note(&place, true, |fate| {
            fate.gets_to.insert((Step::Same, local.clone()));
        });
    }

    /// What is said of a place, here and for other files that may mean it.
    fn note(&mut self, place: &Place, is_outside: bool, mut say: impl FnMut(&mut Fate)) {
        say(self.summary.here.entry(place.clone()).or_default());
        if is_outside {
            say(self.summary.outside.entry(place.clone()).or_default());
        }
    }

    fn closes(&mut self, value: &'a Expr) {
        for source in self.sources(value) {
            self.note(&source.place, source.is_outside, |fate| {
                fate.is_closed |= source.step != Step::Element;
                fate.holds_closed |= source.step != Step::Same;
            });
        }
    }

    /// The value gets to a target, after this step.
    fn goes(&mut self, value: &'a Expr, step: Step, target: &Target) {
        for source in self.sources(value) {
            let step = step.after(source.step);
            self.note(&source.place, source.is_outside, |fate| {
                fate.gets_to.insert((step, target.clone()));
            });
        }
    }

    /// `target = value`
    fn flows(&mut self, value: &'a Expr, target: &'a Expr) {
        if let (Some(targets), Some(values)) = (python::displayed(target), python::displayed(value))
            && targets.len() == values.len()
            && !values.iter().any(|it| it.is_starred_expr())
        {
            for (target, value) in targets.into_iter().zip(values) {
                self.flows(value, target);
            }
        } else if let Some(targets) = python::displayed(target) {
            targets.into_iter().for_each(|it| self.each(value, it));
        } else {
            for (step, target) in self.targets(target) {
                self.goes(value, step, &target);
            }
        }
    }

    /// `for target in value:`
    fn each(&mut self, value: &'a Expr, target: &'a Expr) {
        if let Some(targets) = python::displayed(target) {
            targets.into_iter().for_each(|it| self.each(value, it));
            return;
        }
        for (step, target) in self.targets(target) {
            self.goes(value, step.after(Step::Element), &target);
        }
    }

    fn attribute(&self, object: &Expr, name: &str) -> Target {
        let name = unmangled(name).to_string();
        match owner(self.module, object) {
            Some(class) => Target::Own(class.name.to_string(), name),
            None => Target::Others(name),
        }
    }

    /// What `target` binds.
    fn targets(&self, target: &Expr) -> Vec<(Step, Target)> {
        match target {
            Expr::Name(name) => {
                let place = self
                    .module
                    .symbol(name)
                    .and_then(|it| place_of(self.module, it));
                let target = match place {
                    Some((Place::Attribute(name), true)) => Target::Others(name),
                    Some((place @ Place::Local(_), _)) => Target::Here(place),
                    Some((place, _)) => Target::Anywhere(place),
                    None => return Vec::new(),
                };
                vec![(Step::Same, target)]
            }
            Expr::Attribute(it) => vec![(Step::Same, self.attribute(&it.value, &it.attr))],
            Expr::Starred(it) => self.targets(&it.value),
            Expr::Subscript(it) => {
                let holders = self.targets(&it.value).into_iter();
                let mut targets: Vec<(Step, Target)> =
                    holders.map(|(_, target)| (Step::Holder, target)).collect();
                if let Expr::StringLiteral(key) = &*it.slice {
                    let key = Target::Others(key.value.to_str().to_string());
                    targets.push((Step::Same, key));
                }
                targets
            }
            _ => Vec::new(),
        }
    }

    /// The function that is called, by its last name, and whether it may be one of another file.
    fn called(&self, call: &ExprCall) -> Option<(String, bool)> {
        match &*call.func {
            Expr::Name(name) => {
                let symbol = self.module.symbol(name)?;
                match self.module.imported_as(symbol) {
                    Some(imported) => {
                        let last = imported.rsplit('.').next()?;
                        Some((last.to_string(), true))
                    }
                    None => {
                        let is_here = |kind| matches!(kind, BindingKind::Function(_));
                        let is_here = symbol.bindings.iter().any(|it| is_here(it.kind));
                        Some((name.id.to_string(), !is_here))
                    }
                }
            }
            Expr::Attribute(method) => {
                let has = |class: &StmtClassDef| {
                    class.body.iter().any(|stmt| {
                        matches!(stmt, Stmt::FunctionDef(it) if it.name.as_str() == method.attr.as_str())
                    })
                };
                let is_own = owner(self.module, &method.value).is_some_and(has);
                Some((method.attr.to_string(), !is_own))
            }
            Expr::Subscript(_) | _ => None,
        }
    }

    /// Where the value of an expression may come from.
    fn sources(&self, expr: &Expr) -> Vec<Source> {
        let all = |exprs: &mut dyn Iterator<Item = &Expr>, step: Step| -> Vec<Source> {
            let sources = exprs.flat_map(|it| self.sources(it));
            sources
                .map(|source| Source {
                    step: step.after(source.step),
                    ..source
                })
                .collect()
        };
        match expr {
            Expr::Name(name) => self.named(name),
            Expr::Attribute(it) => match it.attr.as_str() {
                // Which is closed with what it belongs to.
                "connector" | "_connector" => {
                    let mut sources = self.sources(&it.value);
                    sources.extend(self.of_attribute(&it.value, &it.attr));
                    sources
                }
                "__dict__" => vec![unnamed(Step::Element)],
                _ => self.of_attribute(&it.value, &it.attr),
            },
            Expr::Await(it) => self.sources(&it.value),
            Expr::Starred(it) => all(&mut std::iter::once(&*it.value), Step::Element),
            Expr::Named(it) => self.sources(&it.value),
            Expr::If(it) => all(&mut [&*it.body, &*it.orelse].into_iter(), Step::Same),
            Expr::BoolOp(it) => all(&mut it.values.iter(), Step::Same),
            Expr::Tuple(it) => all(&mut it.elts.iter(), Step::Holder),
            Expr::List(it) => all(&mut it.elts.iter(), Step::Holder),
            Expr::Set(it) => all(&mut it.elts.iter(), Step::Holder),
            Expr::Dict(it) => all(&mut it.items.iter().map(|it| &it.value), Step::Holder),
            Expr::ListComp(it) => all(&mut std::iter::once(&*it.elt), Step::Holder),
            Expr::SetComp(it) => all(&mut std::iter::once(&*it.elt), Step::Holder),
            Expr::Generator(it) => all(&mut std::iter::once(&*it.elt), Step::Holder),
            Expr::Subscript(it) => {
                let mut sources = all(&mut std::iter::once(&*it.value), Step::Element);
                if let Expr::StringLiteral(key) = &*it.slice {
                    sources.push(key_of(key.value.to_str()));
                }
                sources
            }
            Expr::Call(call) => {
                let args = &call.arguments.args;
                match self.module.builtin(&call.func) {
                    Some("getattr") => {
                        return match &**args {
                            [object, Expr::StringLiteral(name), ..] => {
                                self.of_attribute(object, name.value.to_str())
                            }
                            _ => vec![unnamed(Step::Same)],
                        };
                    }
                    Some("vars") => return vec![unnamed(Step::Element)],
                    Some("next") => return all(&mut args.iter(), Step::Element),
                    Some(name) if PASSING.contains(&name) => {
                        return all(&mut args.iter(), Step::Same);
                    }
                    _ => {}
                }
                let mut sources = Vec::new();
                if let Expr::Attribute(method) = &*call.func {
                    let object = &mut std::iter::once(&*method.value);
                    match method.attr.as_str() {
                        name if ALL.contains(&name) => return all(object, Step::Same),
                        name if ONE.contains(&name) => {
                            sources = all(object, Step::Element);
                            if let Some(Expr::StringLiteral(key)) = args.first() {
                                sources.push(key_of(key.value.to_str()));
                            }
                        }
                        "__aenter__" => return all(object, Step::Same),
                        "enter_async_context" | "enterAsyncContext" | "cast" => {
                            return all(&mut args.iter(), Step::Same);
                        }
                        _ => {}
                    }
                }
                if let Some((function, is_outside)) = self.called(call) {
                    sources.push(Source {
                        place: Place::Returned(function),
                        step: Step::Same,
                        is_outside,
                    });
                }
                sources
            }
            _ => Vec::new(),
        }
    }

    fn named(&self, name: &ExprName) -> Vec<Source> {
        let place = self
            .module
            .symbol(name)
            .and_then(|it| place_of(self.module, it));
        let source = place.map(|(place, is_outside)| Source {
            place,
            step: Step::Same,
            is_outside,
        });
        source.into_iter().collect()
    }

    /// An attribute, which may be a property.
    fn of_attribute(&self, object: &Expr, name: &str) -> Vec<Source> {
        let name = unmangled(name).to_string();
        let is_outside = owner(self.module, object).is_none();
        let places = [Place::Attribute(name.clone()), Place::Returned(name)];
        let sources = places.into_iter().map(|place| Source {
            place,
            step: Step::Same,
            is_outside,
        });
        sources.collect()
    }
}

fn unnamed(step: Step) -> Source {
    Source {
        place: Place::Unnamed,
        step,
        is_outside: false,
    }
}

/// `app["session"]`
fn key_of(key: &str) -> Source {
    Source {
        place: Place::Attribute(key.to_string()),
        step: Step::Same,
        is_outside: true,
    }
}

/// `get_client` of `clients.get_client`.
fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}
