-- What is migrated. `position` is that in the lock file; NULL: not planned any more.
CREATE TABLE repository (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  branch TEXT,
  base TEXT,
  commit_id TEXT NOT NULL,
  path TEXT NOT NULL,
  verify TEXT,
  setup TEXT,
  planned INTEGER NOT NULL,
  position INTEGER,
  -- The key of the last step, as the commit, the version of asyncfix and the configuration give it.
  goal TEXT
) STRICT;

-- The runs. Whether one is alive says the lock on its file in runs/.
CREATE TABLE run (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  process INTEGER NOT NULL,
  version TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER
) STRICT;

-- Who is at which repository.
CREATE TABLE claim (
  repository INTEGER PRIMARY KEY REFERENCES repository,
  run TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT;

-- The steps that are done, each with the key of what it was done with.
CREATE TABLE step (
  repository INTEGER NOT NULL REFERENCES repository,
  step TEXT NOT NULL,
  key TEXT NOT NULL,
  ended INTEGER NOT NULL,
  PRIMARY KEY (repository, step)
) STRICT;

-- How a repository stands for a goal: done, retry, permanent. No row: nothing is decided.
CREATE TABLE state (
  repository INTEGER PRIMARY KEY REFERENCES repository,
  goal TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('done', 'retry', 'permanent')),
  step TEXT,
  reason TEXT,
  run TEXT NOT NULL,
  time INTEGER NOT NULL
) STRICT;

-- What was made of it.
CREATE TABLE result (
  repository INTEGER PRIMARY KEY REFERENCES repository,
  checked INTEGER NOT NULL,
  not_analysed INTEGER NOT NULL,
  found INTEGER NOT NULL,
  fixed INTEGER NOT NULL,
  withheld INTEGER NOT NULL,
  remaining INTEGER NOT NULL,
  tests TEXT,
  commit_id TEXT,
  fixes_branch TEXT,
  title TEXT,
  body TEXT,
  patch TEXT
) STRICT;

-- The same by codemod; `counts` is JSON.
CREATE TABLE codemod (
  repository INTEGER NOT NULL REFERENCES repository,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  counts TEXT NOT NULL,
  PRIMARY KEY (repository, position)
) STRICT;

-- What was begun and how it ended, never changed: start, then done, retry, permanent, stopped (the
-- run was to end) or lost (it was killed). dropped: what the step made is gone again. Times in
-- milliseconds, since 1970.
CREATE TABLE journal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  run TEXT NOT NULL,
  repository INTEGER NOT NULL REFERENCES repository,
  step TEXT NOT NULL,
  key TEXT NOT NULL,
  what TEXT NOT NULL
    CHECK (what IN ('start', 'done', 'retry', 'permanent', 'stopped', 'lost', 'dropped')),
  took INTEGER,
  reason TEXT
) STRICT;
CREATE INDEX journal_of_repository ON journal (repository, step, id);

-- What was done again though it was done. It is always empty.
CREATE VIEW done_twice AS
  SELECT name, step, key, sum(what = 'done') AS done, sum(what = 'dropped') AS dropped
  FROM journal JOIN repository ON repository.id = journal.repository
  GROUP BY journal.repository, step, key
  HAVING done > dropped + 1;
