-- First messages of other protocols that go with an invitation: of this node's own (connection_id is NULL), where the
-- exchange begins when somebody answers, and of peers' invitations, until the connection is there.

CREATE TABLE attached_messages (
  invitation_id TEXT PRIMARY KEY,
  connection_id TEXT REFERENCES connections (id) DEFERRABLE INITIALLY DEFERRED,
  exchange_id TEXT,
  protocol TEXT NOT NULL,
  content BLOB NOT NULL -- sealed
) STRICT;
CREATE INDEX attached_by_connection ON attached_messages (connection_id) WHERE connection_id IS NOT NULL;
