//! Bringing the fixes to where a repository comes from, and what has to be known of them there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::child::Keeper;
use crate::failure::Failure;
use crate::folder::{Campaign, Held, Migrated, hold};
use crate::git::{Git, names};
use crate::plan::of_remote;

/// What git is let in with at a host, over HTTPS. It is given to git in the environment, and by a
/// helper to the host of the address only, so that it stands in no command line and no file.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The name.
    pub user: &'a str,
    /// The token.
    pub password: &'a str,
}

/// Where the branch of the fixes is, in the repository that they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Branch {
    /// At the commit.
    There,
    /// At the one that was pushed before, or nowhere: it can be pushed with this lease.
    Behind(String),
    /// At this commit, which is none that was pushed from here: it is left alone.
    Foreign(String),
}

/// Publishes, one process at a time.
pub struct Publisher<'a> {
    campaign: &'a Campaign,
    keeper: Keeper<'a>,
    lock: PathBuf,
    _held: Held,
}

/// How long git may take for a push.
const LIMIT: Duration = Duration::from_mins(15);

impl<'a> Publisher<'a> {
    /// Waits until nobody else publishes the campaign.
    pub fn new(campaign: &'a Campaign, keeper: Keeper<'a>) -> Result<Self, Failure> {
        let runs = campaign.folder().join("runs");
        let held = hold(&runs.join("publish"), keeper.is_interrupted)?;
        Ok(Self {
            campaign,
            keeper,
            lock: runs.join("publish.lock"),
            _held: held,
        })
    }

    fn git(&self) -> Git<'_> {
        Git {
            keeper: self.keeper,
            lock: &self.lock,
        }
    }

    /// Where the branch of `migrated` is, where it comes from. `previous` is the commit that was
    /// pushed before: a branch that is at another one is somebody else's.
    pub fn branch(
        &self,
        migrated: &Migrated,
        previous: Option<&str>,
        credentials: Option<Credentials>,
    ) -> Result<Branch, Failure> {
        let shown = migrated.repository.url.as_str();
        let commit = migrated.commit.id.as_str();
        let reference = reference(migrated);
        let listed = self
            .call(&migrated.mirror, shown, credentials)
            .arguments(["ls-remote", "--quiet", "--", shown, &reference])
            .output()?;
        if !listed.is_success() {
            return Err(of_remote(shown, &listed.complaint()));
        }
        let listed = String::from_utf8_lossy(&listed.stdout);
        let there = listed.split_whitespace().next().map(str::to_string);
        Ok(match there {
            Some(there) if there == commit => Branch::There,
            Some(there) if Some(there.as_str()) == previous => Branch::Behind(there),
            Some(there) => Branch::Foreign(there),
            None => Branch::Behind(String::new()),
        })
    }

    /// Brings the branch to where it comes from. Where it is not at `lease` any more, that fails.
    pub fn push(
        &self,
        migrated: &Migrated,
        lease: &str,
        credentials: Option<Credentials>,
    ) -> Result<(), Failure> {
        let shown = migrated.repository.url.as_str();
        let reference = reference(migrated);
        let lease = format!("--force-with-lease={reference}:{lease}");
        let what = format!("{}:{reference}", migrated.commit.id);
        let pushed = self
            .call(&migrated.mirror, shown, credentials)
            .arguments(["push", "--quiet", "--no-verify", &lease, "--", shown, &what])
            .output()?;
        if pushed.is_success() {
            Ok(())
        } else {
            Err(of_remote(shown, &pushed.complaint()))
        }
    }

    /// git, let in at the host of `address`.
    fn call<'c>(
        &'c self,
        folder: &'c Path,
        address: &str,
        credentials: Option<Credentials>,
    ) -> crate::git::Call<'c> {
        let call = self.git().remote(folder, LIMIT);
        let Some((credentials, host)) = credentials.zip(host(address)) else {
            return call;
        };
        let key = format!("credential.{host}.helper");
        call.variable("GIT_CONFIG_COUNT", "2")
            .variable("GIT_CONFIG_KEY_0", &key)
            // Nobody else is asked, and nobody is told to keep it.
            .variable("GIT_CONFIG_VALUE_0", "")
            .variable("GIT_CONFIG_KEY_1", &key)
            .variable("GIT_CONFIG_VALUE_1", HELPER)
            .variable("ASYNCFIX_GIT_USER", credentials.user)
            .variable("ASYNCFIX_GIT_PASSWORD", credentials.password)
    }

    /// The paths that the fixes change, from the root of the repository.
    pub fn changed(&self, migrated: &Migrated) -> Result<Vec<String>, Failure> {
        let commits = [migrated.repository.commit.as_str(), &migrated.commit.id];
        let arguments = ["diff", "--name-only", "--no-renames", "-z"];
        let git = self.git();
        let call = git.local(&migrated.mirror).arguments(arguments);
        let listed = call.arguments(commits).arguments(["--"]).stdout()?;
        let shown = |path: PathBuf| path.to_string_lossy().into_owned();
        Ok(names(&listed).into_iter().map(shown).collect())
    }

    /// The text of a file, as it is before the fixes; none where there is no such file.
    pub fn text(&self, migrated: &Migrated, path: &str) -> Result<Option<String>, Failure> {
        let what = format!("{}:{path}", migrated.repository.commit);
        let git = self.git();
        let call = git.local(&migrated.mirror);
        let output = call.arguments(["cat-file", "blob", &what]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(output.is_success().then_some(text))
    }

    /// The campaign.
    pub fn campaign(&self) -> &Campaign {
        self.campaign
    }
}

fn reference(migrated: &Migrated) -> String {
    format!("refs/heads/{}", migrated.commit.branch)
}

/// A line for git's shell, which has `printf` built in: it starts no program that would have the
/// token among its arguments.
const HELPER: &str = "!f() { test \"$1\" = get || exit 0; \
                      printf 'username=%s\\npassword=%s\\n' \"$ASYNCFIX_GIT_USER\" \
                      \"$ASYNCFIX_GIT_PASSWORD\"; }; f";

/// `https://host`, which credentials are for. Without encryption only this machine is told them.
fn host(address: &str) -> Option<String> {
    let (protocol, rest) = address.split_once("://")?;
    let host = rest.split('/').next()?.rsplit('@').next()?;
    let name = host.split(':').next()?;
    let is_safe = protocol == "https" || protocol == "http" && name == "127.0.0.1";
    is_safe.then(|| format!("{protocol}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_token_goes_to_the_host_of_the_address_and_encrypted() {
        let some = |text: &str| Some(text.to_string());
        assert_eq!(host("https://x@github.com/o/r"), some("https://github.com"));
        assert_eq!(host("https://h:8443/o/r"), some("https://h:8443"));
        for address in [
            "http://github.com/o/r",
            "git@github.com:o/r",
            "/srv/r",
            "file:///srv/r",
        ] {
            assert_eq!(host(address), None, "{address}");
        }
    }
}
