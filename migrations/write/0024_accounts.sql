-- The context accounts: shoppers who have one, and their sessions. What is personal is sealed; see docs/decisions/0051.
SELECT installation.create_context('accounts');

CREATE TABLE accounts.users (
  tenant_id uuid   NOT NULL,
  user_id   uuid   NOT NULL,
  version   bigint NOT NULL CHECK (version > 0),
  state     text   NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);

CREATE TABLE accounts.sessions (
  tenant_id  uuid    NOT NULL,
  session_id uuid    NOT NULL,
  version    bigint  NOT NULL CHECK (version > 0),
  user_id    uuid    NOT NULL,
  is_over    boolean NOT NULL,
  state      text    NOT NULL,
  PRIMARY KEY (tenant_id, session_id)
);
CREATE INDEX sessions_open ON accounts.sessions (tenant_id, user_id) WHERE NOT is_over;

CREATE TABLE accounts.token_keys (
  tenant_id uuid   NOT NULL,
  key_id    uuid   NOT NULL,
  version   bigint NOT NULL CHECK (version > 0),
  state     text   NOT NULL,
  PRIMARY KEY (tenant_id, key_id)
);
-- A token names the key that it is signed with.
CREATE INDEX token_keys_by_id ON accounts.token_keys (key_id);

-- What stands below is in no event.

-- Who has which address, by a digest that only this shop can make.
CREATE TABLE accounts.emails (
  tenant_id uuid NOT NULL,
  digest    text NOT NULL,
  user_id   uuid NOT NULL,
  PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX emails_of_user ON accounts.emails (tenant_id, user_id);

CREATE TABLE accounts.passwords (
  tenant_id uuid NOT NULL,
  user_id   uuid NOT NULL,
  -- Argon2id, as a PHC string
  hash      text NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);

-- The key that all that is personal of somebody is sealed with, wrapped by a master key. Who is erased has none.
CREATE TABLE accounts.person_keys (
  tenant_id uuid NOT NULL,
  user_id   uuid NOT NULL,
  wrapped   text NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);

-- The key of a shop: digests of addresses are made with it, and codes and mails that wait are sealed with it.
CREATE TABLE accounts.shop_keys (
  tenant_id uuid PRIMARY KEY,
  wrapped   text NOT NULL
);

-- The private halves of the keys that tokens are signed with.
CREATE TABLE accounts.token_key_secrets (
  tenant_id uuid NOT NULL,
  key_id    uuid NOT NULL,
  wrapped   text NOT NULL,
  PRIMARY KEY (tenant_id, key_id)
);

-- Codes that were sent by mail; each works once.
CREATE TABLE accounts.codes (
  tenant_id  uuid        NOT NULL,
  -- SHA-256 of the code, in hexadecimal digits
  digest     text        NOT NULL,
  -- sign_up | new_email | reset
  purpose    text        NOT NULL,
  user_id    uuid        NOT NULL,
  -- what happens once it comes back, sealed
  sealed     text        NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX codes_of_user ON accounts.codes (tenant_id, user_id);
CREATE INDEX codes_by_end ON accounts.codes (expires_at);

CREATE TABLE accounts.refresh_tokens (
  tenant_id  uuid        NOT NULL,
  -- SHA-256 of the token, in hexadecimal digits
  digest     text        NOT NULL,
  session_id uuid        NOT NULL,
  expires_at timestamptz NOT NULL,
  -- one that comes again after this ends its session
  used_at    timestamptz,
  PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX refresh_tokens_by_end ON accounts.refresh_tokens (expires_at);

-- Mails that wait to be sent.
CREATE TABLE accounts.mails (
  mail_id     uuid        PRIMARY KEY,
  tenant_id   uuid        NOT NULL,
  -- whom it is about; none if nobody has the address
  user_id     uuid,
  -- to whom, and what it says, sealed
  sealed      text        NOT NULL,
  created_at  timestamptz NOT NULL,
  next_try_at timestamptz NOT NULL,
  tries       integer     NOT NULL DEFAULT 0,
  last_error  text,
  -- it is not tried any more
  given_up_at timestamptz
);
CREATE INDEX mails_waiting ON accounts.mails (next_try_at) WHERE given_up_at IS NULL;
CREATE INDEX mails_of_user ON accounts.mails (tenant_id, user_id);

SELECT installation.grant_context('accounts');
