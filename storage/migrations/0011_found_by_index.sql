-- What records and exchanges are listed by, each in the order of its pages; and the lists that wait to be signed.

CREATE INDEX issued_by_subject ON issued_credentials (subject_key, issued_at, id) WHERE subject_key IS NOT NULL;
CREATE INDEX issued_by_achievement ON issued_credentials (achievement_key, issued_at, id)
  WHERE achievement_key IS NOT NULL;
CREATE INDEX issued_by_connection ON issued_credentials (connection_id, issued_at, id) WHERE connection_id IS NOT NULL;
CREATE INDEX issued_not_active ON issued_credentials (state, issued_at, id) WHERE state <> 'active';
CREATE INDEX status_lists_dirty ON status_lists (created, id) WHERE published_version < version;
CREATE INDEX exchanges_by_connection ON exchanges (connection_id, created, id);
CREATE INDEX exchanges_waiting_by_time ON exchanges (created, id) WHERE waiting_for IS NOT NULL;
