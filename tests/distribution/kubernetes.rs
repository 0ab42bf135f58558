//! templates/kubernetes.yaml: that it is a Job, and that it goes with what `migrate` does.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use boon::{Compiler, Schemas};
use serde_json::{Map, Value};
use yaml_rust2::Yaml;

use crate::{documents, read};

const MANIFEST: &str = "templates/kubernetes.yaml";

fn manifest() -> Value {
    value(&documents(MANIFEST)[0])
}

fn value(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Hash(entries) => {
            let entries = entries
                .iter()
                .map(|(key, entry)| (key.as_str().unwrap().to_string(), value(entry)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Yaml::Array(items) => items.iter().map(value).collect(),
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Integer(number) => Value::from(*number),
        Yaml::Boolean(is) => Value::from(*is),
        other => panic!("{other:?}"),
    }
}

/// Why Kubernetes would not take it.
fn refusal(manifest: &Value) -> Option<String> {
    let schema = serde_json::from_str(&read("tests/cli/schemas/kubernetes-job.json")).unwrap();
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    let place = "https://example.invalid/job";
    compiler.add_resource(place, schema).unwrap();
    let schema = compiler.compile(place, &mut schemas).unwrap();
    let problem = schemas.validate(manifest, schema).err();
    problem.map(|error| error.to_string())
}

#[test]
fn it_is_a_job_of_kubernetes() {
    let good = manifest();
    assert_eq!(refusal(&good), None);
    // And one with a field that there is not, or of another type, is none.
    for (place, wrong) in [
        ("/spec", ("backoffLimitPerIndexes", Value::from(1))),
        ("/spec", ("completions", Value::from("50"))),
        ("/spec/podFailurePolicy/rules/0", ("action", Value::from(7))),
    ] {
        let mut bad = good.clone();
        let part = bad.pointer_mut(place).unwrap();
        part[wrong.0] = wrong.1;
        assert!(refusal(&bad).is_some(), "{place}");
    }
}

#[test]
fn its_rules_are_those_that_kubernetes_allows_together() {
    let job = manifest();
    let spec = &job["spec"];
    assert_eq!(spec["completionMode"], "Indexed");
    assert!(spec["backoffLimitPerIndex"].as_u64().unwrap() > 0);
    // podFailurePolicy wants this, and names containers.
    assert_eq!(spec["template"]["spec"]["restartPolicy"], "Never");
    let containers = spec["template"]["spec"]["containers"].as_array().unwrap();
    for rule in spec["podFailurePolicy"]["rules"].as_array().unwrap() {
        let named = &rule["onExitCodes"]["containerName"];
        assert!(named.is_null() || containers.iter().any(|it| it["name"] == *named));
    }
}

#[test]
fn the_parts_are_as_many_as_the_pods() {
    let job = manifest();
    let args = &job["spec"]["template"]["spec"]["containers"][0]["args"];
    let args = args.as_array().unwrap().iter();
    let args: Vec<&str> = args.map(|it| it.as_str().unwrap()).collect();
    let shard = args.iter().find_map(|it| it.strip_prefix("--shard="));
    let completions = job["spec"]["completions"].to_string();
    assert_eq!(shard, Some(completions.as_str()));
    assert_eq!(args[..2], ["migrate", "run"]);
    let folder = "--campaign=/campaign/parts/$(JOB_COMPLETION_INDEX)";
    assert!(args.contains(&folder));
}

/// Runs what comes before a part, as part 7 of a campaign in this folder.
fn begin(folder: &std::path::Path) {
    let job = manifest();
    let command = &job["spec"]["template"]["spec"]["initContainers"][0]["command"];
    let words: Vec<&str> = command
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    let script = words[2].replace("/campaign/", &format!("{}/", folder.display()));
    let ran = Command::new(words[0])
        .args([words[1], &script])
        .env("JOB_COMPLETION_INDEX", "7")
        .status();
    assert!(ran.unwrap().success());
}

#[test]
fn a_part_begins_as_the_plan_and_goes_on_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    fs::create_dir_all(at("plan")).unwrap();
    fs::write(at("plan/campaign.lock"), "whole").unwrap();
    fs::write(at("plan/campaign.toml"), "").unwrap();
    // A pod that was killed while it copied.
    fs::create_dir_all(at("parts/7.new")).unwrap();
    fs::write(at("parts/7.new/campaign.lock"), "ha").unwrap();
    begin(folder.path());
    let lock = || fs::read_to_string(at("parts/7/campaign.lock")).unwrap();
    assert_eq!(lock(), "whole");
    assert!(at("parts/7/campaign.toml").exists() && !at("parts/7.new").exists());
    // Tried again, with what it has done by then.
    fs::write(at("parts/7/campaign.lock"), "further").unwrap();
    begin(folder.path());
    assert_eq!(lock(), "further");
}

/// Addresses as platform teams have them.
fn repositories() -> Vec<String> {
    let name = |number: usize| {
        format!(
            "https://git.example.org/team-{}/service-{number}.git",
            number % 97
        )
    };
    (0..10_000).map(name).collect()
}

/// The repositories of each part, as `--shard` splits them.
static PARTS: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let count = manifest()["spec"]["completions"].as_u64().unwrap();
    let all = repositories();
    let part = |index| {
        let shard = campaign::Shard::new(index, count).unwrap();
        all.iter().filter(|it| shard.has_url(it)).cloned().collect()
    };
    (0..count).map(part).collect()
});

/// How a pod ended.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Status(u64),
    /// Its node went away.
    Disrupted,
}

/// What the rules of the manifest say of a pod that ended like that: the first that is about it.
fn action(job: &Value, end: End) -> Option<String> {
    let rules = job["spec"]["podFailurePolicy"]["rules"].as_array().unwrap();
    let is_about = |rule: &&Value| match end {
        End::Status(status) => {
            let values = rule["onExitCodes"]["values"].as_array();
            values.is_some_and(|it| it.contains(&Value::from(status)))
        }
        End::Disrupted => rule["onPodConditions"][0]["type"] == "DisruptionTarget",
    };
    let rule = rules.iter().find(is_about)?;
    Some(rule["action"].as_str().unwrap().to_string())
}

/// What a Job came to.
#[derive(Default)]
struct Came {
    done: usize,
    failed: Vec<u64>,
    pods: u64,
}

/// A Job over all repositories, as its controller runs it: `end` says how the pods of a part end, by
/// the number of the attempt, and how many of its repositories are not done then.
fn job(job: &Value, end: impl Fn(u64, u64, &[String]) -> (End, usize)) -> Came {
    let spec = &job["spec"];
    let limit = spec["backoffLimitPerIndex"].as_u64().unwrap();
    let mut came = Came::default();
    for (index, own) in (0..).zip(PARTS.iter()) {
        let mut failures = 0;
        for attempt in 0.. {
            came.pods += 1;
            let (end, left) = end(index, attempt, own);
            let action = action(job, end);
            let is_over = match (end, action.as_deref()) {
                (End::Status(0), _) => true,
                (_, Some("Ignore")) => false,
                (_, Some("FailIndex")) => {
                    came.failed.push(index);
                    true
                }
                (_, Some("FailJob")) => panic!("the job failed"),
                _ => {
                    failures += 1;
                    if failures > limit {
                        came.failed.push(index);
                    }
                    failures > limit
                }
            };
            if is_over {
                came.done += own.len() - left;
                break;
            }
        }
    }
    came
}

#[test]
fn ten_thousand_repositories_are_in_one_part_each_and_the_parts_are_alike() {
    let sizes: Vec<usize> = PARTS.iter().map(Vec::len).collect();
    let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
    let all: BTreeSet<&String> = PARTS.iter().flatten().collect();
    assert_eq!((all.len(), sizes.iter().sum()), (10_000, 10_000));
    println!("parts of {least} to {most} repositories");
    assert!(*least > 150 && *most < 250, "{least} to {most}");
}

#[test]
fn a_part_that_is_lost_is_made_up_for() {
    // Part 7 loses its node more often than it may fail, and part 9 is killed once.
    let came = job(&manifest(), |index, attempt, own| match (index, attempt) {
        (7, 0..5) => (End::Disrupted, own.len()),
        (9, 0) => (End::Status(137), own.len()),
        _ => (End::Status(0), 0),
    });
    assert_eq!((came.done, came.pods), (10_000, 50 + 5 + 1));
    assert!(came.failed.is_empty());
}

#[test]
fn a_poisoned_repository_fails_its_part_once_and_nothing_else() {
    let poisoned = repositories()[4_321].clone();
    let has = |own: &[String]| own.contains(&poisoned);
    let came = job(&manifest(), |_, _, own| {
        if has(own) {
            (End::Status(3), 1)
        } else {
            (End::Status(0), 0)
        }
    });
    assert_eq!((came.done, came.pods, came.failed.len()), (9_999, 50, 1));
    // One that fails for now every time is given up after so many tries.
    let came = job(&manifest(), |_, _, own| {
        if has(own) {
            (End::Status(1), 1)
        } else {
            (End::Status(0), 0)
        }
    });
    assert_eq!(
        (came.done, came.pods, came.failed.len()),
        (9_999, 49 + 4, 1)
    );
}
