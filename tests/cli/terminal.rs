//! asyncfix in a pseudo-terminal, and the screen as a person sees it.

#![allow(
    clippy::panic,
    reason = "a test ends where the screen does not show what it waits for"
)]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use pty_process::blocking::{Command, Pty};

use crate::project::Project;

/// A terminal in which asyncfix runs.
pub struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
}

/// No test waits so long unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

impl Terminal {
    /// asyncfix in the root of the project, in a terminal of that many rows and columns. What was
    /// refused is kept in the folder `.state` of the project.
    pub fn new(project: &Project, arguments: &[&str], rows: u16, columns: u16) -> Self {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(rows, columns)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_asyncfix"))
            .args(arguments)
            .current_dir(project.root())
            .env("TERM", "xterm-256color")
            .env("XDG_STATE_HOME", project.path(".state"))
            .env("EDITOR", project.path("editor"))
            .env_remove("VISUAL")
            .env_remove("NO_COLOR")
            .env_remove("FORCE_COLOR")
            .env_remove("VIRTUAL_ENV")
            .env_remove("CONDA_PREFIX")
            .spawn(pts)
            .unwrap();
        let pty = Arc::new(pty);
        let (sender, output) = channel();
        let reader = Arc::clone(&pty);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error is the end: nobody has the terminal any more.
            while let Ok(length @ 1..) = (&*reader).read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let [rows, columns] = [rows, columns].map(|it| NonZeroU16::new(it).unwrap());
        Self {
            pty,
            child,
            output,
            screen: vt100::Parser::new(rows, columns, 0),
        }
    }

    /// What the screen shows.
    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits until the screen shows `text`, and gives all that it shows.
    pub fn wait_for(&mut self, text: &str) -> String {
        while !self.contents().contains(text) {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => panic!("{error}: no `{text}` in:\n{}", self.contents()),
            }
        }
        self.contents()
    }

    /// Waits for the question about a finding: `1 of 3`, and the keys below it.
    pub fn wait_for_question(&mut self, number: &str) -> String {
        self.wait_for(&format!("{number}  "));
        while !self.contents().trim_end().ends_with("[y,n,a,d,e,s,u,q,?]") {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => panic!("{error}: no question in:\n{}", self.contents()),
            }
        }
        self.contents()
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end. Gives the exit status and what the screen shows then.
    pub fn finish(mut self) -> (i32, String) {
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("no end:\n{}", self.contents()),
            }
        }
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or(-1), self.contents())
    }

    /// The text in inverse colours, row by row.
    pub fn emphasised(&self) -> Vec<String> {
        let screen = self.screen.screen();
        let (rows, columns) = screen.size();
        let row = |row: u16| -> String {
            let cells = (0..columns.get()).filter_map(|column| screen.cell(row, column));
            let marked = cells.filter(|cell| cell.inverse());
            marked.map(|cell| cell.contents().to_string()).collect()
        };
        let rows = (0..rows.get()).map(row);
        rows.filter(|row| !row.is_empty()).collect()
    }
}
