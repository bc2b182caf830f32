-- Which process of the node does what only one has to do, and until when it may, by the clock of the database.
CREATE TABLE turns (
  name TEXT PRIMARY KEY,
  taken_until INTEGER NOT NULL
) STRICT;
