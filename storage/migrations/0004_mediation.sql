-- Mediation: for whom this node holds messages, and who holds messages for this node.

CREATE TABLE mediation_clients (
  connection_id TEXT PRIMARY KEY REFERENCES connections (id),
  -- Counts what was ever held: the order in which it is handed out.
  next_position INTEGER NOT NULL,
  recipients INTEGER NOT NULL CHECK (recipients >= 0),
  held_messages INTEGER NOT NULL CHECK (held_messages >= 0),
  held_bytes INTEGER NOT NULL CHECK (held_bytes >= 0),
  since INTEGER NOT NULL
) STRICT;
CREATE INDEX mediation_clients_by_time ON mediation_clients (since, connection_id);

CREATE TABLE mediated_recipients (
  name TEXT PRIMARY KEY,
  connection_id TEXT NOT NULL REFERENCES mediation_clients (connection_id),
  added INTEGER NOT NULL
) STRICT;
CREATE INDEX mediated_recipients_by_client ON mediated_recipients (connection_id, added, name);

CREATE TABLE mediated_messages (
  id TEXT PRIMARY KEY,
  connection_id TEXT NOT NULL REFERENCES mediation_clients (connection_id),
  position INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  digest BLOB NOT NULL,
  size INTEGER NOT NULL,
  received INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  UNIQUE (connection_id, position),
  UNIQUE (recipient, digest)
) STRICT;
CREATE INDEX mediated_messages_by_recipient ON mediated_messages (connection_id, recipient, position);
CREATE INDEX mediated_messages_by_age ON mediated_messages (received);

CREATE TABLE mediators (
  connection_id TEXT PRIMARY KEY REFERENCES connections (id),
  exchange_id TEXT NOT NULL REFERENCES exchanges (id),
  state TEXT NOT NULL CHECK (state IN ('requested', 'granted', 'closing', 'denied', 'ended')),
  details BLOB NOT NULL,
  since INTEGER NOT NULL
) STRICT;
CREATE INDEX mediators_by_state ON mediators (state, since, connection_id);

-- What peers know this node by through a mediator, and whether that mediator knows it.
CREATE TABLE routed_names (
  name TEXT PRIMARY KEY,
  mediator_id TEXT NOT NULL REFERENCES mediators (connection_id),
  state TEXT NOT NULL CHECK (state IN ('adding', 'added', 'refused', 'removing')),
  updated INTEGER NOT NULL
) STRICT;
CREATE INDEX routed_names_by_mediator ON routed_names (mediator_id, state, updated, name);
