//! What a person sees of one fix: rows of text that fit into a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use edit::{Applicability, unified_diff};
use engine::{Finding, Severity};
use similar::{Algorithm, ChangeTag};
use textwrap::Options;
use unicode_width::UnicodeWidthChar;

use crate::page;

/// One fix, and what it is about.
pub struct View<'a> {
    /// One-based: how many findings were decided on, and this.
    pub number: usize,
    /// How many there are, those that were decided on among them.
    pub total: usize,
    /// `path:row:column`.
    pub place: String,
    pub finding: &'a Finding,
    pub applicability: Applicability,
    /// The file's text as it is, and with the fix.
    pub before: &'a str,
    pub after: &'a str,
}

impl View<'_> {
    /// The rows, none of them wider than `columns`: what is found, why the fix may be applied, and
    /// what it changes. Nothing is left out: what is longer goes on in the next row.
    pub fn rows(&self, columns: usize, color: bool) -> Vec<String> {
        let styles = Styles::new(color);
        let codemod = self.finding.codemod;
        let word = self.applicability.as_str();
        let mut rows = Vec::new();
        let head = format!("{} of {}  {}", self.number, self.total, self.place);
        wrap(&head, styles.bold, "", columns, &mut rows);
        let error = match self.finding.severity {
            Severity::Error => "error: ",
            Severity::Warning => "",
        };
        let message = &self.finding.message;
        let what = format!("{error}{}: {message} [{word}]", codemod.name);
        wrap(&what, styles.bold, "", columns, &mut rows);
        let effect = format!("Effect: {}", codemod.effect());
        wrap(&effect, styles.dim, "  ", columns, &mut rows);
        let why = format!("Why {word}: {}", page::why(codemod, self.applicability));
        wrap(&why, styles.dim, "  ", columns, &mut rows);
        rows.extend(difference(self.before, self.after, columns, styles));
        rows
    }
}

/// The unified diff of two texts, in rows.
fn difference(before: &str, after: &str, columns: usize, styles: Styles) -> Vec<String> {
    let patch = unified_diff("", before.as_bytes(), after.as_bytes(), &[]);
    let patch = String::from_utf8_lossy(&patch);
    let lines: Vec<(&str, &str)> = patch
        .split_terminator('\n')
        .skip(2) // the names
        .map(|line| line.split_at(line.floor_char_boundary(1)))
        .collect();
    let mut rows = Vec::new();
    let mut rest = lines.as_slice();
    while let Some((mark, line)) = rest.first() {
        match *mark {
            "-" | "+" => {
                let removed = run(rest, "-");
                let added = run(&rest[removed..], "+");
                let (block, after) = rest.split_at(removed + added);
                let (old, new) = block.split_at(removed);
                let text = |block: &[(&str, &str)]| -> String {
                    let lines: Vec<&str> = block.iter().map(|(_, line)| without_cr(line)).collect();
                    lines.join("\n")
                };
                let (old, new) = marked(&text(old), &text(new));
                for (marked, mark, style) in [(old, "-", styles.removed), (new, "+", styles.added)]
                {
                    for line in marked
                        .into_iter()
                        .take(if mark == "-" { removed } else { added })
                    {
                        code(mark, &line, style, columns, styles, &mut rows);
                    }
                }
                rest = after;
                continue;
            }
            "@" => {
                let of = enclosing(before, line);
                let head = format!("@{line}{of}");
                let pieces = [Marked {
                    text: head,
                    changed: false,
                }];
                code("", &pieces, styles.head, columns, styles, &mut rows);
            }
            _ => {
                let text = without_cr(line).to_string();
                let pieces = [Marked {
                    text,
                    changed: false,
                }];
                code(mark, &pieces, Style::new(), columns, styles, &mut rows);
            }
        }
        rest = &rest[1..];
    }
    rows
}

/// How many lines in a row have that mark.
fn run(lines: &[(&str, &str)], mark: &str) -> usize {
    lines.iter().take_while(|(it, _)| *it == mark).count()
}

fn without_cr(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

/// The header of the function or class around a hunk, as git finds it: the last line above that
/// starts one. `spans` is what stands between the `@@`.
fn enclosing(before: &str, spans: &str) -> String {
    let first = spans
        .split(['-', ',', ' '])
        .find_map(|it| it.parse::<usize>().ok());
    let above = first.unwrap_or(1).saturating_sub(1);
    let lines: Vec<&str> = before.split('\n').take(above).collect();
    let starts = |line: &&&str| {
        let line = line.trim_start();
        ["def ", "async def ", "class "]
            .iter()
            .any(|word| line.starts_with(word))
    };
    match lines.iter().rev().find(starts) {
        Some(line) => format!(" {}", line.trim()),
        None => String::new(),
    }
}

/// A part of a line.
struct Marked {
    text: String,
    /// Whether it is in one of two texts only.
    changed: bool,
}

/// The lines of two texts, with what is in one of them only. Where they have little in common, it
/// would be most of both, and nothing is marked.
fn marked(old: &str, new: &str) -> (Vec<Vec<Marked>>, Vec<Vec<Marked>>) {
    let (old_words, new_words) = (words(old), words(new));
    let pieces = similar::utils::diff_slices(Algorithm::Patience, &old_words, &new_words);
    let weight = |words: &[&str]| -> usize { words.iter().map(|it| it.trim().len()).sum() };
    let common: usize = pieces
        .iter()
        .filter(|(tag, _)| *tag == ChangeTag::Equal)
        .map(|(_, words)| weight(words))
        .sum();
    let least = weight(&old_words).min(weight(&new_words));
    let alike = common * 3 >= least && common > 0;
    let side = |text: &str, not: ChangeTag| {
        let mut lines = vec![Vec::new()];
        for (tag, words) in pieces.iter().filter(|(tag, _)| *tag != not) {
            let changed = alike && *tag != ChangeTag::Equal;
            for (index, part) in words.concat().split('\n').enumerate() {
                if index > 0 {
                    lines.push(Vec::new());
                }
                if let (false, Some(line)) = (part.is_empty(), lines.last_mut()) {
                    // What is shown of the indentation of a new line is not what changed.
                    let indent = part.len() - part.trim_start().len();
                    let starts = line.is_empty() && changed;
                    let (indent, part) = part.split_at(if starts { indent } else { 0 });
                    for (text, changed) in [(indent, false), (part, changed)] {
                        let text = text.to_string();
                        line.push(Marked { text, changed });
                    }
                }
            }
        }
        // Nothing that is shown may depend on how two texts were compared.
        let shown: Vec<String> = lines.iter().map(|line| joined(line)).collect();
        if shown.join("\n") == text {
            return lines;
        }
        let whole = |line: &str| {
            let text = line.to_string();
            vec![Marked {
                text,
                changed: false,
            }]
        };
        text.split('\n').map(whole).collect()
    };
    (side(old, ChangeTag::Insert), side(new, ChangeTag::Delete))
}

fn joined(line: &[Marked]) -> String {
    line.iter().map(|part| part.text.as_str()).collect()
}

/// Names and numbers, runs of blanks, and each other character alone.
fn words(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        '\n' => 0,
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 0,
    };
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| kind(c) == kind(first) && kind(first) != 0;
        let length = rest.find(|c| !same(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length.max(first.len_utf8()));
        words.push(word);
        rest = after;
    }
    words
}

/// A line of code in as many rows as it takes, each after `mark`. A row that goes on ends in `↵`.
fn code(
    mark: &str,
    line: &[Marked],
    style: Style,
    columns: usize,
    styles: Styles,
    rows: &mut Vec<String>,
) {
    let columns = columns.max(MINIMUM) - mark.len();
    let mut cells: Vec<(String, usize, bool)> = Vec::new();
    let mut column = 0;
    for Marked { text, changed } in line {
        for character in text.chars() {
            let shown = visible(character, column);
            let width = shown.chars().filter_map(UnicodeWidthChar::width).sum();
            column += width;
            cells.push((shown, width, *changed));
        }
    }
    let mut rest = cells.as_slice();
    loop {
        let whole = rest.iter().map(|(_, width, _)| width).sum::<usize>() <= columns;
        let mut width = 0;
        let fits = rest.iter().take_while(|cell| {
            width += cell.1;
            width < columns
        });
        let length = if whole {
            rest.len()
        } else {
            fits.count().max(1)
        };
        let (part, after) = rest.split_at(length);
        let mut row = format!("{style}{mark}");
        for run in part.chunk_by(|one, other| one.2 == other.2) {
            let text: String = run.iter().map(|(text, ..)| text.as_str()).collect();
            if run.first().is_some_and(|cell| cell.2) {
                let changed = styles.changed(style);
                let _ = write!(row, "{style:#}{changed}{text}{changed:#}{style}");
            } else {
                row.push_str(&text);
            }
        }
        let _ = write!(row, "{style:#}");
        if !whole {
            let dim = styles.dim;
            let _ = write!(row, "{dim}↵{dim:#}");
        }
        rows.push(row);
        if whole {
            return;
        }
        rest = after;
    }
}

/// Narrower terminals get rows of this width all the same.
const MINIMUM: usize = 10;

/// The character as it can be shown: what moves the cursor, or hides or turns around what stands
/// beside it, is written out.
fn visible(character: char, column: usize) -> String {
    match character {
        '\t' => " ".repeat(8 - column % 8),
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => character.escape_unicode().to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    }
}

/// Prose in rows, the second and later ones two columns further in.
fn wrap(text: &str, style: Style, indent: &str, columns: usize, rows: &mut Vec<String>) {
    let text: String = text
        .chars()
        .map(|c| if c == '\n' { ' ' } else { c })
        .map(|c| visible(c, 0))
        .collect();
    let further = format!("{indent}  ");
    let options = Options::new(columns.max(MINIMUM))
        .initial_indent(indent)
        .subsequent_indent(&further);
    for row in textwrap::wrap(&text, options) {
        rows.push(format!("{style}{row}{style:#}"));
    }
}

/// How things are shown.
#[derive(Clone, Copy)]
struct Styles {
    color: bool,
    bold: Style,
    dim: Style,
    head: Style,
    removed: Style,
    added: Style,
}

impl Styles {
    fn new(color: bool) -> Self {
        let style = |style: Style| if color { style } else { Style::new() };
        Self {
            color,
            bold: style(Style::new().bold()),
            dim: style(Style::new().dimmed()),
            head: style(AnsiColor::Cyan.on_default()),
            removed: style(AnsiColor::Red.on_default()),
            added: style(AnsiColor::Green.on_default()),
        }
    }

    fn changed(self, style: Style) -> Style {
        if self.color { style.invert() } else { style }
    }
}
