-- Frameworks of skills and occupations. They are public, so that nothing here is sealed.

CREATE TABLE frameworks (
  id TEXT PRIMARY KEY,            -- the short name that its user gave it
  mapping TEXT NOT NULL,          -- JSON: which column of a plain CSV is what
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE framework_versions (
  id TEXT PRIMARY KEY,
  framework_id TEXT NOT NULL REFERENCES frameworks (id),
  number INTEGER NOT NULL,        -- counts from 1, in the order of import
  complete INTEGER NOT NULL,      -- 0 while it is being imported; nothing else reads it then
  title TEXT NOT NULL,
  version TEXT NOT NULL,          -- as its publisher gives it
  source TEXT NOT NULL,
  licence TEXT NOT NULL,
  format TEXT NOT NULL,
  digest TEXT NOT NULL,           -- of the file that was imported
  signed_by TEXT,                 -- the DID that signed the package it came in
  items INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  imported INTEGER NOT NULL,
  UNIQUE (framework_id, number)
) STRICT;

CREATE TABLE framework_items (
  id INTEGER PRIMARY KEY,
  version_id TEXT NOT NULL REFERENCES framework_versions (id),
  position INTEGER NOT NULL,
  key TEXT NOT NULL,              -- what names it in its framework, in all versions: its URL, else its code
  code TEXT,
  url TEXT,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  kind TEXT NOT NULL,             -- the publisher's own word for what it is
  labels TEXT NOT NULL,           -- JSON: further names, with their languages
  parent TEXT,                    -- the key of the first item that it stands under
  UNIQUE (version_id, key)
) STRICT;
CREATE INDEX framework_items_by_code ON framework_items (code);
CREATE INDEX framework_items_by_url ON framework_items (url);
CREATE INDEX framework_items_by_parent ON framework_items (version_id, parent, position);

-- The words of each item, as storage.frameworks folds them.
CREATE VIRTUAL TABLE framework_words USING fts5(words);

CREATE TABLE framework_relations (
  id INTEGER PRIMARY KEY,
  version_id TEXT NOT NULL REFERENCES framework_versions (id),
  source TEXT NOT NULL,           -- a key of this framework, or of another one
  kind TEXT NOT NULL,
  target TEXT NOT NULL,
  importance INTEGER,             -- in hundredths, as O*NET scales it: 1 to 5
  level INTEGER                   -- in hundredths: 0 to 7
) STRICT;
CREATE INDEX framework_relations_by_source ON framework_relations (source, kind);
CREATE INDEX framework_relations_by_target ON framework_relations (target, kind);
CREATE INDEX framework_relations_by_version ON framework_relations (version_id);
