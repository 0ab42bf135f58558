//! `asyncfix migrate publish`, against a server that knows GitHub's interface by its own
//! description, and git repositories in the place of those at github.com.

mod github; // the server
mod runs; // what comes of runs, and of runs again

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::migrate::{Campaign, git};
use crate::project::Ran;
use crate::suggest::server::serve;
use github::{GitHub, TOKEN};

const SLEEPS: &str = "import time\n\n\nasync def f():\n    time.sleep(1)\n";

/// A campaign over repositories of github.com, which are folders here.
pub struct Published {
    pub campaign: Campaign,
    github: Arc<Mutex<GitHub>>,
    pub api: String,
}

impl Published {
    /// With repositories of these names, each with fixes, and migrated.
    pub fn new(names: &[&str]) -> Self {
        let files: Vec<(&str, Vec<(&str, &str)>)> = names
            .iter()
            .map(|name| (*name, vec![("a.py", SLEEPS)]))
            .collect();
        Self::of(&files, &[])
    }

    /// With these files, and more arguments for the plan.
    pub fn of(repositories: &[(&str, Vec<(&str, &str)>)], arguments: &[&str]) -> Self {
        let campaign = Campaign::new();
        for (name, files) in repositories {
            campaign.repository(&format!("o/{name}"), files);
        }
        let github = Arc::new(Mutex::new(GitHub::new()));
        let api = serve(&github);
        let published = Self {
            campaign,
            github,
            api,
        };
        let place = published.campaign.project.root().display().to_string();
        let config = format!(
            "[url \"file://{place}/\"]\n\tinsteadOf = https://github.com/\n[safe]\n\tdirectory = *\n"
        );
        fs::write(published.config(), config).unwrap();
        let lines: Vec<String> = repositories
            .iter()
            .map(|(name, _)| format!("https://github.com/o/{name}"))
            .collect();
        published.campaign.project.write("list", lines.join("\n"));
        let words = [
            &["plan", "list", "--no-types", "--author=A <a@b>", "--name=c"],
            arguments,
        ];
        let planned = published.migrate(&words.concat());
        assert_eq!(planned.status, 0, "{}", planned.stderr);
        published
    }

    fn config(&self) -> PathBuf {
        self.campaign.project.path("gitconfig")
    }

    pub fn github(&self) -> MutexGuard<'_, GitHub> {
        self.github.lock().unwrap()
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
    pub fn publish(&self, arguments: &[&str]) -> Ran {
        let words = [
            &["publish", "--provider=github", "--api", &self.api],
            arguments,
        ];
        let mut command = self.command(&words.concat());
        Ran::of(&command.env("GITHUB_TOKEN", TOKEN).output().unwrap())
    }

    /// The commit of the branch of the fixes, where the repository comes from; empty without one.
    pub fn branch(&self, name: &str) -> String {
        let folder = self.campaign.project.path(&format!("o/{name}"));
        let listed = git(
            &folder,
            &[
                "for-each-ref",
                "--format=%(objectname)",
                "refs/heads/asyncfix/",
            ],
        );
        listed.trim().to_string()
    }
}
