//! The folder of a campaign, and what stands where in it.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::config::Config;
use crate::database::{Commit, Database, Made, Row, State};
use crate::failure::Failure;
use crate::keeper;
use crate::lock::{Lock, Repository};
use crate::source::hash;

/// A campaign: its folder, with its configuration and what it is about.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The folder: absolute, and without symbolic links.
    folder: PathBuf,
    /// `campaign.toml`.
    pub config: Config,
    /// `campaign.lock`.
    pub lock: Lock,
}

/// A repository with fixes on a branch: what there is to publish.
#[derive(Clone, Debug)]
pub struct Migrated {
    /// As it was planned.
    pub repository: Repository,
    /// What was found and fixed.
    pub made: Made,
    /// The commit, its branch, and its message.
    pub commit: Commit,
    /// The bare repository that has the branch.
    pub mirror: PathBuf,
    /// The patch.
    pub patch: PathBuf,
}

/// A file in what the campaign made, by which it knows it again.
pub const MARKER: &str = "asyncfix-campaign";

impl Campaign {
    /// Makes the folder, where there is none, of a campaign that is to be done so. One that holds
    /// something else is refused.
    pub fn create(folder: &Path, config: &Config) -> Result<PathBuf, String> {
        if folder.is_dir() && !folder.join("campaign.toml").exists() {
            let mut entries = fs_err::read_dir(folder).map_err(|error| error.to_string())?;
            if entries.next().is_some() {
                return Err(format!(
                    "`{}` is not empty and holds no campaign: name a new folder, or an empty one",
                    folder.display()
                ));
            }
        }
        fs_err::create_dir_all(folder).map_err(|error| error.to_string())?;
        let folder = fs_err::canonicalize(folder).map_err(|error| error.to_string())?;
        // Copies of the campaign in other folders are parts of the same, with the same branches.
        let config = Config {
            name: Some(config.name(&folder)),
            ..config.clone()
        };
        // First, so that what is half made is known as ours.
        let text = config.to_toml()?;
        write(&folder.join("campaign.toml"), text.as_bytes()).map_err(|error| error.to_string())?;
        make_folders(&folder)?;
        Ok(folder)
    }

    /// Opens a campaign that was planned. The error says what is missing or wrong.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let shown = folder.display();
        let missing = || {
            format!(
                "`{shown}` holds no campaign: make one with `asyncfix migrate plan FILE --campaign \
                 {shown}`"
            )
        };
        if !folder.join("campaign.lock").exists() {
            return Err(missing());
        }
        let folder = fs_err::canonicalize(folder).map_err(|error| error.to_string())?;
        let read = |name: &str| {
            let path = folder.join(name);
            fs_err::read_to_string(&path)
                .map_err(|error| error.to_string())
                .map(|text| (path, text))
        };
        let (path, text) = read("campaign.toml")?;
        let config =
            Config::parse(&text).map_err(|error| format!("`{}`: {error}", path.display()))?;
        let (path, text) = read("campaign.lock")?;
        let lock = Lock::parse(&text).map_err(|error| format!("`{}`: {error}", path.display()))?;
        // A part is made by copying these two files.
        make_folders(&folder)?;
        Ok(Self {
            folder,
            config,
            lock,
        })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its name, as branches have it.
    pub fn name(&self) -> String {
        self.config.name(&self.folder)
    }

    /// Its database.
    pub fn database(&self) -> Result<Database, String> {
        Database::open(&self.folder.join("campaign.db"))
    }

    /// The bare repository that all of its entries of one address share.
    pub fn mirror(&self, repository: &Repository) -> Result<PathBuf, String> {
        let address = repository.address()?;
        let hash = hash(&[&address.canonical()]);
        let name = format!("{}-{}.git", address.slug(), &hash[..8]);
        Ok(self.folder.join("mirrors").join(name))
    }

    /// The work tree.
    pub fn tree(&self, name: &str) -> PathBuf {
        self.folder.join("trees").join(name)
    }

    /// What belongs to a work tree and stands beside it.
    pub fn beside_tree(&self, name: &str, what: &str) -> PathBuf {
        self.folder.join("trees").join(format!("{name}.{what}"))
    }

    /// What asyncfix said of it.
    pub fn outcome(&self, name: &str) -> PathBuf {
        self.folder.join("outcomes").join(format!("{name}.json"))
    }

    /// Where the patch is, from the folder.
    pub fn patch(&self, name: &str) -> String {
        format!("patches/{name}.patch")
    }

    /// What a command printed.
    pub fn log(&self, name: &str, what: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.{what}.log"))
    }

    /// The repositories with fixes on a branch, in the order of the plan: what there is to publish.
    pub fn migrated(&self, rows: &[Row]) -> Result<Vec<Migrated>, String> {
        let mut migrated = Vec::new();
        for row in rows.iter().filter(|row| row.state == State::Done) {
            let Some(made) = &row.result else {
                continue;
            };
            let Some(commit) = &made.commit else {
                continue;
            };
            migrated.push(Migrated {
                repository: row.repository.clone(),
                made: made.clone(),
                commit: commit.clone(),
                mirror: self.mirror(&row.repository)?,
                patch: self.folder.join(&commit.patch),
            });
        }
        Ok(migrated)
    }
}

fn make_folders(folder: &Path) -> Result<(), String> {
    for name in ["mirrors", "trees", "patches", "outcomes", "logs", "runs"] {
        fs_err::create_dir_all(folder.join(name)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Writes a file as a whole: it is there with all of `content`, or as it was. Whoever is killed
/// meanwhile leaves a file beside it that the next one writes over: nobody else writes the same.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let written = (|| -> io::Result<()> {
        let mut file = fs_err::File::create(&part)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs_err::rename(&part, path)
    })();
    written.map_err(|error| Failure::retry(error.to_string()))
}

/// A lock on something that several processes use. It is let go with the value, or with the process.
pub struct Held(#[expect(dead_code, reason = "it is held")] File);

const PAUSE: Duration = Duration::from_millis(20);

/// Waits until nobody else has the lock, and takes it.
pub fn hold(path: &Path, is_interrupted: &dyn Fn() -> bool) -> Result<Held, Failure> {
    let problem = |error: &io::Error| Failure::retry(format!("`{}`: {error}", path.display()));
    let file = keeper::open_lock(path).map_err(|error| problem(&error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Held(file)),
            Err(TryLockError::WouldBlock) if is_interrupted() => return Err(Failure::Interrupted),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(problem(&error)),
        }
    }
}

/// Waits until nothing that a run started, and that was killed, is at work any longer.
pub fn wait_for_keepers(path: &Path, is_interrupted: &dyn Fn() -> bool) -> Result<(), Failure> {
    hold(path, is_interrupted).map(drop)
}
