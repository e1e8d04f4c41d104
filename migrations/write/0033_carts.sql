-- The context carts: what shoppers want to buy, whether they have an account or not. Of a person a cart has nothing but the id of
-- the owner and a place.
SELECT installation.create_context('carts');

CREATE TABLE carts.carts (
  tenant_id  uuid        NOT NULL,
  cart_id    uuid        NOT NULL,
  version    bigint      NOT NULL CHECK (version > 0),
  -- customer | guest
  owner_kind text        NOT NULL,
  owner_id   uuid        NOT NULL,
  -- open | locked | checked_out | expired
  phase      text        NOT NULL,
  -- when it was last written
  touched_at timestamptz NOT NULL DEFAULT now(),
  state      text        NOT NULL,
  PRIMARY KEY (tenant_id, cart_id)
);
-- Nobody has two carts at a time.
CREATE UNIQUE INDEX carts_current_key ON carts.carts (tenant_id, owner_kind, owner_id) WHERE phase IN ('open', 'locked');
-- Those that nobody touches expire.
CREATE INDEX carts_untouched ON carts.carts (touched_at) WHERE phase = 'open';

SELECT installation.grant_context('carts');
