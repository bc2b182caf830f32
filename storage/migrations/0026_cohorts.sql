-- Counts of skills with noise for others: who may ask, what all together may learn, and what was answered. Nobody is
-- named here but connections, and an answer is made to tell of nobody, so that nothing is sealed.

CREATE TABLE cohort_policy (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  minimum INTEGER NOT NULL,       -- learners that a group should have to be told
  period INTEGER NOT NULL,        -- days after which what was spent counts no more
  budget INTEGER NOT NULL         -- thousandths of epsilon that all askers together may spend in a period
) STRICT;

CREATE TABLE cohort_askers (
  connection_id TEXT PRIMARY KEY REFERENCES connections (id),
  per_question INTEGER NOT NULL,  -- thousandths of epsilon of one question at most,
  budget INTEGER NOT NULL,        -- and of all in a period
  review INTEGER NOT NULL,        -- whether a person looks at each question
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE cohort_answers (
  id TEXT PRIMARY KEY,
  question TEXT NOT NULL,         -- digest of what was asked
  connection_id TEXT NOT NULL,    -- who asked first; what was spent outlives the connection
  epsilon INTEGER NOT NULL,
  asked INTEGER NOT NULL,
  answer TEXT                     -- JSON; NULL while it is counted
) STRICT;
CREATE INDEX cohort_answers_by_question ON cohort_answers (question, asked);
CREATE INDEX cohort_answers_by_time ON cohort_answers (asked);

-- The peers that were asked together share a thread.
CREATE INDEX exchanges_asked_together ON exchanges (thid) WHERE role = 'asker';
