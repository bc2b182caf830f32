-- Links by which peers fetch records that are too large for a message: each for one record of an exchange, until it expires.

CREATE TABLE record_links (
  token_key BLOB PRIMARY KEY,
  exchange_id TEXT NOT NULL REFERENCES exchanges (id) DEFERRABLE INITIALLY DEFERRED,
  position INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE INDEX record_links_by_exchange ON record_links (exchange_id);
