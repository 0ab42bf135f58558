//! What comes out.

use super::{Campaign, git};
use crate::project::{AWAITS, CLEAN, SLEEPS, WITHHELD};

#[test]
fn the_patch_applies_to_the_source_and_names_what_was_withheld() {
    let campaign = Campaign::new();
    let source = campaign.repository(
        "r",
        &[("a.py", SLEEPS), ("b.py", WITHHELD), ("c.py", CLEAN)],
    );
    campaign.plan(&["r"], &["--name=sleeps"]);
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let patches = campaign.patches("c");
    let (name, patch) = patches.iter().next().unwrap();
    assert!(
        patch.contains("Subject: [PATCH] asyncfix: 1 fix in 1 file"),
        "{patch}"
    );
    assert!(patch.contains("\n  await-sleep: 1\n"), "{patch}");
    assert!(
        patch.contains("Left for a person to decide:\n  await-sleep: 1: "),
        "{patch}"
    );
    let file = campaign.project.path("c/patches").join(name);
    let clone = campaign.project.path("clone");
    git(campaign.project.root(), &["clone", "-q", "r", "clone"]);
    git(&clone, &["apply", "--check", file.to_str().unwrap()]);
    git(&clone, &["am", "-q", file.to_str().unwrap()]);
    assert_eq!(campaign.project.read("clone/a.py"), AWAITS);
    assert_eq!(campaign.project.read("clone/b.py"), WITHHELD);
    // The branch stands in the mirror, upon the planned commit.
    let mirror = std::fs::read_dir(campaign.project.path("c/mirrors")).unwrap();
    let mirror = mirror
        .map(|it| it.unwrap().path())
        .find(|it| it.is_dir())
        .unwrap();
    let parent = git(&mirror, &["rev-parse", "asyncfix/sleeps^"]);
    assert_eq!(parent, git(&source, &["rev-parse", "HEAD"]));
    let author = git(
        &mirror,
        &["log", "-1", "--format=%an <%ae> %ct", "asyncfix/sleeps"],
    );
    assert!(author.starts_with("A <a@b> "), "{author}");
    // No work tree is left.
    let trees = std::fs::read_dir(campaign.project.path("c/trees")).unwrap();
    assert!(trees.map(|it| it.unwrap().path()).all(|it| !it.is_dir()));
}

#[test]
fn fixes_that_break_the_tests_are_taken_back() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", SLEEPS), ("b.py", SLEEPS)]);
    campaign.plan(&["r"], &["--verify=grep -q 'time.sleep(1)' b.py"]);
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let patches = campaign.patches("c");
    let patch = patches.values().next().unwrap();
    assert!(
        patch.contains("a/a.py") && !patch.contains("a/b.py"),
        "{patch}"
    );
    assert!(patch.contains("1 fix was taken back"), "{patch}");
    let status = campaign.status();
    assert_eq!(status["r"]["result"]["fixed"], 1);
    assert_eq!(status["r"]["result"]["withheld"], 1);
    assert_eq!(status["r"]["result"]["tests"]["culprits"], 1);
}

#[test]
fn a_folder_of_a_repository_is_migrated_alone_and_the_mirror_is_shared() {
    let campaign = Campaign::new();
    campaign.repository(
        "r",
        &[("one/a.py", SLEEPS), ("two/a.py", SLEEPS), ("a.py", SLEEPS)],
    );
    campaign.plan(&["r main one", "r - two"], &["--name=n"]);
    let ran = campaign.migrate(&["run", "--jobs=2"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let patches: Vec<String> = campaign.patches("c").into_values().collect();
    assert_eq!(patches.len(), 2);
    for patch in &patches {
        assert_eq!(patch.matches("diff --git").count(), 1, "{patch}");
        assert!(!patch.contains("diff --git a/a.py"), "{patch}");
    }
    let mirrors = std::fs::read_dir(campaign.project.path("c/mirrors")).unwrap();
    let mirrors: Vec<_> = mirrors
        .map(|it| it.unwrap().path())
        .filter(|it| it.is_dir())
        .collect();
    assert_eq!(mirrors.len(), 1);
    let branches = git(
        &mirrors[0],
        &["for-each-ref", "--format=%(refname:short)", "refs/heads"],
    );
    assert_eq!(branches, "asyncfix/n-main-one\nasyncfix/n-two\n");
}

#[test]
fn nothing_is_cloned_or_done_again() {
    let campaign = Campaign::new();
    let source = campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.plan(&["r"], &[]);
    assert_eq!(campaign.migrate(&["run"]).status, 0);
    let ids = "SELECT max(id) FROM journal";
    let before: Vec<i64> = campaign.ask("c", ids);
    assert_eq!(campaign.migrate(&["run"]).status, 0);
    assert_eq!(campaign.ask::<i64>("c", ids), before);
    // With the source gone, another configuration is served by the mirror.
    std::fs::rename(&source, campaign.project.path("away")).unwrap();
    let toml = campaign.project.read("c/campaign.toml");
    campaign.project.write(
        "c/campaign.toml",
        toml.replace("safe-only = false", "safe-only = true"),
    );
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(campaign.status()["r"]["result"]["fixed"], 0);
    assert_eq!(campaign.patches("c").len(), 0);
    let mirrored: Vec<i64> = campaign.ask(
        "c",
        "SELECT count(*) FROM journal WHERE step = 'mirror' AND what = 'start'",
    );
    assert_eq!(mirrored, [1]);
    campaign.nothing_was_done_twice("c");
}

#[test]
fn what_is_planned_keeps_its_commit_until_it_is_refreshed() {
    let campaign = Campaign::new();
    let source = campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.repository("s", &[("a.py", SLEEPS)]);
    campaign.plan(&["r"], &[]);
    let lock = campaign.project.read("c/campaign.lock");
    super::commit(&source, "More");
    campaign.plan(&["r", "s"], &[]);
    let longer = campaign.project.read("c/campaign.lock");
    assert!(longer.starts_with(lock.trim_end()), "{longer}");
    campaign.plan(&["r"], &["--refresh"]);
    let head = git(&source, &["rev-parse", "HEAD"]);
    let lock = campaign.project.read("c/campaign.lock");
    assert!(lock.contains(head.trim()), "{lock}");
    assert_eq!(campaign.status().len(), 1);
}

#[test]
fn parts_and_what_they_are_merged_to_are_the_whole() {
    let campaign = Campaign::new();
    let mut names = Vec::new();
    for number in 0..7 {
        let text = [SLEEPS, CLEAN, WITHHELD][number % 3];
        let name = format!("r{number}");
        campaign.repository(&name, &[("a.py", text), ("b.py", SLEEPS)]);
        names.push(name);
    }
    let mut lines: Vec<&str> = names.iter().map(String::as_str).collect();
    lines.push("r0 main");
    campaign.plan(
        &lines,
        &["--name=parts", "--verify=test ! -e a.py -o -e b.py"],
    );
    let mut folders = Vec::new();
    for index in 0..3 {
        let folder = format!("part{index}");
        for file in ["campaign.toml", "campaign.lock"] {
            let bytes = campaign.project.bytes(&format!("c/{file}"));
            campaign.project.write(&format!("{folder}/{file}"), bytes);
        }
        let mut command = campaign.command(&["run", "--shard=3", "--campaign", &folder]);
        let output = command
            .env("JOB_COMPLETION_INDEX", index.to_string())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        folders.push(folder);
    }
    let words: Vec<&str> = folders.iter().map(String::as_str).collect();
    let ran = campaign.migrate(&[&["merge"], &words[..], &["--campaign", "merged"]].concat());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(campaign.migrate(&["run"]).status, 0);
    assert_eq!(campaign.final_state("merged"), campaign.final_state("c"));
    // Merged again, and run: nothing is left to be done.
    let ran = campaign.migrate(&[&["merge"], &words[..], &["--campaign", "merged"]].concat());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let sql = "SELECT count(*) FROM journal";
    let before: Vec<i64> = campaign.ask("merged", sql);
    let ran = campaign.migrate(&["run", "--campaign", "merged"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(campaign.ask::<i64>("merged", sql), before);
    campaign.nothing_was_done_twice("merged");
    assert_eq!(campaign.final_state("merged"), campaign.final_state("c"));
    // The branches came along.
    for row in campaign.status_of("merged").values() {
        if let Some(commit) = row["result"]["commit"].as_str() {
            let mirror = row["mirror"].as_str().unwrap();
            git(
                &campaign.project.path("merged").join(mirror),
                &["cat-file", "-e", commit],
            );
        }
    }
}

#[test]
fn a_table_of_commas_has_commands_of_its_own() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.repository("s", &[("a.py", SLEEPS)]);
    campaign.project.write(
        "list.csv",
        "url,test,setup\nr,test -e made,touch made\ns,,\n",
    );
    let ran = campaign.migrate(&["plan", "list.csv", "--no-types"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let status = campaign.status();
    assert_eq!(status["r"]["result"]["tests"]["failing"], 0);
    assert!(status["s"]["result"]["tests"].is_null());
}

#[test]
fn the_report_tells_the_whole() {
    let campaign = Campaign::new();
    campaign.repository("good", &[("a.py", SLEEPS), ("b.py", WITHHELD)]);
    campaign.repository("old", &[("a.py", "print 'async, time.sleep'\n")]);
    campaign.plan(&["good", "old"], &[]);
    campaign.migrate(&["run"]);
    let ran = campaign.migrate(&["report"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    for said in [
        "2 repositories",
        "await-sleep",
        "withheld",
        "none of its 1 Python files",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
    let ran = campaign.migrate(&["report", "--html", "page.html"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let page = campaign.project.read("page.html");
    for said in ["good", "old", "await-sleep", "a.py"] {
        assert!(page.contains(said), "{said}");
    }
    // It leads from the repository to its findings.
    let status = campaign.status();
    let name = status["good"]["name"].as_str().unwrap();
    let link = format!("<a href=\"#folder={}\">", name.replace('-', "%2D"));
    assert!(page.contains(&link), "{link}");
    assert!(page.contains(&format!("\"path\":\"{name}/a.py\"")));
}

#[test]
fn what_others_wrote_is_text_on_the_page() {
    let campaign = Campaign::new();
    let evil = "</script><img src=x onerror=alert(1)>";
    campaign.repository(
        "r",
        &[("<i>.py", SLEEPS), ("a.py", &format!("{SLEEPS}# {evil}\n"))],
    );
    campaign.repository("s", &[("a.py", SLEEPS)]);
    campaign.project.write(
        "list.csv",
        format!("url,setup\nr,\ns,\"echo '{evil}' >&2; exit 1\"\n"),
    );
    let ran = campaign.migrate(&["plan", "list.csv", "--no-types"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    campaign.migrate(&["report", "--html", "page.html"]);
    let page = campaign.project.read("page.html");
    assert!(
        page.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"),
        "the reason"
    );
    assert!(!page.contains(evil) && !page.contains("<i>.py"));
    // What each of them printed is kept.
    let name = campaign.status()["s"]["name"].as_str().unwrap().to_string();
    let log = campaign.project.read(&format!("c/logs/{name}.setup.log"));
    assert_eq!(log, format!("{evil}\n"));
}
