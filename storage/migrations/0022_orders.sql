-- The issuing desk: lists of learners who are to get a record, while there is something to do or to report of them.

CREATE TABLE orders (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,              -- waiting (to be approved), approved, declined
  content BLOB NOT NULL,            -- sealed JSON: what is awarded, of which file, by whom, who decided
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE order_rows (
  id TEXT PRIMARY KEY,              -- of the list and the line
  order_id TEXT NOT NULL REFERENCES orders (id),
  line INTEGER NOT NULL,
  state TEXT NOT NULL,              -- ready, issued, queued, sent, failed
  content BLOB NOT NULL,            -- sealed JSON: the learner, and why it failed
  issued_id TEXT,                   -- the record, once it is signed here
  exchange_id TEXT,                 -- in which the learner takes it, where it is offered by mail
  attempts INTEGER NOT NULL,        -- to send the mail
  due INTEGER,                      -- when to send it; NULL where there is nothing to send
  UNIQUE (order_id, line)
) STRICT;
CREATE INDEX order_rows_due ON order_rows (due) WHERE due IS NOT NULL;

CREATE TABLE column_mappings (
  name TEXT PRIMARY KEY,
  columns TEXT NOT NULL             -- JSON: which column is what, how dates are written, the encoding
) STRICT;
