-- Identity providers by which shoppers sign in, as far as the page shows them. One that was removed stays as a row, so that no
-- older event brings it back.
CREATE TABLE identity_providers (
  tenant_id   uuid        NOT NULL,
  provider_id uuid        NOT NULL,
  version     bigint      NOT NULL,
  slug        text        NOT NULL,
  name        text        NOT NULL,
  removed_at  timestamptz,
  PRIMARY KEY (tenant_id, provider_id)
);
GRANT SELECT ON identity_providers TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity_providers TO souk_projector;
