//! What around a place relies on nothing else running there: where an `await` comes, other tasks
//! run, and a cancellation can arrive.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};
use ruff_text_size::Ranged;

use crate::blocks::{Block, TryPart};
use crate::module::Module;

impl<'a> Module<'a> {
    /// Whether `node` stands in a handler that runs when its coroutine is closed or cancelled: an
    /// `await` there fails when it is closed, and a second cancellation cuts the handler short.
    pub fn handles_exit<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> bool {
        let is_exit = |expr: &Expr| {
            let name = self.qualified_name(expr);
            name.is_some_and(|name| {
                matches!(
                    name.as_str(),
                    "builtins.BaseException" | "builtins.GeneratorExit" | "asyncio.CancelledError"
                )
            })
        };
        self.blocks(node).into_iter().any(|block| {
            let Block::Try(_, TryPart::Handler(handler)) = block else {
                return false;
            };
            match handler.type_.as_deref() {
                None => true,
                Some(Expr::Tuple(types)) => types.elts.iter().any(is_exit),
                Some(expr) => is_exit(expr),
            }
        })
    }

    /// The items of a `with` statement that are entered when a later one, which holds `node`, is
    /// evaluated.
    pub fn entered_before<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> &'a [ast::WithItem] {
        let mut child = self.node(self.id(node));
        for parent in self.ancestors(child) {
            if let AnyNodeRef::StmtWith(with) = parent {
                let position = with.items.iter().position(|it| it.range() == child.range());
                return match position {
                    Some(position) if !with.is_async => &with.items[..position],
                    _ => &[],
                };
            }
            if parent.is_statement() {
                return &[];
            }
            child = parent;
        }
        &[]
    }

    /// What `function` acquires before `node`, without `await`, and releases after it, as text.
    pub fn acquired_around<'n>(
        &self,
        node: impl Into<AnyNodeRef<'n>>,
        function: &'a ast::StmtFunctionDef,
    ) -> Option<&'a str> {
        let start = node.into().start();
        let method = |call: &'a ast::ExprCall, name: &str| match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == name => {
                Some(self.text(&*method.value))
            }
            _ => None,
        };
        // A function may have many calls, and be asked about for each.
        let locks = self.locks.get_or_init(|| {
            let calls = self.calls().iter().enumerate();
            let is_lock = |call: &'a ast::ExprCall| {
                method(call, "acquire").is_some() || method(call, "release").is_some()
            };
            let locks = calls.filter(|(_, call)| is_lock(call));
            locks.map(|(number, _)| number).collect()
        });
        let own = || {
            let calls = locks
                .iter()
                .filter_map(|number| self.calls().get(*number).copied());
            calls.filter(|call| self.contains(function, *call))
        };
        own()
            .filter(|other| other.start() < start)
            .filter(|other| !matches!(self.parent(*other), Some(AnyNodeRef::ExprAwait(_))))
            .filter_map(|other| method(other, "acquire"))
            .find(|lock| {
                own().any(|other| other.start() > start && method(other, "release") == Some(lock))
            })
    }

    /// Whether something follows a call that belongs to its result, and binds more than `await`
    /// does: `f().pop()`.
    pub fn is_trailed(&self, call: &ast::ExprCall) -> bool {
        let value = match self.parent(call) {
            Some(AnyNodeRef::ExprAttribute(outer)) => &outer.value,
            Some(AnyNodeRef::ExprSubscript(outer)) => &outer.value,
            Some(AnyNodeRef::ExprCall(outer)) => &outer.func,
            _ => return false,
        };
        value.range() == call.range() && self.parenthesized(value) == call.range()
    }
}
