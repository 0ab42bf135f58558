//! `asyncio.create_task(f())` => the same, and a reference to the task

use edit::{Applicability, Edit};
use engine::{
    Choices, Codemod, Context, Layout, Line, On, OptionSpec, Piece, Refusal, Rewrite, Verdict,
    arguments, replace_statement, width, withheld,
};
use python::ast::{Expr, ExprCall, PythonVersion, Stmt};
use python::{After, Awaitable, Block, Library, Ranged, TextRange};
use types::Answer;

mod frame;
mod kept;
mod place;
mod store;

use place::{Place, Statement};
use store::{Helper, Store};

pub const CODEMOD: Codemod = Codemod {
    name: "keep-task-reference",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: true,
    rules: &["RUF006", "ASYNC300"],
    dated: None,
    options: &[
        OptionSpec {
            name: "style",
            help: "three statements at each place, or a function `_spawn` that every place calls",
            choices: Choices::Words(&["inline", "helper"]),
        },
        OptionSpec {
            name: "helpers",
            help: "functions and methods of the project that keep the task that they create",
            choices: Choices::Names,
        },
    ],
    on: &[On::CallUnless(
        &[
            "asyncio.create_task",
            "asyncio.ensure_future",
            "asyncio.gather",
            "asyncio.run_coroutine_threadsafe",
            ".create_task",
        ],
        kept::is_kept,
        rewrite,
    )],
};

/// What a call gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Creates {
    /// `asyncio.create_task(coro)`.
    Task,
    /// A task too, but in a way that a helper cannot do in its place: `loop.create_task(coro)`,
    /// whose loop need not be the running one, and `asyncio.ensure_future(call())`, which takes
    /// what is no coroutine.
    TaskInItsOwnWay,
    /// `asyncio.gather(...)`: a future, and tasks that hold it but that it does not keep.
    Gathered,
    /// `asyncio.run_coroutine_threadsafe(...)`: the future of another thread's task.
    Threadsafe,
}

/// `asyncio.create_task(f())` =>
/// ```python
/// task = asyncio.create_task(f())
/// background_tasks.add(task)
/// task.add_done_callback(background_tasks.discard)
/// ```
///
/// The event loop holds its tasks only weakly, so that a task which nothing else refers to can be
/// collected while it waits. The set refers to it until it is done; the callback that takes it out
/// comes after the user's own. Nothing else can tell the difference, but for whoever waits for the
/// log of a failure: asyncio writes it when the failed task goes. So the name does not outlive its
/// use where the function goes on: see `frame`.
///
/// The argument stops where the name would be seen (`locals()`), and in an expression, of which
/// only a function can be a part: then the task is handed to somebody who may do with it as they
/// like, which makes the rewrite unsafe.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    if cx.module.library() == Library::Other {
        return Err(Refusal::NotOurs); // its loop is not asyncio's
    }
    let creates = creates(cx, call).ok_or(Refusal::NotOurs)?; // no new task
    let place = place::of(cx.module, call).ok_or(Refusal::NotOurs)?; // somebody has the task
    match (creates, &place) {
        (Creates::Gathered | Creates::Threadsafe, Place::Expression | Place::Bound(_)) => {
            return Err(Refusal::NotOurs); // used, or may be
        }
        (Creates::Gathered, _) => {
            return Err(withheld!(
                "nothing keeps the future, and so its children can be garbage-collected before they are done, without a word in the log: await it, or keep it until it is done"
            ));
        }
        (
            Creates::Threadsafe,
            Place::Statement(Statement {
                method: Some(_), ..
            }),
        ) => {
            return Err(withheld!(
                "nothing keeps the future, and so the task can be garbage-collected before it is done: keep the future until then"
            ));
        }
        (Creates::Threadsafe, _) => {
            return Err(withheld!(
                "nothing keeps the future, and so the task can be garbage-collected before it is done, and its failure is never seen: keep the future, and ask for its result"
            ));
        }
        (Creates::Task | Creates::TaskInItsOwnWay, Place::Bound(name)) => {
            return Err(never_read(cx, call, name));
        }
        (Creates::Task | Creates::TaskInItsOwnWay, _) => {}
    }
    if cx.module.global("set").is_some() {
        return Err(withheld!(
            "the module gives the name `set` to something else, and a set has to hold the task: write the reference by hand"
        ));
    }

    let helper = match creates {
        Creates::Task => Helper::Spawn,
        _ => Helper::Keep,
    };
    let (mut edits, applicability, store) = match place {
        Place::Statement(statement) if cx.option("style") == "inline" => {
            let function = statement.function;
            if cx.module.is_reflective(function) {
                return Err(withheld!(
                    "`{}` reads its local names by `locals()`, `eval` or `exec`, which would see a new one: set `keep-task-reference.style = \"helper\"`",
                    function.name
                ));
            }
            let store = Store::of(cx, call)?;
            let edits = inline(cx, call, &statement, &store.set)?;
            (edits, Applicability::Safe, store)
        }
        Place::Statement(statement) => {
            let (store, name) = Store::with_helper(cx, call, helper)?;
            let edits = called(cx, call, Some(statement.expr), helper, &name);
            (edits, Applicability::Safe, store)
        }
        Place::Expression | Place::Bound(_) => {
            let (store, name) = Store::with_helper(cx, call, helper)?;
            let edits = called(cx, call, None, helper, &name);
            (edits, Applicability::Unsafe, store)
        }
    };
    edits.extend(store.edits);
    Ok(Rewrite {
        message: format!(
            "nothing keeps the task, and so it can be garbage-collected before it is done: `{}` keeps it",
            store.set
        ),
        applicability,
        edits,
        python: None,
    })
}

fn creates(cx: &Context<'_, '_>, call: &ExprCall) -> Option<Creates> {
    let module = cx.module;
    if is_helper(cx, &call.func) {
        return None; // it keeps the task itself
    }
    match module.qualified_name(&call.func).as_deref() {
        Some("asyncio.create_task") => Some(Creates::Task),
        Some("asyncio.gather") => Some(Creates::Gathered),
        Some("asyncio.run_coroutine_threadsafe") => Some(Creates::Threadsafe),
        Some("asyncio.ensure_future") => {
            let argument = call.arguments.find_argument_value("coro_or_future", 0)?;
            // A name may stand for a future, which `ensure_future` only gives back.
            let Expr::Call(inner) = argument else {
                return None;
            };
            match (
                cx.awaitable(argument),
                module.qualified_name(&inner.func).as_deref(),
            ) {
                (_, Some("asyncio.gather")) => Some(Creates::Gathered),
                (_, Some("asyncio.shield")) => Some(Creates::TaskInItsOwnWay),
                // Whoever is to set its result has it.
                (Awaitable::Future, _) => None,
                _ => Some(Creates::TaskInItsOwnWay),
            }
        }
        Some(_) => None,
        None => match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "create_task" => cx
                .is_loop(&method.value)
                .then_some(Creates::TaskInItsOwnWay),
            _ => None,
        },
    }
}

/// Whether `func` is a function or method that the configuration says keeps its task.
fn is_helper(cx: &Context<'_, '_>, func: &Expr) -> bool {
    let helpers = cx.names("helpers");
    if helpers.is_empty() {
        return false;
    }
    let named = |name: &str| helpers.iter().any(|helper| helper == name);
    if let Some(name) = cx.module.qualified_name(func) {
        return named(&name);
    }
    match cx.callee(func) {
        Answer::Callee(function) => function
            .module
            .is_some_and(|module| named(&format!("{module}.{}", function.name))),
        _ => false,
    }
}

fn creates_task(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    matches!(
        creates(cx, call),
        Some(Creates::Task | Creates::TaskInItsOwnWay)
    )
}

/// `t = asyncio.create_task(f())`, and nothing reads `t`.
fn never_read(cx: &Context<'_, '_>, call: &ExprCall, name: &str) -> Refusal {
    let in_loop = cx
        .module
        .blocks(call)
        .iter()
        .any(|block| matches!(block, Block::For(_) | Block::While(_)));
    if in_loop {
        return withheld!(
            "nothing reads `{name}`, and the loop binds it again, which drops the task: await the task, or keep it in a set until it is done"
        );
    }
    let function = cx.module.function(call);
    withheld!(
        "nothing reads `{name}`, which keeps the task only until `{}` ends: if the task may take longer, await it, or keep it in a set until it is done",
        function.map_or("the function", |function| function.name.as_str())
    )
}

/// The statement as several: the task gets a name, and the set a reference.
fn inline<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    place: &Statement<'a>,
    set: &str,
) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let Statement {
        function,
        expr,
        method,
    } = *place;
    let statement = module.statement(call);
    let task = cx
        .fresh_local(
            function,
            &["task", "background_task", "new_task"],
            |symbol| store::is_own_task(module, symbol),
        )
        .ok_or(Refusal::NotOurs)?;
    let placement = module.placement(statement);
    let indent = &placement.indent;
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };

    let mut following = Vec::new();
    if let Some((method, attribute)) = method.and_then(|method| match &*method.func {
        Expr::Attribute(attribute) => Some((method, attribute)),
        _ => None,
    }) {
        let range = statement.range();
        let between = [
            TextRange::new(range.start(), call.start()),
            TextRange::new(call.end(), method.arguments.start()),
            TextRange::new(method.end(), range.end()),
        ];
        if between.iter().any(|gap| !module.comments(*gap).is_empty()) {
            return Err(withheld!(
                "a comment stands between the call and the method called on it: write two statements"
            ));
        }
        // The comment behind the statement stays with the task, which is first then.
        let behind = TextRange::new(range.end(), module.line_end(range.end()));
        let arguments_range = method.arguments.range();
        if [arguments_range, behind]
            .iter()
            .all(|part| !module.comments(*part).is_empty())
        {
            return Err(withheld!(
                "a comment stands in the call of `{}`, and another one behind it: write two statements",
                attribute.attr
            ));
        }
        let open = format!("{task}.{}(", attribute.attr);
        let text = module.text(method.arguments.range());
        let is_long = width(indent) + width(&open) - 1 + width(text) > layout.width;
        let line = if is_long && !text.contains(['\n', '\r']) && !method.arguments.is_empty() {
            let piece = Piece::Call(open, arguments(method).collect(), ")");
            layout.piece(&piece, indent, width(indent), 0)
        } else {
            let arguments = layout.verbatim(method.arguments.range(), indent);
            format!("{task}.{}{arguments}", attribute.attr)
        };
        following.push(line);
    }
    for (open, argument) in [
        (format!("{set}.add("), task.clone()),
        (
            format!("{task}.add_done_callback("),
            format!("{set}.discard"),
        ),
    ] {
        let piece = Piece::Call(open, vec![Piece::Text(argument)], ")");
        following.push(layout.piece(&piece, indent, width(indent), 0));
    }
    let is_site = |stmt: &'a Stmt| match stmt {
        Stmt::Expr(stmt) => matches!(&*stmt.value, Expr::Call(next) if creates_task(cx, next)),
        _ => false,
    };
    if frame::goes_on(module, call, is_site) {
        following.push(format!("del {task}"));
    }

    let text = module.text(call);
    let assigned = format!("{task} = ");
    let before = width(indent) + width(&assigned);
    let is_bare = method.is_none() && statement.range() == call.range();
    let first = if method.is_none() && statement.range() != call.range() {
        // In parentheses.
        format!("{assigned}{}", module.text(statement.range()))
    } else if text.contains(['\n', '\r']) {
        match layout.flat(expr) {
            Some(flat) if before + width(&flat) <= layout.width && !is_bare => {
                format!("{assigned}{flat}")
            }
            _ => format!("{assigned}{}", layout.verbatim(call.range(), indent)),
        }
    } else if width(indent) + width(text) > layout.width {
        // It did not fit before.
        format!("{assigned}{text}")
    } else {
        let piece = Piece::Expr(expr);
        format!("{assigned}{}", layout.piece(&piece, indent, before, 0))
    };
    if method.is_none()
        && placement.before.is_none()
        && placement.after == After::Nothing
        && first.strip_prefix(&assigned) == Some(module.text(statement.range()))
    {
        // The fewest bytes: what is there stays, with the comment behind it.
        let separator = format!("{}{indent}", module.newline());
        let lines = following
            .iter()
            .flat_map(|line| [separator.as_str(), line])
            .collect::<String>();
        return Ok(vec![
            Edit::insert(statement.start(), assigned),
            Edit::insert(module.line_end(statement.end()), lines),
        ]);
    }
    let lines: Vec<Line> = std::iter::once(first)
        .chain(following)
        .map(|text| Line::new(0, text))
        .collect();
    Ok(vec![replace_statement(module, statement, &lines)])
}

/// The call as one of the helper: `_spawn(f())` for `asyncio.create_task(f())`,
/// `_keep(loop.create_task(f()))` for what `_spawn` cannot do.
///
/// `statement` is the call as an expression, if it is the whole of a statement or starts it.
fn called<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    statement: Option<&'a Expr>,
    helper: Helper,
    name: &str,
) -> Vec<Edit> {
    let module = cx.module;
    let layout = Layout {
        module,
        width: cx.settings.line_length,
    };
    let text = module.text(call);
    let alone = statement
        .filter(|_| module.statement(call).range() == call.range())
        .and_then(|expr| Some((expr, module.indentation_at(call.start())?)));
    match (helper, alone) {
        (Helper::Spawn, _) => {
            let line_before = TextRange::new(module.line_start(call.start()), call.start());
            let line_after = TextRange::new(call.end(), module.line_end(call.end()));
            let around = width(module.text(line_before)) + width(module.text(line_after));
            let has_trailing_comma = text.trim_end_matches(')').trim_end().ends_with(',');
            let piece = Piece::Call(format!("{name}("), arguments(call).collect(), ")");
            if text.contains(['\n', '\r'])
                && !has_trailing_comma
                && module.comments(call.range()).is_empty()
                && let Some(flat) = layout.flat_piece(&piece)
                && around + width(&flat) <= layout.width
            {
                // It did not fit on a line before.
                return vec![Edit::replace(call.range(), flat)];
            }
            vec![Edit::replace(call.func.range(), name)]
        }
        (Helper::Keep, Some((expr, indent)))
            if !text.contains(['\n', '\r']) && width(indent) + width(text) <= layout.width =>
        {
            let piece = Piece::Call(format!("{name}("), vec![Piece::Expr(expr)], ")");
            let text = layout.piece(&piece, indent, width(indent), 0);
            vec![Edit::replace(call.range(), text)]
        }
        (Helper::Keep, Some((_, indent))) if text.contains(['\n', '\r']) => {
            let newline = module.newline();
            let inner = format!("{indent}{}", module.indent());
            let call_text = layout.verbatim(call.range(), &inner);
            let text = format!("{name}({newline}{inner}{call_text}{newline}{indent})");
            vec![Edit::replace(call.range(), text)]
        }
        (Helper::Keep, _) => vec![
            Edit::insert(call.start(), format!("{name}(")),
            Edit::insert(call.end(), ")"),
        ],
    }
}
