-- Profiles of jobs: which skills are required and wished. They are about no person, so that nothing here is sealed.

CREATE TABLE job_profiles (
  name TEXT NOT NULL,
  number INTEGER NOT NULL,        -- counts the versions, from 1; a version never changes
  document TEXT NOT NULL,         -- JSON, as it is exported
  created INTEGER NOT NULL,
  PRIMARY KEY (name, number)
) STRICT;
