-- The context access: keys, by which programs say for whom they call. A key itself is kept nowhere.
SELECT installation.create_context('access');

CREATE TABLE access.keys (
  tenant_id uuid   NOT NULL,
  key_id    uuid   NOT NULL,
  version   bigint NOT NULL CHECK (version > 0),
  -- SHA-256 of the key, in hexadecimal digits: by it a key that is sent is found, whoever's it is
  digest    text   NOT NULL,
  state     text   NOT NULL,
  PRIMARY KEY (tenant_id, key_id),
  CONSTRAINT keys_digest_key UNIQUE (digest)
);
-- A scoped key names the search key that it was made of.
CREATE INDEX keys_by_id ON access.keys (key_id);

SELECT installation.grant_context('access');
