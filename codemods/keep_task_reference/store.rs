//! What keeps the tasks: one set in the module, and the functions that put tasks into it.

use edit::Edit;
use engine::{Context, Refusal};
use python::ast::{AnyNodeRef, Expr, ExprCall, PythonVersion, Stmt};
use python::{Binding, BindingKind, Module, Ranged, ScopeId, Symbol, TextRange, TextSize};

/// The module's set.
pub struct Store {
    /// Its name.
    pub set: String,
    /// What defines it, where it is not there yet, and the helper.
    pub edits: Vec<Edit>,
    after: TextSize,
}

/// A function that keeps a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Helper {
    /// `_spawn(coro)` makes a coroutine into a task, keeps it and gives it back.
    Spawn,
    /// `_keep(task)` keeps a task and gives it back.
    Keep,
}

impl Store {
    /// The set that can be named at `site`: the one that is there already, or a new one.
    ///
    /// It belongs to the module. An attribute of the object would have to be made in `__init__`,
    /// which not every class calls, and would not fit into `__slots__` or a frozen dataclass.
    pub fn of<'a>(cx: &Context<'a, '_>, site: &'a ExprCall) -> Result<Self, Refusal> {
        let module = cx.module;
        let existing = module.globals().find(|symbol| {
            is_set_of_tasks(module, symbol)
                && module
                    .lookup(symbol.name, site)
                    .is_some_and(|seen| std::ptr::eq(seen, *symbol))
        });
        let annotation = Annotation::of(cx);
        if let Some(symbol) = existing {
            let defined = symbol
                .bindings
                .first()
                .map(|binding| module.statement(module.node(binding.node)).end());
            return Ok(Self {
                set: symbol.name.to_string(),
                edits: Vec::new(),
                after: defined.unwrap_or_default(),
            });
        }
        let set = cx
            .shared_global("set", &["background_tasks", "_background_tasks"])
            .ok_or(Refusal::NotOurs)?;
        let definition = match &annotation.text {
            Some(text) => format!("{set}: {text} = set()"),
            None => format!("{set} = set()"),
        };
        let mut edits: Vec<Edit> = annotation.import.into_iter().collect();
        edits.push(cx.define(&definition, annotation.after, 1));
        Ok(Self {
            set,
            edits,
            after: annotation.after,
        })
    }

    /// The set and the name of a function that puts tasks into it.
    pub fn with_helper<'a>(
        cx: &Context<'a, '_>,
        site: &'a ExprCall,
        helper: Helper,
    ) -> Result<(Self, String), Refusal> {
        let module = cx.module;
        let mut store = Self::of(cx, site)?;
        let import = cx.import(module.root(), "asyncio")?;
        let one_argument = site.arguments.args.len() == 1 && site.arguments.keywords.is_empty();
        let existing = module.symbols().find(|symbol| {
            let [
                Binding {
                    kind: BindingKind::Function(function),
                    ..
                },
            ] = symbol.bindings.as_slice()
            else {
                return false;
            };
            let text = module.text(*function).replace("\r\n", "\n");
            let is_helper = |options: bool| {
                text == definition(
                    helper,
                    symbol.name,
                    &store.set,
                    &import.name,
                    module.indent(),
                    options,
                )
            };
            symbol.scope == ScopeId::MODULE
                && (is_helper(true) || (one_argument && is_helper(false)))
                && module
                    .lookup(symbol.name, site)
                    .is_some_and(|seen| std::ptr::eq(seen, *symbol))
        });
        if let Some(symbol) = existing {
            return Ok((store, symbol.name.to_string()));
        }
        let name = match helper {
            Helper::Spawn => cx.shared_global("spawn", &["_spawn", "_spawn_task"]),
            Helper::Keep => cx.shared_global("keep", &["_keep", "_keep_task"]),
        };
        let name = name.ok_or(Refusal::NotOurs)?;
        let text = definition(
            helper,
            &name,
            &store.set,
            &import.name,
            module.indent(),
            true,
        );
        if let Some(edit) = import.edit
            && !store.edits.contains(&edit)
        {
            store.edits.insert(0, edit);
        }
        store.edits.push(cx.define_function(&text, store.after));
        Ok((store, name))
    }
}

fn definition(
    helper: Helper,
    name: &str,
    set: &str,
    asyncio: &str,
    indent: &str,
    options: bool,
) -> String {
    let (parameters, create) = match helper {
        Helper::Spawn => {
            let options = if options { ", **kwargs" } else { "" };
            (
                format!("coro{options}"),
                format!("{indent}task = {asyncio}.create_task(coro{options})\n"),
            )
        }
        Helper::Keep => ("task".to_string(), String::new()),
    };
    format!(
        "def {name}({parameters}):\n{create}{indent}{set}.add(task)\n{indent}task.add_done_callback({set}.discard)\n{indent}return task"
    )
}

/// The type of the set, and what naming it at module level takes.
struct Annotation {
    text: Option<String>,
    import: Option<Edit>,
    after: TextSize,
}

impl Annotation {
    /// `set[asyncio.Task]`, evaluated where the set is defined. None before Python 3.9, in which
    /// `set` takes no parameter, and where asyncio is imported in a function or under a condition,
    /// or code that may need the set follows on the line of its import.
    fn of(cx: &Context<'_, '_>) -> Self {
        let module = cx.module;
        let imported = |wanted: &dyn Fn(&str) -> bool| {
            module.globals().find_map(|symbol| {
                let name = module.imported_as(symbol)?;
                let binding = symbol
                    .bindings
                    .iter()
                    .find(|binding| !binding.typing_only && is_unconditional(module, binding))?;
                let statement = module.statement(module.node(binding.node));
                wanted(&name).then(|| (symbol.name, statement.end()))
            })
        };
        let asyncio = imported(&|name| name == "asyncio");
        let after = asyncio.map_or_else(|| cx.imported_before("asyncio"), |(_, end)| end);
        let after = if runs_code_after(module, after) {
            TextSize::new(0)
        } else {
            after
        };
        let none = Self {
            text: None,
            import: None,
            after,
        };
        if cx.settings.target.version < PythonVersion::PY39 && !has_lazy_annotations(module) {
            return none;
        }
        if let Some((name, after)) = asyncio {
            return Self {
                text: Some(format!("set[{name}.Task]")),
                import: None,
                after,
            };
        }
        if let Some((name, after)) = imported(&|name| name == "asyncio.Task") {
            return Self {
                text: Some(format!("set[{name}]")),
                import: None,
                after,
            };
        }
        // from asyncio import create_task
        if imported(&|name| name.starts_with("asyncio.")).is_some()
            && let Ok(import) = cx.import(module.root(), "asyncio")
            && import.edit.is_some()
        {
            return Self {
                text: Some(format!("set[{}.Task]", import.name)),
                import: import.edit,
                after,
            };
        }
        none
    }
}

/// Whether a binding is made by a statement of the module itself, not one of `try` or `if`, nor one
/// before other code on its line.
fn is_unconditional(module: &Module<'_>, binding: &Binding<'_>) -> bool {
    let statement = module.statement(module.node(binding.node));
    matches!(module.parent(statement), Some(AnyNodeRef::ModModule(_)))
        && !runs_code_after(module, statement.end())
}

/// Whether more than imports follow on the line of a statement that ends at `offset`.
fn runs_code_after(module: &Module<'_>, offset: TextSize) -> bool {
    let rest = TextRange::new(offset, module.line_end(offset));
    let mut following = module
        .body()
        .iter()
        .filter(|stmt| rest.contains(stmt.start()));
    offset > TextSize::new(0) && following.any(|stmt| !is_import(stmt))
}

fn is_import(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Import(_) | Stmt::ImportFrom(_))
}

fn has_lazy_annotations(module: &Module<'_>) -> bool {
    module.body().iter().any(|stmt| {
        matches!(stmt, Stmt::ImportFrom(import)
            if import.module.as_deref() == Some("__future__")
                && import.names.iter().any(|alias| alias.name.as_str() == "annotations"))
    })
}

/// Whether `symbol` is a set of the module that serves nothing but to keep tasks: tasks are added,
/// and discarded when they are done. Where anything else is done with it, such as waiting for all
/// that is in it, another task in it would be waited for as well.
fn is_set_of_tasks(module: &Module<'_>, symbol: &Symbol<'_>) -> bool {
    let [binding] = symbol.bindings.as_slice() else {
        return false;
    };
    let BindingKind::Value(Expr::Call(call)) = binding.kind else {
        return false;
    };
    let is_empty_set = symbol.scope == ScopeId::MODULE
        && call.arguments.is_empty()
        && module.refers_to(&call.func, "builtins.set")
        && is_unconditional(module, binding)
        && !symbol.named_in_string
        && !module.is_exported(symbol.name);
    if !is_empty_set {
        return false;
    }
    let mut discarded = false;
    for read in &symbol.reads {
        let Some(AnyNodeRef::ExprAttribute(attribute)) = module.parent(module.node(*read)) else {
            return false;
        };
        match attribute.attr.as_str() {
            "add" => {}
            "discard" | "remove" => discarded |= is_done_callback(module, attribute.into()),
            _ => return false,
        }
    }
    discarded
}

/// Whether `node` is what `.add_done_callback(...)` is given.
fn is_done_callback(module: &Module<'_>, node: AnyNodeRef<'_>) -> bool {
    module
        .ancestors(node)
        .find_map(|parent| match parent {
            AnyNodeRef::Arguments(_) => None,
            AnyNodeRef::ExprCall(call) => Some(method_of(call) == Some("add_done_callback")),
            _ => Some(false),
        })
        .unwrap_or_default()
}

fn method_of(call: &ExprCall) -> Option<&str> {
    match &*call.func {
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// Whether everything that binds the local name `symbol`, and everything that reads it, is what
/// this codemod writes: such a name is done with after its statements, and may be used again.
pub fn is_own_task(module: &Module<'_>, symbol: &Symbol<'_>) -> bool {
    let mut known = Vec::new();
    for binding in &symbol.bindings {
        let statement = module.statement(module.node(binding.node));
        if matches!(binding.kind, BindingKind::Deleted) {
            continue;
        }
        let (Some((body, position)), BindingKind::Value(Expr::Call(_))) =
            (module.siblings(statement), binding.kind)
        else {
            return false;
        };
        let following = body.iter().skip(position + 1);
        let own: Vec<&Stmt> = following
            .take_while(|stmt| is_own_statement(stmt, symbol.name))
            .collect();
        if own.len() < 2 {
            return false;
        }
        known.extend(own.iter().map(Ranged::range));
    }
    let mentions = symbol.reads.iter().copied().chain(
        symbol
            .bindings
            .iter()
            .filter(|binding| matches!(binding.kind, BindingKind::Deleted))
            .map(|binding| binding.node),
    );
    mentions.into_iter().all(|node| {
        let node = module.node(node);
        // A lambda among the callbacks reads the name later.
        module.scope(node) == symbol.scope && known.contains(&module.statement(node).range())
    })
}

/// `tasks.add(task)`, `task.add_done_callback(...)`, `task.set_name(...)`, `del task`.
fn is_own_statement(stmt: &Stmt, task: &str) -> bool {
    let is_task = |expr: &Expr| matches!(expr, Expr::Name(name) if name.id == task);
    match stmt {
        Stmt::Delete(delete) => matches!(&*delete.targets, [target] if is_task(target)),
        Stmt::Expr(stmt) => {
            let Expr::Call(call) = &*stmt.value else {
                return false;
            };
            let Expr::Attribute(method) = &*call.func else {
                return false;
            };
            match method.attr.as_str() {
                "add" => matches!(&*call.arguments.args, [argument] if is_task(argument)),
                "add_done_callback" | "set_name" => is_task(&method.value),
                _ => false,
            }
        }
        _ => false,
    }
}
