//! Names for the group, its tasks and its wrapper that nothing else in the coroutine uses.

use edit::Edit;
use engine::{Context, Refusal, withheld};
use python::ast::{AnyNodeRef, Expr, Stmt};
use python::{BindingKind, Ranged, ScopeKind, Symbol, TextRange, TextSize};

use super::Gather;
use super::place;

pub(super) fn fresh<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    candidates: &[&str],
    reusable: impl Fn(&Symbol<'a>) -> bool,
) -> Result<String, Refusal> {
    cx.fresh_local(gather.coroutine, candidates, reusable)
        .ok_or_else(|| {
            withheld!(
                "there is no free name for the task group in `{}`",
                gather.coroutine.name
            )
        })
}

/// Whether a name is bound to nothing but task groups whose blocks are left before this gather.
pub(super) fn is_finished_group<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
    symbol: &Symbol<'a>,
) -> bool {
    symbol.bindings.iter().all(|binding| {
        let BindingKind::With(Expr::Call(call), true) = binding.kind else {
            return false;
        };
        let block = cx.module.statement(cx.module.node(binding.node));
        cx.module.refers_to(&call.func, "asyncio.TaskGroup")
            && !cx.module.contains(block, gather.site)
            && symbol.reads.iter().all(|read| {
                let node = cx.module.node(*read);
                symbol.bindings.iter().any(|binding| {
                    let block = cx.module.statement(cx.module.node(binding.node));
                    cx.module.contains(block, node)
                })
            })
    })
}

/// Whether a name is bound to nothing but lists of tasks made in a group, each read in the
/// statement after that group and nowhere else.
pub(super) fn is_finished_list<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>) -> bool {
    let groups: Vec<TextRange> = symbol
        .bindings
        .iter()
        .filter_map(|binding| {
            let BindingKind::Value(Expr::List(_) | Expr::ListComp(_)) = binding.kind else {
                return None;
            };
            let statement = cx.module.statement(cx.module.node(binding.node));
            match cx.module.parent(statement)? {
                AnyNodeRef::StmtWith(with) if with.is_async => Some(with.range()),
                _ => None,
            }
        })
        .collect();
    groups.len() == symbol.bindings.len()
        && symbol.reads.iter().all(|read| {
            let statement = cx.module.statement(cx.module.node(*read));
            place::previous(cx, statement)
                .is_some_and(|previous| groups.contains(&previous.range()))
        })
}

/// The function that makes a coroutine of anything that can be awaited, and its definition where
/// the module has none.
pub(super) fn wrapper<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
) -> Result<(String, Option<Edit>), Refusal> {
    let known = cx.module.symbols().find_map(|symbol| {
        let [binding] = symbol.bindings.as_slice() else {
            return None;
        };
        let BindingKind::Function(function) = binding.kind else {
            return None;
        };
        let is_global = matches!(cx.module.scope_data(symbol.scope).kind, ScopeKind::Module);
        let [Stmt::Return(stmt)] = function.body.as_slice() else {
            return None;
        };
        let Some(Expr::Await(awaited)) = stmt.value.as_deref() else {
            return None;
        };
        let mut parameters = function.parameters.iter();
        let only = parameters.next()?.name().as_str();
        let is_visible = cx
            .module
            .lookup(symbol.name, gather.site)
            .is_some_and(|seen| std::ptr::eq(seen, symbol));
        let is_wrapper = is_global
            && is_visible
            && function.is_async
            && function.decorator_list.is_empty()
            && parameters.next().is_none()
            && matches!(&*awaited.value, Expr::Name(name) if name.id == only);
        is_wrapper.then(|| symbol.name.to_string())
    });
    if let Some(name) = known {
        return Ok((name, None));
    }
    let candidates = ["_await", "_await_any"];
    let name = candidates
        .into_iter()
        .find(|name| !cx.module.mentions(cx.module.root(), name))
        .ok_or_else(|| {
            withheld!("there is no free name for a function that awaits its argument")
        })?;
    let indent = cx.module.indent();
    let text = format!("async def {name}(awaitable):\n{indent}return await awaitable");
    Ok((
        name.to_string(),
        Some(cx.define(&text, TextSize::new(0), 2)),
    ))
}

/// Whether a node that is no name expression binds or declares `name`.
pub(super) fn binds(node: AnyNodeRef<'_>, name: &str) -> bool {
    match node {
        AnyNodeRef::Parameter(parameter) => parameter.name.as_str() == name,
        AnyNodeRef::StmtGlobal(stmt) => stmt.names.iter().any(|it| it.as_str() == name),
        AnyNodeRef::StmtNonlocal(stmt) => stmt.names.iter().any(|it| it.as_str() == name),
        AnyNodeRef::ExceptHandlerExceptHandler(it) => it.name.as_deref() == Some(name),
        AnyNodeRef::StmtFunctionDef(it) => it.name.as_str() == name,
        AnyNodeRef::StmtClassDef(it) => it.name.as_str() == name,
        AnyNodeRef::Alias(it) => {
            let bound = it.asname.as_ref().unwrap_or(&it.name).as_str();
            bound.split('.').next() == Some(name)
        }
        AnyNodeRef::PatternMatchAs(it) => it.name.as_deref() == Some(name),
        AnyNodeRef::PatternMatchStar(it) => it.name.as_deref() == Some(name),
        AnyNodeRef::PatternMatchMapping(it) => it.rest.as_deref() == Some(name),
        _ => false,
    }
}
