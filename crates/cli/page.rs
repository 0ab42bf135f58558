//! A codemod's page, as the command line shows it.

use engine::{Choices, Codemod};

/// The page's first sentence after the title, in one line and without its final stop.
pub fn summary(codemod: &Codemod) -> String {
    let paragraph: Vec<&str> = codemod
        .page
        .lines()
        .map(str::trim)
        .skip_while(|line| line.is_empty() || line.starts_with('#'))
        .take_while(|line| !line.is_empty())
        .collect();
    let paragraph = paragraph.join(" ");
    let sentence = match paragraph.find(". ") {
        Some(end) => &paragraph[..end],
        None => paragraph.trim_end_matches('.'),
    };
    sentence.replace("**", "")
}

/// What `asyncfix list` prints: each codemod, whether it runs when none is named, its options.
pub fn list() -> String {
    let mut text = String::new();
    for codemod in codemods::ALL {
        text.push_str(codemod.name);
        if codemod.headline {
            text.push_str(" (default)");
        }
        text.push_str("\n    ");
        text.push_str(&summary(codemod));
        text.push('\n');
        for option in codemod.options {
            let values = match option.choices {
                Choices::Words(words) => format!("\"{}\"", words.join("\" | \"")),
                Choices::Flag => "false | true".to_string(),
                Choices::Count(default) => default.to_string(),
            };
            let name = [codemod.name, option.name].join(".");
            text.extend(["    ", &name, " = ", &values, ": ", option.help, "\n"]);
        }
    }
    text
}
