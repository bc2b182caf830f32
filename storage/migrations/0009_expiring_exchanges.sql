-- Until when the last message of an exchange can be answered; whatever moves the exchange on, clears it.

ALTER TABLE exchanges ADD COLUMN expires INTEGER;
CREATE INDEX exchanges_expiring ON exchanges (expires, id) WHERE expires IS NOT NULL;
