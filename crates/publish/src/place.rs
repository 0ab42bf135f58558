//! Which repository of which host an address of git is about.

/// A repository of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// As `github.com`, in lower case, with the port of HTTP where there is one.
    pub host: String,
    /// As `owner/name`; at GitLab there may be groups in groups.
    pub project: String,
}

impl Place {
    /// Of a URL, or of what SSH takes: `git@github.com:owner/name.git`. None where it is a folder,
    /// or names no project.
    pub fn of(address: &str) -> Option<Self> {
        let (host, path) = match address.split_once("://") {
            Some((protocol, rest)) => {
                let (host, path) = rest.split_once('/')?;
                let host = host.rsplit('@').next()?;
                // The interface is not at the port of SSH.
                let host = match protocol {
                    "http" | "https" => host,
                    "ssh" | "git" => host.split(':').next()?,
                    _ => return None,
                };
                (host, path)
            }
            None if address.starts_with(['/', '.']) => return None,
            None => {
                let (host, path) = address.split_once(':')?;
                (host.rsplit('@').next()?, path)
            }
        };
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let is_project = path.split('/').count() > 1 && path.split('/').all(is_plain);
        (is_project && !host.is_empty()).then(|| Self {
            host: host.to_lowercase(),
            project: path.to_string(),
        })
    }
}

/// Whether it can stand in the path of a request.
fn is_plain(part: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !part.is_empty() && part != "." && part != ".." && part.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn folders_and_what_names_no_project_are_nowhere() {
        for address in [
            "/srv/git/o/r.git",
            "./o/r",
            "file:///srv/o/r",
            "https://github.com/r",
            "https://github.com/o/r?x=1",
            "https://github.com/o/../r",
            "https:///o/r",
        ] {
            assert_eq!(Place::of(address), None, "{address}");
        }
    }

    #[test]
    fn each_way_to_write_an_address_leads_to_its_project() {
        for (address, host, project) in [
            ("https://github.com/o/r.git", "github.com", "o/r"),
            ("https://x@GitHub.com/o/r/", "github.com", "o/r"),
            ("http://localhost:8080/o/r", "localhost:8080", "o/r"),
            (
                "ssh://git@example.org:2222/a/b/c.git",
                "example.org",
                "a/b/c",
            ),
            ("git@gitlab.com:a/b/c.git", "gitlab.com", "a/b/c"),
        ] {
            let place = Place::of(address).unwrap();
            assert_eq!((&*place.host, &*place.project), (host, project));
        }
    }
}
