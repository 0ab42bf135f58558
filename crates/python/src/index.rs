//! The nodes of a module with their parents, and its scopes with the names bound in them.
//!
//! Names are resolved as CPython's compiler resolves them (`Python/symtable.c`): a name belongs
//! to the innermost enclosing scope that binds it anywhere in its body, class scopes being seen
//! only from directly inside; `global` and `nonlocal` redirect. That is decided by the whole
//! text, not by the order of statements, so a symbol here knows *all* its bindings: whoever wants
//! to rely on one of them has to look at the others too.

use std::cell::OnceCell;

use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, TraversalSignal, walk_expr, walk_pattern, walk_stmt, walk_type_param,
};
use ruff_python_ast::{
    self as ast, AnyNodeRef, Expr, ExprContext, HasNodeIndex, NodeIndex, Pattern, Stmt, TypeParam,
};
use ruff_text_size::Ranged;
use rustc_hash::{FxHashMap, FxHashSet};

/// A node of the module's tree, numbered in the order in which the tree is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The number that the walk gave to a node. Every node that it entered carries its number;
    /// the few that it does not enter (operators, identifiers) are not expressions or statements,
    /// and nobody asks for them.
    pub(crate) fn of<'n>(node: impl Into<AnyNodeRef<'n>>) -> Self {
        Self(node.into().node_index().load().as_u32().unwrap_or(0))
    }
}

/// A scope of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScopeId(u32);

impl ScopeId {
    /// The module's own scope.
    pub const MODULE: ScopeId = ScopeId(0);
}

/// A name in the scope that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SymbolId(u32);

/// What opens a scope.
#[derive(Clone, Copy, Debug)]
pub enum ScopeKind<'a> {
    /// The module.
    Module,
    /// The body of a class.
    Class(&'a ast::StmtClassDef),
    /// The parameters and the body of a function.
    Function(&'a ast::StmtFunctionDef),
    /// The parameters and the body of a lambda.
    Lambda,
    /// A comprehension or generator expression, without its first iterable.
    Comprehension,
    /// The type parameters of a function, class or type alias (PEP 695).
    TypeParameters,
}

/// A scope and what is bound in it.
#[derive(Debug)]
pub struct Scope<'a> {
    /// What opens it.
    pub kind: ScopeKind<'a>,
    /// The scope around it; none for the module.
    pub parent: Option<ScopeId>,
    symbols: FxHashMap<&'a str, SymbolId>,
    redirects: FxHashMap<&'a str, Redirect>,
}

#[derive(Clone, Copy, Debug)]
enum Redirect {
    Global,
    Nonlocal,
}

/// A name in the scope that it belongs to, with everything that binds it and everything that
/// reads it, in every scope.
#[derive(Debug)]
pub struct Symbol<'a> {
    /// The name.
    pub name: &'a str,
    /// The scope that it belongs to.
    pub scope: ScopeId,
    /// What binds it, by position.
    pub bindings: Vec<Binding<'a>>,
    /// The expressions that read it, by position.
    pub reads: Vec<NodeId>,
    /// Whether the text of a string annotation names it.
    pub named_in_string: bool,
}

/// One place that binds a name.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// How it is bound.
    pub kind: BindingKind<'a>,
    /// The node that binds it: the name expression, the alias, the definition, the parameter.
    pub node: NodeId,
    /// The scope in whose code that node stands; not the symbol's where `global` or `nonlocal`
    /// redirects it.
    pub from: ScopeId,
    /// Whether it is bound only for type checkers, under `if TYPE_CHECKING:`.
    pub typing_only: bool,
}

/// How a name is bound.
#[derive(Clone, Copy, Debug)]
pub enum BindingKind<'a> {
    /// `import a.b` and `import a.b as c`: the alias.
    Import(&'a ast::Alias),
    /// `from a import b`: the statement and the alias.
    FromImport(&'a ast::StmtImportFrom, &'a ast::Alias),
    /// `def` and `async def`.
    Function(&'a ast::StmtFunctionDef),
    /// `class`.
    Class(&'a ast::StmtClassDef),
    /// A parameter of a function or lambda.
    Parameter,
    /// `name = value`, `name: T = value`, `a = name = value`, `(name := value)`.
    Value(&'a Expr),
    /// `a, name = value`: the value as a whole, and the place in it where that is plain.
    Unpacked(&'a Expr, Option<usize>),
    /// `with context as name`: the context expression, and whether it is `async with`.
    With(&'a Expr, bool),
    /// `for name in ...`, in a statement or a comprehension.
    Loop,
    /// `name += value`.
    Augmented,
    /// `except E as name`.
    Except,
    /// `del name`.
    Deleted,
    /// `name: T` without a value.
    Declared,
    /// A capture in a pattern, a type parameter, a type alias.
    Other,
}

#[derive(Debug)]
struct Entry<'a> {
    node: AnyNodeRef<'a>,
    parent: Option<NodeId>,
    scope: ScopeId,
    /// One past the number of the last node inside this one.
    end: u32,
}

/// The nodes, scopes and symbols of a module.
#[derive(Debug)]
pub(crate) struct Index<'a> {
    entries: Vec<Entry<'a>>,
    scopes: Vec<Scope<'a>>,
    symbols: Vec<Symbol<'a>>,
    globals: Vec<SymbolId>,
    /// Sorted by name, when somebody asks.
    by_name: OnceCell<Vec<SymbolId>>,
    /// Those that an import binds, when somebody asks.
    imported: OnceCell<Vec<SymbolId>>,
    /// By node: what a name expression means.
    resolved: Vec<Option<SymbolId>>,
    /// The calls, by position of their start in the walk.
    pub(crate) calls: Vec<&'a ast::ExprCall>,
    /// The names of attributes that something is assigned to, on whatever object.
    pub(crate) stored_attributes: FxHashSet<&'a str>,
    /// The modules named in `from m import *`.
    pub(crate) star_imports: Vec<&'a ast::StmtImportFrom>,
    /// The functions that contain `yield` in their own body.
    generators: FxHashSet<NodeId>,
    /// How deep the deepest node stands.
    pub(crate) depth: usize,
    /// The calls that may read or write local names behind the text: `locals()`, `exec`, ...
    pub(crate) reflective: Vec<NodeId>,
}

impl<'a> Index<'a> {
    /// Of a module with so many tokens, which is about as many as it has nodes.
    pub(crate) fn new(module: &'a ast::ModModule, tokens: usize) -> Self {
        let mut builder = Builder {
            index: Index {
                entries: Vec::with_capacity(tokens),
                scopes: Vec::new(),
                symbols: Vec::new(),
                globals: Vec::new(),
                by_name: OnceCell::new(),
                imported: OnceCell::new(),
                resolved: Vec::new(),
                calls: Vec::new(),
                stored_attributes: FxHashSet::default(),
                star_imports: Vec::new(),
                generators: FxHashSet::default(),
                depth: 0,
                reflective: Vec::new(),
            },
            parent: None,
            depth: 0,
            scope: ScopeId::MODULE,
            typing_only: false,
            annotation: false,
            uses: Vec::new(),
            quoted: Vec::new(),
            redirected: Vec::new(),
        };
        builder.push_scope(ScopeKind::Module, None);
        builder.enter(AnyNodeRef::ModModule(module));
        builder.visit_body(&module.body);
        builder.leave();
        builder.finish()
    }

    pub(crate) fn node(&self, id: NodeId) -> AnyNodeRef<'a> {
        self.entries[id.0 as usize].node
    }

    pub(crate) fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.entries[id.0 as usize].parent
    }

    pub(crate) fn scope_of(&self, id: NodeId) -> ScopeId {
        self.entries[id.0 as usize].scope
    }

    pub(crate) fn contains(&self, outer: NodeId, inner: NodeId) -> bool {
        outer <= inner && inner.0 < self.entries[outer.0 as usize].end
    }

    pub(crate) fn descendants(&self, id: NodeId) -> impl Iterator<Item = AnyNodeRef<'a>> + '_ {
        let range = id.0 as usize..self.entries[id.0 as usize].end as usize;
        self.entries[range].iter().map(|entry| entry.node)
    }

    pub(crate) fn scope(&self, id: ScopeId) -> &Scope<'a> {
        &self.scopes[id.0 as usize]
    }

    pub(crate) fn symbol(&self, id: SymbolId) -> &Symbol<'a> {
        &self.symbols[id.0 as usize]
    }

    pub(crate) fn symbols(&self) -> impl Iterator<Item = &Symbol<'a>> {
        self.symbols.iter()
    }

    /// Those of that name, in every scope.
    pub(crate) fn symbols_named<'s>(
        &'s self,
        name: &'s str,
    ) -> impl Iterator<Item = &'s Symbol<'a>> {
        let by_name = self.by_name.get_or_init(|| {
            #[allow(clippy::cast_possible_truncation)]
            let ids = 0..self.symbols.len() as u32;
            let mut ids: Vec<SymbolId> = ids.map(SymbolId).collect();
            ids.sort_by_key(|id| self.symbol(*id).name);
            ids
        });
        let start = by_name.partition_point(|id| self.symbol(*id).name < name);
        by_name[start..]
            .iter()
            .map(|id| self.symbol(*id))
            .take_while(move |symbol| symbol.name == name)
    }

    /// Those that an import binds, in every scope.
    pub(crate) fn imported_symbols(&self) -> impl Iterator<Item = &Symbol<'a>> {
        let imported = self.imported.get_or_init(|| {
            let is_import = |binding: &Binding<'_>| {
                matches!(
                    binding.kind,
                    BindingKind::Import(_) | BindingKind::FromImport(..)
                )
            };
            #[allow(clippy::cast_possible_truncation)]
            let ids = 0..self.symbols.len() as u32;
            ids.map(SymbolId)
                .filter(|id| self.symbol(*id).bindings.iter().any(is_import))
                .collect()
        });
        imported.iter().map(|id| self.symbol(*id))
    }

    /// The symbols of the module's own scope, by their first binding.
    pub(crate) fn globals(&self) -> impl Iterator<Item = &Symbol<'a>> {
        self.globals.iter().map(|id| self.symbol(*id))
    }

    /// The symbol bound in exactly this scope.
    pub(crate) fn symbol_in(&self, scope: ScopeId, name: &str) -> Option<&Symbol<'a>> {
        let id = self.scope(scope).symbols.get(name)?;
        Some(self.symbol(*id))
    }

    /// The symbol that a name expression reads or binds.
    pub(crate) fn resolved(&self, name: &ast::ExprName) -> Option<SymbolId> {
        *self.resolved.get(NodeId::of(name).0 as usize)?
    }

    /// Whether the function has `yield` in its own body.
    pub(crate) fn is_generator(&self, function: &ast::StmtFunctionDef) -> bool {
        self.generators.contains(&NodeId::of(function))
    }

    /// The symbol that `name` means in the code of `scope`; none for builtins and unbound names.
    pub(crate) fn lookup(&self, name: &str, scope: ScopeId) -> Option<SymbolId> {
        let mut current = Some(scope);
        let mut nonlocal = false;
        while let Some(id) = current {
            let here = self.scope(id);
            match here.redirects.get(name) {
                Some(Redirect::Global) => {
                    return self.scope(ScopeId::MODULE).symbols.get(name).copied();
                }
                Some(Redirect::Nonlocal) => nonlocal = true,
                None => {
                    let visible = match here.kind {
                        ScopeKind::Class(_) => id == scope,
                        ScopeKind::Module => !nonlocal,
                        _ => true,
                    };
                    if visible && let Some(symbol) = here.symbols.get(name) {
                        return Some(*symbol);
                    }
                }
            }
            current = here.parent;
        }
        None
    }
}

/// A binding that `global` or `nonlocal` sends to another scope.
struct Redirected<'a> {
    name: &'a str,
    binding: Binding<'a>,
}

struct Builder<'a> {
    index: Index<'a>,
    parent: Option<NodeId>,
    depth: usize,
    scope: ScopeId,
    typing_only: bool,
    annotation: bool,
    /// The name expressions, the scope to look them up in, and whether they read the name.
    uses: Vec<(&'a ast::ExprName, ScopeId, bool)>,
    quoted: Vec<(&'a str, ScopeId)>,
    redirected: Vec<Redirected<'a>>,
}

impl<'a> Builder<'a> {
    fn enter(&mut self, node: AnyNodeRef<'a>) -> NodeId {
        // More than 2^32 nodes do not fit into a text whose offsets have 32 bits.
        #[allow(clippy::cast_possible_truncation)]
        let id = NodeId(self.index.entries.len() as u32);
        node.node_index().set(NodeIndex::from(id.0));
        self.index.entries.push(Entry {
            node,
            parent: self.parent,
            scope: self.scope,
            end: id.0 + 1,
        });
        self.parent = Some(id);
        self.depth += 1;
        self.index.depth = self.index.depth.max(self.depth);
        id
    }

    fn leave(&mut self) {
        if let Some(id) = self.parent {
            #[allow(clippy::cast_possible_truncation)]
            let end = self.index.entries.len() as u32;
            let entry = &mut self.index.entries[id.0 as usize];
            entry.end = end;
            self.parent = entry.parent;
            self.depth -= 1;
        }
    }

    fn push_scope(&mut self, kind: ScopeKind<'a>, parent: Option<ScopeId>) -> ScopeId {
        #[allow(clippy::cast_possible_truncation)]
        let id = ScopeId(self.index.scopes.len() as u32);
        self.index.scopes.push(Scope {
            kind,
            parent,
            symbols: FxHashMap::default(),
            redirects: FxHashMap::default(),
        });
        self.scope = id;
        id
    }

    /// Walks in a new scope inside the current one.
    fn within(&mut self, kind: ScopeKind<'a>, walk: impl FnOnce(&mut Self)) {
        let outer = self.scope;
        self.push_scope(kind, Some(outer));
        walk(self);
        self.scope = outer;
    }

    fn bind(&mut self, name: &'a str, kind: BindingKind<'a>, node: NodeId) {
        self.bind_in(self.scope, name, kind, node);
    }

    fn bind_in(&mut self, scope: ScopeId, name: &'a str, kind: BindingKind<'a>, node: NodeId) {
        let binding = Binding {
            kind,
            node,
            from: scope,
            typing_only: self.typing_only,
        };
        if self.index.scope(scope).redirects.contains_key(name) {
            // The scope that it goes to may bind the name further down.
            self.redirected.push(Redirected { name, binding });
        } else {
            self.add(scope, name, binding);
        }
    }

    fn add(&mut self, scope: ScopeId, name: &'a str, binding: Binding<'a>) {
        #[allow(clippy::cast_possible_truncation)]
        let next = SymbolId(self.index.symbols.len() as u32);
        let id = *self.index.scopes[scope.0 as usize]
            .symbols
            .entry(name)
            .or_insert(next);
        if id == next {
            self.index.symbols.push(Symbol {
                name,
                scope,
                // Most names are bound once.
                bindings: Vec::with_capacity(1),
                reads: Vec::new(),
                named_in_string: false,
            });
        }
        self.index.symbols[id.0 as usize].bindings.push(binding);
    }

    fn finish(mut self) -> Index<'a> {
        for Redirected { name, binding } in std::mem::take(&mut self.redirected) {
            match self.index.lookup(name, binding.from) {
                Some(symbol) => self.index.symbols[symbol.0 as usize].bindings.push(binding),
                // `global x` for a name that the module itself never binds.
                None => self.add(ScopeId::MODULE, name, binding),
            }
        }
        for symbol in &mut self.index.symbols {
            symbol.bindings.sort_by_key(|binding| binding.node);
        }
        let globals = self.index.scope(ScopeId::MODULE).symbols.values();
        self.index.globals = globals.copied().collect();
        self.index.globals.sort_by_key(|id| id.0);
        self.index.resolved = vec![None; self.index.entries.len()];
        for (name, scope, reads) in std::mem::take(&mut self.uses) {
            if let Some(symbol) = self.index.lookup(&name.id, scope) {
                let id = NodeId::of(name);
                self.index.resolved[id.0 as usize] = Some(symbol);
                if reads {
                    self.index.symbols[symbol.0 as usize].reads.push(id);
                }
            }
        }
        for (name, scope) in std::mem::take(&mut self.quoted) {
            if let Some(symbol) = self.index.lookup(name, scope) {
                self.index.symbols[symbol.0 as usize].named_in_string = true;
            }
        }
        self.index
    }

    fn visit_function(&mut self, function: &'a ast::StmtFunctionDef) {
        let id = self.enter(AnyNodeRef::from(function));
        for decorator in &function.decorator_list {
            self.visit_decorator(decorator);
        }
        self.bind(function.name.as_str(), BindingKind::Function(function), id);
        let outer = self.scope;
        if let Some(type_params) = &function.type_params {
            self.push_scope(ScopeKind::TypeParameters, Some(outer));
            self.visit_type_params(type_params);
        }
        self.visit_parameters(&function.parameters);
        if let Some(returns) = &function.returns {
            self.visit_annotation(returns);
        }
        self.within(ScopeKind::Function(function), |this| {
            this.bind_parameters(&function.parameters);
            this.visit_body(&function.body);
        });
        self.scope = outer;
        self.leave();
    }

    fn bind_parameters(&mut self, parameters: &'a ast::Parameters) {
        for parameter in parameters {
            let parameter = parameter.as_parameter();
            let node = NodeId::of(parameter);
            self.bind(parameter.name.as_str(), BindingKind::Parameter, node);
        }
    }

    fn visit_class(&mut self, class: &'a ast::StmtClassDef) {
        let id = self.enter(AnyNodeRef::from(class));
        for decorator in &class.decorator_list {
            self.visit_decorator(decorator);
        }
        self.bind(class.name.as_str(), BindingKind::Class(class), id);
        let outer = self.scope;
        if let Some(type_params) = &class.type_params {
            self.push_scope(ScopeKind::TypeParameters, Some(outer));
            self.visit_type_params(type_params);
        }
        if let Some(arguments) = &class.arguments {
            self.visit_arguments(arguments);
        }
        self.within(ScopeKind::Class(class), |this| this.visit_body(&class.body));
        self.scope = outer;
        self.leave();
    }

    fn visit_comprehension_expr(
        &mut self,
        expr: &'a Expr,
        generators: &'a [ast::Comprehension],
        elements: &[&'a Expr],
    ) {
        self.enter(AnyNodeRef::from(expr));
        let outer = self.scope;
        for (position, generator) in generators.iter().enumerate() {
            self.enter(AnyNodeRef::from(generator));
            self.visit_expr(&generator.iter);
            if position == 0 {
                // Only the first iterable is evaluated in the scope around.
                self.push_scope(ScopeKind::Comprehension, Some(outer));
            }
            self.visit_expr(&generator.target);
            for condition in &generator.ifs {
                self.visit_expr(condition);
            }
            self.leave();
        }
        for element in elements {
            self.visit_expr(element);
        }
        self.scope = outer;
        self.leave();
    }

    fn bind_import(&mut self, import: &'a ast::StmtImport) {
        for alias in &import.names {
            let node = NodeId::of(alias);
            let name = match &alias.asname {
                Some(name) => name.as_str(),
                None => alias.name.split('.').next().unwrap_or_default(),
            };
            self.bind(name, BindingKind::Import(alias), node);
        }
    }

    fn bind_from_import(&mut self, import: &'a ast::StmtImportFrom) {
        for alias in &import.names {
            if alias.name.as_str() == "*" {
                self.index.star_imports.push(import);
                continue;
            }
            let node = NodeId::of(alias);
            let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
            self.bind(name, BindingKind::FromImport(import, alias), node);
        }
    }

    fn redirect(&mut self, names: &'a [ast::Identifier], redirect: Redirect) {
        if matches!(self.index.scope(self.scope).kind, ScopeKind::Module) {
            return;
        }
        for name in names {
            self.index.scopes[self.scope.0 as usize]
                .redirects
                .insert(name.as_str(), redirect);
        }
    }

    fn bind_name(&mut self, name: &'a ast::ExprName, id: NodeId) {
        let kind = self.binding_kind(name, id);
        let scope = if self.is_walrus_target(id) {
            // PEP 572: a walrus in a comprehension binds in the scope around.
            let mut scope = self.scope;
            while let ScopeKind::Comprehension = self.index.scope(scope).kind
                && let Some(parent) = self.index.scope(scope).parent
            {
                scope = parent;
            }
            scope
        } else {
            self.scope
        };
        self.bind_in(scope, name.id.as_str(), kind, id);
        // `x += 1` reads x too, which the context of the name does not say.
        let reads = matches!(kind, BindingKind::Augmented);
        self.uses.push((name, scope, reads));
    }

    fn is_walrus_target(&self, id: NodeId) -> bool {
        self.index
            .parent(id)
            .is_some_and(|parent| matches!(self.index.node(parent), AnyNodeRef::ExprNamed(_)))
    }

    fn binding_kind(&self, name: &'a ast::ExprName, id: NodeId) -> BindingKind<'a> {
        if name.ctx == ExprContext::Del {
            return BindingKind::Deleted;
        }
        let mut position = None;
        let mut depth = 0;
        let mut child = id;
        while let Some(parent) = self.index.parent(child) {
            let is_direct = depth == 0;
            match self.index.node(parent) {
                AnyNodeRef::ExprTuple(ast::ExprTuple { elts, .. })
                | AnyNodeRef::ExprList(ast::ExprList { elts, .. }) => {
                    depth += 1;
                    position = elts
                        .iter()
                        .position(|element| element.range() == self.index.node(child).range())
                        .filter(|position| {
                            depth == 1 && !elts[..=*position].iter().any(Expr::is_starred_expr)
                        });
                }
                AnyNodeRef::ExprStarred(_) => {}
                AnyNodeRef::StmtAssign(assign) if is_direct => {
                    return BindingKind::Value(&assign.value);
                }
                AnyNodeRef::StmtAssign(assign) => {
                    return BindingKind::Unpacked(&assign.value, position.filter(|_| depth == 1));
                }
                AnyNodeRef::StmtAnnAssign(assign) => {
                    return match &assign.value {
                        Some(value) => BindingKind::Value(value),
                        None => BindingKind::Declared,
                    };
                }
                AnyNodeRef::ExprNamed(named) => return BindingKind::Value(&named.value),
                AnyNodeRef::StmtAugAssign(_) => return BindingKind::Augmented,
                AnyNodeRef::StmtFor(_) | AnyNodeRef::Comprehension(_) => return BindingKind::Loop,
                AnyNodeRef::WithItem(item) if is_direct => {
                    let is_async = self.index.parent(parent).is_some_and(|with| {
                        matches!(self.index.node(with), AnyNodeRef::StmtWith(with) if with.is_async)
                    });
                    return BindingKind::With(&item.context_expr, is_async);
                }
                _ => return BindingKind::Other,
            }
            child = parent;
        }
        BindingKind::Other
    }

    fn mark_generator(&mut self) {
        let mut scope = self.scope;
        loop {
            match self.index.scope(scope).kind {
                ScopeKind::Function(function) => {
                    let id = NodeId::of(function);
                    self.index.generators.insert(id);
                    return;
                }
                ScopeKind::Comprehension => {}
                _ => return,
            }
            let Some(parent) = self.index.scope(scope).parent else {
                return;
            };
            scope = parent;
        }
    }

    fn index_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.visit_function(function),
            Stmt::ClassDef(class) => self.visit_class(class),
            Stmt::Import(import) => {
                walk_stmt(self, stmt);
                self.bind_import(import);
            }
            Stmt::ImportFrom(import) => {
                walk_stmt(self, stmt);
                self.bind_from_import(import);
            }
            Stmt::Global(global) => {
                walk_stmt(self, stmt);
                self.redirect(&global.names, Redirect::Global);
            }
            Stmt::Nonlocal(nonlocal) => {
                walk_stmt(self, stmt);
                self.redirect(&nonlocal.names, Redirect::Nonlocal);
            }
            Stmt::If(branch) if is_type_checking(&branch.test) => {
                self.enter(AnyNodeRef::from(stmt));
                self.visit_expr(&branch.test);
                let outer = std::mem::replace(&mut self.typing_only, true);
                self.visit_body(&branch.body);
                self.typing_only = outer;
                for clause in &branch.elif_else_clauses {
                    self.visit_elif_else_clause(clause);
                }
                self.leave();
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn index_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                let id = self.enter(AnyNodeRef::from(expr));
                match name.ctx {
                    ExprContext::Store | ExprContext::Del => self.bind_name(name, id),
                    ExprContext::Load | ExprContext::Invalid => {
                        self.uses.push((name, self.scope, true));
                    }
                }
                self.leave();
            }
            Expr::Lambda(lambda) => {
                self.enter(AnyNodeRef::from(expr));
                if let Some(parameters) = &lambda.parameters {
                    self.visit_parameters(parameters);
                }
                self.within(ScopeKind::Lambda, |this| {
                    if let Some(parameters) = &lambda.parameters {
                        this.bind_parameters(parameters);
                    }
                    this.visit_expr(&lambda.body);
                });
                self.leave();
            }
            Expr::ListComp(ast::ExprListComp {
                elt, generators, ..
            })
            | Expr::SetComp(ast::ExprSetComp {
                elt, generators, ..
            })
            | Expr::Generator(ast::ExprGenerator {
                elt, generators, ..
            }) => self.visit_comprehension_expr(expr, generators, &[elt]),
            Expr::DictComp(comprehension) => {
                let mut elements: Vec<&'a Expr> = Vec::with_capacity(2);
                elements.extend(comprehension.key.as_deref());
                elements.push(&comprehension.value);
                self.visit_comprehension_expr(expr, &comprehension.generators, &elements);
            }
            Expr::Call(call) => {
                self.index.calls.push(call);
                walk_expr(self, expr);
                if let Expr::Name(name) = &*call.func
                    && is_reflective(&name.id, call.arguments.len())
                {
                    let id = NodeId::of(call);
                    self.index.reflective.push(id);
                }
            }
            Expr::Yield(_) | Expr::YieldFrom(_) => {
                self.mark_generator();
                walk_expr(self, expr);
            }
            Expr::Attribute(attribute) => {
                if attribute.ctx.is_store() || attribute.ctx.is_del() {
                    self.index.stored_attributes.insert(attribute.attr.as_str());
                }
                walk_expr(self, expr);
            }
            Expr::StringLiteral(literal) => {
                if self.annotation {
                    for part in &literal.value {
                        let words = part
                            .value
                            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                            .filter(|word| !word.is_empty());
                        for word in words {
                            self.quoted.push((word, self.scope));
                        }
                    }
                }
                walk_expr(self, expr);
            }
            _ => walk_expr(self, expr),
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Builder<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        self.enter(node);
        TraversalSignal::Traverse
    }

    fn leave_node(&mut self, _node: AnyNodeRef<'a>) {
        self.leave();
    }

    fn visit_identifier(&mut self, _identifier: &'a ast::Identifier) {}

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        deeper(|| self.index_stmt(stmt));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        deeper(|| self.index_expr(expr));
    }

    fn visit_annotation(&mut self, expr: &'a Expr) {
        let outer = std::mem::replace(&mut self.annotation, true);
        self.visit_expr(expr);
        self.annotation = outer;
    }

    fn visit_except_handler(&mut self, handler: &'a ast::ExceptHandler) {
        let ast::ExceptHandler::ExceptHandler(inner) = handler;
        let id = self.enter(AnyNodeRef::from(inner));
        if let Some(types) = &inner.type_ {
            self.visit_expr(types);
        }
        if let Some(name) = &inner.name {
            self.bind(name.as_str(), BindingKind::Except, id);
        }
        self.visit_body(&inner.body);
        self.leave();
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        walk_pattern(self, pattern);
        let name = match pattern {
            Pattern::MatchAs(ast::PatternMatchAs { name, .. })
            | Pattern::MatchStar(ast::PatternMatchStar { name, .. }) => name,
            Pattern::MatchMapping(ast::PatternMatchMapping { rest, .. }) => rest,
            _ => return,
        };
        if let Some(name) = name {
            let id = NodeId::of(pattern);
            self.bind(name.as_str(), BindingKind::Other, id);
        }
    }

    fn visit_type_param(&mut self, type_param: &'a TypeParam) {
        walk_type_param(self, type_param);
        let id = NodeId::of(type_param);
        self.bind(type_param.name().as_str(), BindingKind::Other, id);
    }
}

/// Goes one level deeper into the tree, on a new piece of stack where this one ends: code can be
/// nested deeper than any stack.
pub(crate) fn deeper<T>(walk: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(64 << 10, 1 << 20, walk)
}

/// Whether a call of the builtin `name` sees the local names around it: `vars()`, not `vars(x)`;
/// `exec(code)`, not `exec(code, namespace)`.
fn is_reflective(name: &str, arguments: usize) -> bool {
    match name {
        "locals" => true,
        "vars" => arguments == 0,
        "eval" | "exec" => arguments < 2,
        _ => false,
    }
}

/// Whether a condition is `TYPE_CHECKING` or `typing.TYPE_CHECKING`.
pub(crate) fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}
