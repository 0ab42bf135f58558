//! Who runs a piece of code: the coroutine around it, or one that calls the function around it.

use ruff_python_ast::{self as ast, AnyNodeRef};

use crate::index::NodeId;
use crate::module::Module;
use crate::place::AwaitPlace;

/// A coroutine that calls a plain function.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The coroutine.
    pub coroutine: &'a ast::StmtFunctionDef,
    /// The plain function that it calls, where it does not call the one in question itself.
    pub through: Option<&'a ast::StmtFunctionDef>,
}

impl<'a> Module<'a> {
    /// The coroutine in whose own code `node` stands, be it in a generator expression there.
    pub fn coroutine_around<'n>(
        &self,
        node: impl Into<AnyNodeRef<'n>>,
    ) -> Option<&'a ast::StmtFunctionDef> {
        let mut node = self.node(self.id(node));
        loop {
            match self.await_place(node) {
                AwaitPlace::Coroutine(function) | AwaitPlace::NestedComprehension(function) => {
                    return Some(function);
                }
                AwaitPlace::GeneratorExpression => {
                    node = self
                        .ancestors(node)
                        .find(|ancestor| matches!(ancestor, AnyNodeRef::ExprGenerator(_)))?;
                }
                _ => return None,
            }
        }
    }

    /// A coroutine of this module that runs the plain `function`, itself or through others of
    /// this module.
    pub fn calling_coroutine(&self, function: &'a ast::StmtFunctionDef) -> Option<Caller<'a>> {
        let mut reached: Vec<NodeId> = vec![self.id(function)];
        let mut next = 0;
        while let Some(id) = reached.get(next).copied() {
            next += 1;
            let AnyNodeRef::StmtFunctionDef(function) = self.node(id) else {
                continue;
            };
            // A decorator may run it elsewhere, and calling a generator function runs none of it.
            if !function.decorator_list.is_empty() || self.is_generator(function) {
                continue;
            }
            for call in self.calls() {
                let called = self.function_definition(&call.func);
                if called.is_none_or(|called| self.id(called) != id) {
                    continue;
                }
                if let Some(coroutine) = self.coroutine_around(*call) {
                    return Some(Caller {
                        coroutine,
                        through: (next > 1).then_some(function),
                    });
                }
                if let AwaitPlace::Function(outer) = self.await_place(*call) {
                    let outer = self.id(outer);
                    if !reached.contains(&outer) {
                        reached.push(outer);
                    }
                }
            }
        }
        None
    }
}
