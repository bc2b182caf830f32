-- Whom this node believes, by its own rules. DIDs of institutions and words of frameworks are public: nothing is sealed.

CREATE TABLE trust_rules (
  id TEXT PRIMARY KEY,
  did TEXT NOT NULL,
  action TEXT NOT NULL,             -- issue, or recognize others
  scope TEXT NOT NULL,              -- JSON: for which achievement types, achievements and frameworks
  valid_from INTEGER,               -- for records issued since
  valid_until INTEGER,              -- and until
  note TEXT NOT NULL,               -- why, for people
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX trust_rules_by_did ON trust_rules (did);
