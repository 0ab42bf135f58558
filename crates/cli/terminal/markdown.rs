//! Markdown, as the pages of the codemods use it, in the colours of a terminal.

use anstyle::{AnsiColor, Style};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{code, paint, table, wrap};

/// The text with colours, in lines of at most `width` columns; code is not broken.
pub fn render(markdown: &str, width: usize) -> String {
    let mut page = Page {
        width,
        ..Page::default()
    };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        page.take(event);
    }
    page.out
}

/// The text of one paragraph with colours, in one line.
pub fn inline(markdown: &str) -> String {
    render(markdown, usize::MAX).trim_end().to_string()
}

/// What has been written, and what is open.
#[derive(Default)]
struct Page {
    out: String,
    width: usize,
    /// The words of the block that is open.
    text: String,
    /// What holds for them, the innermost last.
    styles: Vec<Style>,
    /// The lists that are open, with the number of the next item.
    lists: Vec<Option<u64>>,
    /// What the next line of an item starts with.
    marker: Option<String>,
    /// Whether a blank line is due before the next block.
    apart: bool,
    /// The words after the opening of the block of code that is open.
    info: String,
    rows: Vec<Vec<String>>,
    link: String,
}

impl Page {
    fn take(&mut self, event: Event) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.info.is_empty() => self.words(&text, Style::new()),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.text.push_str(&text);
            }
            Event::Code(text) => self.words(&text, CODE),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::Rule => self.lines(&["─".repeat(self.width.min(80))]),
            // Not asked for.
            Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag) {
        match tag {
            Tag::Heading { level, .. } => self.styles.push(match level {
                HeadingLevel::H1 => TITLE,
                HeadingLevel::H2 => HEADING,
                _ => STRONG,
            }),
            Tag::Strong => self.styles.push(STRONG),
            Tag::Emphasis => self.styles.push(EMPHASIS),
            Tag::Link { dest_url, .. } => self.link = dest_url.into_string(),
            Tag::CodeBlock(kind) => {
                self.block();
                self.info = match kind {
                    CodeBlockKind::Fenced(info) if !info.is_empty() => info.into_string(),
                    CodeBlockKind::Fenced(_) | CodeBlockKind::Indented => "text".to_string(),
                };
            }
            Tag::List(number) => {
                self.block();
                self.apart &= self.lists.is_empty();
                self.lists.push(number);
            }
            Tag::Item => {
                let marker = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_string(),
                };
                self.marker = Some(marker);
            }
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.block(),
            TagEnd::Heading(_) => {
                self.block();
                self.styles.pop();
            }
            TagEnd::Strong | TagEnd::Emphasis => {
                self.styles.pop();
            }
            TagEnd::Link => {
                let target = std::mem::take(&mut self.link);
                if target.starts_with("http") && !self.text.ends_with(&target) {
                    self.words(&format!(" ({target})"), FAINT);
                }
            }
            TagEnd::CodeBlock => self.code(),
            TagEnd::Item => {
                self.block();
                // The items of a list stand close together.
                self.apart = false;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.apart = true;
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::TableHead => {
                for cell in self.rows.iter_mut().flatten() {
                    *cell = paint(STRONG, cell);
                }
            }
            TagEnd::Table => {
                let rows = std::mem::take(&mut self.rows);
                self.lines(&table::lines(&rows, self.width - self.indent().len()));
            }
            _ => {}
        }
    }

    /// Adds words to the block that is open.
    fn words(&mut self, text: &str, own: Style) {
        let style = if own == Style::new() {
            self.styles.last().copied().unwrap_or_default()
        } else {
            own
        };
        self.text.push_str(&paint(style, text));
    }

    /// Ends the block of words that is open, if there is one.
    fn block(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.is_empty() {
            return;
        }
        let indent = self.indent();
        let width = self.width.saturating_sub(indent.len());
        self.lines(&wrap(&text, width, "", ""));
    }

    /// Ends the block of code that is open.
    fn code(&mut self) {
        let text = std::mem::take(&mut self.text);
        let info = std::mem::take(&mut self.info);
        let mut words = info.split(' ');
        let mut lines = match words.next() {
            Some("diff") => code::diff(&text),
            Some("python") => code::python(&text),
            _ => text.lines().map(str::to_string).collect(),
        };
        // What is for the tests of the pages is not for readers.
        let words: Vec<&str> = words.filter(|word| !word.starts_with("run")).collect();
        if !words.is_empty() {
            lines.insert(0, paint(FAINT, &format!("[{}]", words.join(", "))));
        }
        for line in &mut lines {
            line.insert_str(0, "    ");
        }
        self.lines(&lines);
    }

    fn indent(&self) -> String {
        // "- " and "1. " are as wide as what goes on below them is indented.
        let width = |list: &Option<u64>| if list.is_some() { 3 } else { 2 };
        " ".repeat(self.lists.iter().map(width).sum())
    }

    /// Writes lines as a block.
    fn lines(&mut self, lines: &[String]) {
        if self.apart {
            self.out.push('\n');
        }
        self.apart = true;
        for line in lines {
            let mut indent = self.indent();
            if let Some(marker) = self.marker.take() {
                indent.truncate(indent.len().saturating_sub(marker.len()));
                indent.push_str(&marker);
            }
            if !line.is_empty() {
                self.out.push_str(&indent);
            }
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
    }
}

const TITLE: Style = AnsiColor::Green.on_default().bold().underline();
const HEADING: Style = AnsiColor::Green.on_default().bold();
const STRONG: Style = Style::new().bold();
const EMPHASIS: Style = Style::new().italic();
const CODE: Style = AnsiColor::Cyan.on_default();
const FAINT: Style = Style::new().dimmed();

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left to read without colours.
    fn plain(text: &str) -> String {
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("\x1b[") {
            plain.push_str(before);
            rest = after.split_once('m').map_or("", |(_, after)| after);
        }
        plain + rest
    }

    #[test]
    fn every_block_has_its_place() {
        let markdown = "# a-b\n\nOne *two* **three** `four  five`\n[six](https://x.y).\n\n- a\n  b\n- c\n  1. d\n\
                        \n     e\n\n```diff safe run=differs\n a\n-b\n```\n\n```\ncode\n\nmore\n```\n\n\
                        | a | b |\n| --- | --- |\n| `x` | y \\| z |\n\n## End\n";
        let expected = "a-b\n\nOne two three four  five six (https://x.y).\n\n- a b\n- c\n  1. d\n\
                        \n     e\n\n    [safe]\n     a\n    -b\n\n    code\n\n    more\n\n\
                        a  b\n─  ─────\nx  y | z\n\nEnd\n";
        assert_eq!(plain(&render(markdown, 80)), expected);
    }

    #[test]
    fn every_page_keeps_its_words_and_the_width() {
        for codemod in codemods::ALL {
            let text = plain(&render(codemod.page, 80));
            let mut fenced = false;
            for line in codemod.page.lines() {
                if line.trim_start().starts_with("```") {
                    fenced = !fenced;
                } else if fenced {
                    assert!(text.contains(line.trim()), "{}: {line}", codemod.name);
                } else {
                    let marks = ['`', '*', '#', '|', '-', '\\'];
                    for word in line
                        .split(' ')
                        .filter(|it| !it.contains(marks) && !it.contains("]("))
                    {
                        assert!(text.contains(word), "{}: {word}", codemod.name);
                    }
                }
            }
            for line in text.lines().filter(|line| !line.starts_with("    ")) {
                // A word that is longer than the line stands alone.
                let long = line
                    .trim_start()
                    .split(' ')
                    .any(|it| it.chars().count() > 60);
                assert!(
                    long || line.chars().count() <= 80,
                    "{}: {line}",
                    codemod.name
                );
            }
        }
    }
}
