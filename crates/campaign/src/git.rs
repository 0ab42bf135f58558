//! git, called as a program, so that nothing that a repository brings along is run: no hooks, no
//! filters, no transports but those of [`PROTOCOLS`], no submodules. It asks nobody.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::child::{Ended, Job, Keeper, Output};
use crate::config::author_parts;
use crate::failure::Failure;
use crate::source::PROTOCOLS;

/// What is set for every call.
const ALWAYS: [&str; 18] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.quotePath=false",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "credential.interactive=false",
    "-c",
    "submodule.recurse=false",
    "-c",
    "fetch.recurseSubmodules=false",
    "-c",
    "gc.auto=0",
    // What is fetched comes as a whole, or not at all: single objects would be there one by one.
    "-c",
    "fetch.unpackLimit=1",
];

/// Variables by which somebody else's git says which repository it is about, or what to run.
const NOT_OURS: [&str; 14] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_TEMPLATE_DIR",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "SSH_ASKPASS",
];

/// Calls git, in a run.
#[derive(Clone, Copy)]
pub struct Git<'a> {
    /// What keeps it.
    pub keeper: Keeper<'a>,
    /// What is locked while it works.
    pub lock: &'a Path,
}

/// How long git may take for what speaks to no network.
pub const LOCAL: Duration = Duration::from_mins(10);

impl<'a> Git<'a> {
    /// git in `folder`, on this machine only: what the user configured does not count, so that the
    /// same comes out everywhere.
    pub fn local(&self, folder: &'a Path) -> Call<'a> {
        let job = self
            .job(folder)
            .variable("GIT_CONFIG_GLOBAL", Some(NOWHERE))
            .variable("GIT_CONFIG_SYSTEM", Some(NOWHERE))
            .variable("GIT_CONFIG_NOSYSTEM", Some("1"))
            .variable("GIT_ATTR_NOSYSTEM", Some("1"))
            .variable("GIT_OPTIONAL_LOCKS", Some("0"));
        let job = job.arguments(ALWAYS).arguments([
            "-c",
            "core.autocrlf=false",
            "-c",
            "core.attributesFile=/dev/null",
            "-c",
            "core.excludesFile=/dev/null",
            "-c",
            "commit.gpgSign=false",
            "-c",
            "safe.directory=*",
        ]);
        Call {
            job,
            keeper: self.keeper,
            limit: LOCAL,
        }
    }

    /// git that speaks to where repositories come from, with what the user configured: proxies,
    /// certificates, helpers for credentials.
    pub fn remote(&self, folder: &'a Path, limit: Duration) -> Call<'a> {
        let mut job = self.job(folder).arguments(ALWAYS);
        let names = ["GIT_SSH_COMMAND", "GIT_SSH"];
        let is_set = names.iter().any(|name| std::env::var_os(name).is_some());
        if !is_set && configured("core.sshCommand").is_none() {
            job = job.variable("GIT_SSH_COMMAND", Some("ssh -o BatchMode=yes"));
        }
        Call {
            job,
            keeper: self.keeper,
            limit,
        }
    }

    fn job(&self, folder: &'a Path) -> Job<'a> {
        let mut job = Job::new("git", folder, self.lock);
        for name in NOT_OURS {
            job = job.variable(name, None);
        }
        job.variable("GIT_ALLOW_PROTOCOL", Some(&PROTOCOLS.join(":")))
            .variable("GIT_TERMINAL_PROMPT", Some("0"))
            // Empty: nothing is asked, whatever is configured.
            .variable("GIT_ASKPASS", Some(""))
            .variable("SSH_ASKPASS_REQUIRE", Some("never"))
            .variable("GCM_INTERACTIVE", Some("never"))
            .variable("GIT_LFS_SKIP_SMUDGE", Some("1"))
            .variable("GIT_PAGER", Some("cat"))
            .variable("GIT_EDITOR", Some("false"))
            .variable("LC_ALL", Some("C"))
    }
}

const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// One call.
pub struct Call<'a> {
    job: Job<'a>,
    keeper: Keeper<'a>,
    limit: Duration,
}

impl Call<'_> {
    /// With more arguments. Values that come from outside stand behind `--` or
    /// `--end-of-options`.
    pub fn arguments<'t>(mut self, arguments: impl IntoIterator<Item = &'t str>) -> Self {
        self.job = self.job.arguments(arguments);
        self
    }

    /// With a variable of the environment.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.job = self.job.variable(name, Some(value));
        self
    }

    /// What came of it, whatever that is.
    pub fn output(self) -> Result<Output, Failure> {
        let output = self
            .job
            .run(self.keeper, self.limit)
            .map_err(|error| Failure::retry(format!("git cannot be started: {error}")))?;
        match output.ended {
            Ended::Interrupted => Err(Failure::Interrupted),
            Ended::Late(limit) => Err(Failure::retry(format!(
                "git was not done after {} s",
                limit.as_secs()
            ))),
            Ended::Signal(signal) => {
                Err(Failure::retry(format!("git was killed by signal {signal}")))
            }
            Ended::Status(_) => Ok(output),
        }
    }

    /// What it printed; that it failed is an error.
    pub fn stdout(self) -> Result<Vec<u8>, Failure> {
        let output = self.output()?;
        if output.is_success() {
            return Ok(output.stdout);
        }
        Err(Failure::retry(format!(
            "git failed: {}",
            output.complaint()
        )))
    }

    /// The one line that it printed.
    pub fn line(self) -> Result<String, Failure> {
        let stdout = self.stdout()?;
        let text = String::from_utf8_lossy(&stdout);
        Ok(text.trim_end_matches(['\n', '\r']).to_string())
    }
}

/// Who git says that commits here, as `Name <address>`; none where it says nothing.
pub fn author() -> Option<String> {
    let (name, address) = (configured("user.name")?, configured("user.email")?);
    let author = format!("{name} <{address}>");
    author_parts(&author).is_ok().then_some(author)
}

/// What the user has configured, wherever they are.
fn configured(key: &str) -> Option<String> {
    let output = std::process::Command::new("git")
        .args(["config", "--global", "--get", key])
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim().to_string();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Names that are each ended by a NUL.
pub fn names(bytes: &[u8]) -> Vec<PathBuf> {
    let names = bytes.split(|byte| *byte == 0).filter(|it| !it.is_empty());
    names.map(path).collect()
}

#[cfg(unix)]
fn path(name: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(name))
}

#[cfg(not(unix))]
fn path(name: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(name).into_owned())
}
