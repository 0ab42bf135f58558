//! Values that the text shows.

use engine::Context;
use python::ast::{Expr, Number};

/// Classes of the library whose instances are told apart, with what they are instances of.
const CLASSES: &[(&str, &[&str])] = &[
    (
        "io.BytesIO",
        &["io.BytesIO", "io.BufferedIOBase", "io.IOBase"],
    ),
    (
        "io.StringIO",
        &["io.StringIO", "io.TextIOBase", "io.IOBase"],
    ),
    (
        "pathlib.Path",
        &["pathlib.Path", "pathlib.PurePath", "os.PathLike"],
    ),
];

/// A value that the text shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Known {
    None,
    Bool(bool),
    Int(i64),
    Text(String),
    /// A display without elements.
    Empty,
    /// An instance of this class of the library, which is always true.
    Instance(&'static str),
    /// Anything but `None`.
    Something,
}

impl Known {
    pub(super) fn of(expr: &Expr) -> Option<Self> {
        let display = |is_empty: bool| {
            if is_empty {
                Known::Empty
            } else {
                Known::Something
            }
        };
        Some(match expr {
            Expr::NoneLiteral(_) => Known::None,
            Expr::BooleanLiteral(literal) => Known::Bool(literal.value),
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(value) => Known::Int(value.as_i64()?),
                _ => Known::Something,
            },
            Expr::StringLiteral(literal) => Known::Text(literal.value.to_str().to_string()),
            Expr::List(list) => display(list.elts.is_empty()),
            Expr::Tuple(tuple) => display(tuple.elts.is_empty()),
            Expr::Dict(dict) => display(dict.items.is_empty()),
            Expr::FString(_) | Expr::Lambda(_) | Expr::BytesLiteral(_) | Expr::Set(_) => {
                Known::Something
            }
            _ => return None,
        })
    }

    pub(super) fn is_true(&self) -> Option<bool> {
        match self {
            Known::None | Known::Empty => Some(false),
            Known::Bool(value) => Some(*value),
            Known::Int(value) => Some(*value != 0),
            Known::Text(text) => Some(!text.is_empty()),
            Known::Instance(_) => Some(true),
            Known::Something => None,
        }
    }

    /// Whether it is an instance of one of these classes; none where that does not show.
    pub(super) fn is_instance(&self, classes: &[String]) -> Option<bool> {
        let own: &[&str] = match self {
            Known::None => &[],
            Known::Bool(_) => &["builtins.bool", "builtins.int"],
            Known::Int(_) => &["builtins.int"],
            Known::Text(_) => &["builtins.str"],
            Known::Instance(class) => {
                let found = CLASSES.iter().find(|(name, _)| name == class);
                found.map_or(&[], |(_, classes)| classes)
            }
            Known::Empty | Known::Something => return None,
        };
        if classes.iter().any(|class| own.contains(&class.as_str())) {
            return Some(true);
        }
        // Of a class that is not known here nobody knows what it is a base of.
        let is_known = |class: &String| {
            let mut all = CLASSES.iter().flat_map(|(_, classes)| *classes);
            class.starts_with("builtins.") && class != "builtins.object"
                || all.any(|it| it == class)
        };
        classes.iter().all(is_known).then_some(false)
    }

    /// Whether both are the same; none where that does not show.
    pub(super) fn equals(&self, other: &Known) -> Option<bool> {
        match (self, other) {
            (Known::None, Known::None) => Some(true),
            (Known::None, _) | (_, Known::None) => Some(false),
            (Known::Bool(one), Known::Bool(two)) => Some(one == two),
            (Known::Int(one), Known::Int(two)) => Some(one == two),
            (Known::Text(one), Known::Text(two)) => Some(one == two),
            (Known::Text(_), Known::Bool(_) | Known::Int(_))
            | (Known::Bool(_) | Known::Int(_), Known::Text(_)) => Some(false),
            _ => None,
        }
    }
}

/// The instance that a call makes, `io.BytesIO(data)`.
pub(super) fn instance(cx: &Context<'_, '_>, expr: &Expr) -> Option<Known> {
    let Expr::Call(call) = expr else {
        return None;
    };
    let name = cx.module.qualified_name(&call.func)?;
    let mut known = CLASSES.iter();
    let found = known.find(|(class, _)| *class == name)?;
    Some(Known::Instance(found.0))
}

/// The names of the classes that `isinstance` is given.
pub(super) fn classes(cx: &Context<'_, '_>, expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Tuple(tuple) => {
            let names = tuple.elts.iter().map(|it| cx.module.qualified_name(it));
            names.collect()
        }
        single => Some(vec![cx.module.qualified_name(single)?]),
    }
}
