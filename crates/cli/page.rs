//! A codemod's page, as the command line shows it.

use engine::{Choices, Codemod};

use crate::arguments::MODERNISE;

/// What `asyncfix list` prints: each codemod, whether it runs when none is named, its group, the
/// versions that deprecate and remove what it takes out, its options.
pub fn list() -> String {
    let mut text = String::new();
    for codemod in codemods::ALL {
        text.push_str(codemod.name);
        let marks = marks(codemod);
        if !marks.is_empty() {
            text.extend([" (", &marks.join(", "), ")"]);
        }
        text.extend(["\n    ", codemod.title(), "\n"]);
        for option in codemod.options {
            let values = match option.choices {
                Choices::Words(words) => format!("\"{}\"", words.join("\" | \"")),
                Choices::Flag => "false | true".to_string(),
                Choices::Count(default) => default.to_string(),
                Choices::Name => "\"package.module.function\"".to_string(),
                Choices::Names => "[\"package.module.function\", ...]".to_string(),
            };
            let name = [codemod.name, option.name].join(".");
            text.extend(["    ", &name, " = ", &values, ": ", option.help, "\n"]);
        }
    }
    text
}

/// Where the page of a codemod can be read.
pub fn url(codemod: &Codemod) -> String {
    let folder = codemod.name.replace('-', "_");
    format!(
        "{}/blob/main/codemods/{folder}/README.md",
        env!("CARGO_PKG_REPOSITORY")
    )
}

/// What `list` says behind a name.
fn marks(codemod: &Codemod) -> Vec<String> {
    let mut marks = Vec::new();
    if codemod.headline {
        marks.push("default".to_string());
    }
    if let Some(dated) = codemod.dated {
        marks.push(MODERNISE[0].to_string());
        let version = |what: &str, version| format!("{what} Python {version}");
        marks.extend(dated.deprecated.map(|it| version("deprecated since", it)));
        marks.extend(dated.removed.map(|it| version("removed in", it)));
    }
    marks
}
