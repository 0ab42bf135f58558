//! What a call gives to the function that it calls, as far as the text shows it.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, ExprCall, StmtFunctionDef};
use python::{CONSUMERS, Ranged};

use super::conditions::{Value, Values};

/// What a call gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Given {
    positional: Vec<Value>,
    keywords: Vec<(String, Value)>,
    /// Whether it gives more, by `*` or `**`.
    is_open: bool,
    /// Whether it is a call of a method of the caller's own object.
    on_self: bool,
    /// Whether all that it gives is gone through before the caller returns, where it gives an
    /// iterator.
    pub(super) is_consumed: bool,
}

/// A parameter of a function, besides the object.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    name: String,
    is_positional: bool,
    default: Value,
}

impl Given {
    pub(super) fn of<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Self {
        let module = cx.module;
        let caller = module.function(call);
        let value = |expr: &'a Expr| Value::of(cx, caller, expr);
        let mut given = Given {
            is_consumed: is_consumed(cx, call),
            on_self: match &*call.func {
                Expr::Attribute(method) => match &*method.value {
                    Expr::Name(receiver) => module.class_of_self(receiver).is_some(),
                    _ => false,
                },
                _ => false,
            },
            ..Given::default()
        };
        for argument in &call.arguments.args {
            if argument.is_starred_expr() {
                given.is_open = true;
                break;
            }
            given.positional.push(value(argument));
        }
        for keyword in &call.arguments.keywords {
            match &keyword.arg {
                Some(name) => given
                    .keywords
                    .push((name.to_string(), value(&keyword.value))),
                None => given.is_open = true,
            }
        }
        given
    }

    /// The same where the call moves to a thread, and what it gives comes back.
    pub(super) fn alone<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Self {
        Self {
            is_consumed: false,
            ..Self::of(cx, call)
        }
    }

    /// The names of the caller's that it hands on.
    pub(super) fn add_names(&self, names: &mut Vec<String>) {
        let keywords = self.keywords.iter().map(|(_, value)| value);
        for value in self.positional.iter().chain(keywords) {
            if let Value::Same(name) = value {
                names.push(name.clone());
            }
        }
    }

    /// What is known in a function with these parameters, called where `values` are known.
    pub(super) fn bind(&self, parameters: &[Parameter], values: &Values) -> Values {
        let mut bound = Values::new();
        if self.on_self {
            let of_self = values.iter().filter(|(name, _)| name.starts_with("self."));
            bound.extend(of_self.map(|(name, known)| (name.clone(), known.clone())));
        }
        let mut position = 0;
        for parameter in parameters {
            let by_position = if parameter.is_positional {
                position += 1;
                self.positional.get(position - 1)
            } else {
                None
            };
            let by_name = || {
                let mut keywords = self.keywords.iter();
                keywords
                    .find(|(name, _)| *name == parameter.name)
                    .map(|(_, value)| value)
            };
            let value = match by_position.or_else(by_name) {
                Some(value) => value.known(values),
                None if self.is_open => None,
                None => parameter.default.known(&Values::new()),
            };
            if let Some(known) = value {
                bound.insert(parameter.name.clone(), known);
            }
        }
        bound
    }
}

/// The parameters that a call of `function` can give something to.
pub(super) fn parameters<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
) -> Vec<Parameter> {
    let module = cx.module;
    let has_object = matches!(module.parent(function), Some(AnyNodeRef::StmtClassDef(_)))
        && !function
            .decorator_list
            .iter()
            .any(|decorator| module.text(&decorator.expression) == "staticmethod");
    let parameters = &function.parameters;
    let positional = parameters.posonlyargs.iter().chain(&parameters.args);
    let all = positional
        .map(|it| (it, true))
        .chain(parameters.kwonlyargs.iter().map(|it| (it, false)));
    all.skip(usize::from(has_object))
        .map(|(parameter, is_positional)| Parameter {
            name: parameter.name().to_string(),
            is_positional,
            default: match parameter.default.as_deref() {
                Some(default) => Value::of(cx, None, default),
                None => Value::Unknown,
            },
        })
        .collect()
}

/// Functions that give an iterator of what they go through.
const LAZY: &[&str] = &["enumerate", "filter", "iter", "map", "reversed", "zip"];

/// Whether an iterator that `call` gives is gone through where it is made: `for line in lines()`,
/// `"".join(lines())`, `yield from lines()`.
fn is_consumed<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let is_given_on = |arguments: AnyNodeRef<'a>| matches!(module.parent(arguments), Some(AnyNodeRef::ExprCall(outer)) if goes_through(cx, outer));
    match module.parent(call) {
        Some(AnyNodeRef::StmtFor(stmt)) => stmt.iter.range() == call.range(),
        Some(AnyNodeRef::ExprYieldFrom(_)) => true,
        Some(clause @ AnyNodeRef::Comprehension(_)) => match module.parent(clause) {
            Some(AnyNodeRef::ExprGenerator(generator)) => module
                .parent(generator)
                .is_some_and(|parent| parent.is_arguments() && is_given_on(parent)),
            _ => true,
        },
        Some(arguments @ AnyNodeRef::Arguments(_)) => is_given_on(arguments),
        Some(starred @ AnyNodeRef::ExprStarred(_)) => matches!(
            module.parent(starred),
            Some(AnyNodeRef::ExprList(_) | AnyNodeRef::ExprTuple(_) | AnyNodeRef::ExprSet(_))
        ),
        _ => false,
    }
}

/// Whether a call goes through the iterable that it is given, where it is made.
fn goes_through<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    match &*call.func {
        // `", ".join(lines())`, `found.extend(lines())`
        Expr::Attribute(method) => matches!(
            method.attr.as_str(),
            "extend" | "join" | "update" | "writelines"
        ),
        func => match cx.module.builtin(func) {
            Some(name) if LAZY.contains(&name) => is_consumed(cx, call),
            Some(name) => name == "next" || CONSUMERS.contains(&name),
            None => false,
        },
    }
}
