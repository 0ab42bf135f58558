//! Codemods that are wrong, each in its way: what has to catch them is tested by them.
//!
//! They are compiled with the feature `wrong-codemods` only, which nothing but `tests/wrong_codemods` sets.

use edit::{Applicability, Edit};
use engine::{Codemod, Context, On, Refusal, Rewrite, Verdict};
use python::Ranged;
use python::ast::{AnyNodeRef, ExprCall, NodeKind, PythonVersion, Stmt};

const MODEL: Codemod = Codemod {
    name: "",
    page: "",
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: None,
    options: &[],
    on: &[],
};

/// `asyncio.sleep(1)` => `asyncio.sleep(1))`, which is no Python.
pub static BREAKS_SYNTAX: Codemod = Codemod {
    name: "wrong-breaks-syntax",
    page: "# wrong-breaks-syntax\n\nA bracket too many.\n\n## Effect\n\nNone.\n",
    on: &[On::Call(&["asyncio.sleep"], |_, call| {
        Ok(rewrite(vec![Edit::insert(call.end(), ")")]))
    })],
    ..MODEL
};

/// `asyncio.gather(f(),  # first` => `asyncio.gather(f(),`: still Python, and a comment less.
pub static LOSES_COMMENT: Codemod = Codemod {
    name: "wrong-loses-comment",
    page: "# wrong-loses-comment\n\nA comment too few.\n\n## Effect\n\nNone.\n",
    on: &[On::Call(&["asyncio.gather"], |cx, call| {
        let Some(comment) = cx.module.comments(call.range()).first() else {
            return Err(Refusal::NotOurs);
        };
        Ok(rewrite(vec![Edit::delete(*comment)]))
    })],
    ..MODEL
};

/// Two expressions that are awaited one after the other, the other way round.
pub static SWAPS_STATEMENTS: Codemod = Codemod {
    name: "wrong-swaps-statements",
    page: "# wrong-swaps-statements\n\nThe second first.\n\n## Effect\n\nNone.\n",
    on: &[On::Node {
        kinds: &[NodeKind::StmtExpr],
        words: &["await"],
        decide: |cx, node| swap(cx, node),
    }],
    ..MODEL
};

/// `asyncio.sleep(1)` => `asyncio.sleep(0)`: nobody sleeps any more.
pub static DROPS_SLEEP: Codemod = Codemod {
    name: "wrong-drops-sleep",
    page: "# wrong-drops-sleep\n\nNo rest.\n\n## Effect\n\nNone.\n",
    on: &[On::Call(&["asyncio.sleep"], |cx, call| {
        let [seconds, ..] = &*call.arguments.args else {
            return Err(Refusal::NotOurs);
        };
        if cx.module.text(seconds) == "0" {
            return Err(Refusal::NotOurs);
        }
        Ok(rewrite(vec![Edit::replace(seconds.range(), "0")]))
    })],
    ..MODEL
};

/// `gather(f(), g())` => `gather(f(), g(), return_exceptions=True)`: the same, until something fails.
pub static HIDES_FAILURE: Codemod = Codemod {
    name: "wrong-hides-failure",
    page: "# wrong-hides-failure\n\nNothing fails.\n\n## Effect\n\nNone.\n",
    on: &[On::Call(&["asyncio.gather"], hide_failure)],
    ..MODEL
};

fn rewrite(edits: Vec<Edit>) -> Rewrite {
    Rewrite {
        message: "this is wrong".to_string(),
        applicability: Applicability::Safe,
        edits,
        python: None,
    }
}

fn swap<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> Verdict {
    let AnyNodeRef::StmtExpr(first) = node else {
        return Err(Refusal::NotOurs);
    };
    let Some((body, position)) = cx.module.siblings(first) else {
        return Err(Refusal::NotOurs);
    };
    let Some(Stmt::Expr(second)) = body.get(position + 1) else {
        return Err(Refusal::NotOurs);
    };
    // Once is enough: the next round would swap them back.
    let (one, other) = (cx.module.text(first), cx.module.text(second));
    if !(first.value.is_await_expr() && second.value.is_await_expr() && one < other) {
        return Err(Refusal::NotOurs);
    }
    Ok(rewrite(vec![
        Edit::replace(first.range(), other),
        Edit::replace(second.range(), one),
    ]))
}

fn hide_failure<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let Some(last) = call.arguments.args.last() else {
        return Err(Refusal::NotOurs);
    };
    let awaited = matches!(cx.module.parent(call), Some(AnyNodeRef::ExprAwait(_)));
    if !awaited || !call.arguments.keywords.is_empty() {
        return Err(Refusal::NotOurs);
    }
    Ok(rewrite(vec![Edit::insert(
        cx.module.parenthesized(last).end(),
        ", return_exceptions=True",
    )]))
}
