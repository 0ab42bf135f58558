//! The tests of the test: a page that does not keep its word fails, and the report says why.

use std::sync::Arc;

use edit::{Applicability, Edit};
use engine::{Choices, Codemod, Context, On, OptionSpec, Rewrite, Verdict, withheld};
use libtest_mimic::Trial;
use python::Ranged;
use python::ast::{Expr, ExprCall, PythonVersion};

use crate::check;
use crate::interpreter::Interpreter;

static MODEL: Codemod = Codemod {
    name: "model",
    page: "",
    python: PythonVersion::PY37,
    headline: false,
    rules: &[],
    dated: None,
    options: &[OptionSpec {
        name: "style",
        help: "what `rename` becomes",
        choices: Choices::Words(&["renamed", "called"]),
    }],
    on: &[On::Call(&[".rename", ".keep", ".grow"], model)],
};

/// `x.rename()` => `x.renamed()`, and two ways to go wrong.
fn model<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Verdict {
    let Expr::Attribute(method) = &*call.func else {
        return Err(engine::Refusal::NotOurs);
    };
    let receiver = cx.module.text(&*method.value);
    let edit = match method.attr.as_str() {
        "keep" => return Err(withheld!("`{receiver}` stays: rename it by hand")),
        "grow" => Edit::replace(
            call.arguments.range(),
            cx.module.text(&call.arguments).replacen('(', "(0,", 1),
        ),
        _ => Edit::replace(method.attr.range(), cx.option("style")),
    };
    Ok(Rewrite {
        message: "`rename` is out of date".to_string(),
        applicability: Applicability::Safe,
        edits: vec![edit],
        python: None,
    })
}

/// What the page holds, and a part of the report that it must give; none where the page is right.
const PAGES: &[(&str, &str, Option<&str>)] = &[
    (
        "rewritten",
        "## Rewrites\n```diff safe\n x = 1\n\n-x.rename()\n+x.renamed()\n```",
        None,
    ),
    (
        "rewritten with an option",
        "## Rewrites\n```diff safe style=called\n-x.rename()\n+x.called()\n```",
        None,
    ),
    (
        "another text",
        "## Rewrites\n```diff safe\n-x.rename()\n+x.called()\n```",
        Some("-x.called()\n+x.renamed()"),
    ),
    (
        "another applicability",
        "## Rewrites\n```diff intended\n-x.rename()\n+x.renamed()\n```",
        Some("it is safe, and not intended"),
    ),
    (
        "nothing rewritten",
        "## Rewrites\n```diff safe\n-x.name()\n+x.renamed()\n```",
        Some("nothing is rewritten"),
    ),
    (
        "withheld and not rewritten",
        "## Rewrites\n```diff safe\n x.keep()\n-x.rename()\n+x.renamed()\n```",
        Some("withheld: `x` stays"),
    ),
    (
        "no fixed point",
        "## Rewrites\n```diff safe\n-x.grow()\n+x.grow(0,0,0,0,0,0,0,0,0,0,)\n```",
        Some("a second run: it is changed"),
    ),
    (
        "no Python",
        "## Rewrites\n```diff safe\n def\n-x.rename()\n+x.renamed()\n```",
        Some("the example is no Python"),
    ),
    (
        "refused by CPython",
        "## Left alone\n```python\nawait x\n```",
        Some("CPython refuses the example"),
    ),
    (
        "left alone",
        "## Left alone\nIt has\nanother name.\n```python\nx.name()\n```",
        None,
    ),
    (
        "not left alone",
        "## Left alone\n```python\nx.rename()\n```",
        Some("it is not left alone: there is a fix"),
    ),
    (
        "withheld where it should be left alone",
        "## Left alone\n```python\nx.keep()\n```",
        Some("it is not left alone: withheld"),
    ),
    (
        "withheld",
        "## Withheld\nOnly you know whether\n`x` stays: rename it by hand.\n```python\nx.keep()\n```",
        None,
    ),
    (
        "another reason",
        "## Withheld\n`y` stays: rename it by hand\n```python\nx.keep()\n```",
        Some("another reason is given:\n  `x` stays"),
    ),
    (
        "the reason of another block",
        "## Withheld\n`x` stays: rename it by hand\n```python\nx.keep()\n```\nSo, too:\n```python\nx.keep()\n```",
        Some("README.md:9: Withheld\nanother reason is given"),
    ),
    (
        "one of two reasons",
        "## Withheld\n`x` stays: rename it by hand\n```python\nx.keep()\ny.keep()\n```",
        Some("another reason is given:\n  `y` stays"),
    ),
    (
        "not reported",
        "## Withheld\nWhy\n```python\nx.name()\n```",
        Some("nothing is reported"),
    ),
    (
        "not withheld",
        "## Withheld\nWhy\n```python\nx.rename()\n```",
        Some("it is not withheld"),
    ),
    (
        "unknown option",
        "## Left alone\n```python colour=red\nx\n```",
        Some("has no option `colour`"),
    ),
    (
        "unknown word",
        "## Left alone\n```python quickly\nx\n```",
        Some("`quickly` is not known"),
    ),
    (
        "no applicability",
        "## Rewrites\n```diff\n-x.rename()\n+x.renamed()\n```",
        Some("after `diff` stands"),
    ),
    (
        "no diff",
        "## Rewrites\n```diff safe\n x = 1\n```",
        Some("the diff changes nothing"),
    ),
    (
        "a line without a mark",
        "## Rewrites\n```diff safe\n-x.rename()\n+x.renamed()\ny\n```",
        Some("a line of a diff starts with"),
    ),
    (
        "no language",
        "## Rewrites\n```\nx\n```",
        Some("without a language"),
    ),
    (
        "a misplaced program",
        "## Rewrites\n```python\nx\n```",
        Some("README.md:4: Rewrites\na `python` block"),
    ),
    (
        "a misplaced diff",
        "## Withheld\n```diff safe\n-x\n+y\n```",
        Some("nothing is rewritten"),
    ),
    (
        "every failure of a page",
        "## Left alone\n```python\nx.keep()\n```\n### Further\n```python\nx.rename()\n```",
        Some("withheld: `x` stays: rename it by hand\n\n--- codemods/model/README.md:8: Further\n"),
    ),
];

/// Programs on both sides: how they are run, what stands in the method before and in the one
/// after, and a part of the report.
const PROGRAMS: &[(&str, &str, &str, &str, Option<&str>)] = &[
    ("the same", "run", "print(1)", "print(1)", None),
    (
        "another output",
        "run",
        "print(1)",
        "print(2)",
        Some("stdout | 2"),
    ),
    (
        "another exit status",
        "run",
        "exit(3)",
        "pass",
        Some("behave differently"),
    ),
    (
        "failing alike",
        "run",
        "raise E",
        "raise E",
        Some("the programs fail"),
    ),
    ("differing", "run=differs", "print(1)", "print(2)", None),
    (
        "not differing",
        "run=differs",
        "print(1)",
        "print(1)",
        Some("behave the same"),
    ),
    (
        "failing before",
        "run=fails-before",
        "raise E",
        "print(1)",
        None,
    ),
    (
        "not failing before",
        "run=fails-before",
        "pass",
        "print(1)",
        Some("before succeeds"),
    ),
    (
        "failing after",
        "run=fails-before",
        "raise E",
        "raise E",
        Some("after fails"),
    ),
    (
        "run on a version that need not be there",
        "run target=py312",
        "pass",
        "pass",
        Some("3.11"),
    ),
    (
        "run in a way that is not known",
        "run=never",
        "pass",
        "pass",
        Some("`run=never`"),
    ),
];

pub fn trials(python: &Arc<Result<Interpreter, String>>) -> Vec<Trial> {
    let pages = PAGES
        .iter()
        .map(|(name, text, wanted)| (*name, (*text).to_string(), *wanted));
    let programs = PROGRAMS.iter().map(|(name, run, before, after, wanted)| {
        let text = format!(
            "## Rewrites\n```diff safe {run}\n from sys import exit\n class X:\n     def rename(self): {before}\n     def renamed(self): {after}\n-X().rename()\n+X().renamed()\n```"
        );
        (*name, text, *wanted)
    });
    let trial = |(name, text, wanted): (&'static str, String, Option<&'static str>)| {
        let python = Arc::clone(python);
        Trial::test(format!("harness: {name}"), move || {
            let python = python.as_ref().as_ref()?;
            let result = check::page(&MODEL, &format!("# model\n\n{text}\n"), python);
            match (result, wanted) {
                (Ok(()), None) => Ok(()),
                (Err(report), Some(wanted)) if report.contains(wanted) => Ok(()),
                (result, _) => Err(format!("{result:?}, wanted {wanted:?}").into()),
            }
        })
    };
    pages.chain(programs).map(trial).collect()
}
