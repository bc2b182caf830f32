-- What a learner puts together for others to see, and the links under which it is shown.

CREATE TABLE resumes (
  id TEXT PRIMARY KEY,
  content BLOB NOT NULL, -- sealed: title, text, entries
  updated INTEGER NOT NULL
) STRICT;
CREATE INDEX resumes_by_time ON resumes (updated, id);

CREATE TABLE shares (
  id TEXT PRIMARY KEY,
  token_key BLOB NOT NULL UNIQUE, -- keyed hash of what the link ends with; the link itself is kept nowhere
  content BLOB, -- sealed: what is shown; NULL once it is withdrawn
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  withdrawn INTEGER,
  views INTEGER NOT NULL,
  last_view INTEGER
) STRICT;
CREATE INDEX shares_by_time ON shares (created, id);

CREATE TABLE share_records (
  share_id TEXT NOT NULL REFERENCES shares (id),
  record_id TEXT NOT NULL,
  PRIMARY KEY (share_id, record_id)
) STRICT;
CREATE INDEX share_records_by_record ON share_records (record_id);

-- A receipt is of an exchange, or of what is shown by a link.
ALTER TABLE receipts RENAME TO receipts_of_exchanges;
CREATE TABLE receipts (
  id TEXT PRIMARY KEY,
  exchange_id TEXT REFERENCES exchanges (id),
  document BLOB NOT NULL, -- sealed
  at INTEGER NOT NULL
) STRICT;
INSERT INTO receipts (id, exchange_id, document, at) SELECT id, exchange_id, document, at FROM receipts_of_exchanges;
DROP TABLE receipts_of_exchanges;
CREATE INDEX receipts_by_time ON receipts (at, id);
CREATE INDEX receipts_by_exchange ON receipts (exchange_id, at, id);
