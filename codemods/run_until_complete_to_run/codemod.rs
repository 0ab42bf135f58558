//! `loop.run_until_complete(main())` => `asyncio.run(main())`

use edit::Applicability;
use engine::{Codemod, Context, Dated, On, Refusal, Verdict, withheld};
use python::ast::{self, AnyNodeRef, Expr, ExprCall, PythonVersion};
use python::{Block, Library, Module, Ranged, SymbolId, TextRange, TryPart};

mod argument;
mod entry;
mod text;
mod uses;

use argument::Form;
use uses::{Home, Loop, Source, Unknown, Use};

pub const CODEMOD: Codemod = Codemod {
    name: "run-until-complete-to-run",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: true,
    rules: &[],
    dated: Some(Dated::SUPERSEDED),
    options: &[],
    on: &[On::Call(&[".run_until_complete", ".run_forever"], rewrite)],
};

/// `loop.run_until_complete(main())` => `asyncio.run(main())`, and the lines that make, set and
/// close the loop go; several runs on one loop => `with asyncio.Runner() as runner:` and
/// `runner.run(...)`.
///
/// Both run the coroutine on a loop of the same kind, and give back its value or its exception.
/// `asyncio.run` makes the loop, makes it the current one, and closes it after having cancelled
/// what is left: the stated effect. So the argument stops where anything else knows the loop, or
/// needs a current one before or after: then it would have another one, or none. It stops, too,
/// where the code may run again: locks and sessions that outlive a run belong to its loop.
///
/// All that concerns one loop is one finding, at its first run.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    let forever = uses::is_forever(call);
    if !forever && uses::argument(call).is_none() {
        return Err(Refusal::NotOurs); // fails today
    }
    if let Library::Other | Library::Trio | Library::Curio = module.library() {
        return Err(Refusal::NotOurs); // no loop of asyncio's
    }
    if module.is_notebook() {
        return Err(Refusal::NotOurs); // a loop runs already: await-nested-run
    }
    if uses::in_coroutine(module, call.into()) {
        return Err(Refusal::NotOurs); // fails today: await-nested-run
    }
    let current = uses::current_loops(module);
    let found = match Loop::of_run(module, call, &current) {
        Ok(found) if forever => return Err(runs_forever(module, &found, call)),
        Ok(found) => found,
        // A loop that somebody else drives, in a thread of its own for instance.
        Err(_) if forever => return Err(Refusal::NotOurs),
        Err(Unknown::NoLoop) => return Err(Refusal::NotOurs),
        // It goes with the loop's other runs.
        Err(_) if uses::is_shutdown(call) => return Err(Refusal::NotOurs),
        Err(_) if is_said_before(module, call) => return Err(Refusal::NotOurs),
        Err(unknown) => return Err(unknown_loop(module, call, unknown)),
    };
    let first = found.runs().next().map_or(call.range(), Ranged::range);
    let plan = check(cx, &found).and_then(|plan| {
        check_others(cx, &found, &current)?;
        Ok(plan)
    });
    match plan {
        Ok(plan) if first == call.range() => text::write(cx, &found, &plan),
        Ok(_) => Err(Refusal::NotOurs), // it goes with the first
        Err(Stop { at, refusal }) if at.unwrap_or(first) == call.range() => Err(refusal),
        Err(_) => Err(Refusal::NotOurs), // said at another run
    }
}

/// What is to be done with a loop.
pub struct Plan<'a> {
    /// Each run, and how its argument is passed on.
    pub runs: Vec<(&'a ExprCall, Form)>,
    /// Whether the runs share a loop, so that they need `asyncio.Runner`.
    pub shared: bool,
    /// The value for `debug=`.
    pub debug: Option<&'a Expr>,
    pub applicability: Applicability,
}

/// A refusal, and the run that it is about, if it is not about the loop.
struct Stop {
    at: Option<TextRange>,
    refusal: Refusal,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self { at: None, refusal }
    }
}

/// `loop.run_forever()` of a loop that runs nothing to its end: what ends it only its author knows.
fn runs_forever<'a>(module: &Module<'a>, found: &Loop<'a>, call: &'a ExprCall) -> Refusal {
    if found.runs().next().is_some() {
        return Refusal::NotOurs; // said at the run
    }
    let receiver = match &*call.func {
        Expr::Attribute(method) => argument::text(module, &*method.value),
        _ => return Refusal::NotOurs,
    };
    withheld!(
        "`{receiver}.run_forever()` goes on until something stops the loop: write a coroutine that waits for what ends the program, for instance an `asyncio.Event`, and pass it to `asyncio.run`"
    )
}

/// Why the loop of this run is not known well enough.
fn unknown_loop(module: &Module<'_>, call: &ExprCall, unknown: Unknown<'_>) -> Refusal {
    let Expr::Attribute(method) = &*call.func else {
        return Refusal::NotOurs; // `run_until_complete` alone is a name of somebody else's
    };
    let receiver = argument::text(module, &*method.value);
    match unknown {
        Unknown::Stored => withheld!(
            "the loop is kept in `{receiver}`, where other code may use it: write `asyncio.run` where the program starts, and `asyncio.get_running_loop()` in coroutines"
        ),
        Unknown::Parameter(function) => withheld!(
            "the loop is given to `{function}`, and what else it is used for does not show: let the caller write `asyncio.run`, and drop the parameter"
        ),
        Unknown::Several => withheld!(
            "`{receiver}` is bound in several places, and may be a loop that other code uses: if it is not, write `asyncio.run`"
        ),
        Unknown::Foreign => withheld!(
            "`{receiver}` is a name of another scope, whose loop other code may use: make the loop where it is used, or write `asyncio.run`"
        ),
        Unknown::NoLoop => Refusal::NotOurs,
        Unknown::Origin => withheld!(
            "where the loop `{receiver}` comes from does not show: if nothing else uses it, write `asyncio.run`"
        ),
        Unknown::Place => withheld!(
            "in a lambda, a class body or a generator expression it may run at any time, also while a loop runs: write a function, and `asyncio.run` in it"
        ),
    }
}

/// Whether an earlier run in the function is on the same name's loop.
fn is_said_before(module: &Module<'_>, call: &ExprCall) -> bool {
    let Some(symbol) = symbol_of_receiver(module, call) else {
        return false;
    };
    let function = |call: &ExprCall| module.function(call).map(Ranged::start);
    module
        .calls()
        .iter()
        .take_while(|other| other.range() != call.range())
        .any(|other| {
            symbol_of_receiver(module, other) == Some(symbol)
                && function(other) == function(call)
                && uses::argument(other).is_some()
                && !uses::is_shutdown(other)
        })
}

/// The symbol of `name` in `name.run_until_complete(...)`.
fn symbol_of_receiver(module: &Module<'_>, call: &ExprCall) -> Option<SymbolId> {
    match &*call.func {
        Expr::Attribute(method) if method.attr.as_str() == "run_until_complete" => {
            match &*method.value {
                Expr::Name(name) => module.symbol_id(name),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The loop for itself: its uses, its place, its runs.
fn check<'a>(cx: &Context<'a, '_>, found: &Loop<'a>) -> Result<Plan<'a>, Stop> {
    let module = cx.module;
    if module
        .imported_symbols()
        .filter_map(|symbol| module.imported_as(symbol))
        .any(|name| name.split('.').next() == Some("nest_asyncio"))
    {
        return Err(withheld!(
            "the file imports `nest_asyncio`: a loop may run already, and `asyncio.run` would make or reuse one as that library likes; decide whether it is still needed"
        )
        .into());
    }
    for used in &found.uses {
        if let Use::Other(expr) = used {
            return Err(other_use(module, found, *expr).into());
        }
    }
    if found.runs().next().is_none() {
        return Err(Refusal::NotOurs.into()); // it only shuts down
    }
    for binding in &found.bindings {
        if let AnyNodeRef::StmtAssign(assign) = binding
            && let [Expr::Name(name)] = assign.targets.as_slice()
            && matches!(found.home, Home::Module)
            && module.is_exported(&name.id)
        {
            return Err(withheld!(
                "`{}` is listed in `__all__`, and other modules may use the loop: take it out of there first",
                name.id
            )
            .into());
        }
    }
    let mut applicability = check_home(cx, found)?;
    let shared = is_shared(module, found);
    let mut runs = Vec::new();
    for run in found.runs() {
        let stop = |refusal| Stop {
            at: Some(run.range()),
            refusal,
        };
        let form = argument::form(cx, run).map_err(stop)?;
        if let Some(comment) = module.comments(run.func.range()).first() {
            return Err(stop(withheld!(
                "the comment `{}` stands in an expression that goes: move it above the statement",
                module.text(*comment)
            )));
        }
        applicability = applicability.max(check_handlers(module, run).map_err(stop)?);
        if module.is_printed_source(run) {
            return Err(stop(withheld!(
                "`f\"{{...=}}\"` prints its source, which would change: move the call out of the string"
            )));
        }
        applicability = applicability.max(match form {
            Form::Direct => Applicability::Safe,
            Form::Generated => Applicability::Intended,
            Form::GeneratedVisibly => Applicability::Unsafe,
        });
        runs.push((run, form));
    }
    if shared {
        // Context variables carry over from run to run.
        applicability = Applicability::Unsafe;
    }
    if let Source::Custom(_) = found.source {
        applicability = applicability.max(Applicability::Intended);
    }
    let debug = check_debug(module, found)?;
    check_order(module, found)?;
    text::check(cx, found, shared)?;
    check_flow(cx, found)?;
    Ok(Plan {
        runs,
        shared,
        debug,
        applicability,
    })
}

/// A use of the loop that would be left with another one, or with none.
fn other_use<'a>(module: &Module<'a>, found: &Loop<'a>, expr: AnyNodeRef<'a>) -> Refusal {
    let name = argument::text(module, expr);
    if let Some(function) = module.function(expr)
        && !found.home.is(module, uses::home(module, expr))
    {
        return withheld!(
            "`{name}` is also used in `{}`, and would not be the loop that `asyncio.run` makes: call `asyncio.get_running_loop()` there",
            function.name
        );
    }
    if let Some(AnyNodeRef::ExprAttribute(method)) = module.parent(expr) {
        return match method.attr.as_str() {
            "run_forever" => withheld!(
                "`{name}.run_forever()` goes on with the same loop: let the coroutine wait for what ends the program, for instance an `asyncio.Event`"
            ),
            "is_running" => withheld!(
                "`{name}.is_running()` shows that a loop may run already, where `asyncio.run` fails: decide which of the two it is"
            ),
            "create_task"
            | "create_future"
            | "run_in_executor"
            | "call_soon"
            | "call_later"
            | "call_at"
            | "add_signal_handler"
            | "set_exception_handler"
            | "set_task_factory" => withheld!(
                "`{name}.{}` uses the loop outside of the run: move it into the coroutine, where `asyncio.get_running_loop()` gives the loop",
                method.attr
            ),
            attribute => withheld!(
                "`{name}.{attribute}` uses the loop as well, which `asyncio.run` does not give out: do it in the coroutine, or not at all"
            ),
        };
    }
    let Some(call) = uses::call_around(module, expr) else {
        let statement = module.statement(expr);
        return withheld!(
            "`{name}` is used in `{}` as well, and `asyncio.run` does not give out its loop: do without it",
            argument::text(module, statement)
        );
    };
    let function = argument::text(module, &*call.func);
    let in_run = found
        .runs()
        .any(|run| run.range() != call.range() && module.contains(run, call));
    if module.refers_to(&call.func, "asyncio.all_tasks")
        || module.refers_to(&call.func, "asyncio.Task.all_tasks")
    {
        withheld!(
            "`{function}({name})` finds the tasks that are left, which `asyncio.run` cancels itself: remove the lines that do so"
        )
    } else if in_run {
        withheld!(
            "`{name}` is passed to `{function}`: drop that parameter, and let the coroutine call `asyncio.get_running_loop()` where it needs the loop"
        )
    } else {
        withheld!(
            "`{name}` is passed to `{function}`, which would not get the loop that `asyncio.run` makes: move that into the coroutine"
        )
    }
}

/// Whether the place allows a loop of its own, and how much that changes.
fn check_home<'a>(cx: &Context<'a, '_>, found: &Loop<'a>) -> Result<Applicability, Refusal> {
    let module = cx.module;
    let Home::Function(function) = found.home else {
        return Ok(Applicability::Safe);
    };
    let name = &function.name;
    if module.is_generator(function) {
        return Err(withheld!(
            "`{name}` is a generator, and what is made on the loop may be used between its steps: decide where the loop starts and ends"
        ));
    }
    if module.is_reflective(function) {
        return Err(withheld!(
            "`{name}` reads its local names by `locals()`, `vars()`, `eval` or `exec`, and the loop may be among them"
        ));
    }
    let is_own = matches!(found.source, Source::New | Source::Custom(_));
    if is_own && (!found.is_made_current() || found.is_closed()) {
        return Ok(Applicability::Intended);
    }
    if entry::is_entry_point(module, function, &cx.settings.entry_points) {
        return Ok(Applicability::Intended);
    }
    if entry::is_test(module, function) {
        return Err(withheld!(
            "the fixtures of `{name}` may have been made on the current loop, which `asyncio.run` does not use: write it if they have nothing to do with a loop"
        ));
    }
    Err(if is_own {
        withheld!(
            "`{name}` leaves its loop open as the current one, and other code may use it: close it there, or write `asyncio.run` if nothing does"
        )
    } else {
        withheld!(
            "`{name}` may be called again or while a loop runs: `asyncio.run` makes a new loop for each call, on which what was made on another one fails; write it if nothing outlives a call"
        )
    })
}

/// Whether several runs happen on the loop: more than one of them, or one again and again.
fn is_shared<'a>(module: &Module<'a>, found: &Loop<'a>) -> bool {
    let runs: Vec<&ExprCall> = found.runs().collect();
    let repeated = runs
        .iter()
        .any(|run| entry::is_repeated(module, (*run).into(), scope_of_loop(found)))
        // `asyncio.new_event_loop().run_until_complete(...)` makes one for each run.
        && (!found.bindings.is_empty() || matches!(found.source, Source::Current));
    let together = runs.iter().enumerate().any(|(position, run)| {
        runs.iter()
            .skip(position + 1)
            .any(|other| !are_exclusive(module, run, other))
    });
    repeated || together
}

/// Where the loop is made; none for the current one, which is there before.
pub fn scope_of_loop<'a>(found: &Loop<'a>) -> Option<AnyNodeRef<'a>> {
    match found.source {
        Source::Current => None,
        Source::New | Source::Custom(_) => found.bindings.first().copied(),
    }
}

/// Whether at most one of two runs happens: they stand in different branches, or the branch of the
/// first leaves the function.
fn are_exclusive<'a>(module: &Module<'a>, first: &'a ExprCall, second: &'a ExprCall) -> bool {
    let mut child: AnyNodeRef<'a> = first.into();
    let mut leaves = false;
    for parent in module.ancestors(first) {
        let leaf = module.siblings(child).and_then(|(body, _)| body.last());
        if !module.contains(parent, second) {
            leaves |= matches!(leaf, Some(ast::Stmt::Return(_) | ast::Stmt::Raise(_)));
            // An exception may be caught, and what follows is evaluated after all.
            leaves &= !matches!(parent, AnyNodeRef::StmtTry(_) | AnyNodeRef::StmtWith(_));
            child = parent;
            continue;
        }
        let in_test = module.statement(first).ptr_eq(parent);
        return match parent {
            AnyNodeRef::StmtIf(stmt) if !in_test => {
                let in_body =
                    |call: &'a ExprCall| stmt.body.iter().any(|stmt| module.contains(stmt, call));
                !(in_body(first) && in_body(second)) || leaves
            }
            AnyNodeRef::StmtMatch(_) => !in_test,
            AnyNodeRef::ExprIf(it) => !module.contains(&*it.test, first),
            AnyNodeRef::StmtTry(_) => false,
            _ => leaves,
        };
    }
    false
}

/// What a Ctrl-C does: `asyncio.run` cancels the coroutine and lets it clean up, before the
/// handler sees the `KeyboardInterrupt`.
fn check_handlers<'a>(module: &Module<'a>, run: &'a ExprCall) -> Result<Applicability, Refusal> {
    let interrupt = |expr: &Expr| {
        module.qualified_name(expr).is_some_and(|name| {
            matches!(
                name.as_str(),
                "builtins.KeyboardInterrupt" | "builtins.BaseException"
            )
        })
    };
    let catches = |types: Option<&Expr>| match types {
        None => true,
        Some(Expr::Tuple(types)) => types.elts.iter().any(interrupt),
        Some(one) => interrupt(one),
    };
    let mut applicability = Applicability::Safe;
    let mut child = AnyNodeRef::from(run);
    for node in module.ancestors(run) {
        match node {
            AnyNodeRef::StmtFunctionDef(_) => break,
            AnyNodeRef::StmtIf(stmt)
                if module.chooses_by_version(stmt) && !module.statement(run).ptr_eq(node) =>
            {
                return Err(withheld!(
                    "it stands in a branch for some versions of Python: remove the branch, or write `asyncio.run` for all"
                ));
            }
            AnyNodeRef::StmtTry(stmt)
                if matches!(child, AnyNodeRef::ExceptHandlerExceptHandler(_)) =>
            {
                let tried = module.calls().iter().any(|call| {
                    module.refers_to(&call.func, "asyncio.run")
                        && stmt.body.iter().any(|stmt| module.contains(stmt, *call))
                });
                if tried {
                    return Err(withheld!(
                        "it is done where `asyncio.run` failed: decide which of the two is meant"
                    ));
                }
            }
            _ => {}
        }
        child = node;
    }
    for block in module.blocks(run) {
        match block {
            Block::Try(_, TryPart::Handler(handler)) if catches(handler.type_.as_deref()) => {
                return Err(withheld!(
                    "the handler of KeyboardInterrupt goes on with the loop: `asyncio.run` cancels the coroutine on Ctrl-C, so clean up in its `finally`"
                ));
            }
            Block::Try(stmt, TryPart::Body) => {
                let caught = stmt.handlers.iter().any(|handler| {
                    let ast::ExceptHandler::ExceptHandler(handler) = handler;
                    catches(handler.type_.as_deref())
                });
                if caught {
                    applicability = Applicability::Intended;
                }
            }
            Block::With(with) => {
                let suppressed = with.items.iter().any(|item| {
                    matches!(&item.context_expr, Expr::Call(call)
                        if module.refers_to(&call.func, "contextlib.suppress")
                            && call.arguments.args.iter().any(interrupt))
                });
                if suppressed {
                    applicability = Applicability::Intended;
                }
            }
            _ => {}
        }
    }
    Ok(applicability)
}

/// The value of `loop.set_debug(value)`, which becomes `debug=value`.
fn check_debug<'a>(module: &Module<'a>, found: &Loop<'a>) -> Result<Option<&'a Expr>, Refusal> {
    let mut settings = found.uses.iter().filter_map(|used| match used {
        Use::Debug(statement, value) => Some((*statement, *value)),
        _ => None,
    });
    let Some((statement, value)) = settings.next() else {
        return Ok(None);
    };
    let by_hand = || {
        withheld!(
            "`{}` cannot become `debug=` of the run as it stands: give the value there",
            argument::text(module, statement)
        )
    };
    if settings.next().is_some() {
        return Err(by_hand());
    }
    let siblings = module.siblings(statement).ok_or_else(by_hand)?;
    let (body, position) = siblings;
    let mut first = body.len();
    for run in found.runs() {
        let at = body
            .iter()
            .position(|stmt| module.contains(stmt, run))
            .filter(|at| *at > position)
            .ok_or_else(by_hand)?;
        first = first.min(at);
    }
    let constant = module
        .descendants(AnyNodeRef::from(value))
        .all(|node| match node {
            AnyNodeRef::ExprCall(call) => ["os.getenv", "os.environ.get"]
                .iter()
                .any(|name| module.refers_to(&call.func, name)),
            AnyNodeRef::ExprNamed(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => {
                false
            }
            _ => true,
        });
    let between = body.get(position + 1..first).unwrap_or_default();
    let moves_past_nothing = between
        .iter()
        .all(|stmt| text::goes(found, AnyNodeRef::from(stmt)));
    if !constant && !moves_past_nothing {
        return Err(by_hand());
    }
    Ok(Some(value))
}

/// The loop is made before the runs, and the policy before the loop.
fn check_order<'a>(module: &Module<'a>, found: &Loop<'a>) -> Result<(), Refusal> {
    let Some(first) = found.runs().next() else {
        return Ok(());
    };
    if let Some(binding) = found.bindings.first()
        && first.start() < binding.start()
    {
        return Err(withheld!(
            "`{}` stands below the first use of its loop: make the loop above that, or write `asyncio.run` there",
            argument::text(module, *binding)
        ));
    }
    for binding in &found.bindings {
        let Some((body, _)) = module.siblings(*binding) else {
            continue;
        };
        let covered = found.runs().filter(|run| run.start() > binding.start());
        for run in covered {
            if !body.iter().any(|stmt| module.contains(stmt, run)) {
                return Err(withheld!(
                    "`{}` is made under a condition and used outside of it: write `asyncio.run`, and set what else differs before it",
                    argument::text(module, *binding)
                ));
            }
        }
        let between = TextRange::new(binding.end(), first.start().max(binding.end()));
        let policy = module.calls().iter().find(|call| {
            between.contains(call.start())
                && [
                    "asyncio.set_event_loop_policy",
                    "uvloop.install",
                    "winloop.install",
                ]
                .iter()
                .any(|name| module.refers_to(&call.func, name))
        });
        if let Some(policy) = policy {
            return Err(withheld!(
                "`{}` comes after the loop was made, and would act on the loop that `asyncio.run` makes: move it before, or remove it",
                argument::text(module, *policy)
            ));
        }
    }
    Ok(())
}

/// Whether a call is part of what the rewrite of `found` replaces.
fn is_own<'a>(module: &Module<'a>, found: &Loop<'a>, call: &'a ExprCall) -> bool {
    let makes = |binding: &AnyNodeRef<'a>| module.contains(*binding, call);
    found.bindings.iter().any(makes)
        || found.uses.iter().any(|used| match used {
            Use::Run(run) => module.contains(*run, call),
            _ => used
                .statement()
                .is_some_and(|node| module.contains(node, call)),
        })
}

/// The code that runs before and after: what belongs to the current loop would belong to another
/// one before the run, and there is none after it.
fn check_flow<'a>(cx: &Context<'a, '_>, found: &Loop<'a>) -> Result<(), Refusal> {
    let module = cx.module;
    let needs = entry::needs_current_loop(module, found.home, cx.settings.target.version, |call| {
        argument::is_awaited_by_a_run(module, call)
    });
    if let Some(call) = needs {
        return Err(withheld!(
            "`{}(...)` outside of a coroutine belongs to the current loop, which is not the one that `asyncio.run` makes: move it into the coroutine",
            argument::text(module, &*call.func)
        ));
    }
    if !matches!(found.source, Source::Current) {
        return Ok(());
    }
    let chosen = module.calls().iter().copied().find(|call| {
        let home = || uses::home(module, AnyNodeRef::from(*call));
        module.refers_to(&call.func, "asyncio.set_event_loop")
            && !is_own(module, found, call)
            && matches!(call.arguments.args.first(), Some(loop_) if !loop_.is_none_literal_expr())
            && (found.home.is(module, home()) || matches!(home(), Some(Home::Module)))
    });
    if let Some(call) = chosen {
        return Err(withheld!(
            "`{}` chooses the loop, and `asyncio.run` makes its own: run on that loop's `asyncio.Runner(loop_factory=...)`",
            argument::text(module, call)
        ));
    }
    Ok(())
}

/// The rest of the module: whoever asks for the current loop has to go in the same run of the
/// program, or to run in coroutines only.
fn check_others<'a>(
    cx: &Context<'a, '_>,
    found: &Loop<'a>,
    current: &[&'a ExprCall],
) -> Result<(), Refusal> {
    let module = cx.module;
    for call in current {
        if is_own(module, found, call) {
            continue;
        }
        if entry::runs_in_coroutines(module, (*call).into()) {
            continue;
        }
        let place = match module.function(*call) {
            Some(function) => format!("in `{}`", function.name),
            None => "at module level".to_string(),
        };
        let goes_too = cx.once("goes too", module.id(*call), || {
            Loop::of_current(module, call, current).is_some_and(|other| {
                check(cx, &other).is_ok_and(|plan| plan.applicability <= Applicability::Intended)
            })
        });
        if !goes_too {
            return Err(withheld!(
                "`{}` {place} would get another loop before the run, and none after it: call it in coroutines only, or write `asyncio.run` there too",
                argument::text(module, *call)
            ));
        }
        let apart = uses::home(module, (*call).into())
            .is_some_and(|home| entry::run_apart(module, found.home, home));
        if !apart && matches!(found.source, Source::Current) {
            return Err(withheld!(
                "the current loop is used in several places of one program, and what one run makes on it another may use: await all in one coroutine, and run that"
            ));
        }
    }
    Ok(())
}
