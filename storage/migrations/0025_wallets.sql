-- Wallets and platforms of others that the owner of this node has connected: where they are, and the tokens for them.

CREATE TABLE wallets (
  id TEXT PRIMARY KEY,
  details BLOB NOT NULL,          -- sealed: the service, what this node is known by there, and the tokens
  state TEXT NOT NULL CHECK (state IN ('asking', 'connected', 'ended')),
  created INTEGER NOT NULL,
  used INTEGER                    -- when it was made use of last
) STRICT;
