//! Conditions that do not hold in ordinary use: that somebody debugs, or has set a variable of the
//! environment which turns something on.

use engine::Context;
use python::ast::{AnyNodeRef, BoolOp, CmpOp, Expr, ExprCall, Number};
use python::{BindingKind, ScopeId};

/// Whether a test asks for what is off unless somebody turns it on: `logger.isEnabledFor(logging.DEBUG)`,
/// `self.debug`, `os.getenv("DUMP")`.
pub(super) fn is_off<'a>(cx: &Context<'a, '_>, test: &'a Expr) -> bool {
    let module = cx.module;
    let is_level = |it: &'a Expr| module.refers_to(it, "logging.DEBUG");
    match test {
        Expr::Call(call) if call.arguments.args.iter().any(is_level) => true,
        Expr::Compare(compare) => {
            let mut sides = compare.comparators.iter().chain([&*compare.left]);
            if sides.any(is_level) {
                return true;
            }
            let ([op], [right]) = (&*compare.ops, &*compare.comparators) else {
                return false;
            };
            match op {
                CmpOp::In if module.refers_to(right, "os.environ") => true,
                CmpOp::Eq | CmpOp::In => match variable(cx, &compare.left) {
                    Some(unset) => is_other(&unset, right),
                    None => false,
                },
                _ => false,
            }
        }
        Expr::Attribute(attribute) => names_debugging(&attribute.attr),
        Expr::Name(name) => {
            names_debugging(&name.id)
                || module.only_binding(name).is_some_and(|binding| {
                    let is_global = module
                        .symbol(name)
                        .is_some_and(|symbol| symbol.scope == ScopeId::MODULE);
                    match binding.kind {
                        // Only what the module binds itself: another name is not gone after.
                        BindingKind::Value(value) => {
                            is_global && !value.is_name_expr() && is_off(cx, value)
                        }
                        _ => false,
                    }
                })
        }
        _ => variable(cx, test).is_some_and(|unset| unset.is_false()),
    }
}

/// Whether `node` stands where such a test has to hold.
pub(super) fn is_switched_off<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let asks = |test: &'a Expr| match test {
        Expr::BoolOp(operation) if operation.op == BoolOp::And => {
            operation.values.iter().any(|it| is_off(cx, it))
        }
        test => is_off(cx, test),
    };
    cx.module
        .ancestors(node)
        .take_while(|outer| !matches!(outer, AnyNodeRef::StmtFunctionDef(_)))
        .any(|outer| match outer {
            AnyNodeRef::StmtIf(stmt) => {
                asks(&stmt.test) && stmt.body.iter().any(|it| cx.module.contains(it, node))
            }
            _ => false,
        })
}

/// What an expression gives while a variable of the environment is not set.
enum Unset<'a> {
    /// This text.
    Text(&'a str),
    Nothing,
    /// A number or `False`: whether it is nought.
    Nought(bool),
}

impl Unset<'_> {
    fn is_false(&self) -> bool {
        match self {
            Unset::Text(text) => text.is_empty(),
            Unset::Nothing => true,
            Unset::Nought(is_nought) => *is_nought,
        }
    }
}

/// What an expression that is made from a variable of the environment gives while that is not set.
fn variable<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<Unset<'a>> {
    let module = cx.module;
    let Expr::Call(call) = expr else {
        return None;
    };
    if module.refers_to(&call.func, "os.getenv") || module.refers_to(&call.func, "os.environ.get") {
        return default(call);
    }
    match &*call.func {
        // `os.getenv("DUMP", "").lower()`
        Expr::Attribute(method)
            if matches!(
                method.attr.as_str(),
                "casefold" | "lower" | "strip" | "upper"
            ) =>
        {
            variable(cx, &method.value)
        }
        func => {
            let argument = call.arguments.args.first()?;
            match (module.builtin(func)?, variable(cx, argument)?) {
                ("bool", unset) => Some(Unset::Nought(unset.is_false())),
                ("int", Unset::Text(text)) => Some(Unset::Nought(text == "0")),
                ("int", unset) => Some(unset),
                ("str", unset @ Unset::Text(_)) => Some(unset),
                _ => None,
            }
        }
    }
}

fn default(call: &ExprCall) -> Option<Unset<'_>> {
    Some(match call.arguments.find_argument_value("default", 1) {
        None | Some(Expr::NoneLiteral(_)) => Unset::Nothing,
        Some(Expr::StringLiteral(text)) => Unset::Text(text.value.to_str()),
        Some(Expr::BooleanLiteral(literal)) => Unset::Nought(!literal.value),
        Some(Expr::NumberLiteral(literal)) => match &literal.value {
            Number::Int(value) => Unset::Nought(value.as_i64() == Some(0)),
            _ => return None,
        },
        Some(_) => return None,
    })
}

/// Whether what is given without the variable is none of the texts that a test asks for.
fn is_other(unset: &Unset<'_>, wanted: &Expr) -> bool {
    let is_it = |expr: &Expr| match (unset, expr) {
        (Unset::Text(text), Expr::StringLiteral(wanted)) => Some(*text == wanted.value.to_str()),
        (Unset::Nothing, Expr::StringLiteral(_)) => Some(false),
        (Unset::Nought(is_nought), Expr::NumberLiteral(_) | Expr::BooleanLiteral(_)) => {
            is_nought.then_some(false)
        }
        _ => None,
    };
    let elements = match wanted {
        Expr::Tuple(it) => &it.elts,
        Expr::List(it) => &it.elts,
        Expr::Set(it) => &it.elts,
        one => return is_it(one) == Some(false),
    };
    elements.iter().all(|it| is_it(it) == Some(false))
}

fn names_debugging(name: &str) -> bool {
    let name = name.trim_start_matches('_').to_ascii_lowercase();
    matches!(
        name.strip_prefix("is_").unwrap_or(&name),
        "debug" | "debugging"
    )
}
