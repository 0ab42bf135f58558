//! What a type gives to `await`, and how it is entered.

use ruff_db::files::FileRange;
use ruff_db::source::line_index;
use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, ExprRef};
use ruff_text_size::{Ranged, TextRange};
use ty_module_resolver::file_to_module;
use ty_python_semantic::types::{KnownClass, Type};
use ty_python_semantic::{
    HasType, ResolvedDefinition, TypeHierarchyClass, definitions_for_attribute,
    type_hierarchy_prepare, type_hierarchy_supertypes,
};

use super::Inference;
use crate::{Aclose, Answer, Context, Gives, Place, Value};

/// A class deeper than this is a cycle.
const MAX_DEPTH: usize = 30;

/// A class and those that it derives from.
#[derive(Default)]
struct Ancestry {
    /// Qualified names, the closest first.
    names: Vec<String>,
    /// Whether a base is unknown, and anything may come from it.
    is_open: bool,
}

impl<'db> Inference<'db> {
    /// What the value of an expression gives to `await`.
    pub(super) fn value(&self, expr: ExprRef<'_>) -> Answer {
        self.value_in(expr, 0)
    }

    /// The same, `depth` functions away from the one that was asked about.
    pub(super) fn value_in(&self, expr: ExprRef<'_>, depth: usize) -> Answer {
        let Some(ty) = self.type_of(expr) else {
            return Answer::Unknown(None);
        };
        match self.classify(ty) {
            Some(mut value) => {
                if let ExprRef::Call(call) = expr
                    && value.gives == Gives::Coroutine
                    && let Some(function) = self.called_function(&call.func)
                {
                    value.evidence = Some(function.place);
                }
                Answer::Value(value)
            }
            None => self
                .returned(expr, depth)
                .unwrap_or_else(|| Answer::Unknown(self.why_unknown(expr, ty))),
        }
    }

    /// None where it may be anything, or several things.
    fn classify(&self, ty: Type<'db>) -> Option<Value> {
        let plain = |gives| {
            Some(Value {
                gives,
                shown: self.shown(ty),
                classes: Vec::new(),
                evidence: None,
            })
        };
        match ty {
            Type::Dynamic(_) | Type::Divergent(_) | Type::Never | Type::TypeVar(_) => None,
            Type::Intersection(_) => None,
            Type::TypeAlias(alias) => self.classify(alias.value_type(self.db)),
            Type::Union(union) => {
                let members = union.elements(self.db).iter();
                let members: Vec<Value> = members
                    .map(|member| self.classify(*member))
                    .collect::<Option<_>>()?;
                let first = members.first()?;
                let all = |is: fn(Gives) -> bool| members.iter().all(|it| is(it.gives));
                let gives = if members.iter().all(|it| it.gives == first.gives) {
                    first.gives
                } else if all(is_future) {
                    Gives::Future // a task is one too
                } else {
                    return None;
                };
                Some(Value {
                    gives,
                    shown: self.shown(ty),
                    classes: Vec::new(),
                    evidence: first.evidence.clone(),
                })
            }
            Type::NominalInstance(_) => self.classify_instance(ty),
            // What has the methods of a protocol may have `__await__` as well.
            Type::ProtocolInstance(_) if !self.is_awaitable(ty) => None,
            Type::ProtocolInstance(_) => plain(Gives::Awaitable),
            Type::FunctionLiteral(_)
            | Type::BoundMethod(_)
            | Type::KnownBoundMethod(_)
            | Type::WrapperDescriptor(_)
            | Type::ModuleLiteral(_)
            | Type::ClassLiteral(_)
            | Type::GenericAlias(_)
            | Type::LiteralValue(_) => plain(Gives::Nothing),
            _ => None,
        }
    }

    fn classify_instance(&self, ty: Type<'db>) -> Option<Value> {
        let ancestry = self.ancestry(ty);
        let is = |names: &[&str]| {
            ancestry
                .names
                .iter()
                .any(|name| names.contains(&name.as_str()))
        };
        let gives = if is(&["types.CoroutineType", "typing.Coroutine"]) {
            Gives::Coroutine
        } else if is(&["_asyncio.Task", "asyncio.tasks.Task"]) {
            Gives::Task
        } else if is(&["_asyncio.Future", "asyncio.futures.Future"]) {
            Gives::Future
        } else if ancestry.is_open {
            return None;
        } else if self.is_awaitable(ty) {
            Gives::Awaitable
        } else {
            Gives::Nothing
        };
        Some(Value {
            gives,
            shown: self.shown(ty),
            classes: ancestry.names,
            evidence: ty
                .definition(self.db, &self.env)
                .and_then(|definition| definition.focus_range(self.db))
                .map(|range| self.place(range)),
        })
    }

    fn is_awaitable(&self, ty: Type<'db>) -> bool {
        let awaitable = KnownClass::Awaitable.to_instance(self.db, &self.env);
        ty.is_assignable_to(self.db, &self.env, awaitable)
    }

    fn ancestry(&self, ty: Type<'db>) -> Ancestry {
        let mut ancestry = Ancestry::default();
        let Some(class) = type_hierarchy_prepare(self.db, &self.env, ty) else {
            ancestry.is_open = true;
            return ancestry;
        };
        let mut level = vec![class];
        for _ in 0..MAX_DEPTH {
            let mut next = Vec::new();
            for class in level {
                let name = self.class_name(&class);
                if ancestry.names.contains(&name) {
                    continue;
                }
                ancestry.names.push(name);
                match self.bases(&class) {
                    Some(bases) => next.extend(bases),
                    None => ancestry.is_open = true,
                }
            }
            if next.is_empty() {
                return ancestry;
            }
            level = next;
        }
        ancestry.is_open = true;
        ancestry
    }

    /// The classes that a class names as its bases; none where one of them is unknown.
    fn bases(&self, class: &TypeHierarchyClass<'db>) -> Option<Vec<TypeHierarchyClass<'db>>> {
        let file = class.file.file(self.db);
        let inference = Inference::new(self.db, file);
        let module = ruff_db::parsed::parsed_module(self.db, inference.model.python_file());
        let module = module.load(self.db);
        let root = AnyNodeRef::from(module.syntax());
        let found = covering_node(root, class.selection_range)
            .find_last(|node| node.is_stmt_class_def())
            .ok()?;
        let AnyNodeRef::StmtClassDef(definition) = found.node() else {
            return None;
        };
        let ty = definition.inferred_type(&inference.model)?;
        let bases = type_hierarchy_supertypes(self.db, &inference.env, ty);
        // `Generic[T]` and `Protocol` are forms, and bring nothing.
        let is_form = |base: &Expr| {
            let base = match base {
                Expr::Subscript(subscript) => &*subscript.value,
                other => other,
            };
            match base {
                Expr::Name(name) => matches!(name.id.as_str(), "Generic" | "Protocol"),
                Expr::Attribute(attribute) => {
                    matches!(attribute.attr.as_str(), "Generic" | "Protocol")
                }
                _ => false,
            }
        };
        let named = definition.arguments.as_ref().map_or(0, |arguments| {
            arguments.args.iter().filter(|base| !is_form(base)).count()
        });
        // Where none is known, `object` is given in their place.
        let only_object = matches!(bases.as_slice(), [base] if base.name == "object");
        let is_object = |base: &Expr| matches!(base, Expr::Name(name) if name.id == "object");
        let says_object = definition
            .arguments
            .as_ref()
            .is_some_and(|arguments| arguments.args.iter().any(is_object));
        let is_complete = bases.len() >= named && (named == 0 || !only_object || says_object);
        is_complete.then_some(bases)
    }

    fn class_name(&self, class: &TypeHierarchyClass<'db>) -> String {
        let module = file_to_module(self.db, class.file);
        let module = module.map(|module| module.name(self.db).as_str());
        [module.unwrap_or("?"), class.name.as_str()].join(".")
    }

    /// How the value of an expression is entered.
    pub(super) fn context(&self, expr: ExprRef<'_>) -> Answer {
        let Some(ty) = self.type_of(expr) else {
            return Answer::Unknown(None);
        };
        if self.classify(ty).is_none() {
            return Answer::Unknown(self.why_unknown(expr, ty));
        }
        let has = |name: &str| !self.attribute(expr, name).is_empty();
        Answer::Context(Context {
            sync: has("__enter__"),
            asynchronous: has("__aenter__"),
        })
    }

    /// Whether the value of an expression has `aclose`. What is declared by a protocol,
    /// `AsyncGenerator`, is believed; of what is declared to be less, the function that is called
    /// may show more.
    pub(super) fn closes(&self, expr: ExprRef<'_>) -> Answer {
        match self.closes_in(expr, 0) {
            Some(aclose) => Answer::Closes(aclose),
            None => Answer::Unknown(None),
        }
    }

    /// The same, `depth` functions away from the one that was asked about.
    pub(super) fn closes_in(&self, expr: ExprRef<'_>, depth: usize) -> Option<Aclose> {
        let ty = self.type_of(expr)?;
        if !matches!(ty, Type::NominalInstance(_) | Type::ProtocolInstance(_)) {
            return None;
        }
        if !self.attribute(expr, "aclose").is_empty() {
            return Some(Aclose::Has);
        }
        let ancestry = self.ancestry(ty);
        let is_object = ancestry
            .names
            .first()
            .is_some_and(|it| it == "builtins.object");
        if matches!(ty, Type::NominalInstance(_)) && !ancestry.is_open && !is_object {
            return Some(Aclose::Lacks);
        }
        let returned = match expr {
            ExprRef::Call(call) => self.returned_closes(call, depth),
            _ => None,
        };
        Some(returned.unwrap_or(Aclose::Undeclared))
    }

    /// What the value of an expression has under that name, in its class or in those that this
    /// derives from.
    pub(super) fn attribute(&self, expr: ExprRef<'_>, name: &str) -> Vec<ResolvedDefinition<'db>> {
        // A copy keeps its number in the tree, by which its type is found.
        let copy = match expr {
            ExprRef::Call(it) => Expr::from(it.clone()),
            ExprRef::Name(it) => Expr::from(it.clone()),
            ExprRef::Attribute(it) => Expr::from(it.clone()),
            ExprRef::Subscript(it) => Expr::from(it.clone()),
            ExprRef::Await(it) => Expr::from(it.clone()),
            _ => return Vec::new(),
        };
        let attribute = ast::ExprAttribute {
            node_index: ast::AtomicNodeIndex::default(),
            range: TextRange::default(),
            value: Box::new(copy),
            attr: ast::Identifier::new(name, TextRange::default()),
            ctx: ast::ExprContext::Load,
        };
        definitions_for_attribute(&self.model, &attribute)
    }

    /// The type as a person would write it.
    pub(super) fn shown(&self, ty: Type<'db>) -> String {
        ty.display(self.db, &self.env).to_string()
    }

    pub(super) fn place(&self, range: FileRange) -> Place {
        let file = range.file();
        let row = line_index(self.db, file).line_index(range.range().start());
        Place {
            file: file.path(self.db).as_str().into(),
            row: row.get(),
        }
    }
}

fn is_future(gives: Gives) -> bool {
    matches!(gives, Gives::Task | Gives::Future)
}
