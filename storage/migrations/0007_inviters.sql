-- By what the invitation named the peer (a DID, or a key), so that the next one of the same peer uses the connection again.

ALTER TABLE connections ADD COLUMN inviter TEXT;
CREATE INDEX connections_by_inviter ON connections (inviter);
CREATE INDEX connections_by_their_did ON connections (their_did);
