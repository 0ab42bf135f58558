//! What may be a task that somebody else cancels.

use engine::Context;
use python::ast::{AnyNodeRef, Expr, ExprCall, ExprName, StmtFunctionDef};
use python::{Awaitable, BindingKind, NodeId};

/// The expression in what is awaited that may be a task or future which somebody else can cancel:
/// its cancellation would be raised here, and is not the coroutine's own.
///
/// What a call gives is taken for a coroutine, or for something whose cancellation is this
/// coroutine's: what nobody else has nobody else cancels. What a name or an attribute holds is not
/// known, unless the module shows it.
pub fn may_be_child<'a>(cx: &Context<'a, '_>, expr: &'a Expr, depth: usize) -> Option<&'a Expr> {
    let module = cx.module;
    if depth > 8 {
        return Some(expr);
    }
    let inner = |expr: &'a Expr| may_be_child(cx, expr, depth + 1);
    match expr {
        Expr::Name(name) => {
            let own = module.awaitable(expr) == Awaitable::Coroutine
                || is_declared_coroutine(cx, name)
                || is_own_task(cx, name)
                || is_tested_coroutine(cx, name)
                || cx.awaitable(expr) == Awaitable::Coroutine;
            (!own).then_some(expr)
        }
        Expr::Attribute(_) | Expr::Subscript(_) => {
            (cx.awaitable(expr) != Awaitable::Coroutine).then_some(expr)
        }
        Expr::Starred(starred) => inner(&starred.value),
        Expr::Named(named) => inner(&named.value),
        Expr::If(branch) => inner(&branch.body).or_else(|| inner(&branch.orelse)),
        Expr::BoolOp(operation) => operation.values.iter().find_map(inner),
        Expr::List(list) => list.elts.iter().find_map(inner),
        Expr::Tuple(tuple) => tuple.elts.iter().find_map(inner),
        Expr::Set(set) => set.elts.iter().find_map(inner),
        Expr::ListComp(comprehension) => inner(&comprehension.elt),
        Expr::SetComp(comprehension) => inner(&comprehension.elt),
        Expr::Generator(generator) => inner(&generator.elt),
        Expr::Call(call) => match module.qualified_name(&call.func).as_deref() {
            Some("asyncio.gather") if !returns_exceptions(call) => {
                call.arguments.args.iter().find_map(inner)
            }
            Some(
                "asyncio.wait_for"
                | "asyncio.shield"
                | "asyncio.wrap_future"
                | "asyncio.ensure_future",
            ) => call.arguments.args.first().and_then(inner),
            _ => gives_future_of_others(cx, call).then_some(expr),
        },
        _ => None,
    }
}

/// Whether a call of a plain function of this module gives a future that it makes, and that others
/// get too.
fn gives_future_of_others<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let Some(function) = module.function_definition(&call.func) else {
        return false;
    };
    let own = module.id(function);
    !function.is_async
        && module.descendants(function).any(|node| {
            let AnyNodeRef::StmtReturn(stmt) = node else {
                return false;
            };
            let Some(Expr::Name(name)) = stmt.value.as_deref() else {
                return false;
            };
            let is_made = module.only_binding(name).is_some_and(|binding| {
                matches!(binding.kind, BindingKind::Value(Expr::Call(made))
                    if matches!(module.awaitable_call(made), Awaitable::Future | Awaitable::Task)
                        || module.refers_to(&made.func, "asyncio.Future"))
            });
            let is_own = module.function(node).is_some_and(|it| module.id(it) == own);
            // Beside this `return`.
            let others = module
                .symbol(name)
                .is_some_and(|symbol| symbol.reads.len() > 1);
            is_made && is_own && others
        })
}

/// The name or attribute in what is awaited whose own cancellation the `await` raises.
pub fn raising<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<&'a Expr> {
    match expr {
        Expr::Name(_) | Expr::Attribute(_) => Some(expr),
        Expr::Starred(starred) => raising(cx, &starred.value),
        Expr::Call(call) => match cx.module.qualified_name(&call.func).as_deref() {
            Some("asyncio.gather") if returns_exceptions(call) => None,
            Some("asyncio.gather" | "asyncio.wait_for" | "asyncio.shield") => call
                .arguments
                .args
                .iter()
                .find_map(|argument| raising(cx, argument)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether `call` runs the coroutine: by its name, or, where the module does not show the object,
/// by that of the method that it is.
pub fn is_call_of<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    call: &'a ExprCall,
) -> bool {
    is_function(cx, coroutine, &call.func)
}

/// Whether `func` is the function of the coroutine.
pub fn is_function<'a>(
    cx: &Context<'a, '_>,
    coroutine: &'a StmtFunctionDef,
    func: &'a Expr,
) -> bool {
    let module = cx.module;
    match module.function_definition(func) {
        Some(function) => module.id(function) == module.id(coroutine),
        None => {
            matches!(module.parent(coroutine), Some(AnyNodeRef::StmtClassDef(_)))
                && matches!(func, Expr::Attribute(method) if method.attr.as_str() == coroutine.name.as_str())
        }
    }
}

/// `gather(..., return_exceptions=True)` gives the cancellations of its children as results.
fn returns_exceptions(call: &ExprCall) -> bool {
    call.arguments
        .find_keyword("return_exceptions")
        .is_some_and(
            |keyword| matches!(&keyword.value, Expr::BooleanLiteral(literal) if literal.value),
        )
}

/// `if inspect.iscoroutine(result): await result`
fn is_tested_coroutine<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> bool {
    let module = cx.module;
    module.ancestors(name).any(|around| {
        let AnyNodeRef::StmtIf(branch) = around else {
            return false;
        };
        let Expr::Call(test) = &*branch.test else {
            return false;
        };
        let is_test = ["inspect.iscoroutine", "asyncio.iscoroutine"]
            .iter()
            .any(|it| module.refers_to(&test.func, it));
        is_test
            && branch.body.iter().any(|stmt| module.contains(stmt, name))
            && matches!(&*test.arguments.args, [Expr::Name(it)] if it.id == name.id)
    })
}

/// A parameter that is annotated as a coroutine.
fn is_declared_coroutine<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> bool {
    let module = cx.module;
    let Some(binding) = module.only_binding(name) else {
        return false;
    };
    let AnyNodeRef::Parameter(parameter) = module.node(binding.node) else {
        return false;
    };
    let Some(mut annotation) = parameter.annotation.as_deref() else {
        return false;
    };
    if let Expr::Subscript(subscript) = annotation {
        annotation = &subscript.value;
    }
    module.qualified_name(annotation).is_some_and(|name| {
        matches!(
            name.as_str(),
            "typing.Coroutine" | "collections.abc.Coroutine" | "types.CoroutineType"
        )
    })
}

/// A task, or a list of tasks, that the coroutine makes and nobody else gets: every use awaits it,
/// or calls one of its methods.
pub fn is_own_task<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> bool {
    let module = cx.module;
    let Some(symbol) = module.symbol(name) else {
        return false;
    };
    let [binding] = symbol.bindings.as_slice() else {
        return false;
    };
    let BindingKind::Value(value) = binding.kind else {
        return false;
    };
    let makes = |expr: &Expr| match expr {
        Expr::Call(call) => matches!(
            module.awaitable_call(call),
            Awaitable::Task | Awaitable::Coroutine
        ),
        _ => false,
    };
    let is_new = match value {
        Expr::ListComp(comprehension) => makes(&comprehension.elt),
        Expr::List(list) => !list.elts.is_empty() && list.elts.iter().all(makes),
        value => makes(value),
    };
    is_new
        && symbol
            .reads
            .iter()
            .all(|read| is_kept(cx, module.node(*read), symbol.scope))
}

/// Whether a use of a task keeps it in the coroutine.
fn is_kept<'a>(cx: &Context<'a, '_>, read: AnyNodeRef<'a>, scope: python::ScopeId) -> bool {
    const WAIT: &[&str] = &[
        "asyncio.gather",
        "asyncio.wait",
        "asyncio.wait_for",
        "asyncio.shield",
        "asyncio.as_completed",
    ];
    let module = cx.module;
    if module.scope(read) != scope {
        return false;
    }
    let mut child = read;
    while let Some(parent) = module.parent(child) {
        match parent {
            AnyNodeRef::ExprAwait(_)
            | AnyNodeRef::ExprAttribute(_)
            | AnyNodeRef::ExprCompare(_) => {
                return true;
            }
            AnyNodeRef::Arguments(_)
            | AnyNodeRef::ExprStarred(_)
            | AnyNodeRef::ExprList(_)
            | AnyNodeRef::ExprTuple(_)
            | AnyNodeRef::ExprSet(_) => child = parent,
            AnyNodeRef::ExprCall(call) => {
                return WAIT.iter().any(|name| module.refers_to(&call.func, name));
            }
            AnyNodeRef::StmtIf(_) | AnyNodeRef::StmtWhile(_) | AnyNodeRef::ExprUnaryOp(_) => {
                return child.is_expression();
            }
            _ => return false,
        }
    }
    false
}

/// What an expression may be called elsewhere in the function.
struct Keys<'c, 'a, 'm> {
    cx: &'c Context<'a, 'm>,
    names: Vec<String>,
    /// The symbols and calls that were followed.
    seen: Vec<NodeId>,
}

/// `task`, `self.task` for itself; for a name also what is bound to it, and what a loop over
/// binds it; for a call of asyncio or of a container its arguments.
pub fn keys<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Vec<String> {
    let mut keys = Keys {
        cx,
        names: Vec::new(),
        seen: Vec::new(),
    };
    keys.add(expr);
    keys.names
}

impl<'a> Keys<'_, 'a, '_> {
    fn add(&mut self, expr: &'a Expr) {
        if self.seen.len() > 100 {
            return;
        }
        match expr {
            Expr::Name(name) => {
                self.names.push(name.id.to_string());
                self.add_bindings(name);
            }
            Expr::Attribute(_) => {
                if let Some(path) = path(expr) {
                    self.names.push(path);
                }
            }
            Expr::Subscript(subscript) => self.add(&subscript.value),
            Expr::Starred(starred) => self.add(&starred.value),
            Expr::Named(named) => {
                self.add(&named.target);
                self.add(&named.value);
            }
            Expr::If(branch) => {
                self.add(&branch.body);
                self.add(&branch.orelse);
            }
            Expr::BoolOp(operation) => operation.values.iter().for_each(|it| self.add(it)),
            Expr::BinOp(operation) => {
                self.add(&operation.left);
                self.add(&operation.right);
            }
            Expr::List(list) => list.elts.iter().for_each(|it| self.add(it)),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|it| self.add(it)),
            Expr::Set(set) => set.elts.iter().for_each(|it| self.add(it)),
            Expr::ListComp(comprehension) => self.add(&comprehension.elt),
            Expr::SetComp(comprehension) => self.add(&comprehension.elt),
            Expr::Generator(generator) => self.add(&generator.elt),
            Expr::Call(call) => self.add_call(call),
            _ => {}
        }
    }

    fn add_call(&mut self, call: &'a ExprCall) {
        const HOLD: &[&str] = &[
            "enumerate",
            "filter",
            "frozenset",
            "iter",
            "list",
            "next",
            "reversed",
            "set",
            "sorted",
            "tuple",
            "zip",
        ];
        const GIVE: &[&str] = &["copy", "get", "items", "pop", "popleft", "values"];
        let module = self.cx.module;
        let holds = match &*call.func {
            Expr::Name(name) => {
                module.symbol(name).is_none() && HOLD.contains(&name.id.as_str())
                    || module
                        .qualified_name(&call.func)
                        .is_some_and(|name| name.starts_with("asyncio."))
            }
            Expr::Attribute(method) => {
                if GIVE.contains(&method.attr.as_str()) {
                    self.add(&method.value);
                }
                module.qualified_name(&call.func).is_some_and(|name| {
                    name.starts_with("asyncio.") || name.starts_with("itertools.")
                })
            }
            _ => false,
        };
        if holds {
            call.arguments.args.iter().for_each(|it| self.add(it));
            for keyword in &call.arguments.keywords {
                self.add(&keyword.value);
            }
        }
    }

    fn add_bindings(&mut self, name: &'a ExprName) {
        let module = self.cx.module;
        let Some(symbol) = module.symbol(name) else {
            return;
        };
        for binding in &symbol.bindings {
            if self.seen.contains(&binding.node) {
                continue;
            }
            self.seen.push(binding.node);
            match binding.kind {
                BindingKind::Value(value) => self.add(value),
                BindingKind::Unpacked(Expr::Tuple(tuple), Some(position)) => {
                    if let Some(value) = tuple.elts.get(position) {
                        self.add(value);
                    }
                }
                BindingKind::Unpacked(Expr::Await(awaited), _) => self.add(&awaited.value),
                BindingKind::Loop => {
                    let around = module
                        .ancestors(module.node(binding.node))
                        .find_map(|node| match node {
                            AnyNodeRef::StmtFor(stmt) => Some(&*stmt.iter),
                            AnyNodeRef::Comprehension(clause) => Some(&clause.iter),
                            _ => None,
                        });
                    if let Some(iter) = around {
                        self.add(iter);
                    }
                }
                _ => {}
            }
        }
        // `tasks.append(task)`, `tasks.add(task)`: who cancels all cancels the one.
        for read in &symbol.reads {
            let node = module.node(*read);
            let Some(AnyNodeRef::Arguments(arguments)) = module.parent(node) else {
                continue;
            };
            if let Some(AnyNodeRef::ExprCall(call)) = module.parent(arguments)
                && let Expr::Attribute(method) = &*call.func
                && matches!(method.attr.as_str(), "append" | "add")
                && let Some(path) = path(&method.value)
            {
                self.names.push(path);
            }
        }
    }
}

/// `self.task` for an attribute of a name.
pub fn path(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => {
            Some(format!("{}.{}", path(&attribute.value)?, attribute.attr))
        }
        _ => None,
    }
}
