-- Stock by place, and what of it is kept for whom; see docs/guides/stock.md.
CREATE TABLE stock_levels (
  tenant_id       uuid   NOT NULL,
  variant_id      uuid   NOT NULL,
  location        text   NOT NULL,
  product_id      uuid   NOT NULL,
  on_hand         bigint NOT NULL,
  reserved        bigint NOT NULL,
  committed       bigint NOT NULL,
  -- pieces that may be promised there beyond those that are there
  backorder_limit bigint NOT NULL,
  PRIMARY KEY (tenant_id, variant_id, location)
);

-- The SKUs of variants, whether or not there is stock of them.
CREATE TABLE stock_skus (
  tenant_id  uuid NOT NULL,
  variant_id uuid NOT NULL,
  product_id uuid NOT NULL,
  sku        text NOT NULL,
  PRIMARY KEY (tenant_id, variant_id)
);
CREATE INDEX stock_skus_by_sku ON stock_skus (tenant_id, sku);
CREATE INDEX stock_skus_of_product ON stock_skus (tenant_id, product_id);

-- Reservations that go on, a row for each place.
CREATE TABLE stock_reservations (
  tenant_id      uuid        NOT NULL,
  variant_id     uuid        NOT NULL,
  reservation_id uuid        NOT NULL,
  location       text        NOT NULL,
  checkout_id    uuid,
  quantity       bigint      NOT NULL,
  -- held or committed
  state          text        NOT NULL,
  expires_at     timestamptz NOT NULL,
  pinned         boolean     NOT NULL,
  reserved_at    timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, variant_id, reservation_id, location)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON stock_levels, stock_skus, stock_reservations TO souk_projector;
GRANT SELECT ON stock_levels, stock_skus, stock_reservations TO souk_reindex;

-- What is known by now. Nothing was kept for anybody before.
INSERT INTO stock_levels (tenant_id, variant_id, location, product_id, on_hand, reserved, committed, backorder_limit)
SELECT s.tenant_id, s.aggregate_id, level.key, s.product_id, level.value::bigint, 0, 0, 0
FROM sources AS s CROSS JOIN LATERAL jsonb_each_text(s.body::jsonb) AS level
WHERE s.context = 'inventory' AND NOT s.deleted AND s.product_id IS NOT NULL;

INSERT INTO stock_skus (tenant_id, variant_id, product_id, sku)
SELECT s.tenant_id, (variant ->> 'id')::uuid, s.product_id, variant ->> 'sku'
FROM sources AS s CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'content' -> 'variants') AS variant
WHERE s.context = 'catalog' AND s.aggregate = 'product' AND NOT s.deleted AND s.product_id IS NOT NULL
ON CONFLICT DO NOTHING;
