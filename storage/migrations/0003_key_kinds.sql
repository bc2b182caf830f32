-- Keys of several kinds, DIDs with several keys, and the DID that a person chose as the default of its purpose.

ALTER TABLE keys ADD COLUMN kind TEXT NOT NULL DEFAULT 'ed25519' CHECK (kind IN ('ed25519', 'p256', 'p384'));

CREATE TABLE did_keys (
  did TEXT NOT NULL REFERENCES dids (did) DEFERRABLE INITIALLY DEFERRED,
  position INTEGER NOT NULL CHECK (position >= 0),
  fragment TEXT NOT NULL,
  verkey TEXT NOT NULL REFERENCES keys (verkey) DEFERRABLE INITIALLY DEFERRED,
  PRIMARY KEY (did, position),
  UNIQUE (did, fragment)
) STRICT;

INSERT INTO did_keys (did, position, fragment, verkey)
  SELECT did, 0, CASE method WHEN 'key' THEN substr(did, 9) WHEN 'peer:4' THEN 'key-0' ELSE 'key-1' END, verkey
  FROM dids;

CREATE TABLE dids_before AS SELECT * FROM dids;
DROP TABLE dids;

CREATE TABLE dids (
  did TEXT PRIMARY KEY,
  short_form TEXT UNIQUE,
  method TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('issuer', 'holder', 'connection', 'invitation')),
  state TEXT NOT NULL CHECK (state IN ('active', 'retired')),
  is_chosen INTEGER NOT NULL CHECK (is_chosen IN (0, 1)),
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX dids_by_purpose ON dids (purpose, state, is_chosen, created, did);
CREATE UNIQUE INDEX dids_chosen_once ON dids (purpose) WHERE is_chosen = 1;

INSERT INTO dids (did, short_form, method, purpose, state, is_chosen, created)
  SELECT did, short_form, method, purpose, state, 0, created FROM dids_before;
DROP TABLE dids_before;
