-- How much a shop may have and ask for, as JSON; see docs/decisions/0055.
ALTER TABLE tenants.tenants ADD COLUMN quotas text NOT NULL DEFAULT '{}';

-- What each shop has, as it was measured last.
CREATE TABLE tenants.usage (
  tenant_id   uuid        PRIMARY KEY,
  products    bigint      NOT NULL,
  -- of the states of all contexts, as they are stored
  bytes       bigint      NOT NULL,
  measured_at timestamptz NOT NULL
);

SELECT installation.grant_context('tenants');

-- The bytes of a shop's states: the rows of all tables of contexts but for what ends by itself (outboxes, idempotency keys) and
-- for what nobody can have less of (the audit). What is stored out of line is counted, and not read.
CREATE FUNCTION installation.bytes_of_shop(shop uuid) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  own   record;
  bytes bigint;
  total bigint := 0;
BEGIN
  FOR own IN
    SELECT format('%I.%I', n.nspname, c.relname) AS relation,
           string_agg(format('coalesce(pg_column_size(%I), 0)', a.attname), ' + ') AS size
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND NOT c.relispartition AND c.relname NOT IN ('idempotency_keys', 'removed')
      AND n.nspname NOT IN ('audit', 'tenants') AND n.nspname IN (SELECT context FROM installation.outbox_partitions)
    GROUP BY n.nspname, c.relname HAVING bool_or(a.attname = 'tenant_id')
  LOOP
    -- A row has a head of 24 bytes.
    EXECUTE format('SELECT coalesce(sum(24 + %s), 0) FROM %s WHERE tenant_id = $1', own.size, own.relation) INTO bytes USING shop;
    total := total + bytes;
  END LOOP;
  RETURN total;
END $$;
