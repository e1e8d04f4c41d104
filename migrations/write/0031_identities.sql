-- Who signs in by what a provider knows of them. Of that a digest stays, which only this shop can make, of the issuer and of
-- what it calls the person.
CREATE TABLE accounts.identities (
  tenant_id uuid NOT NULL,
  -- the provider's slug
  provider  text NOT NULL,
  digest    text NOT NULL,
  user_id   uuid NOT NULL,
  PRIMARY KEY (tenant_id, provider, digest),
  CONSTRAINT identities_user_key UNIQUE (tenant_id, user_id, provider)
);

-- Ways to providers that somebody has begun and not come back from; each state works once.
CREATE TABLE accounts.identity_requests (
  tenant_id  uuid        NOT NULL,
  -- SHA-256 of the state, in hexadecimal digits
  digest     text        NOT NULL,
  -- what is needed once it comes back, sealed
  sealed     text        NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX identity_requests_by_end ON accounts.identity_requests (expires_at);

SELECT installation.grant_context('accounts');
