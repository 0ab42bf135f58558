//! Which function a call reaches, and what a function gives that does not declare it.

use ruff_db::parsed::parsed_module;
use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_ast::{self as ast, Expr, ExprRef, Stmt};
use ty_module_resolver::file_to_module;
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_core::scope::NodeWithScopeKind;
use ty_python_core::semantic_index;
use ty_python_semantic::types::TypeDefinition;
use ty_python_semantic::{ImportAliasResolution, ResolvedDefinition, definitions_for_name};

use super::Inference;
use super::generators::{self, has_yield};
use crate::{Aclose, Answer, Closing, Function, Gives, Value};

/// How many functions are followed from the one that was asked about.
const MAX_DEPTH: usize = 4;

impl<'db> Inference<'db> {
    /// Which function a call of an expression reaches.
    pub(super) fn callee(&self, func: ExprRef<'_>) -> Answer {
        let function = self.definition(func).and_then(|it| self.function(it));
        if let Some(function) = function {
            return Answer::Callee(function);
        }
        let ty = self.type_of(func);
        Answer::Unknown(ty.and_then(|ty| self.why_unknown(func, ty)))
    }

    pub(super) fn called_function(&self, func: &Expr) -> Option<Function> {
        self.function(self.definition(func.into())?)
    }

    /// The function that an expression is.
    pub(super) fn definition(&self, func: ExprRef<'_>) -> Option<Definition<'db>> {
        match self.type_of(func)?.definition(self.db, &self.env)? {
            TypeDefinition::Function(definition) => Some(definition),
            _ => None,
        }
    }

    fn function(&self, definition: Definition<'db>) -> Option<Function> {
        let module = parsed_module(self.db, definition.python_file(self.db)).load(self.db);
        let DefinitionKind::Function(node) = definition.kind(self.db) else {
            return None;
        };
        let node = node.node(&module);
        let file = definition.program_file(self.db);
        let index = semantic_index(self.db, file);
        let mut parts = vec![node.name.to_string()];
        let mut scope = Some(definition.file_scope(self.db));
        while let Some(id) = scope {
            let data = index.scope(id);
            match data.node() {
                NodeWithScopeKind::Class(class) => {
                    parts.push(class.node(&module).name.to_string());
                }
                NodeWithScopeKind::Function(function) => {
                    parts.push(format!("{}.<locals>", function.node(&module).name));
                }
                _ => {}
            }
            scope = data.parent();
        }
        parts.reverse();
        let resolved = file_to_module(self.db, file.resolver_file(self.db));
        Some(Function {
            module: resolved.map(|module| module.name(self.db).as_str().to_string()),
            name: parts.join("."),
            place: self.place(definition.focus_range(self.db, &module)),
            is_async: node.is_async,
            is_decorated: !node.decorator_list.iter().all(is_transparent),
            is_generator: has_yield(node),
            closing: if generators::is_stub(node) {
                Closing::IsStub
            } else if generators::resists_closing(node) {
                Closing::MayYield
            } else if self.cleans_up(definition, &mut Vec::new()) == Some(false) {
                Closing::RunsNothing
            } else {
                Closing::Ends
            },
        })
    }

    /// Whether some code of a generator function runs when its generator is closed, or may run in
    /// another one that it loops over. None where it is no such function, or a decorator may replace it.
    /// `seen` are the functions that are looked into already.
    fn cleans_up(
        &self,
        definition: Definition<'db>,
        seen: &mut Vec<Definition<'db>>,
    ) -> Option<bool> {
        let module = parsed_module(self.db, definition.python_file(self.db)).load(self.db);
        let DefinitionKind::Function(node) = definition.kind(self.db) else {
            return None;
        };
        let node = node.node(&module);
        if !has_yield(node) || !node.decorator_list.iter().all(is_transparent) {
            return None;
        }
        let cleanup = generators::cleanup(node);
        if cleanup.is_own || generators::is_stub(node) || seen.len() == MAX_DEPTH {
            return Some(true);
        }
        if cleanup.loops.is_empty() {
            return Some(false);
        }
        seen.push(definition);
        let there = Inference::new(self.db, definition.file(self.db));
        Some(cleanup.loops.into_iter().any(|(call, is_async)| {
            let inner = there.definition((&*call.func).into());
            if inner.is_some_and(|inner| seen.contains(&inner)) {
                return false;
            }
            let cleans_up = inner.and_then(|inner| there.cleans_up(inner, seen));
            let may_be = || is_async && there.closes_in(call.into(), 0) != Some(Aclose::Lacks);
            cleans_up.unwrap_or_else(may_be)
        }))
    }

    /// What a call gives whose function declares nothing: what it returns, if that is the same
    /// at each `return`. ty leaves such calls unknown.
    pub(super) fn returned(&self, expr: ExprRef<'_>, depth: usize) -> Option<Answer> {
        let ExprRef::Call(call) = expr else {
            return None;
        };
        if depth == MAX_DEPTH {
            return None;
        }
        let definition = self
            .definition((&*call.func).into())
            .or_else(|| self.method_of_entered(&call.func))?;
        let module = parsed_module(self.db, definition.python_file(self.db)).load(self.db);
        let DefinitionKind::Function(node) = definition.kind(self.db) else {
            return None;
        };
        let node = node.node(&module);
        if node.is_async {
            return self.coroutine(definition, node);
        }
        let is_plain = node.returns.is_none() && node.decorator_list.is_empty() && !has_yield(node);
        if !is_plain {
            return None;
        }
        let mut returns = Returns::default();
        returns.visit_body(&node.body);
        let there = Inference::new(self.db, definition.file(self.db));
        let mut values: Vec<Value> = Vec::new();
        for value in &returns.values {
            // A bare `return` gives None.
            match there.value_in(ExprRef::from((*value)?), depth + 1) {
                Answer::Value(value) => values.push(value),
                _ => return None,
            }
        }
        // Without an end that returns, it may give None.
        if !node.body.last().is_some_and(never_falls_through) {
            return None;
        }
        let first = values.first()?.clone();
        values
            .iter()
            .all(|value| value.gives == first.gives)
            .then_some(Answer::Value(first))
    }
}

impl<'db> Inference<'db> {
    /// Whether what a plain function returns has `aclose`, if that is the same at each `return`:
    /// it may be declared to be less than it is.
    pub(super) fn returned_closes(&self, call: &ast::ExprCall, depth: usize) -> Option<Aclose> {
        if depth == MAX_DEPTH {
            return None;
        }
        let definition = self.definition((&*call.func).into())?;
        let module = parsed_module(self.db, definition.python_file(self.db)).load(self.db);
        let DefinitionKind::Function(node) = definition.kind(self.db) else {
            return None;
        };
        let node = node.node(&module);
        if node.is_async || !node.decorator_list.iter().all(is_transparent) || has_yield(node) {
            return None;
        }
        let mut returns = Returns::default();
        returns.visit_body(&node.body);
        let there = Inference::new(self.db, definition.file(self.db));
        let mut found = returns
            .values
            .iter()
            .map(|value| there.closes_in(ExprRef::from((*value)?), depth + 1));
        let first = found.next()??;
        (first != Aclose::Undeclared && found.all(|it| it == Some(first))).then_some(first)
    }

    /// What a call of an `async def` gives that ty leaves open.
    fn coroutine(
        &self,
        definition: Definition<'db>,
        node: &ast::StmtFunctionDef,
    ) -> Option<Answer> {
        let is_coroutine = node.decorator_list.is_empty() && !has_yield(node);
        is_coroutine.then(|| {
            Answer::Value(Value {
                gives: Gives::Coroutine,
                shown: "CoroutineType[Any, Any, Any]".to_string(),
                classes: vec!["types.CoroutineType".to_string()],
                evidence: self.function(definition).map(|function| function.place),
            })
        })
    }

    /// `client.fetch` after `async with Client() as client:`, where `__aenter__` declares nothing and
    /// returns `self`. ty leaves `client` unknown.
    fn method_of_entered(&self, func: &Expr) -> Option<Definition<'db>> {
        let Expr::Attribute(method) = func else {
            return None;
        };
        let Expr::Name(receiver) = &*method.value else {
            return None;
        };
        let definitions = definitions_for_name(
            &self.model,
            receiver.id.as_str(),
            receiver.into(),
            ImportAliasResolution::PreserveAliases,
        );
        let [entered] = definitions.as_slice() else {
            return None;
        };
        let entered = entered.definition()?;
        let DefinitionKind::WithItem(item) = entered.kind(self.db) else {
            return None;
        };
        let module = parsed_module(self.db, entered.python_file(self.db)).load(self.db);
        let is_here = entered.file(self.db) == self.model.file();
        if !is_here || !item.target(&module).is_name_expr() {
            return None;
        }
        let context = ExprRef::from(item.context_expr(&module));
        let enter = if item.is_async() {
            "__aenter__"
        } else {
            "__enter__"
        };
        let [enter] = self.attribute(context, enter).try_into().ok()?;
        let enter: ResolvedDefinition = enter;
        if !self.returns_self(enter.definition()?) {
            return None;
        }
        let [found] = self.attribute(context, &method.attr).try_into().ok()?;
        let found: ResolvedDefinition = found;
        found.definition()
    }

    /// Whether a method gives the object that it is called on.
    fn returns_self(&self, definition: Definition<'db>) -> bool {
        let module = parsed_module(self.db, definition.python_file(self.db)).load(self.db);
        let DefinitionKind::Function(node) = definition.kind(self.db) else {
            return false;
        };
        let node = node.node(&module);
        let Some(first) = node.parameters.iter_non_variadic_params().next() else {
            return false;
        };
        let mut returns = Returns::default();
        returns.visit_body(&node.body);
        let name = first.name().as_str();
        let is_self = |value: Option<&Expr>| {
            value
                .and_then(Expr::as_name_expr)
                .is_some_and(|value| value.id.as_str() == name)
        };
        node.returns.is_none()
            && node.decorator_list.is_empty()
            && !returns.values.is_empty()
            && returns.values.iter().copied().all(is_self)
    }
}

/// Whether a decorator leaves the function what it is, but for how it is bound.
fn is_transparent(decorator: &ast::Decorator) -> bool {
    let name = match &decorator.expression {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    matches!(name, "classmethod" | "override" | "staticmethod")
}

/// Whether what stands after the statement is never reached.
fn never_falls_through(stmt: &Stmt) -> bool {
    let ends = |body: &[Stmt]| body.last().is_some_and(never_falls_through);
    match stmt {
        Stmt::Return(_) | Stmt::Raise(_) => true,
        Stmt::If(stmt) => {
            let has_else = stmt.elif_else_clauses.iter().any(|it| it.test.is_none());
            has_else && ends(&stmt.body) && stmt.elif_else_clauses.iter().all(|it| ends(&it.body))
        }
        Stmt::With(stmt) => ends(&stmt.body),
        Stmt::Try(stmt) => {
            let handlers = stmt.handlers.iter();
            let mut handlers = handlers.map(|ast::ExceptHandler::ExceptHandler(it)| ends(&it.body));
            (ends(&stmt.body) || ends(&stmt.orelse)) && handlers.all(|ends| ends)
        }
        _ => false,
    }
}

/// The `return` statements of a function's own body.
#[derive(Default)]
struct Returns<'a> {
    values: Vec<Option<&'a Expr>>,
}

impl<'a> Visitor<'a> for Returns<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            Stmt::Return(stmt) => self.values.push(stmt.value.as_deref()),
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}
