-- Orders, without anything personal: that is sealed, and stays in the write database.
CREATE TABLE orders (
  tenant_id      uuid        NOT NULL,
  order_id       uuid        NOT NULL,
  version        bigint      NOT NULL,
  checkout_id    uuid        NOT NULL,
  buyer_kind     text        NOT NULL,
  buyer_id       uuid        NOT NULL,
  -- SHA-256 of the token by which whoever has no account sees it
  access_digest  text,
  number         text,
  channel        text,
  country        text,
  payment_method text        NOT NULL,
  currency       text        NOT NULL,
  total          bigint      NOT NULL,
  paid           bigint      NOT NULL DEFAULT 0,
  refunded       bigint      NOT NULL DEFAULT 0,
  lifecycle      text        NOT NULL,
  payment        text        NOT NULL,
  fulfilment     text        NOT NULL,
  -- the word that is shown, which follows from the three
  status         text        NOT NULL,
  -- JSON: what holds now
  quote          text        NOT NULL,
  created_at     timestamptz NOT NULL,
  changed_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, order_id)
);
CREATE INDEX orders_of_buyer ON orders (tenant_id, buyer_kind, buyer_id, created_at DESC, order_id DESC);
CREATE INDEX orders_newest ON orders (tenant_id, created_at DESC, order_id DESC);
CREATE INDEX orders_by_status ON orders (tenant_id, status, created_at DESC, order_id DESC);
CREATE INDEX orders_by_number ON orders (tenant_id, number) WHERE number IS NOT NULL;

-- What became of each, with who and why.
CREATE TABLE order_history (
  tenant_id uuid        NOT NULL,
  order_id  uuid        NOT NULL,
  version   bigint      NOT NULL,
  at        timestamptz NOT NULL,
  -- the verb of the event, such as `confirmed`
  what      text        NOT NULL,
  -- JSON: who did it
  done_by   text        NOT NULL,
  -- why, in a word, and in the words of whoever did it
  reason    text,
  note      text,
  PRIMARY KEY (tenant_id, order_id, version)
);
GRANT SELECT ON orders, order_history TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, order_history TO souk_projector;
