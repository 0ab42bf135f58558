//! The person at the terminal: single keys, one line of text, an editor.
//!
//! Keys come one by one, and are not echoed: also those that are pressed while a file is rewritten.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::Command;

use console::{Key, Term};
use unicode_width::UnicodeWidthStr;

use super::session::{Answer, Person};
use super::view::View;

/// The terminal of the process.
pub struct Terminal {
    term: Term,
    color: bool,
    /// None while an editor has the terminal.
    mode: Option<SingleKeys>,
}

impl Terminal {
    /// Standard input and output, which are one.
    pub fn new(color: bool) -> Self {
        Self {
            term: Term::stdout(),
            color,
            mode: SingleKeys::new(),
        }
    }

    /// The next key. Where the terminal is gone, it is the one that ends the review.
    fn key(&self) -> io::Result<Pressed> {
        Ok(match self.term.read_key_raw() {
            Ok(Key::CtrlC | Key::Char('\x04')) => Pressed::End,
            Ok(key) => Pressed::Key(key),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Pressed::End,
            Err(error) => return Err(error),
        })
    }

    /// A line of text; none where the person goes back.
    fn line(&self, prompt: &str) -> io::Result<Option<String>> {
        let mut text = String::new();
        loop {
            // Of what is longer than the row, the end is shown.
            let room = usize::from(self.term.size().1).saturating_sub(prompt.len() + 1);
            let mut shown = text.as_str();
            while shown.width() > room.max(1) {
                let mut characters = shown.chars();
                characters.next();
                shown = characters.as_str();
            }
            self.term.clear_line()?;
            self.term.write_str(&format!("{prompt}{shown}"))?;
            match self.key()? {
                Pressed::End | Pressed::Key(Key::Escape) => {
                    self.term.write_line("")?;
                    return Ok(None);
                }
                Pressed::Key(Key::Enter) => {
                    self.term.write_line("")?;
                    return Ok(Some(text.trim().to_string()));
                }
                Pressed::Key(Key::Backspace) => {
                    text.pop();
                }
                Pressed::Key(Key::Char(character)) if !character.is_control() => {
                    text.push(character);
                }
                Pressed::Key(_) => {}
            }
        }
    }
}

/// The terminal does not wait for whole lines, nor echo, nor make signals of keys, as long as this
/// lives. Whatever ends it, a panic too, leaves the terminal as it was.
#[cfg(unix)]
struct SingleKeys(rustix::termios::Termios);

#[cfg(unix)]
impl SingleKeys {
    fn new() -> Option<Self> {
        use rustix::termios::{InputModes, LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin()).ok()?;
        let mut mode = before.clone();
        mode.local_modes -=
            LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        mode.input_modes -= InputModes::ICRNL | InputModes::IXON;
        tcsetattr(io::stdin(), OptionalActions::Drain, &mode).ok()?;
        Some(Self(before))
    }
}

#[cfg(unix)]
impl Drop for SingleKeys {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}

/// Elsewhere `console` does all that while it waits for a key.
#[cfg(not(unix))]
struct SingleKeys;

#[cfg(not(unix))]
impl SingleKeys {
    fn new() -> Option<Self> {
        None
    }
}

enum Pressed {
    Key(Key),
    /// Ctrl-C, Ctrl-D, or no terminal any more.
    End,
}

impl Person for Terminal {
    fn ask(&mut self, view: &View<'_>) -> io::Result<Answer> {
        self.term.write_line("")?;
        let (mut rest, mut size) = (Vec::new(), (0, 0));
        let mut start = true;
        loop {
            if start {
                size = self.term.size();
                rest = view.rows(usize::from(size.1), self.color);
                start = false;
                // The rows from here on that fit above the question.
                self.page(&mut rest, size.0)?;
            }
            // It has to fit into one row of a narrow terminal, to be taken away again.
            let prompt = match rest.len() {
                0 => "Apply".to_string(),
                count => format!("{count} more: Space"),
            };
            self.term
                .write_str(&format!("{prompt} [y,n,a,d,e,s,u,q,?] "))?;
            let key = match self.key()? {
                Pressed::End => {
                    self.term.write_line("q")?;
                    return Ok(Answer::Quit);
                }
                Pressed::Key(key) => key,
            };
            let Key::Char(character) = key else {
                self.term.clear_line()?;
                if key == Key::Enter || key == Key::PageDown || key == Key::ArrowDown {
                    self.page(&mut rest, size.0)?;
                }
                continue;
            };
            if character == ' ' {
                self.term.clear_line()?;
                self.page(&mut rest, size.0)?;
                continue;
            }
            let shown = if character.is_control() {
                ' '
            } else {
                character
            };
            self.term.write_line(&shown.to_string())?;
            match character.to_ascii_lowercase() {
                'y' => return Ok(Answer::Accept),
                'n' => return Ok(Answer::Refuse),
                'a' => return Ok(Answer::AcceptAll),
                'd' => return Ok(Answer::RefuseAll),
                'e' => return Ok(Answer::Edit),
                'u' => return Ok(Answer::Undo),
                'q' => return Ok(Answer::Quit),
                's' => {
                    if let Some(reason) = self.line("Reason (Esc: back): ")? {
                        return Ok(Answer::Silence(reason));
                    }
                }
                'r' => start = true,
                '?' => self.say(HELP)?,
                _ => self.say("There is no such key; ? explains them.")?,
            }
        }
    }

    fn edit(&mut self, text: &str) -> Result<String, String> {
        let failed = |error: &io::Error| format!("the text cannot be edited: {error}");
        let mut file = tempfile::Builder::new()
            .prefix("asyncfix-")
            .suffix(".py")
            .tempfile()
            .map_err(|error| failed(&error))?;
        file.write_all(text.as_bytes())
            .map_err(|error| failed(&error))?;
        let path = file.into_temp_path();
        let editor = editor();
        self.mode = None;
        let status = command(&editor).arg(&path).status();
        self.mode = SingleKeys::new();
        let status = status.map_err(|error| {
            let editor = editor.to_string_lossy();
            format!("the editor `{editor}` cannot be started ({error}): set EDITOR")
        })?;
        if !status.success() {
            let editor = editor.to_string_lossy();
            return Err(format!(
                "the editor `{editor}` failed: set EDITOR if it is not yours"
            ));
        }
        std::fs::read_to_string(&path).map_err(|error| failed(&error))
    }

    fn confirm(&mut self, question: &str) -> io::Result<bool> {
        loop {
            self.term.write_str(&format!("{question} [y,n]? "))?;
            let answer = match self.key()? {
                Pressed::End | Pressed::Key(Key::Char('n' | 'N' | 'q') | Key::Escape) => {
                    Some(false)
                }
                Pressed::Key(Key::Char('y' | 'Y')) => Some(true),
                Pressed::Key(_) => None,
            };
            if let Some(answer) = answer {
                self.term.write_line(if answer { "y" } else { "n" })?;
                return Ok(answer);
            }
            self.term.clear_line()?;
        }
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        let columns = usize::from(self.term.size().1);
        for row in textwrap::wrap(text, columns.max(10)) {
            self.term.write_line(&row)?;
        }
        Ok(())
    }
}

impl Terminal {
    /// Prints as many rows as the terminal has, but one.
    fn page(&self, rows: &mut Vec<String>, height: u16) -> io::Result<()> {
        let fit = usize::from(height).saturating_sub(1).max(1);
        let count = rows.len().min(fit);
        for row in rows.drain(..count) {
            self.term.write_line(&row)?;
        }
        Ok(())
    }
}

/// What `?` says.
const HELP: &str = "\
y  apply this fix
n  refuse it: it is not asked again, also in later reviews
a  apply this and all further fixes of this codemod that are no less safe
d  refuse this and all further fixes of this codemod
e  edit what it writes in your editor (VISUAL, EDITOR), and apply that
s  silence it by a comment `# asyncfix: ignore[NAME]`, with a reason
u  undo the last of these
q  end here; the same command goes on here (so do Ctrl-C and Ctrl-D)
r  show it again";

/// The person's editor.
fn editor() -> OsString {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let default = if cfg!(windows) { "notepad" } else { "vi" };
    set("VISUAL")
        .or_else(|| set("EDITOR"))
        .unwrap_or_else(|| default.into())
}

/// What is in VISUAL and EDITOR is a piece of shell: `code --wait`.
#[cfg(unix)]
fn command(editor: &OsString) -> Command {
    let mut script = editor.clone();
    script.push(" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(editor);
    command
}

#[cfg(not(unix))]
fn command(editor: &OsString) -> Command {
    let editor = editor.to_string_lossy();
    let mut words = editor.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("notepad"));
    command.args(words);
    command
}
