//! What a pull request says.

use std::fmt::Write as _;

/// What is to be said, in plain data.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The name of the campaign.
    pub campaign: String,
    /// Which asyncfix it was.
    pub version: String,
    /// What was fixed: the codemod, how often, and what else its fixes change.
    pub fixed: Vec<(String, u64, String)>,
    /// What was not: the codemod, how often, and why.
    pub left: Vec<(String, u64, String)>,
    /// How many files could not be analysed.
    pub not_analysed: u64,
    /// How many fixes were dropped, by a fault of asyncfix.
    pub faults: u64,
    /// How the tests went.
    pub tests: Option<Tests>,
    /// Owners that the service cannot be told of, in words.
    pub owners: Vec<String>,
}

/// How the tests went.
#[derive(Clone, Debug, Default)]
pub struct Tests {
    /// The command.
    pub command: String,
    /// How often it ran.
    pub runs: u64,
    /// How many tests failed before any fix.
    pub failing: u64,
    /// How many fixes were taken back.
    pub taken_back: u64,
    /// Whether it failed and passed with the same files.
    pub unstable: bool,
}

/// The characters that a text may have; GitHub takes 65536.
const LARGEST: usize = 60_000;

/// The text, in Markdown. What comes from the repository stands in blocks of code, where it is text
/// and nobody is called by it.
pub fn body(summary: &Summary) -> String {
    let mut text = String::from(
        "This was written by [asyncfix](https://github.com/asyncfix/asyncfix), which migrates asyncio \
         code. Each fix is one that it can vouch for; the rest it left as it was.\n\n",
    );
    text.push_str("| codemod | fixes | what else changes |\n| --- | --- | --- |\n");
    for (codemod, count, effect) in &summary.fixed {
        let effect = effect.replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(text, "| {codemod} | {count} | {effect} |");
    }
    text.push('\n');
    text.push_str(&tests(summary.tests.as_ref()));
    if !summary.left.is_empty() {
        text.push_str("\nLeft for a person to decide, and why:\n\n");
        let lines: Vec<String> = summary
            .left
            .iter()
            .map(|(codemod, count, why)| format!("{codemod}: {count}: {why}"))
            .collect();
        text.push_str(&block(&lines, LARGEST.saturating_sub(text.len() + 600)));
    }
    if summary.not_analysed > 0 {
        let count = summary.not_analysed;
        let files = if count == 1 { "file" } else { "files" };
        let _ = writeln!(text, "\n{count} {files} could not be analysed.");
    }
    if summary.faults > 0 {
        let count = summary.faults;
        let fixes = if count == 1 { "fix was" } else { "fixes were" };
        let _ = writeln!(text, "\n{count} {fixes} dropped, by a fault of asyncfix.");
    }
    if !summary.owners.is_empty() {
        text.push_str("\nOwners of this code:\n\n");
        text.push_str(&block(&summary.owners, 500));
    }
    let Summary {
        campaign, version, ..
    } = summary;
    let _ = write!(
        text,
        "\nCampaign `{campaign}`, asyncfix {version}. To silence a finding write `# asyncfix: ignore[NAME]` \
         at its line. If this is closed, the campaign leaves it closed.\n"
    );
    text
}

fn tests(tests: Option<&Tests>) -> String {
    let Some(tests) = tests else {
        return "No tests were run: the checks of this pull request have the say.\n".to_string();
    };
    let mut text = String::from("The tests pass with these fixes:\n\n");
    text.push_str(&block(std::slice::from_ref(&tests.command), 1_000));
    if tests.failing > 0 {
        let what = if tests.failing == 1 {
            "test failed before any fix, and fails as before."
        } else {
            "tests failed before any fix, and fail as before."
        };
        let _ = writeln!(text, "\n{} {what}", tests.failing);
    }
    if tests.taken_back > 0 {
        let fixes = if tests.taken_back == 1 {
            "fix was"
        } else {
            "fixes were"
        };
        let _ = writeln!(
            text,
            "\n{} {fixes} taken back, with which they do not pass.",
            tests.taken_back
        );
    }
    if tests.unstable {
        text.push_str("\nThey failed and passed with the same files: they are not stable.\n");
    }
    text
}

/// Lines as a block of code, of so many bytes at most.
fn block(lines: &[String], largest: usize) -> String {
    let longest = lines
        .iter()
        .flat_map(|line| line.split(|c| c != '`').map(str::len))
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(3.max(longest + 1));
    let mut text = format!("{fence}text\n");
    for (number, line) in lines.iter().enumerate() {
        let line: String = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if text.len() + line.len() > largest {
            let _ = writeln!(text, "and {} more", lines.len() - number);
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(&fence);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, Summary, Tests, body};

    #[test]
    fn what_comes_from_the_repository_is_text() {
        let summary = Summary {
            left: vec![("a".to_string(), 2, "`x` ```` @team\n<b>".to_string())],
            tests: Some(Tests {
                command: "true\n```\n@all".to_string(),
                ..Tests::default()
            }),
            ..Summary::default()
        };
        let text = body(&summary);
        assert!(
            text.contains("`````text\na: 2: `x` ```` @team <b>\n`````\n"),
            "{text}"
        );
        assert!(text.contains("````text\ntrue ``` @all\n````\n"), "{text}");
    }

    #[test]
    fn it_is_no_longer_than_a_service_takes() {
        let line = ("await-sleep".to_string(), 1, "because of this".repeat(10));
        let summary = Summary {
            left: vec![line; 2_000],
            ..Summary::default()
        };
        let text = body(&summary);
        assert!(
            text.len() < LARGEST && text.contains("\nand 1"),
            "{}",
            text.len()
        );
        assert!(text.ends_with("leaves it closed.\n"));
    }

    #[test]
    fn it_says_how_the_tests_went() {
        let with = |tests| {
            body(&Summary {
                tests,
                ..Summary::default()
            })
        };
        assert!(with(None).contains("No tests were run"));
        let text = with(Some(Tests {
            command: "pytest -q".to_string(),
            runs: 3,
            failing: 1,
            taken_back: 2,
            unstable: false,
        }));
        assert!(text.contains("```text\npytest -q\n```\n"));
        assert!(text.contains("1 test failed before any fix, and fails as before."));
        assert!(text.contains("2 fixes were taken back"));
    }
}
