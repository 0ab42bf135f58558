//! Statements and expressions.

use std::ops::Range;

use python::ast::{AnyNodeRef, PythonVersion, Stmt};
use python::{Module, Parsed, Ranged};

use super::{Mutate, line_end, line_start, newline, with};
use crate::chance::Chance;
use crate::seeds::{Scraps, dedented};

pub const ALL: &[Mutate] = &[
    delete_statement,
    duplicate_statement,
    swap_statements,
    insert_statement,
    insert_statement,
    replace_statement,
    wrap_statement,
    wrap_statement,
    wrap_statement,
    unwrap_statement,
    body_on_header_line,
    wrap_expression,
    wrap_expression,
    wrap_expression,
    replace_expression,
    replace_expression,
    nest_deeply,
    rename_everywhere,
    rename_once,
    shadow,
    shadow,
];

/// The text, with its tree.
struct Tree<'t> {
    text: &'t str,
    parsed: Parsed,
}

impl<'t> Tree<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let parsed = python::parse(text, PythonVersion::PY313).ok()?;
        Some(Self { text, parsed })
    }

    fn module(&self) -> Module<'_> {
        Module::new(self.text, &self.parsed)
    }

    /// Where the nodes stand that are wanted.
    fn ranges(&self, wanted: impl Fn(AnyNodeRef) -> bool) -> Vec<Range<usize>> {
        let module = self.module();
        let nodes = module.descendants(module.root()).filter(|it| wanted(*it));
        nodes.map(|node| node.range().into()).collect()
    }

    /// The statements that begin and end with a line: those lines.
    fn statements(&self) -> Vec<Range<usize>> {
        let whole = |range: Range<usize>| {
            let lines = line_start(self.text, range.start)..line_end(self.text, range.end);
            let before = &self.text[lines.start..range.start];
            let after = self.text[range.end..lines.end].trim_start();
            (before.trim().is_empty() && (after.is_empty() || after.starts_with('#')))
                .then_some(lines)
        };
        let statements = self.ranges(|node| node.is_statement()).into_iter();
        statements.filter_map(whole).collect()
    }

    fn expressions(&self) -> Vec<Range<usize>> {
        self.ranges(|node| node.is_expression())
    }
}

/// The blanks that a line begins with.
fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t', '\u{c}']).len()]
}

/// The lines with `indent` before each.
fn indented(lines: &str, indent: &str, newline: &str) -> String {
    let mut deep = String::new();
    for line in lines.lines() {
        if !line.trim().is_empty() {
            deep.push_str(indent);
            deep.push_str(line);
        }
        deep.push_str(newline);
    }
    deep
}

fn delete_statement(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let lines = chance.of(&Tree::of(text)?.statements())?.clone();
    let pass = format!("{}pass{}", indent(&text[lines.clone()]), newline(text));
    Some(with(text, lines, chance.of(&["", &pass])?))
}

fn duplicate_statement(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let lines = chance.of(&Tree::of(text)?.statements())?.clone();
    Some(with(text, lines.start..lines.start, &text[lines.clone()]))
}

fn swap_statements(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let statements = Tree::of(text)?.statements();
    let first = chance.of(&statements)?;
    let follows = |it: &&Range<usize>| it.start >= first.end;
    let second = statements.iter().find(follows)?;
    let between = &text[first.end..second.start];
    let swapped = [&text[second.clone()], between, &text[first.clone()]].concat();
    Some(with(text, first.start..second.end, &swapped))
}

fn insert_statement(chance: &mut Chance, text: &str, scraps: &Scraps) -> Option<String> {
    let lines = chance.of(&Tree::of(text)?.statements())?.clone();
    let scrap = chance.of(&scraps.statements)?;
    let scrap = indented(scrap, indent(&text[lines.clone()]), newline(text));
    let at = if chance.once_in(2) {
        lines.start
    } else {
        lines.end
    };
    Some(with(text, at..at, &scrap))
}

fn replace_statement(chance: &mut Chance, text: &str, scraps: &Scraps) -> Option<String> {
    let lines = chance.of(&Tree::of(text)?.statements())?.clone();
    let scrap = chance.of(&scraps.statements)?;
    let scrap = indented(scrap, indent(&text[lines.clone()]), newline(text));
    Some(with(text, lines, &scrap))
}

/// What is put around a statement: what stands in the place of `$`.
const AROUND: &[&str] = &[
    "async def wrapped():\n    $",
    "async def wrapped(asyncio, time):\n    $",
    "def wrapped():\n    $",
    "def wrapped():\n    $    yield",
    "class Wrapped:\n    $",
    "class Wrapped:\n    async def method(self):\n        $",
    "if x:\n    $",
    "if x:\n    pass\nelse:\n    $",
    "if TYPE_CHECKING:\n    $",
    "while True:\n    $    break\n",
    "for x in y:\n    $",
    "for x in y:\n    pass\nelse:\n    $",
    "async for x in y:\n    $",
    "try:\n    $except Exception:\n    pass\n",
    "try:\n    pass\nexcept asyncio.CancelledError:\n    $",
    "try:\n    pass\nexcept* ValueError:\n    $",
    "try:\n    $finally:\n    pass\n",
    "try:\n    pass\nfinally:\n    $",
    "with x:\n    $",
    "with x as asyncio, (y):\n    $",
    "async with x:\n    $",
    "async with asyncio.timeout(1):\n    $",
    "async with asyncio.TaskGroup() as tg:\n    $",
    "with contextlib.suppress(Exception):\n    $",
    "match x:\n    case [1, *_]:\n        $",
    "if __name__ == '__main__':\n    $",
    "@decorator\nasync def wrapped():\n    $",
    "@pytest.fixture\ndef wrapped():\n    $",
    "async def outer():\n    async def inner():\n        $    await inner()\n",
];

fn wrap_statement(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let lines = chance.of(&Tree::of(text)?.statements())?.clone();
    let (own, newline) = (indent(&text[lines.clone()]), newline(text));
    let inside = dedented(&text[lines.clone()]);
    let mut wrapped = String::new();
    for line in chance.of(AROUND)?.split_inclusive('\n') {
        let (header, rest) = line.split_once('$').unwrap_or((line, ""));
        wrapped.push_str(own);
        wrapped.push_str(header.trim_end_matches('\n'));
        if line.contains('$') {
            wrapped.truncate(wrapped.trim_end_matches([' ', '\t']).len());
            let unit = [own, header].concat();
            wrapped.push_str(&indented(&inside, &unit, newline));
            if !rest.trim().is_empty() {
                wrapped.push_str(own);
                wrapped.push_str(rest.trim_end_matches('\n'));
                wrapped.push_str(newline);
            }
        } else {
            wrapped.push_str(newline);
        }
    }
    Some(with(text, lines, &wrapped))
}

/// What a compound statement holds, in its place.
fn unwrap_statement(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tree = Tree::of(text)?;
    let lines = chance.of(&tree.statements())?.clone();
    let statement = &text[lines.clone()];
    let body = line_end(statement, 0);
    if body == statement.len() {
        return None;
    }
    let inside = dedented(&statement[body..]);
    let inside = indented(&inside, indent(statement), newline(text));
    Some(with(text, lines, &inside))
}

fn body_on_header_line(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tree = Tree::of(text)?;
    let module = tree.module();
    let bodies = module
        .descendants(module.root())
        .filter_map(|node| match node {
            AnyNodeRef::StmtFunctionDef(it) => Some(&it.body),
            AnyNodeRef::StmtIf(it) => Some(&it.body),
            AnyNodeRef::StmtWith(it) => Some(&it.body),
            AnyNodeRef::StmtFor(it) => Some(&it.body),
            AnyNodeRef::StmtTry(it) => Some(&it.body),
            _ => None,
        });
    let starts: Vec<usize> = bodies
        .filter_map(|body| body.first().map(Stmt::start))
        .map(|start| start.to_usize())
        .collect();
    let start = *chance.of(&starts)?;
    let header = text[..start].trim_end().len();
    Some(with(text, header..start, " "))
}

/// What is put around an expression, which stands in the place of `$`.
const OVER: &[&str] = &[
    "($)",
    "(\n    $\n)",
    "[$]",
    "($,)",
    "{$}",
    "{1: $}",
    "[$ for x in y]",
    "[x async for x in $]",
    "($ for x in y if $)",
    "{x: $ for x in y}",
    "(lambda: $)",
    "(lambda x=$: x)()",
    "f($)",
    "f(*[$])",
    "f(x=$, **{})",
    "(await $)",
    "await $",
    "($ if x else None)",
    "(x and $)",
    "(x or not $)",
    "(x := $)",
    "f\"{$}\"",
    "f'{$!r:>{y}}'",
    "$.x",
    "$()",
    "$[0]",
    "x[$:]",
    "(yield $)",
    "(yield from $)",
    "-$",
    "(1 + $)",
    "(0 < $ < 1)",
    "asyncio.gather($, $)",
    "asyncio.create_task($)",
    "asyncio.wait_for($, 1)",
    "asyncio.ensure_future($)",
    "asyncio.run($)",
    "time.sleep($)",
];

fn wrap_expression(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let range = chance.of(&Tree::of(text)?.expressions())?.clone();
    let wrapped = chance.of(OVER)?.replace('$', &text[range.clone()]);
    Some(with(text, range, &wrapped.replace('\n', newline(text))))
}

fn replace_expression(chance: &mut Chance, text: &str, scraps: &Scraps) -> Option<String> {
    let expressions = Tree::of(text)?.expressions();
    let range = chance.of(&expressions)?.clone();
    let other = match chance.once_in(2) {
        true => text[chance.of(&expressions)?.clone()].to_string(),
        false => chance.of(&scraps.expressions)?.clone(),
    };
    Some(with(text, range, &other))
}

fn nest_deeply(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let range = chance.of(&Tree::of(text)?.expressions())?.clone();
    let (before, after) =
        chance.of(&[("(", ")"), ("[", "]"), ("f(", ")"), ("-", ""), ("", "()")])?;
    let times = *chance.of(&[3, 20, 150])?;
    let nested = [
        &before.repeat(times),
        &text[range.clone()],
        &after.repeat(times),
    ]
    .concat();
    Some(with(text, range, &nested))
}

/// The names in the text, each once for each place.
fn names(text: &str) -> Option<Vec<Range<usize>>> {
    Some(Tree::of(text)?.ranges(|node| {
        matches!(
            node,
            AnyNodeRef::ExprName(_) | AnyNodeRef::Parameter(_) | AnyNodeRef::Alias(_)
        )
    }))
}

const NAMES: &[&str] = &[
    "asyncio",
    "time",
    "sleep",
    "gather",
    "loop",
    "self",
    "task",
    "tg",
    "results",
    "x",
    "print",
    "é",
    "_",
    "requests",
    "session",
    "client",
    "background_tasks",
    "TaskGroup",
    "match",
    "type",
];

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
}

fn rename_everywhere(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let names = names(text)?;
    let name = &text[chance.of(&names)?.clone()];
    let other = match chance.once_in(2) {
        true => chance.of(NAMES)?,
        false => &text[chance.of(&names)?.clone()],
    };
    if !is_name(name) || !is_name(other) {
        return None;
    }
    let mut changed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let end = at + name.len();
        let is_part =
            |letter: Option<char>| letter.is_some_and(|it| it.is_alphanumeric() || it == '_');
        let inside = is_part(rest[..at].chars().next_back()) || is_part(rest[end..].chars().next());
        changed.push_str(&rest[..at]);
        changed.push_str(if inside { name } else { other });
        rest = &rest[end..];
    }
    changed.push_str(rest);
    Some(changed)
}

fn rename_once(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let names = names(text)?;
    let range = chance.of(&names)?.clone();
    let other = match chance.once_in(2) {
        true => chance.of(NAMES)?,
        false => &text[chance.of(&names)?.clone()],
    };
    Some(with(text, range, other))
}

/// Statements that make another thing of the name that stands for `$`.
const SHADOWS: &[&str] = &[
    "$ = None",
    "$: int",
    "$ += 1",
    "del $",
    "global $",
    "nonlocal $",
    "import $",
    "import x as $",
    "from x import $",
    "from x import *",
    "def $(): pass",
    "async def $(*a, **k): pass",
    "class $: pass",
    "for $ in x: pass",
    "with x as $: pass",
    "try: pass\nexcept Exception as $: pass",
    "if ($ := x): pass",
    "match x:\n    case $: pass",
    "[$ for $ in x]",
    "type $ = int",
    "locals()",
    "exec('')",
    "__all__ = ['$']",
    "return $",
    "yield $",
    "raise $",
    "await $",
    "await $()",
];

fn shadow(chance: &mut Chance, text: &str, _: &Scraps) -> Option<String> {
    let tree = Tree::of(text)?;
    let lines = chance.of(&tree.statements())?.clone();
    let name = match chance.once_in(3) {
        true => chance.of(NAMES)?,
        false => &text[chance.of(&names(text)?)?.clone()],
    };
    let shadow = chance.of(SHADOWS)?.replace('$', name);
    let shadow = indented(&shadow, indent(&text[lines.clone()]), newline(text));
    let at = if chance.once_in(2) {
        lines.start
    } else {
        lines.end
    };
    Some(with(text, at..at, &shadow))
}
