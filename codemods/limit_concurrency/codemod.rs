//! `await asyncio.gather(*[f(x) for x in xs])` => the same with a semaphore around each `f(x)`

mod classes;
mod elsewhere;
mod fanout;
mod given;
mod hazards;
mod limited;
mod lists;
mod number;
mod outside;
mod own;
mod reach;
mod tasks;
mod text;
mod waiting;
mod wrapper;

use edit::Applicability;
use engine::{Choices, Codemod, Context, On, OptionSpec, Refusal, Rewrite, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, PythonVersion, StmtFunctionDef};
use python::{Library, Ranged};

use lists::Element;
use wrapper::Wrapper;

pub const CODEMOD: Codemod = Codemod {
    name: "limit-concurrency",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: None,
    options: &[OptionSpec {
        name: "limit",
        help: "how many of the coroutines run at a time",
        choices: Choices::Count(10),
    }],
    on: &[On::Call(&["asyncio.gather"], rewrite)],
};

/// `await asyncio.gather(*[f(x) for x in xs])` =>
/// ```python
/// semaphore = asyncio.Semaphore(10)
///
/// async def limited(x):
///     async with semaphore:
///         return await f(x)
///
/// await asyncio.gather(*[limited(x) for x in xs])
/// ```
///
/// The wrapper is given what the call was given, evaluated where it was; only the call itself,
/// which for a coroutine function runs nothing, moves into it. So results, their order, and what
/// is raised stay. What changes is the stated effect: and where the coroutines wait for each
/// other, or for ever, a limit can be a deadlock, so that the argument stops there. It stops,
/// too, where the work has begun before the semaphore is asked, and where the list is of parts of
/// the program instead of data: people's handlers, fixed small sets, or what is to run together.
/// Names tell the one from the other, and names may be wrong, so that the fix is unsafe at all
/// times.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let plan = Plan::of(cx, call)?;
    let edits = text::edits(cx, &plan)?;
    Ok(Rewrite {
        message: format!(
            "`asyncio.gather` runs all of the coroutines at a time, and each reaches `{}`: a semaphore limits them",
            plan.outside
        ),
        applicability: Applicability::Unsafe,
        edits,
        python: None,
    })
}

/// What the coroutines of a list reach, where a limit is right: it holds data, of which there may be
/// any number, and each of them is seen to reach what lies outside of the program.
fn seen<'a>(
    cx: &Context<'a, '_>,
    around: Option<&'a StmtFunctionDef>,
    element: &Element<'a>,
) -> Option<String> {
    let is_of_data = !element.is_held(cx) && fanout::is_of_data(cx, around, element);
    if !is_of_data {
        return None;
    }
    let outside = reach::of(cx, element)
        .filter(|name| !outside::opens_file(name) || fanout::is_of_files(cx, around, element));
    outside.or_else(|| {
        // These are withheld, with a word of warning.
        let is_warned_of =
            hazards::wait_for_others(cx, element) || hazards::starts_stubs(cx, element);
        is_warned_of.then(String::new)
    })
}

/// What is to be limited.
struct Plan<'a> {
    call: &'a ExprCall,
    coroutine: &'a StmtFunctionDef,
    /// The statement before which the semaphore and its wrappers are defined.
    anchor: AnyNodeRef<'a>,
    /// What each of the coroutines opens or asks.
    outside: String,
    limits: Vec<Limit<'a>>,
}

/// One kind of coroutine, and the wrapper that it gets.
struct Limit<'a> {
    element: Element<'a>,
    wrapper: Wrapper<'a>,
}

impl<'a> Plan<'a> {
    fn of(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<Self, Refusal> {
        let module = cx.module;
        if !matches!(module.library(), Library::Asyncio | Library::Several) {
            return Err(Refusal::NotOurs); // another library's file
        }
        let lists::Lists {
            elements,
            anchor,
            beside,
        } = lists::elements(cx, call)?;
        if elements
            .iter()
            .any(|it| tasks::is_cancelled(cx, it.expr) || tasks::is_chosen(cx, it.expr))
        {
            return Err(Refusal::NotOurs); // they run already, and are only waited for
        }
        let around = module.function(call);
        if hazards::is_meant(cx, around, call) {
            return Err(Refusal::NotOurs);
        }
        let mut outside = None;
        for element in &elements {
            outside = Some(seen(cx, around, element).ok_or(Refusal::NotOurs)?);
        }
        if let Some(beside) = beside {
            return Err(beside);
        }
        let coroutine = match around {
            Some(function) if function.is_async => function,
            _ => {
                return Err(withheld!(
                    "it stands outside of a coroutine, where no event loop need run yet: move it into one, so that each run has a semaphore of its own"
                ));
            }
        };
        if let Some(AnyNodeRef::StmtAssign(assign)) = module.parent(call)
            && let [Expr::Attribute(kept)] = assign.targets.as_slice()
        {
            return Err(withheld!(
                "`{}` keeps them running when the coroutine is done: if they run for ever, those beyond the limit would never start; decide whether they have to run at a time",
                module.text(kept)
            ));
        }
        if module.is_reflective(coroutine) {
            return Err(withheld!(
                "`{}` reads its local variables by `locals()` or the like, and would see new ones: rewrite it by hand",
                coroutine.name
            ));
        }
        hazards::check_time(cx, call)?;
        let mut limits = Vec::new();
        for element in elements {
            hazards::check(cx, &element)?;
            hazards::check_recursion(cx, coroutine, &element)?;
            cx.check_unprinted(element.expr)?;
            let wrapper = Wrapper::of(cx, &element)?;
            limits.push(Limit { element, wrapper });
        }
        Ok(Self {
            call,
            coroutine,
            anchor,
            outside: outside.unwrap_or_default(),
            limits,
        })
    }

    /// How many semaphores, and how many wrappers, are to be defined before this one in the same
    /// coroutine: other fixes of the round draw names as well.
    fn before(&self, cx: &Context<'a, '_>) -> (usize, usize) {
        let earlier = cx.module.calls_in(self.coroutine).iter().copied();
        let earlier = earlier.filter(|call| {
            call.start() < self.call.start()
                && cx.module.refers_to(&call.func, "asyncio.gather")
                && cx
                    .module
                    .function(*call)
                    .is_some_and(|it| it.range() == self.coroutine.range())
        });
        earlier.filter_map(|call| Plan::of(cx, call).ok()).fold(
            (0, 0),
            |(semaphores, wrappers), plan| {
                let own = plan.wrappers(cx).into_iter().max();
                (semaphores + 1, wrappers + own.map_or(0, |it| it + 1))
            },
        )
    }

    /// The number of the wrapper that each of the limits has: those that would read the same share one.
    fn wrappers(&self, cx: &Context<'a, '_>) -> Vec<usize> {
        let mut known: Vec<Option<(Vec<&str>, String)>> = Vec::new();
        let mut numbers = Vec::new();
        for limit in &self.limits {
            let reads = limit.wrapper.reads(cx);
            let same = known.iter().position(|it| it.is_some() && *it == reads);
            numbers.push(same.unwrap_or(known.len()));
            if same.is_none() {
                known.push(reads);
            }
        }
        numbers
    }
}
