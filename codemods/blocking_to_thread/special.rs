//! What the arguments of a call change about it.

use engine::Context;
use python::BindingKind;
use python::ast::{AnyNodeRef, Expr, ExprCall, Number};

use super::effects::one_line;
use super::meaning::Blocking;
use super::table::{Category, InThread};

/// Whether the call does not wait, by its arguments: `os.waitpid(pid, os.WNOHANG)`.
pub(super) fn is_quick(cx: &Context<'_, '_>, call: &ExprCall, blocking: &Blocking) -> bool {
    let module = cx.module;
    let argument = |name: &str, position: usize| call.arguments.find_argument_value(name, position);
    let is_false = |value: Option<&Expr>| matches!(value, Some(Expr::BooleanLiteral(literal)) if !literal.value);
    let is_less = |value: Option<&Expr>, most: f64| {
        matches!(value, Some(Expr::NumberLiteral(literal)) if match literal.value {
            Number::Int(ref value) => value.as_i64() == Some(0),
            Number::Float(value) => value < most,
            Number::Complex { .. } => false,
        })
    };
    let is_zero = |value: Option<&Expr>| is_less(value, f64::MIN_POSITIVE);
    let mentions = |text: &str| module.text(call.arguments.range).contains(text);
    match blocking.name.as_str() {
        // What takes no longer than the call itself keeps nobody waiting.
        "time.sleep" => is_less(argument("secs", 0), 0.01),
        "os.waitpid" | "os.wait3" | "os.wait4" | "os.waitid" => mentions("WNOHANG"),
        // The address is a number already.
        "socket.getaddrinfo" => mentions("AI_NUMERICHOST"),
        "fcntl.flock" | "fcntl.lockf" => mentions("LOCK_NB") || mentions("LOCK_UN"),
        "ssl.SSLContext.load_verify_locations" => {
            call.arguments.args.is_empty()
                && call
                    .arguments
                    .keywords
                    .iter()
                    .all(|it| it.arg.as_deref() == Some("cadata"))
        }
        "concurrent.futures.Future.result" => {
            // Of one that is done it is there.
            is_zero(argument("timeout", 0)) || asks(cx, call, "done")
        }
        "builtins.open" | "io.open" | "codecs.open" => {
            argument("file", 0).is_some_and(|it| is_of_kernel(cx, it))
        }
        name if is_of_one_path(name) => match &*call.func {
            // `Path("/proc/meminfo").read_text()`
            Expr::Attribute(method) if name.starts_with("pathlib.") => {
                is_of_kernel(cx, &method.value)
            }
            _ => argument("path", 0).is_some_and(|it| is_of_kernel(cx, it)),
        },
        "os.system" => argument("command", 0).is_some_and(only_clears),
        "subprocess.run" | "subprocess.call" | "subprocess.check_call" | "subprocess.Popen" => {
            argument("args", 0).is_some_and(only_clears)
        }
        "subprocess.Popen.wait" => is_zero(argument("timeout", 0)),
        name if name.starts_with("os.spawn") => {
            argument("mode", 0).is_some_and(|mode| module.text(mode).contains("NOWAIT"))
        }
        name if name.starts_with("queue.") => {
            let position = usize::from(name.rsplit('.').next() == Some("put"));
            is_false(argument("block", position))
                || is_zero(argument("timeout", position + 1))
                || match position {
                    0 => is_asked_before(cx, call),
                    _ => is_unbounded(cx, call),
                }
        }
        name if name.ends_with(".acquire") => {
            is_false(argument("blocking", 0)) || is_zero(argument("timeout", 1))
        }
        name if name.starts_with("threading.") => is_zero(argument("timeout", 0)),
        name if name.starts_with("socket.socket.") => module.calls().iter().any(|other| {
            matches!(&*other.func, Expr::Attribute(method)
                if method.attr.as_str() == "setblocking"
                    && is_false(other.arguments.args.first())
                || method.attr.as_str() == "settimeout"
                    && is_zero(other.arguments.args.first()))
        }),
        _ => false,
    }
}

/// Whether a call is about one path, its receiver or its first argument.
fn is_of_one_path(name: &str) -> bool {
    [
        "pathlib.Path.",
        "os.path.",
        "os.listdir",
        "os.scandir",
        "os.stat",
        "os.readlink",
        "os.access",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// Whether a command does nothing but clear the terminal that a person sits at, `cls` or `clear`,
/// for which nobody waits.
fn only_clears(command: &Expr) -> bool {
    match command {
        Expr::StringLiteral(text) => {
            let text = text.value.to_str();
            text.split([';', '|', '&'])
                .map(str::trim)
                .filter(|it| !it.is_empty())
                .all(|it| matches!(it, "clear" | "cls" | "reset"))
        }
        Expr::List(list) => matches!(&*list.elts, [one] if only_clears(one)),
        Expr::If(choice) => only_clears(&choice.body) && only_clears(&choice.orelse),
        _ => false,
    }
}

/// Whether a path is that of a file which the kernel makes up in memory: `f"/proc/{pid}/stat"`.
fn is_of_kernel(cx: &Context<'_, '_>, path: &Expr) -> bool {
    let is_there = |text: &str| {
        ["/proc", "/sys"].iter().any(|folder| {
            text.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    match path {
        Expr::Call(call) if cx.module.refers_to(&call.func, "pathlib.Path") => {
            let first = call.arguments.args.first();
            first.is_some_and(|it| is_of_kernel(cx, it))
        }
        // `Path("/sys") / name`
        Expr::BinOp(operation) => is_of_kernel(cx, &operation.left),
        Expr::Attribute(attribute) if attribute.attr.as_str() == "parent" => {
            is_of_kernel(cx, &attribute.value)
        }
        Expr::StringLiteral(text) => is_there(text.value.to_str()),
        Expr::FString(text) => text
            .value
            .elements()
            .next()
            .and_then(|element| element.as_literal())
            .is_some_and(|literal| is_there(&literal.value)),
        Expr::Name(name) => {
            let followed = cx.module.follow(name, |binding| match binding.kind {
                BindingKind::Value(value) => !value.is_name_expr() && is_of_kernel(cx, value),
                // `for path in ("/proc/self/cgroup", "/proc/1/cgroup"):`
                BindingKind::Loop => {
                    let mut outer = cx.module.ancestors(cx.module.node(binding.node));
                    let over = outer.find_map(|outer| match outer {
                        AnyNodeRef::StmtFor(stmt) => Some(&*stmt.iter),
                        AnyNodeRef::Comprehension(clause) => Some(&clause.iter),
                        _ => None,
                    });
                    match over {
                        Some(Expr::Tuple(all)) => all.elts.iter().all(|it| is_of_kernel(cx, it)),
                        Some(Expr::List(all)) => all.elts.iter().all(|it| is_of_kernel(cx, it)),
                        _ => false,
                    }
                }
                _ => false,
            });
            followed.unwrap_or(false)
        }
        _ => false,
    }
}

/// Whether the queue that `call` puts something into has room for all: the module makes it, without
/// a size.
fn is_unbounded(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    let module = cx.module;
    let Expr::Attribute(method) = &*call.func else {
        return false;
    };
    let queue = module.text(&*method.value);
    let mut made = module
        .calls()
        .iter()
        .filter(|made| match module.parent(**made) {
            Some(AnyNodeRef::StmtAssign(assign)) => {
                assign.targets.iter().any(|it| module.text(it) == queue)
            }
            Some(AnyNodeRef::StmtAnnAssign(assign)) => module.text(&*assign.target) == queue,
            _ => false,
        })
        .peekable();
    made.peek().is_some() && made.all(|made| made.arguments.is_empty())
}

/// Whether the call stands in an `if` or `while` that asks whether there is something in the queue:
/// `if not jobs.empty(): jobs.get()`.
fn is_asked_before(cx: &Context<'_, '_>, call: &ExprCall) -> bool {
    let module = cx.module;
    let Expr::Attribute(method) = &*call.func else {
        return false;
    };
    let queue = module.text(&*method.value);
    let asks = |test: &Expr| {
        let text = module.text(test);
        ["empty", "qsize"]
            .iter()
            .any(|name| text.contains(&format!("{queue}.{name}(")))
    };
    module
        .ancestors(call)
        .take_while(|it| !matches!(it, AnyNodeRef::StmtFunctionDef(_)))
        .any(|it| match it {
            AnyNodeRef::StmtIf(stmt) => asks(&stmt.test),
            AnyNodeRef::StmtWhile(stmt) => asks(&stmt.test),
            _ => false,
        })
}

/// Whether the receiver of `call` has another method called as well.
fn asks(cx: &Context<'_, '_>, call: &ExprCall, other: &str) -> bool {
    let Expr::Attribute(method) = &*call.func else {
        return false;
    };
    let receiver = cx.module.text(&*method.value);
    cx.module.calls().iter().any(|call| {
        matches!(&*call.func, Expr::Attribute(it)
            if it.attr.as_str() == other && cx.module.text(&*it.value) == receiver)
    })
}

/// Why the call may not go to a thread, by its arguments.
pub(super) fn obstacle(call: &ExprCall, blocking: &Blocking) -> Option<String> {
    if blocking.group.in_thread != InThread::Whole {
        return None;
    }
    let keyword = |name: &str| call.arguments.find_keyword(name).map(|it| &it.value);
    let is_set = |name: &str| {
        keyword(name).is_some_and(|value| match value {
            Expr::BooleanLiteral(literal) => literal.value,
            Expr::NoneLiteral(_) => false,
            _ => true,
        })
    };
    let name = blocking.name.as_str();
    let later = "reading the body blocks later, on the event loop: put the request and the reading into one plain function, and run that in a thread";
    if name.starts_with("requests.") && is_set("stream") {
        return Some(format!(
            "with `stream` only the headers are read here, and {later}"
        ));
    }
    if name.starts_with("urllib3.")
        && keyword("preload_content")
            .is_some_and(|value| !matches!(value, Expr::BooleanLiteral(literal) if literal.value))
    {
        return Some(format!(
            "with `preload_content` false only the headers are read here, and {later}"
        ));
    }
    if name == "httpx.Client.send" && is_set("stream") {
        return Some(format!(
            "with `stream` only the headers are read here, and {later}"
        ));
    }
    if blocking.group.category == Category::Process && is_set("preexec_fn") {
        return Some("`preexec_fn` may deadlock in a process with several threads: use the arguments of `subprocess` that do the same, as `start_new_session` or `user`".to_string());
    }
    None
}

/// Arguments by which a call is given code to run.
const CALLBACKS: &[&str] = &[
    "copy_function",
    "filter",
    "hooks",
    "ignore",
    "onerror",
    "onexc",
    "reporthook",
];

/// Why nobody knows whether the call may go to a thread, by its arguments.
pub(super) fn doubt(cx: &Context<'_, '_>, call: &ExprCall) -> Option<String> {
    let runs = |value: &Expr| matches!(value, Expr::Lambda(_) | Expr::Generator(_));
    let callback = call.arguments.keywords.iter().find(|keyword| {
        let name = keyword.arg.as_deref().unwrap_or_default();
        let is_library = cx
            .module
            .qualified_name(match &keyword.value {
                Expr::Call(call) => &call.func,
                value => value,
            })
            .is_some();
        let is_plain = keyword.value.is_none_literal_expr() || is_library;
        CALLBACKS.contains(&name) && !is_plain || runs(&keyword.value)
    });
    if let Some(callback) = callback {
        return Some(format!(
            "`{}` runs in the thread as well",
            one_line(cx.module.text(callback))
        ));
    }
    let argument = call.arguments.args.iter().find(|argument| runs(argument))?;
    Some(format!(
        "`{}` runs in the thread as well",
        one_line(cx.module.text(argument))
    ))
}
