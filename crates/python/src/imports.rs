//! Where a module's imports stand, and where another one belongs.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, PythonVersion, Stmt};
use ruff_python_stdlib::sys::is_known_standard_library;
use ruff_text_size::{Ranged, TextSize};

use crate::index::{BindingKind, ScopeId, is_type_checking};
use crate::module::Module;

/// Text to insert at module level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insertion {
    /// The start of a line, in bytes.
    pub offset: TextSize,
    /// Whole lines, with this file's line endings.
    pub text: String,
}

impl<'a> Module<'a> {
    /// The insertion of `import NAME`, a module of the standard library: at its sorted place
    /// among the module's first imports where these are sorted, else before the first of them.
    ///
    /// It is never inside a block, a parenthesis or a `;` chain, and never before the docstring
    /// or a `__future__` import, which have to stay first.
    pub fn import_insertion(&self, name: &str) -> Insertion {
        let line = format!("import {name}{}", self.newline());
        // What a notebook starts with says little: it shows, installs and loads things.
        let prologue = if self.is_notebook() {
            self.body()
        } else {
            self.prologue()
        };
        let leading = prologue
            .iter()
            .position(is_import)
            .map(|first| &prologue[first..]);
        let Some(imports) = leading else {
            return self.without_imports(&line);
        };
        let run = self.adjacent_imports(imports);
        let Some(first) = run.first() else {
            return self.without_imports(&line);
        };
        let at = |stmt: &Stmt, text: String| Insertion {
            offset: self.line_start(stmt.start()),
            text,
        };
        if run.iter().all(|stmt| !is_standard_library(stmt)) {
            // Import sorters keep the standard library in a section of its own.
            return at(first, format!("{line}{}", self.newline()));
        }
        if let Some(order) = Order::of(run) {
            return match run.iter().find(|stmt| order.is_after(stmt, name)) {
                Some(next) => at(next, line),
                None => Insertion {
                    offset: self.next_statement_line(run.last().unwrap_or(first).end()),
                    text: self.on_new_line(run.last().unwrap_or(first).end(), line),
                },
            };
        }
        at(first, line)
    }

    /// The first import from an installed package, or from a module in it, that every run of this
    /// module executes: the file's own imports alone show where another one belongs.
    pub fn import_from_package(&self, package: &str) -> Option<&'a ast::StmtImportFrom> {
        self.imported_symbols()
            .filter(|symbol| symbol.scope == ScopeId::MODULE)
            .flat_map(|symbol| &symbol.bindings)
            .filter(|binding| !binding.typing_only)
            .filter_map(|binding| match binding.kind {
                BindingKind::FromImport(from, _) => Some(from),
                _ => None,
            })
            .find(|from| {
                let module = from.module.as_deref().unwrap_or_default();
                module.split('.').next() == Some(package)
                    && matches!(self.parent(*from), Some(AnyNodeRef::ModModule(_)))
                    && self.indentation_at(from.start()).is_some()
            })
    }

    /// The insertion of a definition at module level, after the imports that the module starts
    /// with and after the byte at `not_before`. `text` is whole lines without the last line
    /// ending, written with `\n`; `blank` lines separate it from what is around.
    pub fn definition_insertion(
        &self,
        text: &str,
        not_before: TextSize,
        blank: usize,
    ) -> Insertion {
        let newline = self.newline();
        let last = self
            .prologue()
            .iter()
            .rfind(|stmt| is_import(stmt) || matches!(stmt, Stmt::Try(_) | Stmt::If(_)))
            .map(Ranged::end);
        let after = last.into_iter().chain([not_before]).max();
        let after = after
            .filter(|after| *after > TextSize::new(0))
            .map(|after| self.end_of_imports(after))
            // Only a docstring or `__future__` imports, which have to stay first.
            .or_else(|| self.header().last().map(Ranged::end));
        let (offset, before) = match after {
            Some(after) => (self.next_statement_line(after), blank),
            None => (self.after_header(), 0),
        };
        let mut lines = newline.repeat(before);
        lines.push_str(&text.replace('\n', newline));
        lines.push_str(newline);
        lines.push_str(&newline.repeat(self.missing_blank_lines(offset, blank)));
        let lines = match after {
            Some(after) => self.on_new_line(after, lines),
            None => lines,
        };
        Insertion {
            offset,
            text: lines,
        }
    }

    /// The insertion of a function at module level: before the module's first function or class
    /// that stands after the byte at `not_before`, and before the comment lines that belong to it.
    /// Where there is none, as [`Self::definition_insertion`] has it.
    pub fn function_insertion(&self, text: &str, not_before: TextSize) -> Insertion {
        let first = self.body().iter().find(|stmt| {
            let is_definition = matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_));
            is_definition && stmt.start() >= not_before
        });
        let Some(first) = first else {
            return self.definition_insertion(text, not_before, 2);
        };
        let mut offset = self.line_start(first.start());
        while offset > TextSize::new(0) {
            let before = self.line_start(offset - TextSize::new(1));
            if before < not_before || !self.source()[before.to_usize()..].starts_with('#') {
                break;
            }
            offset = before;
        }
        let newline = self.newline();
        Insertion {
            offset,
            text: format!("{}{}", text.replace('\n', newline), newline.repeat(3)),
        }
    }

    /// The statements that a module starts with before anything runs: its docstring, imports,
    /// conditional imports, and constants.
    fn prologue(&self) -> &[Stmt] {
        let body = self.body();
        let end = body
            .iter()
            .position(|stmt| !is_prologue(stmt))
            .unwrap_or(body.len());
        let start = body[..end]
            .iter()
            .position(|stmt| !is_header(stmt))
            .unwrap_or(end);
        &body[start..end]
    }

    /// The docstring and the `__future__` imports.
    fn header(&self) -> impl Iterator<Item = &Stmt> {
        self.body().iter().take_while(|stmt| is_header(stmt))
    }

    /// The end of the last of the imports that follow each other after the statement that ends at
    /// `offset`; that offset if none follows.
    fn end_of_imports(&self, offset: TextSize) -> TextSize {
        self.body()
            .iter()
            .skip_while(|stmt| stmt.start() < offset)
            .take_while(|stmt| is_import(stmt))
            .last()
            .map_or(offset, Ranged::end)
    }

    /// The imports that follow each other on adjacent lines, beginning with the first.
    fn adjacent_imports<'s>(&self, imports: &'s [Stmt]) -> &'s [Stmt] {
        let mut end = 0;
        while let Some(stmt) = imports.get(end) {
            let adjacent = end == 0
                || imports.get(end - 1).is_some_and(|previous| {
                    self.next_line(previous.end()) == self.line_start(stmt.start())
                });
            if !is_import(stmt) || !adjacent || self.indentation_at(stmt.start()).is_none() {
                break;
            }
            end += 1;
        }
        &imports[..end]
    }

    fn without_imports(&self, line: &str) -> Insertion {
        let newline = self.newline();
        let header = self.header().last();
        let offset = match header {
            Some(stmt) => self.next_statement_line(stmt.end()),
            None => self.after_header(),
        };
        let blank = if offset == TextSize::new(0) {
            ""
        } else {
            newline
        };
        let missing = newline.repeat(self.missing_blank_lines(offset, 1));
        let text = format!("{blank}{line}{missing}");
        let text = match header {
            Some(stmt) => self.on_new_line(stmt.end(), text),
            None => text,
        };
        Insertion { offset, text }
    }

    /// The end of the comment lines that the file starts with, where there may be a `#!` line and
    /// an encoding declaration that have to stay there.
    fn after_header(&self) -> TextSize {
        let mut offset = TextSize::new(0);
        while self.source()[offset.to_usize()..].starts_with('#') {
            offset = self.next_line(offset);
        }
        offset
    }

    /// The start of the line after the statement that `offset` is in or behind, and after those that
    /// follow it on its line: `import a; f(\n)`.
    pub(crate) fn next_statement_line(&self, offset: TextSize) -> TextSize {
        self.next_line(self.logical_line(offset).end())
    }

    /// `text`, after a line ending if the line of `offset` is the last and has none.
    pub(crate) fn on_new_line(&self, offset: TextSize, text: String) -> String {
        let end = self.logical_line(offset).end();
        if self.next_line(end) == self.line_end(end) {
            format!("{}{text}", self.newline())
        } else {
            text
        }
    }

    /// How many blank lines must be added at `offset`, the start of a line, so that at least
    /// `wanted` stand there: two before a function or class.
    fn missing_blank_lines(&self, offset: TextSize, wanted: usize) -> usize {
        let rest = &self.source()[offset.to_usize()..];
        let next = self.body().iter().find(|stmt| stmt.start() >= offset);
        let wanted = match next {
            Some(Stmt::FunctionDef(_) | Stmt::ClassDef(_)) => wanted.max(2),
            Some(_) => wanted,
            None => return 0,
        };
        let blank = rest
            .lines()
            .take_while(|line| line.trim().is_empty())
            .count();
        wanted.saturating_sub(blank)
    }
}

pub(crate) fn is_import(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Import(_) => true,
        Stmt::ImportFrom(import) => import.module.as_deref() != Some("__future__"),
        _ => false,
    }
}

/// What has to stand before every import: the docstring and `__future__` imports.
fn is_header(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Expr(expr) => expr.value.is_string_literal_expr(),
        Stmt::ImportFrom(import) => import.module.as_deref() == Some("__future__"),
        _ => false,
    }
}

/// Whether a statement runs no code of the module: it binds names to imports and constants.
fn is_prologue(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Import(_) | Stmt::ImportFrom(_) | Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => true,
        Stmt::Expr(expr) => expr.value.is_literal_expr(),
        Stmt::Assign(assign) => is_constant(&assign.value),
        Stmt::AnnAssign(assign) => assign.value.as_deref().is_none_or(is_constant),
        Stmt::Try(stmt) => {
            stmt.body.iter().all(is_prologue)
                && stmt.orelse.iter().all(is_prologue)
                && stmt.finalbody.iter().all(is_prologue)
                && stmt.handlers.iter().all(|handler| {
                    let ruff_python_ast::ExceptHandler::ExceptHandler(handler) = handler;
                    handler.body.iter().all(is_prologue)
                })
        }
        Stmt::If(stmt) => {
            (is_type_checking(&stmt.test) || stmt.body.iter().all(is_prologue))
                && stmt
                    .elif_else_clauses
                    .iter()
                    .all(|clause| clause.body.iter().all(is_prologue))
        }
        _ => false,
    }
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Name(_) => true,
        Expr::List(list) => list.elts.iter().all(is_constant),
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_constant),
        _ => expr.is_literal_expr(),
    }
}

/// How imports on adjacent lines are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// `import m` before `from m import x`, each by their modules.
    PlainFirst,
    /// By their modules alone.
    ByModule,
}

impl Order {
    /// None where they are not sorted.
    pub(crate) fn of(run: &[Stmt]) -> Option<Self> {
        if run.is_sorted_by_key(|stmt| (stmt.is_import_from_stmt(), module_name(stmt))) {
            Some(Order::PlainFirst)
        } else if run.is_sorted_by_key(module_name) {
            Some(Order::ByModule)
        } else {
            None
        }
    }

    /// Whether `import NAME` belongs before `stmt`. Of the same module, sorters put `import m`
    /// before `from m import x` in either order.
    pub(crate) fn is_after(self, stmt: &Stmt, name: &str) -> bool {
        let (is_from, name) = (stmt.is_import_from_stmt(), name.to_ascii_lowercase());
        match self {
            Order::PlainFirst => (is_from, module_name(stmt)) > (false, name),
            Order::ByModule => (module_name(stmt), is_from) > (name, false),
        }
    }
}

fn module_name(stmt: &Stmt) -> String {
    match stmt {
        Stmt::Import(import) => import
            .names
            .first()
            .map(|alias| alias.name.to_ascii_lowercase()),
        Stmt::ImportFrom(import) => import.module.as_deref().map(str::to_ascii_lowercase),
        _ => None,
    }
    .unwrap_or_default()
}

fn is_standard_library(stmt: &Stmt) -> bool {
    if let Stmt::ImportFrom(import) = stmt
        && import.level > 0
    {
        return false;
    }
    let name = module_name(stmt);
    let top = name.split('.').next().unwrap_or_default();
    is_known_standard_library(PythonVersion::PY311.minor, top)
}
