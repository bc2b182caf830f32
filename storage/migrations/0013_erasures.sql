-- Reports of what was erased, signed; and rows of batches that outlive the record that they got, so that a list which is
-- sent again does not issue anew what was erased.

CREATE TABLE erasures (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  report TEXT NOT NULL
) STRICT;
CREATE INDEX erasures_by_time ON erasures (at, id);

ALTER TABLE batch_rows RENAME TO batch_rows_before;
CREATE TABLE batch_rows (
  batch_key BLOB NOT NULL REFERENCES batches (batch_key),
  row_key BLOB NOT NULL,
  issued_id TEXT NOT NULL UNIQUE,
  PRIMARY KEY (batch_key, row_key)
) STRICT;
INSERT INTO batch_rows SELECT batch_key, row_key, issued_id FROM batch_rows_before;
DROP TABLE batch_rows_before;
