//! Configuration: what one file or one `--config KEY=VALUE` says, and how such layers lie on
//! top of each other.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use edit::Applicability;
use engine::{Choices, Codemod, OptionValues, Silence, Target};
use toml::{Table, Value};

use crate::arguments;
use crate::globs::{Globs, PerFile};
use crate::{nearest, place, target};

/// The settings that one place makes; what it leaves open is none or empty.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// Which codemods run, in place of the headline ones.
    pub select: Option<Vec<&'static Codemod>>,
    /// Which run beside those.
    pub extend_select: Vec<&'static Codemod>,
    /// Which do not.
    pub ignore: Option<Vec<&'static Codemod>>,
    /// Which run in some files, in place of those that run elsewhere.
    pub per_file_select: Option<Vec<PerFile>>,
    /// Which do not run in some files.
    pub per_file_ignores: Option<Vec<PerFile>>,
    /// Which do not either.
    pub extend_per_file_ignores: Vec<PerFile>,
    /// The lowest version that the code has to run on.
    pub target: Option<Target>,
    /// Leave intended fixes out.
    pub safe_only: Option<bool>,
    /// Take unsafe fixes in.
    pub unsafe_fixes: Option<bool>,
    /// List withheld findings too.
    pub show_withheld: Option<bool>,
    /// What is not walked into, in place of the default.
    pub exclude: Option<Globs>,
    /// What is not walked into beside that.
    pub extend_exclude: Vec<Globs>,
    /// Leave what is excluded out even where it is named.
    pub force_exclude: Option<bool>,
    /// The baseline, or that there is none.
    pub baseline: Option<Baseline>,
    /// The longest line to write, in characters.
    pub line_length: Option<usize>,
    /// Whether types are inferred.
    pub types: Option<bool>,
    /// The environment that the project's packages are installed in.
    pub python: Option<PathBuf>,
    /// Seconds that the inference may take for one file.
    pub types_file_timeout: Option<u64>,
    /// And for a run.
    pub types_timeout: Option<u64>,
    /// The address space that each of its processes may take, in MiB.
    pub types_memory: Option<u64>,
    /// Whether findings get comments that silence them; no file sets it.
    pub silence: Option<Silence>,
    /// Codemods' options that were checked: codemod, option, value.
    pub options: Vec<(&'static Codemod, String, String)>,
    /// Where each key was set, what counts most last: key, place.
    pub origins: Vec<(String, String)>,
    /// The files that were read, what counts most first.
    pub files: Vec<PathBuf>,
}

impl Layer {
    /// This layer on top of `base`. What both set counts as set here; `extend-` keys add up.
    pub fn over(self, base: &Layer) -> Layer {
        // Each of the two takes the other back: they are the ends of one scale.
        let keep_safe_only = self.unsafe_fixes != Some(true);
        let keep_unsafe_fixes = self.safe_only != Some(true);
        Layer {
            select: self.select.or_else(|| base.select.clone()),
            extend_select: [base.extend_select.clone(), self.extend_select].concat(),
            ignore: self.ignore.or_else(|| base.ignore.clone()),
            per_file_select: self
                .per_file_select
                .or_else(|| base.per_file_select.clone()),
            per_file_ignores: self
                .per_file_ignores
                .or_else(|| base.per_file_ignores.clone()),
            extend_per_file_ignores: [
                base.extend_per_file_ignores.clone(),
                self.extend_per_file_ignores,
            ]
            .concat(),
            target: self.target.or_else(|| base.target.clone()),
            safe_only: self.safe_only.or(base.safe_only.filter(|_| keep_safe_only)),
            unsafe_fixes: self
                .unsafe_fixes
                .or(base.unsafe_fixes.filter(|_| keep_unsafe_fixes)),
            show_withheld: self.show_withheld.or(base.show_withheld),
            exclude: self.exclude.or_else(|| base.exclude.clone()),
            extend_exclude: [base.extend_exclude.clone(), self.extend_exclude].concat(),
            force_exclude: self.force_exclude.or(base.force_exclude),
            baseline: self.baseline.or_else(|| base.baseline.clone()),
            line_length: self.line_length.or(base.line_length),
            types: self.types.or(base.types),
            python: self.python.or_else(|| base.python.clone()),
            types_file_timeout: self.types_file_timeout.or(base.types_file_timeout),
            types_timeout: self.types_timeout.or(base.types_timeout),
            types_memory: self.types_memory.or(base.types_memory),
            silence: self.silence.or_else(|| base.silence.clone()),
            options: [base.options.clone(), self.options].concat(),
            origins: [base.origins.clone(), self.origins].concat(),
            files: [self.files, base.files.clone()].concat(),
        }
    }

    /// The highest applicability that is applied.
    pub fn apply(&self) -> Applicability {
        if self.safe_only == Some(true) {
            Applicability::Safe
        } else if self.unsafe_fixes == Some(true) {
            Applicability::Unsafe
        } else {
            Applicability::Intended
        }
    }

    /// The codemods that run, in the order of the list. In notebooks, where a loop runs already,
    /// code that runs another one fails: it is looked for where nobody says what is.
    pub fn selection(&self, in_notebook: bool) -> Vec<&'static Codemod> {
        let has = |list: &[&Codemod], codemod: &Codemod| {
            list.iter().any(|other| other.name == codemod.name)
        };
        codemods::ALL
            .iter()
            .copied()
            .filter(|codemod| {
                let selected = match &self.select {
                    Some(select) => has(select, codemod),
                    None => codemod.headline || in_notebook && codemod.name == IN_NOTEBOOKS,
                };
                (selected || has(&self.extend_select, codemod))
                    && !self
                        .ignore
                        .as_deref()
                        .is_some_and(|list| has(list, codemod))
            })
            .collect()
    }

    /// Which of the rules for some files are about the file at `path`, which is absolute.
    pub fn rules(&self, path: &Path) -> Vec<bool> {
        let select = self.per_file_select.iter().flatten();
        let rules = select.chain(self.ignores_per_file());
        rules.map(|rule| rule.is_about(path)).collect()
    }

    /// The layer for the file at `path`, which is absolute. `added` run in any case.
    pub fn narrowed(mut self, path: &Path, added: &[&'static Codemod]) -> Self {
        let named = |rules: &mut dyn Iterator<Item = &PerFile>| {
            let rules = rules.filter(|rule| rule.is_about(path));
            let lists: Vec<&[&Codemod]> = rules.map(|rule| rule.codemods.as_slice()).collect();
            (!lists.is_empty()).then(|| lists.concat())
        };
        let only = named(&mut self.per_file_select.iter().flatten());
        let not = named(&mut self.ignores_per_file());
        if let Some(only) = only {
            self.select = Some(only);
            self.extend_select = added.to_vec();
        }
        if let Some(not) = not {
            self.ignore.get_or_insert_default().extend(not);
        }
        self
    }

    fn ignores_per_file(&self) -> impl Iterator<Item = &PerFile> {
        let ignores = self.per_file_ignores.iter().flatten();
        ignores.chain(&self.extend_per_file_ignores)
    }

    /// The values of the codemods' options.
    pub fn option_values(&self) -> OptionValues {
        let mut values = OptionValues::default();
        for (codemod, option, value) in &self.options {
            // Checked when the layer was read.
            let _ = values.set(codemod, option, value);
        }
        values
    }
}

/// The codemod that runs on notebooks by default.
const IN_NOTEBOOKS: &str = "await-nested-run";

/// Which findings are known.
#[derive(Clone, Debug)]
pub enum Baseline {
    /// Those in this file.
    File(PathBuf),
    /// None, whatever another layer says.
    None,
}

/// The file that `path` names from `folder`, which may not exist yet. Its path is the same also
/// where another configuration names it.
pub fn file_at(path: &Path, folder: &Path) -> PathBuf {
    let path = folder.join(path);
    let path = std::path::absolute(&path).unwrap_or(path);
    let folder = path.parent().and_then(|it| it.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// The names of the files that hold nothing but configuration, the one that counts most first.
pub const FILES: [&str; 2] = [".asyncfix.toml", "asyncfix.toml"];
/// The file that may hold a table `[tool.asyncfix]`.
pub const PYPROJECT: &str = "pyproject.toml";

/// Reads a file that is named by `--config` or `extend`: it must hold a configuration.
pub fn read_file(path: &Path) -> Result<Layer> {
    let shown = place::shown(path);
    let text = fs_err::read_to_string(path)?;
    let table = parse(&text).with_context(|| format!("`{shown}` is not valid TOML"))?;
    let table = if path.file_name().is_some_and(|name| name == PYPROJECT) {
        match tool_table(&table) {
            Some(table) => table.clone(),
            None => bail!("`{shown}` has no table [tool.asyncfix]"),
        }
    } else {
        table
    };
    read_table(path, &table)
}

/// Reads the table that a configuration file holds, and what the file extends.
pub fn read_table(path: &Path, table: &Table) -> Result<Layer> {
    extended(path, table, &mut Vec::new())
}

/// The table `[tool.asyncfix]` of a pyproject.toml.
pub fn tool_table(pyproject: &Table) -> Option<&Table> {
    pyproject
        .get("tool")?
        .as_table()?
        .get("asyncfix")?
        .as_table()
}

/// Reads a `--config` argument: a file, or `KEY=VALUE` in TOML.
pub fn read_argument(argument: &str) -> Result<Argument> {
    let path = Path::new(argument);
    if path.is_file() {
        return Ok(Argument::File(read_file(path)?));
    }
    let Some((key, value)) = argument.split_once('=') else {
        bail!("`--config {argument}` is neither a file nor a setting (KEY=VALUE)");
    };
    let table = match parse(argument) {
        Ok(table) => table,
        Err(_) if parse(&format!("{key}={value:?}")).is_ok() => {
            bail!(
                "`--config {argument}` is not valid TOML: text stands in quotes: '{key}={value:?}'"
            )
        }
        Err(error) => return Err(error.context(format!("`--config {argument}` is not valid TOML"))),
    };
    if table.contains_key("extend") {
        bail!("`extend` belongs into a file; name the file with --config");
    }
    let folder = std::env::current_dir().context("the current directory cannot be used")?;
    let layer = layer(&table, &folder, "`--config`")
        .with_context(|| format!("in `--config {argument}`"))?;
    Ok(Argument::Setting(layer))
}

/// What a `--config` argument is.
pub enum Argument {
    /// A file, in place of those that would be looked for.
    File(Layer),
    /// A setting, on top of any file.
    Setting(Layer),
}

/// TOML, with an error that fits one line.
pub fn parse(text: &str) -> Result<Table> {
    text.parse::<Table>().map_err(|error| {
        let row = error
            .span()
            .map(|span| text[..span.start].matches('\n').count() + 1);
        match row {
            Some(row) => anyhow::anyhow!("row {row}: {}", error.message()),
            None => anyhow::anyhow!("{}", error.message()),
        }
    })
}

/// The layer of a file on top of those that it extends. `chain` holds the files that led here.
fn extended(path: &Path, table: &Table, chain: &mut Vec<PathBuf>) -> Result<Layer> {
    let shown = place::shown(path);
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut own =
        layer(table, folder, &format!("in {shown}")).with_context(|| format!("in `{shown}`"))?;
    own.files.push(path.to_path_buf());
    let Some(base) = table.get("extend") else {
        return Ok(own);
    };
    let Some(base) = base.as_str() else {
        bail!("in `{shown}`: `extend` is the path of one file, as text");
    };
    let base = folder.join(base);
    chain.push(fs_err::canonicalize(path)?);
    let canonical =
        fs_err::canonicalize(&base).with_context(|| format!("in `{shown}`: `extend`"))?;
    if chain.contains(&canonical) {
        let files: Vec<String> = chain
            .iter()
            .chain([&canonical])
            .map(|file| place::shown(file))
            .collect();
        bail!("`extend` goes round in a circle: {}", files.join(" -> "));
    }
    let text = fs_err::read_to_string(&base)?;
    let base_shown = place::shown(&base);
    let base_table = parse(&text).with_context(|| format!("`{base_shown}` is not valid TOML"))?;
    let base_table = if base.file_name().is_some_and(|name| name == PYPROJECT) {
        match tool_table(&base_table) {
            Some(table) => table.clone(),
            None => bail!("`{base_shown}`, which `{shown}` extends, has no table [tool.asyncfix]"),
        }
    } else {
        base_table
    };
    Ok(own.over(&extended(&base, &base_table, chain)?))
}

/// The keys beside the codemods' tables.
pub const KEYS: [&str; 21] = [
    "select",
    "extend-select",
    "ignore",
    "per-file-select",
    "per-file-ignores",
    "extend-per-file-ignores",
    "target-version",
    "safe-only",
    "unsafe-fixes",
    "show-withheld",
    "exclude",
    "extend-exclude",
    "force-exclude",
    "baseline",
    "line-length",
    "types",
    "python",
    "types-file-timeout",
    "types-timeout",
    "types-memory",
    "extend",
];

/// Reads one table. Globs are relative to `folder`; `origin` ends the sentence "`target-version`
/// ..." in messages.
fn layer(table: &Table, folder: &Path, origin: &str) -> Result<Layer> {
    let mut layer = Layer::default();
    for (key, value) in table {
        layer.origins.push((key.clone(), origin.to_string()));
        match key.as_str() {
            "select" => layer.select = Some(codemod_list(key, value)?),
            "extend-select" => layer.extend_select = codemod_list(key, value)?,
            "ignore" => layer.ignore = Some(codemod_list(key, value)?),
            "per-file-select" => layer.per_file_select = Some(per_file(key, value, folder)?),
            "per-file-ignores" => layer.per_file_ignores = Some(per_file(key, value, folder)?),
            "extend-per-file-ignores" => {
                layer.extend_per_file_ignores = per_file(key, value, folder)?;
            }
            "target-version" => {
                let text = expect(value.as_str(), key, "text, as in \"py311\"", value)?;
                let version = target::parse_version(text)
                    .map_err(|message| anyhow::anyhow!("`{key}`: {message}"))?;
                layer.target = Some(Target {
                    version,
                    origin: format!("`{key}` {origin}"),
                });
            }
            "safe-only" => layer.safe_only = Some(flag(key, value)?),
            "unsafe-fixes" => layer.unsafe_fixes = Some(flag(key, value)?),
            "show-withheld" => layer.show_withheld = Some(flag(key, value)?),
            "exclude" => layer.exclude = Some(globs(key, value, folder)?),
            "force-exclude" => layer.force_exclude = Some(flag(key, value)?),
            "extend-exclude" => layer.extend_exclude = vec![globs(key, value, folder)?],
            "baseline" => {
                let text = expect(value.as_str(), key, "text, the path of a file", value)?;
                layer.baseline = Some(Baseline::File(file_at(Path::new(text), folder)));
            }
            "line-length" => layer.line_length = Some(line_length(key, value)?),
            "types" => layer.types = Some(flag(key, value)?),
            "python" => {
                let text = expect(
                    value.as_str(),
                    key,
                    "text, the path of an environment",
                    value,
                )?;
                layer.python = Some(folder.join(text));
            }
            "types-file-timeout" => layer.types_file_timeout = Some(count(key, value)?),
            "types-timeout" => layer.types_timeout = Some(count(key, value)?),
            "types-memory" => layer.types_memory = Some(count(key, value)?),
            // Followed by the caller, who knows the file.
            "extend" => {}
            _ => read_options(&mut layer, key, value, origin)?,
        }
    }
    if layer.safe_only == Some(true) && layer.unsafe_fixes == Some(true) {
        bail!("`safe-only` and `unsafe-fixes` exclude each other: set one of them");
    }
    Ok(layer)
}

/// Reads a codemod's table, or refuses a key that is neither ours nor a codemod's.
fn read_options(layer: &mut Layer, key: &str, value: &Value, origin: &str) -> Result<()> {
    let Some(codemod) = codemods::find(key) else {
        let known = KEYS
            .into_iter()
            .chain(codemods::ALL.iter().map(|codemod| codemod.name));
        bail!("unknown key `{key}`{}", nearest::did_you_mean(key, known));
    };
    let table = expect(
        value.as_table(),
        key,
        "a table of the codemod's options",
        value,
    )?;
    let mut check = OptionValues::default();
    for (option, value) in table {
        let names = codemod.options.iter().map(|spec| spec.name);
        if !names.clone().any(|name| name == option) {
            let hint = nearest::did_you_mean(option, names.clone());
            let known: Vec<&str> = names.collect();
            let hint = match (hint.is_empty(), known.is_empty()) {
                (false, _) => hint,
                (true, true) => "; it has none".to_string(),
                (true, false) => format!("; it has `{}`", known.join("`, `")),
            };
            bail!("codemod `{key}` has no option `{option}`{hint}");
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Array(_) if is_list(codemod, option) => {
                strings(&format!("{key}.{option}"), value)?.join(",")
            }
            _ => bail!("`{key}.{option}` takes one value, not {}", type_name(value)),
        };
        check
            .set(codemod, option, &text)
            .map_err(anyhow::Error::msg)?;
        layer.options.push((codemod, option.clone(), text));
        let key = format!("{key}.{option}");
        layer.origins.push((key, origin.to_string()));
    }
    Ok(())
}

fn is_list(codemod: &Codemod, option: &str) -> bool {
    codemod
        .options
        .iter()
        .any(|spec| spec.name == option && matches!(spec.choices, Choices::Names))
}

fn codemod_list(key: &str, value: &Value) -> Result<Vec<&'static Codemod>> {
    let mut codemods = Vec::new();
    for name in strings(key, value)? {
        let named = arguments::find(name);
        codemods.extend(named.map_err(|message| anyhow::anyhow!("`{key}`: {message}"))?);
    }
    Ok(codemods)
}

fn globs(key: &str, value: &Value, folder: &Path) -> Result<Globs> {
    Globs::new(&strings(key, value)?, folder).with_context(|| format!("`{key}`"))
}

/// Reads a table of patterns, each with a list of codemods.
fn per_file(key: &str, value: &Value, folder: &Path) -> Result<Vec<PerFile>> {
    let wanted = "a table of patterns, as in { \"tests/**\" = [\"await-sleep\"] }";
    expect(value.as_table(), key, wanted, value)?
        .iter()
        .map(|(pattern, names)| {
            let codemods = codemod_list(&format!("{key}.{pattern:?}"), names)?;
            PerFile::new(pattern, codemods, folder).with_context(|| format!("`{key}`"))
        })
        .collect()
}

fn strings<'a>(key: &str, value: &'a Value) -> Result<Vec<&'a str>> {
    let wanted = "a list of texts, as in [\"one\", \"two\"]";
    expect(value.as_array(), key, wanted, value)?
        .iter()
        .map(|item| expect(item.as_str(), key, wanted, item))
        .collect()
}

fn flag(key: &str, value: &Value) -> Result<bool> {
    expect(value.as_bool(), key, "true or false", value)
}

fn line_length(key: &str, value: &Value) -> Result<usize> {
    let wanted = "a whole number from 1 to 1000";
    let length = value
        .as_integer()
        .filter(|length| (1..=1000).contains(length))
        .and_then(|length| usize::try_from(length).ok());
    expect(length, key, wanted, value)
}

fn count(key: &str, value: &Value) -> Result<u64> {
    let wanted = "a whole number of at least 1";
    let count = value
        .as_integer()
        .and_then(|count| u64::try_from(count).ok())
        .filter(|count| *count > 0);
    expect(count, key, wanted, value)
}

/// The value that was wanted, or an error that says what was.
fn expect<T>(wanted: Option<T>, key: &str, description: &str, value: &Value) -> Result<T> {
    wanted.with_context(|| {
        let given = match value {
            Value::Integer(number) => format!("`{number}`"),
            _ => type_name(value).to_string(),
        };
        format!("`{key}` takes {description}, not {given}")
    })
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::{Layer, layer, parse};
    use edit::Applicability;
    use std::path::Path;

    fn read(text: &str) -> anyhow::Result<Layer> {
        layer(&parse(text)?, Path::new("."), "in asyncfix.toml")
    }

    fn refusal(text: &str) -> String {
        format!("{:#}", read(text).unwrap_err())
    }

    #[test]
    fn a_wrong_key_or_type_is_refused_with_what_would_be_right() {
        assert_eq!(
            refusal("selct = []"),
            "unknown key `selct`; did you mean `select`?"
        );
        assert_eq!(
            refusal("[await-slep]\nx = 1"),
            "unknown key `await-slep`; did you mean `await-sleep`?"
        );
        assert_eq!(
            refusal("select = ['await-slep']"),
            "`select`: no codemod is named `await-slep`; did you mean `await-sleep`?"
        );
        assert_eq!(
            refusal("select = 'await-sleep'"),
            "`select` takes a list of texts, as in [\"one\", \"two\"], not text"
        );
        assert_eq!(
            refusal("line-length = 0"),
            "`line-length` takes a whole number from 1 to 1000, not `0`"
        );
        assert_eq!(
            refusal("unsafe-fixes = 'yes'"),
            "`unsafe-fixes` takes true or false, not text"
        );
        assert_eq!(
            refusal("await-sleep = true"),
            "`await-sleep` takes a table of the codemod's options, not true or false"
        );
        assert!(refusal("target-version = 'py27'").contains("`py27` is not a Python version"));
        assert!(refusal("safe-only = true\nunsafe-fixes = true").contains("exclude each other"));
        assert!(refusal("a = 1\nb = ").starts_with("row 2: "));
    }

    #[test]
    fn the_upper_layer_counts_more() {
        let base =
            read("select = ['await-sleep']\nunsafe-fixes = true\nline-length = 100").unwrap();
        let merged = read("line-length = 79").unwrap().over(&base);
        assert_eq!(merged.line_length, Some(79));
        assert_eq!(merged.apply(), Applicability::Unsafe);
        assert_eq!(merged.selection(false).len(), 1);
        let merged = read("safe-only = true").unwrap().over(&base);
        assert_eq!(merged.apply(), Applicability::Safe);
        let merged = read("unsafe-fixes = false").unwrap().over(&base);
        assert_eq!(merged.apply(), Applicability::Intended);
    }
}
