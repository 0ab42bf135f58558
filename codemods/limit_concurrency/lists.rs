//! What a gather is given: the lists, and the expressions that make their elements.

use engine::{Context, Refusal, withheld};
use python::ast::{self, AnyNodeRef, Comprehension, Expr, ExprCall, ExprName};
use python::{Binding, BindingKind, Ranged, ScopeKind, Symbol};

use super::{limited, number, tasks};

/// The expression that makes one element after the other.
pub(super) struct Element<'a> {
    /// `f(x)`; of `map(f, xs)` the function.
    pub expr: &'a Expr,
    pub within: Within<'a>,
}

impl<'a> Element<'a> {
    /// Whether the loop that makes the elements goes over what the object, or the module, itself holds:
    /// `[ping(peer) for peer in self.peers]`, `[fetch(url) for url in URLS]`.
    pub(super) fn is_held(&self, cx: &Context<'a, '_>) -> bool {
        self.held(cx).is_some()
    }

    fn held(&self, cx: &Context<'a, '_>) -> Option<&'a str> {
        let module = cx.module;
        let around = module.ancestors(self.expr).find_map(|around| match around {
            AnyNodeRef::ExprListComp(it) => it.generators.first().map(|it| &it.iter),
            AnyNodeRef::ExprSetComp(it) => it.generators.first().map(|it| &it.iter),
            AnyNodeRef::ExprGenerator(it) => it.generators.first().map(|it| &it.iter),
            AnyNodeRef::StmtFor(stmt) => Some(&*stmt.iter),
            _ => None,
        });
        let whole = around?;
        let mut held = whole;
        loop {
            match held {
                Expr::Attribute(attribute) => {
                    let Expr::Name(root) = &*attribute.value else {
                        return None;
                    };
                    let is_global = module
                        .symbol(root)
                        .is_some_and(|symbol| symbol.scope == python::ScopeId::MODULE);
                    let is_own = is_global || matches!(root.id.as_str(), "self" | "cls");
                    return is_own.then(|| module.first_line(whole));
                }
                Expr::Name(name) => {
                    let symbol = module.symbol(name)?;
                    let is_own = symbol.scope == python::ScopeId::MODULE;
                    return is_own.then(|| module.first_line(whole));
                }
                // `self.peers.values()`, `list(self.peers)`
                Expr::Call(call) => {
                    held = match (&*call.func, &*call.arguments.args) {
                        (Expr::Attribute(method), [])
                            if matches!(
                                method.attr.as_str(),
                                "values" | "items" | "keys" | "copy"
                            ) =>
                        {
                            &method.value
                        }
                        (Expr::Name(_), [only]) => only,
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }
}

/// What an element is made in.
#[derive(Clone, Copy)]
pub(super) enum Within<'a> {
    /// `[f(x) for x in xs]`
    Comprehension(&'a Expr),
    /// `coros.append(f(x))`
    Append(&'a ExprCall),
    /// `map(f, xs)`
    Map(&'a ExprCall),
}

/// What a gather is given.
pub(super) struct Lists<'a> {
    /// The elements of the lists whose number is not known to be small.
    pub elements: Vec<Element<'a>>,
    /// The statement before which none of them is made.
    pub anchor: AnyNodeRef<'a>,
    /// Why they cannot be limited, where that lies in what is beside them.
    pub beside: Option<Refusal>,
}

/// The lists that are unpacked into a gather.
pub(super) fn elements<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<Lists<'a>, Refusal> {
    let mut elements = Vec::new();
    let mut beside = None;
    let mut anchor = cx.module.statement(call);
    let mut fixed = 0;
    for argument in &call.arguments.args {
        let Expr::Starred(starred) = argument else {
            fixed += 1;
            continue;
        };
        let before = elements.len();
        match &*starred.value {
            Expr::Name(name) if tasks::are_cancelled_before(cx, name, call) => {}
            Expr::Name(name) => {
                if let Some(statement) = listed(cx, name, &mut elements, &mut beside)? {
                    anchor = earlier(anchor, statement);
                }
            }
            iterable => unpacked(cx, iterable, &mut elements)?,
        }
        if elements.len() == before {
            fixed += 1;
        }
    }
    if elements.is_empty() {
        return Err(Refusal::NotOurs); // so many and no more
    }
    if fixed > 0 {
        beside.get_or_insert_with(|| {
            withheld!(
                "other coroutines are gathered beside the list: if some of them wait for each other, a limit is a deadlock; gather the list by itself if they do not"
            )
        });
    }
    Ok(Lists {
        elements,
        anchor,
        beside,
    })
}

fn earlier<'a>(one: AnyNodeRef<'a>, other: AnyNodeRef<'a>) -> AnyNodeRef<'a> {
    if other.start() < one.start() {
        other
    } else {
        one
    }
}

/// `*[f(x) for x in xs]`, `*map(f, xs)`
fn unpacked<'a>(
    cx: &Context<'a, '_>,
    iterable: &'a Expr,
    elements: &mut Vec<Element<'a>>,
) -> Result<(), Refusal> {
    match iterable {
        Expr::ListComp(_) | Expr::SetComp(_) | Expr::Generator(_) => {
            if let Some((element, clauses)) = comprehension(iterable) {
                push(
                    cx,
                    element,
                    clauses,
                    Within::Comprehension(iterable),
                    elements,
                );
            }
            Ok(())
        }
        _ if is_written_out(iterable) => Ok(()), // so many and no more
        Expr::Subscript(part) if number::is_part(&part.slice) => Ok(()), // a part of the whole
        Expr::Call(call) if cx.module.refers_to(&call.func, "builtins.map") => {
            let [function, iterables @ ..] = &*call.arguments.args else {
                return Ok(());
            };
            if !call.arguments.keywords.is_empty() || iterables.iter().any(Expr::is_starred_expr) {
                return Err(Refusal::NotOurs); // what it holds is not seen
            }
            if iterables.iter().any(|it| number::is_limited(cx, it))
                || limited::is_limited_function(cx, function)
                || limited::needs_no_limit(cx, function)
            {
                return Ok(());
            }
            elements.push(Element {
                expr: function,
                within: Within::Map(call),
            });
            Ok(())
        }
        _ => Err(Refusal::NotOurs), // it may hold tasks, which run already
    }
}

/// `[task]`, `(first, second)`, and `[task] if task else []`
fn is_written_out(iterable: &Expr) -> bool {
    match iterable {
        Expr::List(ast::ExprList { elts, .. })
        | Expr::Tuple(ast::ExprTuple { elts, .. })
        | Expr::Set(ast::ExprSet { elts, .. }) => !elts.iter().any(Expr::is_starred_expr),
        Expr::If(branch) => is_written_out(&branch.body) && is_written_out(&branch.orelse),
        _ => false,
    }
}

/// The element of a comprehension, unless their number is limited.
fn push<'a>(
    cx: &Context<'a, '_>,
    expr: &'a Expr,
    clauses: &'a [Comprehension],
    within: Within<'a>,
    elements: &mut Vec<Element<'a>>,
) {
    if !limited::is_limited(cx, expr) && !number::is_limited_comprehension(cx, expr, clauses) {
        elements.push(Element { expr, within });
    }
}

fn comprehension(expr: &Expr) -> Option<(&Expr, &[Comprehension])> {
    match expr {
        Expr::ListComp(ast::ExprListComp {
            elt, generators, ..
        })
        | Expr::SetComp(ast::ExprSetComp {
            elt, generators, ..
        })
        | Expr::Generator(ast::ExprGenerator {
            elt, generators, ..
        }) => Some((elt, generators)),
        _ => None,
    }
}

/// `coros = [f(x) for x in xs]`, or `coros = []` with `coros.append(f(x))` in a loop: the statement
/// that makes the list.
fn listed<'a>(
    cx: &Context<'a, '_>,
    name: &'a ExprName,
    elements: &mut Vec<Element<'a>>,
    beside: &mut Option<Refusal>,
) -> Result<Option<AnyNodeRef<'a>>, Refusal> {
    let module = cx.module;
    let not_here = || Refusal::NotOurs; // it may hold tasks, which run already
    let symbol = module.symbol(name).ok_or_else(not_here)?;
    let is_local = matches!(module.scope_data(symbol.scope).kind, ScopeKind::Function(_))
        && symbol.scope == module.scope(name);
    let Some(binding) = reaching(cx, symbol, name) else {
        // What is made under any of its names may be meant.
        let before = elements.len();
        for binding in &symbol.bindings {
            if let BindingKind::Value(value) = binding.kind
                && let Some((element, clauses)) = comprehension(value)
            {
                push(cx, element, clauses, Within::Comprehension(value), elements);
            }
        }
        if is_local && elements.len() > before {
            beside.get_or_insert_with(|| {
                withheld!(
                    "`{}` is bound more than once: give each list a name of its own",
                    name.id
                )
            });
            return Ok(None);
        }
        return Err(not_here());
    };
    let BindingKind::Value(value) = binding.kind else {
        return Err(not_here());
    };
    if !is_local || binding.from != symbol.scope {
        return Err(not_here());
    }
    let statement = module.statement(module.node(binding.node));
    let before = elements.len();
    let mut fixed = 0;
    match value {
        Expr::List(list) => fixed += list.elts.len(),
        Expr::Tuple(_) | Expr::Set(_) => return Ok(None), // so many and no more
        Expr::Call(call) if module.refers_to(&call.func, "builtins.list") => {
            if !call.arguments.is_empty() {
                return Err(not_here());
            }
        }
        Expr::ListComp(_) | Expr::SetComp(_) | Expr::Generator(_) => {
            if let Some((element, clauses)) = comprehension(value) {
                push(cx, element, clauses, Within::Comprehension(value), elements);
            }
        }
        Expr::Call(call) if module.refers_to(&call.func, "builtins.map") => {
            unpacked(cx, value, elements)?;
        }
        _ => return Err(not_here()),
    }
    let mut limited_too = false;
    let mut few = Vec::new();
    // Of several lists of one name, this one is filled before it is gathered.
    let before_gather = |call: &&ExprCall| {
        symbol.bindings.len() == 1 || statement.end() <= call.start() && call.start() < name.start()
    };
    for append in added(cx, symbol, "append")
        .into_iter()
        .filter(before_gather)
    {
        let Some(element) = append.arguments.args.first() else {
            continue;
        };
        let number = loops_around(cx, append, statement);
        let element = Element {
            expr: element,
            within: Within::Append(append),
        };
        if number == Number::Few {
            few.push(element);
        } else if limited::is_limited(cx, element.expr) {
            limited_too = true;
        } else {
            elements.push(element);
        }
    }
    for extend in added(cx, symbol, "extend")
        .into_iter()
        .filter(before_gather)
    {
        match extend.arguments.args.first() {
            Some(iterable) if comprehension(iterable).is_some() => {
                let before = elements.len();
                unpacked(cx, iterable, elements)?;
                // A few, or limited by somebody else: they may wait for those of the list.
                fixed += usize::from(elements.len() == before);
            }
            Some(Expr::List(list)) => fixed += list.elts.len(),
            _ => return Err(not_here()),
        }
    }
    if elements.len() == before {
        return Ok(None); // so many and no more
    }
    let appended = |it: &&Element<'a>| matches!(it.within, Within::Append(_));
    let several = !few.is_empty() || elements[before..].iter().filter(appended).count() > 1;
    let several = several && !are_of_one_function(cx, elements[before..].iter().chain(&few));
    if several {
        fixed += few.len();
    } else {
        elements.append(&mut few);
    }
    if fixed > 0 || limited_too || several {
        beside.get_or_insert_with(|| {
            withheld!(
                "other coroutines are put into `{}`: if some of them wait for each other, a limit is a deadlock; gather them by themselves if they do not",
                name.id
            )
        });
    }
    // A generator makes them while it is unpacked.
    Ok(Some(statement))
}

/// The binding that makes the list which `name` stands for: the only one, or the last before it,
/// in the same turn of the same loop, that cannot be passed by.
pub(super) fn reaching<'a, 'm>(
    cx: &Context<'a, 'm>,
    symbol: &'m Symbol<'a>,
    name: &'a ExprName,
) -> Option<&'m Binding<'a>> {
    let module = cx.module;
    if let [binding] = symbol.bindings.as_slice() {
        return Some(binding);
    }
    let start = |binding: &&Binding<'a>| module.node(binding.node).start();
    let last = symbol
        .bindings
        .iter()
        .filter(|binding| start(binding) < name.start())
        .max_by_key(start)?;
    let (body, position) = module.siblings(module.statement(module.node(last.node)))?;
    let after = body[position + 1..]
        .iter()
        .find(|stmt| module.contains(*stmt, name))?;
    let in_loop = module
        .ancestors(name)
        .take_while(|around| !around.ptr_eq(after.into()))
        .chain([after.into()])
        .any(|around| match around {
            AnyNodeRef::StmtFor(stmt) => !module.contains(&*stmt.iter, name),
            AnyNodeRef::StmtWhile(_) => true,
            _ => false,
        });
    let is_own = symbol.bindings.iter().all(|it| it.from == symbol.scope);
    (is_own && !in_loop).then_some(last)
}

/// The statements `coros.append(...)`, and so on.
fn added<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>, method: &str) -> Vec<&'a ExprCall> {
    let module = cx.module;
    let call = |read: &python::NodeId| {
        let AnyNodeRef::ExprAttribute(attribute) = module.parent(module.node(*read))? else {
            return None;
        };
        let AnyNodeRef::ExprCall(call) = module.parent(attribute)? else {
            return None;
        };
        let is_it = attribute.attr.as_str() == method
            && call.func.range() == attribute.range()
            && call.arguments.len() == 1
            && call.arguments.keywords.is_empty();
        is_it.then_some(call)
    };
    symbol.reads.iter().filter_map(call).collect()
}

/// Whether all of them are made by calls of the same function, as in the two branches of an `if`.
fn are_of_one_function<'a, 'e>(
    cx: &Context<'a, '_>,
    mut elements: impl Iterator<Item = &'e Element<'a>>,
) -> bool
where
    'a: 'e,
{
    let module = cx.module;
    let function = |element: &Element<'a>| match element.expr {
        Expr::Call(call) => match module.function_definition(&call.func) {
            Some(function) => Some((Some(module.id(function)), None)),
            None => Some((None, Some(module.qualified_name(&call.func)?))),
        },
        _ => None,
    };
    let first = elements.next().and_then(function);
    first.is_some() && elements.all(|it| function(it) == first)
}

/// How often something is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Few,
    Many,
}

/// How often the loops around `call`, which the list is made before, run it.
fn loops_around<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, made: AnyNodeRef<'a>) -> Number {
    let is_many = cx
        .module
        .ancestors(call)
        .take_while(|around| !cx.module.contains(*around, made))
        .any(|around| match around {
            AnyNodeRef::StmtFor(stmt) => !number::is_limited(cx, &stmt.iter),
            AnyNodeRef::StmtWhile(_) => true,
            _ => false,
        });
    if is_many { Number::Many } else { Number::Few }
}
