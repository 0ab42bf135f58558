//! What each thread has its own of: a function that uses it does not see, in another thread, what
//! was begun in this one.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, Stmt, StmtClassDef};
use python::{BindingKind, ScopeId};

use super::meaning::canonical;

/// What makes objects that each thread has its own of.
const MAKERS: &[&str] = &["sqlalchemy.orm.scoped_session", "threading.local"];

/// Whether a node is such an object, as far as the module shows it.
pub(super) fn is_thread_local<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let module = cx.module;
    match node {
        AnyNodeRef::ExprName(name) => module.only_binding(name).is_some_and(|binding| {
            let is_global = module
                .symbol(name)
                .is_some_and(|symbol| symbol.scope == ScopeId::MODULE);
            matches!(binding.kind, BindingKind::Value(value) if is_global && is_made(cx, value))
        }),
        AnyNodeRef::ExprAttribute(attribute) => {
            let Expr::Name(receiver) = &*attribute.value else {
                return false;
            };
            let class = module.class_of_self(receiver).or_else(|| {
                match module.only_binding(receiver)?.kind {
                    BindingKind::Value(value) => class_made(cx, value),
                    _ => None,
                }
            });
            class.is_some_and(|class| attributes(cx, class).contains(&attribute.attr.to_string()))
        }
        _ => false,
    }
}

/// The names of such objects that other modules can reach: `Session`, `database.session`.
pub(super) fn names(cx: &Context<'_, '_>) -> Vec<String> {
    let mut names = Vec::new();
    for symbol in cx.module.globals() {
        let [binding] = symbol.bindings.as_slice() else {
            continue;
        };
        let BindingKind::Value(value) = binding.kind else {
            continue;
        };
        if is_made(cx, value) {
            names.push(symbol.name.to_string());
        } else if let Some(class) = class_made(cx, value) {
            let found = attributes(cx, class);
            names.extend(found.iter().map(|it| format!("{}.{it}", symbol.name)));
        }
    }
    names
}

fn is_made<'a>(cx: &Context<'a, '_>, value: &'a Expr) -> bool {
    let Expr::Call(call) = value else {
        return false;
    };
    cx.module.qualified_name(&call.func).is_some_and(|name| {
        let name = canonical(name);
        let name = name.replace("sqlalchemy.orm.scoping.", "sqlalchemy.orm.");
        MAKERS.contains(&name.as_str())
    })
}

/// The class of the module that a value is an instance of.
fn class_made<'a>(cx: &Context<'a, '_>, value: &'a Expr) -> Option<&'a StmtClassDef> {
    let Expr::Call(call) = value else {
        return None;
    };
    let Expr::Name(name) = &*call.func else {
        return None;
    };
    match cx.module.only_binding(name)?.kind {
        BindingKind::Class(class) => Some(class),
        _ => None,
    }
}

/// The attributes of a class's objects that are such objects.
fn attributes<'a>(cx: &Context<'a, '_>, class: &'a StmtClassDef) -> std::rc::Rc<Vec<String>> {
    let module = cx.module;
    cx.remember("thread local", module.id(class), || {
        let mut found = Vec::new();
        for node in module.descendants(class) {
            let AnyNodeRef::StmtAssign(assign) = node else {
                continue;
            };
            if !is_made(cx, &assign.value) {
                continue;
            }
            let is_in_body = class
                .body
                .iter()
                .any(|stmt| matches!(stmt, Stmt::Assign(it) if std::ptr::eq(it, assign)));
            for target in &assign.targets {
                match target {
                    Expr::Attribute(attribute) => found.push(attribute.attr.to_string()),
                    Expr::Name(name) if is_in_body => found.push(name.id.to_string()),
                    _ => {}
                }
            }
        }
        found
    })
}

/// Why code that uses such an object stays in its thread.
pub(super) fn reason(name: &str) -> String {
    format!("each thread has a `{name}` of its own")
}
