//! The wrapper around a coroutine: what it is given, and what it awaits.

use engine::{Context, Layout, Piece, Refusal, withheld};
use python::ast::{self, AnyNodeRef, ArgOrKeyword, Expr, ExprCall, ExprName};
use python::{Awaitable, BindingKind, ScopeKind, Symbol};

use super::lists::{Element, Within};

/// `async def limited(x): ... await f(x)`, and `limited(x)` in the place of `f(x)`.
pub(super) struct Wrapper<'a> {
    /// The parameters of the wrapper, and what it is given for each.
    pub parameters: Vec<(String, Piece<'a>)>,
    /// What it awaits.
    pub awaited: Piece<'a>,
}

impl<'a> Wrapper<'a> {
    pub(super) fn of(cx: &Context<'a, '_>, element: &Element<'a>) -> Result<Self, Refusal> {
        if let Within::Map(map) = element.within {
            return mapped(cx, element.expr, map);
        }
        let comments = cx.module.comments(cx.module.parenthesized(element.expr));
        let strings = cx
            .module
            .has_multiline_string(cx.module.parenthesized(element.expr));
        if let Expr::Call(call) = element.expr
            && cx.module.refers_to(&call.func, "asyncio.wait_for")
            && let Some(waited) = call.arguments.args.first()
            && !waited.is_call_expr()
            && kind(cx, waited) != Some(Awaitable::Coroutine)
        {
            return Err(runs_already(cx, waited)); // a call makes it, a name may stand for a task
        }
        if let Expr::Call(call) = element.expr
            && comments.is_empty()
            && !strings
        {
            // Once for the names that stay in it, which no parameter must take, and once more.
            let mut first = Builder::new(cx, Vec::new());
            let whole = first.call(call);
            let mut builder = Builder::new(cx, first.kept);
            if whole.is_some()
                && let Some(awaited) = builder.call(call)
            {
                if kind(cx, element.expr).is_some_and(|kind| kind != Awaitable::Coroutine) {
                    return Err(runs_already(cx, element.expr));
                }
                return Ok(Self {
                    parameters: builder.parameters,
                    awaited,
                });
            }
        }
        match kind(cx, element.expr) {
            Some(Awaitable::Coroutine) => {}
            Some(_) => return Err(runs_already(cx, element.expr)),
            None => {
                return Err(withheld!(
                    "`{}` is not known to be a coroutine, and may run already, where no semaphore limits it: write a coroutine function for it",
                    cx.module.first_line(element.expr)
                ));
            }
        }
        // What is made and then cancelled before it starts is warned of: never awaited.
        Ok(Self {
            parameters: vec![("coroutine".to_string(), Piece::Expr(element.expr))],
            awaited: Piece::Text("coroutine".to_string()),
        })
    }
}

impl Wrapper<'_> {
    /// What tells it from others: its parameters, and what it awaits, where that is one line.
    pub(super) fn reads(&self, cx: &Context<'_, '_>) -> Option<(Vec<&str>, String)> {
        let layout = Layout {
            module: cx.module,
            width: cx.settings.line_length,
        };
        let parameters = self.parameters.iter().map(|(name, _)| name.as_str());
        Some((parameters.collect(), layout.flat_piece(&self.awaited)?))
    }
}

/// `map(f, xs)`, where `f` is a coroutine function of this module.
fn mapped<'a>(
    cx: &Context<'a, '_>,
    function: &'a Expr,
    map: &'a ExprCall,
) -> Result<Wrapper<'a>, Refusal> {
    let number = map.arguments.args.len() - 1;
    let names: Vec<String> = match cx.module.coroutine_function(function) {
        Some(definition) => definition
            .parameters
            .iter_non_variadic_params()
            .skip(usize::from(function.is_attribute_expr()))
            .take(number)
            .map(|it| it.name().to_string())
            .collect(),
        None => Vec::new(),
    };
    let whole = cx.module.parenthesized(function);
    if !cx.module.comments(whole).is_empty() {
        return Err(withheld!(
            "a comment stands in what `map` calls: move it before the statement"
        ));
    }
    let is_stable = |name: &ExprName| is_stable(cx, name) && !names.iter().any(|it| name.id == *it);
    // On one line, since it may stand on several only in the brackets of `map`.
    let text = match function {
        Expr::Name(name) if is_stable(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(name) if is_stable(name) => Some(format!("{}.{}", name.id, attribute.attr)),
            _ => None,
        },
        _ => None,
    };
    let Some(text) = text.filter(|_| names.len() == number) else {
        return Err(withheld!(
            "`{}` may be another function when it is called: write a comprehension of coroutines",
            cx.module.first_line(function)
        ));
    };
    Ok(Wrapper {
        awaited: Piece::Call(
            format!("{text}("),
            names.iter().map(|it| Piece::Text(it.clone())).collect(),
            ")",
        ),
        parameters: names
            .into_iter()
            .map(|it| (it.clone(), Piece::Text(it)))
            .collect(),
    })
}

/// What `expr` gives, whichever branch it takes: by its type where the module does not show it.
/// None where that is not known, or differs.
fn kind<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<Awaitable> {
    match expr {
        Expr::If(branch) => {
            let body = kind(cx, &branch.body);
            let orelse = kind(cx, &branch.orelse);
            body.filter(|kind| Some(*kind) == orelse)
        }
        _ => match cx.awaitable(expr) {
            Awaitable::Unknown => None,
            known => Some(known),
        },
    }
}

fn runs_already<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Refusal {
    withheld!(
        "`{}` gives a task or a future, which runs already, and no semaphore around it limits that: gather coroutines",
        cx.module.first_line(expr)
    )
}

/// Takes a call apart into what is evaluated where it was, and what the wrapper can evaluate
/// later: the call itself, constants, and names that are bound once.
struct Builder<'a, 'c, 'm> {
    cx: &'c Context<'a, 'm>,
    /// The names that stay in the call, found before: a parameter must not take them.
    taken: Vec<&'a str>,
    /// The names that stay in the call, as far as was seen.
    kept: Vec<&'a str>,
    parameters: Vec<(String, Piece<'a>)>,
}

impl<'a, 'c, 'm> Builder<'a, 'c, 'm> {
    fn new(cx: &'c Context<'a, 'm>, taken: Vec<&'a str>) -> Self {
        Self {
            cx,
            taken,
            kept: Vec::new(),
            parameters: Vec::new(),
        }
    }

    /// The call as the wrapper makes it; none where it has to be made where it was.
    fn call(&mut self, call: &'a ExprCall) -> Option<Piece<'a>> {
        if let Expr::Name(name) = &*call.func
            && !is_stable(self.cx, name)
        {
            return None; // another function in each turn
        }
        let func = self.callee(&call.func)?;
        let mut pieces = Vec::new();
        for (position, argument) in call.arguments.iter_source_order().enumerate() {
            let piece = match argument {
                ArgOrKeyword::Arg(Expr::Starred(_)) => return None, // it is unpacked there
                ArgOrKeyword::Arg(Expr::Generator(generator)) if !generator.parenthesized => {
                    return None;
                }
                ArgOrKeyword::Arg(expr) => {
                    let wanted = self.parameter_name(call, position, None, expr);
                    self.argument(expr, &wanted)?
                }
                ArgOrKeyword::Keyword(keyword) => {
                    let name = keyword.arg.as_deref()?; // `**options` is copied there
                    let wanted = self.parameter_name(call, position, Some(name), &keyword.value);
                    match self.argument(&keyword.value, &wanted)? {
                        Piece::Expr(_) => Piece::Keyword(keyword),
                        piece => {
                            let value = self.layout().flat_piece(&piece)?;
                            Piece::Text(format!("{name}={value}"))
                        }
                    }
                }
            };
            pieces.push(piece);
        }
        if pieces.is_empty() {
            return Some(Piece::Text(format!("{func}()"))); // nothing to break at
        }
        Some(Piece::Call(format!("{func}("), pieces, ")"))
    }

    /// The text of what is called.
    fn callee(&mut self, func: &'a Expr) -> Option<String> {
        match func {
            Expr::Name(name) => {
                self.keep(name);
                Some(name.id.to_string())
            }
            Expr::Attribute(attribute) => {
                let value = match &*attribute.value {
                    Expr::Call(call) if is_super(self.cx, call) => return None,
                    value @ (Expr::Name(_) | Expr::Attribute(_)) => self.callee(value)?,
                    value => {
                        let wanted = last_name(value).unwrap_or("instance").to_string();
                        self.given(value, &wanted)
                    }
                };
                Some(format!("{value}.{}", attribute.attr))
            }
            _ => None,
        }
    }

    /// An argument of the call.
    fn argument(&mut self, expr: &'a Expr, wanted: &str) -> Option<Piece<'a>> {
        match expr {
            Expr::Name(name) => {
                self.keep(name);
                Some(Piece::Expr(expr))
            }
            Expr::UnaryOp(operation) if operation.operand.is_number_literal_expr() => {
                Some(Piece::Expr(expr))
            }
            // A coroutine that the coroutine awaits: `wait_for(f(x), 1)`.
            Expr::Call(call) if self.is_awaited(call) => self.call(call),
            _ if expr.is_literal_expr() => Some(Piece::Expr(expr)),
            _ => Some(Piece::Text(self.given(expr, wanted))),
        }
    }

    /// Whether a call in the arguments only makes a coroutine.
    fn is_awaited(&self, call: &'a ExprCall) -> bool {
        if self.cx.module.awaitable_call(call) == Awaitable::Coroutine {
            return true;
        }
        let outer = self.cx.module.ancestors(call).nth(1);
        matches!(outer, Some(AnyNodeRef::ExprCall(outer))
            if self.cx.module.refers_to(&outer.func, "asyncio.wait_for")
                || self.cx.module.refers_to(&outer.func, "asyncio.gather"))
    }

    /// A name stays as it is; one that may mean something else later becomes a parameter.
    fn keep(&mut self, name: &'a ExprName) {
        self.kept.push(name.id.as_str());
        let is_parameter = self.parameters.iter().any(|(it, _)| *it == *name.id);
        if !is_parameter && !is_stable(self.cx, name) {
            let name = name.id.to_string();
            self.parameters.push((name.clone(), Piece::Text(name)));
        }
    }

    /// An expression that is evaluated where it was becomes a parameter, whose name this is.
    fn given(&mut self, expr: &'a Expr, wanted: &str) -> String {
        let is_free = |name: &str| {
            !self.taken.contains(&name) && !self.parameters.iter().any(|(it, _)| it == name)
        };
        let mut name = wanted.to_string();
        let mut number = 2;
        while !is_free(&name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        self.parameters.push((name.clone(), Piece::Expr(expr)));
        name
    }

    /// What to call the parameter for an argument: as the function calls it.
    fn parameter_name(
        &self,
        call: &'a ExprCall,
        position: usize,
        keyword: Option<&str>,
        expr: &'a Expr,
    ) -> String {
        if let Some(keyword) = keyword {
            return keyword.to_string();
        }
        let definition = self.cx.module.function_definition(&call.func);
        let own = definition.and_then(|definition| {
            let skipped = usize::from(call.func.is_attribute_expr());
            let mut parameters = definition.parameters.iter_non_variadic_params();
            parameters
                .nth(position + skipped)
                .map(|it| it.name().as_str())
        });
        let last = || last_name(expr).filter(|name| !hides(name));
        let Some(named) = own.or_else(last) else {
            return two_names(expr).unwrap_or_else(|| "argument".to_string());
        };
        // A constant, `self.LIMIT`, is none as a parameter.
        match named.to_ascii_lowercase() {
            lower if named.contains(char::is_lowercase) || hides(&lower) => named.to_string(),
            lower => lower,
        }
    }

    fn layout(&self) -> Layout<'a, 'm> {
        Layout {
            module: self.cx.module,
            width: self.cx.settings.line_length,
        }
    }
}

/// `super()` means the class and the first parameter of the function that it stands in.
fn is_super<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    cx.module.refers_to(&call.func, "builtins.super")
}

/// `clan_id` of `self.clan.id`, where the last name alone would hide something.
fn two_names(expr: &Expr) -> Option<String> {
    let Expr::Attribute(attribute) = expr else {
        return None;
    };
    let owner = match &*attribute.value {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(owner) => owner.attr.as_str(),
        _ => return None,
    };
    let name = format!("{}_{}", owner.trim_start_matches('_'), attribute.attr);
    Some(name.to_ascii_lowercase())
}

/// The last name in an expression: `id` of `item.id` and of `item["id"]`.
fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        Expr::Subscript(ast::ExprSubscript { slice, .. }) => match &**slice {
            Expr::StringLiteral(key) => {
                let key = key.value.to_str();
                let mut letters = key.chars();
                let is_identifier = letters
                    .next()
                    .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
                    && letters.all(|it| it.is_ascii_alphanumeric() || it == '_');
                is_identifier.then_some(key)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Keywords, which cannot be names, and the builtins that are attributes most often.
fn hides(name: &str) -> bool {
    matches!(
        name,
        "False"
            | "None"
            | "True"
            | "and"
            | "as"
            | "assert"
            | "async"
            | "await"
            | "break"
            | "class"
            | "continue"
            | "def"
            | "del"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "from"
            | "global"
            | "if"
            | "import"
            | "in"
            | "is"
            | "lambda"
            | "nonlocal"
            | "not"
            | "or"
            | "pass"
            | "raise"
            | "return"
            | "try"
            | "while"
            | "with"
            | "yield"
            | "__debug__"
            | "bytes"
            | "dict"
            | "dir"
            | "filter"
            | "format"
            | "hash"
            | "help"
            | "id"
            | "input"
            | "iter"
            | "len"
            | "list"
            | "map"
            | "max"
            | "min"
            | "next"
            | "object"
            | "open"
            | "range"
            | "repr"
            | "set"
            | "slice"
            | "str"
            | "sum"
            | "tuple"
            | "type"
            | "vars"
            | "zip"
    )
}

/// Whether a name means the same when the wrapper reads it as it does where the list is made: it
/// is bound once, and not anew for each turn of a loop.
fn is_stable<'a>(cx: &Context<'a, '_>, name: &'a ExprName) -> bool {
    let Some(symbol) = cx.module.symbol(name) else {
        return true; // a builtin
    };
    let is_definition = |kind: BindingKind<'a>| {
        matches!(
            kind,
            BindingKind::Import(_)
                | BindingKind::FromImport(..)
                | BindingKind::Function(_)
                | BindingKind::Class(_)
        )
    };
    match symbol.bindings.as_slice() {
        [binding] => {
            binding.from == symbol.scope
                && !is_comprehensions(cx, symbol)
                && !is_in_loop(cx, symbol)
                && (is_definition(binding.kind)
                    || matches!(
                        binding.kind,
                        BindingKind::Parameter
                            | BindingKind::Value(_)
                            | BindingKind::Unpacked(..)
                            | BindingKind::With(..)
                    ))
        }
        // `try: import a` and `except ImportError: import b as a`
        bindings => {
            symbol.scope == python::ScopeId::MODULE
                && bindings
                    .iter()
                    .all(|it| is_definition(it.kind) && it.from == symbol.scope)
        }
    }
}

fn is_comprehensions<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>) -> bool {
    matches!(
        cx.module.scope_data(symbol.scope).kind,
        ScopeKind::Comprehension
    )
}

/// Whether the one binding of a symbol is done once for each turn of a loop or comprehension.
fn is_in_loop<'a>(cx: &Context<'a, '_>, symbol: &Symbol<'a>) -> bool {
    symbol.bindings.iter().any(|binding| {
        if matches!(binding.kind, BindingKind::Parameter) {
            return false;
        }
        let definition = |node: &AnyNodeRef<'a>| {
            matches!(
                node,
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_)
            )
        };
        let node = cx.module.node(binding.node);
        cx.module
            .ancestors(node)
            .take_while(|around| !definition(around))
            .any(|around| {
                matches!(
                    around,
                    AnyNodeRef::StmtFor(_)
                        | AnyNodeRef::StmtWhile(_)
                        | AnyNodeRef::ExprListComp(_)
                        | AnyNodeRef::ExprSetComp(_)
                        | AnyNodeRef::ExprDictComp(_)
                        | AnyNodeRef::ExprGenerator(_)
                )
            })
    })
}
