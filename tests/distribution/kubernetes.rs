//! templates/kubernetes.yaml: that it is a Job, and that it goes with what `migrate` does.

use std::fs;
use std::process::Command;

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
    fs::create_dir_all(at("plan/mirrors")).unwrap();
    fs::write(at("plan/campaign.lock"), "whole").unwrap();
    // A pod that was killed while it copied.
    fs::create_dir_all(at("parts/7.new")).unwrap();
    fs::write(at("parts/7.new/campaign.lock"), "ha").unwrap();
    begin(folder.path());
    let lock = || fs::read_to_string(at("parts/7/campaign.lock")).unwrap();
    assert_eq!(lock(), "whole");
    assert!(at("parts/7/mirrors").is_dir() && !at("parts/7.new").exists());
    // Tried again, with what it has done by then.
    fs::write(at("parts/7/campaign.lock"), "further").unwrap();
    begin(folder.path());
    assert_eq!(lock(), "further");
}
