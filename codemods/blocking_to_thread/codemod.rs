//! `requests.get(url)` => `await asyncio.to_thread(requests.get, url)`

mod arguments;
mod block;
mod call;
mod class;
mod conditions;
mod effects;
mod ending;
mod first_time;
mod harmless;
mod hop;
mod kind;
mod known;
mod lines;
mod meaning;
mod names;
mod own;
mod reach;
mod render;
mod special;
mod summary;
mod surroundings;
mod switches;
mod table;
mod thread_local;
mod typed;
mod whole;

use edit::Applicability;
use engine::{Choices, Codemod, Context, On, OptionSpec, Refusal, Rewrite, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, NodeKind, PythonVersion, StmtFunctionDef};
use python::{AwaitPlace, BindingKind, Library, Ranged, ScopeKind, TryPart};

use arguments::Given;
use block::Block;
use effects::one_line;
use hop::Hop;
use meaning::{Blocking, Callee, callee};
use table::{Category, InThread};

pub const CODEMOD: Codemod = Codemod {
    name: "blocking-to-thread",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[
        "ASYNC210", "ASYNC212", "ASYNC220", "ASYNC221", "ASYNC222", "ASYNC230", "ASYNC240",
        "ASYNC250",
    ],
    dated: None,
    options: &[
        OptionSpec {
            name: "extend",
            help: "functions and methods that block as well, beside those of the table",
            choices: Choices::Names,
        },
        OptionSpec {
            name: "allow",
            help: "functions, methods, classes and modules of the table that may block here",
            choices: Choices::Names,
        },
        OptionSpec {
            name: "helper",
            help: "the project's own function that runs another one in a thread, in the place of asyncio.to_thread",
            choices: Choices::Name,
        },
    ],
    on: &[On::Node {
        kinds: &[NodeKind::ExprCall],
        words: &["async"],
        decide: rewrite,
    }],
};

/// `f(x, y=1)` => `await asyncio.to_thread(f, x, y=1)`, where `f` blocks by itself, as the table
/// says, or in a function of the module that it calls; and statements that block, as one function.
///
/// The function and its arguments are evaluated as before, in the same order; the result and
/// every exception but `StopIteration` come back. What changes is the stated effect: other tasks
/// run meanwhile, and cancelling the coroutine does not stop the call. So the argument stops where
/// something relies on nothing else running: a lock, an update that starts before the call and
/// ends after it, cleanup. It stops, too, where the code belongs to its thread, and where it does
/// something of which the module does not show whether it may be done in another one.
fn rewrite<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let AnyNodeRef::ExprCall(call) = node else {
        return Err(Refusal::NotOurs); // no call
    };
    let place = cx.module.await_place(call);
    let coroutine = match place {
        AwaitPlace::Coroutine(function) | AwaitPlace::NestedComprehension(function) => function,
        AwaitPlace::GeneratorExpression => {
            cx.module.running_coroutine(call).ok_or(Refusal::NotOurs)?
        } // no coroutine's code
        _ => return Err(Refusal::NotOurs), // no coroutine's code
    };
    let blocks = blocks(cx, call, coroutine)?;
    if !is_looked_at(cx) {
        return Err(Refusal::NotOurs); // what blocks there is another matter
    }
    if is_of_command(cx, coroutine) {
        return Err(Refusal::NotOurs); // nothing else runs
    }
    if switches::is_switched_off(cx, node) {
        return Err(Refusal::NotOurs); // only while somebody debugs
    }
    if is_without_loop(cx, call) {
        return Err(Refusal::NotOurs); // no event loop is blocked
    }
    let block = block::of(cx, call, coroutine);
    let whole = match (&blocks, &block) {
        (Blocks::Itself(_), None) if blocks.is_of_files() => whole::of(cx, call),
        (Blocks::Through(_, reach), None) if reach.is_generator => whole::of(cx, call),
        _ => None,
    };
    let is_alone = block.is_none() && whole.is_none();
    match place {
        AwaitPlace::GeneratorExpression if is_alone => {
            return Err(withheld!(
                "`await` would turn the generator expression into an asynchronous one, which cannot be iterated as it is: write a list comprehension or a loop"
            ));
        }
        AwaitPlace::NestedComprehension(_) if is_alone && !cx.supports(PythonVersion::PY311) => {
            return Err(withheld!(
                "`await` in a comprehension inside a comprehension needs Python 3.11: write a loop"
            ));
        }
        _ => {}
    }
    let site = match (&block, &whole) {
        (Some(block), _) => block.site(cx),
        (None, Some(whole)) => whole.node(),
        (None, None) => node,
    };
    if is_alone {
        blocks.check_alone(cx, call, coroutine)?;
    }
    if block.is_some()
        && is_in_handler(cx, site)
        && let Some(why) = effects::looks_at_exception(cx, site)
    {
        return Err(withheld!(
            "it stands where an exception is handled, which another thread does not see: {why}; bind what is needed of it to a name before"
        ));
    }
    if is_alone && blocks.is_of_files() {
        surroundings::check_loop(cx, call)?;
    }
    surroundings::check(cx, site, coroutine)?;
    let handles_exit = cx.module.handles_exit(site);
    if handles_exit && blocks.is_of_a_moment() {
        return Err(withheld!(
            "it takes a moment, in a handler that cancellations reach: a second one could arrive in the middle of the cleanup; decide whether it may wait"
        ));
    }
    let hop = Hop::of(cx, site, coroutine)?;
    let (edits, applicability, doubt) = match (&block, whole) {
        (Some(block), _) => together(cx, block, coroutine, &hop)?,
        (None, Some(whole)) => {
            let effects = whole.effects(cx);
            let edits = whole.edits(cx, &hop)?;
            match (effects.obstacle, effects.doubt) {
                (Some(why), _) => return Err(withheld!("it must stay in its thread: {why}")),
                (None, Some(doubt)) => (edits, Applicability::Unsafe, Some(doubt)),
                (None, None) => (edits, Applicability::Intended, None),
            }
        }
        (None, None) => {
            let doubt = blocks.doubt(cx, call, coroutine);
            let applicability = match doubt {
                Some(_) => Applicability::Unsafe,
                None => Applicability::Intended,
            };
            (call::edits(cx, call, &hop)?, applicability, doubt)
        }
    };
    let mut message = format!(
        "{} the event loop: `{}` runs {} in a thread",
        blocks.message(coroutine),
        hop.shown,
        match block {
            Some(_) => "it, with what belongs to it,",
            None => "it",
        }
    );
    let doubt = doubt.or_else(|| {
        handles_exit.then(|| "a second cancellation would cut the handler short".to_string())
    });
    if let Some(doubt) = doubt {
        message.push_str("; ");
        message.push_str(&doubt);
    }
    Ok(Rewrite {
        message,
        applicability: if handles_exit {
            Applicability::Unsafe
        } else {
            applicability
        },
        edits,
        python: hop.python,
    })
}

fn together<'a>(
    cx: &Context<'a, '_>,
    block: &Block,
    coroutine: &'a StmtFunctionDef,
    hop: &Hop,
) -> Result<(Vec<edit::Edit>, Applicability, Option<String>), Refusal> {
    let edits = block.edits(cx, coroutine, hop).ok_or_else(|| {
        withheld!("the statements share their lines with others: write one on each line")
    })?;
    Ok((edits, block.applicability, block.doubt.clone()))
}

/// How a call blocks.
enum Blocks {
    /// By itself.
    Itself(Blocking),
    /// In a function of this name.
    Through(String, std::rc::Rc<reach::Reach>),
}

/// How `call` blocks, if it does.
fn blocks<'a>(
    cx: &Context<'a, '_>,
    call: &'a ExprCall,
    coroutine: &'a StmtFunctionDef,
) -> Result<Blocks, Refusal> {
    match callee(cx, call) {
        Callee::Blocking(blocking) => {
            if blocking.group.category == Category::Pause {
                return Err(Refusal::NotOurs); // await-sleep's
            }
            if special::is_quick(cx, call, &blocking) {
                return Err(Refusal::NotOurs); // it does not wait
            }
            if is_for_message(cx, call, &blocking) {
                return Err(Refusal::NotOurs); // the error is what takes the time
            }
            let is_function = cx.module.qualified_name(&call.func).is_some();
            let is_awaited = matches!(cx.module.parent(call), Some(AnyNodeRef::ExprAwait(_)));
            if is_awaited && (!is_function || blocking.group.category == Category::Project) {
                return Err(Refusal::NotOurs); // what can be awaited is something else
            }
            Ok(Blocks::Itself(blocking))
        }
        Callee::Function(function) => {
            if cx.module.id(function) == cx.module.id(coroutine) {
                return Err(Refusal::NotOurs); // no plain function
            }
            let reach = reach::of(cx, function, Given::alone(cx, call));
            if reach.path.is_none() {
                return Err(Refusal::NotOurs); // it reaches nothing that blocks
            }
            Ok(Blocks::Through(function.name.to_string(), reach))
        }
        Callee::Named(name) => {
            // Nearly all that is awaited is a coroutine, and need not be looked for.
            if matches!(cx.module.parent(call), Some(AnyNodeRef::ExprAwait(_))) {
                return Err(Refusal::NotOurs);
            }
            let reach = reach::of_imported(cx, &name, Given::alone(cx, call))
                .filter(|reach| reach.path.is_some());
            let function = name.rsplit('.').next().unwrap_or(&name).to_string();
            match reach {
                Some(reach) => Ok(Blocks::Through(function, reach)),
                None => Err(Refusal::NotOurs), // not known to block
            }
        }
        Callee::Unknown => Err(Refusal::NotOurs), // not known to block
    }
}

/// Whether a coroutine is a command of a terminal, `@app.command() def show()`, which runs and ends,
/// or defined in one. Bots have commands as well.
fn is_of_command<'a>(cx: &Context<'a, '_>, coroutine: &'a StmtFunctionDef) -> bool {
    const TERMINALS: &[&str] = &["asyncclick", "click", "cyclopts", "typer"];
    let module = cx.module;
    let is_command = engine::is_command(coroutine)
        && module.imported_symbols().any(|symbol| {
            let name = module.imported_as(symbol).unwrap_or_default();
            TERMINALS.contains(&name.split('.').next().unwrap_or_default())
        });
    is_command
        || module.ancestors(coroutine).any(|outer| match outer {
            AnyNodeRef::StmtFunctionDef(outer) => !outer.is_async && engine::is_command(outer),
            _ => false,
        })
}

/// Whether code runs only where there is no event loop: `if loop is None: ...`.
fn is_without_loop<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let is_loop = |expr: &Expr| match expr {
        Expr::Name(name) => name.id.ends_with("loop"),
        Expr::Attribute(attribute) => attribute.attr.ends_with("loop"),
        _ => false,
    };
    module
        .ancestors(call)
        .take_while(|it| !matches!(it, AnyNodeRef::StmtFunctionDef(_)))
        .any(|it| match it {
            AnyNodeRef::StmtIf(stmt) => {
                first_time::missing(&stmt.test).is_some_and(is_loop)
                    && stmt.body.iter().any(|it| module.contains(it, call))
            }
            _ => false,
        })
}

/// Whether a call asks a file system about one file for the message of what is raised.
fn is_for_message<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, blocking: &Blocking) -> bool {
    blocking.group.category == Category::Metadata
        && matches!(cx.module.statement(call), AnyNodeRef::StmtRaise(_))
}

/// Whether a call that blocks can move by itself.
fn is_moved<'a>(cx: &Context<'a, '_>, call: &'a ExprCall, blocking: &Blocking) -> bool {
    blocking.group.in_thread == InThread::Whole
        && blocking.group.category != Category::Pause
        && !special::is_quick(cx, call, blocking)
        && special::obstacle(call, blocking).is_none()
        && special::doubt(cx, call).is_none()
}

impl Blocks {
    /// The refusals where the call would move alone.
    fn check_alone<'a>(
        &self,
        cx: &Context<'a, '_>,
        call: &'a ExprCall,
        coroutine: &'a StmtFunctionDef,
    ) -> Result<(), Refusal> {
        match self {
            Blocks::Itself(blocking) => {
                if let Some(why) = special::obstacle(call, blocking) {
                    return Err(Refusal::Withheld(why));
                }
                match blocking.group.in_thread {
                    InThread::Whole => Ok(()),
                    InThread::Opens => Err(match opened_by(cx, call) {
                        Some(with) => withheld!(
                            "only opening it in a thread would leave the rest to the event loop, and the block cannot move as a whole, since {}: put what blocks into one plain function, and run that in a thread",
                            block::problem(cx, with, coroutine)
                        ),
                        None => Refusal::Withheld(blocking.group.reason()),
                    }),
                    InThread::Later | InThread::Never => {
                        Err(Refusal::Withheld(blocking.group.reason()))
                    }
                }
            }
            Blocks::Through(function, reach) => {
                let path = reach.path.as_ref().map(|it| it.shown(coroutine));
                let path = path.unwrap_or_default();
                if let Some(why) = &reach.obstacle {
                    return Err(withheld!(
                        "it blocks (`{path}`) and must stay in its thread: {why}; take what blocks out of it, and run that in a thread"
                    ));
                }
                if let Some(why) = &reach.looks
                    && is_in_handler(cx, call.into())
                {
                    return Err(withheld!(
                        "it blocks (`{path}`) and is called where an exception is handled, which another thread does not see: {why}; give it the exception, or take what blocks out of it, and run that in a thread"
                    ));
                }
                match cx.module.parent(call) {
                    Some(AnyNodeRef::ExprAwait(_)) => Err(withheld!(
                        "it blocks (`{path}`) before it gives back what is awaited: run the part of `{}` that blocks in a thread",
                        function
                    )),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Why nobody knows whether the call may go to a thread.
    fn doubt<'a>(
        &self,
        cx: &Context<'a, '_>,
        call: &'a ExprCall,
        coroutine: &'a StmtFunctionDef,
    ) -> Option<String> {
        match self {
            Blocks::Itself(blocking) => special::doubt(cx, call).or_else(|| {
                let Expr::Attribute(method) = &*call.func else {
                    return None;
                };
                let is_client = blocking.group.category == Category::Http
                    && blocking.name.matches('.').count() > 1
                    && !blocking.name.starts_with("urllib");
                (is_client && !is_alone(cx, &method.value, coroutine)).then(|| {
                    format!(
                        "other tasks may use `{}` at the same time",
                        one_line(cx.module.text(&*method.value))
                    )
                })
            }),
            Blocks::Through(_, reach) => reach.doubt.clone().or_else(|| {
                let runs_here = call
                    .arguments
                    .args
                    .iter()
                    .any(|argument| argument.is_generator_expr() || argument.is_lambda_expr());
                runs_here.then(|| "what it is given runs in the thread as well".to_string())
            }),
        }
    }

    /// Whether the call itself waits for files.
    fn is_of_files(&self) -> bool {
        match self {
            Blocks::Itself(blocking) => kind::files(blocking.group.category),
            Blocks::Through(..) => false,
        }
    }

    /// Whether the call asks a file system for something that takes a moment.
    fn is_of_a_moment(&self) -> bool {
        match self {
            Blocks::Itself(blocking) => blocking.group.category == Category::Metadata,
            Blocks::Through(..) => false,
        }
    }

    fn message(&self, coroutine: &StmtFunctionDef) -> String {
        match self {
            Blocks::Itself(blocking) => format!("`{}` blocks", blocking.name),
            Blocks::Through(function, reach) => {
                let path = reach.path.as_ref().map(|it| it.shown(coroutine));
                format!("`{}` blocks (`{}`)", function, path.unwrap_or_default())
            }
        }
    }
}

/// Whether `node` is in the handler of an exception.
fn is_in_handler<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    let mut blocks = cx.module.blocks(node).into_iter();
    blocks.any(|block| matches!(block, python::Block::Try(_, TryPart::Handler(_))))
}

/// The `with` statement that has the call as one of its contexts.
fn opened_by<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<&'a python::ast::StmtWith> {
    let AnyNodeRef::WithItem(item) = cx.module.parent(call)? else {
        return None;
    };
    match cx.module.parent(item)? {
        AnyNodeRef::StmtWith(with) => Some(with),
        _ => None,
    }
}

/// Whether nobody but the coroutine has what `expr` stands for: it made it.
fn is_alone<'a>(cx: &Context<'a, '_>, expr: &'a Expr, coroutine: &'a StmtFunctionDef) -> bool {
    let module = cx.module;
    match expr {
        Expr::Call(_) => true,
        Expr::Name(name) => module.symbol(name).is_some_and(|symbol| {
            let is_local = matches!(
                module.scope_data(symbol.scope).kind,
                ScopeKind::Function(function) if module.id(function) == module.id(coroutine)
            );
            let is_made = symbol.bindings.iter().all(|binding| {
                matches!(
                    binding.kind,
                    BindingKind::Value(Expr::Call(_)) | BindingKind::With(Expr::Call(_), _)
                )
            });
            // Where it is more than called, somebody else may have it.
            let is_kept = symbol.reads.iter().all(|read| {
                let node = module.node(*read);
                matches!(module.parent(node), Some(AnyNodeRef::ExprAttribute(_)))
                    && module.function(node).map(Ranged::range) == Some(coroutine.range())
            });
            is_local && is_made && is_kept
        }),
        _ => false,
    }
}

/// Whether what blocks in the file is this codemod's matter: it is no test, and asyncio's or a
/// library's like it.
fn is_looked_at(cx: &Context<'_, '_>) -> bool {
    cx.module.library() != Library::Other && !cx.has_tests()
}
