//! The event loop that a run happens on: where it comes from, and everything that uses it.

use python::ast::{self, AnyNodeRef, Expr, ExprCall, StmtFunctionDef};
use python::{AwaitPlace, BindingKind, Module, Ranged, Symbol, TextSize};

/// Where a loop comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// `asyncio.get_event_loop()`: the current one, which other code can get as well.
    Current,
    /// `asyncio.new_event_loop()`: a new one, of the kind that the policy says.
    New,
    /// `uvloop.new_event_loop()`, `asyncio.ProactorEventLoop()`, ...: a new one of another kind.
    Custom(&'a ExprCall),
}

/// The code in which a loop is made and used.
#[derive(Clone, Copy, Debug)]
pub enum Home<'a> {
    /// Statements of the module itself, also inside its `if`, `try`, `for` and `with`.
    Module,
    /// The body of a plain function.
    Function(&'a StmtFunctionDef),
}

/// What is done with a loop.
#[derive(Clone, Copy, Debug)]
pub enum Use<'a> {
    /// `loop.run_until_complete(...)`.
    Run(&'a ExprCall),
    /// `loop.run_until_complete(loop.shutdown_asyncgens())` as a statement.
    Shutdown(AnyNodeRef<'a>),
    /// `loop.close()` as a statement.
    Close(AnyNodeRef<'a>),
    /// `asyncio.set_event_loop(loop)` as a statement.
    Current(AnyNodeRef<'a>),
    /// `asyncio.set_event_loop(None)` as a statement after a run.
    Unset(AnyNodeRef<'a>),
    /// `loop.set_debug(value)` as a statement.
    Debug(AnyNodeRef<'a>, &'a Expr),
    /// Anything else: the expression that stands for the loop.
    Other(AnyNodeRef<'a>),
}

/// One loop with all its uses.
#[derive(Debug)]
pub struct Loop<'a> {
    pub home: Home<'a>,
    pub source: Source<'a>,
    /// The statements `loop = ...`.
    pub bindings: Vec<AnyNodeRef<'a>>,
    /// By position.
    pub uses: Vec<Use<'a>>,
    /// Whether one of the bindings makes it the current loop as well.
    set_where_made: bool,
}

/// Why a receiver of `run_until_complete` is no loop whose uses are all known.
#[derive(Clone, Copy, Debug)]
pub enum Unknown<'a> {
    /// An attribute, an item, ...: whatever can reach it can use it.
    Stored,
    /// A parameter of this function.
    Parameter(&'a str),
    /// A name that is bound in several places.
    Several,
    /// A name of another scope.
    Foreign,
    /// Bound to something else, or not at all.
    Origin,
    /// An instance of a class of this module that is no loop.
    NoLoop,
    /// In a lambda, a class body or a generator expression.
    Place,
}

/// Where in the code an expression stands; none in lambdas, class bodies, generator expressions.
pub fn home<'a>(module: &Module<'a>, node: AnyNodeRef<'a>) -> Option<Home<'a>> {
    match module.await_place(node) {
        AwaitPlace::Module => Some(Home::Module),
        AwaitPlace::Function(function) => Some(Home::Function(function)),
        _ => None,
    }
}

impl Home<'_> {
    pub fn is(self, module: &Module<'_>, other: Option<Home<'_>>) -> bool {
        match (self, other) {
            (Home::Module, Some(Home::Module)) => true,
            (Home::Function(a), Some(Home::Function(b))) => module.id(a) == module.id(b),
            _ => false,
        }
    }
}

/// Whether an expression stands in code that a coroutine runs: a loop runs already there.
pub fn in_coroutine<'a>(module: &Module<'a>, node: AnyNodeRef<'a>) -> bool {
    module
        .function(node)
        .is_some_and(|function| function.is_async)
}

/// `asyncio.get_event_loop()` and `asyncio.get_event_loop_policy().get_event_loop()`.
pub fn is_current(module: &Module<'_>, call: &ExprCall) -> bool {
    is_loop_call(module, call, "asyncio.get_event_loop", "get_event_loop")
}

fn is_loop_call(module: &Module<'_>, call: &ExprCall, function: &str, method: &str) -> bool {
    if !call.arguments.is_empty() {
        return false;
    }
    if module.refers_to(&call.func, function) {
        return true;
    }
    let Expr::Attribute(attribute) = &*call.func else {
        return false;
    };
    let Expr::Call(policy) = &*attribute.value else {
        return false;
    };
    attribute.attr.as_str() == method
        && module.refers_to(&policy.func, "asyncio.get_event_loop_policy")
}

/// Where the loop that `expr` gives comes from; none where that cannot be told.
pub fn source<'a>(module: &Module<'a>, expr: &'a Expr) -> Option<Source<'a>> {
    let Expr::Call(call) = expr else {
        return None;
    };
    if is_current(module, call) {
        Some(Source::Current)
    } else if is_loop_call(module, call, "asyncio.new_event_loop", "new_event_loop") {
        Some(Source::New)
    } else if makes_loop(module, &call.func, 0) {
        Some(Source::Custom(call))
    } else {
        None
    }
}

/// Whether a call of `func` makes a new loop: a class of loops, one of this module that derives
/// from such a class, or the function of uvloop that makes one.
fn makes_loop(module: &Module<'_>, func: &Expr, depth: usize) -> bool {
    const MAKERS: &[&str] = &[
        "asyncio.EventLoop",
        "asyncio.ProactorEventLoop",
        "asyncio.SelectorEventLoop",
        "asyncio.windows_events.ProactorEventLoop",
        "uvloop.Loop",
        "uvloop.new_event_loop",
        "winloop.Loop",
        "winloop.new_event_loop",
    ];
    if module
        .qualified_name(func)
        .is_some_and(|name| MAKERS.contains(&name.as_str()))
    {
        return true;
    }
    let Expr::Name(name) = func else {
        return false;
    };
    match module.only_binding(name).map(|binding| binding.kind) {
        Some(BindingKind::Class(class)) if depth < 8 => class
            .arguments
            .iter()
            .flat_map(|arguments| &arguments.args)
            .any(|base| makes_loop(module, base, depth + 1)),
        _ => false,
    }
}

/// What a value is that is not known to be a loop.
fn unknown_value<'a>(module: &Module<'a>, value: &Expr) -> Unknown<'a> {
    match value {
        Expr::Call(call) if is_plain_class(module, &call.func, 0) => Unknown::NoLoop,
        _ => Unknown::Origin,
    }
}

/// Whether `func` is a class of this module of which all bases are known, and none is a loop.
fn is_plain_class(module: &Module<'_>, func: &Expr, depth: usize) -> bool {
    let Expr::Name(name) = func else {
        return false;
    };
    let Some(BindingKind::Class(class)) = module.only_binding(name).map(|binding| binding.kind)
    else {
        return module.refers_to(func, "builtins.object");
    };
    depth < 8
        && class.decorator_list.is_empty()
        && class.arguments.as_ref().is_none_or(|arguments| {
            arguments.keywords.is_empty()
                && arguments
                    .args
                    .iter()
                    .all(|base| is_plain_class(module, base, depth + 1))
        })
}

/// The call that `expr` is an argument of, or the value of a keyword argument of.
pub fn call_around<'a>(module: &Module<'a>, expr: AnyNodeRef<'a>) -> Option<&'a ExprCall> {
    let mut node = module.parent(expr)?;
    while let AnyNodeRef::Arguments(_) | AnyNodeRef::Keyword(_) | AnyNodeRef::ExprStarred(_) = node
    {
        node = module.parent(node)?;
    }
    match node {
        AnyNodeRef::ExprCall(call) if call.func.range() != expr.range() => Some(call),
        _ => None,
    }
}

/// What `run_until_complete` or `set_debug` is given; none where it would fail.
pub fn argument(call: &ExprCall) -> Option<&Expr> {
    match (&*call.arguments.args, &*call.arguments.keywords) {
        ([argument], []) => Some(argument),
        ([], [keyword]) => Some(&keyword.value),
        _ => None,
    }
}

/// Whether a call is `loop.run_forever()`.
pub fn is_forever(call: &ExprCall) -> bool {
    call.arguments.is_empty()
        && matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "run_forever")
}

/// Whether a call of `run_until_complete` only shuts the loop down.
pub fn is_shutdown(call: &ExprCall) -> bool {
    let Some(Expr::Call(inner)) = argument(call) else {
        return false;
    };
    matches!(&*inner.func, Expr::Attribute(method)
        if matches!(method.attr.as_str(), "shutdown_asyncgens" | "shutdown_default_executor"))
}

/// The calls of `get_event_loop` outside of coroutines.
pub fn current_loops<'a>(module: &Module<'a>) -> Vec<&'a ExprCall> {
    module
        .calls()
        .iter()
        .copied()
        .filter(|call| is_current(module, call) && !in_coroutine(module, (*call).into()))
        .collect()
}

impl<'a> Loop<'a> {
    /// The loop whose `run_until_complete` is called.
    pub fn of_run(
        module: &Module<'a>,
        call: &'a ExprCall,
        current: &[&'a ExprCall],
    ) -> Result<Self, Unknown<'a>> {
        let Expr::Attribute(method) = &*call.func else {
            return Err(Unknown::Stored);
        };
        let home = home(module, call.into()).ok_or(Unknown::Place)?;
        match &*method.value {
            Expr::Call(maker) => {
                let source = source(module, &method.value)
                    .ok_or_else(|| unknown_value(module, &method.value))?;
                if let Source::Current = source {
                    return Ok(Self::current(module, home, current));
                }
                let mut found = Self::new(home, source);
                found.add_use(module, maker.into());
                Ok(found)
            }
            Expr::Name(name) => Self::of_name(module, name, home, current),
            _ => Err(Unknown::Stored),
        }
    }

    /// The loop of a call of `get_event_loop`, none where it is not kept by a name of its own.
    pub fn of_current(
        module: &Module<'a>,
        call: &'a ExprCall,
        current: &[&'a ExprCall],
    ) -> Option<Self> {
        let home = home(module, call.into())?;
        // `asyncio.set_event_loop(loop)` made it the current one before.
        let own = module.symbols().find_map(|symbol| {
            let [binding] = symbol.bindings.as_slice() else {
                return None;
            };
            let BindingKind::Value(value) = binding.kind else {
                return None;
            };
            let is_new = matches!(source(module, value), Some(Source::New | Source::Custom(_)));
            let AnyNodeRef::ExprName(name) = module.node(binding.node) else {
                return None;
            };
            if !is_new || !home.is(module, self::home(module, value.into())) {
                return None;
            }
            let found = Self::of_name(module, name, home, current).ok()?;
            found.is_made_current().then_some(found)
        });
        Some(own.unwrap_or_else(|| Self::current(module, home, current)))
    }

    fn new(home: Home<'a>, source: Source<'a>) -> Self {
        Self {
            home,
            source,
            bindings: Vec::new(),
            uses: Vec::new(),
            set_where_made: false,
        }
    }

    fn of_name(
        module: &Module<'a>,
        name: &ast::ExprName,
        home: Home<'a>,
        current: &[&'a ExprCall],
    ) -> Result<Self, Unknown<'a>> {
        let symbol = module.symbol(name).ok_or(Unknown::Origin)?;
        let binding = match symbol.bindings.as_slice() {
            [binding] => binding,
            [] => return Err(Unknown::Origin),
            several => {
                if let Some(found) = Self::of_attempt(module, symbol, home, current) {
                    return Ok(found);
                }
                let parameter = several
                    .iter()
                    .any(|binding| matches!(binding.kind, BindingKind::Parameter));
                return Err(match (parameter, home) {
                    (true, Home::Function(function)) => Unknown::Parameter(function.name.as_str()),
                    _ => Unknown::Several,
                });
            }
        };
        let value = match binding.kind {
            BindingKind::Value(value) => value,
            BindingKind::Parameter => {
                let owner =
                    module
                        .ancestors(module.node(binding.node))
                        .find_map(|node| match node {
                            AnyNodeRef::StmtFunctionDef(function) => Some(function.name.as_str()),
                            _ => None,
                        });
                return Err(Unknown::Parameter(owner.unwrap_or("the lambda")));
            }
            _ => return Err(Unknown::Origin),
        };
        let source = source(module, value).ok_or_else(|| unknown_value(module, value))?;
        if !home.is(module, self::home(module, value.into())) || symbol.named_in_string {
            return Err(Unknown::Foreign);
        }
        if let Source::Current = source {
            return Ok(Self::current(module, home, current));
        }
        let mut found = Self::new(home, source);
        if !found.add_name(module, value.into()) {
            // `self.loop = loop = asyncio.new_event_loop()`
            found.add_use(module, value.into());
            found.add_reads(module, symbol);
        }
        if found.is_made_current() {
            // From here on `get_event_loop()` gives this loop.
            for call in current {
                found.add_current(module, call);
            }
        }
        found.finish(module);
        Ok(found)
    }

    /// The loop of a name that is bound twice, in
    /// ```python
    /// try:
    ///     loop = asyncio.get_event_loop()
    /// except RuntimeError:
    ///     loop = asyncio.new_event_loop()
    ///     asyncio.set_event_loop(loop)
    /// ```
    /// or with `get_running_loop`, which raises wherever `run_until_complete` would work.
    fn of_attempt(
        module: &Module<'a>,
        symbol: &Symbol<'a>,
        home: Home<'a>,
        current: &[&'a ExprCall],
    ) -> Option<Self> {
        let [first, second] = symbol.bindings.as_slice() else {
            return None;
        };
        let (BindingKind::Value(tried), BindingKind::Value(instead)) = (first.kind, second.kind)
        else {
            return None;
        };
        let AnyNodeRef::StmtTry(attempt) = module.parent(module.statement(tried))? else {
            return None;
        };
        let [ast::ExceptHandler::ExceptHandler(handler)] = attempt.handlers.as_slice() else {
            return None;
        };
        let Some(Source::New) = source(module, instead) else {
            return None;
        };
        let is_bare = attempt.body.len() == 1
            && attempt.orelse.is_empty()
            && attempt.finalbody.is_empty()
            && handler
                .body
                .first()
                .is_some_and(|it| module.contains(it, instead))
            && home.is(module, self::home(module, tried.into()));
        let running = matches!(tried, Expr::Call(call)
            if is_loop_call(module, call, "asyncio.get_running_loop", "get_running_loop"));
        let source = match source(module, tried) {
            Some(Source::Current) => Source::Current,
            None if running => Source::New,
            _ => return None,
        };
        if !is_bare || symbol.named_in_string {
            return None;
        }
        let mut found = Self::new(home, source);
        found.add_reads(module, symbol);
        let statement = AnyNodeRef::from(attempt);
        let covered = |used: &Use<'a>| {
            used.statement()
                .is_some_and(|node| module.contains(statement, node))
        };
        // Anything else in the handler is not known.
        let count = found.uses.iter().filter(|used| covered(used)).count();
        if handler.body.len() != 1 + count {
            return None;
        }
        found.set_where_made = found
            .uses
            .iter()
            .any(|used| covered(used) && matches!(used, Use::Current(_)));
        found.uses.retain(|used| !covered(used));
        found.bindings.push(statement);
        if let Source::Current = source {
            for call in current
                .iter()
                .filter(|call| !module.contains(statement, **call))
            {
                found.add_current(module, call);
            }
        }
        found.finish(module);
        Some(found)
    }

    /// The current loop, under all its names in `home`.
    fn current(module: &Module<'a>, home: Home<'a>, current: &[&'a ExprCall]) -> Self {
        let mut found = Self::new(home, Source::Current);
        for call in current {
            found.add_current(module, call);
        }
        // `asyncio.set_event_loop(asyncio.new_event_loop())` made it.
        for call in module.calls() {
            if module.refers_to(&call.func, "asyncio.set_event_loop")
                && let [argument] = &*call.arguments.args
                && let Some(Source::New) = source(module, argument)
                && home.is(module, self::home(module, (*call).into()))
                && let Some(statement) = expression_statement(module, call)
            {
                found.uses.push(Use::Current(statement));
            }
        }
        found.finish(module);
        found
    }

    fn add_current(&mut self, module: &Module<'a>, call: &'a ExprCall) {
        if !self.home.is(module, home(module, call.into())) {
            return;
        }
        if !self.add_name(module, call.into()) {
            self.add_use(module, call.into());
        }
    }

    /// Adds the statement `name = value` and the uses of that name; false where `value` is no
    /// such statement's value, or the name has other bindings.
    fn add_name(&mut self, module: &Module<'a>, value: AnyNodeRef<'a>) -> bool {
        let Some(statement) = module.parent(value) else {
            return false;
        };
        let target = match statement {
            AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
                [target] => target,
                _ => return false,
            },
            AnyNodeRef::StmtAnnAssign(assign) => &*assign.target,
            _ => return false,
        };
        let Expr::Name(name) = target else {
            return false;
        };
        let Some(symbol) = module.symbol(name).filter(|it| it.bindings.len() == 1) else {
            return false;
        };
        self.bindings.push(statement);
        self.add_reads(module, symbol);
        true
    }

    fn add_reads(&mut self, module: &Module<'a>, symbol: &Symbol<'a>) {
        for read in &symbol.reads {
            self.add_use(module, module.node(*read));
        }
    }

    fn add_use(&mut self, module: &Module<'a>, expr: AnyNodeRef<'a>) {
        if let Some(used) = self.use_of(module, expr) {
            self.uses.push(used);
        }
    }

    /// What is done with the loop that `expr` stands for; none where another use covers it.
    fn use_of(&self, module: &Module<'a>, expr: AnyNodeRef<'a>) -> Option<Use<'a>> {
        let other = Some(Use::Other(expr));
        if !self.home.is(module, home(module, expr)) {
            return other;
        }
        if let Some(AnyNodeRef::ExprAttribute(method)) = module.parent(expr) {
            let Some(AnyNodeRef::ExprCall(call)) = module.parent(method) else {
                return other;
            };
            if call.func.range() != method.range() {
                return other;
            }
            let statement = expression_statement(module, call);
            return match (method.attr.as_str(), &*call.arguments.args, statement) {
                ("run_until_complete", _, _) if argument(call).is_some() => {
                    if !is_shutdown(call) {
                        return Some(Use::Run(call));
                    }
                    statement.map_or(other, |statement| Some(Use::Shutdown(statement)))
                }
                ("shutdown_asyncgens" | "shutdown_default_executor", _, _) => {
                    let run = call_around(module, call.into());
                    let covered = run.is_some_and(|run| {
                        is_shutdown(run)
                            && matches!(&*run.func, Expr::Attribute(run) if run.attr.as_str() == "run_until_complete")
                    });
                    if covered { None } else { other }
                }
                ("close", [], Some(statement)) => Some(Use::Close(statement)),
                ("set_debug", _, Some(statement)) => {
                    argument(call).map_or(other, |value| Some(Use::Debug(statement, value)))
                }
                _ => other,
            };
        }
        if let Some(call) = call_around(module, expr)
            && module.refers_to(&call.func, "asyncio.set_event_loop")
            && call.arguments.len() == 1
            && let Some(statement) = expression_statement(module, call)
        {
            return Some(Use::Current(statement));
        }
        other
    }

    /// Adds `asyncio.set_event_loop(None)` after the first run, and puts all in order.
    fn finish(&mut self, module: &Module<'a>) {
        self.sort();
        let Some(first) = self.runs().next().map(Ranged::end) else {
            return;
        };
        for call in module.calls() {
            if call.start() > first
                && module.refers_to(&call.func, "asyncio.set_event_loop")
                && matches!(&*call.arguments.args, [Expr::NoneLiteral(_)])
                && self.home.is(module, home(module, (*call).into()))
                && let Some(statement) = expression_statement(module, call)
            {
                self.uses.push(Use::Unset(statement));
            }
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.bindings.sort_by_key(Ranged::start);
        self.uses.sort_by_key(Use::position);
        self.uses.dedup_by_key(|used| used.position());
    }

    /// The runs, by position.
    pub fn runs(&self) -> impl Iterator<Item = &'a ExprCall> + '_ {
        self.uses.iter().filter_map(|used| match used {
            Use::Run(call) => Some(*call),
            _ => None,
        })
    }

    /// Whether `asyncio.set_event_loop` is called with it.
    pub fn is_made_current(&self) -> bool {
        self.set_where_made || self.uses.iter().any(|used| matches!(used, Use::Current(_)))
    }

    /// Whether it is closed here.
    pub fn is_closed(&self) -> bool {
        self.uses.iter().any(|used| matches!(used, Use::Close(_)))
    }
}

impl<'a> Use<'a> {
    /// The statement that does nothing but this, and is not needed where no loop is made by hand.
    pub fn statement(&self) -> Option<AnyNodeRef<'a>> {
        match self {
            Use::Shutdown(statement)
            | Use::Close(statement)
            | Use::Current(statement)
            | Use::Unset(statement)
            | Use::Debug(statement, _) => Some(*statement),
            Use::Run(_) | Use::Other(_) => None,
        }
    }

    fn position(&self) -> TextSize {
        match self {
            Use::Run(call) => call.func.end(),
            Use::Other(expr) => expr.start(),
            _ => self.statement().map(|it| it.start()).unwrap_or_default(),
        }
    }
}

/// The statement that consists of nothing but `call`.
pub fn expression_statement<'a>(module: &Module<'a>, call: &'a ExprCall) -> Option<AnyNodeRef<'a>> {
    match module.parent(call)? {
        statement @ AnyNodeRef::StmtExpr(_) => Some(statement),
        _ => None,
    }
}
