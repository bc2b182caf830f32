-- Which versions of frameworks this node gives to anybody, and what it has signed of each. All of it is public.

CREATE TABLE framework_publications (
  framework_id TEXT PRIMARY KEY REFERENCES frameworks (id),
  version_id TEXT NOT NULL REFERENCES framework_versions (id),
  manifest BLOB NOT NULL,         -- as signed
  published INTEGER NOT NULL
) STRICT;
