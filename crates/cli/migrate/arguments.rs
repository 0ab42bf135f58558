//! What can be typed after `asyncfix migrate`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::arguments::Provider;

/// The arguments of `migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    #[command(subcommand)]
    pub command: Command,
}

/// What is done with a campaign.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read a list of repositories, find a commit for each, and write down what is to be done
    ///
    /// A line has a clone URL or a path, and a branch and a folder where wanted. A file that ends in
    /// .csv has a header: url, branch, path, test, setup. What is planned already keeps its commit,
    /// unless --refresh.
    Plan(Box<Plan>),
    /// Migrate what is open, and go on where a run was that ended or was killed
    Run(Run),
    /// Print how each repository stands
    Status(Status),
    /// Print a summary of the campaign, or write a page of it
    ///
    /// The page is one file that loads nothing: totals, each repository, and each finding.
    Report(Report),
    /// Try again what failed, also what failed for good
    Retry(Retry),
    /// Push the branches, and open a pull request for each repository that has fixes
    ///
    /// One after the other. What is published already is not published again, also where an answer
    /// was lost: a pull request is known by its branch. `GITHUB_TOKEN` and `GITLAB_TOKEN` let it in.
    Publish(Publish),
    /// Put parts that were run with --shard, each in a folder of its own, into one campaign
    ///
    /// The parts stay as they are, and may be merged again when they are further.
    Merge(Merge),
}

/// The folder of the campaign.
#[derive(Debug, Args)]
pub struct Folder {
    /// The folder of the campaign, which holds everything of it
    #[arg(long, value_name = "DIR")]
    pub campaign: PathBuf,
}

/// The arguments of `plan`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Plan {
    /// The list; `-` is standard input
    #[arg(value_name = "FILE")]
    pub list: PathBuf,

    #[command(flatten)]
    pub folder: Folder,

    /// Find the commits anew, also of what is planned already
    #[arg(long)]
    pub refresh: bool,

    /// Resolve so many repositories at a time
    #[arg(short, long, value_name = "N", default_value = "8")]
    pub jobs: NonZeroUsize,

    /// The name of the campaign, in its branches: asyncfix/NAME [default: that of the folder]
    #[arg(long, value_name = "NAME", help_heading = CONFIGURATION)]
    pub name: Option<String>,

    /// Run these codemods, and no others; `modernise` and `all` name groups [default: what each
    /// repository configures, else the default ones]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', help_heading = CONFIGURATION)]
    pub select: Vec<String>,

    /// Apply unsafe fixes too
    #[arg(long, conflicts_with = "safe_only", help_heading = CONFIGURATION)]
    pub unsafe_fixes: bool,

    /// Apply safe fixes only
    #[arg(long, help_heading = CONFIGURATION)]
    pub safe_only: bool,

    /// The lowest Python version that the code has to run on
    #[arg(long, value_name = "VERSION", help_heading = CONFIGURATION)]
    pub target_version: Option<String>,

    /// A setting, as `asyncfix --config KEY=VALUE` takes it; repeatable
    #[arg(long = "config", value_name = "KEY=VALUE", help_heading = CONFIGURATION)]
    pub settings: Vec<String>,

    /// Decide by what each module shows, without inferring types across modules
    #[arg(long, help_heading = CONFIGURATION)]
    pub no_types: bool,

    /// Make the environment of each repository with this command, as --setup 'uv sync'
    ///
    /// The shell runs it in the work tree. What it makes is neither looked at nor committed.
    #[arg(long, value_name = "COMMAND", help_heading = CONFIGURATION)]
    pub setup: Option<String>,

    /// Keep only the fixes with which this command passes, as --verify 'uv run pytest -q'
    #[arg(long, value_name = "COMMAND", help_heading = CONFIGURATION)]
    pub verify: Option<String>,

    /// Seconds that a run of the --verify command may take
    #[arg(long, value_name = "SECONDS", help_heading = CONFIGURATION)]
    pub verify_timeout: Option<u64>,

    /// Run the --verify command so often at most
    #[arg(long, value_name = "N", help_heading = CONFIGURATION)]
    pub verify_runs: Option<u64>,

    /// Seconds that all of one repository may take [default: 3600]
    #[arg(long, value_name = "SECONDS", help_heading = CONFIGURATION)]
    pub timeout: Option<u64>,

    /// Seconds that git may take for a clone or a fetch [default: 900]
    #[arg(long, value_name = "SECONDS", help_heading = CONFIGURATION)]
    pub fetch_timeout: Option<u64>,

    /// Who commits, as 'Name <address>' [default: who git says, else asyncfix]
    #[arg(long, value_name = "AUTHOR", help_heading = CONFIGURATION)]
    pub author: Option<String>,
}

/// The arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub folder: Folder,

    /// Work on so many repositories at a time [default: one for each two cores]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    /// Work on part I of N only, counted from 0; with N alone, the part is `JOB_COMPLETION_INDEX`
    ///
    /// Kubernetes sets that variable in the pods of an indexed job. All branches and folders of a
    /// repository are in the same part.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,

    /// Leave the work trees where they are when they are done with
    #[arg(long)]
    pub keep_trees: bool,

    /// Say nothing but what went wrong
    #[arg(short, long)]
    pub quiet: bool,
}

/// The arguments of `status`.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub folder: Folder,

    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output_format: Format,
}

/// The arguments of `report`.
#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    pub folder: Folder,

    /// Write a page to this file; `-` is standard output
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
}

/// The arguments of `retry`.
#[derive(Debug, Args)]
pub struct Retry {
    /// The repositories, as `status` names them [default: all that failed]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// What failed, for now or for good
    #[arg(long, required = true)]
    pub failed: bool,

    #[command(flatten)]
    pub run: Run,
}

/// The arguments of `publish`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Publish {
    #[command(flatten)]
    pub folder: Folder,

    /// Print what would be pushed and sent, and send nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Open the pull requests as drafts
    #[arg(long)]
    pub draft: bool,

    /// Open or update so many pull requests within an hour at most
    #[arg(long, value_name = "N", default_value = "60")]
    pub per_hour: NonZeroUsize,

    /// Open no more while so many of the campaign are open
    #[arg(long, value_name = "N")]
    pub max_open: Option<usize>,

    /// Ask nobody to look at them [default: those whom CODEOWNERS names for the changed files]
    #[arg(long)]
    pub no_owners: bool,

    /// A host of your own, beside github.com and gitlab.com: its repositories are published too
    ///
    /// The token goes to these hosts only, whatever addresses the campaign has.
    #[arg(long, value_name = "HOST", requires = "provider")]
    pub host: Option<String>,

    /// What runs at the host
    #[arg(long, value_name = "NAME")]
    pub provider: Option<Provider>,

    /// The interface of the provider, where it is not at its usual address
    #[arg(long, value_name = "URL", requires = "provider")]
    pub api: Option<String>,

    /// Say nothing but what went wrong
    #[arg(short, long)]
    pub quiet: bool,
}

/// The arguments of `merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// The folders of the parts
    #[arg(value_name = "PART", required = true)]
    pub parts: Vec<PathBuf>,

    #[command(flatten)]
    pub folder: Folder,
}

/// How something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// JSON
    Json,
}

const CONFIGURATION: &str = "What is done in each repository (kept in campaign.toml)";
