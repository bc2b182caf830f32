-- Messages of DIDComm v2: peers are found by the DID that they write under, and a message on its way keeps its wire and
-- the key that it leaves under, however its connection changes meanwhile.

ALTER TABLE connections ADD COLUMN knows_my_did INTEGER NOT NULL DEFAULT 0 CHECK (knows_my_did IN (0, 1));
CREATE UNIQUE INDEX connections_by_dids ON connections (my_verkey, their_did_key);

ALTER TABLE outbox ADD COLUMN wire TEXT NOT NULL DEFAULT 'didcomm/aip2;env=rfc19';
ALTER TABLE outbox ADD COLUMN my_verkey TEXT;
