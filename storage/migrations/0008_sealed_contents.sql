-- Contents are sealed, and what is found by equality has a keyed hash; see storage/sealing.py. Columns marked "sealed"
-- hold what only the node can read, columns named *_key a keyed hash. SQL has no key to seal what an older store holds,
-- so such a store is refused here rather than emptied.

CREATE TABLE must_be_empty (rows_of_an_older_store INTEGER CHECK (rows_of_an_older_store = 0));
INSERT INTO must_be_empty
  SELECT (SELECT COUNT(*) FROM connections) + (SELECT COUNT(*) FROM held_credentials) +
    (SELECT COUNT(*) FROM issued_credentials) + (SELECT COUNT(*) FROM verifications) + (SELECT COUNT(*) FROM batches) +
    (SELECT COUNT(*) FROM invitations) + (SELECT COUNT(*) FROM jobs);
DROP TABLE must_be_empty;

DROP TABLE connections;
CREATE TABLE connections (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  role TEXT NOT NULL,
  my_did TEXT NOT NULL,
  my_verkey TEXT NOT NULL REFERENCES keys (verkey) DEFERRABLE INITIALLY DEFERRED,
  their_verkey TEXT,
  their_routing_keys TEXT NOT NULL,
  details BLOB NOT NULL, -- sealed: the peer's DID, label and endpoint, and by what its invitation named it
  their_did_key BLOB,
  their_label_key BLOB,
  inviter_key BLOB,
  invitation_id TEXT,
  thid TEXT NOT NULL,
  wire TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  UNIQUE (my_verkey, their_verkey),
  -- A node may connect with itself, and then sees one thread from both ends.
  UNIQUE (role, thid)
) STRICT;
CREATE INDEX connections_by_time ON connections (created, id);
CREATE INDEX connections_by_invitation ON connections (invitation_id);
CREATE INDEX connections_by_label ON connections (their_label_key);
CREATE INDEX connections_by_inviter ON connections (inviter_key);
CREATE INDEX connections_by_their_did ON connections (their_did_key);

DROP TABLE jobs;
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  exchange_id TEXT REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  subject TEXT NOT NULL,
  payload BLOB NOT NULL, -- sealed
  run_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'buried')),
  error_code TEXT
) STRICT;
CREATE UNIQUE INDEX jobs_once ON jobs (kind, COALESCE(exchange_id, ''), subject);
CREATE INDEX jobs_due ON jobs (state, run_at, id);

DROP TABLE held_skills;
DROP TABLE held_credentials;
CREATE TABLE held_credentials (
  id TEXT PRIMARY KEY,
  exchange_id TEXT UNIQUE REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  document BLOB NOT NULL, -- sealed
  details BLOB NOT NULL, -- sealed: what was read from the document when it was stored
  credential_key BLOB,
  stored_at INTEGER NOT NULL,
  -- What the issuer's status lists said when they were last looked at, and when that was.
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
  state_at INTEGER
) STRICT;
CREATE INDEX held_by_time ON held_credentials (stored_at, id);
CREATE INDEX held_by_credential ON held_credentials (credential_key);

DROP TABLE issued_credentials;
CREATE TABLE issued_credentials (
  id TEXT PRIMARY KEY,
  exchange_id TEXT UNIQUE REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  connection_id TEXT REFERENCES connections (id) DEFERRABLE INITIALLY DEFERRED,
  document BLOB NOT NULL, -- sealed
  details BLOB NOT NULL, -- sealed: whom and what it is about, and which request it answers
  credential_key BLOB NOT NULL UNIQUE,
  subject_key BLOB,
  achievement_key BLOB,
  issued_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked'))
) STRICT;
CREATE INDEX issued_by_time ON issued_credentials (issued_at, id);

DROP TABLE batch_rows;
DROP TABLE batches;
CREATE TABLE batches (
  batch_key BLOB PRIMARY KEY,
  achievement_key BLOB NOT NULL,
  begun INTEGER NOT NULL
) STRICT;
CREATE TABLE batch_rows (
  batch_key BLOB NOT NULL REFERENCES batches (batch_key),
  row_key BLOB NOT NULL,
  issued_id TEXT NOT NULL UNIQUE REFERENCES issued_credentials (id),
  PRIMARY KEY (batch_key, row_key)
) STRICT;

DROP TABLE verifications;
CREATE TABLE verifications (
  id TEXT PRIMARY KEY,
  exchange_id TEXT REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  document BLOB, -- sealed
  result BLOB NOT NULL, -- sealed: how each check ended, and the digest of the document
  verified INTEGER NOT NULL CHECK (verified IN (0, 1)),
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX verifications_by_time ON verifications (at, id);
CREATE INDEX verifications_by_exchange ON verifications (exchange_id, at, id);

ALTER TABLE status_entries DROP COLUMN reason;
ALTER TABLE status_entries ADD COLUMN reason BLOB; -- sealed
