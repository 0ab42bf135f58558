//! What CPython's compiler would refuse: the parser's errors, and those that need scopes, such as
//! `await` outside a coroutine or `return` in `except*`.

use std::cell::RefCell;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{self as ast, Expr, PySourceType, PythonVersion, Stmt};
use ruff_python_parser::semantic_errors::{
    LazyImportContext, SemanticSyntaxChecker, SemanticSyntaxContext, SemanticSyntaxError,
};
use ruff_python_parser::{ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange};

use crate::index::deeper;
use crate::module::Parsed;

/// Something that keeps a text from being a Python module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, without a final stop.
    pub message: String,
    /// Where: byte offsets into the text.
    pub range: TextRange,
}

/// Everything that keeps `source` from being a module that Python `version` accepts.
pub fn problems(source: &str, version: PythonVersion) -> Vec<Problem> {
    let options = ParseOptions::from(PySourceType::Python).with_target_version(version);
    match parse_unchecked(source, options).try_into_module() {
        Some(tree) => Parsed {
            tree,
            is_notebook: false,
        }
        .problems(source, version),
        None => Vec::new(),
    }
}

impl Parsed {
    /// Everything that keeps this tree of `source` from being a module that Python `version`
    /// accepts; syntax that is too new is only seen if the tree was parsed for that version.
    pub fn problems(&self, source: &str, version: PythonVersion) -> Vec<Problem> {
        let syntax = self.tree.errors().iter().map(|error| Problem {
            message: error.error.to_string(),
            range: error.location,
        });
        let unsupported = self.tree.unsupported_syntax_errors().iter();
        let unsupported = unsupported.map(|error| Problem {
            message: error.to_string(),
            range: error.range,
        });
        let mut checker = Checker {
            syntax: SemanticSyntaxChecker::new(),
            surroundings: Surroundings {
                source,
                version,
                is_notebook: self.is_notebook,
                future_annotations: false,
                frames: vec![Frame::new(FrameKind::Module)],
                errors: RefCell::default(),
            },
            left_groups: Vec::new(),
        };
        checker.visit_body(self.tree.suite());
        let left_groups = std::mem::take(&mut checker.left_groups);
        let errors = checker.surroundings.errors.into_inner();
        let semantic = errors.into_iter().map(|error| Problem {
            message: error.to_string(),
            range: error.range,
        });
        syntax
            .chain(unsupported)
            .chain(semantic)
            .chain(left_groups)
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FrameKind {
    Module,
    Class,
    Function { is_async: bool },
    Lambda,
    Comprehension { is_async: bool },
    Generator,
}

struct Frame {
    kind: FrameKind,
    loops: usize,
    /// For each `except*` clause around: how many loops were around it.
    group_handlers: Vec<usize>,
    globals: Vec<(String, TextRange)>,
    parameters: Vec<String>,
}

impl Frame {
    fn new(kind: FrameKind) -> Self {
        Self {
            kind,
            loops: 0,
            group_handlers: Vec::new(),
            globals: Vec::new(),
            parameters: Vec::new(),
        }
    }
}

struct Surroundings<'s> {
    source: &'s str,
    version: PythonVersion,
    /// Whether `await` may stand outside of functions.
    is_notebook: bool,
    future_annotations: bool,
    frames: Vec<Frame>,
    errors: RefCell<Vec<SemanticSyntaxError>>,
}

impl Surroundings<'_> {
    fn kinds(&self) -> impl Iterator<Item = FrameKind> + '_ {
        self.frames.iter().rev().map(|frame| frame.kind)
    }
}

impl SemanticSyntaxContext for Surroundings<'_> {
    fn future_annotations_or_stub(&self) -> bool {
        self.future_annotations
    }

    fn lazy_import_context(&self) -> Option<LazyImportContext> {
        None
    }

    fn python_version(&self) -> PythonVersion {
        self.version
    }

    fn source(&self) -> &str {
        self.source
    }

    fn global(&self, name: &str) -> Option<TextRange> {
        let frame = self.frames.last()?;
        let (_, range) = frame.globals.iter().find(|(global, _)| global == name)?;
        Some(*range)
    }

    fn has_nonlocal_binding(&self, name: &str) -> bool {
        // Which names the enclosing functions bind further down is not known during the walk,
        // and no edit of ours adds `nonlocal`.
        let _ = name;
        true
    }

    fn in_async_context(&self) -> bool {
        for kind in self.kinds() {
            match kind {
                FrameKind::Function { is_async } => return is_async,
                FrameKind::Comprehension { .. } | FrameKind::Generator => {}
                FrameKind::Module => return self.is_notebook,
                FrameKind::Class | FrameKind::Lambda => return false,
            }
        }
        false
    }

    fn in_await_allowed_context(&self) -> bool {
        for kind in self.kinds() {
            match kind {
                FrameKind::Function { .. } | FrameKind::Lambda => return true,
                FrameKind::Comprehension { .. } | FrameKind::Generator => {}
                FrameKind::Module => return self.is_notebook,
                FrameKind::Class => return false,
            }
        }
        false
    }

    fn in_yield_allowed_context(&self) -> bool {
        matches!(
            self.kinds().next(),
            Some(FrameKind::Function { .. } | FrameKind::Lambda)
        )
    }

    fn in_sync_comprehension(&self) -> bool {
        self.kinds()
            .any(|kind| matches!(kind, FrameKind::Comprehension { is_async: false }))
    }

    fn in_class_body_comprehension(&self) -> bool {
        for kind in self.kinds() {
            match kind {
                FrameKind::Class => return true,
                FrameKind::Comprehension { .. } | FrameKind::Generator => {}
                FrameKind::Module | FrameKind::Function { .. } | FrameKind::Lambda => return false,
            }
        }
        false
    }

    fn in_module_scope(&self) -> bool {
        matches!(self.kinds().next(), Some(FrameKind::Module))
    }

    fn in_function_scope(&self) -> bool {
        matches!(self.kinds().next(), Some(FrameKind::Function { .. }))
    }

    fn in_generator_context(&self) -> bool {
        self.kinds().any(|kind| kind == FrameKind::Generator)
    }

    fn in_notebook(&self) -> bool {
        self.is_notebook
    }

    fn report_semantic_error(&self, error: SemanticSyntaxError) {
        self.errors.borrow_mut().push(error);
    }

    fn in_loop_context(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.loops > 0)
    }

    fn is_bound_parameter(&self, name: &str) -> bool {
        self.frames
            .last()
            .is_some_and(|frame| frame.parameters.iter().any(|parameter| parameter == name))
    }
}

struct Checker<'s> {
    syntax: SemanticSyntaxChecker,
    surroundings: Surroundings<'s>,
    /// Statements that leave an `except*` clause (PEP 654), which ruff's checker does not see.
    left_groups: Vec<Problem>,
}

impl Checker<'_> {
    fn within(&mut self, kind: FrameKind, walk: impl FnOnce(&mut Self)) {
        self.surroundings.frames.push(Frame::new(kind));
        walk(self);
        self.surroundings.frames.pop();
    }

    /// Remembers a statement that leaves the `except*` clause around it: `return`, and `break` and
    /// `continue` of a loop that is not inside it.
    fn check_leaves_group(&mut self, stmt: &Stmt) {
        let Some(frame) = self.surroundings.frames.last() else {
            return;
        };
        let Some(loops) = frame.group_handlers.last() else {
            return;
        };
        let leaves = match stmt {
            Stmt::Return(_) => true,
            Stmt::Break(_) | Stmt::Continue(_) => frame.loops == *loops,
            _ => false,
        };
        if leaves {
            self.left_groups.push(Problem {
                message: "`break`, `continue` and `return` cannot appear in an `except*` block"
                    .to_string(),
                range: stmt.range(),
            });
        }
    }

    fn group_handlers(&mut self, stmt: &ast::StmtTry) {
        if let Some(frame) = self.surroundings.frames.last_mut() {
            frame.group_handlers.push(frame.loops);
        }
        for handler in &stmt.handlers {
            self.visit_except_handler(handler);
        }
        if let Some(frame) = self.surroundings.frames.last_mut() {
            frame.group_handlers.pop();
        }
    }

    fn declare_parameters(&mut self, parameters: &ast::Parameters) {
        if let Some(frame) = self.surroundings.frames.last_mut() {
            frame.parameters = parameters
                .iter()
                .map(|parameter| parameter.name().to_string())
                .collect();
        }
    }

    fn in_loop(&mut self, body: &[Stmt]) {
        if let Some(frame) = self.surroundings.frames.last_mut() {
            frame.loops += 1;
        }
        self.visit_body(body);
        if let Some(frame) = self.surroundings.frames.last_mut() {
            frame.loops -= 1;
        }
    }

    fn comprehension(
        &mut self,
        kind: FrameKind,
        generators: &[ast::Comprehension],
        elements: &[&Expr],
    ) {
        let Some((first, rest)) = generators.split_first() else {
            return;
        };
        self.visit_expr(&first.iter);
        self.within(kind, |this| {
            this.visit_expr(&first.target);
            for condition in &first.ifs {
                this.visit_expr(condition);
            }
            for clause in rest {
                this.visit_expr(&clause.iter);
                this.visit_expr(&clause.target);
                for condition in &clause.ifs {
                    this.visit_expr(condition);
                }
            }
            for element in elements {
                this.visit_expr(element);
            }
        });
    }
}

impl<'a> Visitor<'a> for Checker<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.syntax.visit_stmt(stmt, &self.surroundings);
        deeper(|| self.walk_into_stmt(stmt));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.syntax.visit_expr(expr, &self.surroundings);
        deeper(|| self.walk_into_expr(expr));
    }
}

impl Checker<'_> {
    fn walk_into_stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                for decorator in &function.decorator_list {
                    self.visit_decorator(decorator);
                }
                self.visit_parameters(&function.parameters);
                let is_async = function.is_async;
                self.within(FrameKind::Function { is_async }, |this| {
                    this.declare_parameters(&function.parameters);
                    this.visit_body(&function.body);
                });
            }
            Stmt::ClassDef(class) => {
                for decorator in &class.decorator_list {
                    self.visit_decorator(decorator);
                }
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                self.within(FrameKind::Class, |this| this.visit_body(&class.body));
            }
            Stmt::Try(stmt) if stmt.is_star => {
                self.visit_body(&stmt.body);
                self.group_handlers(stmt);
                self.visit_body(&stmt.orelse);
                self.visit_body(&stmt.finalbody);
            }
            Stmt::Return(_) | Stmt::Break(_) | Stmt::Continue(_) => {
                self.check_leaves_group(stmt);
                walk_stmt(self, stmt);
            }
            Stmt::For(stmt) => {
                self.visit_expr(&stmt.iter);
                self.visit_expr(&stmt.target);
                self.in_loop(&stmt.body);
                self.visit_body(&stmt.orelse);
            }
            Stmt::While(stmt) => {
                self.visit_expr(&stmt.test);
                self.in_loop(&stmt.body);
                self.visit_body(&stmt.orelse);
            }
            Stmt::Global(global) => {
                if let Some(frame) = self.surroundings.frames.last_mut() {
                    let names = global.names.iter();
                    frame
                        .globals
                        .extend(names.map(|name| (name.to_string(), name.range)));
                }
                walk_stmt(self, stmt);
            }
            Stmt::ImportFrom(import) => {
                if import.module.as_deref() == Some("__future__")
                    && import
                        .names
                        .iter()
                        .any(|alias| alias.name.as_str() == "annotations")
                {
                    self.surroundings.future_annotations = true;
                }
                walk_stmt(self, stmt);
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn walk_into_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.visit_parameters(parameters);
                }
                self.within(FrameKind::Lambda, |this| {
                    if let Some(parameters) = &lambda.parameters {
                        this.declare_parameters(parameters);
                    }
                    this.visit_expr(&lambda.body);
                });
            }
            Expr::ListComp(ast::ExprListComp {
                elt, generators, ..
            })
            | Expr::SetComp(ast::ExprSetComp {
                elt, generators, ..
            }) => {
                let is_async = generators.iter().any(|clause| clause.is_async);
                self.comprehension(FrameKind::Comprehension { is_async }, generators, &[elt]);
            }
            Expr::DictComp(comprehension) => {
                let generators = &comprehension.generators;
                let is_async = generators.iter().any(|clause| clause.is_async);
                let mut elements: Vec<&Expr> = Vec::with_capacity(2);
                elements.extend(comprehension.key.as_deref());
                elements.push(&comprehension.value);
                self.comprehension(FrameKind::Comprehension { is_async }, generators, &elements);
            }
            Expr::Generator(generator) => self.comprehension(
                FrameKind::Generator,
                &generator.generators,
                &[&generator.elt],
            ),
            _ => walk_expr(self, expr),
        }
    }
}
