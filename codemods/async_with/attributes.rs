//! `self.session = ClientSession()`: whoever closes the object has to close the session.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use engine::{Context, Refusal, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprAttribute, ExprCall, StmtClassDef};

use super::sessions::{CLOSING, closing};

/// A class that derives from one that derives from another, and so on, is followed through no
/// more classes than these.
const MAX_BASES: usize = 50;

/// What a module shows of attributes and who closes them.
struct Summary {
    /// The attributes that something closes, or hands on to be closed.
    handled: HashSet<String>,
    /// The bases of each class: the names of classes of the module, and the dotted names of what
    /// is imported.
    bases: HashMap<String, Vec<String>>,
}

/// Withheld: the session lives as long as its owner.
pub fn never_closed<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    attribute: &'a ExprAttribute,
) -> Verdict {
    let module = cx.module;
    let name = attribute.attr.as_str();
    if module.function(call).is_none() {
        return Err(Refusal::NotOurs);
    }
    let own = cx.remember("who closes attributes", module.id(module.root()), || {
        Summary::of(cx)
    });
    let owner = match &*attribute.value {
        Expr::Name(receiver) => module.class_of_self(receiver),
        _ => None,
    };
    let is_inherited = |class: &StmtClassDef| {
        let class = class.name.as_str();
        is_handled_by_a_base(cx, &own, class, name) || is_handled_by_a_derived(cx, class, name)
    };
    if own.handled.contains(name) || owner.is_some_and(is_inherited) {
        return Err(Refusal::NotOurs);
    }
    // In whichever file: `client.session.close()`. That of `self` is another object's, or this
    // one's; and the owner of `client.session` may well close what it holds itself.
    let is_closed = |owner: &str| {
        let closes = ["aclose", "close"].map(|close| format!("{owner}.{name}.{close}("));
        cx.project_mentions_any(&[closes[0].as_str(), closes[1].as_str()])
    };
    if is_closed("") && (owner.is_none() || !is_closed("self")) {
        return Err(Refusal::NotOurs);
    }
    let text = module.text(attribute);
    Err(withheld!(
        "`{text}` outlives the function, and nothing in this file closes it: close it with `await {text}.{}()` where its owner is closed",
        closing(cx, call)
    ))
}

/// Whether a class of another module, from which a class of this one inherits, closes an attribute.
fn is_handled_by_a_base(cx: &Context<'_, '_>, own: &Summary, class: &str, attribute: &str) -> bool {
    let mut waiting = bases_in(own, None, class);
    let mut seen = HashSet::new();
    while let Some((from, base)) = waiting.pop() {
        if seen.len() > MAX_BASES || !seen.insert((from, base.clone())) {
            continue;
        }
        let Some(found) = cx.elsewhere(from, &base, summarise) else {
            continue; // of a package that is not looked at
        };
        let Ok(summary) = found.summary.downcast::<Summary>() else {
            continue;
        };
        if summary.handled.contains(attribute) {
            return true;
        }
        waiting.extend(bases_in(&summary, Some(found.file), &found.name));
    }
    false
}

/// Whether a class of another module that derives from a class of this one closes an attribute.
fn is_handled_by_a_derived(cx: &Context<'_, '_>, class: &str, attribute: &str) -> bool {
    let deriving = cx.deriving(class, summarise);
    deriving.into_iter().any(|(_, summary)| {
        summary
            .downcast::<Summary>()
            .is_ok_and(|summary| summary.handled.contains(attribute))
    })
}

/// The imported classes from which a class of a module inherits, also through others of it, each
/// with the file that imports it.
fn bases_in(summary: &Summary, file: Option<usize>, class: &str) -> Vec<(Option<usize>, String)> {
    let mut imported = Vec::new();
    let mut waiting = vec![class];
    let mut seen = HashSet::new();
    while let Some(class) = waiting.pop() {
        if !seen.insert(class) {
            continue;
        }
        match summary.bases.get(class) {
            Some(bases) => waiting.extend(bases.iter().map(String::as_str)),
            None => imported.push((file, class.to_string())),
        }
    }
    imported
}

fn summarise(cx: &Context<'_, '_>) -> engine::Summary {
    Arc::new(Summary::of(cx))
}

impl Summary {
    fn of(cx: &Context<'_, '_>) -> Self {
        let module = cx.module;
        let mut summary = Self {
            handled: HashSet::new(),
            bases: HashMap::new(),
        };
        let mut named = Vec::new();
        let mut closes_a_name = false;
        // `self.client().aclose()`, and `return self._client` in `client`.
        let mut closed_results = HashSet::new();
        let mut returned = Vec::new();
        for node in module.descendants(module.root()) {
            match node {
                AnyNodeRef::ExprAttribute(it) if CLOSING.contains(&it.attr.as_str()) => {
                    summary.handled.extend(attribute_name(&it.value));
                    closed_results.extend(called_name(&it.value));
                    closes_a_name |= it.value.is_name_expr();
                }
                AnyNodeRef::StmtReturn(it) => {
                    let attribute = it.value.as_deref().and_then(attribute_name);
                    if let (Some(attribute), Some(function)) = (attribute, module.function(it)) {
                        returned.push((function.name.to_string(), attribute));
                    }
                }
                // `self.session._connector.close()`, which closes what the session holds.
                AnyNodeRef::ExprAttribute(it)
                    if matches!(it.attr.as_str(), "connector" | "_connector") =>
                {
                    summary.handled.extend(attribute_name(&it.value));
                }
                // `async with self.session:`
                AnyNodeRef::WithItem(item) => {
                    summary.handled.extend(attribute_name(&item.context_expr));
                }
                // `stack.enter_async_context(self.session)`, `Client(session=self.session)`
                AnyNodeRef::ExprCall(call) => {
                    let keywords = call.arguments.keywords.iter().map(|it| &it.value);
                    let given = call.arguments.args.iter().chain(keywords);
                    summary.handled.extend(given.filter_map(attribute_name));
                }
                // `session, self.session = self.session, None`, and then `session.close()`.
                AnyNodeRef::StmtAssign(assign) => match &*assign.value {
                    Expr::Tuple(tuple) => {
                        named.extend(tuple.elts.iter().filter_map(attribute_name));
                    }
                    value => named.extend(attribute_name(value)),
                },
                AnyNodeRef::ExprNamed(it) => named.extend(attribute_name(&it.value)),
                AnyNodeRef::StmtClassDef(class) => {
                    let bases = class.arguments.iter().flat_map(|it| &it.args);
                    let bases = bases.filter_map(|base| match base {
                        Expr::Name(name) if module.qualified_name(base).is_none() => {
                            Some(name.id.to_string())
                        }
                        base => module.qualified_name(base),
                    });
                    summary
                        .bases
                        .insert(class.name.to_string(), bases.collect());
                }
                _ => {}
            }
        }
        if closes_a_name {
            summary.handled.extend(named);
        }
        // A property gives it without a call: `self.client.aclose()`.
        let gives = |function: &String| {
            closed_results.contains(function) || summary.handled.contains(function)
        };
        let closed: Vec<String> = returned
            .into_iter()
            .filter_map(|(function, attribute)| gives(&function).then_some(attribute))
            .collect();
        summary.handled.extend(closed);
        summary
    }
}

/// `session` of `self.session`, and of `getattr(self, "session", None)`.
fn attribute_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Attribute(attribute) => Some(attribute.attr.to_string()),
        Expr::Call(call) => match (&*call.func, call.arguments.args.get(1)) {
            (Expr::Name(name), Some(Expr::StringLiteral(attribute)))
                if name.id.as_str() == "getattr" =>
            {
                Some(attribute.value.to_str().to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

/// `client` of `self.client()` and of `(await self.client())`.
fn called_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Await(awaited) => called_name(&awaited.value),
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) => Some(method.attr.to_string()),
            Expr::Name(function) => Some(function.id.to_string()),
            _ => None,
        },
        _ => None,
    }
}
