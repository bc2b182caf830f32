-- What a connection was known by before one of its two ends changed its DID: what is still under way finds it.

CREATE TABLE former_names (
  connection_id TEXT NOT NULL REFERENCES connections (id) DEFERRABLE INITIALLY DEFERRED,
  mine INTEGER NOT NULL CHECK (mine IN (0, 1)),
  name_key BLOB NOT NULL, -- keyed hash of a verkey of this node, or of the peer's verkey or DID
  did BLOB, -- sealed: the peer's DID
  retired INTEGER NOT NULL,
  PRIMARY KEY (connection_id, mine, name_key)
) STRICT;
CREATE INDEX former_names_by_name ON former_names (name_key);

-- The key of the DID that this node had before, as long as the peer has not written to the new one.
ALTER TABLE connections ADD COLUMN my_prior_verkey TEXT REFERENCES keys (verkey) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX connections_by_their_verkey ON connections (their_verkey);

-- Where a message is for a key that the peer has left, as the answer to its rotation is.
ALTER TABLE outbox ADD COLUMN to_verkey TEXT;
