-- Batches: records issued from one list. A row of the list is known by its key and gets one record, for ever.

CREATE TABLE batches (
  name TEXT PRIMARY KEY,
  achievement_id TEXT NOT NULL,
  begun INTEGER NOT NULL
) STRICT;

CREATE TABLE batch_rows (
  batch TEXT NOT NULL REFERENCES batches (name),
  key TEXT NOT NULL,
  issued_id TEXT NOT NULL UNIQUE REFERENCES issued_credentials (id),
  PRIMARY KEY (batch, key)
) STRICT;
