//! What goes through the pipes: a line of JSON for each message.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Answer, Project, Question};

/// To the child.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub project: Project,
    /// Files that are not what they were when the child was asked last.
    pub changed: Vec<PathBuf>,
    /// Absolute.
    pub path: PathBuf,
    /// What the file is taken to hold.
    pub text: String,
    pub questions: Vec<Question>,
}

/// From the child: one for each question, as soon as it is answered, and then the end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The question's place in the list, and its answer.
    Answer(usize, Answer),
    /// All are answered. What could not be set up, if anything: a broken environment, say.
    Done(Option<String>),
}

pub(crate) fn send(message: &impl Serialize, to: &mut impl Write) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

/// None at the end of the stream.
pub(crate) fn receive<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}
