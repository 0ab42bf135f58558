//! Going after what a name is bound to.

use ruff_python_ast::ExprName;

use crate::index::{Binding, Symbol};
use crate::module::Module;

/// How many names one after the other are gone after, for one question.
const FAR: u32 = 8;

/// How many in all: `b = a + a`, `c = b + b` and so on has two ways to go at each name.
const STEPS: u32 = 200;

/// How far the question that is asked now has gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Followed {
    depth: u32,
    steps: u32,
}

impl<'a> Module<'a> {
    /// What `ask` says of the one binding of a name; none where the name has several, or is not
    /// bound here.
    ///
    /// `ask` may go after the names in a value by this function again. Their values may lead back, as
    /// in `name = name or other`, or fork with every name: whoever goes too far is told nothing.
    pub fn follow<T>(&self, name: &ExprName, ask: impl FnOnce(&Binding<'a>) -> T) -> Option<T> {
        let binding = self.only_binding(name)?;
        self.within_bounds(|| ask(binding))
    }

    /// Like [`Module::follow`], of all that is bound to a name.
    pub fn follow_all<T>(&self, name: &ExprName, ask: impl FnOnce(&Symbol<'a>) -> T) -> Option<T> {
        let symbol = self.symbol(name)?;
        self.within_bounds(|| ask(symbol))
    }

    fn within_bounds<T>(&self, ask: impl FnOnce() -> T) -> Option<T> {
        let before = self.followed.get();
        if before.depth == FAR || before.steps == STEPS {
            return None;
        }
        self.followed.set(Followed {
            depth: before.depth + 1,
            steps: before.steps + 1,
        });
        let said = ask();
        // The next question is another one.
        let steps = match before.depth {
            0 => 0,
            _ => self.followed.get().steps,
        };
        self.followed.set(Followed {
            depth: before.depth,
            steps,
        });
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use ruff_python_ast::{Expr, PythonVersion, Stmt};

    use super::*;
    use crate::index::BindingKind;

    /// Whether the value of the last statement, an expression, is text, by a question that follows
    /// names wherever they stand in a value.
    fn is_text(module: &Module<'_>, expr: &Expr) -> bool {
        match expr {
            Expr::StringLiteral(_) => true,
            Expr::BinOp(it) => is_text(module, &it.left) || is_text(module, &it.right),
            Expr::Name(name) => module
                .follow(name, |binding| match binding.kind {
                    BindingKind::Value(value) => is_text(module, value),
                    _ => false,
                })
                .unwrap_or(false),
            _ => false,
        }
    }

    fn ask(source: &str) -> bool {
        let parsed = crate::parse(source, PythonVersion::PY312).unwrap();
        let module = Module::new(source, &parsed);
        let Some(Stmt::Expr(last)) = module.body().last() else {
            panic!("no expression at the end");
        };
        // Twice: the first question leaves nothing behind.
        assert_eq!(is_text(&module, &last.value), is_text(&module, &last.value));
        is_text(&module, &last.value)
    }

    #[test]
    fn names_are_gone_after() {
        assert!(ask("a = 'text'\nb = 1 + a\nb"));
        assert!(!ask("a = 'text'\na = 1\na"));
    }

    #[test]
    fn values_that_lead_back_end() {
        assert!(!ask("a = a + a\na"));
        assert!(!ask("a = b + b\nb = a + a\na"));
        // The way back is not the only one.
        assert!(ask("a = a + 'text'\na"));
    }

    #[test]
    fn values_that_fork_end() {
        let mut source = "a0 = 1\n".to_string();
        for number in 1..60 {
            let before = number - 1;
            writeln!(source, "a{number} = a{before} + a{before}").unwrap();
        }
        assert!(!ask(&(source + "a59")));
    }
}
