//! `asyncio.get_event_loop()` in a coroutine => `asyncio.get_running_loop()`

use edit::{Applicability, Edit};
use engine::{
    Codemod, Context, Dated, Layout, On, Piece, Refusal, Rewrite, Verdict, arguments, width,
    withheld,
};
use python::ast::{AnyNodeRef, Expr, ExprCall, PythonVersion};
use python::{Library, Ranged, TextRange};

pub const CODEMOD: Codemod = Codemod {
    name: "running-loop",
    page: include_str!("README.md"),
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: Some(Dated::SUPERSEDED),
    options: &[],
    on: &[On::Call(&["asyncio.get_event_loop"], rewrite)],
};

/// `get_event_loop()` => `get_running_loop()`
///
/// While a coroutine runs, both give the loop that runs it. The argument stops where the code may
/// run later or elsewhere (a nested function, a lambda), and where the coroutine may be driven by
/// something else than an event loop of asyncio.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    if !call.arguments.is_empty() {
        return Err(Refusal::NotOurs); // fails today
    }
    let Some(coroutine) = module.running_coroutine(call) else {
        return Err(Refusal::NotOurs);
    };
    let library = match module.library() {
        Library::Several => module.library_of(coroutine).unwrap_or(Library::Several),
        library => library,
    };
    match library {
        Library::Asyncio | Library::Anyio => {}
        Library::Several => {
            return Err(withheld!(
                "the file uses asyncio and another library, and `{}` does not show under which it runs: write `get_running_loop` if it is asyncio",
                coroutine.name
            ));
        }
        _ => return Err(Refusal::NotOurs),
    }
    cx.check_unprinted(call)?;
    let root = module.id(module.root());
    if cx.once("replaced", root, || {
        module.replaces("asyncio", "get_event_loop")
    }) {
        return Err(withheld!(
            "the file puts something else in the place of `get_event_loop`, which would have no effect here: replace `get_running_loop` instead"
        ));
    }
    if cx.once("driven by hand", root, || is_driven_by_hand(cx)) {
        return Err(withheld!(
            "the file drives coroutines by `.send(None)`, without an event loop, which `get_running_loop` needs"
        ));
    }
    let mut edits = cx.call_instead(call, "asyncio", "get_running_loop")?;
    edits.extend(opened(cx, call));
    Ok(Rewrite {
        message:
            "in a coroutine `get_event_loop` gives the running loop: `get_running_loop` says so"
                .to_string(),
        applicability: Applicability::Safe,
        edits,
        python: None,
    })
}

fn is_driven_by_hand(cx: &Context<'_, '_>) -> bool {
    cx.module.calls().iter().any(|call| {
        matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "send")
            && matches!(&*call.arguments.args, [Expr::NoneLiteral(_)])
            && call.arguments.keywords.is_empty()
    })
}

/// `await loop().run_in_executor(None, f)`: the arguments on lines of their own, where the longer
/// name makes the line too long.
fn opened<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<Edit> {
    let module = cx.module;
    let Expr::Attribute(attribute) = &*call.func else {
        return None;
    };
    let longer_by = width("get_running_loop") - width(&attribute.attr);
    let line = TextRange::new(module.line_start(call.start()), module.line_end(call.end()));
    let length = width(module.text(line));
    let limit = cx.settings.line_length;
    let statement = module.statement(call);
    let indent = module.indentation_at(statement.start())?;
    if length > limit || length + longer_by <= limit || !line.contains_range(statement.range()) {
        return None;
    }
    // The last call of the chain that starts here.
    let mut outer = call;
    while let Some(method @ AnyNodeRef::ExprAttribute(_)) = module.parent(outer)
        && let Some(AnyNodeRef::ExprCall(next)) = module.parent(method)
        && module.contains(&*next.func, method)
    {
        outer = next;
    }
    // Only where nothing of the statement follows it.
    if outer.arguments.is_empty() || outer.end() != statement.end() {
        return None;
    }
    let range = outer.arguments.range();
    let before = TextRange::new(line.start(), range.start());
    let piece = Piece::Call("(".to_string(), arguments(outer).collect(), ")");
    let layout = Layout {
        module,
        width: limit,
    };
    let text = layout.piece(&piece, indent, width(module.text(before)) + longer_by, 0);
    Some(Edit::replace(range, text))
}
