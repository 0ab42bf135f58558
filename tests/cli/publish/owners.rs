//! Who is asked to look at a pull request.

use serde_json::json;

use super::hub::{At, GITHUB, GITLAB};
use super::{Published, SLEEPS};
use crate::suggest::described::Trouble;
use crate::suggest::server::Answer;

at_both! {
    owners_of_what_is_changed_are_asked_once,
    one_who_cannot_be_asked_is_no_reason_to_fail,
    nobody_is_asked_where_that_is_not_wanted,
}

/// At each the file that it looks at first says who.
fn owned(at: At, extra: &str) -> Vec<(&'static str, String)> {
    let owners = format!(
        "* @everybody\n*.py @ann @O/python @other/team mail@example.org{extra}\n/docs/ @writer\n"
    );
    match at.provider {
        "github" => vec![
            ("docs/CODEOWNERS", "* @nobody\n".to_string()),
            (".github/CODEOWNERS", owners),
        ],
        _ => vec![
            (".gitlab/CODEOWNERS", "* @nobody\n".to_string()),
            ("CODEOWNERS", owners),
        ],
    }
}

fn with(at: At, owners: &[(&'static str, String)]) -> Published {
    let mut files = vec![("a.py", SLEEPS)];
    files.extend(owners.iter().map(|(path, text)| (*path, text.as_str())));
    let published = Published::of(at, &[("r", files)], &[]);
    published.run();
    published
}

fn owners_of_what_is_changed_are_asked_once(at: At) {
    let published = with(at, &owned(at, ""));
    published.published(&[]);
    {
        let mut hub = published.hub();
        let seen = hub.seen("r");
        assert_eq!(seen.users, ["ann"]);
        if at.provider == "github" {
            assert_eq!(seen.teams, ["python"]);
        } else {
            // A group can be neither assigned nor asked.
            let named = "Owners of this code:\n\n```text\nO/python\nother/team\n```";
            assert!(seen.body.contains(named), "{}", seen.body);
        }
        // Somebody takes it off.
        hub.unassign("r");
    }
    published.published(&[]);
    assert!(published.hub().seen("r").users.is_empty());
    // Also where the pull request is brought up to date.
    published.go_on("r");
    published.published(&[]);
    assert!(published.hub().seen("r").users.is_empty());
}

fn one_who_cannot_be_asked_is_no_reason_to_fail(at: At) {
    let published = with(at, &owned(at, ""));
    let answer = Answer::new(422, json!({ "message": "Validation Failed" }));
    published
        .hub()
        .go_wrong(vec![Trouble::new(at.ask, 1, answer)]);
    let said = published.published(&[]);
    assert!(said.contains("an owner cannot be asked"), "{said}");
}

fn nobody_is_asked_where_that_is_not_wanted(at: At) {
    let published = with(at, &owned(at, ""));
    published.published(&["--no-owners"]);
    let mut hub = published.hub();
    let seen = hub.seen("r");
    assert!(seen.users.is_empty() && seen.teams.is_empty());
    assert!(!seen.body.contains("Owners"), "{}", seen.body);
    assert!(hub.asked().iter().all(|it| it.0 != at.ask));
}

/// It knows users by number, and groups by the same kind of name.
#[test]
fn gitlab_is_asked_for_the_numbers_of_users() {
    let published = with(GITLAB, &owned(GITLAB, " @group"));
    let said = published.published(&[]);
    assert!(said.contains("`group`"), "{said}");
    let hub = published.hub();
    let asked = hub.asked().iter();
    let assigned = asked.filter(|it| it.0 == GITLAB.update);
    let bodies: Vec<_> = assigned.map(|it| it.1.body.clone()).collect();
    assert_eq!(bodies, [json!({ "assignee_ids": [11] })]);
}

#[test]
fn sections_of_gitlab_have_owners_of_their_own() {
    let text = "[Python] @bob\n*.py\n[Docs] @ann\n/docs/\n".to_string();
    let published = with(GITLAB, &[("CODEOWNERS", text.clone())]);
    published.published(&[]);
    assert_eq!(published.hub().seen("r").users, ["bob"]);
    // GitHub has none.
    let published = with(GITHUB, &[("CODEOWNERS", text)]);
    published.published(&[]);
    assert!(published.hub().seen("r").users.is_empty());
}
