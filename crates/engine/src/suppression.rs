//! Comments that silence findings: `# asyncfix: ignore[await-sleep]`, and a linter's
//! `# noqa: ASYNC251` for the same defect.

use std::cell::Cell;
use std::ops::Range;
use std::sync::LazyLock;

use edit::Edit;
use python::{Module, TextRange, TextSize};
use regex::Regex;

use crate::{Codemod, Finding};

/// What one comment of ours says of one codemod, or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The comment: byte offsets into the text that was analysed.
    pub range: Range<usize>,
    /// The codemod as it is written there; none where the comment names none and means all.
    pub name: Option<String>,
    /// Whether it silenced a finding. Of a codemod that did not run nobody knows.
    pub used: bool,
}

/// The comments of one module that silence findings.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The comment.
    comment: TextRange,
    /// Where a finding has to begin.
    lines: TextRange,
    whom: Whom,
    used: Cell<bool>,
}

#[derive(Debug)]
enum Whom {
    /// A codemod, by name.
    Codemod(String),
    /// A linter's rule that is about the same defect.
    Rule(String),
    All,
}

/// What each comment of ours holds.
pub(crate) const MARK: &str = "asyncfix:";

/// What comments of ours look like. What follows the brackets is the reason, for people.
static OURS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"#\s*asyncfix:\s*(file-)?ignore\b(?:\s*\[([^\]]*)\])?").ok());

/// What comments of linters look like that name their rules. One that names none silences the
/// linter, which says nothing of what asyncfix knows.
static LINTERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)#\s*((?:ruff|flake8)\s*:\s*)?noqa\s*:\s*([A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)")
        .ok()
});

impl Suppressions {
    /// Those of `module`.
    pub(crate) fn of(module: &Module<'_>) -> Self {
        let mut entries = Vec::new();
        let source = module.source();
        let has = |word: &str| memchr::memmem::find(source.as_bytes(), word.as_bytes()).is_some();
        if !has(MARK) && !has("noqa") && !has("NOQA") {
            return Self { entries }; // as in nearly all files
        }
        let whole = TextRange::up_to(TextSize::of(source));
        for comment in module.comments(whole) {
            let text = &source[*comment];
            let lines = || lines(module, *comment);
            let mut push = |lines, whom| {
                entries.push(Entry {
                    comment: *comment,
                    lines,
                    whom,
                    used: Cell::new(false),
                });
            };
            for found in OURS.iter().flat_map(|regex| regex.captures_iter(text)) {
                let lines = match found.get(1) {
                    Some(_) => whole,
                    None => lines(),
                };
                match found.get(2) {
                    Some(names) => {
                        for name in words(names.as_str()) {
                            push(lines, Whom::Codemod(name.to_string()));
                        }
                    }
                    None => push(lines, Whom::All),
                }
            }
            for found in LINTERS.iter().flat_map(|regex| regex.captures_iter(text)) {
                let lines = match found.get(1) {
                    Some(_) => whole,
                    None => lines(),
                };
                for rule in words(found.get(2).map_or("", |rules| rules.as_str())) {
                    push(lines, Whom::Rule(rule.to_ascii_uppercase()));
                }
            }
        }
        Self { entries }
    }

    /// Whether a comment silences the finding; all that do are used.
    pub(crate) fn silence(&self, finding: &Finding) -> bool {
        let mut silenced = false;
        for entry in &self.entries {
            let begins = entry.lines.start().to_usize() <= finding.range.start
                && finding.range.start <= entry.lines.end().to_usize();
            if begins && entry.whom.is(finding.codemod) {
                entry.used.set(true);
                silenced = true;
            }
        }
        silenced
    }

    /// What our comments said, and whether it was needed; a linter's are the linter's.
    pub(crate) fn ours(self) -> Vec<Suppression> {
        let ours = |entry: Entry| {
            let name = match entry.whom {
                Whom::Codemod(name) => Some(name),
                Whom::All => None,
                Whom::Rule(_) => return None,
            };
            Some(Suppression {
                range: entry.comment.into(),
                name,
                used: entry.used.get(),
            })
        };
        self.entries.into_iter().filter_map(ours).collect()
    }
}

impl Whom {
    fn is(&self, codemod: &Codemod) -> bool {
        match self {
            Whom::Codemod(name) => name == codemod.name,
            Whom::Rule(rule) => codemod.rules.contains(&rule.as_str()),
            Whom::All => true,
        }
    }
}

/// Where a finding has to begin for `comment` to be about it.
///
/// A comment behind code is about its line; at the first or the last line of a statement or a
/// header of several lines, which is where people and formatters put it, about all of them. A
/// comment on a line of its own is about the statement or the header that follows.
fn lines(module: &Module<'_>, comment: TextRange) -> TextRange {
    let line = TextRange::new(
        module.line_start(comment.start()),
        module.line_end(comment.start()),
    );
    let logical = module.logical_line(comment.start());
    let is_alone = module.indentation_at(comment.start()).is_some();
    if is_alone && logical.start() < comment.start() {
        // In brackets: about the line that follows.
        let next = module.next_line(comment.start());
        return TextRange::new(next, module.line_end(next));
    }
    let is_first = line.contains_inclusive(logical.start());
    let is_last = logical.end() <= line.end();
    if is_alone || is_first || is_last {
        logical
    } else {
        line
    }
}

/// The words between commas and white space.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\t']).filter(|word| !word.is_empty())
}

/// The edits that silence `findings` where they are, each with a comment at the end of its
/// statement or header, and `reason` after it.
pub(crate) fn silence_all(module: &Module<'_>, findings: &[Finding], reason: &str) -> Vec<Edit> {
    let mut lines: Vec<(TextRange, Vec<&'static str>)> = Vec::new();
    for finding in findings {
        let Ok(start) = TextSize::try_from(finding.range.start) else {
            continue; // no text is so long
        };
        let line = module.logical_line(start);
        let name = finding.codemod.name;
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => lines.push((line, vec![name])),
        }
    }
    let reason = reason.trim();
    let edit = |(line, names): (TextRange, Vec<&str>)| {
        let names = names.join(", ");
        let end = module.line_end(line.end());
        let last = TextRange::new(module.line_start(line.end()), end);
        let comment = module.comments(last).first().copied();
        // One that is there takes the further names in.
        if let Some(comment) = comment
            && let Some(found) = OURS
                .as_ref()
                .and_then(|regex| regex.captures(&module.source()[comment]))
            && let (None, Some(known)) = (found.get(1), found.get(2))
        {
            let at = comment.start().to_usize() + known.end();
            return Edit::insert(at, format!(", {names}"));
        }
        let text = &module.source()[TextRange::new(line.start(), end)];
        let trimmed = text.trim_end();
        // No comment can stand behind a backslash that goes on in a blank line, but in that line.
        let goes_on = trimmed.ends_with('\\') && text[trimmed.len()..].contains(['\n', '\r']);
        let length = if goes_on { text.len() } else { trimmed.len() };
        let at = line.start().to_usize() + length;
        let space = if reason.is_empty() { "" } else { " " };
        Edit::insert(at, format!("  # asyncfix: ignore[{names}]{space}{reason}"))
    };
    lines.into_iter().map(edit).collect()
}
