//! `async with async_timeout.timeout(t):` => `async with asyncio.timeout(t):`

use edit::{Applicability, Edit};
use engine::{Codemod, Context, Dated, On, Refusal, Rewrite, Verdict, withheld};
use python::ast::{AnyNodeRef, Expr, ExprCall, PythonVersion};
use python::{BindingKind, Library, Ranged};

pub const CODEMOD: Codemod = Codemod {
    name: "async-timeout-to-timeout",
    page: include_str!("README.md"),
    python: PythonVersion::PY311,
    headline: false,
    rules: &[],
    dated: Some(Dated::SUPERSEDED),
    options: &[],
    on: &[On::Call(
        &["async_timeout.timeout", "async_timeout.timeout_at"],
        rewrite,
    )],
};

/// `async with async_timeout.timeout(t):` => `async with asyncio.timeout(t):`
///
/// Both cancel the task at the same time and turn the cancellation into the same `TimeoutError`:
/// with None, zero and negative times, nested, and when others cancel meanwhile (M36). What they
/// give to `as` differs: `expired` is a property there and a method here, and the rest has no
/// equal. So the argument stops where that is used, or where the object goes elsewhere.
fn rewrite<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let module = cx.module;
    if module.library() == Library::Other {
        return Err(Refusal::NotOurs); // its loop is not asyncio's
    }
    let name = match module.qualified_name(&call.func).as_deref() {
        Some("async_timeout.timeout_at") => "timeout_at",
        _ => "timeout",
    };
    let mut edits = used(cx, call)?;
    let func = module.parenthesized(&call.func);
    if !module.comments(func).is_empty() {
        return Err(withheld!(
            "a comment stands inside the name of the function: move it out"
        ));
    }
    match (&*call.arguments.args, &*call.arguments.keywords) {
        ([time], []) if !time.is_starred_expr() => {}
        ([], [keyword]) if keyword.arg.as_deref() == Some("delay") && name == "timeout" => {}
        ([], [keyword]) if keyword.arg.as_deref() == Some("deadline") && name == "timeout_at" => {
            let name = keyword.arg.as_ref().map(Ranged::range).unwrap_or_default();
            edits.push(Edit::replace(name, "when"));
        }
        (_, keywords) if keywords.iter().any(|it| it.arg.as_deref() == Some("loop")) => {
            return Err(withheld!(
                "`loop=` is an argument of async_timeout before 4.0, and `asyncio.{name}` takes the running loop: remove it, if it is the same"
            ));
        }
        _ => {
            return Err(withheld!(
                "`asyncio.{name}` takes one argument, the time: write it out"
            ));
        }
    }
    let import = cx.import(call, "asyncio")?;
    edits.push(Edit::replace(func, format!("{}.{name}", import.name)));
    edits.extend(import.edit);
    Ok(Rewrite {
        message: format!("the standard library has `asyncio.{name}`"),
        applicability: Applicability::Safe,
        edits,
        python: None,
    })
}

/// The edits to where the timeout itself is used, if it has the same uses in asyncio.
fn used<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Result<Vec<Edit>, Refusal> {
    let module = cx.module;
    let elsewhere = || {
        withheld!(
            "the timeout is not entered where it is made, and its methods are others in asyncio: write `async with` around the call, or look at what is done with it"
        )
    };
    let item = match module.parent(call) {
        Some(AnyNodeRef::WithItem(item)) => item,
        // await stack.enter_async_context(async_timeout.timeout(t))
        Some(AnyNodeRef::Arguments(_)) if is_entered(cx, call) => return Ok(Vec::new()),
        _ => return Err(elsewhere()),
    };
    let Some(AnyNodeRef::StmtWith(with)) = module.parent(item) else {
        return Err(elsewhere());
    };
    if !with.is_async {
        return Err(withheld!(
            "a plain `with` works up to async_timeout 3 and fails since 4.0, and in asyncio: write `async with`, in a coroutine"
        ));
    }
    match item.optional_vars.as_deref() {
        None => Ok(Vec::new()),
        Some(Expr::Name(name)) => {
            let symbol = module.symbol(name).ok_or_else(elsewhere)?;
            let is_local = matches!(
                module.scope_data(symbol.scope).kind,
                python::ScopeKind::Function(_)
            );
            let is_only = symbol.bindings.iter().all(|it| is_timeout(cx, it.kind));
            if !is_local || !is_only || symbol.named_in_string {
                return Err(withheld!(
                    "`{}` is bound to something else too, so that it does not show what is done with the timeout: give it a name of its own",
                    name.id
                ));
            }
            let (mut edits, mut others) = (Vec::new(), Vec::new());
            for read in &symbol.reads {
                match module.parent(module.node(*read)) {
                    Some(AnyNodeRef::ExprAttribute(attribute)) if attribute.ctx.is_load() => {
                        match attribute.attr.as_str() {
                            "expired" if module.is_printed_source(attribute) => {
                                return Err(withheld!(
                                    "`f\"{{...=}}\"` prints its source, which would change: write the text in front of the field"
                                ));
                            }
                            "expired" => edits.push(Edit::insert(attribute.end(), "()")),
                            other => others.push(other),
                        }
                    }
                    _ => return Err(elsewhere()),
                }
            }
            if let Some(other) = others.first() {
                return Err(withheld!(
                    "`{}.{other}` is not there in asyncio: write it with `when()` and `reschedule(...)`",
                    name.id
                ));
            }
            // Several timeouts of one name are rewritten by several fixes: all or none of them.
            if symbol.bindings.len() > 1 && !edits.is_empty() {
                return Err(withheld!(
                    "`{}` stands for several timeouts, and `expired` becomes a method: give each a name of its own",
                    name.id
                ));
            }
            Ok(edits)
        }
        Some(_) => Err(elsewhere()),
    }
}

fn is_timeout<'a>(cx: &Context<'a, '_>, kind: BindingKind<'a>) -> bool {
    match kind {
        BindingKind::With(Expr::Call(call), true) => ["timeout", "timeout_at"].iter().any(|name| {
            ["async_timeout", "asyncio"]
                .iter()
                .any(|module| cx.module.refers_to(&call.func, &format!("{module}.{name}")))
        }),
        _ => false,
    }
}

/// Whether an exit stack enters the timeout and nobody gets it.
fn is_entered<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let mut ancestors = cx.module.ancestors(call).skip(1);
    let (Some(AnyNodeRef::ExprCall(enter)), Some(AnyNodeRef::ExprAwait(_)), Some(statement)) =
        (ancestors.next(), ancestors.next(), ancestors.next())
    else {
        return false;
    };
    matches!(statement, AnyNodeRef::StmtExpr(_))
        && matches!(&*enter.func, Expr::Attribute(it) if it.attr.as_str() == "enter_async_context")
}
