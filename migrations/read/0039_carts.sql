-- Carts, as their owners see them. One that has ended stays as a row with nothing in it, so that no older event brings it back.
CREATE TABLE carts (
  tenant_id  uuid        NOT NULL,
  cart_id    uuid        NOT NULL,
  version    bigint      NOT NULL,
  -- customer | guest
  owner_kind text        NOT NULL,
  owner_id   uuid        NOT NULL,
  -- open | locked | checked_out | expired
  phase      text        NOT NULL,
  -- JSON, read whole
  state      text        NOT NULL,
  begun_at   timestamptz NOT NULL,
  touched_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, cart_id)
);
CREATE INDEX carts_of_owner ON carts (tenant_id, owner_kind, owner_id, phase);

GRANT SELECT ON carts TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON carts TO souk_projector;
