-- A key of a DID that signs no more stays in its document: 'retired', what it signed still verifies; 'withdrawn', since
-- changed, nothing does.
ALTER TABLE did_keys ADD COLUMN state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'retired', 'withdrawn'));
ALTER TABLE did_keys ADD COLUMN changed INTEGER;
