//! Where `await` may be written, and where it would still mean the same.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use crate::index::NodeId;
use crate::module::Module;

/// What stands between an expression and the coroutine that would have to await it.
#[derive(Clone, Copy, Debug)]
pub enum AwaitPlace<'a> {
    /// Directly in this `async def`: `await` is legal and is evaluated where the expression is.
    Coroutine(&'a ast::StmtFunctionDef),
    /// Directly in this `async def`, in a comprehension inside a comprehension, where `await`
    /// needs Python 3.11.
    NestedComprehension(&'a ast::StmtFunctionDef),
    /// In a generator expression, beyond its first iterable: `await` would make it an
    /// asynchronous generator, which nothing that takes an iterable accepts.
    GeneratorExpression,
    /// In the body of a lambda.
    Lambda,
    /// In the body of a plain `def`.
    Function(&'a ast::StmtFunctionDef),
    /// In the body of a class.
    Class,
    /// At module level.
    Module,
    /// At the top level of a notebook's cell, which IPython runs inside of a coroutine where
    /// `await` stands in it, and where a loop runs in any case. `await` is legal there, but in the
    /// cells of some magics: [`Module::cell_magic`].
    Cell,
    /// In an annotation or a type parameter, which may be evaluated later or never.
    Annotation,
}

impl<'a> Module<'a> {
    /// What `await` would mean at the place of `node`.
    pub fn await_place<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> AwaitPlace<'a> {
        let mut child = self.index.node(NodeId::of(node));
        let mut comprehensions = 0;
        let mut first_iterable = false;
        while let Some(parent) = self.parent(child) {
            match parent {
                AnyNodeRef::Comprehension(clause) => {
                    first_iterable = is(child, &clause.iter);
                }
                AnyNodeRef::ExprGenerator(generator) => {
                    let first = generator.generators.first();
                    let in_first = first.is_some_and(|clause| {
                        first_iterable && AnyNodeRef::from(clause).ptr_eq(child)
                    });
                    if !in_first {
                        return AwaitPlace::GeneratorExpression;
                    }
                }
                AnyNodeRef::ExprListComp(ast::ExprListComp { generators, .. })
                | AnyNodeRef::ExprSetComp(ast::ExprSetComp { generators, .. })
                | AnyNodeRef::ExprDictComp(ast::ExprDictComp { generators, .. }) => {
                    let first = generators.first();
                    let in_first = first.is_some_and(|clause| {
                        first_iterable && AnyNodeRef::from(clause).ptr_eq(child)
                    });
                    if !in_first {
                        comprehensions += 1;
                    }
                }
                AnyNodeRef::ExprLambda(lambda) if is(child, &lambda.body) => {
                    return AwaitPlace::Lambda;
                }
                AnyNodeRef::StmtFunctionDef(function) => {
                    if child.is_statement() {
                        return match (function.is_async, comprehensions) {
                            (true, 0 | 1) => AwaitPlace::Coroutine(function),
                            (true, _) => AwaitPlace::NestedComprehension(function),
                            (false, _) => AwaitPlace::Function(function),
                        };
                    }
                    if function
                        .returns
                        .as_deref()
                        .is_some_and(|returns| is(child, returns))
                    {
                        return AwaitPlace::Annotation;
                    }
                }
                AnyNodeRef::Parameter(_)
                | AnyNodeRef::TypeParams(_)
                | AnyNodeRef::StmtTypeAlias(_) => {
                    return AwaitPlace::Annotation;
                }
                AnyNodeRef::StmtAnnAssign(assign) if is(child, &assign.annotation) => {
                    return AwaitPlace::Annotation;
                }
                AnyNodeRef::StmtClassDef(_) if child.is_statement() => return AwaitPlace::Class,
                _ => {}
            }
            child = parent;
        }
        match (self.is_notebook(), comprehensions) {
            (true, 0 | 1) => AwaitPlace::Cell,
            _ => AwaitPlace::Module,
        }
    }

    /// The `f"{expr=}"` field that prints the source of `node`, which therefore must not change.
    pub fn is_printed_source<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> bool {
        self.ancestors(node)
            .take_while(|ancestor| !ancestor.is_statement())
            .any(|ancestor| {
                matches!(ancestor, AnyNodeRef::InterpolatedElement(element) if element.debug_text.is_some())
            })
    }
}

fn is(node: AnyNodeRef<'_>, expr: &Expr) -> bool {
    node.ptr_eq(AnyNodeRef::from(expr))
}
