-- Which trace (W3C traceparent) a message that waits and a job belong to; NULL where none is known.
ALTER TABLE outbox ADD COLUMN traceparent TEXT;
ALTER TABLE jobs ADD COLUMN traceparent TEXT;
