-- What was published of a repository: its pull request.
CREATE TABLE publication (
  repository INTEGER PRIMARY KEY REFERENCES repository,
  -- The commit that was pushed last.
  pushed TEXT,
  -- When a pull request was made or brought up to date last, in milliseconds since 1970.
  told INTEGER,
  -- The commit that it tells of.
  commit_id TEXT,
  number INTEGER,
  url TEXT,
  state TEXT CHECK (state IN ('open', 'merged', 'closed')),
  -- Whether its owners were asked.
  asked INTEGER NOT NULL DEFAULT 0
) STRICT;
