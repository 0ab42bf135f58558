//! Who around a gather relies on what it raised, or on its children going on.

use edit::Applicability;
use engine::{Caller, Context, Refusal, withheld};
use python::ast::StmtFunctionDef;
use python::{Block, Catcher, Caught, Handler, TryPart};

use super::Gather;

/// What would happen to a handler of this exception.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Catches {
    /// It goes on catching what it caught: cancellation, Ctrl-C, groups.
    Same,
    /// It catches the group, since it catches everything.
    Everything,
    /// It would no longer catch what a child raises.
    NoLonger,
}

/// The applicability that the surroundings leave, or why they forbid the rewrite.
pub(super) fn check<'a>(
    cx: &Context<'a, '_>,
    gather: &Gather<'a>,
) -> Result<Applicability, Refusal> {
    check_purpose(gather.coroutine)?;
    for block in cx.module.blocks(gather.site) {
        let place = match block {
            Block::Try(_, TryPart::Finally) => "`finally`",
            Block::Try(_, TryPart::Handler(_)) => "an `except` clause",
            _ => continue,
        };
        return Err(withheld!(
            "it stands in {place}, where each part of the cleanup should be tried: decide whether one failure may cancel the others"
        ));
    }
    let unwraps = cx.option("exceptions") == "unwrap";
    Way {
        limited: gather.timeout.is_some(),
        caught: unwraps,
        applicability: Applicability::Intended,
    }
    .through(&cx.module.catchers(gather.site))
}

/// Where the coroutine is called, and who catches there what leaves it.
///
/// It is asked last: most of what is found is withheld for reasons that one file gives.
pub(super) fn check_callers<'a>(cx: &Context<'a, '_>, gather: &Gather<'a>) -> Result<(), Refusal> {
    if cx.option("exceptions") == "unwrap" {
        return Ok(());
    }
    let mut way = Way {
        limited: gather.timeout.is_some(),
        caught: false,
        applicability: Applicability::Intended,
    };
    for catcher in cx.module.catchers(gather.site) {
        way.caught |= catcher.ends();
    }
    if way.caught {
        return Ok(()); // it does not leave the coroutine
    }
    let Some(caller) = cx.caller(gather.coroutine, |it| relies(it).is_some()) else {
        return Ok(());
    };
    let Some((what, row)) = relies(&caller) else {
        return Ok(());
    };
    Err(withheld!(
        "{what} in {}:{row} would no longer match what a child raises, since `{}` is reached from there: set `gather-to-taskgroup.exceptions = \"unwrap\"`, or write `except*` there",
        caller.file.display(),
        gather.coroutine.name
    ))
}

/// What around a call would no longer match what a child raises: as written, and its line.
fn relies(caller: &Caller) -> Option<(String, usize)> {
    for catcher in &caller.catchers {
        let reason = match catcher {
            Catcher::Try { handlers, is_star } if !is_star => {
                handlers.iter().find_map(relies_on_type)
            }
            Catcher::Context { text, row, .. } => {
                no_longer_expected(catcher, false).then(|| (format!("`{text}`"), *row))
            }
            Catcher::Decorator { text, row, .. } => {
                framework(catcher).map(|_| (format!("`@{text}`"), *row))
            }
            Catcher::Try { .. } => None,
        };
        if reason.is_some() {
            return reason;
        }
        if catcher.ends() {
            break;
        }
    }
    None
}

/// A handler that looks for another type than a group, or asks what it has caught: the clause as
/// written, and its line.
fn relies_on_type(handler: &Handler) -> Option<(String, usize)> {
    let caught = match no_longer(&handler.types, false) {
        Some(caught) => Some(caught),
        None if handler.inspects_exception => handler.types.first(),
        None => return None,
    };
    let caught = caught.map_or("BaseException", |caught| &caught.text);
    Some((format!("`except {caught}`"), handler.row))
}

/// An exception on its way out.
struct Way {
    /// Whether a handler of `TimeoutError` further out is there for a time limit.
    limited: bool,
    /// Whether what the group raises gets no further.
    caught: bool,
    applicability: Applicability,
}

impl Way {
    fn through(mut self, catchers: &[Catcher]) -> Result<Applicability, Refusal> {
        for catcher in catchers {
            match catcher {
                Catcher::Try { is_star: true, .. } => self.applicability = Applicability::Unsafe,
                Catcher::Context { name, .. }
                    if matches!(
                        name.as_deref(),
                        Some("asyncio.timeout" | "asyncio.timeout_at" | "async_timeout.timeout")
                    ) =>
                {
                    self.limited = true;
                }
                _ if self.caught => {}
                Catcher::Try { handlers, .. } => self.meet_handlers(handlers)?,
                Catcher::Context { text, types, .. } => {
                    if no_longer_expected(catcher, self.limited) {
                        return Err(withheld!(
                            "`{text}` would no longer match what a child raises, which leaves as an ExceptionGroup: set `gather-to-taskgroup.exceptions = \"unwrap\"`"
                        ));
                    }
                    if expects(catcher) {
                        self.weigh(types);
                    }
                }
                Catcher::Decorator { text, .. } => {
                    if let Some(what) = framework(catcher) {
                        return Err(withheld!(
                            "`@{text}` {what}, and would get an ExceptionGroup: set `gather-to-taskgroup.exceptions = \"unwrap\"`"
                        ));
                    }
                }
            }
            self.caught |= catcher.ends();
        }
        Ok(self.applicability)
    }

    fn meet_handlers(&mut self, handlers: &[Handler]) -> Result<(), Refusal> {
        for handler in handlers {
            if let Some(caught) = no_longer(&handler.types, self.limited) {
                return Err(withheld!(
                    "`except {}` would no longer catch what a child raises, which leaves as an ExceptionGroup: set `gather-to-taskgroup.exceptions = \"unwrap\"`, or write `except*` by hand",
                    caught.text
                ));
            }
            self.weigh(&handler.types);
            if handler.catches_everything() && handler.uses_exception {
                return Err(withheld!(
                    "the handler uses the exception that it catches, which would be an ExceptionGroup: set `gather-to-taskgroup.exceptions = \"unwrap\"`"
                ));
            }
        }
        Ok(())
    }

    /// A handler that goes on catching what it caught may see other exceptions less.
    fn weigh(&mut self, types: &[Caught]) {
        let same = |it: &Caught| catches(it, self.limited) == Catches::Same;
        if types.iter().any(same) {
            self.applicability = Applicability::Unsafe;
        }
    }
}

/// Best-effort work: maintainers took the rewrite back where one failure then kept the other
/// parts from being closed.
fn check_purpose(coroutine: &StmtFunctionDef) -> Result<(), Refusal> {
    const CLEANUP: &[&str] = &[
        "aclose",
        "aexit",
        "cleanup",
        "close",
        "disconnect",
        "shutdown",
        "stop",
        "teardown",
    ];
    let name = coroutine.name.to_lowercase();
    let is_test = name.trim_start_matches('_').starts_with("test");
    let named_like = name.split('_').any(|word| CLEANUP.contains(&word))
        || name.ends_with("teardown")
        || name.contains("clean_up");
    if named_like && !is_test {
        return Err(withheld!(
            "`{}` looks like cleanup, where each part should be tried: decide whether one failure may cancel the others",
            coroutine.name
        ));
    }
    Ok(())
}

/// The first of these types that would no longer catch what it caught.
fn no_longer(types: &[Caught], limited: bool) -> Option<&Caught> {
    types
        .iter()
        .find(|caught| catches(caught, limited) == Catches::NoLonger)
}

fn catches(caught: &Caught, limited: bool) -> Catches {
    match caught.name.as_deref() {
        Some("builtins.Exception" | "builtins.BaseException") => Catches::Everything,
        Some(
            "asyncio.CancelledError"
            | "builtins.KeyboardInterrupt"
            | "builtins.SystemExit"
            | "builtins.GeneratorExit"
            | "builtins.ExceptionGroup"
            | "builtins.BaseExceptionGroup",
        ) => Catches::Same,
        Some("builtins.TimeoutError" | "asyncio.TimeoutError") if limited => Catches::Same,
        _ => Catches::NoLonger,
    }
}

/// `with suppress(E)`, `with pytest.raises(E)`, `with self.assertRaises(E)` are handlers too.
fn expects(context: &Catcher) -> bool {
    let Catcher::Context { name, last, .. } = context else {
        return false;
    };
    is_suppress(context)
        || matches!(name.as_deref(), Some("pytest.raises" | "pytest.warns"))
        || matches!(last.as_str(), "assertRaises" | "assertRaisesRegex")
}

fn is_suppress(context: &Catcher) -> bool {
    matches!(context, Catcher::Context { name, .. } if name.as_deref() == Some("contextlib.suppress"))
}

/// Whether a context that looks at exceptions would no longer find what it looks for.
fn no_longer_expected(context: &Catcher, limited: bool) -> bool {
    let Catcher::Context {
        types, arguments, ..
    } = context
    else {
        return false;
    };
    let any_will_do = is_suppress(context) || *arguments == 1;
    expects(context)
        && types.iter().any(|caught| match catches(caught, limited) {
            Catches::Same => false,
            Catches::Everything => !any_will_do,
            Catches::NoLonger => true,
        })
}

/// What a framework's decorator does with an exception. It looks at its type: an `HTTPException`
/// becomes a response, a listed error is tried again. A group is none of these.
fn framework(decorator: &Catcher) -> Option<&'static str> {
    const ROUTES: &[&str] = &[
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "options",
        "route",
        "api_route",
        "websocket",
        "exception_handler",
        "errorhandler",
        "middleware",
    ];
    const COMMANDS: &[&str] = &[
        "command",
        "group",
        "callback",
        "hybrid_command",
        "slash_command",
    ];
    const RETRIES: &[&str] = &[
        "retry",
        "on_exception",
        "on_predicate",
        "retrying",
        "retry_async",
    ];
    let Catcher::Decorator {
        last,
        is_attribute,
        is_called,
        ..
    } = decorator
    else {
        return None;
    };
    let last = last.as_str();
    if RETRIES.contains(&last) {
        Some("decides by the type of an exception whether to try again")
    } else if *is_attribute && *is_called && ROUTES.contains(&last) {
        Some("makes a response of the exception, by its type")
    } else if COMMANDS.contains(&last) {
        Some("reports an exception by its type")
    } else {
        None
    }
}
