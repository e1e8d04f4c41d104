-- Row-level security: a process that writes for a shop sees and changes the rows of this shop, whatever a statement forgets.
-- Which shop it is stands in `souk.tenant`, set with the transaction; what has to look over shops says so by `souk.scope`. The
-- projector, the reconciler and the owner of the tables see all shops. See docs/decisions/0052.

-- Puts a table that has the column tenant_id under row-level security.
CREATE FUNCTION installation.isolate(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE seen text := $sql$tenant_id = nullif(current_setting('souk.tenant', true), '')::uuid
             OR current_setting('souk.scope', true) = 'installation'$sql$;
BEGIN
  -- Which shops there are is known to all: who opens one has to see that its name is taken.
  IF relation = 'tenants.tenants'::regclass THEN
    seen := 'true';
  END IF;
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
  EXECUTE format('DROP POLICY IF EXISTS one_shop ON %s', relation);
  EXECUTE format('DROP POLICY IF EXISTS every_shop ON %s', relation);
  EXECUTE format('CREATE POLICY one_shop ON %s TO souk_write USING (%s)', relation, seen);
  EXECUTE format('CREATE POLICY every_shop ON %s TO souk_projector, souk_reindex, CURRENT_USER USING (true)', relation);
END $$;

-- Puts every table of a context that has the column under row-level security, its partitions included.
CREATE FUNCTION installation.isolate_context(context text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM installation.isolate(c.oid::regclass)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = context AND c.relkind IN ('r', 'p')
    AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped);
END $$;

-- As before, and the tables of the context are isolated: a migration that adds a context or a table of one ends with it.
ALTER FUNCTION installation.grant_context(text) RENAME TO grant_rights;
CREATE FUNCTION installation.grant_context(context text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM installation.grant_rights(context);
  PERFORM installation.isolate_context(context);
END $$;

-- As before, and the partition is isolated like the table that it is of.
CREATE OR REPLACE FUNCTION installation.index_outbox_partition(context text, partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %I.%I ADD PRIMARY KEY (id)', context, partition);
  EXECUTE format('ALTER TABLE %I.%I ADD UNIQUE (tenant_id, aggregate_id, version)', context, partition);
  EXECUTE format('CREATE INDEX %I ON %I.%I (id) WHERE published_at IS NULL', partition || '_unpublished', context, partition);
  EXECUTE format('CREATE INDEX %I ON %I.%I (tenant_id, id) WHERE published_at IS NULL', partition || '_by_shop', context, partition);
  -- uncompressed and out of line, so that marking a row as published does not copy its payload
  EXECUTE format('ALTER TABLE %I.%I ALTER COLUMN payload SET STORAGE EXTERNAL', context, partition);
  EXECUTE format('GRANT SELECT ON %I.%I TO souk_projector', context, partition);
  PERFORM installation.isolate(format('%I.%I', context, partition)::regclass);
END $$;

SELECT installation.isolate_context(nspname::text) FROM pg_namespace
WHERE EXISTS (SELECT FROM installation.outbox_partitions AS p WHERE p.context = nspname);
