-- What staff and administrators did in each shop, the newest first. An entry is another copy of what stands in the write
-- database: one that was changed there is found by it.
CREATE TABLE activity (
  tenant_id      uuid        NOT NULL,
  number         bigint      NOT NULL,
  at             timestamptz NOT NULL,
  -- admin | owner | staff
  actor          text        NOT NULL,
  -- the id of the shop's key, where it was done with one
  key_id         uuid,
  correlation_id text        NOT NULL,
  -- the ids of what was changed
  changed        uuid[]      NOT NULL,
  -- the entry as it was recorded, and the digests of the one before and of itself
  entry          text        NOT NULL,
  previous       text        NOT NULL,
  digest         text        NOT NULL,
  PRIMARY KEY (tenant_id, number)
);
CREATE INDEX activity_by_what ON activity USING gin (changed);
GRANT SELECT ON activity TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON activity TO souk_projector;
