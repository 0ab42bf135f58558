//! How a plan is carried out, whatever the service.

use service::{Client, Failure, Request};

use crate::fingerprint;
use crate::plan::{Comment, Plan};
use crate::posted::{Done, Posted, Said, Steps, is_same, steps};
use crate::summary::{for_page, settled, summary};

/// A pull request of a service, as somebody who has a token sees it.
pub trait Place {
    /// How the service calls a comment.
    type Id: Clone;

    /// The bytes that a summary may have.
    const SUMMARY_SIZE: usize;

    /// What a comment says.
    fn body(&self, comment: &Comment) -> String;

    /// The comments that earlier runs made.
    fn posted(&self, client: &mut Client) -> Result<Vec<Posted<Self::Id>>, Failure>;

    /// Makes these comments. Fixes that the service does not accept are given up, with all that
    /// belongs to them.
    fn create(
        &self,
        comments: &[Comment],
        client: &mut Client,
        plan: &mut Plan,
        done: &mut Done,
    ) -> Result<(), Failure>;

    /// The request that changes a comment.
    fn change(&self, id: &Self::Id, body: &str) -> Request;

    /// The request that removes a comment.
    fn removal(&self, id: &Self::Id) -> Request;

    /// Our comments on the whole: how the service calls them, and what they say.
    fn summaries(&self, client: &mut Client) -> Result<Vec<(u64, String)>, Failure>;

    /// The request that makes a comment on the whole.
    fn summary(&self, body: &str) -> Request;

    /// The request that changes a comment on the whole.
    fn summary_change(&self, id: u64, body: &str) -> Request;
}

/// Makes the pull request say what the plan says. The error says why it does not; what was said by
/// then stays.
pub fn carry_out(place: &impl Place, mut plan: Plan, client: &mut Client) -> Result<Said, Failure> {
    let mut done = Done::default();
    // How many are as they should be before us, and how many are there.
    let mut before = None;
    let mut repeats = 0;
    let posted = loop {
        let posted = match place.posted(client) {
            Err(Failure::Forbidden(reason)) => return Ok(Said::NotAllowed(reason)),
            posted => posted?,
        };
        let steps = steps(&plan, &posted, |it| place.body(it));
        before.get_or_insert((steps.kept, steps.kept + steps.update.len()));
        let create: Vec<Comment> = steps.create.into_iter().cloned().collect();
        match place.create(&create, client, &mut plan, &mut done) {
            Ok(()) => break posted,
            Err(Failure::Forbidden(reason)) if done.created == 0 => {
                return Ok(Said::NotAllowed(reason));
            }
            // It may be there all the same: we look again, so that nothing is said twice.
            Err(Failure::Unclear(_)) if client.back_off(repeats) => repeats += 1,
            Err(Failure::Unclear(reason)) => return Err(Failure::Broken(reason)),
            Err(failure) => return Err(failure),
        }
    };
    let (kept, there) = before.unwrap_or_default();
    done.kept = kept;
    done.created = plan.comments.len().saturating_sub(there);
    // Of a fix that was given up meanwhile, nothing is to stay.
    let Steps { update, delete, .. } = steps(&plan, &posted, |it| place.body(it));
    for (id, body) in update {
        match client.send(&place.change(&id, &body)) {
            Ok(_) => done.updated += 1,
            Err(failure) => done.warnings.push(failure.to_string()),
        }
    }
    for id in delete {
        match client.send(&place.removal(&id)) {
            Ok(_) => done.deleted += 1,
            Err(Failure::Missing(_)) => {} // somebody was faster
            Err(failure) => done.warnings.push(failure.to_string()),
        }
    }
    let unsaid = match summarise(place, &plan, client) {
        Ok(()) => None,
        Err(failure) => {
            done.warnings.push(failure.to_string());
            for_page(&plan)
        }
    };
    done.rest = plan.rest.len();
    Ok(Said::All(done, unsaid))
}

/// Makes the summary, or brings the one that is there up to date.
fn summarise<P: Place>(place: &P, plan: &Plan, client: &mut Client) -> Result<(), Failure> {
    let mut repeats = 0;
    loop {
        let there = place.summaries(client)?;
        let is_ours = |(_, body): &&(u64, String)| body.starts_with(fingerprint::SUMMARY);
        let request = match (there.iter().find(is_ours), summary(plan, P::SUMMARY_SIZE)) {
            (None, None) => return Ok(()),
            (None, Some(wanted)) => place.summary(&wanted),
            (Some((id, body)), wanted) => {
                let wanted = wanted.unwrap_or_else(settled);
                if is_same(body, &wanted) {
                    return Ok(());
                }
                place.summary_change(*id, &wanted)
            }
        };
        match client.send(&request) {
            Ok(_) => return Ok(()),
            // It may be there all the same.
            Err(Failure::Unclear(_)) if client.back_off(repeats) => repeats += 1,
            Err(failure) => return Err(failure),
        }
    }
}
