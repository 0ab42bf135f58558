//! What the pull request of a repository says.

use campaign::{Campaign, Migrated};
use publish::{People, Summary, Tests};

use crate::arguments::Provider;

/// Its text: what was done, what was left and why, and how the tests went.
pub fn body(
    campaign: &Campaign,
    migrated: &Migrated,
    provider: Provider,
    people: &People,
) -> String {
    let made = &migrated.made;
    let effect = |name: &str| codemods::find(name).map_or("", |codemod| codemod.effect());
    let fixed = made.codemods.iter().filter(|it| it.fixed > 0);
    let left = made.codemods.iter().flat_map(|codemod| {
        let reasons = codemod.reasons.iter();
        let withheld = reasons.map(|it| (codemod.name.clone(), it.count, it.reason.clone()));
        let more = [
            (
                codemod.unsafe_,
                "has an unsafe fix: --unsafe-fixes applies it",
            ),
            (
                codemod.safe + codemod.intended,
                "has a fix that was not applied",
            ),
        ];
        let more = more.into_iter().filter(|(count, _)| *count > 0);
        let more = more.map(|(count, why)| (codemod.name.clone(), count, why.to_string()));
        withheld.chain(more).collect::<Vec<_>>()
    });
    let verify = migrated.repository.verify.clone();
    let command = verify.or_else(|| campaign.config.verify.clone());
    let tests = made.tests.as_ref().map(|tests| Tests {
        command: command.unwrap_or_default(),
        runs: tests.runs,
        failing: tests.failing,
        taken_back: tests.culprits + tests.undecided,
        unstable: tests.unstable,
    });
    publish::body(&Summary {
        campaign: campaign.name(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        fixed: fixed
            .map(|it| (it.name.clone(), it.fixed, effect(&it.name).to_string()))
            .collect(),
        left: left.collect(),
        not_analysed: made.not_analysed,
        faults: made.problems.faults,
        tests,
        // A group of GitLab can neither be assigned nor asked.
        owners: match provider {
            Provider::Github => Vec::new(),
            Provider::Gitlab => people.teams.clone(),
        },
    })
}
