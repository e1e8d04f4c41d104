-- Where in Kafka an event stands, as the broker acknowledged it; empty for what was published before this was kept.
DO $$
DECLARE context text;
BEGIN
  FOREACH context IN ARRAY ARRAY['tenants', 'catalog', 'pricing', 'inventory', 'merchandising', 'insights'] LOOP
    EXECUTE format($sql$
      ALTER TABLE %I.outbox ADD COLUMN topic text, ADD COLUMN partition integer, ADD COLUMN record_offset bigint
    $sql$, context);
  END LOOP;
END $$;
