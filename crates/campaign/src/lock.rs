//! What is migrated: the repositories, each at one commit. `campaign.lock` in the campaign's
//! folder, written by `plan`, and made to be read and compared by people.

use serde::{Deserialize, Serialize};

use crate::list::{checked_branch, checked_path};
use crate::source::{Address, hash, slug};

/// The lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Of the format.
    version: u32,
    /// In the order of the list.
    #[serde(default, rename = "repository")]
    pub repositories: Vec<Repository>,
}

/// A repository at a commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// What it is called in the campaign: the name of its files. No two have the same.
    pub name: String,
    /// What git clones.
    pub url: String,
    /// The branch or tag that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The branch that a pull request goes into: the one that was asked for, else the one that the
    /// repository names; none where that is not known, as of a tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The commit, in hexadecimal digits.
    pub commit: String,
    /// The folder in it that is migrated; empty is all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// In place of the campaign's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<String>,
    /// In place of the campaign's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// When it was resolved: seconds since 1970. The commit that is made bears this date, so that
    /// it is the same however often it is made.
    pub planned: u64,
}

const VERSION: u32 = 1;

const HEAD: &str =
    "# Written by `asyncfix migrate plan`: what the campaign migrates, each at one commit.\n\n";

impl Lock {
    /// Of these repositories.
    pub fn new(repositories: Vec<Repository>) -> Self {
        Self {
            version: VERSION,
            repositories,
        }
    }

    /// Reads it. The error says what is wrong, with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lock: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if lock.version != VERSION {
            return Err(format!(
                "it has version {}, and this asyncfix knows {VERSION}: use the one that wrote it",
                lock.version
            ));
        }
        for repository in &lock.repositories {
            repository.check()?;
        }
        Ok(lock)
    }

    /// As it is written.
    pub fn to_text(&self) -> Result<String, String> {
        let text = toml::to_string_pretty(self).map_err(|error| error.to_string())?;
        Ok(format!("{HEAD}{text}"))
    }
}

impl Repository {
    /// Its address, checked.
    pub fn address(&self) -> Result<Address, String> {
        Address::known(&self.url)
    }

    /// What it is called: the end of its address, and what tells it from all others.
    pub fn name_of(canonical: &str, slug: &str, branch: Option<&str>, path: &str) -> String {
        let hash = hash(&[canonical, branch.unwrap_or_default(), path]);
        format!("{slug}-{}", &hash[..8])
    }

    /// The branch that the fixes are committed to: `asyncfix/CAMPAIGN`, and what tells it from
    /// that of another branch or folder of the same repository.
    pub fn fixes_branch(&self, campaign: &str) -> String {
        let mut name = format!("asyncfix/{campaign}");
        for part in [self.branch.as_deref().unwrap_or_default(), &self.path] {
            if !part.is_empty() {
                name.push('-');
                name.push_str(&slug(part));
            }
        }
        name
    }

    /// The file may have been edited: what leads out of the folder or is an option is not taken.
    fn check(&self) -> Result<(), String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty()
            || self.name.starts_with(['.', '-'])
            || !self.name.chars().all(is_plain)
        {
            return Err(format!("`{}` cannot be the name of a file", self.name));
        }
        self.address()?;
        if let Some(branch) = &self.branch {
            checked_branch(branch)?;
        }
        if checked_path(&self.path)? != self.path {
            return Err(format!("{}: `{}` is no plain path", self.name, self.path));
        }
        let is_hash =
            self.commit.len() >= 40 && self.commit.bytes().all(|it| it.is_ascii_hexdigit());
        if !is_hash {
            return Err(format!("{}: `{}` is no commit", self.name, self.commit));
        }
        Ok(())
    }
}
