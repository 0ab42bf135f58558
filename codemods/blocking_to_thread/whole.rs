//! An expression that moves to a thread as one: `sorted(folder.glob("*"))`, `a.exists() and a.is_file()`,
//! `[path for path in folder.iterdir() if path.is_file()]`.

use edit::Edit;
use engine::{Context, Refusal};
use python::ast::{AnyNodeRef, Comprehension, Expr, ExprCall};
use python::{CONSUMERS, Ranged, TextRange};

use super::arguments::Given;
use super::effects::{self, own_nodes};
use super::hop::Hop;
use super::lines::{in_its_line, laid_out_anew};
use super::meaning::{Callee, callee};
use super::{kind, reach, special, surroundings};

/// What moves as one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole<'a> {
    /// The expression, or the one that some operands of `and` and `or` are of.
    node: AnyNodeRef<'a>,
    /// The text that moves.
    range: TextRange,
}

/// The expression that `call`, which blocks, moves with, if it moves with one: the largest.
pub(super) fn of<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> Option<Whole<'a>> {
    let module = cx.module;
    let mut found = None;
    let mut inner: AnyNodeRef<'a> = call.into();
    for outer in module.ancestors(call) {
        if outer.is_statement() || matches!(outer, AnyNodeRef::ExprLambda(_)) {
            break;
        }
        let node = match outer {
            AnyNodeRef::ExprBoolOp(operation) => {
                operands(cx, &operation.values).map(|range| Whole { node: outer, range })
            }
            AnyNodeRef::ExprListComp(it) => comprehension(cx, outer, &it.generators),
            AnyNodeRef::ExprSetComp(it) => comprehension(cx, outer, &it.generators),
            AnyNodeRef::ExprDictComp(it) => comprehension(cx, outer, &it.generators),
            AnyNodeRef::ExprCall(it) => consumes(cx, it, inner).then(|| Whole {
                node: outer,
                range: outer.range(),
            }),
            _ => None,
        };
        if let Some(whole) = node
            && whole.range.contains_range(call.range())
        {
            if !may_move(cx, whole) {
                break;
            }
            found = Some(whole);
        }
        if outer.is_expression() {
            inner = outer;
        }
    }
    found
}

/// Whether what stands there may be in a lambda.
fn may_move<'a>(cx: &Context<'a, '_>, whole: Whole<'a>) -> bool {
    own_nodes(cx, whole.node)
        .filter(|node| whole.range.contains_range(node.range()))
        .all(|node| {
            !matches!(
                node,
                AnyNodeRef::ExprAwait(_)
                    | AnyNodeRef::ExprYield(_)
                    | AnyNodeRef::ExprYieldFrom(_)
                    | AnyNodeRef::ExprNamed(_)
            ) && !matches!(node, AnyNodeRef::Comprehension(clause) if clause.is_async)
        })
}

/// The operands from the first to the last that ask a file system, where more than one does and
/// the others between them only compute.
fn operands<'a>(cx: &Context<'a, '_>, values: &'a [Expr]) -> Option<TextRange> {
    let asks = |value: &&'a Expr| looks_at_files(cx, (*value).into());
    let (first, last) = (values.iter().find(asks)?, values.iter().rfind(asks)?);
    if first.range() == last.range() {
        return None;
    }
    let range = TextRange::new(
        cx.module.parenthesized(first).start(),
        cx.module.parenthesized(last).end(),
    );
    let between = values.iter().filter(|it| range.contains_range(it.range()));
    let is_known = |value: &'a Expr| {
        let effects = effects::of_block(cx, value.into(), &[]);
        let calls = effects.blocking.iter();
        effects.obstacle.is_none()
            && effects.doubt.is_none()
            && calls.map(|it| it.category).all(kind::files)
    };
    between.clone().all(is_known).then_some(range)
}

/// A comprehension over the files of a folder.
fn comprehension<'a>(
    cx: &Context<'a, '_>,
    node: AnyNodeRef<'a>,
    generators: &'a [Comprehension],
) -> Option<Whole<'a>> {
    let over = &generators.first()?.iter;
    let effects = effects::of_block(cx, node, &[]);
    let is_of_files = effects.blocking.iter().all(|it| kind::files(it.category));
    (surroundings::lists_files(cx, over, 4) && is_of_files).then(|| Whole {
        node,
        range: node.range(),
    })
}

/// Whether a call goes through all of what `inner`, its first argument, gives: an iterator over
/// files, or what is found out about each of them.
fn consumes<'a>(cx: &Context<'a, '_>, outer: &'a ExprCall, inner: AnyNodeRef<'a>) -> bool {
    let Some(first) = outer.arguments.args.first() else {
        return false;
    };
    let is_consumer = match &*outer.func {
        // `", ".join(...)`
        Expr::Attribute(method) if method.attr.as_str() == "join" => {
            method.value.is_string_literal_expr()
        }
        func => cx
            .module
            .builtin(func)
            .is_some_and(|name| name == "next" || CONSUMERS.contains(&name)),
    };
    if !is_consumer || first.range() != inner.range() {
        return false;
    }
    match first {
        Expr::Call(call) => match callee(cx, call) {
            Callee::Blocking(blocking) => blocking.is_iterator(),
            // `list(lines(path))`
            Callee::Function(function) => {
                let reach = reach::of(cx, function, Given::alone(cx, call));
                reach.is_generator && reach.path.is_some()
            }
            Callee::Named(name) => reach::of_imported(cx, &name, Given::alone(cx, call))
                .is_some_and(|reach| reach.is_generator && reach.path.is_some()),
            Callee::Unknown => false,
        },
        Expr::Generator(generator) => {
            let effects = effects::of_block(cx, first.into(), &[]);
            !effects.blocking.is_empty()
                && effects.blocking.iter().all(|it| kind::files(it.category))
                && !generator.generators.is_empty()
        }
        Expr::ListComp(it) => comprehension(cx, first.into(), &it.generators).is_some(),
        Expr::SetComp(it) => comprehension(cx, first.into(), &it.generators).is_some(),
        _ => false,
    }
}

/// Whether an expression has a call that asks a file system, which would take a step to a thread.
fn looks_at_files<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    own_nodes(cx, node).any(|node| match node {
        AnyNodeRef::ExprCall(call) => match callee(cx, call) {
            Callee::Blocking(blocking) => {
                kind::files(blocking.group.category) && !special::is_quick(cx, call, &blocking)
            }
            _ => false,
        },
        _ => false,
    })
}

impl<'a> Whole<'a> {
    /// Where it stands.
    pub(super) fn node(&self) -> AnyNodeRef<'a> {
        self.node
    }

    /// What it does in the thread.
    pub(super) fn effects(&self, cx: &Context<'a, '_>) -> effects::Effects {
        match self.node {
            // That its operands may go was asked before.
            AnyNodeRef::ExprBoolOp(_) => effects::Effects::default(),
            node => effects::of_block(cx, node, &[]),
        }
    }

    /// `sorted(path.glob("*"))` => `await asyncio.to_thread(lambda: sorted(path.glob("*")))`
    pub(super) fn edits(&self, cx: &Context<'a, '_>, hop: &Hop) -> Result<Vec<Edit>, Refusal> {
        let module = cx.module;
        cx.check_unprinted(self.node)?;
        let (before, after) = if is_trailed(cx, self.node) {
            ("(", "))")
        } else {
            ("", ")")
        };
        let mut edits = hop.edits.clone();
        let open = format!("{before}await {}(lambda: ", hop.name);
        let text = module.text(self.range);
        let new = format!("{open}{text}{after}");
        let laid_out =
            in_its_line(cx, self.range, &new).or_else(|| laid_out_anew(cx, self.range, &new));
        if let Some(edit) = laid_out {
            edits.push(edit);
        } else {
            edits.push(Edit::insert(self.range.start(), open));
            edits.push(Edit::insert(self.range.end(), after));
        }
        Ok(edits)
    }
}

/// Whether something follows that belongs to the result: `[...][0]`.
fn is_trailed<'a>(cx: &Context<'a, '_>, node: AnyNodeRef<'a>) -> bool {
    match node {
        AnyNodeRef::ExprCall(call) => cx.module.is_trailed(call),
        _ => match cx.module.parent(node) {
            Some(AnyNodeRef::ExprSubscript(outer)) => {
                outer.value.range() == node.range()
                    && cx.module.parenthesized(&outer.value) == node.range()
            }
            _ => false,
        },
    }
}
