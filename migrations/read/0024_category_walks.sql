-- Categories that changed above more products than one transaction composes. The products below are composed in
-- steps, in the order of their ids, once round from where the walk stood at the last change: one walk a shop, so that
-- changes that follow each other cost one round together.
CREATE TABLE category_walks (
  tenant_id      uuid PRIMARY KEY,
  -- the categories that changed themselves, and those whose path did
  category_ids   uuid[] NOT NULL,
  -- the last product that was composed
  after          uuid NOT NULL,
  -- past the last id the walk begins anew, and ends with this product
  ends_at        uuid NOT NULL,
  has_turned     boolean NOT NULL DEFAULT false,
  -- shops take turns
  stepped_at     timestamptz NOT NULL DEFAULT 'epoch',
  -- what accompanies the documents: the newest change
  event_time     timestamptz NOT NULL,
  correlation_id text NOT NULL,
  traceparent    text
);
GRANT SELECT ON category_walks TO souk_query;

-- Prices that are due are taken from each shop in turn.
CREATE INDEX product_pages_price_change_by_tenant ON product_pages (tenant_id, next_price_change_at)
  WHERE next_price_change_at IS NOT NULL;
