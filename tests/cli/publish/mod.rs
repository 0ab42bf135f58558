//! `asyncfix migrate publish`, against servers that know the interfaces of GitHub and GitLab by
//! their descriptions, and git repositories in the place of those at github.com and gitlab.com.

/// Tests that each of these scenarios comes out at both services.
macro_rules! at_both {
    ($($name:ident),+ $(,)?) => {
        mod at_github {
            $(#[test] fn $name() { super::$name($crate::publish::hub::GITHUB); })+
        }
        mod at_gitlab {
            $(#[test] fn $name() { super::$name($crate::publish::hub::GITLAB); })+
        }
    };
}

mod github; // the one server
mod gitlab; // the other
pub mod hub; // what is known of either
mod limits; // how many, and how fast
mod owners; // who is asked
#[cfg(unix)]
mod pages; // what the documentation says
mod runs; // what comes of runs, and of runs again
mod tokens; // where the token goes
mod troubles; // what services answer when they are not well

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::migrate::{Campaign, git};
use crate::project::Ran;
use crate::suggest::server::serve;
use hub::{At, Hub};

const SLEEPS: &str = "import time\n\n\nasync def f():\n    time.sleep(1)\n";

/// A campaign over repositories of a service, which are folders here.
pub struct Published {
    pub campaign: Campaign,
    pub at: At,
    hub: Arc<Mutex<Hub>>,
    pub api: String,
}

impl Published {
    /// With repositories of these names, each with fixes, and migrated.
    pub fn new(at: At, names: &[&str]) -> Self {
        let files: Vec<(&str, Vec<(&str, &str)>)> = names
            .iter()
            .map(|name| (*name, vec![("a.py", SLEEPS)]))
            .collect();
        let published = Self::of(at, &files, &[]);
        published.run();
        published
    }

    /// With these files, and more arguments for the plan. Nothing is migrated.
    pub fn of(at: At, repositories: &[(&str, Vec<(&str, &str)>)], arguments: &[&str]) -> Self {
        let campaign = Campaign::new();
        for (name, files) in repositories {
            campaign.repository(&format!("{}/{name}", at.owner), files);
        }
        let hub = Arc::new(Mutex::new(at.hub()));
        let api = serve(&hub);
        let published = Self {
            campaign,
            at,
            hub,
            api,
        };
        let place = published.campaign.project.root().display().to_string();
        let host = at.host;
        let config = format!(
            "[url \"file://{place}/\"]\n\tinsteadOf = https://{host}/\n[safe]\n\tdirectory = *\n"
        );
        fs::write(published.config(), config).unwrap();
        let lines: Vec<String> = repositories
            .iter()
            .map(|(name, _)| format!("https://{host}/{}/{name}", at.owner))
            .collect();
        published.campaign.project.write("list", lines.join("\n"));
        published.plan(arguments);
        published
    }

    /// Plans what is in the list. It has to succeed.
    #[track_caller]
    pub fn plan(&self, arguments: &[&str]) {
        let words = ["plan", "list", "--no-types", "--author=A <a@b>", "--name=c"];
        let planned = self.migrate(&[&words, arguments].concat());
        assert_eq!(planned.status, 0, "{}", planned.stderr);
    }

    fn config(&self) -> PathBuf {
        self.campaign.project.path("gitconfig")
    }

    pub fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.campaign.command(arguments);
        command.env("GIT_CONFIG_GLOBAL", self.config());
        for name in crate::suggest::pull::VARIABLES {
            command.env_remove(name);
        }
        command
    }

    /// `asyncfix migrate` with these arguments.
    pub fn migrate(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// A repository, where it comes from.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = format!("{}/{name}", self.at.owner);
        self.campaign.project.path(&path)
    }

    /// Migrates what is planned. Nothing may fail.
    pub fn run(&self) {
        let ran = self.migrate(&["run", "--quiet"]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
    }

    /// Changes what is known of the campaign behind its back.
    pub fn database(&self, sql: &str) {
        let path = self.campaign.project.path("c").join("campaign.db");
        let database = rusqlite::Connection::open(path).unwrap();
        database.execute(sql, []).unwrap();
    }

    /// `asyncfix migrate publish` with these arguments.
    pub fn publishing(&self, arguments: &[&str]) -> Command {
        let words = [
            &[
                "publish",
                "--provider",
                self.at.provider,
                "--api",
                &self.api,
            ],
            arguments,
        ];
        let mut command = self.command(&words.concat());
        command.env(self.at.variable, self.at.token);
        command
    }

    /// `asyncfix migrate publish` with these arguments. It may not print the token.
    #[track_caller]
    pub fn publish(&self, arguments: &[&str]) -> Ran {
        let ran = Ran::of(&self.publishing(arguments).output().unwrap());
        let said = [ran.stdout.as_str(), &ran.stderr].concat();
        assert!(!said.contains(self.at.token), "{said}");
        ran
    }

    /// The same, which has to succeed.
    #[track_caller]
    pub fn published(&self, arguments: &[&str]) -> String {
        let ran = self.publish(arguments);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        ran.stderr
    }

    /// Forgets what is known here of what was published.
    pub fn forget(&self) {
        self.database("DELETE FROM publication");
    }

    /// Has more fixes in a repository, and migrates it again.
    pub fn go_on(&self, name: &str) {
        let folder = self.folder(name);
        fs::write(folder.join("b.py"), SLEEPS).unwrap();
        crate::migrate::commit(&folder, "More");
        self.plan(&["--refresh"]);
        self.run();
    }

    /// The commit of the branch of the fixes, where the repository comes from; empty without one.
    pub fn branch(&self, name: &str) -> String {
        let listed = git(
            &self.folder(name),
            &[
                "for-each-ref",
                "--format=%(objectname)",
                "refs/heads/asyncfix/",
            ],
        );
        listed.trim().to_string()
    }
}

/// Fails where a file below holds this text.
#[track_caller]
fn stands_nowhere(root: &Path, text: &str) {
    for (path, bytes) in crate::migrate::snapshot(root) {
        let mut parts = bytes.windows(text.len());
        let holds = parts.any(|part| part == text.as_bytes());
        assert!(!holds, "{}", path.display());
    }
}
