//! Where a repository comes from, as git may be given it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// An address that git can clone: a URL of one of the protocols below, `host:path` of SSH, or the
/// absolute path of a folder.
///
/// It is checked once, here, so that nothing else can reach git as an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

/// The protocols that git may speak (`GIT_ALLOW_PROTOCOL`): those that run no program that the
/// address names, as `ext::` does.
pub const PROTOCOLS: [&str; 5] = ["file", "git", "http", "https", "ssh"];

impl Address {
    /// What somebody wrote; a path is taken from `folder`. The error says what is wrong with it.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        if text.is_empty() {
            return Err("there is no address".to_string());
        }
        if text.starts_with('-') {
            return Err(format!(
                "`{text}` starts with `-`, as options do: a path is written `./{text}`"
            ));
        }
        if text.chars().any(char::is_control) {
            return Err("the address has a control character in it".to_string());
        }
        if let Some((protocol, rest)) = text.split_once("://") {
            return of_url(text, protocol, rest);
        }
        if let Some((helper, _)) = text.split_once("::")
            && !helper.contains('/')
        {
            return Err(format!(
                "`{text}` asks git to run `git-remote-{helper}`: only {} are taken",
                PROTOCOLS.join(", ")
            ));
        }
        if Path::new(text).is_absolute() {
            return of_path(text, folder);
        }
        match text.split_once(':') {
            // As git tells SSH from a path: by a colon before the first slash.
            Some((host, path)) if !host.contains('/') && !is_drive(host) => {
                if host.is_empty() || path.is_empty() || host.starts_with('-') {
                    return Err(format!("`{text}` is neither `host:path` nor a path"));
                }
                Ok(Self(text.to_string()))
            }
            _ => of_path(text, folder),
        }
    }

    /// What was planned: a path need not be there any more.
    pub fn known(text: &str) -> Result<Self, String> {
        if Path::new(text).is_absolute() && !text.chars().any(char::is_control) {
            return Ok(Self(text.to_string()));
        }
        let is_url = text.contains(':');
        if !is_url {
            return Err(format!("`{text}` is neither a URL nor a whole path"));
        }
        Self::parse(text, Path::new("/"))
    }

    /// As git takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a folder of this machine.
    pub fn path(&self) -> Option<&Path> {
        let path = self.0.strip_prefix("file://").unwrap_or(&self.0);
        Path::new(path).is_absolute().then(|| Path::new(path))
    }

    /// What it is known by: two ways of writing one address, with or without `.git`, are the same.
    pub fn canonical(&self) -> String {
        let text = self.0.trim_end_matches('/');
        let text = text.strip_suffix(".git").unwrap_or(text);
        let text = text.trim_end_matches('/');
        match text.split_once("://") {
            Some((protocol, rest)) => {
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                let (protocol, host) = (protocol.to_lowercase(), host.to_lowercase());
                format!("{protocol}://{host}/{path}")
            }
            None => text.to_string(),
        }
    }

    /// The last two names of its path, as a name for files: `owner-repository`.
    pub fn slug(&self) -> String {
        let canonical = self.canonical();
        let path = canonical.split_once("://").map_or(&*canonical, |it| it.1);
        let names: Vec<&str> = path
            .split(['/', ':', '\\'])
            .filter(|it| !it.is_empty())
            .collect();
        let last = names.get(names.len().saturating_sub(2)..);
        slug(&last.unwrap_or_default().join("-"))
    }
}

/// `C:`, which is no host.
fn is_drive(host: &str) -> bool {
    cfg!(windows) && host.len() == 1
}

fn of_url(text: &str, protocol: &str, rest: &str) -> Result<Address, String> {
    if !PROTOCOLS.contains(&protocol.to_lowercase().as_str()) {
        return Err(format!(
            "`{text}`: only {} are taken, not `{protocol}`",
            PROTOCOLS.join(", ")
        ));
    }
    let host = rest.split('/').next().unwrap_or_default();
    // After a user, what starts with `-` would be an option of ssh's.
    let name = host.rsplit('@').next().unwrap_or_default();
    if host.starts_with('-') || name.starts_with('-') {
        return Err(format!("`{text}`: no host is named like an option"));
    }
    if protocol != "file" && name.is_empty() {
        return Err(format!("`{text}` names no host"));
    }
    if has_password(host) {
        return Err(
            "the address holds a password, which would be written into the campaign: leave it \
             out, and let a credential helper of git give it"
                .to_string(),
        );
    }
    Ok(Address(text.to_string()))
}

/// `user:password@host`.
fn has_password(host: &str) -> bool {
    host.rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
}

fn of_path(text: &str, folder: &Path) -> Result<Address, String> {
    let path = folder.join(text);
    if !path.is_dir() {
        return Err(format!(
            "`{text}` is no directory here, and no URL (paths start at `{}`)",
            folder.display()
        ));
    }
    let path: PathBuf = fs_err::canonicalize(&path).map_err(|error| error.to_string())?;
    match path.to_str() {
        Some(path) => Ok(Address(path.to_string())),
        None => Err(format!("`{}` is not Unicode", path.display())),
    }
}

/// Text as a part of the name of a file or branch: lower-case letters, digits, `.`, `_` and `-`.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.to_lowercase().chars() {
        if character.is_ascii_alphanumeric() || character == '_' || character == '.' {
            slug.push(character);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches(['-', '.']).replace("..", ".");
    let short: String = slug.chars().take(60).collect();
    // git takes no branch that ends so.
    let short = short.trim_end_matches(['-', '.']).replace(".lock", "-lock");
    if short.is_empty() {
        "repository".to_string()
    } else {
        short
    }
}

/// The first digits of the SHA-256 of `parts`, which none of them can imitate by its ends.
pub fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut text = String::new();
    for byte in hasher.finalize().iter().take(8) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Address, slug};
    use std::path::Path;

    fn problem(text: &str) -> String {
        Address::parse(text, Path::new("/")).unwrap_err()
    }

    #[test]
    fn what_runs_a_program_or_is_an_option_is_refused() {
        assert!(problem("ext::sh -c id").contains("git-remote-ext"));
        assert!(problem("ext::sh -c 'cat /etc/x'").contains("git-remote-ext"));
        assert!(problem("fd::17/foo").contains("git-remote-fd"));
        assert!(problem("--upload-pack=id").contains("starts with `-`"));
        assert!(problem("-oProxyCommand=id:x").contains("starts with `-`"));
        assert!(problem("ssh://-oProxyCommand=id/x").contains("option"));
        assert!(problem("ssh://a@-oProxyCommand=id/x").contains("option"));
        assert!(problem("EXT://x/y").contains("only file"));
        assert!(problem("https:///x").contains("names no host"));
        assert!(problem("https://x/y\n").contains("control character"));
        assert!(problem("https://me:secret@x/y").contains("password"));
        assert!(problem("no/such/folder").contains("no directory"));
    }

    #[test]
    fn two_ways_of_writing_one_address_are_the_same() {
        let canonical = |text: &str| Address::parse(text, Path::new("/")).unwrap().canonical();
        let one = canonical("https://GitHub.com/o/r");
        assert_eq!(canonical("https://github.com/o/r.git"), one);
        assert_eq!(canonical("HTTPS://github.com/o/r/"), one);
        assert_ne!(canonical("https://github.com/O/r"), one);
        assert_eq!(canonical("git@host:o/r.git"), "git@host:o/r");
    }

    #[test]
    fn a_slug_is_a_name() {
        let of = |text: &str| Address::parse(text, Path::new("/")).unwrap().slug();
        assert_eq!(of("https://github.com/Some/Thing.git"), "some-thing");
        assert_eq!(of("git@host:o/r.git"), "o-r");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(slug("a..b.lock"), "a.b-lock");
        assert_eq!(slug("///"), "repository");
    }
}
