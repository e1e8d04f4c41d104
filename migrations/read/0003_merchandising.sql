-- What staff have defined to steer search, by kind and name: read at query time and listed for staff. What
-- was removed is a row, too, so that an older event can't bring it back.
CREATE TABLE merchandising (
  tenant_id  uuid   NOT NULL,
  -- synonyms | rules | facets | experiments
  kind       text   NOT NULL,
  name       text   NOT NULL,
  version    bigint NOT NULL,
  -- the event's content; NULL once it was removed
  body       jsonb,
  removed_at timestamptz,
  PRIMARY KEY (tenant_id, kind, name)
);
GRANT SELECT ON merchandising TO souk_query;
