-- Statuses of several bits, with messages, and lists for other purposes. SQLite cannot change a CHECK in place, so both
-- tables are made anew; what they hold stays as it is, with values of one bit.

CREATE TABLE status_lists_new (
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
  document BLOB,
  etag TEXT,
  published_at INTEGER,
  CHECK (published_version <= version)
) STRICT;
INSERT INTO status_lists_new
  SELECT id, purpose,
    COALESCE((SELECT did FROM dids WHERE purpose = 'issuer' ORDER BY state, is_chosen DESC, created, did LIMIT 1), ''),
    1, '[]', '[]', size_bits, allocated, created, version, published_version, document, etag, published_at
  FROM status_lists;

CREATE TABLE status_entries_new (
  list_id TEXT NOT NULL REFERENCES status_lists (id),
  idx INTEGER NOT NULL CHECK (idx >= 0),
  purpose TEXT NOT NULL,
  exchange_id TEXT NOT NULL,
  value INTEGER NOT NULL CHECK (value BETWEEN 0 AND 255),
  changed_at INTEGER NOT NULL,
  reason TEXT,
  PRIMARY KEY (list_id, idx),
  UNIQUE (purpose, exchange_id)
) STRICT;
INSERT INTO status_entries_new
  SELECT list_id, idx, purpose, exchange_id, state, changed_at, reason FROM status_entries;

DROP TABLE status_entries;
DROP TABLE status_lists;
ALTER TABLE status_lists_new RENAME TO status_lists;
ALTER TABLE status_entries_new RENAME TO status_entries;

CREATE INDEX status_lists_by_purpose ON status_lists (purpose, created, id);
CREATE INDEX status_entries_set ON status_entries (list_id, idx) WHERE value <> 0;

CREATE TRIGGER status_entries_stay BEFORE DELETE ON status_entries BEGIN
  SELECT RAISE(ABORT, 'a status index is never given out again');
END;

CREATE TRIGGER status_entries_keep_owner BEFORE UPDATE OF list_id, idx, purpose, exchange_id ON status_entries BEGIN
  SELECT RAISE(ABORT, 'a status index is never given to another credential');
END;
