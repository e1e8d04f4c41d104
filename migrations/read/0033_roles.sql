-- Groups of customers; who works for a shop, and what they may do.
ALTER TABLE users ADD groups text[] NOT NULL DEFAULT '{}', ADD roles text[] NOT NULL DEFAULT '{}', ADD has_second_factor boolean NOT NULL DEFAULT false;

CREATE TABLE roles (
  tenant_id   uuid   NOT NULL,
  role_id     uuid   NOT NULL,
  version     bigint NOT NULL,
  slug        text   NOT NULL,
  name        text   NOT NULL,
  permissions text[] NOT NULL,
  removed_at  timestamptz,
  PRIMARY KEY (tenant_id, role_id)
);

-- Few of a shop's accounts have any.
CREATE INDEX users_with_roles ON users (tenant_id) WHERE roles <> '{}';

GRANT SELECT ON roles TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON roles TO souk_projector;

-- A second set of views is of the shape that the live one had when it was made.
DO $$
BEGIN
  IF to_regclass('standby.users') IS NOT NULL THEN
    ALTER TABLE standby.users ADD groups text[] NOT NULL DEFAULT '{}', ADD roles text[] NOT NULL DEFAULT '{}',
      ADD has_second_factor boolean NOT NULL DEFAULT false;
  END IF;
END $$;
