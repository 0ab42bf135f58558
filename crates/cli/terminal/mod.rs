//! Reading matter for people at a terminal: Markdown in colours, lists, and the pager.

mod code;
pub mod markdown;
pub mod pager;
mod table;

use anstyle::Style;
use terminal_size::Width;
use textwrap::{Options, WordSeparator, WordSplitter};

/// How many columns there are to write in: those of the terminal, but no more than are pleasant
/// to read; 80 where there is no terminal.
pub fn width() -> usize {
    let columns = terminal_size::terminal_size().map(|(Width(columns), _)| usize::from(columns));
    columns.unwrap_or(80).clamp(40, 100)
}

/// `text` in a style. Each word has it for itself, so that lines can be broken between them.
pub fn paint(style: Style, text: &str) -> String {
    if style == Style::new() {
        return text.to_string();
    }
    let paint = |word: &str| match word {
        "" => String::new(),
        _ => format!("{style}{word}{style:#}"),
    };
    let words: Vec<String> = text.split(' ').map(paint).collect();
    words.join(" ")
}

/// The lines of `text`, none of them longer than `width` columns where a word is not. The first
/// starts with `first`, the others with `next`.
pub fn wrap(text: &str, width: usize, first: &str, next: &str) -> Vec<String> {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(next)
        .word_separator(WordSeparator::AsciiSpace)
        // `await-sleep` is one word.
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    let lines = textwrap::wrap(text, options).into_iter();
    lines.map(std::borrow::Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_painted_words() {
        let text = paint(Style::new().bold(), "await-sleep runs");
        assert_eq!(
            wrap(&text, 12, "- ", "  "),
            ["- \x1b[1mawait-sleep\x1b[0m", "  \x1b[1mruns\x1b[0m"]
        );
    }
}
