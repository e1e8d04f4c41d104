-- What every context has is made by one function: its schema, its outbox in partitions by month, its idempotency keys.
-- A later migration says `SELECT installation.create_context('orders')`. What is kept how long: docs/guides/retention.md; why in
-- this form: docs/decisions/0034.
CREATE SCHEMA installation;

-- The start of a month in UTC: where one partition ends and the next begins, whatever the session's time zone.
CREATE FUNCTION installation.month_start(day date) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT make_timestamptz(extract(year FROM day)::int, extract(month FROM day)::int, 1, 0, 0, 0, 'UTC')
$$;

-- The partitions of every outbox. `since` is NULL for the one of all that came before months were cut, both are NULL for
-- the one that takes what no month takes.
CREATE VIEW installation.outbox_partitions AS
  SELECT n.nspname::text AS context, part.relname::text AS partition,
         (regexp_match(bound, 'FROM \(''([^'']+)''\)'))[1]::timestamptz AS since,
         (regexp_match(bound, 'TO \(''([^'']+)''\)'))[1]::timestamptz AS until,
         bound = 'DEFAULT' AS is_default
  FROM pg_class AS outbox
  JOIN pg_namespace AS n ON n.oid = outbox.relnamespace
  JOIN pg_inherits AS i ON i.inhparent = outbox.oid
  JOIN pg_class AS part ON part.oid = i.inhrelid
  CROSS JOIN LATERAL pg_get_expr(part.relpartbound, part.oid) AS bound
  WHERE outbox.relname = 'outbox' AND outbox.relkind = 'p';

-- Makes a table a partition's: its keys stand on each partition, since a key of all of them would have to contain the time.
CREATE FUNCTION installation.index_outbox_partition(context text, partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %I.%I ADD PRIMARY KEY (id)', context, partition);
  EXECUTE format('ALTER TABLE %I.%I ADD UNIQUE (tenant_id, aggregate_id, version)', context, partition);
  EXECUTE format('CREATE INDEX %I ON %I.%I (id) WHERE published_at IS NULL', partition || '_unpublished', context, partition);
  -- uncompressed and out of line, so that marking a row as published does not copy its payload
  EXECUTE format('ALTER TABLE %I.%I ALTER COLUMN payload SET STORAGE EXTERNAL', context, partition);
END $$;

-- Makes the partition of one month of an outbox and says what came of it: `made`, `there`, or `held` where the partition of
-- last resort has taken so many of the month's rows that moving them would stop writers for too long; they stay there.
-- Attaching locks out nobody who writes to another month.
CREATE FUNCTION installation.create_month(context text, day date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  starts    timestamptz := installation.month_start(day);
  ends      timestamptz := installation.month_start((date_trunc('month', day::timestamp) + interval '1 month')::date);
  partition text := to_char(day, '"outbox_"YYYY_MM');
  strays    bigint;
BEGIN
  IF EXISTS (SELECT FROM installation.outbox_partitions AS p WHERE p.context = create_month.context AND NOT p.is_default
             AND coalesce(p.since, '-infinity') < ends AND p.until > starts) THEN
    RETURN 'there';
  END IF;
  EXECUTE format('LOCK TABLE %I.outbox_default IN ACCESS EXCLUSIVE MODE', context);
  EXECUTE format('SELECT count(*) FROM (SELECT FROM %I.outbox_default WHERE occurred_at >= $1 AND occurred_at < $2 LIMIT 10001) AS of_the_month',
                 context) INTO strays USING starts, ends;
  IF strays > 10000 THEN
    RETURN 'held';
  END IF;
  EXECUTE format('CREATE TABLE %I.%I (LIKE %I.outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', context, partition, context);
  PERFORM installation.index_outbox_partition(context, partition);
  IF strays > 0 THEN
    EXECUTE format('WITH moved AS (DELETE FROM %I.outbox_default WHERE occurred_at >= $1 AND occurred_at < $2 RETURNING *)
                    INSERT INTO %I.%I SELECT * FROM moved', context, context, partition) USING starts, ends;
  END IF;
  EXECUTE format('ALTER TABLE %I.outbox ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)', context, context, partition, starts, ends);
  RETURN 'made';
END $$;

-- Makes the outbox of a context: rows are drawn (id) under the lock of their aggregate's state row, so that id order is
-- version order within one aggregate; see docs/decisions/0003.
CREATE FUNCTION installation.create_outbox(context text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format($sql$
    CREATE TABLE %I.outbox (
      id             bigint      NOT NULL,
      event_id       uuid        NOT NULL,
      tenant_id      uuid        NOT NULL,
      event_type     text        NOT NULL,
      aggregate      text        NOT NULL,
      aggregate_id   uuid        NOT NULL,
      version        bigint      NOT NULL CONSTRAINT outbox_version_check CHECK (version > 0),
      -- the id in the Kafka key: the product's for everything about a product
      partition_id   uuid        NOT NULL,
      payload        text        NOT NULL,
      -- by write-api's clock, in the transaction that recorded it: whose month the row is of
      occurred_at    timestamptz NOT NULL,
      correlation_id text        NOT NULL,
      causation_id   text,
      traceparent    text,
      -- set once the broker has acknowledged the record
      published_at   timestamptz,
      -- where in Kafka it stands, as the broker acknowledged it
      topic          text,
      partition      integer,
      record_offset  bigint
    ) PARTITION BY RANGE (occurred_at)$sql$, context);
  -- One sequence for all partitions, so that ids are those of the context.
  EXECUTE format('CREATE SEQUENCE %I.outbox_ids OWNED BY %I.outbox.id', context, context);
  EXECUTE format('ALTER TABLE %I.outbox ALTER COLUMN id SET DEFAULT nextval(%L)', context, format('%I.outbox_ids', context));
  EXECUTE format('CREATE TABLE %I.outbox_default (LIKE %I.outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', context, context);
  PERFORM installation.index_outbox_partition(context, 'outbox_default');
  EXECUTE format('ALTER TABLE %I.outbox ATTACH PARTITION %I.outbox_default DEFAULT', context, context);
END $$;

-- Makes a context: schema, outbox with this month and the two after it, idempotency keys.
CREATE FUNCTION installation.create_context(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE SCHEMA %I', name);
  PERFORM installation.create_outbox(name);
  PERFORM installation.create_months(name, now(), 2);
  EXECUTE format($sql$
    CREATE TABLE %I.idempotency_keys (
      tenant_id    uuid        NOT NULL,
      key          text        NOT NULL,
      request_hash bytea       NOT NULL,
      status       smallint    NOT NULL,
      headers      jsonb       NOT NULL,
      body         text        NOT NULL,
      created_at   timestamptz NOT NULL,
      PRIMARY KEY (tenant_id, key)
    )$sql$, name);
  EXECUTE format('CREATE INDEX idempotency_keys_age ON %I.idempotency_keys (created_at)', name);
END $$;

-- Makes the partitions of the month of a moment and of some months after it; gives how many were not there.
CREATE FUNCTION installation.create_months(context text, moment timestamptz, ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE made integer := 0;
BEGIN
  FOR n IN 0..ahead LOOP
    IF installation.create_month(context, (date_trunc('month', moment AT TIME ZONE 'UTC') + n * interval '1 month')::date) = 'made' THEN
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$;

-- Keeps the versions of one table of states apart for ever. A state that is there guards its own: the next version is
-- expected by number. Of a state that was removed the guard was the outbox, one key over all rows; months have a key each.
-- So removed ids are remembered, and are not taken a second time. `aggregate` is the table, `id` its column.
CREATE FUNCTION installation.remember_removed(context text, aggregate text, id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I.removed (tenant_id uuid, aggregate_id uuid, PRIMARY KEY (tenant_id, aggregate_id))', context);
  EXECUTE format($sql$
    CREATE FUNCTION %1$I.%4$I() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      INSERT INTO %1$I.removed SELECT tenant_id, %3$I FROM gone ON CONFLICT DO NOTHING;
      RETURN NULL;
    END $body$
    $sql$, context, aggregate, id, aggregate || '_removed');
  EXECUTE format($sql$
    CREATE TRIGGER removed AFTER DELETE ON %1$I.%2$I REFERENCING OLD TABLE AS gone
      FOR EACH STATEMENT EXECUTE FUNCTION %1$I.%3$I()$sql$, context, aggregate, aggregate || '_removed');
  EXECUTE format($sql$
    CREATE FUNCTION %1$I.%4$I() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      IF EXISTS (SELECT FROM %1$I.removed AS r WHERE r.tenant_id = NEW.tenant_id AND r.aggregate_id = NEW.%3$I) THEN
        RAISE unique_violation USING MESSAGE = 'the id was removed and is not taken again';
      END IF;
      RETURN NEW;
    END $body$
    $sql$, context, aggregate, id, aggregate || '_never_again');
  EXECUTE format($sql$
    CREATE TRIGGER never_again BEFORE INSERT ON %1$I.%2$I FOR EACH ROW EXECUTE FUNCTION %1$I.%3$I()$sql$,
    context, aggregate, aggregate || '_never_again');
END $$;
SELECT installation.remember_removed('catalog', 'products', 'product_id');
SELECT installation.remember_removed('catalog', 'categories', 'category_id');

-- Rows of outboxes that are in files; see docs/guides/retention.md. A file is one of the recovery's sources for as long as
-- its row is here.
CREATE TABLE installation.archives (
  file        text        PRIMARY KEY,
  context     text        NOT NULL,
  month       date        NOT NULL,
  rows        bigint      NOT NULL CHECK (rows > 0),
  first_id    bigint      NOT NULL,
  last_id     bigint      NOT NULL,
  bytes       bigint      NOT NULL,
  -- of the file as it lies there
  sha256      text        NOT NULL,
  archived_at timestamptz NOT NULL,
  -- set once none of its rows is in the outbox; until then they may be in both
  dropped_at  timestamptz,
  -- set when a new epoch of the log has taken its rows back into the outbox
  restored_at timestamptz
);
CREATE INDEX archives_context ON installation.archives (context, first_id);

-- An epoch of the log that was asked for and can't begin, with the reason: an archived month is missing or damaged.
ALTER TABLE log_epochs ADD COLUMN refused text;

-- The jobs on this database: when each was last run by whichever process did.
CREATE TABLE installation.jobs (
  name             text        PRIMARY KEY,
  last_started_at  timestamptz NOT NULL,
  last_finished_at timestamptz,
  last_success_at  timestamptz,
  rows_deleted     bigint      NOT NULL DEFAULT 0,
  -- of the last run; empty if it went well
  error            text        NOT NULL DEFAULT ''
);
