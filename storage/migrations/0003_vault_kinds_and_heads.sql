-- What opens the vault: a passphrase, or a key.

ALTER TABLE vault ADD COLUMN kind TEXT NOT NULL DEFAULT 'passphrase' CHECK (kind IN ('passphrase', 'key'));

-- Signed heads of the audit trail, one a day.
CREATE TABLE audit_heads (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  statement TEXT NOT NULL
) STRICT;
