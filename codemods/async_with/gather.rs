//! What a file says of the places of its sessions.

use std::sync::Arc;

use engine::Context;
use python::Module;
use python::ast::{AnyNodeRef, Expr, ExprCall, Parameter, StmtFunctionDef, WithItem};

use super::flow::{closes_argument, makes_object};
use super::places::{Fate, Place, Slot, Step, Summary, Target};
use super::sessions::{CLOSING, NAMES};
use super::sources::{Source, attribute, called, sources, targets};

/// Methods that put something into what they are called on.
const PUTTING: &[&str] = &[
    "add",
    "append",
    "appendleft",
    "insert",
    "put",
    "put_nowait",
    "setdefault",
];

/// Methods that put what is in something into what they are called on.
const PUTTING_ALL: &[&str] = &["extend", "update"];

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
            AnyNodeRef::StmtFor(stmt) => self.each(&stmt.iter, &stmt.target, Step::ELEMENT),
            AnyNodeRef::Comprehension(clause) => {
                self.each(&clause.iter, &clause.target, Step::ELEMENT);
            }
            AnyNodeRef::StmtReturn(stmt) => {
                if let (Some(value), Some(function)) = (&stmt.value, self.module.function(stmt)) {
                    let returned = Place::Returned(function.name.to_string());
                    let returned = Target::Anywhere(returned);
                    self.goes(value, Step::SAME, &returned);
                    // `return wrapped(session)`
                    if let Expr::Call(call) = &**value {
                        for argument in &call.arguments.args {
                            self.goes(argument, Step::SAME, &returned);
                        }
                    }
                }
            }
            AnyNodeRef::ExprYield(it) => {
                if let (Some(value), Some(function)) = (&it.value, self.module.function(it)) {
                    let yielded = Place::Yielded(function.name.to_string());
                    self.goes(value, Step::SAME, &Target::Anywhere(yielded));
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
            && let Some((function, is_outside)) = called(self.module, call)
        {
            for (step, target) in targets(self.module, target) {
                self.note(&Place::Yielded(function.clone()), is_outside, |fate| {
                    fate.gets_to.insert((step, target.clone()));
                });
            }
        }
    }

    fn calls(&mut self, call: &'a ExprCall) {
        // A session closes nothing before somebody closes it.
        if NAMES
            .iter()
            .any(|name| self.module.refers_to(&call.func, name))
        {
            return;
        }
        let keywords = call.arguments.keywords.iter().map(|it| &it.value);
        let given: Vec<&Expr> = call.arguments.args.iter().chain(keywords).collect();
        for value in &given {
            let names = sources(self.module, value)
                .into_iter()
                .filter_map(|it| match it {
                    Source {
                        place: Place::Attribute(name),
                        step,
                        ..
                    } if step.levels_into() == 0 => Some(name),
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
            let target = attribute(self.module, object, name.value.to_str());
            self.goes(value, Step::SAME, &target);
            return;
        }
        if closes_argument(self.module, call) {
            for value in given.iter().copied() {
                self.closes(value);
            }
        } else if makes_object(&call.func) {
            // Which is then the object's to close; of an attribute that is said above.
            for value in &given {
                for source in sources(self.module, value) {
                    if !matches!(source.place, Place::Attribute(_) | Place::Unnamed) {
                        self.note(&source.place, source.is_outside, |fate| {
                            fate.close(source.step);
                        });
                    }
                }
            }
        }
        if let Expr::Attribute(method) = &*call.func {
            let step = match method.attr.as_str() {
                name if PUTTING.contains(&name) => Some(Step::HOLDER),
                name if PUTTING_ALL.contains(&name) => Some(Step::SAME),
                _ => None,
            };
            if let Some(step) = step {
                for (_, target) in targets(self.module, &method.value) {
                    for value in given.iter().copied() {
                        self.goes(value, step, &target);
                    }
                }
            }
        }
        if let Some((function, is_outside)) = called(self.module, call) {
            for function in self.reached(call, function) {
                self.gives(call, &function, is_outside);
            }
        }
    }

    /// The functions by whose names arguments are followed: `Base.__init__` of
    /// `super().__init__(session)`, since each class has an `__init__`.
    fn reached(&self, call: &'a ExprCall, function: String) -> Vec<String> {
        if function != "__init__" {
            return vec![function];
        }
        let is_super = matches!(
            &*call.func,
            Expr::Attribute(method) if matches!(
                &*method.value,
                Expr::Call(it) if self.module.builtin(&it.func) == Some("super")
            )
        );
        let within = self.module.function(call);
        let class = within.and_then(|it| self.module.class_around(it));
        let bases = class
            .filter(|_| is_super)
            .and_then(|it| it.arguments.as_deref());
        let bases = bases.into_iter().flat_map(|it| &it.args);
        let names = bases.filter_map(last_name);
        names.map(|name| format!("{name}.__init__")).collect()
    }

    /// The arguments of a call are given to a function of this name.
    fn gives(&mut self, call: &'a ExprCall, function: &str, is_outside: bool) {
        let target = |slot| {
            let place = Place::Argument(function.to_string(), slot);
            if is_outside {
                Target::Anywhere(place)
            } else {
                Target::Here(place)
            }
        };
        for (position, value) in call.arguments.args.iter().enumerate() {
            self.goes(value, Step::SAME, &target(Slot::Position(position)));
        }
        for keyword in &call.arguments.keywords {
            if let Some(name) = &keyword.arg {
                let target = target(Slot::Name(name.to_string()));
                self.goes(&keyword.value, Step::SAME, &target);
            }
        }
    }

    /// What is given to a function is at its parameters.
    fn defines(&mut self, function: &'a StmtFunctionDef) {
        let class = self.module.class_around(function);
        let name = match class {
            Some(class) if function.name.as_str() == "__init__" => {
                format!("{}.__init__", class.name)
            }
            _ => function.name.to_string(),
        };
        let mut decorators = function.decorator_list.iter();
        let is_static = |it: &Expr| matches!(it, Expr::Name(it) if it.id == "staticmethod");
        let is_method = class.is_some() && !decorators.any(|it| is_static(&it.expression));
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
                self.is_parameter(&Place::Argument(name.clone(), slot), parameter);
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
        self.is_parameter(&Place::Returned(provider.to_string()), parameter);
        self.is_parameter(&Place::Yielded(provider.to_string()), parameter);
    }

    fn is_parameter(&mut self, place: &Place, parameter: &'a Parameter) {
        let local = Target::Here(Place::Local(self.module.id(parameter)));
        self.note(place, true, |fate| {
            fate.gets_to.insert((Step::SAME, local.clone()));
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
        for source in sources(self.module, value) {
            self.note(&source.place, source.is_outside, |fate| {
                fate.close(source.step);
            });
        }
    }

    /// The value gets to a target, after this step.
    fn goes(&mut self, value: &'a Expr, step: Step, target: &Target) {
        for source in sources(self.module, value) {
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
            for target in targets {
                self.each(value, target, Step::ELEMENT);
            }
        } else {
            for (step, target) in targets(self.module, target) {
                self.goes(value, step, &target);
            }
        }
    }

    /// `for target in value:`, where that is so many levels into the value.
    fn each(&mut self, value: &'a Expr, target: &'a Expr, level: Step) {
        if let Some(targets) = python::displayed(target) {
            let level = Step::ELEMENT.after(level);
            for target in targets {
                self.each(value, target, level);
            }
            return;
        }
        for (step, target) in targets(self.module, target) {
            self.goes(value, step.after(level), &target);
        }
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
