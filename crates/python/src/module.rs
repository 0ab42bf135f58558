//! A parsed module and the questions that can be asked of it.

use std::cell::{Cell, OnceCell};

use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::{
    self as ast, AnyNodeRef, Expr, IpyEscapeKind, ModModule, PySourceType, PythonVersion, Stmt,
};
use ruff_python_codegen::Stylist;
use ruff_python_parser::{ParseOptions, parse_unchecked};
use ruff_python_trivia::CommentRanges;
use ruff_source_file::LineIndex;
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::check::Problem;
use crate::depth::MAX_DEPTH;
use crate::follow::Followed;
use crate::index::{Binding, Index, NodeId, Scope, ScopeId, ScopeKind, Symbol, SymbolId};
use crate::library::Library;
use crate::lines::indentation;
use crate::notebook::CELL_END;

/// The syntax tree and the tokens of a module. A [`Module`] borrows them.
#[derive(Debug)]
pub struct Parsed {
    pub(crate) tree: ruff_python_parser::Parsed<ModModule>,
    /// Whether it is the text of a notebook.
    pub(crate) is_notebook: bool,
}

impl Parsed {
    /// Lets go of the tree without freeing it. Freeing goes as deep as the tree, and no stack is
    /// deep enough for every tree.
    pub fn forget(self) {
        std::mem::forget(self);
    }

    /// The comments, by position.
    pub fn comments(&self) -> Vec<TextRange> {
        CommentRanges::from(self.tree.tokens()).to_vec()
    }

    /// The tokens that are neither comments nor line endings without meaning, by position.
    pub fn code(&self) -> Vec<TextRange> {
        self.tree
            .tokens()
            .iter()
            .filter(|token| {
                !matches!(
                    token.kind(),
                    TokenKind::Comment | TokenKind::NonLogicalNewline
                )
            })
            .map(Ranged::range)
            .collect()
    }

    /// The string tokens, by position; of an f-string the parts between its fields.
    pub fn strings(&self) -> Vec<TextRange> {
        self.tree
            .tokens()
            .iter()
            .filter(|token| {
                matches!(
                    token.kind(),
                    TokenKind::String | TokenKind::FStringMiddle | TokenKind::TStringMiddle
                )
            })
            .map(Ranged::range)
            .collect()
    }
}

/// Parses the text of a module, without a byte order mark, that is to run on Python `version`.
/// The error is the first in the text; syntax that is too new for the version is none.
pub fn parse(source: &str, version: PythonVersion) -> Result<Parsed, Problem> {
    parse_as(PySourceType::Python, source, version)
}

/// The same for the text of a notebook, or of a cell, where IPython's magics may stand
/// ([`crate::Notebook::text`]).
pub fn parse_cells(source: &str, version: PythonVersion) -> Result<Parsed, Problem> {
    parse_as(PySourceType::Ipynb, source, version)
}

fn parse_as(kind: PySourceType, source: &str, version: PythonVersion) -> Result<Parsed, Problem> {
    let options = ParseOptions::from(kind).with_target_version(version);
    let parsed = parse_unchecked(source, options);
    if let Some(error) = parsed.errors().first() {
        return Err(Problem {
            message: error.error.to_string(),
            range: error.location,
        });
    }
    let tree = parsed.try_into_module().ok_or_else(|| Problem {
        message: "it is no module".to_string(),
        range: TextRange::default(),
    })?;
    Ok(Parsed {
        tree,
        is_notebook: kind.is_ipynb(),
    })
}

/// A module: its text, its tree, and what the names in it mean.
#[derive(Debug)]
pub struct Module<'a> {
    source: &'a str,
    tree: &'a ModModule,
    tokens: &'a Tokens,
    pub(crate) index: Index<'a>,
    comments: CommentRanges,
    indent: String,
    newline: &'static str,
    /// Of a notebook: where each [`CELL_END`] begins.
    cell_ends: Option<Vec<TextSize>>,
    pub(crate) library: OnceCell<Library>,
    pub(crate) line_index: OnceCell<LineIndex>,
    /// Which of the calls are of methods named `acquire` and `release`.
    pub(crate) locks: OnceCell<Vec<usize>>,
    /// How far names are gone after now.
    pub(crate) followed: Cell<Followed>,
}

impl<'a> Module<'a> {
    /// Indexes a module. Linear in its size.
    ///
    /// The nodes of `parsed` are numbered here, so that a tree serves one `Module` at a time.
    pub fn new(source: &'a str, parsed: &'a Parsed) -> Self {
        let tokens = parsed.tree.tokens();
        let stylist = Stylist::from_tokens(tokens, source);
        let comments = CommentRanges::from(tokens);
        let ends = comments.iter().filter(|range| &source[**range] == CELL_END);
        let cell_ends = parsed
            .is_notebook
            .then(|| ends.map(Ranged::start).collect());
        Self {
            source,
            tree: parsed.tree.syntax(),
            tokens,
            index: Index::new(parsed.tree.syntax(), tokens.len()),
            comments,
            cell_ends,
            indent: match indentation(stylist.indentation()) {
                "" => "    ", // a form feed, and nothing else that is indented
                indent => indent,
            }
            .to_string(),
            newline: line_ending(source),
            library: OnceCell::new(),
            line_index: OnceCell::new(),
            locks: OnceCell::new(),
            followed: Cell::default(),
        }
    }

    /// Whether the code is nested so deeply that walking it is not safe.
    pub fn is_too_deep(&self) -> bool {
        self.index.depth > MAX_DEPTH
    }

    /// The module's text.
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// The text of a node or range.
    pub fn text(&self, node: impl Ranged) -> &'a str {
        &self.source[node.range()]
    }

    /// The root of the tree.
    pub fn root(&self) -> AnyNodeRef<'a> {
        AnyNodeRef::ModModule(self.tree)
    }

    /// The statements of the module.
    pub fn body(&self) -> &'a [Stmt] {
        &self.tree.body
    }

    /// The tokens, comments included.
    pub fn tokens(&self) -> &'a Tokens {
        self.tokens
    }

    /// The comments that start in `range`, by position.
    pub fn comments(&self, range: TextRange) -> &[TextRange] {
        self.comments.comments_in_range(range)
    }

    /// One level of indentation as this file writes it: four spaces, a tab, ...
    pub fn indent(&self) -> &str {
        &self.indent
    }

    /// The line ending as this file writes it; of several, the most frequent.
    pub fn newline(&self) -> &'static str {
        self.newline
    }

    // Notebooks.

    /// Whether this is the text of a notebook, whose cells run one by one inside of a coroutine.
    pub fn is_notebook(&self) -> bool {
        self.cell_ends.is_some()
    }

    /// Which of the cells in a notebook's text `offset` is in, from 0 on; of a module, 0.
    pub fn cell(&self, offset: TextSize) -> usize {
        let ends = self.cell_ends.as_deref().unwrap_or_default();
        ends.partition_point(|end| *end < offset)
    }

    /// Where the line stands that ends the cell before that of `offset`.
    pub(crate) fn cell_end_before(&self, offset: TextSize) -> Option<TextSize> {
        let ends = self.cell_ends.as_deref()?;
        ends.get(self.cell(offset).checked_sub(1)?).copied()
    }

    /// The magic that runs the cell of `node` in a way of its own, such as `%%time`.
    pub fn cell_magic(&self, node: impl Ranged) -> Option<&'a ast::StmtIpyEscapeCommand> {
        let cell = self.cell(node.start());
        let in_cell = |stmt: &&Stmt| self.cell(stmt.start()) == cell;
        match self.body().iter().find(in_cell)? {
            Stmt::IpyEscapeCommand(command) if command.kind == IpyEscapeKind::Magic2 => {
                Some(command)
            }
            _ => None,
        }
    }

    // The tree.

    /// The number of a node: smaller before larger in the walk, parents before children.
    pub fn id<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> NodeId {
        NodeId::of(node)
    }

    /// The node of that number.
    pub fn node(&self, id: NodeId) -> AnyNodeRef<'a> {
        self.index.node(id)
    }

    /// The node around `node`; none for the module.
    pub fn parent<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> Option<AnyNodeRef<'a>> {
        let parent = self.index.parent(NodeId::of(node))?;
        Some(self.index.node(parent))
    }

    /// The nodes around `node`, from the inside out, without itself.
    pub fn ancestors<'n>(
        &self,
        node: impl Into<AnyNodeRef<'n>>,
    ) -> impl Iterator<Item = AnyNodeRef<'a>> + '_ {
        std::iter::successors(self.index.parent(NodeId::of(node)), |id| {
            self.index.parent(*id)
        })
        .map(|id| self.index.node(id))
    }

    /// `node` and everything inside it.
    pub fn descendants<'n>(
        &self,
        node: impl Into<AnyNodeRef<'n>>,
    ) -> impl Iterator<Item = AnyNodeRef<'a>> + '_ {
        self.index.descendants(NodeId::of(node))
    }

    /// Whether `inner` is `outer` or inside it.
    pub fn contains<'n>(
        &self,
        outer: impl Into<AnyNodeRef<'n>>,
        inner: impl Into<AnyNodeRef<'n>>,
    ) -> bool {
        self.index.contains(NodeId::of(outer), NodeId::of(inner))
    }

    /// The innermost statement around `node`, or itself.
    pub fn statement<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> AnyNodeRef<'a> {
        let mut id = NodeId::of(node);
        loop {
            let node = self.index.node(id);
            if node.is_statement() {
                return node;
            }
            match self.index.parent(id) {
                Some(parent) => id = parent,
                None => return node,
            }
        }
    }

    /// The list of statements that `statement` stands in, and its place in it.
    pub fn siblings<'n>(
        &self,
        statement: impl Into<AnyNodeRef<'n>>,
    ) -> Option<(&'a [Stmt], usize)> {
        let node = self.index.node(NodeId::of(statement));
        let parent = self.parent(node)?;
        bodies(parent).into_iter().find_map(|body| {
            let position = body.iter().position(|stmt| stmt.range() == node.range())?;
            Some((body, position))
        })
    }

    /// The calls of the module, outer before inner.
    pub fn calls(&self) -> &[&'a ast::ExprCall] {
        &self.index.calls
    }

    /// The calls that `node` is or holds, outer before inner.
    pub fn calls_in<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> &[&'a ast::ExprCall] {
        let id = NodeId::of(node);
        let calls = self.calls();
        let start = calls.partition_point(|call| NodeId::of(*call) < id);
        let end = calls.partition_point(|call| {
            let call = NodeId::of(*call);
            call < id || self.index.contains(id, call)
        });
        &calls[start..end]
    }

    // Scopes and symbols.

    /// The scope in whose code `node` is evaluated.
    pub fn scope<'n>(&self, node: impl Into<AnyNodeRef<'n>>) -> ScopeId {
        self.index.scope_of(NodeId::of(node))
    }

    /// The scope of that number.
    pub fn scope_data(&self, scope: ScopeId) -> &Scope<'a> {
        self.index.scope(scope)
    }

    /// The function in whose own code `node` is evaluated: through comprehensions, not through
    /// lambdas, classes or the parameters of nested functions.
    pub fn function<'n>(
        &self,
        node: impl Into<AnyNodeRef<'n>>,
    ) -> Option<&'a ast::StmtFunctionDef> {
        let mut scope = self.index.scope(self.scope(node));
        loop {
            match scope.kind {
                ScopeKind::Function(function) => return Some(function),
                ScopeKind::Comprehension => scope = self.index.scope(scope.parent?),
                _ => return None,
            }
        }
    }

    /// What `name` means in the code around `node`; none for builtins and unbound names.
    pub fn lookup<'n>(&self, name: &str, node: impl Into<AnyNodeRef<'n>>) -> Option<&Symbol<'a>> {
        let symbol = self.index.lookup(name, self.scope(node))?;
        Some(self.index.symbol(symbol))
    }

    /// The symbol of a name expression.
    pub fn symbol(&self, name: &ast::ExprName) -> Option<&Symbol<'a>> {
        Some(self.index.symbol(self.index.resolved(name)?))
    }

    /// The number of the symbol of a name expression: equal where two names mean the same.
    pub fn symbol_id(&self, name: &ast::ExprName) -> Option<SymbolId> {
        self.index.resolved(name)
    }

    /// The symbol that is bound in the module's own scope.
    pub fn global(&self, name: &str) -> Option<&Symbol<'a>> {
        self.index.symbol_in(ScopeId::MODULE, name)
    }

    /// The symbols that are bound in the module's own scope, by their first binding.
    pub fn globals(&self) -> impl Iterator<Item = &Symbol<'a>> {
        self.index.globals()
    }

    /// The symbols that an import binds, in every scope: few, whatever the size of the module.
    pub fn imported_symbols(&self) -> impl Iterator<Item = &Symbol<'a>> {
        self.index.imported_symbols()
    }

    /// All symbols of the module, in every scope.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol<'a>> {
        self.index.symbols()
    }

    /// The one binding of a name expression; none where it has several or is not bound here.
    pub fn only_binding(&self, name: &ast::ExprName) -> Option<&Binding<'a>> {
        match self.symbol(name)?.bindings.as_slice() {
            [binding] => Some(binding),
            _ => None,
        }
    }

    /// Whether the function has `yield` in its own body.
    pub fn is_generator(&self, function: &ast::StmtFunctionDef) -> bool {
        self.index.is_generator(function)
    }

    /// Whether something is assigned to an attribute of this name anywhere in the module.
    pub fn stores_attribute(&self, name: &str) -> bool {
        self.index.stored_attributes.contains(name)
    }

    /// Whether the code of `function` may read its local names behind the text, by `locals()`,
    /// `vars()`, `eval` or `exec`: a new local name could then be seen.
    pub fn is_reflective(&self, function: &ast::StmtFunctionDef) -> bool {
        let id = NodeId::of(function);
        self.index
            .reflective
            .iter()
            .any(|call| self.index.contains(id, *call))
    }

    /// Whether `name` occurs as an identifier in `node`: as a name, an argument's or an
    /// attribute's name do not count.
    pub fn mentions<'n>(&self, node: impl Into<AnyNodeRef<'n>>, name: &str) -> bool {
        self.descendants(node).any(|node| match node {
            AnyNodeRef::ExprName(expr) => expr.id == name,
            AnyNodeRef::Parameter(parameter) => parameter.name.as_str() == name,
            AnyNodeRef::StmtFunctionDef(function) => function.name.as_str() == name,
            AnyNodeRef::StmtClassDef(class) => class.name.as_str() == name,
            AnyNodeRef::Alias(alias) => {
                alias
                    .asname
                    .as_ref()
                    .unwrap_or(&alias.name)
                    .split('.')
                    .next()
                    == Some(name)
            }
            AnyNodeRef::ExceptHandlerExceptHandler(handler) => {
                handler.name.as_deref() == Some(name)
            }
            AnyNodeRef::StmtGlobal(global) => global.names.iter().any(|it| it.as_str() == name),
            AnyNodeRef::StmtNonlocal(nonlocal) => {
                nonlocal.names.iter().any(|it| it.as_str() == name)
            }
            AnyNodeRef::PatternMatchAs(pattern) => pattern.name.as_deref() == Some(name),
            AnyNodeRef::PatternMatchStar(pattern) => pattern.name.as_deref() == Some(name),
            AnyNodeRef::PatternMatchMapping(pattern) => pattern.rest.as_deref() == Some(name),
            _ => false,
        })
    }

    /// Whether the module's `__all__` lists `name`.
    pub fn is_exported(&self, name: &str) -> bool {
        if self.global("__all__").is_none() {
            return false;
        }
        let mentions_all = |stmt: &&Stmt| {
            self.descendants(*stmt)
                .any(|node| matches!(node, AnyNodeRef::ExprName(expr) if expr.id == "__all__"))
        };
        self.body().iter().filter(mentions_all).any(|stmt| {
            self.descendants(stmt).any(|node| {
                matches!(node, AnyNodeRef::ExprStringLiteral(literal) if literal.value == *name)
            })
        })
    }

    /// The expression without the parentheses around it is `expr`; this is its range with them.
    pub fn parenthesized(&self, expr: &Expr) -> TextRange {
        let Some(parent) = self.parent(expr) else {
            return expr.range();
        };
        ast::token::parenthesized_range(expr.into(), parent, self.tokens).unwrap_or(expr.range())
    }
}

/// The lists of statements that a node holds.
pub(crate) fn bodies(node: AnyNodeRef<'_>) -> Vec<&[Stmt]> {
    match node {
        AnyNodeRef::ModModule(module) => vec![&module.body],
        AnyNodeRef::StmtFunctionDef(function) => vec![&function.body],
        AnyNodeRef::StmtClassDef(class) => vec![&class.body],
        AnyNodeRef::StmtFor(stmt) => vec![&stmt.body, &stmt.orelse],
        AnyNodeRef::StmtWhile(stmt) => vec![&stmt.body, &stmt.orelse],
        AnyNodeRef::StmtIf(stmt) => vec![&stmt.body],
        AnyNodeRef::ElifElseClause(clause) => vec![&clause.body],
        AnyNodeRef::StmtWith(stmt) => vec![&stmt.body],
        AnyNodeRef::MatchCase(case) => vec![&case.body],
        AnyNodeRef::StmtTry(stmt) => vec![&stmt.body, &stmt.orelse, &stmt.finalbody],
        AnyNodeRef::ExceptHandlerExceptHandler(handler) => vec![&handler.body],
        _ => Vec::new(),
    }
}

/// The line ending that most lines of `source` have.
fn line_ending(source: &str) -> &'static str {
    let carriage_returns = source.matches('\r').count();
    if carriage_returns == 0 {
        return "\n";
    }
    let both = source.matches("\r\n").count();
    let counts = [
        (carriage_returns - both, "\r"),
        (both, "\r\n"),
        (source.matches('\n').count() - both, "\n"),
    ];
    let most = counts.into_iter().max_by_key(|(count, _)| *count);
    most.map_or("\n", |(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use super::line_ending;

    #[test]
    fn one_line_that_ends_otherwise_decides_nothing() {
        for (source, ending) in [
            ("", "\n"),
            ("a", "\n"),
            ("\ra\nb\n", "\n"),
            ("a\nb\r\nc\r\n", "\r\n"),
            ("a\rb\r", "\r"),
            ("a\r\nb\n", "\n"),
        ] {
            assert_eq!(line_ending(source), ending, "{source:?}");
        }
    }
}
