//! One pull request: that there is one, and one only.

use serde_json::Value;
use service::{Client, Failure, Request};

use crate::hub::{Hub, People, Pull, State, Wanted};

/// What became of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It was made.
    Made(Pull),
    /// It was there, and says now what it is to say.
    Updated(Pull),
    /// It is there, and somebody has decided on it, or nothing changed.
    Left(Pull),
}

impl Published {
    /// The pull request.
    pub fn pull(&self) -> &Pull {
        match self {
            Published::Made(pull) | Published::Updated(pull) | Published::Left(pull) => pull,
        }
    }
}

/// The pull request of the branch: the one of that number, else the newest that is open, else the
/// newest.
pub fn look_up(
    hub: &dyn Hub,
    wanted: &Wanted,
    number: Option<u64>,
    client: &mut Client,
) -> Result<Option<Pull>, Failure> {
    if let Some(number) = number {
        match client.send(&hub.one(number)) {
            Ok(answer) => {
                if let Some(pull) = hub.read(&answer, wanted) {
                    return Ok(Some(pull));
                }
            }
            // The project was made anew, or it was another one.
            Err(Failure::Missing(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    let all = client.list(&hub.of_branch(wanted))?;
    let mut pulls = all.iter().filter_map(|answer| hub.read(answer, wanted));
    let first = pulls.next();
    let open = first
        .iter()
        .cloned()
        .chain(pulls)
        .find(|pull| pull.state == State::Open);
    Ok(open.or(first))
}

/// Sees to it that there is one pull request as it is wanted, where `there` is what
/// [`look_up`] found. Its branch has to be there.
///
/// A request to make one whose answer is lost, or that is refused since there is one, is followed
/// by a look before another is sent.
pub fn publish(
    hub: &dyn Hub,
    wanted: &Wanted,
    there: Option<Pull>,
    is_changed: bool,
    client: &mut Client,
) -> Result<Published, Failure> {
    let mut there = there;
    let mut repeats = 0;
    loop {
        match there {
            Some(pull) if pull.state == State::Open && is_changed => {
                client.send(&hub.update(&pull, wanted))?;
                return Ok(Published::Updated(pull));
            }
            Some(pull) => return Ok(Published::Left(pull)),
            None => {}
        }
        let failure = match client.send(&hub.create(wanted)) {
            Ok(answer) => match hub.read(&answer, wanted) {
                Some(pull) => return Ok(Published::Made(pull)),
                None => Failure::Unclear("the answer does not say what was made".to_string()),
            },
            Err(failure) => failure,
        };
        let may_be_there = matches!(failure, Failure::Unclear(_) | Failure::Invalid(_));
        if !may_be_there {
            return Err(failure);
        }
        there = look_up(hub, wanted, None, client)?;
        match (&there, failure) {
            // What was lost says what it is to say.
            (Some(pull), Failure::Unclear(_)) => return Ok(Published::Made(pull.clone())),
            (Some(_), _) => {}
            (None, Failure::Unclear(text)) if !client.back_off(repeats) => {
                return Err(Failure::Broken(text));
            }
            (None, Failure::Unclear(_)) => repeats += 1,
            (None, failure) => return Err(failure),
        }
    }
}

/// Asks people to look at a pull request. What does not work is said, and no reason to fail: they
/// may not belong to the project.
pub fn ask(
    hub: &dyn Hub,
    number: u64,
    people: &People,
    client: &mut Client,
) -> Result<Vec<String>, Failure> {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for (name, request) in hub.look_up(people) {
        match sent(&request, client)? {
            Ok(answer) if answer.as_array().is_some_and(Vec::is_empty) => {
                problems.push(format!(
                    "no user is named `{name}`; a group cannot be asked"
                ));
            }
            Ok(answer) => found.push(answer),
            Err(problem) => problems.push(problem),
        }
    }
    for request in hub.ask(number, people, &found) {
        problems.extend(sent(&request, client)?.err());
    }
    Ok(problems)
}

/// The answer, or what is in the way of this one request.
fn sent(request: &Request, client: &mut Client) -> Result<Result<Value, String>, Failure> {
    match client.send(request) {
        Ok(answer) => Ok(Ok(answer)),
        Err(
            Failure::Forbidden(text)
            | Failure::Missing(text)
            | Failure::Invalid(text)
            | Failure::Unclear(text),
        ) => Ok(Err(text)),
        Err(failure) => Err(failure),
    }
}
