-- People who work for a shop: the roles that it has defined, and one-time codes besides the password.
CREATE TABLE accounts.roles (
  tenant_id uuid    NOT NULL,
  role_id   uuid    NOT NULL,
  version   bigint  NOT NULL CHECK (version > 0),
  slug      text    NOT NULL,
  -- it is none any more; its slug is free
  is_gone   boolean NOT NULL,
  state     text    NOT NULL,
  PRIMARY KEY (tenant_id, role_id)
);
CREATE UNIQUE INDEX roles_slug_key ON accounts.roles (tenant_id, slug) WHERE NOT is_gone;

-- In no event.
CREATE TABLE accounts.second_factors (
  tenant_id    uuid    NOT NULL,
  user_id      uuid    NOT NULL,
  -- the secret that codes are made of, sealed with the key of the person
  sealed       text    NOT NULL,
  -- a code was shown; before, none is asked for
  is_confirmed boolean NOT NULL,
  -- digests of the recovery codes that are left
  recovery     text[]  NOT NULL,
  -- the last step of 30 seconds whose code was used
  last_step    bigint  NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);

SELECT installation.grant_context('accounts');
