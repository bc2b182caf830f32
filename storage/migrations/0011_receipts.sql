-- What the holder agreed to show to whom: a receipt for each presentation that left.

CREATE TABLE receipts (
  id TEXT PRIMARY KEY,
  exchange_id TEXT NOT NULL REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  document BLOB NOT NULL, -- sealed
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX receipts_by_time ON receipts (at, id);
CREATE INDEX receipts_by_exchange ON receipts (exchange_id, at, id);
