//! The command line as it is meant: arguments and configuration put together, and checked.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;
use engine::{Codemod, Silence, Target};

use crate::arguments::{
    Color, GROUPS, Named, OutputFormat, Provider, Report, Run, SUBCOMMANDS, Scope, Suggest,
};
use crate::config::{self, Argument, Baseline, Layer};
use crate::folder::{Folders, Search};
use crate::{nearest, settings, stdin};

/// What a run is to do.
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Plan {
    pub mode: Mode,
    pub input: Input,
    /// What has to pass with the fixes.
    pub verify: Option<Verify>,
    /// Whether a review asks again about what was refused in earlier ones.
    pub from_start: bool,
    pub folders: Folders,
    /// The folder whose files are known beside those that are looked at.
    pub project: Option<PathBuf>,
    /// The git revision since which a line has to have changed to count.
    pub since: Option<String>,
    /// The baseline that the command line names.
    pub baseline: Option<PathBuf>,
    /// Whether baselines are to be written.
    pub update_baseline: bool,
    /// How many threads work.
    pub threads: usize,
    pub format: OutputFormat,
    /// Whether findings are counted instead of listed.
    pub statistics: bool,
    /// What is shown in place of doing anything.
    pub show: Option<Show>,
    /// Where findings and patches go, if not to standard output.
    pub output: Option<PathBuf>,
    /// Where is written what it came to, for the program that started it.
    pub outcome: Option<PathBuf>,
    /// Where the page goes that is to be written instead of findings; `-` is standard output.
    pub page: Option<PathBuf>,
    /// How what is found is to be proposed on a pull request, instead of printing it.
    pub proposal: Option<Proposal>,
    pub verbosity: Verbosity,
    /// Whether findings leave the exit status at 0.
    pub exit_zero: bool,
    /// Whether findings and patches are coloured.
    pub color: bool,
}

/// How rewrites are proposed on a pull request.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The revision that it is to be merged into, if it was typed.
    pub base: Option<String>,
    pub scope: Scope,
    /// So many at most.
    pub comments: usize,
    /// The service, if it was typed.
    pub provider: Option<Provider>,
    /// Whether the requests are printed, and not sent.
    pub dry_run: bool,
}

/// A command that has to pass with the fixes.
#[derive(Clone, Debug)]
pub struct Verify {
    /// A line for the shell.
    pub command: String,
    /// How long each run may take; by default that depends on the first.
    pub timeout: Option<Duration>,
    /// How many runs there may be.
    pub runs: usize,
}

/// Where the texts of a run come from.
pub enum Input {
    /// From these files, and those in these folders.
    Paths(Vec<PathBuf>),
    /// From standard input: one text, of that name.
    Stdin(Option<PathBuf>),
}

/// What a run shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// The files that it would look at.
    Files,
    /// What holds for its paths.
    Settings,
}

/// What becomes of the fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are reported.
    Report,
    /// They are printed as a patch.
    Diff,
    /// They are written.
    Fix,
    /// They are shown to a person, one by one, who decides.
    Review,
}

/// What is said on standard error, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Nothing but what stops the run.
    Silent,
    /// Errors.
    Quiet,
    /// And warnings and the summary.
    Normal,
    /// And which files were skipped.
    Verbose,
    /// And what holds for each file.
    Debug,
}

impl Plan {
    /// The plan of `arguments`. The error is one of usage or configuration.
    pub fn new(arguments: Run) -> Result<Self> {
        let is_review = arguments.review || arguments.review_from_start;
        if is_review && !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
            bail!(
                "--review asks in a terminal, and standard input or output is none: use --diff to \
                 see the fixes, and --fix to write them"
            );
        }
        let mode = match (arguments.diff, arguments.fix) {
            _ if is_review => Mode::Review,
            (true, _) => Mode::Diff,
            (false, true) => Mode::Fix,
            (false, false) if arguments.add_ignores.is_some() => Mode::Fix,
            (false, false) => Mode::Report,
        };
        if mode == Mode::Diff && arguments.output_format.is_for_programs() {
            let format = arguments.output_format.to_possible_value();
            bail!(
                "--diff prints a patch, and --output-format {} findings: use one of them",
                format.as_ref().map_or("", |value| value.get_name())
            );
        }
        if arguments.statistics {
            refuse_with_statistics(mode, arguments.output_format)?;
        }
        let input = input(&arguments)?;
        if is_review && matches!(input, Input::Stdin(_)) {
            bail!(
                "--review takes its keys from standard input, and cannot review what comes there"
            );
        }
        let to_stderr = mode == Mode::Fix && matches!(input, Input::Stdin(_));
        let verbosity = match (arguments.quiet, arguments.verbose) {
            (0, 0) => Verbosity::Normal,
            (0, 1) => Verbosity::Verbose,
            (0, _) => Verbosity::Debug,
            (1, _) => Verbosity::Quiet,
            _ => Verbosity::Silent,
        };
        Ok(Self {
            mode,
            input,
            verify: verify(&arguments)?,
            from_start: arguments.review_from_start,
            project: arguments.project.clone(),
            since: arguments.since.clone(),
            baseline: named_baseline(&arguments),
            update_baseline: arguments.update_baseline,
            threads: arguments.threads(),
            format: arguments.output_format,
            statistics: arguments.statistics,
            show: match (arguments.show_files, arguments.show_settings) {
                (true, _) => Some(Show::Files),
                (false, true) => Some(Show::Settings),
                (false, false) => None,
            },
            verbosity,
            exit_zero: arguments.exit_zero,
            color: match &arguments.output_file {
                Some(_) => arguments.color == Color::Always,
                None if to_stderr => colored(arguments.color, &std::io::stderr()),
                None => colored(arguments.color, &std::io::stdout()),
            },
            output: arguments.output_file.clone(),
            outcome: arguments.outcome.clone(),
            page: None,
            proposal: None,
            folders: folders(arguments)?,
        })
    }

    /// The plan of a run that ends in a page.
    pub fn of_report(arguments: Report) -> Result<Self> {
        check_page(&arguments.html)?;
        Ok(Self {
            page: Some(arguments.html),
            ..Self::new(arguments.run)?
        })
    }

    /// The plan of a run that ends in proposals.
    pub fn of_suggest(arguments: Suggest) -> Result<Self> {
        let plan = Self::new(arguments.run)?;
        if matches!(plan.input, Input::Stdin(_)) {
            bail!(
                "`suggest` is about the files of a pull request, and `-` is standard input: name \
                 files or folders"
            );
        }
        Ok(Self {
            proposal: Some(Proposal {
                base: arguments.base,
                scope: arguments.filter,
                comments: arguments.max_comments,
                provider: arguments.provider,
                dry_run: arguments.dry_run,
            }),
            ..plan
        })
    }

    /// Whether rewritten files are written or shown. A report shows what is found.
    pub fn has_rewrites(&self) -> bool {
        self.mode != Mode::Report || self.format.has_rewrites() || self.proposal.is_some()
    }

    /// Whether what is printed or written lists the withheld findings in any case.
    pub fn lists_withheld(&self) -> bool {
        self.page.is_some() || self.format.is_for_programs()
    }

    /// Whether somebody reads the summary: what it says of files need not be found out of each.
    pub fn has_summary(&self) -> bool {
        self.verbosity >= Verbosity::Normal && self.page.is_none() && !self.format.is_for_programs()
    }
}

/// What can be known to fail before a run that takes minutes.
fn check_page(path: &Path) -> Result<()> {
    let shown = path.display();
    if path
        .extension()
        .is_some_and(|it| it == "py" || it == "pyw" || it == "ipynb")
    {
        bail!(
            "--html takes the page to write, and `{shown}` is a Python file: name the page first, \
             as in `--html report.html {shown}`"
        );
    }
    if path.is_dir() {
        bail!("--html takes the page to write, and `{shown}` is a directory: name a file in it");
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|it| !it.is_dir()) {
        let folder = folder.display();
        bail!("--html: `{shown}` cannot be written: there is no directory `{folder}`: make it");
    }
    Ok(())
}

/// What `--verify` and what belongs to it say.
fn verify(arguments: &Run) -> Result<Option<Verify>> {
    let Some(command) = &arguments.verify else {
        return Ok(None);
    };
    if command.trim().is_empty() {
        bail!(
            "--verify takes the command that runs the tests, as in --verify 'python -m pytest -q'"
        );
    }
    Ok(Some(Verify {
        command: command.clone(),
        timeout: arguments.verify_timeout.map(Duration::from_secs),
        runs: arguments.verify_runs,
    }))
}

/// What the paths and `--stdin-filename` say.
fn input(arguments: &Run) -> Result<Input> {
    let is_dash = |path: &PathBuf| path.as_os_str() == stdin::DASH;
    if !arguments.paths.iter().any(is_dash) {
        if let Some(name) = &arguments.stdin_filename {
            bail!(
                "--stdin-filename names what comes on standard input, which is not read: write `-` \
                 for it, as in `asyncfix --stdin-filename {} -`",
                name.display()
            );
        }
        return paths(arguments).map(Input::Paths);
    }
    let options = [
        (arguments.update_baseline, "--update-baseline"),
        (arguments.since.is_some(), "--since"),
        (arguments.verify.is_some(), "--verify"),
    ];
    if let Some((_, option)) = options.into_iter().find(|(is_given, _)| *is_given) {
        bail!("{option} is about files, and `-` is standard input: name the file instead");
    }
    if arguments.paths.len() > 1 {
        bail!(
            "`-` is standard input, and goes with no other path; a file of that name is written `./-`"
        );
    }
    match &arguments.stdin_filename {
        Some(name) if name.is_dir() => bail!(
            "--stdin-filename {}: is a directory, and has to be the name of a file",
            name.display()
        ),
        name => Ok(Input::Stdin(name.clone())),
    }
}

/// A table is no patch, and only one of the formats for programs has a form for it.
fn refuse_with_statistics(mode: Mode, format: OutputFormat) -> Result<()> {
    if mode == Mode::Diff {
        bail!("--diff prints a patch, and --statistics a table: use one of them");
    }
    if format.is_for_programs() && format != OutputFormat::Json {
        let format = format.to_possible_value();
        bail!(
            "--statistics prints a table, or with --output-format json an object, and has no form \
             for {}",
            format.as_ref().map_or("", |value| value.get_name())
        );
    }
    Ok(())
}

/// The paths that were typed, unless the first is the slip of another word.
fn paths(arguments: &Run) -> Result<Vec<PathBuf>> {
    let Some(first) = arguments.paths.first() else {
        return Ok(vec![PathBuf::from(".")]);
    };
    let word = first.to_str().unwrap_or_default();
    if !first.exists() && !word.contains(['/', '\\', '.']) {
        if codemods::find(word).is_some() {
            bail!(
                "there is no file or directory `{word}`; to run the codemod, write `--{word}`, to \
                 read about it, `asyncfix explain {word}`"
            );
        }
        if GROUPS.contains(&word) {
            bail!(
                "there is no file or directory `{word}`; to run those codemods, write `--{word}`"
            );
        }
        if let Some(subcommand) = nearest::nearest(word, SUBCOMMANDS) {
            bail!(
                "there is no file or directory `{word}`; did you mean the subcommand `{subcommand}`?"
            );
        }
    }
    Ok(arguments.paths.clone())
}

/// The file of `--baseline`.
fn named_baseline(arguments: &Run) -> Option<PathBuf> {
    let path = arguments.baseline.as_deref()?;
    Some(config::file_at(path, Path::new("")))
}

/// What holds for the files, by the arguments and the configuration as it is now.
pub fn folders(arguments: Run) -> Result<Folders> {
    let mut files: Option<Layer> = None;
    let mut set = Layer::default();
    for argument in &arguments.config {
        match config::read_argument(argument)? {
            Argument::File(layer) => {
                files = Some(match &files {
                    Some(before) => layer.over(before),
                    None => layer,
                });
            }
            Argument::Setting(layer) => set = layer.over(&set),
        }
    }
    let search = if arguments.isolated {
        Search::Nothing
    } else if files.is_some() {
        Search::Project
    } else {
        Search::All
    };
    let baseline = match named_baseline(&arguments) {
        Some(path) => Some(Baseline::File(path)),
        None => arguments.no_baseline.then_some(Baseline::None),
    };
    let flat = |names: Vec<Named>| names.into_iter().flat_map(|Named(it)| it).collect();
    let select: Vec<&'static Codemod> = flat(arguments.select);
    let ignore: Vec<&'static Codemod> = flat(arguments.ignore);
    let named = [arguments.named, select].concat();
    let selected = arguments.all || !named.is_empty();
    let select = if arguments.all {
        Some(codemods::ALL.to_vec())
    } else {
        (!named.is_empty()).then_some(named)
    };
    let mut flags = Layer {
        select,
        extend_select: flat(arguments.extend_select),
        ignore: (!ignore.is_empty()).then_some(ignore),
        target: arguments.target_version.map(|version| Target {
            version,
            origin: "`--target-version`".to_string(),
        }),
        safe_only: arguments.safe_only.then_some(true),
        unsafe_fixes: arguments.unsafe_fixes.then_some(true),
        show_withheld: arguments.show_withheld.then_some(true),
        silence: arguments.add_ignores.map(|reason| Silence {
            reason,
            after_fixes: arguments.fix,
        }),
        force_exclude: arguments.force_exclude.then_some(true),
        baseline,
        types: arguments.no_types.then_some(false),
        python: arguments
            .python
            .map(|path| std::path::absolute(&path).unwrap_or(path)),
        ..Layer::default()
    };
    let is_set = |key: &&str| settings::value(&flags, key).is_some();
    let place = |key: &str| (key.to_string(), "the command line".to_string());
    flags.origins = config::KEYS.into_iter().filter(is_set).map(place).collect();
    let top = arguments.within.map(fs_err::canonicalize).transpose()?;
    Ok(Folders::new(flags, selected, files, set, search, top))
}

/// Whether to colour what goes to `stream`. `NO_COLOR` counts more than `FORCE_COLOR`, as in
/// CPython.
pub fn colored(color: Color, stream: &impl IsTerminal) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto if set("FORCE_COLOR") => true,
        Color::Auto => {
            stream.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}
