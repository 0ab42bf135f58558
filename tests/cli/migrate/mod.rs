//! `asyncfix migrate`: campaigns over local git repositories.

mod failures; // what goes wrong with a repository, and what becomes of it
mod kills; // runs that are killed, and that meet each other
mod pages; // what the documentation says
mod refusals; // what is not touched, and what is not taken
mod results; // what comes out
mod surroundings; // what a run depends on

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::project::{Project, Ran};

/// A folder with git repositories, and a campaign over them.
pub struct Campaign {
    pub project: Project,
}

impl Campaign {
    pub fn new() -> Self {
        Self {
            project: Project::new([]),
        }
    }

    /// A repository with these files, on the branch `main`.
    pub fn repository(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let path = self.project.path(name);
        fs::create_dir_all(&path).unwrap();
        git(&path, &["init", "-q", "-b", "main", "."]);
        for (file, text) in files {
            self.project.write(&format!("{name}/{file}"), text);
        }
        commit(&path, "Begin");
        path
    }

    /// `asyncfix migrate` with these arguments and the campaign `c`.
    pub fn migrate(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut words = vec!["migrate"];
        words.extend(arguments);
        if !arguments.contains(&"--campaign") {
            words.extend(["--campaign", "c"]);
        }
        let mut command = self.project.command(words);
        command.env_remove("JOB_COMPLETION_INDEX");
        command
    }

    /// Plans these lines, with more arguments. It has to succeed.
    #[track_caller]
    pub fn plan(&self, lines: &[&str], arguments: &[&str]) {
        self.project.write("list", lines.join("\n"));
        let mut words = vec!["plan", "list", "--no-types", "--author=A <a@b>"];
        words.extend(arguments);
        let ran = self.migrate(&words);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
    }

    /// How each repository stands, by the beginning of its name.
    pub fn status(&self) -> BTreeMap<String, Value> {
        self.status_of("c")
    }

    pub fn status_of(&self, campaign: &str) -> BTreeMap<String, Value> {
        let ran = self.migrate(&["status", "--output-format=json", "--campaign", campaign]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let whole: Value = serde_json::from_str(&ran.stdout).unwrap();
        let rows = whole["repositories"].as_array().unwrap().clone();
        let name = |row: &Value| {
            let name = row["name"].as_str().unwrap();
            name.rsplit_once('-')
                .unwrap()
                .0
                .rsplit('-')
                .next()
                .unwrap()
                .to_string()
        };
        rows.into_iter().map(|row| (name(&row), row)).collect()
    }

    /// The patches, by file.
    pub fn patches(&self, campaign: &str) -> BTreeMap<String, String> {
        let folder = self.project.path(campaign).join("patches");
        let mut patches = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            patches.insert(name, fs::read_to_string(&path).unwrap());
        }
        patches
    }

    /// What the database says.
    pub fn ask<T: rusqlite::types::FromSql>(&self, campaign: &str, sql: &str) -> Vec<T> {
        let path = self.project.path(campaign).join("campaign.db");
        let database = rusqlite::Connection::open(path).unwrap();
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Everything that a campaign came to, but for times: states, results, commits, patches.
    pub fn final_state(&self, campaign: &str) -> String {
        let rows: Vec<String> = self.ask(
            campaign,
            "SELECT name || '|' || commit_id || '|' || coalesce(state.state, '-') || '|' ||
               coalesce(reason, '-') || '|' || coalesce((SELECT json_array(checked, not_analysed,
               found, fixed, withheld, remaining, tests, commit_id, fixes_branch, title, body,
               patch) FROM result WHERE repository = repository.id), '-') || '|' ||
               coalesce((SELECT group_concat(counts) FROM codemod
               WHERE repository = repository.id), '-')
             FROM repository LEFT JOIN state ON state.repository = repository.id
             ORDER BY name",
        );
        format!("{}\n{:#?}", rows.join("\n"), self.patches(campaign))
    }

    /// Fails if the journal shows that something was done twice, or is open.
    #[track_caller]
    pub fn nothing_was_done_twice(&self, campaign: &str) {
        let twice: Vec<String> = self.ask(campaign, "SELECT name || step FROM done_twice");
        assert_eq!(twice, [""; 0]);
        let open: Vec<String> = self.ask(
            campaign,
            "SELECT repository || step FROM journal GROUP BY repository, step, run
             HAVING sum(what = 'start') <> sum(what NOT IN ('start', 'dropped'))",
        );
        assert_eq!(open, [""; 0]);
    }
}

/// git in a folder, with nothing of the developer's configuration.
#[track_caller]
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

pub fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "--all", "--force"]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", message]);
}

/// All that a folder holds, with the bytes of its files.
pub fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() || !path.is_dir() {
                found.insert(path.clone(), fs::read(&path).unwrap_or_default());
            } else {
                found.insert(path.clone(), Vec::new());
                folders.push(path);
            }
        }
    }
    found
}
