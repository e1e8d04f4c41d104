-- Identity providers by which shoppers sign in, as the owner of a shop names them; see docs/decisions/0057.
CREATE TABLE accounts.identity_providers (
  tenant_id   uuid    NOT NULL,
  provider_id uuid    NOT NULL,
  version     bigint  NOT NULL CHECK (version > 0),
  slug        text    NOT NULL,
  is_removed  boolean NOT NULL,
  state       text    NOT NULL,
  PRIMARY KEY (tenant_id, provider_id),
  CONSTRAINT identity_providers_slug_key UNIQUE (tenant_id, slug)
);

-- What stands below is in no event.

-- The secrets that shops share with providers, sealed with the key of the shop.
CREATE TABLE accounts.identity_provider_secrets (
  tenant_id   uuid NOT NULL,
  provider_id uuid NOT NULL,
  sealed      text NOT NULL,
  PRIMARY KEY (tenant_id, provider_id)
);

SELECT installation.grant_context('accounts');
