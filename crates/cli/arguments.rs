//! The command line as it is typed. What it means is decided in `plan`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{
    Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use engine::Codemod;
use python::ast::PythonVersion;

use crate::migrate::Migrate;
use crate::{nearest, target};

/// Everything that can be typed.
#[derive(Debug, Parser)]
#[command(
    name = "asyncfix",
    version,
    about = "Migrates Python asyncio code: finds what is wrong or dated, and rewrites it",
    long_about = "\
Migrates Python asyncio code: finds what is wrong or dated, and rewrites it.

Without --diff or --fix, findings are reported and nothing is written. A finding carries a fix, \
or it is withheld for a reason that a person has to weigh. A fix is

  safe       nothing changes but the defect itself
  intended   changes what its codemod exists to change, as `asyncfix explain NAME` states
  unsafe     may change more than that; applied with --unsafe-fixes only",
    after_help = "\
Examples:
  asyncfix                                   report what is found below the current directory
  asyncfix --diff src | git apply            preview a patch, or apply it
  asyncfix --fix - < a.py > b.py             standard input to standard output
  asyncfix --fix --await-sleep src           run one codemod, and write
  asyncfix --fix --verify 'pytest -q'        keep the fixes with which the tests pass
  asyncfix --review src                      decide on one fix after the other
  asyncfix explain await-sleep               what a codemod does, and what it leaves alone
  asyncfix report src --html report.html     a page with all of it, to look at
  asyncfix suggest --dry-run --base main     what it would propose on a pull request

Exit status:
  0  nothing was found, or all of it was fixed
  1  findings remain, or --diff printed something, or a file could not be read, parsed or written
  2  wrong usage, wrong configuration, --verify could not do its work, or an internal error
  130  --verify was interrupted, and put back what passed last",
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    styles = STYLES
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub run: Run,
}

/// What can be asked beside a run.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a codemod's page: what it rewrites, what it leaves alone, and why
    ///
    /// A path of this name is written `./explain`.
    Explain {
        /// The codemod
        #[arg(value_name = "NAME", value_parser = codemod)]
        codemod: &'static Codemod,

        /// Do not show it through a pager
        ///
        /// In a terminal it goes through what `ASYNCFIX_PAGER` or `PAGER` names, else through less.
        #[arg(long)]
        no_pager: bool,

        /// Use colour, and lay the page out; without, it is Markdown
        #[arg(long, value_name = "WHEN", default_value = "auto")]
        color: Color,
    },
    /// List the codemods with their effects, the versions that they need, and their options
    ///
    /// A path of this name is written `./list`.
    List {
        /// How they are printed
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        output_format: ListFormat,

        /// Use colour; `auto` looks at `NO_COLOR`, `FORCE_COLOR` and the terminal
        #[arg(long, value_name = "WHEN", default_value = "auto")]
        color: Color,
    },
    /// Print a script that completes arguments in a shell
    ///
    /// A path of this name is written `./completions`.
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, for `man`
    ///
    /// A path of this name is written `./man`.
    Man,
    /// Write a page to look at: every finding with its diff, totals, charts, filters
    ///
    /// The page is one file that loads nothing. It takes the same options as a run that reports,
    /// and has the same exit status: 1 where something is found, unless --exit-zero. A path of
    /// this name is written `./report`.
    Report(Box<Report>),
    /// Propose the rewrites on a pull request, as suggestions that a click applies
    ///
    /// In GitHub's and GitLab's CI all else is read from the environment: which pull request it is,
    /// what it changes, and the token, `GITHUB_TOKEN` or `GITLAB_TOKEN`. What cannot be suggested
    /// stands in a summary. Run again, it makes, changes and removes only what has to be. The exit
    /// status is 0 if all was said there, or, for want of permission as on a fork, as annotations;
    /// 1 if a file could not be read or parsed; 2 if something is missing, or the service failed.
    /// A path of this name is written `./suggest`.
    Suggest(Box<Suggest>),
    /// Migrate many repositories: plan, run, see, publish
    ///
    /// A campaign is a folder: `plan` reads a list of repositories and finds a commit for each, `run`
    /// migrates them in work trees of its own, and goes on where it was when it was killed. A path
    /// of this name is written `./migrate`.
    ///
    /// Exit status: 0 all is done; 1 some failed in a way that may go well another time, or is
    /// not done yet; 3 some failed for good, and nothing else is open; 2 wrong usage or
    /// configuration, or an internal error; 130 it was interrupted.
    Migrate(Box<Migrate>),
    /// Speak the Language Server Protocol, for editors: findings and fixes while you type
    ///
    /// It is started by an editor, which talks to it on standard input and output. Configuration
    /// holds as in a run, for each folder its own, and is read again when its file changes. What is
    /// set here counts more. It ends with status 0 when the editor says so, else with 1. A path of
    /// this name is written `./server`.
    Server(Box<Run>),
}

/// How the codemods are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Text,
    /// One JSON array
    Json,
}

/// The names of the subcommands, to tell a slip from a path.
pub const SUBCOMMANDS: [&str; 8] = [
    "explain",
    "list",
    "completions",
    "man",
    "migrate",
    "report",
    "suggest",
    "server",
];

/// The arguments of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// Write the page to this file; `-` is standard output
    ///
    /// The file is replaced at once, when the page is whole.
    #[arg(long, value_name = "OUT", required = true, help_heading = OUTPUT)]
    pub html: PathBuf,

    #[command(flatten)]
    pub run: Run,
}

/// The arguments of a run that say what a page does not leave open.
const NOT_OF_A_REPORT: [&str; 12] = [
    "outcome",
    "within",
    "diff",
    "fix",
    "verify",
    "verify_timeout",
    "verify_runs",
    "add_ignores",
    "show_withheld",
    "output_format",
    "output_file",
    "color",
];

/// The arguments of `suggest`.
#[derive(Debug, Args)]
pub struct Suggest {
    /// The git revision that the pull request is to be merged into
    ///
    /// [default: what the event of the CI says]
    #[arg(long, value_name = "REV", help_heading = PROPOSE)]
    pub base: Option<String>,

    /// What counts: findings on added lines, or on more
    #[arg(long, value_name = "WHICH", default_value = "added", help_heading = PROPOSE)]
    pub filter: Scope,

    /// So many suggestions at most; the rest goes to the summary
    #[arg(long, value_name = "N", default_value = "30", help_heading = PROPOSE)]
    pub max_comments: usize,

    /// The service [default: that whose CI this is]
    #[arg(long, value_name = "SERVICE", help_heading = PROPOSE)]
    pub provider: Option<Provider>,

    /// Print the requests as JSON, and open no connection
    ///
    /// They are those that a pull request would get on which nothing is said yet. Outside of a CI,
    /// `{owner}/{repo}` and the like stand for what is not known.
    #[arg(long, help_heading = PROPOSE)]
    pub dry_run: bool,

    #[command(flatten)]
    pub run: Run,
}

/// Which findings are proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Those on lines that the pull request adds or changes
    Added,
    /// And those on the lines that its diff shows around them
    Context,
    /// Those in files that it changes
    File,
    /// All
    All,
}

/// A service for pull requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Provider {
    /// GitHub
    Github,
    /// GitLab
    Gitlab,
}

/// The arguments of a run that say what a proposal does not leave open.
const NOT_OF_A_PROPOSAL: [&str; 20] = [
    "outcome",
    "within",
    "diff",
    "fix",
    "verify",
    "verify_timeout",
    "verify_runs",
    "review",
    "review_from_start",
    "add_ignores",
    "stdin_filename",
    "since",
    "update_baseline",
    "show_withheld",
    "output_format",
    "output_file",
    "statistics",
    "show_files",
    "show_settings",
    "color",
];

/// The arguments of a run that are of no use to a server: it is told which files, prints nothing,
/// and writes nothing.
const NOT_OF_A_SERVER: [&str; 25] = [
    "outcome",
    "within",
    "paths",
    "diff",
    "fix",
    "verify",
    "verify_timeout",
    "verify_runs",
    "review",
    "review_from_start",
    "add_ignores",
    "stdin_filename",
    "project",
    "force_exclude",
    "since",
    "update_baseline",
    "output_format",
    "statistics",
    "show_files",
    "show_settings",
    "output_file",
    "exit_zero",
    "color",
    "quiet",
    "verbose",
];

/// The arguments of a run.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Run {
    /// Files and directories, or `-` for standard input [default: the current directory]
    ///
    /// In directories, `.py`, `.pyw` and `.ipynb` files are taken that no .gitignore, .ignore or `exclude`
    /// leaves out; hidden ones are not. A file that is named here is always taken, unless
    /// --force-exclude is set. With `-`, --fix prints the text to standard output, fixed or as it
    /// was, and findings to standard error. `@FILE` stands for the arguments in a file, one a line.
    #[arg(value_name = "PATHS")]
    pub paths: Vec<PathBuf>,

    /// Print what --fix would change, as a patch; write nothing, even with --fix
    ///
    /// The patch applies with `git apply` or `patch -p1` in the current directory. Where a changed
    /// file lies outside of it, all files are named from the root of the file system instead, and
    /// the patch applies with `patch -d / -p1`.
    #[arg(long, help_heading = MODE)]
    pub diff: bool,

    /// Write the fixes to the files, then report what remains
    ///
    /// A file is replaced at once, and only if nothing else changed it meanwhile. Generated files
    /// are left alone.
    #[arg(long, help_heading = MODE)]
    pub fix: bool,

    /// Keep only the fixes with which this command passes, as --verify 'python -m pytest -q'
    ///
    /// The shell runs it in the current directory: before the fixes, with them, and where it fails
    /// then with some of them, until those are known that break it. These are taken back and
    /// reported as withheld. Failures from before count only where the output names the tests, as
    /// pytest and unittest do. Ctrl-C puts back what passed last.
    #[arg(long, value_name = "COMMAND", requires = "fix", help_heading = MODE,
          conflicts_with_all = ["diff", "review", "review_from_start", "add_ignores",
                                "update_baseline"])]
    pub verify: Option<String>,

    /// Seconds that a run of the --verify command may take; longer counts as failing
    ///
    /// [default: ten times what it takes before the fixes, and at least 60]
    #[arg(long, value_name = "SECONDS", requires = "verify", help_heading = MODE,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub verify_timeout: Option<u64>,

    /// Run the --verify command so often at most
    ///
    /// Of what is not known then, all is taken back.
    #[arg(long, value_name = "N", requires = "verify", default_value = "40", help_heading = MODE,
          value_parser = runs)]
    pub verify_runs: usize,

    /// Show one fix after the other, and write those that you accept
    ///
    /// A single key answers: y applies the fix, n refuses it, a and d do so for all of its codemod,
    /// e edits it first, s silences it by a comment, u undoes, q ends, ? explains. The same command
    /// goes on where a review ended: what was refused is not asked again.
    #[arg(long, conflicts_with_all = NO_REVIEW, help_heading = MODE)]
    pub review: bool,

    /// Review, and ask again about what was refused in earlier reviews
    #[arg(long, conflicts_with_all = NO_REVIEW, help_heading = MODE)]
    pub review_from_start: bool,

    /// Write a comment `# asyncfix: ignore[NAME]` at each finding, with the reason after it
    ///
    /// With --fix, fixes are written first, and what remains is silenced. With --diff, what would
    /// be written is printed.
    #[arg(long, value_name = "REASON", num_args = 0..=1, require_equals = true,
          default_missing_value = "", help_heading = MODE)]
    pub add_ignores: Option<String>,

    /// The name of the file that comes on standard input
    ///
    /// It need not exist. It decides which configuration holds, and what the text can import.
    #[arg(long, value_name = "PATH", help_heading = FILES)]
    pub stdin_filename: Option<PathBuf>,

    /// Leave out what `exclude` and `extend-exclude` leave out even where it is named
    ///
    /// As pre-commit and editors name files. Text on standard input passes unchanged. It is a key
    /// of the configuration too.
    #[arg(long, help_heading = FILES)]
    pub force_exclude: bool,

    /// The folder of the project that the named files are part of
    ///
    /// Its other files are neither reported nor changed, but who calls a rewritten function and who
    /// uses an import that goes is looked for in them too: a fix is what it would be in a run over
    /// all of them. As pre-commit and editors name files.
    #[arg(long, value_name = "PATH", help_heading = FILES)]
    pub project: Option<PathBuf>,

    /// Only what is on lines that changed since this git revision
    ///
    /// Those count that are not committed, and each line of a file that git does not track. With
    /// another branch (`--since main`), what changed since the two branches parted. Of a notebook
    /// all counts, if any of it changed. Files without a changed line are not read.
    #[arg(long, value_name = "REV", help_heading = FILES)]
    pub since: Option<String>,

    /// Pass over the findings that this file lists
    ///
    /// They are neither reported nor fixed. A finding is known by its file, its codemod and the
    /// text of its line, so that it may move. [default: `baseline` of the configuration]
    #[arg(long, value_name = "FILE", help_heading = BASELINE)]
    pub baseline: Option<PathBuf>,

    /// Write what is found to the baseline, and take out what is fixed
    ///
    /// With --fix, fixes are written first, and what remains becomes known. Entries stay of files
    /// and codemods that this run does not look at.
    #[arg(long, conflicts_with_all = ["diff", "since", "no_baseline"], help_heading = BASELINE)]
    pub update_baseline: bool,

    /// Report what the baseline of the configuration lists, too
    #[arg(long, conflicts_with = "baseline", help_heading = BASELINE)]
    pub no_baseline: bool,

    /// Run these codemods, and no others; `modernise` and `all` name groups
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = named,
          help_heading = SELECTION)]
    pub select: Vec<Named>,

    /// Run these codemods too
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = named,
          help_heading = SELECTION)]
    pub extend_select: Vec<Named>,

    /// Leave these codemods out
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = named,
          help_heading = SELECTION)]
    pub ignore: Vec<Named>,

    /// Run what replaces deprecated, removed and superseded parts of asyncio, and no others
    ///
    /// With --target-version py314 it is what makes an old code base ready for Python 3.14.
    /// `asyncfix list` marks these codemods, with the version that removes what they replace: from
    /// there on a finding is an error.
    #[arg(long, visible_alias = "modernize", help_heading = SELECTION)]
    pub modernise: bool,

    /// Run every codemod
    #[arg(long, help_heading = SELECTION)]
    pub all: bool,

    /// The codemods that were named by a flag of their own or of their group, in the order of the
    /// list.
    #[arg(skip)]
    pub named: Vec<&'static Codemod>,

    /// Apply safe fixes only
    #[arg(long, conflicts_with = "unsafe_fixes", help_heading = FIXES)]
    pub safe_only: bool,

    /// Apply unsafe fixes too
    #[arg(long, help_heading = FIXES)]
    pub unsafe_fixes: bool,

    /// The lowest Python version that the code has to run on: `py311` or `3.11`
    ///
    /// [default: `target-version` of the configuration, else the lowest version that
    /// `requires-python` in the closest pyproject.toml allows, else 3.11]
    #[arg(long, value_name = "VERSION", value_parser = target::parse_version,
          help_heading = FIXES)]
    pub target_version: Option<PythonVersion>,

    /// The environment that the project's packages are installed in: its folder or its interpreter
    ///
    /// Types of what is imported come from there. [default: `python` of the configuration, else
    /// `VIRTUAL_ENV`, else an activated conda environment, else the closest .venv, which comes first in
    /// a hook of pre-commit]
    #[arg(long, value_name = "PATH", help_heading = TYPES)]
    pub python: Option<PathBuf>,

    /// Decide by what each module shows, without inferring types across modules
    ///
    /// It is faster, and withholds more.
    #[arg(long, help_heading = TYPES)]
    pub no_types: bool,

    /// A configuration file, or one setting as in it; repeatable
    ///
    /// With a file, no other is looked for. A setting is TOML and counts more than any file:
    /// --config 'gather-to-taskgroup.exceptions="unwrap"'. [default: for each file, the closest
    /// .asyncfix.toml, asyncfix.toml, or pyproject.toml with a table [tool.asyncfix]]
    #[arg(long, value_name = "PATH|KEY=VALUE", help_heading = CONFIGURATION)]
    pub config: Vec<String>,

    /// Look at no configuration file and no pyproject.toml, but at --config
    #[arg(long, help_heading = CONFIGURATION)]
    pub isolated: bool,

    /// List withheld findings too, with their reasons
    ///
    /// Formats for programs always have them. With --diff they are listed on standard error.
    #[arg(long, help_heading = OUTPUT)]
    pub show_withheld: bool,

    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "full", help_heading = OUTPUT)]
    pub output_format: OutputFormat,

    /// Print how much was found, what can be fixed, and why the rest is withheld
    ///
    /// Reasons that differ only in names count as one. With --fix, what was fixed and what remains.
    /// With --output-format json it is one JSON object.
    #[arg(long, help_heading = OUTPUT)]
    pub statistics: bool,

    /// Print the files that would be looked at, and do nothing else
    #[arg(long, conflicts_with = "show_settings", help_heading = CONFIGURATION)]
    pub show_files: bool,

    /// Print what holds for each path and where it was set, and do nothing else
    #[arg(long, help_heading = CONFIGURATION)]
    pub show_settings: bool,

    /// Write findings or the patch to this file instead of standard output
    #[arg(long, value_name = "PATH", help_heading = OUTPUT)]
    pub output_file: Option<PathBuf>,

    /// Write what the run came to, as JSON, for `asyncfix migrate`
    #[arg(long, value_name = "FILE", requires = "fix", hide = true)]
    pub outcome: Option<PathBuf>,

    /// Ask nothing outside of this folder what holds below it: no configuration, no project file, no
    /// list of patterns, no environment, for `asyncfix migrate`
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub within: Option<PathBuf>,

    /// Exit with 0 where it would be 1
    #[arg(long, help_heading = OUTPUT)]
    pub exit_zero: bool,

    /// Use colour; `auto` looks at `NO_COLOR`, `FORCE_COLOR` and the terminal
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = OUTPUT)]
    pub color: Color,

    /// Leave the summary and warnings out; twice: errors too
    #[arg(short, long, action = ArgAction::Count, help_heading = OUTPUT)]
    pub quiet: u8,

    /// Say which files were skipped and why; twice: also what holds for each
    /// file that has findings
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet",
          help_heading = OUTPUT)]
    pub verbose: u8,

    /// Use so many threads [default: one for each core]
    #[arg(short = 'j', long = "jobs", value_name = "N", help_heading = OUTPUT)]
    pub jobs: Option<NonZeroUsize>,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// With the source and a caret
    Full,
    /// One line each
    Concise,
    /// One line each, below the name of their file
    Grouped,
    /// One JSON array
    Json,
    /// One JSON object a line
    JsonLines,
    /// Annotations of GitHub's checks
    Github,
    /// A code quality report of GitLab
    Gitlab,
    /// SARIF 2.1.0, with fixes, for GitHub's code scanning, editors and others
    Sarif,
    /// Diagnostics of reviewdog, with suggestions
    Rdjson,
    /// The same diagnostics, one a line
    Rdjsonl,
    /// JUnit's XML, where each finding is a test that failed
    Junit,
}

impl OutputFormat {
    /// Whether it is for programs, which are told of withheld findings and of files that could
    /// not be analysed in any case.
    pub fn is_for_programs(self) -> bool {
        !matches!(
            self,
            OutputFormat::Full | OutputFormat::Concise | OutputFormat::Grouped
        )
    }

    /// Whether it shows what becomes of whole files.
    pub fn has_rewrites(self) -> bool {
        matches!(
            self,
            OutputFormat::Sarif | OutputFormat::Rdjson | OutputFormat::Rdjsonl
        )
    }
}

/// When colour is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// In a terminal
    Auto,
    /// Also in files and pipes
    Always,
    /// Not at all
    Never,
}

impl Arguments {
    /// Reads the arguments; the error also stands for `--help` and `--version`.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = command();
        let matches = command.try_get_matches_from_mut(arguments)?;
        let mut parsed =
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        if let Some((name, matches)) = matches.subcommand() {
            refuse_useless(name, matches, &mut command)?;
        }
        let (run, matches) = match (&mut parsed.command, matches.subcommand()) {
            (Some(Command::Report(report)), Some((_, matches))) => (&mut report.run, matches),
            (Some(Command::Suggest(suggest)), Some((_, matches))) => (&mut suggest.run, matches),
            (Some(Command::Server(run)), Some((_, matches))) => (&mut **run, matches),
            _ => (&mut parsed.run, &matches),
        };
        run.named = codemods::ALL
            .iter()
            .copied()
            .filter(|codemod| {
                matches.get_flag(codemod.name) || run.modernise && codemod.dated.is_some()
            })
            .collect();
        Ok(parsed)
    }
}

impl Run {
    /// How many threads are to work.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.jobs.map_or_else(cores, NonZeroUsize::get)
    }
}

/// Refuses what a subcommand has no use for of the arguments of a run.
fn refuse_useless(
    subcommand: &str,
    matches: &ArgMatches,
    command: &mut clap::Command,
) -> Result<(), clap::Error> {
    let useless: &[&str] = match subcommand {
        "suggest" => &NOT_OF_A_PROPOSAL,
        "server" => &NOT_OF_A_SERVER,
        _ => &[],
    };
    let is_typed = |name: &&&str| matches.value_source(name) == Some(ValueSource::CommandLine);
    let Some(name) = useless.iter().find(is_typed) else {
        return Ok(());
    };
    let argument = match *name {
        "paths" => "[PATHS]...".to_string(),
        name => format!("--{}", name.replace('_', "-")),
    };
    let message = format!("the argument '{argument}' cannot be used with '{subcommand}'");
    Err(command.error(ErrorKind::ArgumentConflict, message))
}

/// The derived command, with a flag for each codemod.
pub fn command() -> clap::Command {
    let flags = || {
        codemods::ALL.iter().map(|codemod| {
            Arg::new(codemod.name)
                .long(codemod.name)
                .action(ArgAction::SetTrue)
                .help_heading(CODEMODS)
                .help(codemod.title())
        })
    };
    Arguments::command()
        .args(flags())
        .mut_subcommand("report", |report| {
            report.args(flags()).mut_args(|argument| {
                if NOT_OF_A_REPORT.contains(&argument.get_id().as_str()) {
                    argument.hide(true).conflicts_with("html")
                } else {
                    argument
                }
            })
        })
        .mut_subcommand("suggest", |suggest| {
            without(suggest.args(flags()), &NOT_OF_A_PROPOSAL)
        })
        .mut_subcommand("server", |server| {
            // Many clients say so to every server; there is no other way here.
            let stdio = Arg::new("stdio").long("stdio").hide(true);
            let stdio = stdio.action(ArgAction::SetTrue);
            without(server.args(flags()), &NOT_OF_A_SERVER).arg(stdio)
        })
}

/// The subcommand without arguments that are of no use to it.
fn without(subcommand: clap::Command, useless: &[&str]) -> clap::Command {
    subcommand.mut_args(|argument| {
        if useless.contains(&argument.get_id().as_str()) {
            argument.hide(true)
        } else {
            argument
        }
    })
}

/// The codemods that one name stands for.
#[derive(Clone, Debug)]
pub struct Named(pub Vec<&'static Codemod>);

/// The name of the group of codemods that replace what is dated, in both ways of writing it.
pub const MODERNISE: [&str; 2] = ["modernise", "modernize"];

/// The names that stand for several codemods.
pub const GROUPS: [&str; 3] = [MODERNISE[0], MODERNISE[1], ALL];

const ALL: &str = "all";

/// The codemods that replace what is dated.
pub fn modernising() -> impl Iterator<Item = &'static Codemod> {
    let all = codemods::ALL.iter().copied();
    all.filter(|codemod| codemod.dated.is_some())
}

/// A number of runs, for clap: one before the fixes, and one with them.
fn runs(number: &str) -> Result<usize, String> {
    match number.parse() {
        Ok(number) if number >= 2 => Ok(number),
        Ok(_) => Err("there have to be two: before the fixes, and with them".to_string()),
        Err(_) => Err("it is no number".to_string()),
    }
}

/// The codemods that a name stands for, for clap.
fn named(name: &str) -> Result<Named, String> {
    find(name).map(Named)
}

/// The codemod of that name, or those of a group; the error names the nearest.
pub fn find(name: &str) -> Result<Vec<&'static Codemod>, String> {
    if MODERNISE.contains(&name) {
        return Ok(modernising().collect());
    }
    if name == ALL {
        return Ok(codemods::ALL.to_vec());
    }
    let codemod = codemods::find(name).map(|codemod| vec![codemod]);
    codemod.ok_or_else(|| unknown(name, &GROUPS))
}

/// The codemod of that name, for clap.
fn codemod(name: &str) -> Result<&'static Codemod, String> {
    codemods::find(name).ok_or_else(|| unknown(name, &[]))
}

/// What is wrong with a name; `groups` are known beside the codemods.
pub fn unknown(name: &str, groups: &[&'static str]) -> String {
    let names = codemods::ALL.iter().map(|codemod| codemod.name);
    let hint = nearest::did_you_mean(name, names.chain(groups.iter().copied()));
    let hint = if hint.is_empty() {
        "; `asyncfix list` names them all".to_string()
    } else {
        hint
    };
    format!("no codemod is named `{name}`{hint}")
}

/// What a review has no use for.
const NO_REVIEW: [&str; 7] = [
    "diff",
    "fix",
    "add_ignores",
    "output_format",
    "output_file",
    "update_baseline",
    "statistics",
];

const PROPOSE: &str = "What to propose";
const MODE: &str = "What to do";
const FILES: &str = "Which files";
const BASELINE: &str = "Which findings";
const SELECTION: &str = "Which codemods [default: those that `asyncfix list` marks]";
const CODEMODS: &str = "Run this codemod, and no others that are not named";
const FIXES: &str = "Which fixes";
const TYPES: &str = "Types";
const CONFIGURATION: &str = "Configuration";
const OUTPUT: &str = "Output";

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

#[cfg(test)]
mod tests {
    use super::{GROUPS, SUBCOMMANDS, command};

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn no_group_has_a_codemods_name() {
        for name in GROUPS {
            assert!(codemods::find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn every_subcommand_is_in_the_list() {
        let names: Vec<String> = command()
            .get_subcommands()
            .map(|subcommand| subcommand.get_name().to_string())
            .collect();
        assert_eq!(names, SUBCOMMANDS);
    }
}
