-- What was asked for when a record was issued over the VC API, so that the same request is answered by the same record.

ALTER TABLE issued_credentials ADD COLUMN request_digest TEXT;
