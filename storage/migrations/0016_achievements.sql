-- What an issuer can award. Sealed, as far as it says something: an achievement few people have names them.

CREATE TABLE achievements (
  id TEXT PRIMARY KEY,
  slug_key BLOB NOT NULL UNIQUE,   -- keyed hash of its short name
  current INTEGER NOT NULL,        -- the number of the version that is awarded
  retired INTEGER NOT NULL,        -- 1: it is awarded no more
  file_key BLOB,                   -- keyed hash of what the catalogue file said of it when it was last taken from there
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE achievement_versions (
  id TEXT PRIMARY KEY,
  achievement_id TEXT NOT NULL REFERENCES achievements (id),
  number INTEGER NOT NULL,         -- counts from 1
  name_key BLOB NOT NULL UNIQUE,   -- keyed hash of the Achievement's own id
  content BLOB NOT NULL,           -- sealed JSON: its short name and the Achievement object
  used INTEGER NOT NULL,           -- 1: offered or issued, and so it never changes
  made INTEGER NOT NULL,
  UNIQUE (achievement_id, number)
) STRICT;
