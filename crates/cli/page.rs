//! A codemod's page, as the command line shows it.

use engine::Choices;

/// What `asyncfix list` prints: each codemod, whether it runs when none is named, its options.
pub fn list() -> String {
    let mut text = String::new();
    for codemod in codemods::ALL {
        text.push_str(codemod.name);
        if codemod.headline {
            text.push_str(" (default)");
        }
        text.push_str("\n    ");
        text.push_str(codemod.title());
        text.push('\n');
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
