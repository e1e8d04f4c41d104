-- When a product is published and archived by itself; see docs/guides/products.md.
ALTER TABLE catalog.products ADD COLUMN publish_at timestamptz, ADD COLUMN archive_at timestamptz;

-- The few that wait for their time, by what is due first.
CREATE INDEX products_due ON catalog.products (least(publish_at, archive_at), product_id)
  WHERE publish_at IS NOT NULL OR archive_at IS NOT NULL;
