//! How deep code is nested, for whoever needs nothing else of it.

use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, TraversalSignal, walk_expr, walk_stmt,
};
use ruff_python_ast::{AnyNodeRef, Expr, Identifier, Stmt};

use crate::index::deeper;
use crate::module::Parsed;

/// CPython's compiler gives up on code nested a tenth as deep as this.
pub(crate) const MAX_DEPTH: usize = 10_000;

impl Parsed {
    /// Whether the code is nested so deeply that walking it is not safe: what
    /// [`crate::Module::is_too_deep`] says, without the index of a module.
    pub fn is_too_deep(&self) -> bool {
        let mut depth = Depth::default();
        depth.enter_node(AnyNodeRef::ModModule(self.tree.syntax()));
        depth.visit_body(&self.tree.syntax().body);
        depth.deepest > MAX_DEPTH
    }
}

/// How many nodes are entered, and how many were at a time. They are those of the index.
#[derive(Default)]
struct Depth {
    entered: usize,
    deepest: usize,
}

impl<'a> SourceOrderVisitor<'a> for Depth {
    fn enter_node(&mut self, _node: AnyNodeRef<'a>) -> TraversalSignal {
        self.entered += 1;
        self.deepest = self.deepest.max(self.entered);
        TraversalSignal::Traverse
    }

    fn leave_node(&mut self, _node: AnyNodeRef<'a>) {
        self.entered -= 1;
    }

    fn visit_identifier(&mut self, _identifier: &'a Identifier) {}

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        deeper(|| walk_stmt(self, stmt));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        deeper(|| walk_expr(self, expr));
    }
}

#[cfg(test)]
mod tests {
    use ruff_python_ast::PythonVersion;

    use crate::module::{Module, parse};

    #[test]
    fn it_says_what_the_index_says() {
        let calls = |depth: usize| format!("{}x{}\n", "f(a=".repeat(depth), ")".repeat(depth));
        let minuses = |depth: usize| format!("{}x\n", "-".repeat(depth));
        let methods = |depth: usize| format!("x{}\n", ".f()".repeat(depth));
        let compare = move || {
            for source in [
                "def f(a: int = 1):\n    try: [x for x in y]\n    except E: pass\n".to_string(),
                minuses(9_997),
                minuses(9_998),
                calls(3_332),
                calls(3_333),
                methods(4_998),
                methods(5_000),
            ] {
                let parsed = parse(&source, PythonVersion::PY311).unwrap();
                let module = Module::new(&source, &parsed);
                assert_eq!(parsed.is_too_deep(), module.is_too_deep(), "{source:.20}");
                drop(module);
                parsed.forget();
            }
        };
        // The parser recurses.
        let thread = std::thread::Builder::new().stack_size(512 << 20);
        thread.spawn(compare).unwrap().join().unwrap();
    }
}
