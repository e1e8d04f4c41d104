-- Where each checkout stands: for its shopper who waits, for staff who look after those that stand still, and for the funnel.
CREATE TABLE checkouts (
  tenant_id      uuid        NOT NULL,
  checkout_id    uuid        NOT NULL,
  version        bigint      NOT NULL,
  buyer_kind     text        NOT NULL,
  buyer_id       uuid        NOT NULL,
  -- SHA-256 of the token by which whoever has no account sees it
  access_digest  text,
  cart_id        uuid        NOT NULL,
  payment_method text        NOT NULL,
  currency       text        NOT NULL,
  total          bigint      NOT NULL,
  -- JSON: what was agreed on
  quote          text        NOT NULL,
  -- open | awaiting_payment | completed | aborted
  phase          text        NOT NULL,
  -- JSON: what it waits for; what stood in the way
  awaiting       text,
  obstacles      text        NOT NULL DEFAULT '[]',
  abort_reason   text,
  order_id       uuid,
  -- staff have to look after it
  parked_at      timestamptz,
  parked_step    text,
  parked_reason  text,
  started_at     timestamptz NOT NULL,
  changed_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, checkout_id)
);
CREATE INDEX checkouts_parked ON checkouts (tenant_id, parked_at) WHERE parked_at IS NOT NULL;
CREATE INDEX checkouts_open ON checkouts (tenant_id, started_at) WHERE phase IN ('open', 'awaiting_payment');
GRANT SELECT ON checkouts TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON checkouts TO souk_projector;
