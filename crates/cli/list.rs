//! What `asyncfix list` prints: the codemods and their options.

use anstyle::{AnsiColor, Style};
use engine::{Choices, Codemod, OptionSpec};
use serde::Serialize;

use crate::arguments::MODERNISE;
use crate::terminal::{markdown, paint, wrap};

/// The codemods for people, in lines of at most `width` columns: a line of facts for each, and
/// below it what it does, what else changes, and its options.
pub fn text(width: usize, color: bool) -> String {
    let styled = |style: Style| if color { style } else { Style::new() };
    let (name_style, head_style) = (styled(NAME), styled(Style::new().bold()));
    let mut text = paint(head_style, &row(HEAD.map(str::to_string)));
    text.push('\n');
    let paragraph = |text: &mut String, words: &str| {
        let words = if color {
            markdown::inline(words)
        } else {
            words.to_string()
        };
        for line in wrap(&words, width, "    ", "      ") {
            text.push_str(&line);
            text.push('\n');
        }
    };
    for codemod in codemods::ALL {
        let facts = row(facts(codemod));
        let (name, rest) = facts.split_at(codemod.name.len());
        text.extend([&paint(name_style, name), rest, "\n"]);
        paragraph(&mut text, codemod.summary());
        let effect = codemod.effect().replace('\n', " ");
        paragraph(&mut text, &format!("Effect: {effect}"));
        for option in codemod.options {
            let (name, values) = (option.name, values(option));
            let words = format!("`{}.{name} = {values}`: {}", codemod.name, option.help);
            paragraph(&mut text, &words);
        }
    }
    text.push('\n');
    paragraph(&mut text, LEGEND);
    text
}

/// The codemods for programs: a JSON array.
pub fn json() -> serde_json::Result<String> {
    let entries: Vec<Entry> = codemods::ALL.iter().copied().map(Entry::new).collect();
    serde_json::to_string_pretty(&entries).map(|text| text + "\n")
}

const NAME: Style = AnsiColor::Cyan.on_default().bold();

const HEAD: [&str; 5] = ["codemod", "fixes", "needs", "deprecated", "removed"];

const LEGEND: &str = "* runs when none is named. `needs`: the lowest Python version that the results \
    run on. `deprecated`, `removed`: the Python version that deprecates or removes what the codemod \
    takes out; those that have one, or take out what is superseded, are the group `modernise`. Of \
    several values of an option the first is the default.";

/// The facts about a codemod, as [`HEAD`] names them.
fn facts(codemod: &Codemod) -> [String; 5] {
    let mark = if codemod.headline { " *" } else { "" };
    let fixes: Vec<&str> = applicabilities(codemod).collect();
    let fixes = match fixes.join(" ") {
        none if none.is_empty() => "none".to_string(),
        some => some,
    };
    let (deprecated, removed) = match codemod.dated {
        None => (String::new(), String::new()),
        Some(dated) => (
            dated
                .deprecated
                .or(dated.removed)
                .map_or("superseded".to_string(), |version| version.to_string()),
            dated.removed.map_or(String::new(), |it| it.to_string()),
        ),
    };
    let name = format!("{}{mark}", codemod.name);
    [name, fixes, codemod.python.to_string(), deprecated, removed]
}

fn row([name, fixes, needs, deprecated, removed]: [String; 5]) -> String {
    let row = format!("{name:<28}  {fixes:<20}  {needs:<5}  {deprecated:<10}  {removed}");
    row.trim_end().to_string()
}

fn applicabilities(codemod: &Codemod) -> impl Iterator<Item = &'static str> {
    let applicabilities = codemod.applicabilities().into_iter();
    applicabilities.map(edit::Applicability::as_str)
}

/// What an option may be set to, the default first.
fn values(option: &OptionSpec) -> String {
    match option.choices {
        Choices::Words(words) => format!("\"{}\"", words.join("\" | \"")),
        Choices::Flag => "false | true".to_string(),
        Choices::Count(default) => default.to_string(),
        Choices::Name => "\"package.module.function\"".to_string(),
        Choices::Names => "[\"package.module.function\", ...]".to_string(),
    }
}

/// A codemod.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    summary: &'static str,
    effect: String,
    /// Whether it runs when none is named.
    default: bool,
    /// The name of its group.
    group: Option<&'static str>,
    /// The versions that deprecate and remove what it takes out.
    deprecated: Option<String>,
    removed: Option<String>,
    /// The lowest Python version that its results run on.
    python: String,
    applicabilities: Vec<&'static str>,
    /// The linters' rules whose `noqa` silences it.
    rules: &'static [&'static str],
    options: Vec<OptionEntry>,
}

#[derive(Serialize)]
struct OptionEntry {
    name: &'static str,
    help: &'static str,
    /// What it may be set to, the default first, as `list` shows it to people.
    values: String,
}

impl Entry {
    fn new(codemod: &'static Codemod) -> Self {
        let option = |option: &'static OptionSpec| OptionEntry {
            name: option.name,
            help: option.help,
            values: values(option),
        };
        let dated = codemod.dated;
        let deprecated = dated.and_then(|dated| dated.deprecated);
        let removed = dated.and_then(|dated| dated.removed);
        Self {
            name: codemod.name,
            summary: codemod.summary(),
            effect: codemod.effect().replace('\n', " "),
            default: codemod.headline,
            group: dated.map(|_| MODERNISE[0]),
            deprecated: deprecated.map(|version| version.to_string()),
            removed: removed.map(|version| version.to_string()),
            python: codemod.python.to_string(),
            applicabilities: applicabilities(codemod).collect(),
            rules: codemod.rules,
            options: codemod.options.iter().map(option).collect(),
        }
    }
}
