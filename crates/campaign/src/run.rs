//! A run: threads that claim one repository after the other, and bring each through its steps.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::child::Keeper;
use crate::database::{Database, Ended, Made, Row, State, Step};
use crate::failure::Failure;
use crate::folder::{self, Campaign};
use crate::keeper::open_lock;
use crate::lock::Repository;
use crate::shard::Shard;
use crate::source::hash;
use crate::steps::{self, Came, Place};

/// How a run goes.
pub struct Options<'a> {
    /// So many repositories at a time.
    pub jobs: usize,
    /// The part of the campaign; none is all.
    pub shard: Option<Shard>,
    /// Whether work trees stay when they are done with.
    pub keep_trees: bool,
    /// What keeps its processes.
    pub keeper: Keeper<'a>,
}

/// What happens in a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// A repository was claimed.
    Begun(&'a Repository),
    /// A step begins.
    Step(&'a Repository, Step),
    /// asyncfix is through with it.
    Found(&'a Repository, &'a Made),
    /// It failed, or is to go on another time.
    Failed(&'a Repository, Step, &'a Failure),
    /// All its steps are done.
    Done(&'a Repository, &'a Made),
}

/// Hears what happens, from any thread.
pub trait Watch: Sync {
    /// Something happened.
    fn on(&self, event: &Event);
}

/// How the repositories of a run, or of its part, stand at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// All of them.
    pub planned: usize,
    /// Done, by this run or before.
    pub done: usize,
    /// Those of them in which something went wrong with single files.
    pub troubled: usize,
    /// Failed, and may go well another time.
    pub retry: usize,
    /// Failed for good.
    pub permanent: usize,
    /// Not decided: another run is at them, or this one was interrupted.
    pub pending: usize,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// Works on what is open. Others may do so at the same time, in the same folder on this machine.
pub fn run(campaign: &Campaign, options: &Options, watch: &dyn Watch) -> Result<Ran, String> {
    let run = Run::begin(campaign, options, watch)?;
    let problems = Mutex::new(Vec::new());
    in_threads(options.jobs, options.jobs, |_| {
        if let Err(problem) = run.work() {
            let mut problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
            problems.push(problem);
        }
    });
    let mut database = campaign.database()?;
    if !options.keep_trees {
        run.sweep(&mut database)?;
    }
    database.end_run(&run.id)?;
    // Who asks for it then is told that it is gone.
    let _ = fs_err::remove_file(lock_of(campaign, &run.id));
    let problems = problems
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let rows = database.rows()?;
    let mut ran = Ran {
        interrupted: (options.keeper.is_interrupted)(),
        ..Ran::default()
    };
    for row in rows.iter().filter(|row| run.row(row.id).is_some()) {
        ran.planned += 1;
        match row.state {
            State::Done => {
                ran.done += 1;
                let made = row.result.as_ref();
                ran.troubled += usize::from(made.is_some_and(|it| it.problems.count > 0));
            }
            State::Retry => ran.retry += 1,
            State::Permanent => ran.permanent += 1,
            State::Pending => ran.pending += 1,
        }
    }
    Ok(ran)
}

/// How often is looked whether what another run is at is free.
const PAUSE: Duration = Duration::from_millis(200);

struct Run<'a> {
    id: String,
    campaign: &'a Campaign,
    options: &'a Options<'a>,
    watch: &'a dyn Watch,
    /// By number.
    rows: HashMap<i64, Row>,
    /// Locked as long as the process lives.
    _alive: File,
}

impl<'a> Run<'a> {
    fn begin(
        campaign: &'a Campaign,
        options: &'a Options,
        watch: &'a dyn Watch,
    ) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = now.unwrap_or_default().as_nanos();
        let id = hash(&[&nanos.to_string(), &std::process::id().to_string()]);
        let path = lock_of(campaign, &id);
        let alive = open_lock(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| format!("`{}`: {error}", path.display()))?;
        let mut database = campaign.database()?;
        let rows = steps::aim(campaign, &mut database)?;
        database.begin_run(&id, &host())?;
        let is_wanted = |row: &Row| {
            options
                .shard
                .is_none_or(|shard| shard.has_url(&row.repository.url))
        };
        let rows = rows.into_iter().filter(is_wanted);
        let rows = rows.map(|row| (row.id, row)).collect();
        Ok(Self {
            id,
            campaign,
            options,
            watch,
            rows,
            _alive: alive,
        })
    }

    /// The repository of this number, if it belongs to the part, and was planned when the run began.
    fn row(&self, id: i64) -> Option<&Row> {
        self.rows.get(&id)
    }

    fn is_alive(&self, run: &str) -> bool {
        is_alive(self.campaign, run)
    }

    fn is_interrupted(&self) -> bool {
        (self.options.keeper.is_interrupted)()
    }

    /// What one thread does.
    fn work(&self) -> Result<(), String> {
        let mut database = self.campaign.database()?;
        let wanted = |id: i64| self.row(id).is_some();
        let alive = |run: &str| self.is_alive(run);
        while !self.is_interrupted() {
            let Some(id) = database.claim(&self.id, &wanted, &alive)? else {
                if !database.is_shared(&self.id, &wanted, &alive)? {
                    return Ok(());
                }
                // Whoever is at the rest may be killed.
                thread::sleep(PAUSE);
                continue;
            };
            if let Some(row) = self.row(id) {
                self.repository(&mut database, row)?;
            }
            database.release(&self.id, id)?;
        }
        Ok(())
    }

    /// Removes work trees that runs left that were killed when all else was done.
    fn sweep(&self, database: &mut Database) -> Result<(), String> {
        for row in database.rows()? {
            let is_shared = row.working.is_some_and(|it| self.is_alive(&it.run));
            let tree = self.campaign.tree(&row.repository.name);
            if row.state == State::Done && !is_shared && tree.exists() {
                self.remove(database, row.id, &row.repository)?;
            }
        }
        Ok(())
    }

    /// Removes the work tree of what is done.
    fn remove(
        &self,
        database: &mut Database,
        id: i64,
        repository: &Repository,
    ) -> Result<(), String> {
        let place = Place::new(self.campaign, repository, self.options.keeper, 1)?;
        let gone = [Step::Checkout, Step::Setup, Step::Transform];
        database.drop_steps(&self.id, id, &gone)?;
        // Only space is lost where that does not go well.
        let _ = steps::remove(&place);
        Ok(())
    }

    /// Brings a repository through its steps. The error is one of the campaign, not of the
    /// repository.
    fn repository(&self, database: &mut Database, row: &Row) -> Result<(), String> {
        let repository = &row.repository;
        self.watch.on(&Event::Begun(repository));
        let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let threads = (cores / self.options.jobs.max(1)).max(1);
        let place = Place::new(self.campaign, repository, self.options.keeper, threads)?;
        // What a run that was killed started there may still be ending.
        let stop = || self.is_interrupted();
        match folder::wait_for_keepers(&place.lock, &stop) {
            Ok(()) => {}
            Err(Failure::Interrupted) => return Ok(()),
            Err(failure) => {
                let (first, ended) = (Step::Mirror, Ended::Failed(&failure));
                let key = steps::key(first, self.campaign, repository);
                database.begin(&self.id, row.id, first, &key)?;
                database.end(&self.id, row.id, first, &key, &ended)?;
                self.watch.on(&Event::Failed(repository, first, &failure));
                return Ok(());
            }
        }
        place.remove_locks();
        let mut made = None;
        for step in Step::ALL {
            let key = steps::key(step, self.campaign, repository);
            if database.is_done(row.id, step, &key)? && place.is_there(step) {
                continue;
            }
            self.watch.on(&Event::Step(repository, step));
            database.begin(&self.id, row.id, step, &key)?;
            match place.step(step) {
                Ok(Came::Done) => database.end(&self.id, row.id, step, &key, &Ended::Done)?,
                Ok(Came::Transformed(outcome)) => {
                    let ended = Ended::Transformed(&outcome);
                    database.end(&self.id, row.id, step, &key, &ended)?;
                    if let Some(made) = database.made_of(row.id)? {
                        self.watch.on(&Event::Found(repository, &made));
                    }
                }
                Ok(Came::Committed(commit)) => {
                    let ended = Ended::Committed(commit.as_ref());
                    database.end(&self.id, row.id, step, &key, &ended)?;
                    made = database.made_of(row.id)?;
                }
                Err(failure) => {
                    let ended = Ended::Failed(&failure);
                    database.end(&self.id, row.id, step, &key, &ended)?;
                    self.watch.on(&Event::Failed(repository, step, &failure));
                    return Ok(());
                }
            }
        }
        if !self.options.keep_trees {
            self.remove(database, row.id, repository)?;
        }
        self.watch
            .on(&Event::Done(repository, &made.unwrap_or_default()));
        Ok(())
    }
}

fn lock_of(campaign: &Campaign, run: &str) -> std::path::PathBuf {
    campaign.folder().join("runs").join(format!("{run}.lock"))
}

/// Whether the process of a run lives: the system lets go of its lock when it ends, however it does.
pub fn is_alive(campaign: &Campaign, run: &str) -> bool {
    let path = lock_of(campaign, run);
    let file = File::open(path);
    file.is_ok_and(|file| file.try_lock_shared().is_err())
}

/// The name of this machine, for people.
fn host() -> String {
    let name = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname"));
    let name = name.ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.unwrap_or_default().trim().to_string()
}

/// Calls `work` with each number below `count`, in `threads` threads.
pub(crate) fn in_threads(threads: usize, count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    work(number);
                }
            });
        }
    });
}
