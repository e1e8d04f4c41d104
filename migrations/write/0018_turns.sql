-- Where more waits in an outbox than one round of its relay takes, shops take turns: the waiting rows by shop.
CREATE OR REPLACE FUNCTION installation.index_outbox_partition(context text, partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %I.%I ADD PRIMARY KEY (id)', context, partition);
  EXECUTE format('ALTER TABLE %I.%I ADD UNIQUE (tenant_id, aggregate_id, version)', context, partition);
  EXECUTE format('CREATE INDEX %I ON %I.%I (id) WHERE published_at IS NULL', partition || '_unpublished', context, partition);
  EXECUTE format('CREATE INDEX %I ON %I.%I (tenant_id, id) WHERE published_at IS NULL', partition || '_by_shop', context, partition);
  -- uncompressed and out of line, so that marking a row as published does not copy its payload
  EXECUTE format('ALTER TABLE %I.%I ALTER COLUMN payload SET STORAGE EXTERNAL', context, partition);
END $$;

-- Writers of an outbox wait while its partition is read through once.
DO $$
DECLARE
  known record;
BEGIN
  FOR known IN SELECT p.context, p.partition FROM installation.outbox_partitions AS p LOOP
    EXECUTE format('CREATE INDEX %I ON %I.%I (tenant_id, id) WHERE published_at IS NULL', known.partition || '_by_shop', known.context,
                   known.partition);
  END LOOP;
END $$;
