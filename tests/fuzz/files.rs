//! What holds of a file, whatever its bytes: what the binary does between reading and writing.

use engine::{Outcome, Settings};
use serde_json::json;

use crate::chance::Chance;
use crate::laws::{self, Broken};
use crate::source::{NotebookFile, Source};

/// What came of one text or file.
#[derive(Default)]
pub struct Seen {
    /// Whether it is Python.
    pub parsed: bool,
    /// Which codemods rewrote something.
    pub rewrote: Vec<&'static str>,
    /// What was said, without what differs from text to text.
    pub said: Vec<String>,
    /// Codemods with a fix that the engine withheld, since it would not have kept a comment.
    pub unkept: Vec<&'static str>,
}

/// The words for that.
const UNKEPT: &str = "stands in what is rewritten, and would";

impl Seen {
    pub fn of(rewritten: &engine::Rewritten) -> Self {
        let rewrote = rewritten.applied.iter().map(|it| it.codemod.name);
        let findings = rewritten.findings.iter().chain(&rewritten.remaining);
        let said = findings.map(|finding| {
            let words = finding.message_and_state();
            format!("{}: {}", finding.codemod.name, general(&words))
        });
        let unkept = rewritten.remaining.iter().filter(
            |it| matches!(&it.outcome, Outcome::Withheld(reason) if reason.contains(UNKEPT)),
        );
        Self {
            parsed: true,
            rewrote: rewrote.collect(),
            said: said.collect(),
            unkept: unkept.map(|it| it.codemod.name).collect(),
        }
    }
}

/// What is said, without the code that it is said of, and without numbers.
fn general(words: &str) -> String {
    let outside = words.split('`').step_by(2).collect::<Vec<_>>().join("`");
    outside.replace(|letter: char| letter.is_ascii_digit(), "")
}

/// A file of these bytes.
pub fn check_file(bytes: &[u8], settings: &Settings) -> Result<Seen, Broken> {
    let broken = |law: &str| Broken {
        law: law.to_string(),
        told: String::new(),
    };
    let decoded = Source::decode(bytes.to_vec());
    if Source::check(bytes).is_ok() != decoded.is_ok() {
        return Err(broken("the quick check of the encoding errs"));
    }
    let Ok(source) = decoded else {
        return Ok(Seen::default());
    };
    if source.encode(&source.text).ok().as_deref() != Some(bytes) {
        return Err(broken("the text is not written as it was read"));
    }
    let Some(rewritten) = laws::check(&source.text, settings)? else {
        return Ok(Seen::default());
    };
    written_and_read(&source, rewritten.output.as_deref())?;
    Ok(Seen::of(&rewritten))
}

/// What is written is read as what was to be written.
fn written_and_read(source: &Source, output: Option<&str>) -> Result<(), Broken> {
    let Some(output) = output else {
        return Ok(());
    };
    let Ok(bytes) = source.encode(output) else {
        return Ok(()); // said, and not written
    };
    let again = Source::decode(bytes).ok();
    if again.is_some_and(|it| it.text == output && it.bom == source.bom) {
        return Ok(());
    }
    Err(Broken {
        law: "what is written is read as another text".to_string(),
        told: output.to_string(),
    })
}

/// A notebook with the lines of `text` in its cells.
pub fn notebook(chance: &mut Chance, text: &str) -> String {
    let mut cells = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    let push = |chance: &mut Chance, lines: &mut Vec<&str>, cells: &mut Vec<_>| {
        let kind = if chance.once_in(12) {
            "markdown"
        } else {
            "code"
        };
        let source = match chance.once_in(3) {
            true => json!(lines.concat()),
            false => json!(lines),
        };
        cells.push(match kind {
            "code" => json!({
                "cell_type": kind, "execution_count": null, "metadata": {},
                "outputs": [], "source": source,
            }),
            _ => json!({"cell_type": kind, "metadata": {}, "source": source}),
        });
        lines.clear();
    };
    for line in text.split_inclusive('\n') {
        let begins = !line.starts_with([' ', '\t', ')', ']', '}', '\n', '\r']);
        if begins && !lines.is_empty() && chance.once_in(3) {
            push(chance, &mut lines, &mut cells);
        }
        if begins && chance.once_in(20) {
            lines.push(if lines.is_empty() {
                "%%time\n"
            } else {
                "!ls $x\n"
            });
        }
        lines.push(line);
    }
    push(chance, &mut lines, &mut cells);
    let notebook = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4});
    match chance.once_in(2) {
        true => notebook.to_string(),
        false => serde_json::to_string_pretty(&notebook).unwrap(),
    }
}

/// A notebook of these bytes.
pub fn check_notebook(bytes: &[u8], settings: &Settings) -> Result<Seen, Broken> {
    let settings = Settings {
        is_notebook: true,
        ..settings.clone()
    };
    let version = settings.target.version;
    let Ok(Some(source)) = Source::decode_notebook(bytes.to_vec(), version) else {
        return Ok(Seen::default());
    };
    if source.encode(&source.text).ok().as_deref() != Some(bytes) {
        return Err(Broken {
            law: "the notebook is not written as it was read".to_string(),
            told: String::new(),
        });
    }
    let Some(rewritten) = laws::check(&source.text, &settings)? else {
        return Ok(Seen::default());
    };
    if let Some(output) = &rewritten.output {
        let broken = |told: String| Broken {
            law: "the notebook cannot be written".to_string(),
            told,
        };
        let written = source.encode(output).map_err(|it| broken(it.message))?;
        let again = Source::decode_notebook(written, version);
        let Ok(Some(again)) = again else {
            return Err(broken("what is written is no notebook".to_string()));
        };
        let cells = |source: &Source| {
            let NotebookFile { notebook, .. } = source.notebook.as_ref().unwrap();
            let numbers = notebook.cells.iter().map(|cell| cell.number);
            (numbers.collect::<Vec<_>>(), notebook.broken.len())
        };
        if cells(&source) != cells(&again) {
            return Err(broken(format!("other cells\n{output}")));
        }
    }
    Ok(Seen::of(&rewritten))
}
