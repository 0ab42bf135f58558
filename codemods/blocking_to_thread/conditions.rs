//! Under which arguments a call in a function is made: `if dump: write(path)` is not why `save(path)`
//! blocks, where `dump` is false by default.

use std::collections::BTreeMap;

use engine::Context;
use python::ast::{AnyNodeRef, BoolOp, CmpOp, Expr, Stmt, StmtFunctionDef, UnaryOp};
use python::{BindingKind, Ranged, ScopeKind};

use super::known::{self, Known};
use super::{first_time, switches};

/// What is known where a function is called: its parameters, and as `self.name` the attributes of
/// its object.
pub(super) type Values = BTreeMap<String, Known>;

/// What an expression gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Known(Known),
    /// What the parameter or attribute of this name has.
    Same(String),
    Unknown,
}

/// What a condition asks.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Unknown,
    Always(bool),
    /// Whether this parameter or attribute is true.
    IsTrue(String),
    /// Whether it is one of these.
    IsOneOf(String, Vec<Known>),
    /// Whether it is an instance of one of these classes.
    IsInstance(String, Vec<String>),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
}

impl Value {
    /// What `expr`, in the code of `function`, gives.
    pub(super) fn of<'a>(
        cx: &Context<'a, '_>,
        function: Option<&'a StmtFunctionDef>,
        expr: &'a Expr,
    ) -> Self {
        if let Some(known) = Known::of(expr).or_else(|| known::instance(cx, expr)) {
            return Value::Known(known);
        }
        match function.and_then(|function| operand(cx, function, expr)) {
            Some(name) => Value::Same(name),
            None => Value::Unknown,
        }
    }

    /// The value itself, if it is known.
    pub(super) fn known(&self, values: &Values) -> Option<Known> {
        match self {
            Value::Known(known) => Some(known.clone()),
            Value::Same(name) => values.get(name).cloned(),
            Value::Unknown => None,
        }
    }
}

impl Test {
    fn of<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef, expr: &'a Expr) -> Self {
        let of = |expr: &'a Expr| Test::of(cx, function, expr);
        // What is given where an object is made is known better.
        let asked = first_time::missing(expr).or_else(|| first_time::present(expr));
        if asked.is_none_or(|it| operand(cx, function, it).is_none())
            && let Some(value) = first_time::after_the_first(cx, function, expr)
        {
            return Test::Always(value);
        }
        match expr {
            Expr::BoolOp(operation) => {
                let tests = operation.values.iter().map(of).collect();
                match operation.op {
                    BoolOp::And => Test::All(tests),
                    BoolOp::Or => Test::Any(tests),
                }
            }
            Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => of(&unary.operand).negated(),
            Expr::BooleanLiteral(literal) => Test::Always(literal.value),
            _ if switches::is_off(cx, expr) => Test::Always(false),
            Expr::Compare(compare) => {
                let ([op], [right]) = (&*compare.ops, &*compare.comparators) else {
                    return Test::Unknown;
                };
                let Some(name) = operand(cx, function, &compare.left) else {
                    return Test::Unknown;
                };
                let all: Option<Vec<Known>> = match (op, right) {
                    (CmpOp::Is | CmpOp::IsNot | CmpOp::Eq | CmpOp::NotEq, value) => {
                        Known::of(value).map(|known| vec![known])
                    }
                    (CmpOp::In | CmpOp::NotIn, Expr::Tuple(it)) => {
                        it.elts.iter().map(Known::of).collect()
                    }
                    (CmpOp::In | CmpOp::NotIn, Expr::List(it)) => {
                        it.elts.iter().map(Known::of).collect()
                    }
                    (CmpOp::In | CmpOp::NotIn, Expr::Set(it)) => {
                        it.elts.iter().map(Known::of).collect()
                    }
                    _ => None,
                };
                match (all, op) {
                    (None, _) => Test::Unknown,
                    (Some(all), CmpOp::Is | CmpOp::Eq | CmpOp::In) => Test::IsOneOf(name, all),
                    (Some(all), _) => Test::IsOneOf(name, all).negated(),
                }
            }
            // `isinstance(file, io.IOBase)`
            Expr::Call(call) if cx.module.builtin(&call.func) == Some("isinstance") => {
                let [value, classes] = &*call.arguments.args else {
                    return Test::Unknown;
                };
                match (operand(cx, function, value), known::classes(cx, classes)) {
                    (Some(name), Some(classes)) => Test::IsInstance(name, classes),
                    _ => Test::Unknown,
                }
            }
            _ => match operand(cx, function, expr) {
                Some(name) => Test::IsTrue(name),
                None => Test::Unknown,
            },
        }
    }

    fn negated(self) -> Self {
        Test::Not(Box::new(self))
    }

    /// Whether it holds for these values; none where they do not tell.
    pub(super) fn holds(&self, values: &Values) -> Option<bool> {
        match self {
            Test::Unknown => None,
            Test::Always(value) => Some(*value),
            Test::IsTrue(name) => values.get(name)?.is_true(),
            Test::IsOneOf(name, all) => {
                let value = values.get(name)?;
                let mut is_unknown = false;
                for other in all {
                    match value.equals(other) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => is_unknown = true,
                    }
                }
                (!is_unknown).then_some(false)
            }
            Test::IsInstance(name, classes) => values.get(name)?.is_instance(classes),
            Test::Not(test) => test.holds(values).map(|it| !it),
            Test::All(tests) => all_hold(tests, values),
            Test::Any(tests) => {
                let found: Vec<_> = tests.iter().map(|test| test.holds(values)).collect();
                if found.contains(&Some(true)) {
                    Some(true)
                } else {
                    found.iter().all(|it| *it == Some(false)).then_some(false)
                }
            }
        }
    }

    /// Adds the names that it asks about.
    pub(super) fn add_names(&self, names: &mut Vec<String>) {
        match self {
            Test::IsTrue(name) | Test::IsOneOf(name, _) | Test::IsInstance(name, _) => {
                names.push(name.clone());
            }
            Test::Not(test) => test.add_names(names),
            Test::All(tests) | Test::Any(tests) => {
                for test in tests {
                    test.add_names(names);
                }
            }
            Test::Unknown | Test::Always(_) => {}
        }
    }

    fn is_unknown(&self) -> bool {
        match self {
            Test::Unknown => true,
            Test::Not(test) => test.is_unknown(),
            Test::All(tests) | Test::Any(tests) => tests.iter().all(Test::is_unknown),
            _ => false,
        }
    }
}

/// Whether all tests hold; none where the values do not tell.
fn all_hold(tests: &[Test], values: &Values) -> Option<bool> {
    let mut is_unknown = false;
    for test in tests {
        match test.holds(values) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => is_unknown = true,
        }
    }
    (!is_unknown).then_some(true)
}

/// Whether what stands under these conditions cannot be reached.
pub(super) fn are_excluded(tests: &[Test], values: &Values) -> bool {
    all_hold(tests, values) == Some(false)
}

/// What has to hold for `node`, in the code of `function`, to be reached, as far as it is known:
/// the branches that it stands in, and those before it that leave.
pub(super) fn of<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    node: AnyNodeRef<'a>,
) -> Vec<Test> {
    let module = cx.module;
    let test = |expr: &'a Expr| Test::of(cx, function, expr);
    let mut tests = Vec::new();
    let mut inner = node;
    for outer in module.ancestors(node) {
        if inner.is_statement()
            && let Some((body, position)) = module.siblings(inner)
        {
            for stmt in body.iter().take(position) {
                if let Stmt::If(stmt) = stmt {
                    tests.extend(after(cx, function, stmt));
                }
            }
        }
        let is_in = |body: &'a [Stmt]| body.iter().any(|stmt| module.contains(stmt, inner));
        match outer {
            AnyNodeRef::StmtFunctionDef(_) => break,
            AnyNodeRef::StmtIf(stmt) => {
                if is_in(&stmt.body) {
                    tests.push(test(&stmt.test));
                } else if !module.contains(&*stmt.test, inner) {
                    tests.push(test(&stmt.test).negated());
                    for clause in &stmt.elif_else_clauses {
                        let is_inside = module.contains(clause, inner);
                        match &clause.test {
                            Some(it) if is_inside && is_in_clause(cx, &clause.body, node) => {
                                tests.push(test(it));
                            }
                            Some(it) if !is_inside => tests.push(test(it).negated()),
                            _ => {}
                        }
                        if is_inside {
                            break;
                        }
                    }
                }
            }
            AnyNodeRef::StmtWhile(stmt) if is_in(&stmt.body) => tests.push(test(&stmt.test)),
            AnyNodeRef::ExprIf(choice) => {
                if module.contains(&*choice.body, inner) {
                    tests.push(test(&choice.test));
                } else if module.contains(&*choice.orelse, inner) {
                    tests.push(test(&choice.test).negated());
                }
            }
            AnyNodeRef::ExprBoolOp(operation) => {
                for value in &operation.values {
                    if module.contains(value, inner) {
                        break;
                    }
                    tests.push(match operation.op {
                        BoolOp::And => test(value),
                        BoolOp::Or => test(value).negated(),
                    });
                }
            }
            _ => {}
        }
        inner = outer;
    }
    tests.retain(|test| !test.is_unknown());
    tests
}

fn is_in_clause<'a>(cx: &Context<'a, '_>, body: &'a [Stmt], node: AnyNodeRef<'a>) -> bool {
    body.iter().any(|stmt| cx.module.contains(stmt, node))
}

/// What holds after an `if` of which some branches leave.
fn after<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    stmt: &'a python::ast::StmtIf,
) -> Vec<Test> {
    let clauses = stmt.elif_else_clauses.iter();
    let branches = std::iter::once((Some(&*stmt.test), &stmt.body))
        .chain(clauses.map(|clause| (clause.test.as_ref(), &clause.body)));
    let mut before: Vec<Test> = Vec::new();
    let mut tests = Vec::new();
    for (test, body) in branches {
        let own = test.map(|test| {
            if gives_coroutine(cx, body) {
                Test::Always(true) // whoever calls it in a coroutine wants that
            } else {
                Test::of(cx, function, test)
            }
        });
        if leaves(body) {
            let taken = before.iter().cloned().chain(own.clone()).collect();
            tests.push(Test::All(taken).negated());
        }
        before.extend(own.map(Test::negated));
    }
    tests
}

/// Whether statements end by giving the coroutine of a function that they define, as a function does
/// that serves plain code as well: `if is_async: async def run(): ...; return run()`.
fn gives_coroutine<'a>(cx: &Context<'a, '_>, body: &'a [Stmt]) -> bool {
    let Some(Stmt::Return(stmt)) = body.last() else {
        return false;
    };
    let Some(Expr::Call(call)) = stmt.value.as_deref() else {
        return false;
    };
    let function = cx.module.function_definition(&call.func);
    function.is_some_and(|function| {
        function.is_async && body.iter().any(|stmt| stmt.range() == function.range())
    })
}

/// Whether nothing that stands after `body` is reached through it.
fn leaves(body: &[Stmt]) -> bool {
    match body.last() {
        Some(Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_) | Stmt::Break(_)) => true,
        Some(Stmt::If(stmt)) => {
            let has_else = stmt
                .elif_else_clauses
                .last()
                .is_some_and(|clause| clause.test.is_none());
            has_else
                && leaves(&stmt.body)
                && stmt.elif_else_clauses.iter().all(|it| leaves(&it.body))
        }
        _ => false,
    }
}

/// The parameter of `function`, or the attribute of its object, that `expr` has the value of, by
/// the name that `Values` has for it.
fn operand<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    expr: &'a Expr,
) -> Option<String> {
    let module = cx.module;
    match expr {
        Expr::Name(name) => {
            let symbol = module.symbol(name)?;
            let is_own = matches!(
                module.scope_data(symbol.scope).kind,
                ScopeKind::Function(it) if module.id(it) == module.id(function)
            );
            let (first, others) = symbol.bindings.split_first()?;
            if !is_own || !matches!(first.kind, BindingKind::Parameter) {
                return None;
            }
            // What is bound anew later, and in no turn of a loop before, has not changed yet.
            let is_later = |node: AnyNodeRef<'a>| {
                expr.end() <= node.start()
                    && !module
                        .ancestors(expr)
                        .take_while(|it| !matches!(it, AnyNodeRef::StmtFunctionDef(_)))
                        .any(|it| {
                            matches!(it, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_))
                                && module.contains(it, node)
                        })
            };
            others
                .iter()
                .all(|binding| is_later(module.node(binding.node)))
                .then(|| name.id.to_string())
        }
        Expr::Attribute(attribute) => {
            let Expr::Name(receiver) = &*attribute.value else {
                return None;
            };
            let class = module.class_of_self(receiver)?;
            let once = set_once(cx, class);
            once.iter()
                .any(|(name, _)| *name == attribute.attr.as_str())
                .then(|| format!("self.{}", attribute.attr))
        }
        _ => None,
    }
}

/// The attributes that a class sets once, without condition, when an instance is made, with what it
/// sets them to.
pub(super) fn set_once<'a>(
    cx: &Context<'a, '_>,
    class: &'a python::ast::StmtClassDef,
) -> std::rc::Rc<Vec<(String, Value)>> {
    let module = cx.module;
    cx.remember("set once", module.id(class), || {
        let init = class.body.iter().find_map(|stmt| match stmt {
            Stmt::FunctionDef(function) if function.name.as_str() == "__init__" => Some(function),
            _ => None,
        });
        let Some(init) = init else {
            return Vec::new();
        };
        let set = |stmt: &'a Stmt| {
            let (Expr::Attribute(attribute), value) = python::assignment(stmt)? else {
                return None;
            };
            let Expr::Name(receiver) = &*attribute.value else {
                return None;
            };
            module.class_of_self(receiver)?;
            let value = match Known::of(value) {
                Some(known) => Value::Known(known),
                // A parameter: attributes are what is being asked for here.
                None if value.is_name_expr() => Value::of(cx, Some(init), value),
                None => Value::Unknown,
            };
            Some((attribute.attr.to_string(), value))
        };
        let mut found: Vec<(String, Value)> = init.body.iter().filter_map(set).collect();
        found
            .retain(|(name, value)| *value != Value::Unknown && count_stores(cx, class, name) == 1);
        found
    })
}

/// How often a class binds an attribute of this name, of whatever object.
fn count_stores<'a>(
    cx: &Context<'a, '_>,
    class: &'a python::ast::StmtClassDef,
    wanted: &str,
) -> usize {
    let module = cx.module;
    let is_store = |node: AnyNodeRef<'a>| match node {
        AnyNodeRef::ExprAttribute(attribute) => {
            attribute.attr.as_str() == wanted && !attribute.ctx.is_load()
        }
        AnyNodeRef::ExprName(name) => {
            let is_in_body = matches!(
                module.parent(module.statement(name)),
                Some(AnyNodeRef::StmtClassDef(it)) if module.id(it) == module.id(class)
            );
            name.id == wanted && !name.ctx.is_load() && is_in_body
        }
        AnyNodeRef::StmtFunctionDef(function) => function.name.as_str() == wanted,
        _ => false,
    };
    module
        .descendants(class)
        .filter(|node| is_store(*node))
        .count()
}
