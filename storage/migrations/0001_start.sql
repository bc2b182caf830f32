-- Times are microseconds since 1970 UTC; truth values are 0 or 1; lists of words are JSON text.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- Keys -------------------------------------------------------------------------------------------------------------

CREATE TABLE vault (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  salt BLOB NOT NULL,
  opslimit INTEGER NOT NULL,
  memlimit INTEGER NOT NULL,
  wrapped_key BLOB NOT NULL
) STRICT;

CREATE TABLE keys (
  verkey TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  sealed_seed BLOB NOT NULL,
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE dids (
  did TEXT PRIMARY KEY,
  short_form TEXT UNIQUE,
  method TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('issuer', 'holder', 'connection', 'invitation')),
  verkey TEXT NOT NULL REFERENCES keys (verkey) DEFERRABLE INITIALLY DEFERRED,
  state TEXT NOT NULL CHECK (state IN ('active', 'retired')),
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX dids_by_purpose ON dids (purpose, state, created, did);

-- Peers ------------------------------------------------------------------------------------------------------------

CREATE TABLE invitations (
  id TEXT PRIMARY KEY,
  message BLOB NOT NULL,
  verkey TEXT NOT NULL REFERENCES keys (verkey) DEFERRABLE INITIALLY DEFERRED,
  multi_use INTEGER NOT NULL CHECK (multi_use IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('open', 'used', 'closed')),
  created INTEGER NOT NULL,
  expires INTEGER
) STRICT;
CREATE INDEX invitations_by_time ON invitations (created, id);

CREATE TABLE connections (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  role TEXT NOT NULL,
  my_did TEXT NOT NULL,
  my_verkey TEXT NOT NULL REFERENCES keys (verkey) DEFERRABLE INITIALLY DEFERRED,
  their_did TEXT,
  their_verkey TEXT,
  their_label TEXT,
  folded_label TEXT,
  their_endpoint TEXT,
  their_routing_keys TEXT NOT NULL,
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
CREATE INDEX connections_by_label ON connections (folded_label);

CREATE TABLE exchanges (
  id TEXT PRIMARY KEY,
  protocol TEXT NOT NULL,
  role TEXT NOT NULL,
  connection_id TEXT NOT NULL REFERENCES connections (id) DEFERRABLE INITIALLY DEFERRED,
  thid TEXT NOT NULL,
  state TEXT NOT NULL,
  data BLOB NOT NULL,
  error_code TEXT,
  waiting_for TEXT,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  version INTEGER NOT NULL,
  UNIQUE (connection_id, protocol, thid)
) STRICT;
CREATE INDEX exchanges_by_time ON exchanges (created, id);
CREATE INDEX exchanges_waiting ON exchanges (waiting_for, created, id) WHERE waiting_for IS NOT NULL;

-- Work -------------------------------------------------------------------------------------------------------------

CREATE TABLE inbox (
  sender_verkey TEXT NOT NULL,
  message_digest BLOB NOT NULL,
  received INTEGER NOT NULL,
  PRIMARY KEY (sender_verkey, message_digest)
) STRICT;
CREATE INDEX inbox_by_time ON inbox (received);

CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  connection_id TEXT REFERENCES connections (id) DEFERRABLE INITIALLY DEFERRED,
  lane TEXT NOT NULL,
  message BLOB NOT NULL,
  message_type TEXT NOT NULL,
  thid TEXT NOT NULL,
  enqueued INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'dead')),
  attempts INTEGER NOT NULL,
  -- Set for the head of a lane only: what stands behind another message has no time of its own.
  next_attempt INTEGER,
  error_code TEXT,
  CHECK (state = 'queued' OR next_attempt IS NULL)
) STRICT;
CREATE UNIQUE INDEX outbox_one_head ON outbox (lane) WHERE next_attempt IS NOT NULL;
CREATE INDEX outbox_due ON outbox (next_attempt, sequence) WHERE next_attempt IS NOT NULL;
CREATE INDEX outbox_lanes ON outbox (lane, sequence) WHERE state = 'queued';

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  exchange_id TEXT REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  subject TEXT NOT NULL,
  payload TEXT NOT NULL,
  run_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'buried')),
  error_code TEXT
) STRICT;
CREATE UNIQUE INDEX jobs_once ON jobs (kind, COALESCE(exchange_id, ''), subject);
CREATE INDEX jobs_due ON jobs (state, run_at, id);

-- Records ----------------------------------------------------------------------------------------------------------

CREATE TABLE held_credentials (
  id TEXT PRIMARY KEY,
  exchange_id TEXT UNIQUE REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  document BLOB NOT NULL,
  credential_id TEXT,
  issuer TEXT NOT NULL,
  subject TEXT,
  types TEXT NOT NULL,
  name TEXT NOT NULL,
  valid_from INTEGER,
  valid_until INTEGER,
  stored_at INTEGER NOT NULL,
  folded_text TEXT NOT NULL
) STRICT;
CREATE INDEX held_by_time ON held_credentials (stored_at, id);
CREATE INDEX held_by_credential ON held_credentials (credential_id);

CREATE TABLE held_skills (
  held_id TEXT NOT NULL REFERENCES held_credentials (id),
  position INTEGER NOT NULL,
  code TEXT,
  name TEXT NOT NULL,
  framework TEXT,
  url TEXT,
  folded_code TEXT,
  folded_name TEXT NOT NULL,
  PRIMARY KEY (held_id, position)
) STRICT;

CREATE TABLE status_lists (
  id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('revocation', 'suspension')),
  size_bits INTEGER NOT NULL CHECK (size_bits > 0),
  allocated INTEGER NOT NULL,
  created INTEGER NOT NULL,
  -- Counts changes; a list is dirty while the published version lags behind.
  version INTEGER NOT NULL,
  published_version INTEGER NOT NULL,
  document BLOB,
  etag TEXT,
  published_at INTEGER,
  CHECK (published_version <= version)
) STRICT;
CREATE INDEX status_lists_by_purpose ON status_lists (purpose, created, id);

CREATE TABLE status_entries (
  list_id TEXT NOT NULL REFERENCES status_lists (id),
  idx INTEGER NOT NULL CHECK (idx >= 0),
  purpose TEXT NOT NULL,
  exchange_id TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (0, 1)),
  changed_at INTEGER NOT NULL,
  reason TEXT,
  PRIMARY KEY (list_id, idx),
  UNIQUE (purpose, exchange_id)
) STRICT;
CREATE INDEX status_entries_set ON status_entries (list_id, idx) WHERE state = 1;

CREATE TRIGGER status_entries_stay BEFORE DELETE ON status_entries BEGIN
  SELECT RAISE(ABORT, 'a status index is never given out again');
END;

CREATE TRIGGER status_entries_keep_owner BEFORE UPDATE OF list_id, idx, purpose, exchange_id ON status_entries BEGIN
  SELECT RAISE(ABORT, 'a status index is never given to another credential');
END;

CREATE TABLE issued_credentials (
  id TEXT PRIMARY KEY,
  exchange_id TEXT UNIQUE REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  connection_id TEXT REFERENCES connections (id) DEFERRABLE INITIALLY DEFERRED,
  document BLOB NOT NULL,
  credential_id TEXT NOT NULL UNIQUE,
  subject TEXT,
  achievement_id TEXT,
  issued_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked'))
) STRICT;
CREATE INDEX issued_by_time ON issued_credentials (issued_at, id);

CREATE TABLE issued_statuses (
  issued_id TEXT NOT NULL REFERENCES issued_credentials (id),
  purpose TEXT NOT NULL,
  list_id TEXT NOT NULL,
  idx INTEGER NOT NULL,
  PRIMARY KEY (issued_id, purpose),
  UNIQUE (list_id, idx),
  FOREIGN KEY (list_id, idx) REFERENCES status_entries (list_id, idx)
) STRICT;

-- Verification -----------------------------------------------------------------------------------------------------

CREATE TABLE documents (
  key TEXT PRIMARY KEY,
  body BLOB NOT NULL,
  etag TEXT,
  fetched_at INTEGER NOT NULL,
  meta TEXT NOT NULL
) STRICT;
CREATE INDEX documents_by_time ON documents (fetched_at);

CREATE TABLE verifications (
  id TEXT PRIMARY KEY,
  exchange_id TEXT REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  document_digest TEXT NOT NULL,
  document BLOB,
  result TEXT NOT NULL,
  verified INTEGER NOT NULL CHECK (verified IN (0, 1)),
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX verifications_by_time ON verifications (at, id);
CREATE INDEX verifications_by_exchange ON verifications (exchange_id, at, id);

-- Trail ------------------------------------------------------------------------------------------------------------

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL,
  subjects TEXT NOT NULL,
  details TEXT NOT NULL,
  prev_hash BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_event ON audit (event, seq);

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
