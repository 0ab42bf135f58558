-- What went wrong with single files of a repository that is done: how often, how often by a fault of
-- asyncfix, and the first of it as JSON.
ALTER TABLE result ADD COLUMN problems INTEGER NOT NULL DEFAULT 0;
ALTER TABLE result ADD COLUMN faults INTEGER NOT NULL DEFAULT 0;
ALTER TABLE result ADD COLUMN first_problems TEXT NOT NULL DEFAULT '[]';

-- Each time that a pull request was made or brought up to date, in milliseconds since 1970.
CREATE TABLE telling (time INTEGER NOT NULL) STRICT;
INSERT INTO telling SELECT told FROM publication WHERE told IS NOT NULL;
ALTER TABLE publication DROP COLUMN told;
