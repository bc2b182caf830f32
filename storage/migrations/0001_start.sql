-- Times are microseconds since 1970 UTC; truth values are 0 or 1; lists of words are JSON text. Contents are sealed, and
-- what is found by equality has a keyed hash; see storage/sealing.py. Columns marked "sealed" hold what only the node can
-- read, columns named *_key a keyed hash.

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
  kind TEXT NOT NULL CHECK (kind IN ('ed25519', 'p256', 'p384')),
  purpose TEXT NOT NULL,
  sealed_seed BLOB NOT NULL,
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE dids (
  -- The short form of a did:peer:4: the long one may be too long for an index.
  did TEXT PRIMARY KEY,
  long_form TEXT,
  method TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('issuer', 'holder', 'connection', 'invitation')),
  state TEXT NOT NULL CHECK (state IN ('active', 'retired')),
  -- The DID that a person chose as the default of its purpose.
  is_chosen INTEGER NOT NULL CHECK (is_chosen IN (0, 1)),
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX dids_by_purpose ON dids (purpose, state, is_chosen, created, did);
CREATE UNIQUE INDEX dids_chosen_once ON dids (purpose) WHERE is_chosen = 1;

CREATE TABLE did_keys (
  did TEXT NOT NULL REFERENCES dids (did),
  position INTEGER NOT NULL CHECK (position >= 0),
  fragment TEXT NOT NULL,
  verkey TEXT NOT NULL REFERENCES keys (verkey),
  PRIMARY KEY (did, position),
  UNIQUE (did, fragment)
) STRICT;

-- Peers ------------------------------------------------------------------------------------------------------------

CREATE TABLE invitations (
  id TEXT PRIMARY KEY,
  message BLOB NOT NULL,
  verkey TEXT NOT NULL REFERENCES keys (verkey),
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
  my_verkey TEXT NOT NULL REFERENCES keys (verkey),
  their_verkey TEXT,
  their_routing_keys TEXT NOT NULL,
  details BLOB NOT NULL, -- sealed: the peer's DID, label and endpoint, and by what its invitation named it
  their_did_key BLOB,
  their_label_key BLOB,
  inviter_key BLOB,
  knows_my_did INTEGER NOT NULL CHECK (knows_my_did IN (0, 1)),
  invitation_id TEXT,
  thid TEXT NOT NULL,
  wire TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  UNIQUE (my_verkey, their_verkey),
  -- A node may connect with itself, and then sees one thread from both ends.
  UNIQUE (role, thid)
) STRICT;
-- A peer that speaks DIDComm v2 is found by the DID that it writes under.
CREATE UNIQUE INDEX connections_by_dids ON connections (my_verkey, their_did_key);
CREATE INDEX connections_by_time ON connections (created, id);
CREATE INDEX connections_by_invitation ON connections (invitation_id);
CREATE INDEX connections_by_label ON connections (their_label_key);
CREATE INDEX connections_by_inviter ON connections (inviter_key);
CREATE INDEX connections_by_their_did ON connections (their_did_key);

CREATE TABLE exchanges (
  id TEXT PRIMARY KEY,
  protocol TEXT NOT NULL,
  role TEXT NOT NULL,
  connection_id TEXT NOT NULL REFERENCES connections (id),
  thid TEXT NOT NULL,
  state TEXT NOT NULL,
  data BLOB NOT NULL,
  error_code TEXT,
  waiting_for TEXT,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  version INTEGER NOT NULL,
  -- Until when the last message can be answered; whatever moves the exchange on, clears it.
  expires INTEGER,
  UNIQUE (connection_id, protocol, thid)
) STRICT;
CREATE INDEX exchanges_by_time ON exchanges (created, id);
CREATE INDEX exchanges_waiting ON exchanges (waiting_for, created, id) WHERE waiting_for IS NOT NULL;
CREATE INDEX exchanges_expiring ON exchanges (expires, id) WHERE expires IS NOT NULL;

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
  connection_id TEXT REFERENCES connections (id),
  lane TEXT NOT NULL,
  message BLOB NOT NULL,
  message_type TEXT NOT NULL,
  -- A message on its way keeps its wire and the key that it leaves under, however its connection changes meanwhile.
  wire TEXT NOT NULL,
  my_verkey TEXT,
  thid TEXT NOT NULL,
  enqueued INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'dead')),
  attempts INTEGER NOT NULL,
  -- Set for the head of a lane only: what stands behind another message has no time of its own.
  next_attempt INTEGER,
  error_code TEXT,
  -- Until when a process has it in hand, by the clock of the database; where several share it.
  leased_until INTEGER NOT NULL DEFAULT 0,
  CHECK (state = 'queued' OR next_attempt IS NULL)
) STRICT;
CREATE UNIQUE INDEX outbox_one_head ON outbox (lane) WHERE next_attempt IS NOT NULL;
CREATE INDEX outbox_due ON outbox (next_attempt, sequence) WHERE next_attempt IS NOT NULL;
CREATE INDEX outbox_lanes ON outbox (lane, sequence) WHERE state = 'queued';

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  exchange_id TEXT REFERENCES exchanges (id),
  subject TEXT NOT NULL,
  payload BLOB NOT NULL, -- sealed
  run_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'buried')),
  error_code TEXT,
  leased_until INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX jobs_once ON jobs (kind, COALESCE(exchange_id, ''), subject);
CREATE INDEX jobs_due ON jobs (state, run_at, id);

-- Records ----------------------------------------------------------------------------------------------------------

CREATE TABLE held_credentials (
  id TEXT PRIMARY KEY,
  exchange_id TEXT REFERENCES exchanges (id),
  position INTEGER NOT NULL, -- among the records of its exchange
  document BLOB NOT NULL, -- sealed
  details BLOB NOT NULL, -- sealed: what was read from the document when it was stored
  credential_key BLOB,
  stored_at INTEGER NOT NULL,
  -- What the issuer's status lists said when they were last looked at, and when that was.
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
  state_at INTEGER,
  UNIQUE (exchange_id, position)
) STRICT;
CREATE INDEX held_by_time ON held_credentials (stored_at, id);
CREATE INDEX held_by_credential ON held_credentials (credential_key);

CREATE TABLE status_lists (
  id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('revocation', 'suspension', 'refresh', 'message', 'status_list')),
  -- Who signs the list, and what its records say of their statuses: both stand in the records, and so hold for ever.
  issuer TEXT NOT NULL,
  value_bits INTEGER NOT NULL CHECK (value_bits BETWEEN 1 AND 8),
  messages TEXT NOT NULL,
  reference_urls TEXT NOT NULL,
  size_bits INTEGER NOT NULL CHECK (size_bits > 0),
  allocated INTEGER NOT NULL,
  created INTEGER NOT NULL,
  -- Counts changes; a list is dirty while the published version lags behind.
  version INTEGER NOT NULL,
  published_version INTEGER NOT NULL,
  published_at INTEGER,
  etag TEXT,
  document BLOB, -- large, so last: what stands before it is read without it
  CHECK (published_version <= version)
) STRICT;
CREATE INDEX status_lists_by_purpose ON status_lists (purpose, created, id);
CREATE INDEX status_lists_by_signing ON status_lists (purpose, published_at);

CREATE TABLE status_entries (
  list_id TEXT NOT NULL REFERENCES status_lists (id),
  idx INTEGER NOT NULL CHECK (idx >= 0),
  purpose TEXT NOT NULL,
  exchange_id TEXT NOT NULL,
  value INTEGER NOT NULL CHECK (value BETWEEN 0 AND 255),
  changed_at INTEGER NOT NULL,
  reason BLOB, -- sealed
  PRIMARY KEY (list_id, idx),
  UNIQUE (purpose, exchange_id)
) STRICT;
CREATE INDEX status_entries_set ON status_entries (list_id, idx) WHERE value <> 0;

CREATE TRIGGER status_entries_stay BEFORE DELETE ON status_entries BEGIN
  SELECT RAISE(ABORT, 'a status index is never given out again');
END;

CREATE TRIGGER status_entries_keep_owner BEFORE UPDATE OF list_id, idx, purpose, exchange_id ON status_entries BEGIN
  SELECT RAISE(ABORT, 'a status index is never given to another credential');
END;

CREATE TABLE issued_credentials (
  id TEXT PRIMARY KEY,
  exchange_id TEXT REFERENCES exchanges (id),
  position INTEGER NOT NULL, -- among the records of its exchange
  connection_id TEXT REFERENCES connections (id),
  document BLOB NOT NULL, -- sealed
  details BLOB NOT NULL, -- sealed: whom and what it is about, and which request it answers
  credential_key BLOB NOT NULL UNIQUE,
  subject_key BLOB,
  achievement_key BLOB,
  issued_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
  UNIQUE (exchange_id, position)
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

-- Batches: records issued from one list. A row of the list is known by its key and gets one record, for ever.

CREATE TABLE batches (
  batch_key BLOB PRIMARY KEY,
  achievement_key BLOB NOT NULL,
  begun INTEGER NOT NULL
) STRICT;

CREATE TABLE batch_rows (
  batch_key BLOB NOT NULL REFERENCES batches (batch_key),
  row_key BLOB NOT NULL,
  -- A row outlives its record, so that a list which is sent again does not issue anew what was erased.
  issued_id TEXT NOT NULL UNIQUE,
  PRIMARY KEY (batch_key, row_key)
) STRICT;

-- What the holder agreed to show to whom: a receipt for each presentation that left.
CREATE TABLE receipts (
  id TEXT PRIMARY KEY,
  exchange_id TEXT NOT NULL REFERENCES exchanges (id),
  document BLOB NOT NULL, -- sealed
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX receipts_by_time ON receipts (at, id);
CREATE INDEX receipts_by_exchange ON receipts (exchange_id, at, id);

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
  exchange_id TEXT REFERENCES exchanges (id),
  document BLOB, -- sealed
  result BLOB NOT NULL, -- sealed: how each check ended, and the digest of the document
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

-- Events -----------------------------------------------------------------------------------------------------------

-- What the institution's own systems are told, and what each of them still has to be told.

CREATE TABLE events (
  -- Given out in the order of commits: whoever has read up to a number has missed nothing before it.
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  topic TEXT NOT NULL,
  -- Events of one lane are delivered in order: the exchange that they are about, or else the record or connection.
  lane TEXT NOT NULL,
  data BLOB NOT NULL -- sealed, to all of the row but its number
) STRICT;
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_by_topic ON events (topic, seq);

CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  url BLOB NOT NULL, -- sealed: it may have a secret of its own
  sealed_secret BLOB NOT NULL,
  -- The secret before the last rotation, with which messages are signed too until it ends.
  sealed_previous BLOB,
  previous_until INTEGER,
  state TEXT NOT NULL CHECK (state IN ('active', 'stopped')),
  error_code TEXT,
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE webhook_topics (
  webhook_id TEXT NOT NULL REFERENCES webhooks (id),
  topic TEXT NOT NULL,
  PRIMARY KEY (webhook_id, topic)
) STRICT;

CREATE TABLE webhook_deliveries (
  webhook_id TEXT NOT NULL REFERENCES webhooks (id),
  lane TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES events (seq),
  state TEXT NOT NULL CHECK (state IN ('queued', 'dead')),
  error_code TEXT,
  PRIMARY KEY (webhook_id, lane, seq)
) STRICT;
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (seq);

-- When the first delivery of a lane that waits is tried next.
CREATE TABLE webhook_lanes (
  webhook_id TEXT NOT NULL REFERENCES webhooks (id),
  lane TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt INTEGER NOT NULL,
  error_code TEXT,
  PRIMARY KEY (webhook_id, lane)
) STRICT;
CREATE INDEX webhook_lanes_due ON webhook_lanes (webhook_id, next_attempt, lane);

-- Reports of what was erased, signed.
CREATE TABLE erasures (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  report BLOB NOT NULL -- sealed: the digest of a name would let a guess be tested
) STRICT;
CREATE INDEX erasures_by_time ON erasures (at, id);
