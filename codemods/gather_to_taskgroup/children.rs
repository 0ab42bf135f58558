//! What a gather is given: the coroutines that become the group's children.

use edit::Applicability;
use engine::{Context, Piece, Refusal, withheld};
use python::Awaitable;
use python::ast::{self, AnyNodeRef, Comprehension, Expr, ExprCall, ExprName, Keyword};

use types::{Answer, Gives, Value};

use super::Gather;
use super::lists::{self, List};

/// What becomes one task.
#[derive(Clone, Copy)]
pub(super) struct Child<'a> {
    /// The coroutine, or with `wrapped` anything that can be awaited.
    pub coroutine: &'a Expr,
    /// `name=` and `context=` of a `create_task` that the group's own takes the place of.
    pub keywords: &'a [Keyword],
    pub wrapped: bool,
}

/// One argument of the gather.
pub(super) enum Item<'a> {
    /// `f()`
    One(Child<'a>),
    /// `*[f(x) for x in xs]`
    Each(Child<'a>, &'a [Comprehension]),
    /// `*coros`, whatever iterates over coroutines; with true, over anything that can be awaited.
    All(&'a Expr, bool),
    /// `gather(f(), g())`
    Nested(Vec<Child<'a>>),
}

/// The arguments of a gather, and where a list among them is made.
pub(super) struct Children<'a> {
    /// Each with the argument that it comes from.
    pub items: Vec<(Item<'a>, &'a Expr)>,
    /// The list whose making can move into the group, where that is the only argument.
    pub list: Option<List<'a>>,
    pub applicability: Applicability,
    /// Whether something has to be wrapped, so that the group takes it.
    pub wraps: bool,
}

impl<'a> Children<'a> {
    pub(super) fn of(cx: &Context<'a, '_>, gather: &Gather<'a>) -> Result<Self, Refusal> {
        let arguments = &gather.call.arguments.args;
        check_arguments(cx, gather.call)?;
        if let Some(list) = lists::named(cx, gather) {
            return Ok(Self {
                items: Vec::new(),
                list: Some(list),
                applicability: Applicability::Intended,
                wraps: false,
            });
        }
        if let [Expr::Starred(starred)] = &**arguments
            && let Expr::Name(name) = &*starred.value
            && let Some(list) = lists::list(cx, gather, name)
        {
            if list.is_empty() {
                return Err(Refusal::NotOurs); // gives [] at once, as it should
            }
            return Ok(Self {
                items: vec![(Item::All(&starred.value, false), &arguments[0])],
                list: Some(list),
                applicability: Applicability::Intended,
                wraps: false,
            });
        }
        let mut children = Self {
            items: Vec::new(),
            list: None,
            applicability: Applicability::Intended,
            wraps: false,
        };
        for argument in arguments {
            children.push(cx, argument)?;
        }
        let is_nothing =
            |item: &Item<'a>| matches!(item, Item::Nested(nested) if nested.is_empty());
        if children.items.iter().all(|(item, _)| is_nothing(item)) {
            return Err(Refusal::NotOurs); // gives [] at once, as it should
        }
        children.check_nesting()?;
        if children.wraps || children.starts_in_other_order(cx) {
            children.applicability = Applicability::Unsafe;
        }
        Ok(children)
    }

    /// The results of a nested gather are found by their place in the list of tasks.
    fn check_nesting(&self) -> Result<(), Refusal> {
        let any = |is: fn(&Item<'a>) -> bool| self.items.iter().any(|(item, _)| is(item));
        if any(|item| matches!(item, Item::Nested(_)))
            && any(|item| matches!(item, Item::Each(..) | Item::All(..)))
        {
            return Err(withheld!(
                "a `gather` in the arguments stands beside an unpacked list of unknown length: await the one in the arguments by itself"
            ));
        }
        Ok(())
    }

    /// Whether an argument that makes its task at once stands behind one whose task `gather`
    /// makes when it has them all: the first would start first.
    fn starts_in_other_order(&self, cx: &Context<'a, '_>) -> bool {
        let at_once = |item: &Item<'a>| match item {
            Item::One(child) | Item::Each(child, _) => is_created(cx, child),
            Item::Nested(_) => true,
            Item::All(..) => false,
        };
        let mixed = |item: &Item<'a>| matches!(item, Item::Nested(children) if children.iter().any(|child| is_created(cx, child)) && !children.iter().all(|child| is_created(cx, child)));
        let mut rest = self.items.iter().skip_while(|(item, _)| at_once(item));
        rest.any(|(item, _)| at_once(item)) || self.items.iter().any(|(item, _)| mixed(item))
    }

    fn push(&mut self, cx: &Context<'a, '_>, argument: &'a Expr) -> Result<(), Refusal> {
        let Expr::Starred(starred) = argument else {
            let item = match argument {
                Expr::Call(call) if is_plain_gather(cx, call) => Item::Nested(
                    call.arguments
                        .args
                        .iter()
                        .map(|argument| self.child(cx, argument))
                        .collect::<Result<_, _>>()?,
                ),
                _ => Item::One(self.child(cx, argument)?),
            };
            self.items.push((item, argument));
            return Ok(());
        };
        let item = match &*starred.value {
            Expr::ListComp(ast::ExprListComp {
                elt, generators, ..
            })
            | Expr::Generator(ast::ExprGenerator {
                elt, generators, ..
            }) => Item::Each(self.child(cx, elt)?, generators),
            // Distinct coroutines come out of a set in any order: so did their results.
            Expr::SetComp(comprehension) => Item::Each(
                self.child(cx, &comprehension.elt)?,
                &comprehension.generators,
            ),
            Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }) => {
                for element in elts {
                    self.push(cx, element)?;
                }
                return Ok(());
            }
            iterable => {
                let binds = |node: AnyNodeRef<'_>| matches!(node, AnyNodeRef::ExprNamed(_));
                if cx.module.descendants(iterable).any(binds) {
                    return Err(withheld!(
                        "`:=` stands in what is unpacked, and may not stand in what a comprehension goes through: write it as a statement before"
                    ));
                }
                Item::All(iterable, self.iterates_over_unknown(cx, iterable)?)
            }
        };
        self.items.push((item, argument));
        Ok(())
    }

    /// Whether the elements of an iterable have to be wrapped.
    fn iterates_over_unknown(
        &mut self,
        cx: &Context<'a, '_>,
        iterable: &'a Expr,
    ) -> Result<bool, Refusal> {
        if lists::holds_coroutines(cx, iterable) {
            return Ok(false);
        }
        let element = cx.element(iterable);
        if element
            .value()
            .is_some_and(|value| value.gives == Gives::Coroutine)
        {
            return Ok(false);
        }
        if cx.flag("wrap-awaitables") {
            self.wraps = true;
            return Ok(true);
        }
        if let Expr::Name(name) = iterable
            && let Some(element) = lists::first_unknown(cx, name)
        {
            return Err(unknown(cx, element));
        }
        let text = cx.module.first_line(iterable);
        match &element {
            Answer::Value(value) if matches!(value.gives, Gives::Task | Gives::Future) => {
                return Err(withheld!(
                    "`{text}` holds tasks that run already, which `TaskGroup.create_task` refuses: create them in the group, or set `gather-to-taskgroup.wrap-awaitables`"
                ));
            }
            Answer::Value(value) => {
                return Err(withheld!(
                    "what `{text}` holds is a `{}`, not a coroutine, and `TaskGroup.create_task` refuses it{}: set `gather-to-taskgroup.wrap-awaitables`, or rewrite it by hand",
                    value.shown,
                    evidence(value)
                ));
            }
            Answer::Unknown(Some(reason)) => {
                return Err(withheld!(
                    "the type of what `{text}` holds is unknown, and `TaskGroup.create_task` refuses anything but coroutines: {reason}"
                ));
            }
            _ => {}
        }
        Err(withheld!(
            "what `{}` holds may be tasks or futures, which `TaskGroup.create_task` refuses: build the list of coroutines here, or set `gather-to-taskgroup.wrap-awaitables`",
            cx.module.first_line(iterable)
        ))
    }

    fn child(&mut self, cx: &Context<'a, '_>, expr: &'a Expr) -> Result<Child<'a>, Refusal> {
        if let Some(child) = child(cx, expr) {
            return Ok(child);
        }
        let runs_twice = matches!(expr, Expr::Name(name) if is_repeated(cx, name))
            && cx.module.awaitable(expr) == Awaitable::Coroutine;
        if cx.flag("wrap-awaitables") && !runs_twice {
            self.wraps = true;
            return Ok(Child {
                coroutine: expr,
                keywords: &[],
                wrapped: true,
            });
        }
        Err(unknown(cx, expr))
    }
}

/// Why `expr` cannot be given to the group as it is.
fn unknown<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Refusal {
    let text = cx.module.first_line(expr);
    match cx.awaitable(expr) {
        Awaitable::Task => withheld!(
            "`{text}` is a task that runs already, which `TaskGroup.create_task` refuses: create it in the group, or set `gather-to-taskgroup.wrap-awaitables`"
        ),
        Awaitable::Future => withheld!(
            "`{text}` is a future, which `TaskGroup.create_task` refuses: set `gather-to-taskgroup.wrap-awaitables`"
        ),
        Awaitable::Coroutine => withheld!(
            "`{text}` may be given more than once: `gather` awaits it once and gives its result each time, a group fails; call its function there"
        ),
        Awaitable::Unknown => match (cx.value(expr), expr) {
            (Answer::Value(value), _) => withheld!(
                "`{text}` is a `{}`, not a coroutine, and `TaskGroup.create_task` refuses it{}: set `gather-to-taskgroup.wrap-awaitables`, or rewrite it by hand",
                value.shown,
                evidence(&value)
            ),
            (Answer::Unknown(Some(reason)), _) => withheld!(
                "the type of `{text}` is unknown, and `TaskGroup.create_task` refuses anything but coroutines: {reason}"
            ),
            (_, Expr::Call(call)) => withheld!(
                "`{}` is not known to give a coroutine, and `TaskGroup.create_task` refuses anything else: set `gather-to-taskgroup.wrap-awaitables`, or rewrite it by hand",
                cx.module.first_line(&*call.func)
            ),
            _ => withheld!(
                "`{text}` is not known to be a coroutine, and `TaskGroup.create_task` refuses anything else: set `gather-to-taskgroup.wrap-awaitables`, or rewrite it by hand"
            ),
        },
    }
}

/// Where what is known of a value can be looked up: " (asyncpg/pool.py:1021)".
fn evidence(value: &Value) -> String {
    match &value.evidence {
        Some(place) => format!(" ({place})"),
        None => String::new(),
    }
}

impl<'a> Child<'a> {
    /// `tg.create_task(f(), name="f")`
    pub(super) fn create(&self, names: &Names) -> Piece<'a> {
        let coroutine = Piece::Expr(self.coroutine);
        let coroutine = if self.wrapped {
            Piece::Call(format!("{}(", names.wrapper), vec![coroutine], ")")
        } else {
            coroutine
        };
        let keywords = self.keywords.iter().map(Piece::Keyword);
        Piece::Call(
            format!("{}.create_task(", names.group),
            std::iter::once(coroutine).chain(keywords).collect(),
            ")",
        )
    }
}

/// The names that the generated code uses.
pub(super) struct Names {
    /// The task group: `tg`.
    pub group: String,
    /// The function that makes a coroutine of anything that can be awaited: `_await`.
    pub wrapper: String,
}

/// What becomes a task without being wrapped: a coroutine, or the one that a `create_task` takes.
pub(super) fn child<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<Child<'a>> {
    if let Expr::Call(call) = expr
        && let Some(child) = created(cx, call)
    {
        return Some(child);
    }
    is_coroutine(cx, expr).then_some(Child {
        coroutine: expr,
        keywords: &[],
        wrapped: false,
    })
}

/// `create_task(f(), name=..., context=...)` and `ensure_future(f())`, made right here.
pub(super) fn created<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<Child<'a>> {
    let [coroutine] = &*call.arguments.args else {
        return None;
    };
    if coroutine.is_starred_expr() {
        return None;
    }
    let same_keywords = call
        .arguments
        .keywords
        .iter()
        .all(|keyword| matches!(keyword.arg.as_deref(), Some("name" | "context")));
    let takes_coroutine = match &*call.func {
        Expr::Attribute(method)
            if method.attr.as_str() == "create_task" && cx.is_loop(&method.value) =>
        {
            true
        }
        func => match cx.module.qualified_name(func).as_deref() {
            Some("asyncio.create_task") => true,
            // It takes a future too, and gives it back.
            Some("asyncio.ensure_future") => {
                call.arguments.keywords.is_empty() && is_coroutine(cx, coroutine)
            }
            _ => false,
        },
    };
    (takes_coroutine && same_keywords).then_some(Child {
        coroutine,
        keywords: &call.arguments.keywords,
        wrapped: false,
    })
}

/// Whether `expr` gives a coroutine that nothing else has.
fn is_coroutine<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> bool {
    match expr {
        Expr::If(branch) => is_coroutine(cx, &branch.body) && is_coroutine(cx, &branch.orelse),
        Expr::Name(name) => {
            let only_use = cx
                .module
                .symbol(name)
                .is_some_and(|symbol| symbol.reads.len() == 1);
            only_use && !is_repeated(cx, name) && cx.awaitable(expr) == Awaitable::Coroutine
        }
        Expr::Call(_) => cx.awaitable(expr) == Awaitable::Coroutine,
        // An attribute or an element may be given more than once.
        _ => cx.module.awaitable(expr) == Awaitable::Coroutine,
    }
}

/// Whether `name` may be read several times for one time that it is bound: each time it is the same
/// coroutine.
fn is_repeated<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> bool {
    let Some(binding) = cx.module.only_binding(name) else {
        return true;
    };
    let binding = cx.module.node(binding.node);
    cx.module
        .ancestors(name)
        .take_while(|around| !cx.module.contains(*around, binding))
        .any(|around| {
            matches!(
                around,
                AnyNodeRef::StmtFor(_)
                    | AnyNodeRef::StmtWhile(_)
                    | AnyNodeRef::ExprListComp(_)
                    | AnyNodeRef::ExprSetComp(_)
                    | AnyNodeRef::ExprDictComp(_)
                    | AnyNodeRef::ExprGenerator(_)
                    | AnyNodeRef::ExprLambda(_)
                    | AnyNodeRef::StmtFunctionDef(_)
            )
        })
}

/// Whether the child was made a task where it stands.
fn is_created<'a>(cx: &Context<'a, '_>, child: &Child<'a>) -> bool {
    let parent = cx.module.ancestors(child.coroutine).nth(1);
    !child.wrapped
        && matches!(parent, Some(AnyNodeRef::ExprCall(call)) if created(cx, call).is_some())
}

fn is_plain_gather<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    cx.module.refers_to(&call.func, "asyncio.gather")
        && call.arguments.keywords.is_empty()
        && !call.arguments.args.iter().any(Expr::is_starred_expr)
}

/// `gather` evaluates all arguments before it starts a child, and takes the same future twice.
fn check_arguments<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<(), Refusal> {
    let mut names: Vec<&str> = Vec::new();
    for argument in &call.arguments.args {
        if let Expr::Name(name) = argument {
            // A task or future can be awaited twice by two wrappers.
            let wrapped = cx.flag("wrap-awaitables")
                && matches!(cx.awaitable(argument), Awaitable::Task | Awaitable::Future);
            if names.contains(&name.id.as_str()) && !wrapped {
                return Err(withheld!(
                    "`{}` is given twice: `gather` awaits it once and gives its result twice, a group fails",
                    name.id
                ));
            }
            names.push(name.id.as_str());
        }
        let suspends = cx.module.descendants(argument).any(|node| match node {
            AnyNodeRef::ExprAwait(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => {
                cx.module.function(node).is_some()
            }
            AnyNodeRef::Comprehension(clause) => clause.is_async,
            _ => false,
        });
        if suspends {
            return Err(withheld!(
                "an argument awaits something: the group would start the children before it while it waits; give its result a name first"
            ));
        }
    }
    Ok(())
}
