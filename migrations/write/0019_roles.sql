-- A login for each process, with what it needs and nothing else; see docs/decisions/0046 and docs/guides/databases.md. A role
-- that is missing is made without a login: whoever runs the installation gives it a password.
DO $$
DECLARE missing text;
BEGIN
  FOREACH missing IN ARRAY ARRAY['souk_write', 'souk_projector', 'souk_reindex'] LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = missing);
    BEGIN
      EXECUTE format('CREATE ROLE %I', missing);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL; -- another database's migration was faster
      WHEN insufficient_privilege THEN
        RAISE insufficient_privilege USING MESSAGE = format(
          'the role %1$s is missing, and %2$s may not create roles. Let an administrator run CREATE ROLE %1$s LOGIN PASSWORD ''...'', and migrate again',
          missing, current_user);
    END;
  END LOOP;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO souk_write, souk_projector, souk_reindex', current_database());
END $$;

-- Grants what a context has to those who use it. A migration that adds a context or a table of one ends with
-- `SELECT installation.grant_context('orders')`.
CREATE FUNCTION installation.grant_context(context text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE own record;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO souk_write, souk_projector, souk_reindex', context);
  FOR own IN
    SELECT format('%I.%I', n.nspname, c.relname) AS relation, c.relname, c.relkind, c.relispartition
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = context AND c.relkind IN ('r', 'p', 'S')
  LOOP
    IF own.relkind = 'S' THEN
      EXECUTE format('GRANT USAGE ON SEQUENCE %s TO souk_write', own.relation);
    ELSIF own.relispartition THEN
      -- The archive reads a month from its partition.
      EXECUTE format('GRANT SELECT ON %s TO souk_projector', own.relation);
    ELSIF own.relname = 'outbox' THEN
      -- write-api adds to the history and changes nothing of it. The projector marks what is published, deletes what is
      -- archived and takes it back in a recovery. The reconciler lets events be published once more.
      EXECUTE format('GRANT SELECT, INSERT ON %s TO souk_write', own.relation);
      EXECUTE format('GRANT SELECT, INSERT, DELETE, UPDATE (published_at, topic, partition, record_offset) ON %s TO souk_projector', own.relation);
      EXECUTE format('GRANT SELECT, UPDATE (published_at) ON %s TO souk_reindex', own.relation);
    ELSIF own.relname = 'removed' THEN
      EXECUTE format('GRANT SELECT, INSERT ON %s TO souk_write', own.relation);
    ELSE
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO souk_write', own.relation);
    END IF;
  END LOOP;
END $$;

-- As before, and the partition may be read by the archive.
CREATE OR REPLACE FUNCTION installation.index_outbox_partition(context text, partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %I.%I ADD PRIMARY KEY (id)', context, partition);
  EXECUTE format('ALTER TABLE %I.%I ADD UNIQUE (tenant_id, aggregate_id, version)', context, partition);
  EXECUTE format('CREATE INDEX %I ON %I.%I (id) WHERE published_at IS NULL', partition || '_unpublished', context, partition);
  EXECUTE format('CREATE INDEX %I ON %I.%I (tenant_id, id) WHERE published_at IS NULL', partition || '_by_shop', context, partition);
  -- uncompressed and out of line, so that marking a row as published does not copy its payload
  EXECUTE format('ALTER TABLE %I.%I ALTER COLUMN payload SET STORAGE EXTERNAL', context, partition);
  EXECUTE format('GRANT SELECT ON %I.%I TO souk_projector', context, partition);
END $$;

-- Drops the partition of a month, if it is empty or a file of exactly its rows is recorded and all are published; says whether
-- it did. Nobody writes to it from here on; whoever reads goes on reading while it is counted.
CREATE FUNCTION installation.drop_month(context text, partition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE held record;
BEGIN
  IF NOT EXISTS (SELECT FROM installation.outbox_partitions AS p
                 WHERE p.context = drop_month.context AND p.partition = drop_month.partition AND NOT p.is_default) THEN
    RETURN false;
  END IF;
  EXECUTE format('LOCK TABLE %I.%I IN SHARE MODE', context, partition);
  EXECUTE format('SELECT count(*) AS rows, min(id) AS first_id, max(id) AS last_id,
                         count(*) FILTER (WHERE published_at IS NULL) AS waiting FROM %I.%I', context, partition) INTO held;
  IF held.rows > 0 AND (held.waiting > 0 OR NOT EXISTS (
       SELECT FROM installation.archives AS a WHERE a.context = drop_month.context AND a.restored_at IS NULL
         AND (a.rows, a.first_id, a.last_id) = (held.rows, held.first_id, held.last_id))) THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE %I.%I', context, partition);
  RETURN true;
END $$;

-- Making and dropping tables is the owner's: the processes ask for it by these.
ALTER FUNCTION installation.create_month(text, date) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION installation.drop_month(text, text) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE EXECUTE ON FUNCTION installation.create_month(text, date), installation.drop_month(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION installation.create_month(text, date) TO souk_write, souk_projector;
GRANT EXECUTE ON FUNCTION installation.drop_month(text, text) TO souk_projector;

GRANT USAGE ON SCHEMA installation TO souk_write, souk_projector, souk_reindex;
GRANT SELECT ON installation.outbox_partitions TO souk_write, souk_projector;
GRANT SELECT, INSERT, UPDATE ON installation.jobs TO souk_write, souk_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON installation.archives TO souk_projector;
GRANT SELECT, INSERT, UPDATE ON leases, log_epochs TO souk_projector;

SELECT installation.grant_context(nspname::text) FROM pg_namespace
WHERE EXISTS (SELECT FROM installation.outbox_partitions AS p WHERE p.context = nspname);
