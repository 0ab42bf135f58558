//! What `--show-settings` prints: what holds for a path, and where it was set.

use std::path::Path;

use anyhow::Result;
use engine::{Choices, Codemod};

use crate::config::{KEYS, Layer};
use crate::folder::{EXCLUDED, Folder, Folders};
use crate::globs::{Globs, PerFile};
use crate::terminal::wrap;
use crate::walk::File;
use crate::{arguments, place};

/// What holds for the file or folder at `path`, as TOML with the origins in comments. The error is
/// one of configuration.
pub fn text(path: &Path, canonical: &Path, folders: &Folders) -> Result<String> {
    // The rules for some files are shown as they are, and what comes of them as what runs.
    let (folder, runs) = if canonical.is_dir() {
        let folder = folders.get(canonical)?;
        let runs = folder.module.codemods.clone();
        (folder, runs)
    } else {
        let file = File {
            path: path.to_path_buf(),
            canonical: canonical.to_path_buf(),
            folder: folders.of_file(canonical)?,
            content: None,
            is_named: true,
        };
        let folder = folders.get(canonical.parent().unwrap_or(canonical))?;
        (folder, file.settings().codemods.clone())
    };
    let layer = &folder.layer;
    let mut lines = vec![format!("# {}", path.display())];
    let files: Vec<String> = layer.files.iter().map(|file| place::shown(file)).collect();
    lines.push(match files.as_slice() {
        [] => "# no configuration file".to_string(),
        [file] => format!("# configuration: {file}"),
        [file, extended @ ..] => {
            format!(
                "# configuration: {file}, which extends {}",
                extended.join(", ")
            )
        }
    });
    let names: Vec<&str> = runs.iter().map(|codemod| codemod.name).collect();
    let names = if names.is_empty() {
        "nothing".to_string()
    } else {
        names.join(", ")
    };
    lines.extend(wrap(&format!("# runs: {names}"), WIDTH, "", "#   "));
    lines.push(String::new());
    for key in KEYS {
        if let Some((value, origin)) = setting(&folder, key) {
            let line = format!("{key} = {value}  # {origin}");
            match key {
                // Names have no spaces in them.
                "select" | "extend-select" | "ignore" => {
                    lines.extend(wrap(&line, WIDTH, "", "    "));
                }
                _ => lines.push(line),
            }
        }
    }
    for codemod in codemods::ALL.iter().filter(|it| !it.options.is_empty()) {
        lines.extend([String::new(), format!("[{}]", codemod.name)]);
        lines.extend(options(layer, codemod));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

const WIDTH: usize = 100;

/// What a layer sets for a key, as TOML; none where it leaves that open.
pub fn value(layer: &Layer, key: &str) -> Option<String> {
    let some = |list: String| (list != "[]" && list != "{}").then_some(list);
    let patterns = |globs: &Globs| list(globs.patterns.iter().map(String::as_str));
    let truth = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    match key {
        "select" => layer.select.as_deref().map(names),
        "extend-select" => some(names(&layer.extend_select)),
        "ignore" => layer.ignore.as_deref().map(names),
        "per-file-select" => layer.per_file_select.as_deref().map(rules),
        "per-file-ignores" => layer.per_file_ignores.as_deref().map(rules),
        "extend-per-file-ignores" => some(rules(&layer.extend_per_file_ignores)),
        "target-version" => {
            let version = layer.target.as_ref()?.version;
            Some(format!("\"py{}{}\"", version.major, version.minor))
        }
        "safe-only" => truth(layer.safe_only),
        "unsafe-fixes" => truth(layer.unsafe_fixes),
        "show-withheld" => truth(layer.show_withheld),
        "exclude" => layer.exclude.as_ref().map(patterns),
        "extend-exclude" => {
            let globs = layer.extend_exclude.iter();
            some(list(
                globs.flat_map(|it| it.patterns.iter().map(String::as_str)),
            ))
        }
        "force-exclude" => truth(layer.force_exclude),
        "line-length" => layer.line_length.map(|length| length.to_string()),
        "types" => truth(layer.types),
        "python" => layer
            .python
            .as_ref()
            .map(|path| format!("{:?}", path.to_string_lossy())),
        "types-file-timeout" => number(layer.types_file_timeout),
        "types-timeout" => number(layer.types_timeout),
        "types-memory" => number(layer.types_memory),
        _ => None,
    }
}

/// The value of a key and where it comes from; none where that is nothing to show.
fn setting(folder: &Folder, key: &str) -> Option<(String, String)> {
    if let Some(value) = value(&folder.layer, key) {
        return Some((value, origin(&folder.layer, key)));
    }
    let headline = codemods::ALL.iter().filter(|codemod| codemod.headline);
    let default = match key {
        "select" => list(headline.map(|codemod| codemod.name)),
        "extend-select" | "ignore" | "extend-exclude" => "[]".to_string(),
        "per-file-select" | "per-file-ignores" | "extend-per-file-ignores" => "{}".to_string(),
        "target-version" => {
            let target = &folder.module.target;
            let value = format!("\"py{}{}\"", target.version.major, target.version.minor);
            return Some((value, target.origin.clone()));
        }
        "line-length" => {
            let origin = folder.line_length_origin().unwrap_or(DEFAULT);
            return Some((folder.module.line_length.to_string(), origin.to_string()));
        }
        "exclude" => list(EXCLUDED.into_iter()),
        "python" => {
            let path = folder.types.environment.activated.as_ref()?;
            let value = format!("{:?}", path.to_string_lossy());
            return Some((value, "the activated environment".to_string()));
        }
        "safe-only" | "unsafe-fixes" | "show-withheld" | "force-exclude" => "false".to_string(),
        "types" => folder.types.wanted.to_string(),
        "types-file-timeout" => folder.types.limits.file.as_secs().to_string(),
        "types-timeout" => folder.types.limits.run.as_secs().to_string(),
        "types-memory" => folder.types.limits.memory.to_string(),
        _ => return None,
    };
    Some((default, DEFAULT.to_string()))
}

const DEFAULT: &str = "the default";

/// The options of a codemod, a line for each.
fn options(layer: &Layer, codemod: &'static Codemod) -> Vec<String> {
    let values = layer.option_values();
    let line = |option: &engine::OptionSpec| {
        let value = values.get(codemod, option.name);
        let value = match option.choices {
            Choices::Words(_) | Choices::Name => format!("{value:?}"),
            Choices::Names => list(value.split(',').filter(|name| !name.is_empty())),
            Choices::Flag | Choices::Count(_) => value,
        };
        let origin = origin(layer, &format!("{}.{}", codemod.name, option.name));
        format!("{} = {value}  # {origin}", option.name)
    };
    codemod.options.iter().map(line).collect()
}

/// The codemods by the name of their group, where they are one, else by their names.
fn names(codemods: &[&'static Codemod]) -> String {
    let names = || codemods.iter().map(|codemod| codemod.name);
    let is_group = |group: &str| {
        arguments::find(group).is_ok_and(|all| names().eq(all.iter().map(|codemod| codemod.name)))
    };
    match arguments::GROUPS.into_iter().find(|group| is_group(group)) {
        Some(group) => list([group].into_iter()),
        None => list(names()),
    }
}

/// Where a key was set.
fn origin(layer: &Layer, key: &str) -> String {
    let places = layer.origins.iter().filter(|(other, _)| other == key);
    let mut places: Vec<&str> = places.map(|(_, place)| place.as_str()).collect();
    // These add up, and of the others the last counts.
    if !key.starts_with("extend-") {
        places.drain(..places.len().saturating_sub(1));
    }
    if places.is_empty() {
        DEFAULT.to_string()
    } else {
        places.join(", ")
    }
}

fn rules(rules: &[PerFile]) -> String {
    let rule = |rule: &PerFile| format!("{:?} = {}", rule.pattern, names(&rule.codemods));
    let rules: Vec<String> = rules.iter().map(rule).collect();
    if rules.is_empty() {
        "{}".to_string()
    } else {
        format!("{{ {} }}", rules.join(", "))
    }
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.map(|item| format!("{item:?}")).collect();
    format!("[{}]", items.join(", "))
}
