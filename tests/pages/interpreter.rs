//! The CPython that says how a program behaves.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a program may take. None of the pages waits for longer than a moment.
const LIMIT: Duration = Duration::from_secs(20);

/// A CPython; unless it was named, of at least 3.11.
#[derive(Debug)]
pub struct Interpreter(PathBuf);

/// How a program ended and what it printed.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Interpreter {
    /// The one that `ASYNCFIX_PYTHON` names, else the first on the path that is new enough.
    pub fn find() -> Result<Self, String> {
        let named = env::var_os("ASYNCFIX_PYTHON");
        let candidates = match &named {
            Some(path) => vec![path.clone()],
            None => [
                "python3.13",
                "python3.12",
                "python3.11",
                "python3",
                "python",
            ]
            .map(OsString::from)
            .to_vec(),
        };
        // The real file: what is on the path may be a script of a version manager, which is slow.
        let ask = "import sys; print(sys.executable if sys.version_info >= (3, 11) else '')";
        let found = candidates.iter().find_map(|candidate| {
            let output = Command::new(candidate)
                .args(["-S", "-c", ask])
                .output()
                .ok()?;
            let path = String::from_utf8(output.stdout).ok()?.trim().to_string();
            (output.status.success() && !path.is_empty()).then(|| PathBuf::from(path))
        });
        found.map(Self).ok_or_else(|| {
            let asked = candidates
                .iter()
                .map(|it| it.to_string_lossy())
                .collect::<Vec<_>>()
                .join(", ");
            let named = if named.is_some() { " (from ASYNCFIX_PYTHON)" } else { "" };
            format!(
                "these tests need CPython 3.11 or newer, and {asked}{named} is none: install one (`apt install python3`), or set ASYNCFIX_PYTHON to its path"
            )
        })
    }

    /// The one at this path, whatever its version is.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The path of its program.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Runs a program in `folder`, with nothing but the standard library.
    pub fn run(&self, folder: &Path, program: &str) -> Result<Outcome, String> {
        let error = |error: std::io::Error| format!("{}: {error}", self.0.display());
        let [file, stdout, stderr] = ["program.py", "stdout", "stderr"].map(|it| folder.join(it));
        fs::write(&file, program).map_err(error)?;
        let mut command = Command::new(&self.0);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("PYTHON") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .args(["-s", "-S", "-B"])
            .arg(&file)
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONUTF8", "1")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).map_err(error)?)
            .stderr(File::create(&stderr).map_err(error)?)
            .spawn()
            .map_err(error)?;
        let started = Instant::now();
        let status: ExitStatus = loop {
            if let Some(status) = child.try_wait().map_err(error)? {
                break status;
            }
            if started.elapsed() > LIMIT {
                child.kill().and_then(|()| child.wait()).map_err(error)?;
                return Err(format!("still running after {} s", LIMIT.as_secs()));
            }
            thread::sleep(Duration::from_millis(2));
        };
        let text = |path| fs::read_to_string(path).map_err(error);
        Ok(Outcome {
            code: status.code(),
            stdout: text(stdout)?,
            stderr: text(stderr)?,
        })
    }
}
