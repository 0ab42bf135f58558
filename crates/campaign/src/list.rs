//! The list of repositories that somebody writes: one a line, or a table of commas.

use std::path::Path;

use crate::source::Address;

/// One repository of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The line, from 1.
    pub line: usize,
    pub address: Address,
    /// The branch or tag; none is the one that the repository names.
    pub branch: Option<String>,
    /// The folder in it that is migrated, with `/`; empty is all.
    pub path: String,
    /// The command that runs its tests, in place of the campaign's.
    pub verify: Option<String>,
    /// The command that makes its environment, in place of the campaign's.
    pub setup: Option<String>,
}

/// A line that says nothing that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// Reads the list. Paths in it start at `folder`. `is_table`: it is CSV with a header.
pub fn read(text: &str, is_table: bool, folder: &Path) -> (Vec<Wanted>, Vec<Problem>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_table {
        return table(text, folder);
    }
    let (mut wanted, mut problems) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let line_number = number + 1;
        // A `#` in an address is part of it.
        let code = match line.find(" #").or_else(|| line.find("\t#")) {
            Some(comment) => &line[..comment],
            None => line,
        };
        if code.trim().is_empty() || code.trim_start().starts_with('#') {
            continue;
        }
        let words: Vec<&str> = code.split_whitespace().collect();
        let fields = match words[..] {
            [address] => Ok((address, "", "")),
            [address, branch] => Ok((address, branch, "")),
            [address, branch, path] => Ok((address, branch, path)),
            _ => Err(
                "more than an address, a branch and a path: what has blanks in it goes into a \
                 table (CSV)"
                    .to_string(),
            ),
        };
        let one = fields.and_then(|(address, branch, path)| {
            // As in `URL - src`: its own branch, and a path.
            let branch = if branch == "-" { "" } else { branch };
            Wanted::new(line_number, [address, branch, path, "", ""], folder)
        });
        match one {
            Ok(one) => wanted.push(one),
            Err(message) => problems.push(Problem {
                line: line_number,
                message,
            }),
        }
    }
    (wanted, problems)
}

/// The columns of a table, and other names that they go by.
const COLUMNS: [&[&str]; 5] = [
    &["url", "repository", "address", "clone_url"],
    &["branch", "ref"],
    &["path", "folder", "subfolder"],
    &["test", "verify", "test command", "test_command"],
    &["setup", "setup command", "setup_command"],
];

fn table(text: &str, folder: &Path) -> (Vec<Wanted>, Vec<Problem>) {
    let (mut wanted, mut problems) = (Vec::new(), Vec::new());
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let problem = |line: usize, message: String| Problem { line, message };
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return (wanted, vec![problem(1, format!("no header: {error}"))]),
    };
    let mut columns = [None; 5];
    for (position, name) in header.iter().enumerate() {
        let lower = name.to_lowercase();
        match COLUMNS.iter().position(|it| it.contains(&lower.as_str())) {
            Some(column) if columns[column].is_none() => columns[column] = Some(position),
            Some(_) => problems.push(problem(1, format!("two columns are named `{name}`"))),
            None => problems.push(problem(
                1,
                format!("no column is named `{name}`: url, branch, path, test and setup are known"),
            )),
        }
    }
    if columns[0].is_none() {
        problems.push(problem(1, "there is no column `url`".to_string()));
    }
    if !problems.is_empty() {
        return (wanted, problems);
    }
    for record in reader.records() {
        match record {
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                problems.push(problem(to_usize(line), error.to_string()));
            }
            Ok(record) => {
                let line = to_usize(record.position().map_or(0, csv::Position::line));
                if record.len() > header.len() {
                    problems.push(problem(line, "more fields than the header has".to_string()));
                    continue;
                }
                let field =
                    |it: Option<usize>| it.and_then(|it| record.get(it)).unwrap_or_default();
                match Wanted::new(line, columns.map(field), folder) {
                    Ok(one) => wanted.push(one),
                    Err(message) => problems.push(problem(line, message)),
                }
            }
        }
    }
    (wanted, problems)
}

fn to_usize(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

impl Wanted {
    fn new(
        line: usize,
        [address, branch, path, verify, setup]: [&str; 5],
        folder: &Path,
    ) -> Result<Self, String> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
        Ok(Self {
            line,
            address: Address::parse(address, folder)?,
            branch: some(checked_branch(branch)?),
            path: checked_path(path)?,
            verify: some(verify),
            setup: some(setup),
        })
    }
}

/// The name of a branch or tag, as `git check-ref-format` has it.
pub fn checked_branch(branch: &str) -> Result<&str, String> {
    let is_odd = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    if branch.starts_with('-') {
        return Err(format!("`{branch}` is an option, and no branch"));
    }
    if branch.contains(is_odd)
        || branch.contains("..")
        || branch.contains("@{")
        || branch.ends_with(['/', '.'])
        || branch.starts_with('/')
    {
        return Err(format!("`{branch}` is no name of a branch"));
    }
    Ok(branch)
}

/// A folder inside of the repository.
pub fn checked_path(path: &str) -> Result<String, String> {
    let path = path.replace('\\', "/");
    if path.starts_with('/') || path.split('/').any(|name| name == "..") || path.contains(':') {
        return Err(format!(
            "`{path}` leads out of the repository: name a folder in it"
        ));
    }
    let names: Vec<&str> = path
        .split('/')
        .filter(|name| !name.is_empty() && *name != ".")
        .collect();
    if names.iter().any(|name| name.eq_ignore_ascii_case(".git")) {
        return Err(format!("`{path}` is git's own folder"));
    }
    Ok(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::read;
    use std::path::Path;

    fn problems(text: &str, is_table: bool) -> Vec<String> {
        let (_, problems) = read(text, is_table, Path::new("/"));
        let said = problems
            .iter()
            .map(|it| format!("{}: {}", it.line, it.message));
        said.collect()
    }

    #[test]
    fn a_bad_line_is_named_and_the_others_are_read() {
        let text = "# list\n\nhttps://x/a\next::id\nhttps://x/b --upload-pack=id\n\
                    https://x/c main ../up\nhttps://x/d main src # with a comment\na b c d\n";
        let (wanted, problems) = read(text, false, Path::new("/"));
        let lines: Vec<usize> = wanted.iter().map(|it| it.line).collect();
        assert_eq!(lines, [3, 7]);
        assert_eq!(wanted[1].branch.as_deref(), Some("main"));
        assert_eq!(wanted[1].path, "src");
        let lines: Vec<usize> = problems.iter().map(|it| it.line).collect();
        assert_eq!(lines, [4, 5, 6, 8]);
    }

    #[test]
    fn a_table_needs_its_columns() {
        assert!(problems("branch\nmain\n", true)[0].contains("no column `url`"));
        assert!(problems("url,colour\nhttps://x/a,red\n", true)[0].contains("`colour`"));
        assert!(problems("url\nhttps://x/a,red\n", true)[0].starts_with("2: more fields"));
    }

    #[test]
    fn a_table_names_commands() {
        let text =
            "URL,Branch,Path,Test command,Setup\nhttps://x/a,,,\"pytest -q, or so\",uv sync\n";
        let (wanted, problems) = read(text, true, Path::new("/"));
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(wanted[0].line, 2);
        assert_eq!(wanted[0].verify.as_deref(), Some("pytest -q, or so"));
        assert_eq!(wanted[0].setup.as_deref(), Some("uv sync"));
        assert_eq!(wanted[0].branch, None);
    }
}
