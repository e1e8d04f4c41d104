-- Accounts of shoppers, without anything personal, which is sealed and stays in the write database.
CREATE TABLE users (
  tenant_id     uuid        NOT NULL,
  user_id       uuid        NOT NULL,
  version       bigint      NOT NULL,
  registered_at timestamptz NOT NULL,
  -- when the e-mail address was proved first
  verified_at   timestamptz,
  erased_at     timestamptz,
  PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX users_newest ON users (tenant_id, registered_at DESC, user_id DESC);

-- Sessions: an access token of one that has ended is none any more.
CREATE TABLE sessions (
  tenant_id  uuid        NOT NULL,
  session_id uuid        NOT NULL,
  version    bigint      NOT NULL,
  user_id    uuid        NOT NULL,
  started_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at   timestamptz,
  PRIMARY KEY (tenant_id, session_id)
);

-- The public halves of the keys that access tokens are signed with.
CREATE TABLE token_keys (
  tenant_id   uuid        NOT NULL,
  key_id      uuid        NOT NULL,
  version     bigint      NOT NULL,
  -- a JSON Web Key (RFC 7517)
  public      text        NOT NULL,
  signs_from  timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  revoked_at  timestamptz,
  PRIMARY KEY (tenant_id, key_id)
);
-- A token names the key that it is signed with.
CREATE INDEX token_keys_by_id ON token_keys (key_id);

GRANT SELECT ON users, sessions, token_keys TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON users, sessions, token_keys TO souk_projector;
