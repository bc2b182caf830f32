-- Which skills each held record attests, so that they are found and counted without opening the records.

CREATE TABLE skill_awards (
  id TEXT PRIMARY KEY,            -- keyed hash of what the award is: records that award the same share one
  details BLOB NOT NULL           -- sealed: who awards what to whom
) STRICT;

CREATE TABLE record_skills (
  id TEXT PRIMARY KEY,            -- of the record, and the place in it
  record_id TEXT NOT NULL REFERENCES held_credentials (id),
  award_id TEXT NOT NULL REFERENCES skill_awards (id),
  url_key BLOB,                   -- keyed hashes of the skill's URL and code,
  code_key BLOB,
  skill_key BLOB NOT NULL,        -- of what tells it from other skills, and of what was reached in it
  reached_key BLOB NOT NULL,
  awarded INTEGER NOT NULL,
  expires INTEGER,
  stored_at INTEGER NOT NULL,     -- when the record was
  details BLOB NOT NULL           -- sealed: the skill, what was reached in it, and what the record is
) STRICT;
CREATE INDEX record_skills_by_record ON record_skills (record_id);
CREATE INDEX record_skills_by_url ON record_skills (url_key, stored_at, id) WHERE url_key IS NOT NULL;
CREATE INDEX record_skills_by_code ON record_skills (code_key, stored_at, id) WHERE code_key IS NOT NULL;
CREATE INDEX record_skills_by_skill ON record_skills (skill_key, awarded, id);
CREATE INDEX record_skills_by_award ON record_skills (award_id);
-- The state beside the id, so that it is found without reading past the document.
CREATE INDEX held_states ON held_credentials (id, state, state_at);
