//! The command line as it is meant: arguments and configuration put together, and checked.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;
use engine::{Codemod, Silence, Target};

use crate::arguments::{Color, MODERNISE, Named, OutputFormat, Run, SUBCOMMANDS};
use crate::config::{self, Argument, Baseline, Layer};
use crate::folder::{Folders, Search};
use crate::{stdin, suggest};

/// What a run is to do.
pub struct Plan {
    pub mode: Mode,
    pub input: Input,
    pub folders: Folders,
    /// The git revision since which a line has to have changed to count.
    pub since: Option<String>,
    /// The baseline that the command line names.
    pub baseline: Option<PathBuf>,
    /// Whether baselines are to be written.
    pub update_baseline: bool,
    /// How many threads work.
    pub threads: usize,
    pub format: OutputFormat,
    /// Where findings and patches go, if not to standard output.
    pub output: Option<PathBuf>,
    pub verbosity: Verbosity,
    /// Whether findings leave the exit status at 0.
    pub exit_zero: bool,
    /// Whether findings and patches are coloured.
    pub color: bool,
}

/// Where the texts of a run come from.
pub enum Input {
    /// From these files, and those in these folders.
    Paths(Vec<PathBuf>),
    /// From standard input: one text, of that name.
    Stdin(Option<PathBuf>),
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
        let mode = match (arguments.diff, arguments.fix) {
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
        let input = input(&arguments)?;
        let to_stderr = mode == Mode::Fix && matches!(input, Input::Stdin(_));
        let verbosity = match (arguments.quiet, arguments.verbose) {
            (0, 0) => Verbosity::Normal,
            (0, 1) => Verbosity::Verbose,
            (0, _) => Verbosity::Debug,
            (1, _) => Verbosity::Quiet,
            _ => Verbosity::Silent,
        };
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ok(Self {
            mode,
            input,
            since: arguments.since.clone(),
            baseline: named_baseline(&arguments),
            update_baseline: arguments.update_baseline,
            threads: arguments.jobs.map_or_else(cores, NonZeroUsize::get),
            format: arguments.output_format,
            verbosity,
            exit_zero: arguments.exit_zero,
            color: match &arguments.output_file {
                Some(_) => arguments.color == Color::Always,
                None if to_stderr => colored(arguments.color, &std::io::stderr()),
                None => colored(arguments.color, &std::io::stdout()),
            },
            output: arguments.output_file.clone(),
            folders: folders(arguments)?,
        })
    }
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
    if arguments.since.is_some() || arguments.update_baseline {
        let option = if arguments.update_baseline {
            "--update-baseline"
        } else {
            "--since"
        };
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
        if MODERNISE.contains(&word) {
            bail!(
                "there is no file or directory `{word}`; to run those codemods, write `--{word}`"
            );
        }
        if let Some(subcommand) = suggest::nearest(word, SUBCOMMANDS) {
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

fn folders(arguments: Run) -> Result<Folders> {
    let mut files: Option<Layer> = None;
    let mut settings = Layer::default();
    for argument in &arguments.config {
        match config::read_argument(argument)? {
            Argument::File(layer) => {
                files = Some(match &files {
                    Some(before) => layer.over(before),
                    None => layer,
                });
            }
            Argument::Setting(layer) => settings = layer.over(&settings),
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
    let flags = Layer {
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
    Ok(Folders::new(flags, selected, files, settings, search))
}

/// Whether to colour what goes to `stream`. `NO_COLOR` counts more than `FORCE_COLOR`, as in
/// CPython.
fn colored(color: Color, stream: &impl IsTerminal) -> bool {
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
