//! The action: its scripts, with the environment that a runner gives them.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::project::{Project, Ran, SLEEPS, WITHHELD};
use crate::{commit, documents, keys, read, root};

/// A repository on a runner, and what the runner keeps beside it.
struct Runner {
    repository: Project,
    temp: Project,
}

impl Runner {
    fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let runner = Self {
            repository: Project::new(files),
            temp: Project::new([("output", ""), ("summary.md", "")]),
        };
        runner.repository.tool("git", &["init", "--quiet"], b"");
        runner
    }

    /// Runs a script of the action with these variables, beside those that every step has.
    fn run(&self, script: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = Command::new("bash");
        command
            .arg(root().join("action").join(script))
            .current_dir(self.repository.root())
            .env("GITHUB_ACTION_PATH", root())
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_OUTPUT", self.temp.path("output"))
            .env("GITHUB_STEP_SUMMARY", self.temp.path("summary.md"))
            .env("GITHUB_WORKSPACE", self.repository.root())
            .env("RUNNER_TEMP", self.temp.root())
            .env("ASYNCFIX_BIN", env!("CARGO_BIN_EXE_asyncfix"))
            .env("ASYNCFIX_PATHS", ".")
            .env("ASYNCFIX_ARGS", "--isolated")
            .env("ASYNCFIX_VERSION", "")
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        Ran::of(&command.output().unwrap())
    }

    /// A program of that name in `bin` of the runner's folder.
    fn program(&self, name: &str, text: &str) -> String {
        let path = format!("bin/{name}");
        self.temp.write(&path, text);
        let path = self.temp.path(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    /// The value of an output of the step.
    fn output(&self, name: &str) -> Option<String> {
        let outputs = self.temp.read("output");
        let value = outputs
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(str::to_string)
    }
}

/// Prints its arguments, one a line, and those of a file of arguments in its place.
const PRINTS_ARGUMENTS: &str = "\
#!/usr/bin/env bash
for argument; do
    case \"$argument\" in
        @*) cat \"${argument#@}\" ;;
        *) printf '%s\\n' \"$argument\" ;;
    esac
done
";

#[test]
fn an_unknown_mode_is_refused() {
    let runner = Runner::new([("a.py", SLEEPS)]);
    let ran = runner.run("run.sh", &[("ASYNCFIX_MODE", "fix\n::add-mask::a")]);
    assert_eq!(ran.status, 2, "{ran:?}");
    let expected = "::error title=asyncfix::the input `mode` is report, annotate or suggest\n";
    assert_eq!(ran.stdout, expected);
}

#[test]
fn a_quote_without_end_is_refused() {
    let runner = Runner::new([("a.py", SLEEPS)]);
    for input in ["ASYNCFIX_ARGS", "ASYNCFIX_PATHS"] {
        let ran = runner.run("run.sh", &[("ASYNCFIX_MODE", "report"), (input, "'a b")]);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(
            ran.stdout.starts_with("::error title=asyncfix::a quote"),
            "{ran:?}"
        );
    }
}

#[test]
fn what_is_no_version_never_reaches_pip() {
    let runner = Runner::new([]);
    for version in [
        "--index-url=https://a",
        "asyncfix",
        "0.1.0 other",
        "0.1.0;a",
        "../a",
    ] {
        let ran = runner.run("install.sh", &[("ASYNCFIX_VERSION", version)]);
        assert_eq!(ran.status, 2, "{version}: {ran:?}");
        assert!(
            ran.stdout
                .starts_with("::error title=asyncfix::the version"),
            "{ran:?}"
        );
    }
}

#[test]
fn inputs_are_words_and_never_code() {
    let runner = Runner::new([]);
    let program = runner.program("prints", PRINTS_ARGUMENTS);
    let ran = runner.run(
        "run.sh",
        &[
            ("ASYNCFIX_MODE", "suggest"),
            ("ASYNCFIX_BIN", &program),
            (
                "ASYNCFIX_ARGS",
                "--select 'await sleep' $(touch made) `touch made` ; touch made *",
            ),
            ("ASYNCFIX_PATHS", "src\n\"my tests\"\n@file -a"),
        ],
    );
    let mut printed: Vec<&str> = ran.stdout.lines().collect();
    // What comes behind it is for the runner.
    let stop = printed.split_off(printed.len() - 2);
    assert!(stop[0].starts_with("::stop-commands::"), "{ran:?}");
    let words = "suggest --select |await sleep| $(touch made) `touch made` ; touch made * -- src |my tests| @file -a";
    let words = words.split('|').enumerate().flat_map(|(number, part)| {
        // Every second part is one word.
        if number % 2 == 1 {
            vec![part]
        } else {
            part.split_whitespace().collect()
        }
    });
    assert_eq!(printed, words.collect::<Vec<_>>());
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(!runner.repository.path("made").exists());
}

#[test]
fn code_that_is_shown_is_no_command_to_the_runner() {
    let hostile = "import time\n\n\nasync def main():\n    time.sleep(\n1)  # \\\n\"\"\"\n::error::made up\n\"\"\"\n";
    let runner = Runner::new([("a.py", hostile), ("::error::b.py", "def f(:\n")]);
    for mode in ["report", "annotate"] {
        let ran = runner.run("run.sh", &[("ASYNCFIX_MODE", mode)]);
        let mut stopped: Option<String> = None;
        for line in ran.stdout.lines() {
            if stopped.as_deref() == Some(line) {
                stopped = None;
            } else if stopped.is_some() {
            } else if let Some(token) = line.strip_prefix("::stop-commands::") {
                assert_eq!(token.len(), 32);
                stopped = Some(format!("::{token}::"));
            } else {
                let is_annotation =
                    line.starts_with("::warning file=") || line.starts_with("::error file=");
                assert!(mode == "annotate" && is_annotation, "{line}");
            }
        }
        assert_eq!(stopped, None, "{ran:?}");
    }
}

#[test]
fn a_report_is_in_the_log_and_in_the_summary() {
    let runner = Runner::new([("a.py", SLEEPS), ("b.py", WITHHELD)]);
    let ran = runner.run("run.sh", &[("ASYNCFIX_MODE", "report")]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert_eq!(runner.output("status").as_deref(), Some("1"));
    let report = fs::read_to_string(runner.output("report").unwrap()).unwrap();
    for found in [
        "await-sleep[intended]",
        "await-sleep[withheld]",
        "Found 2 findings",
    ] {
        assert!(report.contains(found), "{report}");
    }
    assert!(ran.stdout.contains(&report), "{ran:?}");
    let summary = runner.temp.read("summary.md");
    let (heading, code) = summary.split_once("\n\n").unwrap();
    assert_eq!(heading, "### asyncfix");
    assert!(code.lines().all(|line| line.starts_with("    ")), "{code}");
    assert_eq!(runner.repository.read("a.py"), SLEEPS);
}

#[test]
fn a_large_report_is_cut_in_the_summary_only() {
    let runner = Runner::new([]);
    let program = runner.program(
        "large",
        "#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' 'a' | fold -w 40\nexit 1\n",
    );
    let variables = [("ASYNCFIX_MODE", "report"), ("ASYNCFIX_BIN", &program)];
    let ran = runner.run("run.sh", &variables);
    assert_eq!(ran.status, 1);
    assert_eq!(
        fs::read(runner.output("report").unwrap()).unwrap().len(),
        3_075_000 - 1
    );
    let summary = runner.temp.read("summary.md").len();
    assert!((500_000..1 << 20).contains(&summary), "{summary}");
}

#[test]
fn annotations_are_commands_and_the_rest_is_none() {
    let runner = Runner::new([("a.py", SLEEPS)]);
    let ran = runner.run("run.sh", &[("ASYNCFIX_MODE", "annotate")]);
    assert_eq!(ran.status, 1, "{ran:?}");
    let first = "::warning file=a.py,line=8,col=5,endColumn=18,title=asyncfix (await-sleep)::";
    assert!(ran.stdout.starts_with(first), "{ran:?}");
    assert!(
        ran.stdout.contains("Found 1 finding in 1 of 1 file"),
        "{ran:?}"
    );
    assert_eq!(runner.temp.read("summary.md"), "");
}

#[test]
fn what_the_event_says_is_what_suggestions_are_made_for() {
    let runner = Runner::new([("a.py", "x = 1\n")]);
    let base = commit(&runner.repository, "before the pull request");
    runner.repository.write("a.py", SLEEPS);
    let head = commit(&runner.repository, "the pull request");
    let event = format!(
        r#"{{"pull_request": {{"number": 7, "base": {{"sha": "{base}"}}, "head": {{"sha": "{head}"}}}}}}"#
    );
    runner.temp.write("event.json", event);
    let ran = runner.run(
        "run.sh",
        &[
            ("ASYNCFIX_MODE", "suggest"),
            ("ASYNCFIX_ARGS", "--dry-run --isolated"),
            (
                "GITHUB_EVENT_PATH",
                runner.temp.path("event.json").to_str().unwrap(),
            ),
            ("GITHUB_REPOSITORY", "a/b"),
            ("GITHUB_API_URL", "https://api.github.com"),
        ],
    );
    assert_eq!(ran.status, 0, "{ran:?}");
    let requests = fs::read_to_string(runner.output("report").unwrap()).unwrap();
    let requests: serde_json::Value = serde_json::from_str(&requests).unwrap();
    let text = requests.to_string();
    for part in [
        "/repos/a/b/pulls/7/",
        "```suggestion\\n    await asyncio.sleep(1)",
        &head,
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn nothing_found_is_a_success() {
    let runner = Runner::new([("a.py", "x = 1\n")]);
    for mode in ["report", "annotate"] {
        let ran = runner.run("run.sh", &[("ASYNCFIX_MODE", mode), ("ASYNCFIX_ARGS", "")]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(runner.output("status").as_deref(), Some("0"));
    }
}

#[test]
fn wrong_arguments_are_status_2() {
    let runner = Runner::new([("a.py", SLEEPS)]);
    let variables = [("ASYNCFIX_MODE", "report"), ("ASYNCFIX_ARGS", "--moderise")];
    let ran = runner.run("run.sh", &variables);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert_eq!(runner.output("status").as_deref(), Some("2"));
}

#[test]
fn a_revision_of_the_action_installs_its_own_version() {
    // Makes an environment whose Python prints what it is asked for.
    let python = "#!/bin/sh\n\
        echo \"python $*\"\n\
        if [ \"$2\" = -m ] && [ \"$3\" = venv ]; then\n\
            mkdir -p \"$4/bin\"\n\
            cp \"$0\" \"$4/bin/python\"\n\
            cp \"$0\" \"$4/bin/asyncfix\"\n\
        fi\n";
    let own = format!("asyncfix-cli=={}", env!("CARGO_PKG_VERSION"));
    let source = root().display().to_string();
    for (version, wanted) in [
        ("", own.as_str()),
        ("0.0.1rc1", "asyncfix-cli==0.0.1rc1"),
        ("latest", "--upgrade asyncfix-cli"),
        ("source", source.as_str()),
    ] {
        let runner = Runner::new([]);
        runner.program("python3", python);
        let path = format!(
            "{}:{}",
            runner.temp.path("bin").display(),
            env::var("PATH").unwrap()
        );
        let ran = runner.run(
            "install.sh",
            &[("ASYNCFIX_VERSION", version), ("PATH", &path)],
        );
        assert_eq!(ran.status, 0, "{ran:?}");
        let environment = runner.temp.path("asyncfix").display().to_string();
        let expected = format!(
            "python -I -m venv {environment}\n\
             python -I -m pip install --quiet {wanted}\n\
             python --version\n"
        );
        assert_eq!(ran.stdout, expected);
        assert_eq!(
            runner.output("bin"),
            Some(format!("{environment}/bin/asyncfix"))
        );
    }
}

#[test]
fn every_input_reaches_a_script_as_a_variable_and_in_no_other_way() {
    let action = &documents("action.yml")[0];
    let steps = action["runs"]["steps"].as_vec().unwrap();
    let mut scripts = String::new();
    let mut values = String::new();
    for step in steps {
        let run = step["run"].as_str().unwrap();
        assert!(!run.contains("${{"), "{run}");
        let script = run
            .strip_prefix("bash \"$GITHUB_ACTION_PATH/")
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap();
        scripts.push_str(&read(script));
        for variable in keys(&step["env"]) {
            values.push_str(step["env"][variable.as_str()].as_str().unwrap());
            // asyncfix itself reads the token.
            assert!(
                variable == "GITHUB_TOKEN" || scripts.contains(&format!("${variable}")),
                "{variable}"
            );
        }
    }
    for input in keys(&action["inputs"]) {
        assert!(
            values.contains(&format!("inputs.{input}")),
            "{input} is used nowhere"
        );
    }
}
