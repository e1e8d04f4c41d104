-- no-transaction
-- The six outboxes become tables in partitions by month. What is there is not copied: the old table becomes the partition of
-- everything before a month that begins later. Reading it through, to see that it holds nothing younger, stops nobody; the
-- exchange itself is a matter of names. Each step can be done again.
--
-- One statement, which commits on its way.
DO $migration$
DECLARE
  context  text;
  cut_over timestamptz;
  last_id  bigint;
  is_empty boolean;
BEGIN
  FOREACH context IN ARRAY ARRAY['tenants', 'catalog', 'pricing', 'inventory', 'merchandising', 'insights'] LOOP
    -- Keys of a week at most, so that their index is built in a moment.
    EXECUTE format('DELETE FROM %I.idempotency_keys WHERE created_at < now() - interval ''7 days''', context);
    COMMIT;
    EXECUTE format('CREATE INDEX IF NOT EXISTS idempotency_keys_age ON %I.idempotency_keys (created_at)', context);
    COMMIT;
    CONTINUE WHEN (SELECT relkind = 'p' FROM pg_class WHERE oid = format('%I.outbox', context)::regclass);

    -- Not in the last day before its beginning, lest a row of the new month comes before the exchange.
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I.outbox)', context) INTO is_empty;
    cut_over := installation.month_start((date_trunc('month', (now() + interval '1 day') AT TIME ZONE 'UTC') + interval '1 month')::date);
    IF NOT is_empty THEN
      EXECUTE format('ALTER TABLE %I.outbox DROP CONSTRAINT IF EXISTS before_the_months', context);
      EXECUTE format('ALTER TABLE %I.outbox ADD CONSTRAINT before_the_months CHECK (occurred_at < %L) NOT VALID', context, cut_over);
      COMMIT;
      EXECUTE format('ALTER TABLE %I.outbox VALIDATE CONSTRAINT before_the_months', context);
      COMMIT;
    END IF;

    -- Whoever waits for the lock has others wait behind it, so not for long at a time.
    FOR attempt IN 1..60 LOOP
      BEGIN
        SET LOCAL lock_timeout = '500ms';
        EXECUTE format('LOCK TABLE %I.outbox IN ACCESS EXCLUSIVE MODE', context);
        EXIT;
      EXCEPTION WHEN lock_not_available THEN
        IF attempt = 60 THEN
          RAISE;
        END IF;
        PERFORM pg_sleep(0.5);
      END;
    END LOOP;
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I.outbox)', context) INTO is_empty;
    EXECUTE format('SELECT last_value FROM %s', pg_get_serial_sequence(format('%I.outbox', context), 'id')) INTO last_id;
    IF is_empty THEN
      EXECUTE format('DROP TABLE %I.outbox', context);
      PERFORM installation.create_outbox(context);
      PERFORM installation.create_months(context, now(), 2);
    ELSE
      EXECUTE format('ALTER TABLE %I.outbox ALTER COLUMN id DROP IDENTITY', context);
      EXECUTE format('ALTER TABLE %I.outbox RENAME TO outbox_before', context);
      EXECUTE format('ALTER INDEX %I.outbox_unpublished RENAME TO outbox_before_unpublished', context);
      PERFORM installation.create_outbox(context);
      EXECUTE format('ALTER TABLE %I.outbox ATTACH PARTITION %I.outbox_before FOR VALUES FROM (MINVALUE) TO (%L)', context, context, cut_over);
      EXECUTE format('ALTER TABLE %I.outbox_before DROP CONSTRAINT before_the_months', context);
      PERFORM installation.create_months(context, cut_over, 1);
    END IF;
    EXECUTE format('SELECT setval(%L, %s)', format('%I.outbox_ids', context), last_id + 1);
    COMMIT;
  END LOOP;

  -- What was removed before its removal was remembered.
  INSERT INTO catalog.removed
    SELECT DISTINCT o.tenant_id, o.aggregate_id FROM catalog.outbox AS o
    WHERE NOT EXISTS (SELECT FROM catalog.products AS p WHERE p.tenant_id = o.tenant_id AND p.product_id = o.aggregate_id)
      AND NOT EXISTS (SELECT FROM catalog.categories AS c WHERE c.tenant_id = o.tenant_id AND c.category_id = o.aggregate_id)
    ON CONFLICT DO NOTHING;
END $migration$;
