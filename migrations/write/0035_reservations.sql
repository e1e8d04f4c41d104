-- Reservations of stock, and what has moved it; see docs/guides/stock.md. What can be sold at a place is on_hand - reserved - committed.
ALTER TABLE inventory.stock_items
  -- where pieces may be promised beyond those that are there, and how many
  ADD COLUMN backorder_location text,
  ADD COLUMN backorder_limit    bigint NOT NULL DEFAULT 0 CONSTRAINT stock_items_backorders_check CHECK (backorder_limit >= 0);

ALTER TABLE inventory.levels
  -- held for checkouts
  ADD COLUMN reserved  bigint NOT NULL DEFAULT 0 CONSTRAINT levels_reserved_check CHECK (reserved >= 0),
  -- belong to orders, and have not left yet
  ADD COLUMN committed bigint NOT NULL DEFAULT 0 CONSTRAINT levels_committed_check CHECK (committed >= 0);

-- A row for each place where pieces of a reservation lie. Rows stay for ever, so that no id is used twice.
CREATE TABLE inventory.reservations (
  tenant_id      uuid        NOT NULL,
  reservation_id uuid        NOT NULL,
  variant_id     uuid        NOT NULL,
  location       text        NOT NULL,
  checkout_id    uuid,
  quantity       bigint      NOT NULL CHECK (quantity > 0),
  state          text        NOT NULL CHECK (state IN ('held', 'committed', 'released', 'expired', 'dispatched')),
  -- when what is held ends by itself
  expires_at     timestamptz NOT NULL,
  -- it does not: a payment is under way
  pinned         boolean     NOT NULL,
  reserved_at    timestamptz NOT NULL,
  changed_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, reservation_id, variant_id, location)
);
-- what is over, and what goes on at a place
CREATE INDEX reservations_due ON inventory.reservations (expires_at) WHERE state = 'held' AND NOT pinned;
CREATE INDEX reservations_open ON inventory.reservations (tenant_id, variant_id, location) WHERE state IN ('held', 'committed');

-- All that came and went: what is on hand at a place is the sum of its rows. By month from the start.
CREATE SEQUENCE inventory.movement_ids;
CREATE TABLE inventory.movements (
  id          bigint      NOT NULL DEFAULT nextval('inventory.movement_ids'),
  tenant_id   uuid        NOT NULL,
  variant_id  uuid        NOT NULL,
  occurred_at timestamptz NOT NULL,
  location    text        NOT NULL,
  -- 'opening' is what was there before movements were kept
  kind        text        NOT NULL CHECK (kind IN ('opening', 'received', 'adjusted', 'transferred', 'returned', 'dispatched')),
  pieces      bigint      NOT NULL,
  -- the reservation or the return that it was for
  reference   uuid,
  PRIMARY KEY (occurred_at, id)
) PARTITION BY RANGE (occurred_at);
ALTER SEQUENCE inventory.movement_ids OWNED BY inventory.movements.id;
CREATE INDEX movements_of_variants ON inventory.movements (tenant_id, variant_id, location);
CREATE INDEX movements_by_reference ON inventory.movements (tenant_id, reference) WHERE reference IS NOT NULL;

SELECT installation.grant_context('inventory');
-- Nothing that has happened is changed.
REVOKE UPDATE, DELETE ON inventory.movements FROM souk_write;

-- The tables of contexts in partitions by month, besides the outboxes. None of their months is dropped.
CREATE VIEW installation.month_tables AS
  SELECT n.nspname::text AS context, c.relname::text AS name
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind = 'p' AND c.relname <> 'outbox' AND n.nspname IN (SELECT context FROM installation.outbox_partitions);

-- Makes the partition of one month of such a table and says what came of it, as installation.create_month does for an outbox. The
-- table has a partition of last resort, `<name>_default`; indexes and keys are those of the table.
CREATE FUNCTION installation.create_table_month(context text, name text, day date) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  starts    timestamptz := installation.month_start(day);
  ends      timestamptz := installation.month_start((date_trunc('month', day::timestamp) + interval '1 month')::date);
  partition text := name || to_char(day, '"_"YYYY_MM');
  fallback  text := name || '_default';
  strays    bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM installation.month_tables AS t WHERE t.context = create_table_month.context AND t.name = create_table_month.name) THEN
    RETURN 'none';
  END IF;
  IF to_regclass(format('%I.%I', context, partition)) IS NOT NULL THEN
    RETURN 'there';
  END IF;
  EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', context, fallback);
  EXECUTE format('SELECT count(*) FROM (SELECT FROM %I.%I WHERE occurred_at >= $1 AND occurred_at < $2 LIMIT 10001) AS of_the_month',
                 context, fallback) INTO strays USING starts, ends;
  IF strays > 10000 THEN
    RETURN 'held';
  END IF;
  EXECUTE format('CREATE TABLE %I.%I (LIKE %I.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', context, partition, context, name);
  IF strays > 0 THEN
    EXECUTE format('WITH moved AS (DELETE FROM %1$I.%2$I WHERE occurred_at >= $1 AND occurred_at < $2 RETURNING *)
                    INSERT INTO %1$I.%3$I SELECT * FROM moved', context, fallback, partition) USING starts, ends;
  END IF;
  EXECUTE format('ALTER TABLE %1$I.%2$I ATTACH PARTITION %1$I.%3$I FOR VALUES FROM (%4$L) TO (%5$L)', context, name, partition, starts, ends);
  PERFORM installation.isolate(format('%I.%I', context, partition)::regclass);
  RETURN 'made';
END $$;
REVOKE EXECUTE ON FUNCTION installation.create_table_month(text, text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION installation.create_table_month(text, text, date) TO souk_write;
GRANT SELECT ON installation.month_tables TO souk_write;

CREATE TABLE inventory.movements_default PARTITION OF inventory.movements DEFAULT;
SELECT installation.isolate('inventory.movements_default'::regclass);
SELECT installation.create_table_month('inventory', 'movements', (date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month')::date)
FROM generate_series(0, 2) AS n;

-- What is there came from somewhere.
INSERT INTO inventory.movements (tenant_id, variant_id, occurred_at, location, kind, pieces)
SELECT tenant_id, variant_id, now(), location, 'opening', on_hand FROM inventory.levels WHERE on_hand <> 0;

-- As before; of partitions those of outboxes alone wait for the relay.
CREATE OR REPLACE VIEW installation.tables_of_shops AS
  SELECT n.nspname::text AS context, c.relname::text AS name,
         c.relispartition AND EXISTS (
           SELECT FROM pg_inherits AS i JOIN pg_class AS whole ON whole.oid = i.inhparent
           WHERE i.inhrelid = c.oid AND whole.relname = 'outbox') AS is_outbox,
         CASE WHEN c.relname IN ('person_keys', 'shop_keys', 'token_key_secrets') THEN 0 WHEN c.relname = 'removed' THEN 2 ELSE 1 END AS turn
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname IN (SELECT context FROM installation.outbox_partitions) AND n.nspname <> 'audit'
    AND NOT (n.nspname = 'tenants' AND (c.relispartition OR c.relname IN ('tenants', 'deleted')))
    AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped);
