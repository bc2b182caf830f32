-- Signed catalogues: that of this node, as it was published last, and those that were taken from others. All public.

CREATE TABLE catalogues (
  issuer TEXT PRIMARY KEY,        -- the DID that has signed it, and awards what is in it
  own INTEGER NOT NULL,           -- 1: of this node
  name TEXT NOT NULL,
  source TEXT,                    -- where it was fetched; NULL for one from a file
  sequence INTEGER NOT NULL,
  document BLOB NOT NULL,         -- as signed
  valid_until INTEGER NOT NULL,
  taken INTEGER NOT NULL
) STRICT;
