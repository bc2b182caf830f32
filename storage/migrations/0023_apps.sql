-- Apps that an owner lets at records over the Open Badges API: who registered, who asks, what was granted, and tokens by
-- their keyed hash only.

CREATE TABLE app_clients (
  id TEXT PRIMARY KEY,
  details BLOB NOT NULL,          -- sealed: what it says of itself
  secret_key BLOB NOT NULL,
  created INTEGER NOT NULL,
  granted INTEGER                 -- when it was granted something first; who never was is forgotten
) STRICT;

CREATE TABLE app_requests (
  id TEXT PRIMARY KEY,            -- short, for people
  client_id TEXT NOT NULL REFERENCES app_clients (id) DEFERRABLE INITIALLY DEFERRED,
  details BLOB NOT NULL,          -- sealed: what it asks for, and where it is answered
  browser_key BLOB NOT NULL,      -- of the browser that shows the page
  code_key BLOB,                  -- of what the owner types there, once it is approved
  state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'declined')),
  tries INTEGER NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE INDEX app_requests_by_client ON app_requests (client_id);

CREATE TABLE app_grants (
  id TEXT PRIMARY KEY,
  client_id TEXT NOT NULL REFERENCES app_clients (id) DEFERRABLE INITIALLY DEFERRED,
  details BLOB NOT NULL,          -- sealed: scopes, and what the code is bound to
  created INTEGER NOT NULL,
  used INTEGER                    -- when it was made use of last
) STRICT;
CREATE INDEX app_grants_by_client ON app_grants (client_id);

CREATE TABLE app_tokens (
  token_key BLOB PRIMARY KEY,
  grant_id TEXT NOT NULL REFERENCES app_grants (id) DEFERRABLE INITIALLY DEFERRED,
  kind TEXT NOT NULL CHECK (kind IN ('code', 'access', 'refresh')),
  scope TEXT NOT NULL,
  expires INTEGER NOT NULL,
  spent INTEGER                   -- a code or refresh token that was used stays, so that a second use is noticed
) STRICT;
CREATE INDEX app_tokens_by_grant ON app_tokens (grant_id);
CREATE INDEX app_tokens_by_end ON app_tokens (expires);

CREATE TABLE own_profiles (
  id TEXT PRIMARY KEY,
  document BLOB NOT NULL,         -- sealed
  changed INTEGER NOT NULL
) STRICT;
