//! What a campaign does in each repository: `campaign.toml` in its folder.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::source::{self, hash};

/// The configuration of a campaign, as it stands in `campaign.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Names the branches: `asyncfix/NAME`. By default that of the folder that is planned in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The codemods, or `modernise` or `all`. Empty: what each repository configures, else the
    /// default ones.
    pub select: Vec<String>,
    /// Apply unsafe fixes too.
    pub unsafe_fixes: bool,
    /// Apply safe fixes only.
    pub safe_only: bool,
    /// The lowest Python version that the code has to run on; by default what each repository says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
    /// Settings as `--config` takes them: `KEY=VALUE`.
    pub settings: Vec<String>,
    /// Infer no types across modules.
    pub no_types: bool,
    /// The command that makes the environment of a repository, before anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// The command that has to pass with the fixes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<String>,
    /// Seconds that a run of it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_timeout: Option<u64>,
    /// Run it so often at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_runs: Option<u64>,
    /// Seconds that all of one repository may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Seconds that git may take for a clone or a fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch_timeout: Option<u64>,
    /// Who commits: `Name <address>`. By default who git says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// So many seconds all of one repository may take, if nothing else is said.
const TIMEOUT: u64 = 3600;

/// So many seconds a clone may take, if nothing else is said.
const FETCH: u64 = 900;

impl Config {
    /// Reads it. The error says what is wrong, with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check()?;
        Ok(config)
    }

    /// Whether it can be used. The error says why not.
    pub fn check(&self) -> Result<(), String> {
        if self.unsafe_fixes && self.safe_only {
            return Err(
                "`safe-only` and `unsafe-fixes` exclude each other: set one of them".to_string(),
            );
        }
        if let Some(name) = &self.name
            && source::slug(name) != *name
        {
            return Err(format!(
                "`name` becomes a part of branches, and `{name}` cannot: write `{}`",
                source::slug(name)
            ));
        }
        if let Some(author) = &self.author {
            author_parts(author)?;
        }
        for (key, command) in [("setup", &self.setup), ("verify", &self.verify)] {
            if command.as_deref().is_some_and(|it| it.trim().is_empty()) {
                return Err(format!("`{key}` is empty: leave it out"));
            }
        }
        if self.verify_runs.is_some_and(|runs| runs < 2) {
            return Err(
                "`verify-runs` has to be 2 at least: before the fixes, and with them".into(),
            );
        }
        for (key, seconds) in [
            ("timeout", self.timeout),
            ("verify-timeout", self.verify_timeout),
            ("fetch-timeout", self.fetch_timeout),
        ] {
            if seconds == Some(0) {
                return Err(format!(
                    "`{key}` is 0 seconds, in which nothing can be done"
                ));
            }
        }
        Ok(())
    }

    /// As it is written.
    pub fn to_toml(&self) -> Result<String, String> {
        toml::to_string_pretty(self).map_err(|error| error.to_string())
    }

    /// The name of the campaign in `folder`.
    pub fn name(&self, folder: &Path) -> String {
        let folder = || {
            let name = folder.file_name().unwrap_or_default();
            source::slug(&name.to_string_lossy())
        };
        self.name.clone().unwrap_or_else(folder)
    }

    /// How long all of one repository may take.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(TIMEOUT))
    }

    /// How long git may take for a clone or a fetch.
    pub fn fetch_limit(&self) -> Duration {
        Duration::from_secs(self.fetch_timeout.unwrap_or(FETCH))
    }

    /// What decides on the rewrite, beside the commands: two configurations with the same key make
    /// the same of the same code.
    pub fn rewrite_key(&self) -> String {
        let flags = [self.unsafe_fixes, self.safe_only, self.no_types]
            .map(|flag| if flag { "1" } else { "0" });
        hash(&[
            &self.select.join(","),
            &flags.concat(),
            self.target_version.as_deref().unwrap_or_default(),
            &self.settings.join("\n"),
            &self.verify_runs.unwrap_or_default().to_string(),
        ])
    }

    /// The arguments of asyncfix that it comes to, beside `--fix` and the paths.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if !self.select.is_empty() {
            arguments.push(format!("--select={}", self.select.join(",")));
        }
        for (is_set, flag) in [
            (self.unsafe_fixes, "--unsafe-fixes"),
            (self.safe_only, "--safe-only"),
            (self.no_types, "--no-types"),
        ] {
            if is_set {
                arguments.push(flag.to_string());
            }
        }
        if let Some(version) = &self.target_version {
            arguments.push(format!("--target-version={version}"));
        }
        for setting in &self.settings {
            arguments.push(format!("--config={setting}"));
        }
        arguments
    }
}

/// `Name <address>` as git takes it: the name, and the address.
pub fn author_parts(author: &str) -> Result<(&str, &str), String> {
    let parts = author
        .strip_suffix('>')
        .and_then(|author| author.split_once('<'));
    match parts {
        Some((name, address))
            if !name.trim().is_empty()
                && !author.contains(['\n', '\0'])
                && !address.contains(['<', '>']) =>
        {
            Ok((name.trim(), address))
        }
        _ => Err(format!("`author` is `Name <address>`, not `{author}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn what_cannot_be_is_refused() {
        let problem = |text: &str| Config::parse(text).unwrap_err();
        assert!(problem("selct = []").contains("selct"));
        assert!(problem("safe-only = true\nunsafe-fixes = true").contains("exclude each other"));
        assert!(problem("name = \"a b\"").contains("write `a-b`"));
        assert!(problem("author = \"me\"").contains("Name <address>"));
        assert!(problem("setup = \" \"").contains("empty"));
        assert!(problem("timeout = 0").contains("nothing can be done"));
        assert!(problem("verify-runs = 1").contains("2 at least"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let config = Config {
            select: vec!["await-sleep".to_string()],
            verify: Some("pytest -q 'a b'".to_string()),
            timeout: Some(5),
            ..Config::default()
        };
        assert_eq!(Config::parse(&config.to_toml().unwrap()).unwrap(), config);
    }
}
