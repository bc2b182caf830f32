-- Events: what the institution's own systems are told, and what each of them still has to be told.

CREATE TABLE events (
  -- Given out in the order of commits: whoever has read up to a number has missed nothing before it.
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  topic TEXT NOT NULL,
  -- Events of one lane are delivered in order: the exchange that they are about, or else the record or connection.
  lane TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_by_topic ON events (topic, seq);

CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL,
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
