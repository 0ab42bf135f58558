//! Findings for people: with the source and a caret, or one line each.

use std::io::{self, Write};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use edit::{Applicability, LineIndex, Position};
use engine::{Finding, Outcome, Severity};

use super::{Breakage, Entry, Places};

/// Prints `path:row:column: codemod: message [applicability]` for each finding, with `error: `
/// before the codemod where it is one.
pub fn concise(entry: &Entry, color: bool, out: &mut impl Write) -> io::Result<()> {
    let (bold, ..) = styles(color);
    for (finding, place) in lines(entry) {
        writeln!(out, "{bold}{place}{bold:#}: {}", said(finding, color))?;
    }
    Ok(())
}

/// Prints the path, and below it `  row:column: codemod: message [applicability]` for each finding,
/// with `error: ` before the codemod where it is one.
pub fn grouped(entry: &Entry, color: bool, out: &mut impl Write) -> io::Result<()> {
    let (bold, ..) = styles(color);
    let places = Places::new(entry.source, entry.text);
    let mut findings = listed(entry).peekable();
    if findings.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "{bold}{}{bold:#}:", entry.path.display())?;
    for finding in findings {
        let place = places.of(finding.range.start);
        writeln!(out, "  {place}: {}", said(finding, color))?;
    }
    writeln!(out)
}

/// `codemod: message [applicability]`, after `error: ` where it is one.
fn said(finding: &Finding, color: bool) -> String {
    let (_, name, red) = styles(color);
    let severity = match finding.severity {
        Severity::Error => format!("{red}error{red:#}: "),
        Severity::Warning => String::new(),
    };
    let codemod = finding.codemod.name;
    let message = finding.message_and_state();
    format!("{severity}{name}{codemod}{name:#}: {message}")
}

/// What is bold, how the names of codemods are shown, and what is red.
fn styles(color: bool) -> (Style, Style, Style) {
    if color {
        let bold = |color: AnsiColor| color.on_default().bold();
        (
            Style::new().bold(),
            bold(AnsiColor::Cyan),
            bold(AnsiColor::Red),
        )
    } else {
        (Style::new(), Style::new(), Style::new())
    }
}

/// Prints the withheld findings that are to be listed on standard error, one line each.
pub fn withheld(entry: &Entry) {
    for (finding, place) in lines(entry) {
        if let Outcome::Withheld(_) = finding.outcome {
            super::line(&format!("{place}: {}", said(finding, false)));
        }
    }
}

/// The findings that are to be listed, each with its `path:row:column`.
fn lines<'a>(entry: &'a Entry) -> impl Iterator<Item = (&'a Finding, String)> {
    let places = Places::new(entry.source, entry.text);
    listed(entry).map(move |finding| {
        let place = places.of(finding.range.start);
        let path = entry.path.display();
        (finding, format!("{path}:{place}"))
    })
}

/// What fails on the target version, and what was tried in vain, is listed in any case.
fn listed<'a>(entry: &'a Entry) -> impl Iterator<Item = &'a Finding> {
    entry.findings.iter().copied().filter(|finding| {
        entry.show_withheld
            || entry.taken_back(finding).is_some()
            || finding.severity == Severity::Error
            || matches!(finding.outcome, Outcome::Fix(_))
    })
}

/// Prints each finding with its source.
pub fn full(entry: &Entry, color: bool, out: &mut impl Write) -> io::Result<()> {
    let places = Places::new(entry.source, entry.text);
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(WIDTH);
    // What breaks in the same way is shown once in a file.
    let mut shown = None;
    for finding in listed(entry) {
        let place = places.of(finding.range.start);
        let excerpt = Excerpt::new(entry.text, places.index(), &finding.range);
        let (state, note) = match &finding.outcome {
            Outcome::Fix(fix) => (fix.applicability.as_str(), hint(fix.applicability, entry)),
            Outcome::Withheld(reason) => ("withheld", reason.clone()),
        };
        let note = match finding.outcome {
            Outcome::Fix(_) => Level::HELP.message(note),
            Outcome::Withheld(_) => Level::NOTE.message(note),
        };
        let path = match place.cell {
            Some(cell) => format!("{}:cell {cell}", entry.path.display()),
            None => entry.path.display().to_string(),
        };
        let snippet = Snippet::source(excerpt.text.as_str())
            .line_start(place.position.row)
            .fold(true)
            .annotation(AnnotationKind::Primary.span(excerpt.range));
        // What is cut off at the left counts for the column.
        let (origin, snippet) = if excerpt.is_cut {
            let Position { row, column } = place.position;
            let origin = Origin::path(path).line(row).char_column(column);
            (Some(origin), snippet)
        } else {
            (None, snippet.path(path))
        };
        let name = finding.codemod.name;
        let level = match finding.severity {
            Severity::Warning => Level::WARNING.with_name(name),
            Severity::Error => Level::ERROR.with_name(format!("error: {name}")),
        };
        let title = level.primary_title(finding.message.as_str()).id(state);
        let mut group = Group::with_title(title);
        if let Some(origin) = origin {
            group = group.element(origin);
        }
        let mut group = group.element(snippet).element(note);
        if let Some(back) = entry.taken_back(finding)
            && let Some(breakage) = &back.breakage
            && shown.replace(&back.reason) != Some(&back.reason)
        {
            group = group.element(Level::NOTE.message(last_lines(breakage)));
        }
        let report = [group];
        writeln!(out, "{}\n", renderer.render(&report))?;
    }
    Ok(())
}

/// Longer lines are cut around what is shown of them. In characters; the same for terminals,
/// files and pipes.
const WIDTH: usize = 110;

/// More lines than these are not shown of a finding.
const ROWS: usize = 6;

/// What a command printed last.
fn last_lines(breakage: &Breakage) -> String {
    let output = &breakage.output;
    let mut text = "what it printed last:".to_string();
    for line in &output[output.len().saturating_sub(LINES)..] {
        text.push('\n');
        text.push_str(line);
    }
    text
}

/// So many lines are shown of what a command printed.
const LINES: usize = 20;

/// Which option takes the fix in.
fn hint(applicability: Applicability, entry: &Entry) -> String {
    if applicability <= entry.apply {
        "`--fix` rewrites it"
    } else if applicability == Applicability::Unsafe {
        "`--fix --unsafe-fixes` rewrites it, and may change more than the codemod states"
    } else {
        "`--fix` without `--safe-only` rewrites it"
    }
    .to_string()
}

/// So much of a line is looked at on either side of a finding, in bytes: more than is shown.
const BESIDE: usize = 4 << 10;

/// The lines that hold a finding.
struct Excerpt {
    /// With `\n` at the end of each line.
    text: String,
    /// The finding: byte offsets into `text`.
    range: Range<usize>,
    /// Whether the first line does not begin where it begins in the source.
    is_cut: bool,
}

impl Excerpt {
    fn new(source: &str, index: &LineIndex, range: &Range<usize>) -> Self {
        let first = index.position(source, range.start).row;
        let whole = index.line_range(source, first);
        let cut = source.floor_char_boundary(range.start.saturating_sub(BESIDE));
        let start = whole.start.max(cut);
        let mut text = String::new();
        let mut shown = range.start - start..range.start - start;
        let is_cut = start > whole.start;
        for row in first..first + ROWS {
            let mut line = index.line_range(source, row);
            line.start = line.start.max(start);
            let end = range.end.min(line.end).max(line.start);
            let cut = source.floor_char_boundary(end.saturating_add(BESIDE));
            let (content, has_end) = (
                &source[line.start..line.end.min(cut)],
                range.end <= line.end,
            );
            // The part of the finding that is in this line. A finding that is longer than what
            // is shown is shown by its first line: a mark without an end says nothing.
            if row == first || has_end {
                shown.end = text.len() + (end - line.start);
            }
            text.push_str(content);
            text.push('\n');
            if has_end {
                return Self {
                    text,
                    range: shown,
                    is_cut,
                };
            }
        }
        text.truncate(text.find('\n').map_or(text.len(), |end| end + 1));
        Self {
            text,
            range: shown,
            is_cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use edit::LineIndex;

    use super::{BESIDE, Excerpt};

    fn excerpt(source: &str, part: &str) -> (String, String) {
        let start = source.find(part).unwrap();
        let index = LineIndex::new(source);
        let excerpt = Excerpt::new(source, &index, &(start..start + part.len()));
        let marked = excerpt.text[excerpt.range].to_string();
        (excerpt.text, marked)
    }

    #[test]
    fn the_lines_of_the_finding_are_shown() {
        let (text, marked) = excerpt("a\nb = f(1)\nc\n", "f(1)");
        assert_eq!((text.as_str(), marked.as_str()), ("b = f(1)\n", "f(1)"));
        let (text, marked) = excerpt("a\r\nb = f(\r\n1)\r\nc", "f(\r\n1)");
        assert_eq!((text.as_str(), marked.as_str()), ("b = f(\n1)\n", "f(\n1)"));
        let (text, marked) = excerpt("a\rb = f(\r1)", "f(\r1)");
        assert_eq!((text.as_str(), marked.as_str()), ("b = f(\n1)\n", "f(\n1)"));
    }

    #[test]
    fn a_long_line_is_cut() {
        let source = "é".repeat(BESIDE) + "f(1)" + &"é".repeat(BESIDE);
        let (text, marked) = excerpt(&source, "f(1)");
        assert_eq!(marked, "f(1)");
        assert!(text.len() <= 2 * BESIDE + 6, "{}", text.len());
    }

    #[test]
    fn a_long_finding_is_shown_by_its_first_line() {
        let (text, marked) = excerpt(
            "x = f(\n1,\n2,\n3,\n4,\n5,\n6)\n",
            "f(\n1,\n2,\n3,\n4,\n5,\n6)",
        );
        assert_eq!((text.as_str(), marked.as_str()), ("x = f(\n", "f("));
    }
}
