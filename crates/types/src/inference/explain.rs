//! Why nothing is known of an expression, in words that a person can act on.

use ruff_db::files::File;
use ruff_db::parsed::parsed_module;
use ruff_db::source::source_text;
use ruff_python_ast::{self as ast, Expr, ExprRef};
use ruff_text_size::Ranged;
use ty_python_core::definition::{Definition, DefinitionKind, ParameterDefinitionNodeKind};
use ty_python_semantic::types::Type;
use ty_python_semantic::{
    HasType, ImportAliasResolution, ResolvedDefinition, definitions_for_attribute,
    definitions_for_name,
};

use super::Inference;

/// How many definitions are followed.
const MAX_DEPTH: usize = 6;

impl<'db> Inference<'db> {
    /// Why `expr`, of type `ty`, is unknown, as far as that can be said.
    pub(super) fn why_unknown(&self, expr: ExprRef<'_>, ty: Type<'db>) -> Option<String> {
        if matches!(ty, Type::Union(_) | Type::Intersection(_))
            && !contains_unknown(&self.shown(ty))
        {
            return Some(format!("its type is `{}`", self.shown(ty)));
        }
        self.why(expr, MAX_DEPTH)
            .or_else(|| self.first_unknown(expr))
    }

    /// The innermost part of an expression of which nothing is known, where no definition tells
    /// more.
    fn first_unknown(&self, expr: ExprRef<'_>) -> Option<String> {
        let mut innermost = None;
        let mut part = expr;
        loop {
            let unknown = self
                .type_of(part)
                .is_none_or(|ty| contains_unknown(&self.shown(ty)));
            if !unknown {
                break;
            }
            innermost = Some(part);
            part = match part {
                ExprRef::Call(it) => ExprRef::from(&*it.func),
                ExprRef::Attribute(it) => ExprRef::from(&*it.value),
                ExprRef::Subscript(it) => ExprRef::from(&*it.value),
                ExprRef::Await(it) => ExprRef::from(&*it.value),
                _ => break,
            };
        }
        let text = source_text(self.db, self.model.file());
        let text = text
            .as_str()
            .get(std::ops::Range::<usize>::from(innermost?.range()))?;
        let line = text.lines().next().unwrap_or_default();
        Some(format!("nothing says what `{line}` is"))
    }

    fn why(&self, expr: ExprRef<'_>, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        match expr {
            ExprRef::Await(it) => self.why((&*it.value).into(), depth),
            ExprRef::Subscript(it) => self.why((&*it.value).into(), depth),
            ExprRef::Starred(it) => self.why((&*it.value).into(), depth),
            ExprRef::Named(it) => self.why((&*it.value).into(), depth),
            ExprRef::Call(call) => self
                .undeclared(&call.func, depth)
                .or_else(|| self.why((&*call.func).into(), depth)),
            ExprRef::Attribute(attribute) => {
                if self.is_unknown(&attribute.value) {
                    return self.why((&*attribute.value).into(), depth);
                }
                let definitions = definitions_for_attribute(&self.model, attribute);
                self.why_defined(&definitions, depth)
            }
            ExprRef::Name(name) => {
                let definitions = definitions_for_name(
                    &self.model,
                    name.id.as_str(),
                    name.into(),
                    ImportAliasResolution::PreserveAliases,
                );
                self.why_defined(&definitions, depth)
            }
            _ => None,
        }
    }

    fn is_unknown(&self, expr: &Expr) -> bool {
        expr.inferred_type(&self.model)
            .is_none_or(|ty| contains_unknown(&self.shown(ty)))
    }

    /// A function that is known, but not what it gives.
    fn undeclared(&self, func: &Expr, depth: usize) -> Option<String> {
        let definition = self.definition(func.into())?;
        let file = definition.file(self.db);
        if file.path(self.db).is_vendored_path() {
            return None; // typeshed declares all
        }
        let module = parsed_module(self.db, definition.python_file(self.db)).load(self.db);
        let DefinitionKind::Function(node) = definition.kind(self.db) else {
            return None;
        };
        let node = node.node(&module);
        let there = Inference::new(self.db, file);
        let place = there.place(definition.focus_range(self.db, &module));
        let name = &node.name;
        let opaque = node.decorator_list.iter().find(|decorator| {
            let decorator = match &decorator.expression {
                Expr::Call(call) => &*call.func,
                other => other,
            };
            there.is_unknown(decorator)
        });
        match (&node.returns, opaque) {
            (_, Some(decorator)) => Some(
                there
                    .why((&decorator.expression).into(), depth)
                    .unwrap_or_else(|| format!("a decorator of `{name}` is not typed: {place}")),
            ),
            (Some(returns), None) => there.why_annotation(returns, depth),
            (None, None) if !node.is_async => Some(format!(
                "`{name}` does not declare what it returns: {place}"
            )),
            (None, None) => None,
        }
    }

    /// Why an annotation says nothing.
    fn why_annotation(&self, annotation: &Expr, depth: usize) -> Option<String> {
        match annotation {
            Expr::Subscript(it) => self
                .why_annotation(&it.value, depth)
                .or_else(|| self.why_annotation(&it.slice, depth)),
            Expr::BinOp(it) => self
                .why_annotation(&it.left, depth)
                .or_else(|| self.why_annotation(&it.right, depth)),
            Expr::Tuple(it) => it
                .elts
                .iter()
                .find_map(|element| self.why_annotation(element, depth)),
            Expr::Name(_) | Expr::Attribute(_) => self.why(annotation.into(), depth),
            _ => None,
        }
    }

    fn why_defined(&self, definitions: &[ResolvedDefinition<'db>], depth: usize) -> Option<String> {
        definitions
            .iter()
            .filter_map(ResolvedDefinition::definition)
            .find_map(|definition| self.why_definition(definition, depth))
    }

    fn why_definition(&self, definition: Definition<'db>, depth: usize) -> Option<String> {
        let file: File = definition.file(self.db);
        let there = Inference::new(self.db, file);
        let module = parsed_module(self.db, definition.python_file(self.db)).load(self.db);
        match definition.kind(self.db) {
            DefinitionKind::Import(import) => {
                there.missing(Some(import.alias(&module).name.as_str()), 0)
            }
            DefinitionKind::ImportFrom(import) => there.missing_from(import.import(&module)),
            DefinitionKind::StarImport(import) => there.missing_from(import.import(&module)),
            DefinitionKind::ImportFromSubmodule(import) => {
                there.missing_from(import.import(&module))
            }
            DefinitionKind::Parameter(parameter) => {
                let parameter = match parameter {
                    ParameterDefinitionNodeKind::VariadicPositionalParameter(it)
                    | ParameterDefinitionNodeKind::VariadicKeywordParameter(it) => it.node(&module),
                    ParameterDefinitionNodeKind::Parameter(it) => &it.node(&module).parameter,
                };
                if let Some(annotation) = &parameter.annotation {
                    let name = &parameter.name;
                    let place = there.place(definition.focus_range(self.db, &module));
                    return there.why_annotation(annotation, depth).or_else(|| {
                        let is_any = there.is_unknown(annotation) || says_any(annotation);
                        is_any.then(|| format!("the parameter `{name}` may be anything: {place}"))
                    });
                }
                let place = there.place(definition.focus_range(self.db, &module));
                Some(format!(
                    "the parameter `{}` has no annotation: {place}",
                    parameter.name
                ))
            }
            DefinitionKind::WithItem(item) => there.why(item.context_expr(&module).into(), depth),
            DefinitionKind::For(stmt) => there.why(stmt.iterable(&module).into(), depth),
            DefinitionKind::Comprehension(clause) => {
                there.why(clause.iterable(&module).into(), depth)
            }
            kind => there.why(kind.value(&module)?.into(), depth),
        }
    }

    fn missing_from(&self, import: &ast::StmtImportFrom) -> Option<String> {
        self.missing(import.module.as_deref(), import.level)
    }

    /// Says so where a module that is imported cannot be found.
    fn missing(&self, module: Option<&str>, level: u32) -> Option<String> {
        if self.model.resolve_module(module, level).is_some() {
            return None;
        }
        let package = module?.split('.').next()?;
        Some(if level > 0 {
            format!(
                "the module `{}{}` is not found",
                ".".repeat(level as usize),
                module?
            )
        } else {
            format!(
                "package `{package}` is not installed: pass --python with the project's environment"
            )
        })
    }
}

/// Whether a type that is shown like this leaves something open.
fn contains_unknown(shown: &str) -> bool {
    shown.contains("Unknown") || shown.contains("Any") || shown.contains("Todo")
}

/// Whether an annotation is `Any`.
fn says_any(annotation: &Expr) -> bool {
    let name = match annotation {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    name == "Any"
}
