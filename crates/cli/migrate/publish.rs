//! `asyncfix migrate publish`: the branches are pushed, and a pull request is opened for each.
//!
//! Serial, and to be ended at any time: what is noted is what the service said, and what it did
//! without our hearing of it is looked up by the name of the branch before it is asked again.

mod counts;
mod said;
mod target;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow};
use campaign::{
    Branch, Campaign, Credentials, Database, Failure as GitFailure, Keeper, Migrated, Publication,
    Publisher,
};
use publish::{People, Published, Pull, State};
use serde_json::{Value, json};
use service::{Client, Failure, Token};

use super::arguments::Publish;
use super::{cells, is_interrupted, open, program, watch_signals};
use crate::arguments::Provider;
use crate::exit::Exit;
use crate::report::{self, Standard};
use counts::{Counts, Outcome};
use target::Target;

/// How long one repository may make us wait: as long as GitHub's limits last.
const PATIENCE: Duration = Duration::from_mins(65);

/// What stops publishing, for now.
struct Stop(Exit, String);

/// Publishes what is migrated, and says what became of it.
pub fn publish(arguments: &Publish) -> Result<Exit> {
    let campaign = open(&arguments.folder)?;
    watch_signals()?;
    let program = program()?;
    let keeper = Keeper {
        program: &program,
        is_interrupted: &is_interrupted,
    };
    let publisher = match Publisher::new(&campaign, keeper) {
        Ok(publisher) => publisher,
        Err(GitFailure::Interrupted) => return Ok(Exit::Interrupted),
        Err(failure) => return Err(anyhow!("{failure}")),
    };
    let database = campaign.database().map_err(|problem| anyhow!(problem))?;
    let mut run = Run {
        arguments,
        publisher,
        database,
        clients: HashMap::new(),
        counts: Counts::default(),
    };
    let targets = run.targets(&campaign)?;
    if arguments.dry_run {
        return run.print(&targets);
    }
    let stopped = run.all(&targets)?;
    Ok(run.conclude(stopped))
}

struct Run<'a> {
    arguments: &'a Publish,
    publisher: Publisher<'a>,
    database: Database,
    /// By the interface that they speak to.
    clients: HashMap<String, (Client, Token)>,
    counts: Counts,
}

impl Run<'_> {
    /// What there is to publish. What cannot be is said.
    fn targets(&mut self, campaign: &Campaign) -> Result<Vec<Target>> {
        let rows = self.database.rows().map_err(|problem| anyhow!(problem))?;
        let migrated = campaign
            .migrated(&rows)
            .map_err(|problem| anyhow!(problem))?;
        let mut targets = Vec::new();
        for one in migrated {
            let name = one.repository.name.clone();
            let id = rows.iter().find(|row| row.repository.name == name);
            let Some(id) = id.map(|row| row.id) else {
                continue;
            };
            match Target::of(self.arguments, &self.publisher, id, one) {
                Ok(target) => targets.push(target),
                Err(problem) => self.say(&name, &Outcome::Problem(problem)),
            }
        }
        Ok(targets)
    }

    /// Publishes all, up to what stops it.
    fn all(&mut self, targets: &[Target]) -> Result<Option<Stop>> {
        let mut open = match self.count_open(targets) {
            Ok(open) => open,
            Err(stop) => return Ok(Some(stop)),
        };
        for target in targets {
            if is_interrupted() {
                return Ok(Some(interrupted()));
            }
            let known = self.known(target)?;
            let is_told = known.commit.as_ref() == Some(&target.migrated.commit.id);
            let is_open = known.state.as_deref() == Some(State::Open.as_str());
            let outcome = if is_told && (known.asked || !is_open) {
                match known.state.as_deref().and_then(State::named) {
                    Some(state @ (State::Merged | State::Closed)) => {
                        Outcome::Decided(known.url.unwrap_or_default(), state)
                    }
                    _ => Outcome::Same,
                }
            } else if !is_open && self.arguments.max_open.is_some_and(|most| open >= most) {
                Outcome::Waits
            } else {
                match self.one(target, known) {
                    Ok(outcome) => outcome,
                    Err(stop) => return Ok(Some(stop)),
                }
            };
            open += usize::from(matches!(outcome, Outcome::Made(_)));
            self.say(&target.migrated.repository.name, &outcome);
        }
        Ok(None)
    }

    fn known(&self, target: &Target) -> Result<Publication> {
        let known = self.database.publication(target.id);
        known.map_err(|problem| anyhow!(problem))
    }

    /// How many pull requests of the campaign are open. Where that decides, the service is asked.
    fn count_open(&mut self, targets: &[Target]) -> Result<usize, Stop> {
        let mut open = 0;
        for target in targets {
            let mut known = self.known(target).map_err(|error| fatal(&error))?;
            if known.state.as_deref() != Some(State::Open.as_str()) {
                continue;
            }
            if self.arguments.max_open.is_some() {
                let client = self.client(target)?;
                match publish::look_up(&*target.hub, &target.wanted, known.number, client) {
                    Ok(Some(pull)) => self.note(target, &mut known, &pull, false)?,
                    Ok(None) => {}
                    Err(failure) => return Err(stop(&failure, target)),
                }
            }
            open += usize::from(known.state.as_deref() == Some(State::Open.as_str()));
        }
        Ok(open)
    }

    fn one(&mut self, target: &Target, mut known: Publication) -> Result<Outcome, Stop> {
        let migrated = &target.migrated;
        let client = self.client(target)?;
        let there = match publish::look_up(&*target.hub, &target.wanted, known.number, client) {
            Ok(there) => there,
            Err(failure) => return of_failure(&failure, target),
        };
        if let Some(pull) = there.as_ref().filter(|pull| pull.state != State::Open) {
            known.commit = Some(migrated.commit.id.clone());
            self.note(target, &mut known, pull, false)?;
            return Ok(Outcome::Decided(pull.url.clone(), pull.state));
        }
        let token = self.token(target)?;
        let credentials = Credentials {
            user: match target.provider {
                Provider::Github => "x-access-token",
                Provider::Gitlab => "oauth2",
            },
            password: token.reveal(),
        };
        let problem = |failure: &GitFailure| match failure {
            GitFailure::Interrupted => Err(interrupted()),
            failure => Ok(Outcome::Problem(token.hidden_in(&failure.to_string()))),
        };
        let previous = known.pushed.as_deref();
        let lease = match self.publisher.branch(migrated, previous, Some(credentials)) {
            Ok(Branch::There) => None,
            Ok(Branch::Behind(lease)) => Some(lease),
            Ok(Branch::Foreign(commit)) => {
                return Ok(Outcome::Problem(format!(
                    "the branch `{}` is at {}, which was not pushed from here: it is left alone. \
                     Remove it, or merge what is on it",
                    migrated.commit.branch,
                    commit.get(..10).unwrap_or(&commit)
                )));
            }
            Err(failure) => return problem(&failure),
        };
        // What somebody wrote into it stays, unless there are other fixes now.
        let is_told = known.commit.as_ref() == Some(&migrated.commit.id);
        let is_changed = lease.is_some() || known.commit.is_some() && !is_told;
        if is_changed || there.is_none() {
            self.wait()?;
        }
        if let Some(lease) = lease
            && let Err(failure) = self.publisher.push(migrated, &lease, Some(credentials))
        {
            return problem(&failure);
        }
        known.pushed = Some(migrated.commit.id.clone());
        let noted = self.database.note_publication(target.id, &known, false);
        noted.map_err(|problem| Stop(Exit::Failure, problem))?;
        let client = self.client(target)?;
        let done = publish::publish(&*target.hub, &target.wanted, there, is_changed, client);
        let done = match done {
            Ok(done) => done,
            Err(failure) => return of_failure(&failure, target),
        };
        known.commit = Some(migrated.commit.id.clone());
        let is_said = !matches!(done, Published::Left(_));
        self.note(target, &mut known, done.pull(), is_said)?;
        let url = done.pull().url.clone();
        if done.pull().state == State::Open && !known.asked {
            self.ask(target, done.pull().number)?;
            known.asked = true;
            self.note(target, &mut known, done.pull(), false)?;
        }
        Ok(match done {
            Published::Made(_) => Outcome::Made(url),
            Published::Updated(_) => Outcome::Updated(url),
            Published::Left(pull) if pull.state == State::Open => Outcome::Same,
            Published::Left(pull) => Outcome::Decided(url, pull.state),
        })
    }

    /// Asks the owners to look at it.
    fn ask(&mut self, target: &Target, number: u64) -> Result<(), Stop> {
        let people = &target.wanted.people;
        let client = self.client(target)?;
        match publish::ask(&*target.hub, number, people, client) {
            Ok(problems) => {
                for problem in problems {
                    let name = &target.migrated.repository.name;
                    report::line(&format!(
                        "warning: {name}: an owner cannot be asked: {problem}"
                    ));
                }
                Ok(())
            }
            Err(failure) => Err(stop(&failure, target)),
        }
    }

    fn note(
        &mut self,
        target: &Target,
        known: &mut Publication,
        pull: &Pull,
        is_told: bool,
    ) -> Result<(), Stop> {
        known.number = Some(pull.number);
        known.url = Some(pull.url.clone());
        known.state = Some(pull.state.as_str().to_string());
        let noted = self.database.note_publication(target.id, known, is_told);
        noted.map_err(|problem| Stop(Exit::Failure, problem))
    }

    /// Waits until another may come.
    fn wait(&self) -> Result<(), Stop> {
        let told = self.database.told();
        let told = told.map_err(|problem| Stop(Exit::Failure, problem))?;
        let per_hour = self.arguments.per_hour.get();
        let pause = publish::pause(&told, per_hour, SystemTime::now());
        if pause.is_zero() {
            return Ok(());
        }
        if !self.arguments.quiet {
            let minutes = pause.as_secs().div_ceil(60);
            report::line(&format!(
                "{per_hour} within an hour: the next in {minutes} min."
            ));
        }
        if waited(pause) {
            Ok(())
        } else {
            Err(interrupted())
        }
    }

    fn token(&mut self, target: &Target) -> Result<Token, Stop> {
        Ok(self.connection(target)?.1.clone())
    }

    /// What speaks to the interface of a target.
    fn client(&mut self, target: &Target) -> Result<&mut Client, Stop> {
        let (client, _) = self.connection(target)?;
        client.set_patience(PATIENCE);
        Ok(client)
    }

    fn connection(&mut self, target: &Target) -> Result<&mut (Client, Token), Stop> {
        match self.clients.entry(target.api.clone()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let token = token(target.provider)?;
                let mut client = match target.provider {
                    Provider::Github => service::github(&target.api, token.clone()),
                    Provider::Gitlab => service::gitlab(&target.api, token.clone()),
                };
                let (is_quiet, api) = (self.arguments.quiet, target.api.clone());
                client.set_waits(move |time| {
                    // Who sees nothing for longer takes it for a hang.
                    if time >= Duration::from_secs(5) && !is_quiet {
                        let time = cells::time(time);
                        report::line(&format!("{api}: too many requests: waiting {time}."));
                    }
                    waited(time)
                });
                Ok(place.insert((client, token)))
            }
        }
    }

    fn say(&mut self, name: &str, outcome: &Outcome) {
        self.counts.say(name, outcome, self.arguments.quiet);
    }

    fn conclude(&self, stopped: Option<Stop>) -> Exit {
        let parts = self.counts.sentence();
        match stopped {
            Some(Stop(Exit::Failure, reason)) => {
                report::error(&reason);
                Exit::Failure
            }
            Some(Stop(exit, reason)) => {
                report::line(&format!(
                    "Stopped: {reason}. Pull requests: {parts}. The same command goes on."
                ));
                exit
            }
            None => {
                if !self.arguments.quiet {
                    report::line(&format!("Pull requests: {parts}."));
                }
                self.counts.exit()
            }
        }
    }

    /// Prints what would be pushed and sent where nothing stands yet.
    fn print(&self, targets: &[Target]) -> Result<Exit> {
        let mut all = Vec::new();
        for target in targets {
            let known = self.known(target)?;
            if known.commit.as_ref() == Some(&target.migrated.commit.id) {
                continue;
            }
            let request = match known.number {
                Some(number) => {
                    let pull = Pull {
                        number,
                        url: known.url.unwrap_or_default(),
                        state: State::Open,
                        // What it is now, only the service knows.
                        is_draft: target.wanted.draft,
                    };
                    target.hub.update(&pull, &target.wanted)
                }
                None => target.hub.create(&target.wanted),
            };
            let Migrated {
                repository, commit, ..
            } = &target.migrated;
            let People { users, teams } = &target.wanted.people;
            all.push(json!({
                "repository": repository.name,
                "push": { "to": repository.url, "branch": commit.branch, "commit": commit.id },
                "request": serde_json::to_value(request.printed(&target.api))?,
                "owners": { "users": users, "teams": teams },
            }));
        }
        let mut out = Standard::lock();
        writeln!(out, "{:#}", Value::from(all))?;
        out.flush()?;
        Ok(self.counts.exit())
    }
}

/// Waits, unless somebody wants it to end.
fn waited(time: Duration) -> bool {
    let until = SystemTime::now() + time;
    while let Ok(left) = until.duration_since(SystemTime::now()) {
        if is_interrupted() {
            return false;
        }
        sleep(Duration::from_millis(200).min(left));
    }
    true
}

fn interrupted() -> Stop {
    Stop(Exit::Interrupted, "interrupted".to_string())
}

fn token_name(provider: Provider) -> &'static str {
    match provider {
        Provider::Github => "GITHUB_TOKEN",
        Provider::Gitlab => "GITLAB_TOKEN",
    }
}

/// What lets us in at the hosts of a provider.
fn token(provider: Provider) -> Result<Token, Stop> {
    let name = token_name(provider);
    match std::env::var(name).ok().filter(|it| !it.trim().is_empty()) {
        Some(token) => Ok(Token::new(token.trim().to_string())),
        None => Err(Stop(
            Exit::Failure,
            format!(
                "{name} is not set: it is a token that may push branches and open pull requests"
            ),
        )),
    }
}

fn fatal(error: &anyhow::Error) -> Stop {
    Stop(Exit::Failure, format!("{error:#}"))
}

/// What a service refuses for one repository is a problem of that one; all else stops.
fn of_failure(failure: &Failure, target: &Target) -> Result<Outcome, Stop> {
    match failure {
        Failure::Forbidden(text) | Failure::Missing(text) | Failure::Invalid(text) => {
            Ok(Outcome::Problem(text.clone()))
        }
        _ => Err(stop(failure, target)),
    }
}

fn stop(failure: &Failure, target: &Target) -> Stop {
    match failure {
        _ if is_interrupted() => interrupted(),
        Failure::Unauthorized(text) => Stop(
            Exit::Failure,
            format!("{text}: {} is not valid", token_name(target.provider)),
        ),
        Failure::Limited(text) => Stop(Exit::Findings, format!("too many requests: {text}")),
        failure => Stop(Exit::Findings, failure.to_string()),
    }
}
