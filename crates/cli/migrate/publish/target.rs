//! Where the fixes of a repository go, by its address.

use campaign::{Failure, Migrated, Publisher};
use publish::{GITHUB_PLACES, GITLAB_PLACES, GitHub, GitLab, Hub, Owners, People, Place, Wanted};

use super::said;
use crate::arguments::Provider;
use crate::migrate::arguments::Publish;

/// A repository to be published, and where that is done.
pub struct Target {
    pub id: i64,
    pub migrated: Migrated,
    pub provider: Provider,
    pub api: String,
    pub hub: Box<dyn Hub>,
    pub wanted: Wanted,
}

impl Target {
    /// Where the fixes of a repository go, and what is said there.
    pub fn of(
        arguments: &Publish,
        publisher: &Publisher,
        id: i64,
        migrated: Migrated,
    ) -> Result<Self, String> {
        let repository = &migrated.repository;
        let Some(base) = repository.base.clone() else {
            return Err(format!(
                "`{}` is no branch that a pull request could go into: plan it with one",
                repository.branch.as_deref().unwrap_or(&repository.commit)
            ));
        };
        let place = Place::of(&repository.url)
            .ok_or_else(|| format!("`{}` is no address of GitHub or GitLab", repository.url))?;
        let provider = provider_of(arguments, &place)?;
        let api = match (&arguments.api, provider) {
            (Some(api), provider) if arguments.provider == Some(provider) => api.clone(),
            (_, Provider::Github) if place.host == GITHUB => "https://api.github.com".to_string(),
            (_, Provider::Github) => format!("https://{}/api/v3", place.host),
            (_, Provider::Gitlab) => format!("https://{}/api/v4", place.host),
        };
        let hub: Box<dyn Hub> = match provider {
            Provider::Github => Box::new(GitHub {
                repository: place.project,
            }),
            Provider::Gitlab => Box::new(GitLab {
                project: place.project,
            }),
        };
        let people = if arguments.no_owners {
            People::default()
        } else {
            owners_of(publisher, &migrated, provider).map_err(|failure| failure.to_string())?
        };
        let wanted = Wanted {
            title: migrated.commit.title.clone(),
            body: said::body(publisher.campaign(), &migrated, provider, &people),
            branch: migrated.commit.branch.clone(),
            base,
            draft: arguments.draft,
            people,
        };
        Ok(Self {
            id,
            migrated,
            provider,
            api,
            hub,
            wanted,
        })
    }
}

fn provider_of(arguments: &Publish, place: &Place) -> Result<Provider, String> {
    match (place.host.as_str(), arguments.provider) {
        (GITHUB, _) => Ok(Provider::Github),
        (GITLAB, _) => Ok(Provider::Gitlab),
        (host, Some(provider)) if arguments.host.as_deref() == Some(host) => Ok(provider),
        (host, _) => Err(format!(
            "{host} is neither github.com nor gitlab.com: name it with `--host {host}` and \
             `--provider`, so that the token goes there"
        )),
    }
}

/// Who owns what is changed, by the file that the service looks at.
fn owners_of(
    publisher: &Publisher,
    migrated: &Migrated,
    provider: Provider,
) -> Result<People, Failure> {
    let places = match provider {
        Provider::Github => GITHUB_PLACES,
        Provider::Gitlab => GITLAB_PLACES,
    };
    for place in places {
        let Some(text) = publisher.text(migrated, place)? else {
            continue;
        };
        let owners = match provider {
            Provider::Github => Owners::of_github(&text),
            Provider::Gitlab => Owners::of_gitlab(&text),
        };
        let changed = publisher.changed(migrated)?;
        return Ok(owners.of(changed.iter().map(String::as_str)));
    }
    Ok(People::default())
}

const GITHUB: &str = "github.com";
const GITLAB: &str = "gitlab.com";
