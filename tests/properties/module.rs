//! Small Python modules, put together from the shapes that the codemods know.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A module before it has a layout.
#[derive(Clone)]
pub struct Source {
    header: Vec<&'static str>,
    body: Vec<Node>,
    style: Style,
}

#[derive(Clone, Copy, Debug)]
struct Style {
    indent: &'static str,
    newline: &'static str,
    ends_in_newline: bool,
    shebang: bool,
}

#[derive(Clone, Debug)]
enum Node {
    /// Simple statements on one line, with a comment after them.
    Line(Vec<Simple>, bool),
    /// A comment on a line of its own.
    Comment,
    Blank,
    /// The clauses of a compound statement: a header without its colon, and what it holds.
    Block(Vec<(&'static str, Vec<Node>)>, Layout),
}

/// A statement, with an expression in the place of each `$`.
#[derive(Clone, Copy, Debug)]
struct Simple {
    statement: &'static str,
    expression: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Indented,
    /// What the clause holds stands on the header's line, if that is possible.
    OnHeaderLine,
}

const HEADERS: &[&str] = &[
    "import asyncio",
    "import time",
    "import asyncio as aio",
    "from time import sleep",
    "from time import sleep as nap",
    "import os, time",
    "from asyncio import gather, create_task",
    "import trio",
    "from __future__ import annotations",
    "\"\"\"Text\nof several lines.\n\"\"\"",
    "import asyncio; import time",
    "from typing import (\n    TYPE_CHECKING,  # COMMENT\n    Any,\n)",
    "if TYPE_CHECKING:\n    import asyncio",
    "try:\n    import time\nexcept ImportError:\n    time = None",
    "loop = asyncio.get_event_loop()",
    "async def f(x=0): return x",
    "async def coro(*xs):\n    await asyncio.sleep(0)",
    "background_tasks = set()",
    "__all__ = [\"time\"]",
];

/// `AWAIT ` is written where a coroutine's own code is.
const EXPRESSIONS: &[&str] = &[
    "time.sleep(1)",
    "sleep(x)",
    "nap(0.5)",
    "time.sleep(-1)",
    "time.sleep(\n    1,  # COMMENT\n)",
    "(time.sleep)(time.sleep(1))",
    "AWAIT time.sleep(2)",
    "AWAIT asyncio.gather(f(), g())",
    "AWAIT asyncio.gather(f(1), g(x, y), f(time.sleep(1)))",
    "AWAIT aio.gather(f(), f())",
    "AWAIT gather(f())",
    "AWAIT asyncio.gather(*[f(x) for x in xs])",
    "AWAIT asyncio.gather(*[f(x) for x in xs if x], g())",
    "AWAIT asyncio.gather(*(f(x) for x in xs))",
    "AWAIT asyncio.gather(*coros)",
    "AWAIT asyncio.gather(*tasks)",
    "AWAIT asyncio.gather(*map(f, xs))",
    "AWAIT asyncio.gather(f(), other(), task)",
    "AWAIT asyncio.gather(f(), g(), return_exceptions=True)",
    "AWAIT asyncio.gather(f(), g(), return_exceptions=False)",
    "AWAIT asyncio.gather(\n    f(),  # COMMENT\n    # COMMENT\n    g(\"\"\"a\n  b\"\"\"),\n    # COMMENT\n)",
    "AWAIT asyncio.gather(f(), asyncio.gather(f(), g()))",
    "AWAIT asyncio.gather(f(), AWAIT asyncio.gather(f(), g()))",
    "AWAIT asyncio.gather()",
    "AWAIT asyncio.gather(asyncio.create_task(f()), asyncio.sleep(1))",
    "AWAIT asyncio.gather(f(\"é→\"), g(f\"{x!r:>{y}}\"))",
    "AWAIT asyncio.wait_for(asyncio.gather(f(), g()), 5)",
    "AWAIT asyncio.wait_for(asyncio.gather(f(), g()), timeout=x)",
    "AWAIT asyncio.sleep(0)",
    "AWAIT f()",
    "asyncio.gather(f(), g())",
    "asyncio.create_task(f())",
    "asyncio.create_task(f(), name=\"a\")",
    "create_task(g(1))",
    "asyncio.ensure_future(f())",
    "loop.create_task(f())",
    "asyncio.get_running_loop().create_task(f(x))",
    "asyncio.create_task(f()).add_done_callback(print)",
    "asyncio.create_task(\n    # COMMENT\n    f(),\n)",
    "asyncio.run_coroutine_threadsafe(f(), loop)",
    "asyncio.get_event_loop().run_until_complete(f())",
    "asyncio.get_event_loop().run_until_complete(asyncio.gather(f(), g()))",
    "loop.run_until_complete(f())",
    "loop.run_until_complete(\n    f(1),  # COMMENT\n)",
    "asyncio.run(f())",
    "asyncio.new_event_loop()",
    "asyncio.get_event_loop()",
    "loop.close()",
    "loop.run_until_complete(loop.shutdown_asyncgens())",
    "asyncio.set_event_loop(loop)",
    "tg",
    "task",
];

const STATEMENTS: &[&str] = &[
    "$",
    "$",
    "$",
    "x = $",
    "x = y = $",
    "x: int = $",
    "a, b = $",
    "a, *b = $",
    "(a, b), c = $",
    "self.x = $",
    "d[x] = $",
    "x += $",
    "d[x] += $",
    "tasks = $",
    "tasks = [$]",
    "task = $",
    "loop = $",
    "tasks.append($)",
    "return $",
    "yield $",
    "print($)",
    "print(x, $, y)",
    "print(f(), $)",
    "($)",
    "x = ($).real",
    "x = $[0]",
    "x = $.real",
    "x = $ + $",
    "x = y and $",
    "x = $ if y else None",
    "x = 0 < $ < 2",
    "x = [$ for x in xs]",
    "x = [$ for x in xs for y in $]",
    "x = {x: $ for x in xs}",
    "x = any($ for x in xs)",
    "x = [x for x in $]",
    "print(y := $)",
    "lambda: $",
    "call(lambda x=$: x)",
    "assert $, $",
    "raise ValueError($)",
    "del x",
    "x = f(*$, **d)",
    "global x",
    "pass",
    "x = \"\"\"a\n  b\"\"\" + str($)",
    "x = \\\n    $",
];

const CLAUSES: &[&[&str]] = &[
    &["async def main()"],
    &["async def main(self, x, *xs, y=None)"],
    &["async def main(xs)"],
    &["async def f(asyncio)"],
    &["async def stop(self)"],
    &["async def __aexit__(self, *a)"],
    &["def main()"],
    &["def main(tg, task, tasks)"],
    &["@cached\nasync def g()"],
    &["class A"],
    &["class A(B, c=time.sleep(1))"],
    &["if x"],
    &["if x", "else"],
    &["if $", "elif $", "else"],
    &["if __name__ == \"__main__\""],
    &["for x in xs"],
    &["for x in $", "else"],
    &["while x", "else"],
    &["while $"],
    &["try", "finally"],
    &["try", "except ValueError as e"],
    &["try", "except Exception"],
    &["try", "except KeyboardInterrupt", "else", "finally"],
    &["try", "except* ValueError"],
    &["try", "except"],
    &["with lock"],
    &["with open(x) as f"],
    &["with contextlib.suppress(ValueError)"],
    &["with open($) as f, lock"],
    &["ASYNC with lock"],
    &["ASYNC with asyncio.TaskGroup() as tg"],
    &["ASYNC for x in xs"],
];

fn simple() -> impl Strategy<Value = Simple> {
    (select(STATEMENTS), select(EXPRESSIONS)).prop_map(|(statement, expression)| Simple {
        statement,
        expression,
    })
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        8 => (vec(simple(), 1..3), any::<bool>()).prop_map(|(line, comment)| Node::Line(line, comment)),
        1 => Just(Node::Comment),
        1 => Just(Node::Blank),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let clauses = select(CLAUSES).prop_flat_map(move |headers| {
            let bodies = vec(vec(inner.clone(), 1..4), headers.len());
            bodies.prop_map(move |bodies| headers.iter().copied().zip(bodies).collect::<Vec<_>>())
        });
        let layout = prop_oneof![4 => Just(Layout::Indented), 1 => Just(Layout::OnHeaderLine)];
        (clauses, layout).prop_map(|(clauses, layout)| Node::Block(clauses, layout))
    })
}

/// A coroutine, in which most of what is known has its place.
fn coroutine() -> impl Strategy<Value = Node> {
    let headers = &["async def main()", "async def work(self, xs)", "def run()"][..];
    (select(headers), vec(node(), 1..5))
        .prop_map(|(header, body)| Node::Block(vec![(header, body)], Layout::Indented))
}

pub fn source() -> impl Strategy<Value = Source> {
    let style = (
        select(&["    ", "    ", "  ", "\t"][..]),
        select(&["\n", "\n", "\r\n"][..]),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(indent, newline, ends_in_newline, shebang)| Style {
            indent,
            newline,
            ends_in_newline,
            shebang,
        });
    (
        prop::bool::weighted(0.8),
        vec(select(HEADERS), 0..4),
        vec(prop_oneof![2 => coroutine(), 1 => node()], 1..4),
        style,
    )
        .prop_map(|(is_usual, header, body, style)| Source {
            header: [
                "import asyncio",
                "async def f(*x): return x",
                "async def g(*x): pass",
            ]
            .into_iter()
            .filter(|_| is_usual)
            .chain(header)
            .collect(),
            body,
            style,
        })
}

impl Source {
    /// The text of the module. Every comment in it is another.
    pub fn text(&self) -> String {
        let mut writer = Writer {
            lines: Vec::new(),
            comments: 0,
            indent: self.style.indent,
        };
        if self.style.shebang {
            writer.lines.push("#!/usr/bin/env python3".to_string());
        }
        for header in &self.header {
            writer.statement("", header, false, "");
        }
        for node in &self.body {
            writer.node(node, 0, false);
        }
        let mut text = writer.lines.join("\n");
        if self.style.ends_in_newline {
            text.push('\n');
        }
        text.replace('\n', self.style.newline)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        write!(formatter, "{text:?}, which is\n{text}")
    }
}

struct Writer {
    lines: Vec<String>,
    comments: usize,
    indent: &'static str,
}

impl Writer {
    fn comment(&mut self) -> String {
        self.comments += 1;
        format!("# comment {}", self.comments)
    }

    /// A statement, whose further lines are given with four spaces where they are indented.
    fn statement(&mut self, indent: &str, text: &str, in_coroutine: bool, after: &str) {
        let mut text = text.to_string();
        text = text.replace("AWAIT ", if in_coroutine { "await " } else { "" });
        while let Some(at) = text.find("# COMMENT") {
            let comment = self.comment();
            text.replace_range(at..at + "# COMMENT".len(), &comment);
        }
        for line in text.split('\n') {
            let line = match line.strip_prefix("    ") {
                Some(rest) => format!("{}{rest}", self.indent),
                None => line.to_string(),
            };
            // What is inside of a string stays where it is; it does no harm to indent it.
            self.lines.push(format!("{indent}{line}"));
        }
        if let Some(last) = self.lines.last_mut() {
            last.push_str(after);
        }
    }

    fn line(simple: &[Simple]) -> String {
        let parts: Vec<String> = simple
            .iter()
            .map(|it| it.statement.replace('$', it.expression))
            .collect();
        parts.join("; ")
    }

    fn node(&mut self, node: &Node, depth: usize, in_coroutine: bool) {
        let indent = self.indent.repeat(depth);
        match node {
            Node::Blank => self.lines.push(String::new()),
            Node::Comment => {
                let comment = self.comment();
                self.lines.push(format!("{indent}{comment}"));
            }
            Node::Line(simple, commented) => {
                let text = Self::line(simple);
                let after = if *commented {
                    format!("  {}", self.comment())
                } else {
                    String::new()
                };
                self.statement(&indent, &text, in_coroutine, &after);
            }
            Node::Block(clauses, layout) => {
                for (header, body) in clauses {
                    self.clause(header, body, *layout, depth, in_coroutine);
                }
            }
        }
    }

    fn clause(
        &mut self,
        header: &str,
        body: &[Node],
        layout: Layout,
        depth: usize,
        in_coroutine: bool,
    ) {
        let indent = self.indent.repeat(depth);
        let inside = if header.contains("async def") {
            true
        } else {
            in_coroutine && !header.starts_with("def") && !header.starts_with("class")
        };
        let header = header
            .replace("ASYNC ", if in_coroutine { "async " } else { "" })
            .replace('$', "time.sleep(1)");
        if layout == Layout::OnHeaderLine
            && let [Node::Line(simple, _), ..] = body
        {
            let text = Self::line(simple);
            self.statement(&indent, &format!("{header}: {text}"), inside, "");
            return;
        }
        self.statement(&indent, &header, in_coroutine, ":");
        let has_statement = |node: &Node| matches!(node, Node::Line(..) | Node::Block(..));
        for node in body {
            self.node(node, depth + 1, inside);
        }
        if !body.iter().any(has_statement) {
            self.lines.push(format!("{indent}{}pass", self.indent));
        }
    }
}
