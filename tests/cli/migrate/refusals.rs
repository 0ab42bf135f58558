//! What is not touched, and what is not taken.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Campaign, commit, git, snapshot};
use crate::project::{AWAITS, CLEAN, SLEEPS};

#[test]
fn a_source_with_changes_of_its_own_stays_byte_for_byte() {
    let campaign = Campaign::new();
    let source = campaign.repository("r", &[("a.py", SLEEPS)]);
    // Not committed: a changed file, a staged one, one that git does not know.
    campaign.project.write("r/a.py", CLEAN);
    campaign.project.write("r/b.py", SLEEPS);
    git(&source, &["add", "b.py"]);
    campaign.project.write("r/c.py", SLEEPS);
    let before = snapshot(&source);
    campaign.plan(&["r"], &[]);
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(snapshot(&source), before);
    // What was committed is what was migrated.
    let patches = campaign.patches("c");
    let patch = patches.values().next().unwrap();
    assert!(patch.contains("+    await asyncio.sleep(1)"), "{patch}");
    assert!(
        !patch.contains("b.py") && !patch.contains("c.py"),
        "{patch}"
    );
}

#[test]
fn addresses_that_run_programs_or_are_options_are_refused_with_their_line() {
    let campaign = Campaign::new();
    campaign.repository("good", &[("a.py", SLEEPS)]);
    let touched = campaign.project.path("touched");
    let list = format!(
        "good\next::sh -c touch%20{0}\n--upload-pack=touch%20{0}\ngood --exec=touch%20{0}\n\
         good main ../..\nssh://-oProxyCommand=touch%20{0}/x\nhttps://a:b@c/d\nnowhere\n",
        touched.display()
    );
    campaign.project.write("list", list);
    let ran = campaign.migrate(&["plan", "list"]);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    for line in 2..=8 {
        assert!(
            ran.stderr.contains(&format!("list:{line}: ")),
            "{}",
            ran.stderr
        );
    }
    assert!(
        ran.stderr.contains("Planned 1 repository"),
        "{}",
        ran.stderr
    );
    assert!(!touched.exists());
}

#[test]
fn a_lock_file_that_was_edited_into_something_else_is_refused() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.plan(&["r"], &[]);
    let lock = campaign.project.read("c/campaign.lock");
    let path = campaign.project.path("r");
    let path = path.canonicalize().unwrap();
    for (from, to) in [
        (path.to_str().unwrap(), "ext::sh -c id"),
        (path.to_str().unwrap(), "--upload-pack=id"),
        ("name = \"", "name = \"../../"),
        ("planned = ", "path = \"../..\"\nplanned = "),
        ("planned = ", "branch = \"--exec=id\"\nplanned = "),
        ("commit = \"", "commit = \"--"),
        ("version = 1", "version = 2"),
    ] {
        let edited = lock.replacen(from, to, 1);
        assert_ne!(edited, lock);
        campaign.project.write("c/campaign.lock", edited);
        let ran = campaign.migrate(&["run"]);
        assert_eq!(ran.status, 2, "{to}: {}", ran.stderr);
        assert!(ran.stderr.contains("campaign.lock"), "{}", ran.stderr);
    }
}

#[test]
fn a_folder_that_the_campaign_did_not_make_stays() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.plan(&["r"], &[]);
    let status = campaign.status();
    let name = status["r"]["name"].as_str().unwrap();
    let tree = format!("c/trees/{name}");
    campaign.project.write(&format!("{tree}/precious"), "mine");
    git(&campaign.project.path(&tree), &["init", "-q", "."]);
    let before = snapshot(&campaign.project.path(&tree));
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("the campaign did not make it: move it away"),
        "{}",
        ran.stderr
    );
    assert_eq!(snapshot(&campaign.project.path(&tree)), before);
    // A mirror as well.
    let other = Campaign::new();
    other.repository("r", &[("a.py", SLEEPS)]);
    other.plan(&["r"], &[]);
    other.migrate(&["run"]);
    let mirrors = fs::read_dir(other.project.path("c/mirrors")).unwrap();
    let mirrors: Vec<_> = mirrors.map(|it| it.unwrap().path()).collect();
    let mirror = mirrors.iter().find(|path| path.is_dir()).unwrap();
    fs::remove_file(mirror.join("asyncfix-campaign")).unwrap();
    other.project.write("list", "r\nr main\n");
    other.migrate(&["plan", "list"]);
    let ran = other.migrate(&["run"]);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the campaign did not make it"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_folder_with_something_else_in_it_becomes_no_campaign() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.project.write("c/file", "mine");
    campaign.project.write("list", "r");
    let ran = campaign.migrate(&["plan", "list"]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.contains("is not empty and holds no campaign"),
        "{}",
        ran.stderr
    );
    assert_eq!(snapshot(&campaign.project.path("c")).len(), 1);
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.contains("asyncfix migrate plan"),
        "{}",
        ran.stderr
    );
}

#[test]
fn nothing_that_a_repository_brings_along_is_run() {
    let campaign = Campaign::new();
    let source = campaign.repository(
        "r",
        &[
            ("a.py", SLEEPS),
            (".gitattributes", "*.py filter=evil diff=evil merge=evil\n"),
            (
                "conftest.py",
                "import pathlib\npathlib.Path('/nowhere').touch()\n",
            ),
        ],
    );
    let touched = campaign.project.path("touched");
    // A submodule whose address runs a program.
    let module = format!(
        "[submodule \"m\"]\n\tpath = m\n\turl = ext::sh -c touch%20{}\n",
        touched.display()
    );
    campaign.project.write("r/.gitmodules", module);
    git(&source, &["add", "--all"]);
    let head = git(&source, &["rev-parse", "HEAD"]);
    let link = format!("160000,{},m", head.trim());
    git(&source, &["update-index", "--add", "--cacheinfo", &link]);
    git(&source, &["commit", "-q", "-m", "More"]);
    // Hooks and drivers of the source's own configuration, which a clone of a path could meet.
    let script = format!("#!/bin/sh\ntouch '{}'\n", touched.display());
    campaign.project.write("evil", &script);
    let evil = campaign.project.path("evil");
    let hooks = source.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    let names = ["post-checkout", "pre-commit", "reference-transaction"];
    let hooks = names.map(|name| hooks.join(name));
    for path in hooks.iter().chain([&evil]) {
        fs::write(path, &script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for key in [
        "filter.evil.smudge",
        "filter.evil.clean",
        "diff.evil.textconv",
        "diff.evil.command",
        "core.fsmonitor",
        "core.sshCommand",
        "uploadpack.packObjectsHook",
    ] {
        git(&source, &["config", key, evil.to_str().unwrap()]);
    }
    // Whoever heeds them runs them.
    git(&source, &["status"]);
    assert!(touched.exists());
    fs::remove_file(&touched).unwrap();
    // The user has such drivers too.
    let home = campaign.project.path("home");
    let drivers = format!(
        "[filter \"evil\"]\n\tsmudge = {0}\n\tclean = {0}\n",
        evil.display()
    );
    campaign.project.write("home/.gitconfig", drivers);
    campaign.plan(&["r"], &[]);
    let mut run = campaign.command(&["run"]);
    let output = run.env("HOME", &home).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("1 fixed"), "{said}");
    assert!(!touched.exists());
}

#[test]
fn what_the_commands_change_is_neither_looked_at_nor_committed() {
    let campaign = Campaign::new();
    campaign.repository(
        "r",
        &[("a.py", SLEEPS), ("b.py", SLEEPS), ("notes", "as it was\n")],
    );
    // Setup makes a package, and changes a file; the tests change another.
    campaign.plan(
        &["r"],
        &[
            "--setup=mkdir -p env/lib && cp a.py env/lib/x.py && echo '# by setup' >> b.py",
            "--verify=echo by the tests >> notes",
        ],
    );
    let ran = campaign.migrate(&["run", "--keep-trees"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let patches = campaign.patches("c");
    let patch = patches.values().next().unwrap();
    assert_eq!(patch.matches("diff --git").count(), 1, "{patch}");
    assert!(patch.contains("diff --git a/a.py b/a.py"), "{patch}");
    let status = campaign.status();
    let tree = format!("c/trees/{}", status["r"]["name"].as_str().unwrap());
    assert_eq!(campaign.project.read(&format!("{tree}/a.py")), AWAITS);
    assert_eq!(
        campaign.project.read(&format!("{tree}/env/lib/x.py")),
        SLEEPS
    );
    let b = campaign.project.read(&format!("{tree}/b.py"));
    assert_eq!(b, format!("{SLEEPS}# by setup\n"));
}

#[test]
fn a_campaign_of_a_later_version_is_refused() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.plan(&["r"], &[]);
    let path = campaign.project.path("c/campaign.db");
    let database = rusqlite::Connection::open(path).unwrap();
    database.pragma_update(None, "user_version", 999).unwrap();
    drop(database);
    for command in ["run", "status"] {
        let ran = campaign.migrate(&[command]);
        assert_eq!(ran.status, 2);
        assert!(ran.stderr.contains("version 999"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("a later one wrote it"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn wrong_usage_says_what_to_do() {
    let campaign = Campaign::new();
    let source = campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.project.write("list", "r");
    for (arguments, said) in [
        (["plan", "list", "--select=await-slep"], "await-sleep"),
        (["plan", "list", "--config=nonsense"], "KEY=VALUE"),
        (["plan", "list", "--config=selct=[]"], "selct"),
        (["plan", "list", "--name=a b"], "write `a-b`"),
        (["plan", "list", "--author=me"], "Name <address>"),
        (["plan", "nowhere", "--refresh"], "nowhere"),
    ] {
        let ran = campaign.migrate(&arguments);
        assert_eq!(ran.status, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
    assert!(!campaign.project.path("c").exists());
    campaign.plan(&["r"], &[]);
    for (shard, said) in [
        ("2/2", "parts count from 0"),
        ("2", "JOB_COMPLETION_INDEX is not set"),
    ] {
        let ran = campaign.migrate(&["run", &format!("--shard={shard}")]);
        assert_eq!(ran.status, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    commit(&source, "Not planned");
    let toml = campaign.project.read("c/campaign.toml");
    for (from, to, said) in [
        ("select = []", "select = [\"await-slep\"]", "await-sleep"),
        (
            "settings = []",
            "settings = [\"pyproject.toml\"]",
            "KEY=VALUE",
        ),
        ("select = []", "selct = []", "selct"),
    ] {
        let edited = toml.replace(from, to);
        assert_ne!(edited, toml);
        campaign.project.write("c/campaign.toml", edited);
        let ran = campaign.migrate(&["run"]);
        assert_eq!(ran.status, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("campaign.toml"), "{}", ran.stderr);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}
