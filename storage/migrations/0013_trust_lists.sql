-- Trust lists that this node follows and publishes, and accreditations that it keeps. All of it is public.

CREATE TABLE trust_lists (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,               -- list, signed by its publisher; or registry, which nobody signed
  name TEXT NOT NULL,
  list_id TEXT NOT NULL,            -- what its publisher calls it: the id of the credential, or the registry's URL
  publisher TEXT,                   -- the DID that is followed
  source TEXT,                      -- where it is asked for again; NULL for one from a file
  accreditors INTEGER NOT NULL,     -- 1 where those count too whom it lets recognise others
  sequence INTEGER,
  body BLOB NOT NULL,
  signed_at INTEGER,
  valid_until INTEGER NOT NULL,
  fetched INTEGER NOT NULL,
  refresh INTEGER,                  -- when it is asked for again
  error_code TEXT,                  -- why it could not be had the last time
  UNIQUE (list_id)
) STRICT;

CREATE TABLE trust_entries (
  id INTEGER PRIMARY KEY,
  list_id TEXT NOT NULL REFERENCES trust_lists (id),
  did TEXT NOT NULL,
  name TEXT NOT NULL,
  action TEXT NOT NULL,
  scope TEXT NOT NULL,
  valid_from INTEGER,
  valid_until INTEGER
) STRICT;
CREATE INDEX trust_entries_by_did ON trust_entries (did);
CREATE INDEX trust_entries_by_list ON trust_entries (list_id);

CREATE TABLE trust_publications (
  name TEXT PRIMARY KEY,            -- the last part of its URL
  title TEXT NOT NULL,
  days INTEGER NOT NULL,            -- how long an edition is valid
  sequence INTEGER NOT NULL,
  document BLOB NOT NULL,           -- as signed
  etag TEXT NOT NULL,
  published INTEGER NOT NULL,
  valid_until INTEGER NOT NULL
) STRICT;

CREATE TABLE trust_accreditations (
  id TEXT NOT NULL,                 -- of the credential, or the digest of one without
  did TEXT NOT NULL,                -- whom it recognises
  accreditor TEXT NOT NULL,
  document BLOB NOT NULL,
  kept INTEGER NOT NULL,
  PRIMARY KEY (id, did)
) STRICT;
CREATE INDEX trust_accreditations_by_did ON trust_accreditations (did);
