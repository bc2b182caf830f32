-- A key may be in a PKCS#11 token; what is sealed of it here is its label.
ALTER TABLE keys ADD COLUMN place TEXT NOT NULL DEFAULT 'store' CHECK (place IN ('store', 'token'));
