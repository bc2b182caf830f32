-- Processes that share a store look for keys and DIDs that another of them has made since.

CREATE INDEX keys_by_time ON keys (created);
CREATE INDEX dids_by_time ON dids (created);
