-- Which skills each held record attests, so that they are found without opening the records.

CREATE TABLE record_skills (
  id TEXT PRIMARY KEY,            -- of the record, and the place in it
  record_id TEXT NOT NULL REFERENCES held_credentials (id),
  url_key BLOB,                   -- keyed hashes of the skill's URL and code
  code_key BLOB,
  stored_at INTEGER NOT NULL,     -- when the record was
  details BLOB NOT NULL           -- sealed: the skill, what was reached in it, and what the record is
) STRICT;
CREATE INDEX record_skills_by_record ON record_skills (record_id);
CREATE INDEX record_skills_by_url ON record_skills (url_key, stored_at, id) WHERE url_key IS NOT NULL;
CREATE INDEX record_skills_by_code ON record_skills (code_key, stored_at, id) WHERE code_key IS NOT NULL;
