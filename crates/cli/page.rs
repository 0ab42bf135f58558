//! A codemod's page, as the command line shows it.

use edit::Applicability;
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

/// Why a fix of `codemod` has this applicability. What makes one unsafe is said on the page.
pub fn why(codemod: &Codemod, applicability: Applicability) -> String {
    match applicability {
        Applicability::Safe => "nothing changes but the defect itself.".to_string(),
        Applicability::Intended => {
            "what changes is what the codemod exists to change, and nothing else.".to_string()
        }
        Applicability::Unsafe => {
            let mut why = "it may change more than that.".to_string();
            for reason in unsafe_where(codemod.page) {
                why.extend([" ", &reason]);
            }
            let read_on = format!(" Read `asyncfix explain {}`.", codemod.name);
            why + &read_on
        }
    }
}

/// The paragraphs of a page that say of rewrites that they are unsafe.
fn unsafe_where(page: &str) -> Vec<String> {
    let mut in_code = false;
    let mut prose = String::new();
    for line in page.lines() {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        prose.push_str(if in_code || fence { "" } else { line });
        prose.push('\n');
    }
    prose
        .split("\n\n")
        .filter(|paragraph| paragraph.contains(" unsafe") && !paragraph.starts_with('#'))
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
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
