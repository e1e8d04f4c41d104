-- What a shop has decided of tax, shipping, places, channels and deadlines, by kind and name. What was removed is a row, too, so
-- that an older event can't bring it back.
CREATE TABLE settings (
  tenant_id  uuid   NOT NULL,
  -- tax-zones | shipping-methods | locations | channels | policies
  kind       text   NOT NULL,
  name       text   NOT NULL,
  version    bigint NOT NULL,
  -- the event's content; NULL once it was removed
  body       jsonb,
  removed_at timestamptz,
  PRIMARY KEY (tenant_id, kind, name)
);
GRANT SELECT ON settings TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON settings TO souk_projector;
