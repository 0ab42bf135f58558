//! What an exception meets on its way out of a place: handlers, contexts that swallow or expect
//! it, and decorators. Plain data, which can be kept when the module is gone.

use ruff_python_ast::{self as ast, AnyNodeRef, ExceptHandler, Expr, ExprCall};
use ruff_source_file::LineIndex;
use ruff_text_size::Ranged;

use crate::blocks::{Block, TryPart};
use crate::index::{BindingKind, NodeId, ScopeKind};
use crate::module::Module;

/// Something that an exception meets on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Catcher {
    /// The body of a `try` with handlers.
    Try {
        /// Its handlers, in their order.
        handlers: Vec<Handler>,
        /// Whether they are `except*`.
        is_star: bool,
    },
    /// The body of a `with`: one for each of its contexts that a call makes.
    Context {
        /// The first line of the call.
        text: String,
        /// Its line, from 1.
        row: usize,
        /// The qualified name of what is called, if that is imported.
        name: Option<String>,
        /// The last part of what is called, as written.
        last: String,
        /// The arguments: each element where the first is a tuple.
        types: Vec<Caught>,
        /// How many arguments the call has.
        arguments: usize,
    },
    /// A decorator of the function around.
    Decorator {
        /// What is called or named, as written: `app.get`.
        text: String,
        /// Its line, from 1.
        row: usize,
        /// The last part of it: `get`.
        last: String,
        /// Whether it is an attribute of something.
        is_attribute: bool,
        /// Whether it is called.
        is_called: bool,
    },
}

impl Catcher {
    /// Whether every exception gets no further: a handler catches it, and raises nothing.
    pub fn ends(&self) -> bool {
        match self {
            Catcher::Try {
                handlers,
                is_star: false,
            } => handlers
                .iter()
                .any(|handler| handler.catches_everything() && !handler.raises),
            _ => false,
        }
    }
}

impl Handler {
    /// Whether it catches `Exception`, `BaseException`, or whatever there is.
    pub fn catches_everything(&self) -> bool {
        let everything = |it: &Caught| {
            matches!(
                it.name.as_deref(),
                Some("builtins.Exception" | "builtins.BaseException")
            )
        };
        self.types.is_empty() || self.types.iter().any(everything)
    }
}

/// An `except` clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handler {
    /// Its line, from 1.
    pub row: usize,
    /// What it catches; nothing where it catches everything.
    pub types: Vec<Caught>,
    /// Whether its body uses the exception by the name that the clause gives it.
    pub uses_exception: bool,
    /// Whether its body asks what the exception is: by `isinstance`, `type`, or an attribute.
    pub inspects_exception: bool,
    /// Whether its body raises anything.
    pub raises: bool,
}

/// A type that is caught.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caught {
    /// As written.
    pub text: String,
    /// The qualified name, if it is imported or a builtin.
    pub name: Option<String>,
}

impl<'a> Module<'a> {
    /// What an exception of `node` meets up to the end of its function, from the inside out.
    pub fn catchers<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> Vec<Catcher> {
        let node = self.node(NodeId::of(node));
        let mut catchers = Vec::new();
        for block in self.blocks(node) {
            match block {
                Block::Try(stmt, TryPart::Body) if !stmt.handlers.is_empty() => {
                    catchers.push(Catcher::Try {
                        handlers: stmt.handlers.iter().map(|it| self.handler(it)).collect(),
                        is_star: stmt.is_star,
                    });
                }
                Block::With(with) => {
                    let calls = self.context_calls(with, node);
                    catchers.extend(calls.into_iter().map(|call| self.context(call)));
                }
                _ => {}
            }
        }
        if let Some(function) = self.function(node) {
            let decorators = function.decorator_list.iter();
            catchers.extend(decorators.filter_map(|it| self.decorator(&it.expression)));
        }
        catchers
    }

    /// The name of a function in the module, with those of the classes and functions around it:
    /// `Client.fetch`, `make.<locals>.inner`.
    pub fn path_of(&self, function: &ast::StmtFunctionDef) -> Option<String> {
        let mut parts = vec![function.name.to_string()];
        for around in self.ancestors(function) {
            match around {
                AnyNodeRef::StmtClassDef(class) => parts.push(class.name.to_string()),
                AnyNodeRef::StmtFunctionDef(outer) => {
                    parts.push(format!("{}.<locals>", outer.name));
                }
                _ => {}
            }
        }
        parts.reverse();
        Some(parts.join("."))
    }

    /// The line of an offset, from 1; in a notebook that of its cell.
    pub fn row(&self, offset: ruff_text_size::TextSize) -> usize {
        let index = self
            .line_index
            .get_or_init(|| LineIndex::from_source_text(self.source()));
        let row = index.line_index(offset).get();
        match self.cell_end_before(offset) {
            Some(end) => row - index.line_index(end).get(),
            None => row,
        }
    }

    fn handler(&self, handler: &ExceptHandler) -> Handler {
        let ExceptHandler::ExceptHandler(handler) = handler;
        let uses = |name: &str| handler.body.iter().any(|stmt| self.mentions(stmt, name));
        Handler {
            row: self.row(handler.start()),
            types: caught_types(handler.type_.as_deref())
                .iter()
                .map(|it| self.caught(it))
                .collect(),
            uses_exception: handler.name.as_deref().is_some_and(uses),
            inspects_exception: handler
                .name
                .as_deref()
                .is_some_and(|name| self.inspects(handler, name)),
            raises: self
                .descendants(handler)
                .any(|node| matches!(node, AnyNodeRef::StmtRaise(_))),
        }
    }

    fn caught(&self, expr: &Expr) -> Caught {
        let text = self.text(expr.range());
        // `from m import *` could bind them, and nobody does.
        let is_unbound = matches!(expr, Expr::Name(name) if self.symbol(name).is_none());
        let everything = matches!(text, "Exception" | "BaseException") && is_unbound;
        Caught {
            text: text.to_string(),
            name: self
                .qualified_name(expr)
                .or_else(|| everything.then(|| format!("builtins.{text}"))),
        }
    }

    /// Whether a handler asks what the exception is that it has under `name`.
    fn inspects(&self, handler: &ast::ExceptHandlerExceptHandler, name: &str) -> bool {
        let is_it = |expr: &Expr| matches!(expr, Expr::Name(it) if it.id == name);
        self.descendants(handler).any(|node| match node {
            AnyNodeRef::ExprCall(call) => {
                matches!(last_part(&call.func), Some("isinstance" | "type"))
                    && call.arguments.args.first().is_some_and(is_it)
            }
            // What every exception has tells nothing of its type.
            AnyNodeRef::ExprAttribute(attribute) => {
                is_it(&attribute.value)
                    && !matches!(
                        attribute.attr.as_str(),
                        "args"
                            | "add_note"
                            | "with_traceback"
                            | "__traceback__"
                            | "__cause__"
                            | "__context__"
                    )
            }
            AnyNodeRef::StmtMatch(stmt) => is_it(&stmt.subject),
            _ => false,
        })
    }

    fn context(&self, call: &ExprCall) -> Catcher {
        let name = self.qualified_name(&call.func);
        let arguments = &call.arguments.args;
        // `suppress(A, B)`, but `raises((A, B))`.
        let types = match name.as_deref() {
            Some("contextlib.suppress") => &**arguments,
            _ => caught_types(arguments.first()),
        };
        Catcher::Context {
            text: self.first_line(call.range()).to_string(),
            row: self.row(call.start()),
            last: last_part(&call.func).unwrap_or_default().to_string(),
            types: types.iter().map(|it| self.caught(it)).collect(),
            arguments: call.arguments.len(),
            name,
        }
    }

    fn decorator(&self, decorator: &Expr) -> Option<Catcher> {
        let (is_called, func) = match decorator {
            Expr::Call(call) => (true, &*call.func),
            other => (false, other),
        };
        Some(Catcher::Decorator {
            text: self.text(func.range()).to_string(),
            row: self.row(func.start()),
            last: last_part(func)?.to_string(),
            is_attribute: func.is_attribute_expr(),
            is_called,
        })
    }

    /// The calls that make the context managers of a `with`: where they stand in it, where their
    /// names are bound, and where an exit stack is given them before `node`.
    fn context_calls(&self, with: &'a ast::StmtWith, node: AnyNodeRef<'a>) -> Vec<&'a ExprCall> {
        let mut contexts = Vec::new();
        for item in &with.items {
            let call = match &item.context_expr {
                Expr::Call(call) => call,
                Expr::Name(name) => match self.only_binding(name).map(|binding| binding.kind) {
                    Some(BindingKind::Value(Expr::Call(call))) => call,
                    _ => continue,
                },
                _ => continue,
            };
            contexts.push(call);
            let is_stack = self.refers_to(&call.func, "contextlib.ExitStack")
                || self.refers_to(&call.func, "contextlib.AsyncExitStack");
            if !is_stack {
                continue;
            }
            let calls = self.calls().iter().copied();
            for entered in calls.take_while(|entered| entered.start() < node.start()) {
                if let Expr::Attribute(method) = &*entered.func
                    && matches!(
                        method.attr.as_str(),
                        "enter_context" | "enter_async_context"
                    )
                    && let Some(Expr::Call(context)) = entered.arguments.args.first()
                    && self.contains(with, entered)
                {
                    contexts.push(context);
                }
            }
        }
        contexts
    }

    /// Whether `function` is a method: it stands directly in a class.
    pub fn class_around(&self, function: &ast::StmtFunctionDef) -> Option<&'a ast::StmtClassDef> {
        match self.scope_data(self.scope(function)).kind {
            ScopeKind::Class(class) => Some(class),
            _ => None,
        }
    }
}

/// The types that an `except` clause or a call lists.
fn caught_types(types: Option<&Expr>) -> &[Expr] {
    match types {
        Some(Expr::Tuple(tuple)) => &tuple.elts,
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
}

fn last_part(func: &Expr) -> Option<&str> {
    match func {
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        Expr::Name(name) => Some(name.id.as_str()),
        _ => None,
    }
}
