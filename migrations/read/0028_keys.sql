-- The keys of each shop: who sends one is found by its digest, and owners see what there is. Revoked ones stay, so that no
-- older event brings one back.
CREATE TABLE keys (
  tenant_id   uuid        NOT NULL,
  key_id      uuid        NOT NULL,
  version     bigint      NOT NULL,
  name        text        NOT NULL,
  -- search | staff | owner
  kind        text        NOT NULL,
  -- of a staff key: what it may do
  permissions text[]      NOT NULL,
  -- the first characters of the key
  hint        text        NOT NULL,
  -- SHA-256 of the key, in hexadecimal digits
  digest      text        NOT NULL,
  -- of a search key: what scoped keys that are made of it are signed with, in hexadecimal digits
  signing_key text,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz,
  revoked_at  timestamptz,
  PRIMARY KEY (tenant_id, key_id)
);
CREATE INDEX keys_by_digest ON keys (digest);
-- A scoped key names the search key that it was made of.
CREATE INDEX keys_by_id ON keys (key_id);
GRANT SELECT ON keys TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON keys TO souk_projector;
