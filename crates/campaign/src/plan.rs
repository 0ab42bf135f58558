//! Planning: a list of repositories becomes a lock file.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::child::Keeper;
use crate::config::Config;
use crate::database::Database;
use crate::failure::Failure;
use crate::folder::{self, Campaign};
use crate::git::Git;
use crate::list::{self, Problem, Wanted};
use crate::lock::{Lock, Repository};
use crate::run::in_threads;

/// What is to be planned.
pub struct Planning<'a> {
    /// The list.
    pub list: &'a str,
    /// Whether it is a table (CSV).
    pub is_table: bool,
    /// Where paths in it start.
    pub base: &'a Path,
    /// The campaign's folder.
    pub folder: &'a Path,
    /// What is to be done.
    pub config: Config,
    /// Whether those are looked for again that have a commit.
    pub refresh: bool,
    /// How many are resolved at a time.
    pub jobs: usize,
    /// What keeps the processes.
    pub keeper: Keeper<'a>,
}

/// What a plan came to.
#[derive(Debug, Default)]
pub struct Planned {
    /// How many repositories are in the lock file.
    pub repositories: usize,
    /// How many of them were there, with the same commit.
    pub kept: usize,
    /// What is not in it, by line, and may be another time.
    pub retry: Vec<Problem>,
    /// What is not in it, by line, until somebody changes something.
    pub permanent: Vec<Problem>,
    /// Whether it was interrupted: the lock file is as it was.
    pub interrupted: bool,
    /// What stands twice in the list.
    pub duplicates: Vec<Problem>,
}

/// Reads the list, finds a commit for each of its repositories, and writes down what is planned.
pub fn plan(planning: &Planning) -> Result<Planned, String> {
    planning.config.check()?;
    let (wanted, problems) = list::read(planning.list, planning.is_table, planning.base);
    let mut planned = Planned {
        permanent: problems,
        ..Planned::default()
    };
    let wanted = without_duplicates(wanted, &mut planned.duplicates);
    let folder = Campaign::create(planning.folder, &planning.config)?;
    let known = if planning.refresh {
        HashMap::new()
    } else {
        known(&folder)?
    };
    let lock = folder.join("runs").join("plan.lock");
    let git = Git {
        keeper: planning.keeper,
        lock: &lock,
    };
    let found = Mutex::new(Vec::new());
    in_threads(planning.jobs, wanted.len(), |number| {
        let Some(one) = wanted.get(number) else {
            return;
        };
        let resolved = match known.get(&one.name()) {
            Some(repository) => Ok((one.with(repository), true)),
            None => resolve(one, git, planning, &folder).map(|it| (it, false)),
        };
        if let Ok(mut found) = found.lock() {
            found.push((number, resolved));
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(number, _)| *number);
    let mut repositories = Vec::new();
    for (number, resolved) in found {
        let line = wanted.get(number).map_or(0, |it| it.line);
        match resolved {
            Ok((repository, was_known)) => {
                planned.kept += usize::from(was_known);
                repositories.push(repository);
            }
            Err(Failure::Interrupted) => {
                return Ok(Planned {
                    interrupted: true,
                    ..Planned::default()
                });
            }
            Err(Failure::Retry(message)) => planned.retry.push(Problem { line, message }),
            Err(Failure::Permanent(message)) => planned.permanent.push(Problem { line, message }),
        }
    }
    planned.permanent.sort_by_key(|problem| problem.line);
    planned.repositories = repositories.len();
    save(&folder, repositories)?;
    Ok(planned)
}

fn save(folder: &Path, repositories: Vec<Repository>) -> Result<(), String> {
    let write = |name: &str, text: &str| {
        folder::write(&folder.join(name), text.as_bytes()).map_err(|error| error.to_string())
    };
    let mut database = Database::open(&folder.join("campaign.db"))?;
    let lock = Lock::new(repositories);
    write("campaign.lock", &lock.to_text()?)?;
    database.plan(&lock.repositories)
}

/// What stands in the lock file.
fn known(folder: &Path) -> Result<HashMap<String, Repository>, String> {
    let path = folder.join("campaign.lock");
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let text = fs_err::read_to_string(&path).map_err(|error| error.to_string())?;
    let lock = Lock::parse(&text).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let repositories = lock.repositories.into_iter();
    Ok(repositories.map(|it| (it.name.clone(), it)).collect())
}

fn without_duplicates(wanted: Vec<Wanted>, duplicates: &mut Vec<Problem>) -> Vec<Wanted> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut kept = Vec::new();
    for one in wanted {
        let key = one.name();
        if let Some(line) = first.get(&key) {
            duplicates.push(Problem {
                line: one.line,
                message: format!("`{}` stands in line {line} already", one.address.as_str()),
            });
            continue;
        }
        first.insert(key, one.line);
        kept.push(one);
    }
    kept
}

impl Wanted {
    fn name(&self) -> String {
        let canonical = self.address.canonical();
        let slug = self.address.slug();
        Repository::name_of(&canonical, &slug, self.branch.as_deref(), &self.path)
    }

    /// What was planned before, with the commands that the list has now.
    fn with(&self, known: &Repository) -> Repository {
        Repository {
            verify: self.verify.clone(),
            setup: self.setup.clone(),
            ..known.clone()
        }
    }
}

/// Asks for the commit.
fn resolve(
    one: &Wanted,
    git: Git,
    planning: &Planning,
    folder: &Path,
) -> Result<Repository, Failure> {
    let limit = planning.config.fetch_limit().min(LISTING);
    let mut arguments = vec![
        "ls-remote",
        "--symref",
        "--quiet",
        "--",
        one.address.as_str(),
    ];
    let refs: Vec<String> = match &one.branch {
        None => vec!["HEAD".to_string()],
        Some(branch) => vec![
            format!("refs/heads/{branch}"),
            format!("refs/tags/{branch}"),
            format!("refs/tags/{branch}^{{}}"),
        ],
    };
    arguments.extend(refs.iter().map(String::as_str));
    let output = git.remote(folder, limit).arguments(arguments).output()?;
    let shown = one.address.as_str();
    if !output.is_success() {
        return Err(of_remote(shown, &output.complaint()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let (base, commit) = listed(&text, one.branch.as_deref());
    let Some(commit) = commit else {
        return Err(Failure::Permanent(match &one.branch {
            Some(branch) => format!("`{shown}` has no branch or tag `{branch}`"),
            None => format!("`{shown}` has no commit"),
        }));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(Repository {
        name: one.name(),
        url: shown.to_string(),
        branch: one.branch.clone(),
        base,
        commit,
        path: one.path.clone(),
        verify: one.verify.clone(),
        setup: one.setup.clone(),
        planned: now.unwrap_or_default().as_secs(),
    })
}

/// So long it may take at most to be told the refs.
const LISTING: std::time::Duration = std::time::Duration::from_mins(2);

/// The branch and the commit, of what `git ls-remote --symref` prints.
fn listed(text: &str, wanted: Option<&str>) -> (Option<String>, Option<String>) {
    let mut base = None;
    let mut commits: HashMap<&str, &str> = HashMap::new();
    for line in text.lines() {
        let Some((value, name)) = line.split_once('\t') else {
            continue;
        };
        if let Some(target) = value.strip_prefix("ref: ") {
            if name == "HEAD" {
                base = target.strip_prefix("refs/heads/").map(str::to_string);
            }
        } else {
            commits.insert(name, value);
        }
    }
    let Some(branch) = wanted else {
        return (base, commits.get("HEAD").map(ToString::to_string));
    };
    if let Some(commit) = commits.get(format!("refs/heads/{branch}").as_str()) {
        return (Some(branch.to_string()), Some((*commit).to_string()));
    }
    // Of an annotated tag, the commit and not the tag.
    let tags = [
        format!("refs/tags/{branch}^{{}}"),
        format!("refs/tags/{branch}"),
    ];
    let commit = tags.iter().find_map(|tag| commits.get(tag.as_str()));
    (None, commit.map(ToString::to_string))
}

/// Why git could not speak to where a repository comes from.
pub(crate) fn of_remote(shown: &str, complaint: &str) -> Failure {
    const PERMANENT: [&str; 12] = [
        "not found",
        "does not exist",
        "not appear to be a git repository",
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "Permission denied",
        "not allowed",
        "unsafe repository",
        "dubious ownership",
        "Unable to find remote helper",
    ];
    let message = format!("`{shown}`: git says: {complaint}");
    // As of a name server, for a while.
    let is_for_a_while = complaint.contains("Could not resolve host");
    if !is_for_a_while && PERMANENT.iter().any(|it| complaint.contains(it)) {
        Failure::Permanent(message)
    } else {
        Failure::Retry(message)
    }
}

#[cfg(test)]
mod tests {
    use super::{listed, of_remote};
    use crate::failure::Failure;

    #[test]
    fn a_branch_counts_more_than_a_tag_and_a_tag_leads_to_its_commit() {
        let text = "1\trefs/heads/x\n2\trefs/tags/x\n3\trefs/tags/x^{}\n";
        let some = |text: &str| Some(text.to_string());
        assert_eq!(listed(text, Some("x")), (some("x"), some("1")));
        assert_eq!(listed(&text[15..], Some("x")), (None, some("3")));
        assert_eq!(listed(text, Some("y")), (None, None));
        let text = "ref: refs/heads/main\tHEAD\n9\tHEAD\n";
        assert_eq!(listed(text, None), (some("main"), some("9")));
    }

    #[test]
    fn a_network_that_is_down_is_no_reason_to_give_up() {
        let is_retry = |text: &str| matches!(of_remote("x", text), Failure::Retry(_));
        assert!(is_retry("unable to access 'x': Could not resolve host: x"));
        assert!(is_retry("unable to access 'x': Failed to connect to x"));
        assert!(!is_retry("repository 'x' not found"));
        assert!(!is_retry(
            "could not read Username for 'x': terminal prompts disabled"
        ));
    }
}
