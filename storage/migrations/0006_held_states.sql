-- What the issuer's status lists said of a held record when they were last looked at, and when that was.

ALTER TABLE held_credentials ADD COLUMN state TEXT NOT NULL DEFAULT 'active'
  CHECK (state IN ('active', 'suspended', 'revoked'));
ALTER TABLE held_credentials ADD COLUMN state_at INTEGER;
