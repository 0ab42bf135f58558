//! Where the token goes: to git and to the interface of a host that was named, and nowhere else.

use std::fs;

use super::hub::{At, GITHUB, GITLAB};
use super::{Published, SLEEPS, stands_nowhere};
use crate::project::Ran;

at_both! {
    without_a_token_nothing_is_pushed,
    a_token_goes_to_no_host_that_was_not_named,
    a_token_goes_to_no_other_service,
    a_host_that_is_named_is_spoken_to,
}

fn without_a_token_nothing_is_pushed(at: At) {
    let published = Published::new(at, &["r"]);
    let ran = published.migrate(&["publish"]);
    assert_eq!(ran.status, 2);
    let said = format!("{} is not set", at.variable);
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    assert_eq!(published.branch("r"), "");
}

#[test]
fn a_folder_is_no_place_to_publish_in() {
    let campaign = crate::migrate::Campaign::new();
    let path = campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.plan(&[path.to_str().unwrap()], &[]);
    assert_eq!(campaign.migrate(&["run", "--quiet"]).status, 0);
    let ran = campaign.migrate(&["publish"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("is no address of GitHub or GitLab"),
        "{}",
        ran.stderr
    );
}

fn a_token_goes_to_no_host_that_was_not_named(at: At) {
    let published = Published::new(at, &["r"]);
    for url in [
        format!("https://{}.example/o/r", at.host),
        format!("https://{}@example.org/o/r", at.host),
        format!("https://{}:8443/o/r", at.host),
    ] {
        published.database(&format!("UPDATE repository SET url = '{url}'"));
        for arguments in [&[][..], &["--host=git.example.org"]] {
            let ran = published.publish(arguments);
            assert_eq!(ran.status, 1, "{url}");
            assert!(
                ran.stderr.contains("neither github.com nor gitlab.com"),
                "{}",
                ran.stderr
            );
        }
    }
    assert_eq!(published.hub().asked().len(), 0);
}

/// The interface that is named is that of one service, and of no other.
fn a_token_goes_to_no_other_service(at: At) {
    let published = Published::new(at, &["r"]);
    let other = if at.provider == "github" {
        GITLAB
    } else {
        GITHUB
    };
    let api = format!("--api={}", published.api);
    let provider = format!("--provider={}", other.provider);
    let mut command = published.command(&["publish", &provider, &api, "--dry-run"]);
    let ran = Ran::of(&command.output().unwrap());
    assert!(ran.stdout.contains(at.api), "{}", ran.stdout);
    assert!(!ran.stdout.contains(&published.api), "{}", ran.stdout);
}

fn a_host_that_is_named_is_spoken_to(at: At) {
    let published = Published::new(at, &["r"]);
    for url in ["https://git.example.org/o/r", "git@git.example.org:o/r.git"] {
        published.database(&format!("UPDATE repository SET url = '{url}'"));
        let provider = format!("--provider={}", at.provider);
        let host = "--host=git.example.org";
        let ran = published.migrate(&["publish", "--dry-run", "--no-owners", &provider, host]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let place = match at.provider {
            "github" => "https://git.example.org/api/v3/repos/o/r/pulls",
            _ => "https://git.example.org/api/v4/projects/o%2Fr/merge_requests",
        };
        assert!(
            ran.stdout.contains(&format!("\"{place}\"")),
            "{}",
            ran.stdout
        );
    }
}

#[cfg(unix)]
mod unix {
    use super::*;

    at_both! {
        the_token_reaches_git_and_stands_nowhere,
    }

    fn the_token_reaches_git_and_stands_nowhere(at: At) {
        use std::os::unix::fs::PermissionsExt;

        let published = Published::new(at, &["r"]);
        // Notes with what git is called, and what it would tell the host and another one.
        let folder = published.campaign.project.path("bin");
        fs::create_dir(&folder).unwrap();
        let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|folder| folder.join("git"))
            .find(|path| path.is_file())
            .unwrap();
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {0}/called\ncase \"$*\" in *push*) for host in {2} example.org; do \
             printf 'protocol=https\\nhost=%s\\n\\n' $host | {1} credential fill >> {0}/told 2>/dev/null; done;; \
             esac\nexec {1} \"$@\"\n",
            folder.display(),
            real.display(),
            at.host,
        );
        fs::write(folder.join("git"), script).unwrap();
        fs::set_permissions(folder.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let mut command = published.publishing(&[]);
        let ran = Ran::of(&command.env("PATH", path).output().unwrap());
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let told = fs::read_to_string(folder.join("told")).unwrap();
        let said = format!("host={}\nusername={}\n", at.host, at.user);
        assert!(told.contains(&said), "{told}");
        assert_eq!(told.matches(at.token).count(), 1, "{told}");
        fs::remove_file(folder.join("told")).unwrap();
        let called = fs::read_to_string(folder.join("called")).unwrap();
        assert!(called.contains("push --quiet"), "{called}");
        assert!(!(ran.stdout + &ran.stderr).contains(at.token));
        stands_nowhere(published.campaign.project.root(), at.token);
    }
}
