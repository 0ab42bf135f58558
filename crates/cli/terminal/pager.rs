//! A program that shows a text page by page.

use std::io::{self, ErrorKind, IsTerminal, Seek, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::report;

/// Prints the text, through the user's pager where standard output is a terminal and one is
/// `wanted`.
pub fn print(text: &str, wanted: bool) -> Result<()> {
    if wanted
        && io::stdout().is_terminal()
        && let Some(pager) = Pager::choose(|name| std::env::var(name).ok())
    {
        // It returns where the pager could not be started, or is done.
        match pager.show(text) {
            Ok(()) => return Ok(()),
            Err(error) => pager.complain(&error),
        }
    }
    let mut out = report::Standard::lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// A program and its arguments.
#[derive(Debug, PartialEq, Eq)]
struct Pager {
    program: String,
    arguments: Vec<String>,
    /// The variable that names it.
    variable: Option<&'static str>,
}

impl Pager {
    /// The pager that the environment names, else less; none where the environment wants none.
    fn choose(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let named = ["ASYNCFIX_PAGER", "PAGER"]
            .into_iter()
            .find_map(|name| Some((name, variable(name)?)));
        let Some((name, command)) = named else {
            return Some(Self {
                program: "less".to_string(),
                arguments: ["-R", "-F", "-X"].map(str::to_string).to_vec(),
                variable: None,
            });
        };
        let mut words = shlex::split(&command)
            .unwrap_or_else(|| vec![command])
            .into_iter();
        let program = words.next().filter(|program| program != "cat")?;
        Some(Self {
            program,
            arguments: words.collect(),
            variable: Some(name),
        })
    }

    /// Hands the text over. Where the system allows, the pager takes our place, so that an
    /// interrupt at the keyboard is its own affair.
    fn show(&self, text: &str) -> Result<()> {
        let mut file = tempfile::tempfile().context("a temporary file for the pager")?;
        file.write_all(text.as_bytes())?;
        file.rewind()?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::from(file));
        if std::env::var_os("LESS").is_none() {
            // A less that the user named without options has to show colours too.
            command.env("LESS", "FRX");
        }
        #[cfg(unix)]
        return Err(std::os::unix::process::CommandExt::exec(&mut command).into());
        #[cfg(not(unix))]
        {
            command.status()?;
            Ok(())
        }
    }

    /// Says what is wrong with a pager that the user named.
    fn complain(&self, error: &anyhow::Error) {
        let io = error.downcast_ref::<io::Error>();
        let missing = io.is_some_and(|error| error.kind() == ErrorKind::NotFound);
        let program = &self.program;
        match self.variable {
            None if missing => {} // it need not be there
            None => report::line(&format!(
                "warning: `{program}` cannot be started: {error:#}"
            )),
            Some(variable) => report::line(&format!(
                "warning: the pager `{program}`, which {variable} names, cannot be started: {error:#}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pager;

    #[test]
    fn the_environment_names_the_pager() {
        let choose = |ours: Option<&str>, general: Option<&str>| {
            let pager = Pager::choose(|name| {
                let value = if name == "PAGER" { general } else { ours };
                value.map(str::to_string)
            });
            pager.map(|pager| [vec![pager.program], pager.arguments].concat().join(" "))
        };
        assert_eq!(choose(Some(""), Some("more")), None);
        assert_eq!(choose(None, Some("cat")), None);
        assert_eq!(choose(None, None).as_deref(), Some("less -R -F -X"));
        assert_eq!(choose(Some("most"), Some("more")).as_deref(), Some("most"));
        assert_eq!(
            choose(None, Some("less -S '+/a b'")).as_deref(),
            Some("less -S +/a b")
        );
        assert_eq!(choose(None, Some("it's")).as_deref(), Some("it's"));
    }
}
