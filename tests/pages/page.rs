//! A codemod's page: its Markdown, read into what it promises.

use std::ops::Range;

use edit::Applicability;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use python::ast::PythonVersion;

/// A page, as far as a machine can hold it to its word.
#[derive(Debug, Default)]
pub struct Page {
    /// The heading of level 1.
    pub title: String,
    /// The headings of level 2.
    pub headings: Vec<String>,
    /// The options that are documented under "Options".
    pub options: Vec<String>,
    /// The blocks of code that the tests execute.
    pub examples: Vec<Example>,
}

/// A block of code that the tests execute.
#[derive(Debug)]
pub struct Example {
    /// The innermost heading above it.
    pub heading: String,
    /// The line of the page on which the block begins, from 1.
    pub line: usize,
    /// The text between it and the heading or block above, without Markdown's marks.
    pub prose: String,
    /// The lowest Python version that the code has to run on.
    pub target: PythonVersion,
    /// The options that it is rewritten with.
    pub options: Vec<(String, String)>,
    /// What is to come of it.
    pub expected: Expected,
}

/// What is to come of an example.
#[derive(Debug)]
pub enum Expected {
    /// A `diff` block: `before` becomes `after`.
    Rewrite {
        before: String,
        after: String,
        applicability: Applicability,
        run: Option<Run>,
    },
    /// A `python` block under "Left alone": nothing is said.
    LeftAlone(String),
    /// A `python` block under "Withheld": reported with the reason that its prose gives.
    Withheld(String),
}

/// How the programs on both sides of a diff are to behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// They print the same and succeed.
    Same,
    /// They print or exit differently.
    Differs,
    /// The one before fails, the one after succeeds.
    FailsBefore,
}

/// A page that cannot be read as one: the line, from 1, the heading, and what is wrong there.
pub type Unreadable = (usize, String, String);

impl Page {
    /// Reads a page. The errors are all that were found.
    pub fn parse(markdown: &str) -> Result<Page, Vec<Unreadable>> {
        let mut reader = Reader::new(markdown);
        for (event, range) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
            reader.event(event, range);
        }
        if reader.errors.is_empty() {
            Ok(reader.page)
        } else {
            Err(reader.errors)
        }
    }
}

struct Reader<'m> {
    markdown: &'m str,
    page: Page,
    errors: Vec<Unreadable>,
    section: String,
    heading: String,
    /// The text since the last heading or block of code.
    prose: String,
    /// The text of the paragraph or heading that is being read.
    text: String,
    /// The info string of the block of code that is being read, and the offset where it begins.
    block: Option<(String, usize)>,
    code: String,
}

impl<'m> Reader<'m> {
    fn new(markdown: &'m str) -> Self {
        Self {
            markdown,
            page: Page::default(),
            errors: Vec::new(),
            section: String::new(),
            heading: String::new(),
            prose: String::new(),
            text: String::new(),
            block: None,
            code: String::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::Item) => self.text.clear(),
            Event::Start(Tag::CodeBlock(kind)) => {
                // In a list that is not spaced out, the item's text is no paragraph.
                self.end_paragraph();
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.block = Some((info, range.start));
                self.code.clear();
            }
            Event::Text(text) if self.block.is_some() => self.code.push_str(&text),
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(code) => {
                if self.text.is_empty() && self.section == "Options" {
                    self.option(&code);
                }
                self.text.push_str(&code);
            }
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::End(TagEnd::Heading(level)) => self.end_heading(level),
            Event::End(TagEnd::Paragraph | TagEnd::Item) => self.end_paragraph(),
            Event::End(TagEnd::CodeBlock) => self.end_code(),
            _ => {}
        }
    }

    /// An option is documented by what starts with its name as code: a heading, a paragraph or
    /// the item of a list.
    fn option(&mut self, code: &str) {
        let code = code.rsplit_once('.').map_or(code, |(_, option)| option);
        let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
        let name: String = code.chars().take_while(|c| is_name(*c)).collect();
        if !self.page.options.contains(&name) {
            self.page.options.push(name);
        }
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        let text = std::mem::take(&mut self.text);
        match level {
            HeadingLevel::H1 => self.page.title.clone_from(&text),
            HeadingLevel::H2 => {
                self.page.headings.push(text.clone());
                self.section.clone_from(&text);
            }
            _ => {}
        }
        self.heading = text;
        self.prose.clear();
    }

    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.prose.push_str(&text);
        self.prose.push('\n');
    }

    fn end_code(&mut self) {
        let Some((info, start)) = self.block.take() else {
            return;
        };
        let prose = std::mem::take(&mut self.prose);
        let line = self.markdown[..start].matches('\n').count() + 1;
        let mut words = info.split_whitespace();
        let expected = match (words.next(), self.section.as_str()) {
            (Some("diff"), "Left alone" | "Withheld") => {
                Err(format!("under \"{}\" nothing is rewritten", self.section))
            }
            (Some("diff"), _) => rewrite(&self.code, words.next()),
            (Some("python"), "Left alone") => Ok(Expected::LeftAlone(self.code.clone())),
            (Some("python"), "Withheld") => Ok(Expected::Withheld(self.code.clone())),
            (Some("python"), _) => Err(
                "a `python` block stands under \"Left alone\" or \"Withheld\"; a rewrite is a `diff` block".to_string(),
            ),
            (None, _) => Err("a block of code without a language".to_string()),
            _ => return,
        };
        let mut fail = |message| self.errors.push((line, self.heading.clone(), message));
        let expected = match expected {
            Ok(expected) => expected,
            Err(message) => return fail(message),
        };
        let mut example = Example {
            heading: self.heading.clone(),
            line,
            prose,
            target: PythonVersion::PY311,
            options: Vec::new(),
            expected,
        };
        for word in words {
            if let Err(message) = example.set(word) {
                return fail(message);
            }
        }
        self.page.examples.push(example);
    }
}

impl Example {
    /// Takes a word of the info string.
    fn set(&mut self, word: &str) -> Result<(), String> {
        match word.split_once('=').unwrap_or((word, "")) {
            ("run", kind) => {
                let Expected::Rewrite { run, .. } = &mut self.expected else {
                    return Err("`run` belongs to a `diff` block".to_string());
                };
                *run = Some(match kind {
                    "" => Run::Same,
                    "differs" => Run::Differs,
                    "fails-before" => Run::FailsBefore,
                    _ => {
                        return Err(format!(
                            "`run={kind}` is not known: it is `run`, `run=differs` or `run=fails-before`"
                        ));
                    }
                });
            }
            ("target", version) => {
                let minor = version.strip_prefix("py3").and_then(|it| it.parse().ok());
                let Some(minor) = minor else {
                    return Err(format!(
                        "`target={version}` is no version: it is written `py312`"
                    ));
                };
                self.target = PythonVersion { major: 3, minor };
            }
            (_, "") => return Err(format!("`{word}` is not known in an info string")),
            (option, value) => {
                let value = value.trim_matches('"');
                self.options.push((option.to_string(), value.to_string()));
            }
        }
        Ok(())
    }
}

/// Both sides of a diff.
fn rewrite(code: &str, applicability: Option<&str>) -> Result<Expected, String> {
    let applicability = match applicability {
        Some("safe") => Applicability::Safe,
        Some("intended") => Applicability::Intended,
        Some("unsafe") => Applicability::Unsafe,
        _ => return Err("after `diff` stands `safe`, `intended` or `unsafe`".to_string()),
    };
    let (mut before, mut after) = (String::new(), String::new());
    for line in code.split_inclusive('\n') {
        let (mark, text) = match line.split_at_checked(1) {
            Some((mark, text)) if mark != "\n" => (mark, text),
            _ => (" ", line),
        };
        match mark {
            " " => {
                before.push_str(text);
                after.push_str(text);
            }
            "-" => before.push_str(text),
            "+" => after.push_str(text),
            _ => {
                return Err(format!(
                    "a line of a diff starts with ` `, `-` or `+`, and not as in: {}",
                    line.trim_end()
                ));
            }
        }
    }
    if before == after {
        return Err("the diff changes nothing".to_string());
    }
    Ok(Expected::Rewrite {
        before,
        after,
        applicability,
        run: None,
    })
}
