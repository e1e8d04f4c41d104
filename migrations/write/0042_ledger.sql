-- The ledger: transactions that are balanced in each currency, in partitions by month; see docs/decisions/0066. Nobody writes to its
-- tables but payments.ledger_post, and nobody changes what it has written.

-- Which keys of the business were posted, and when: one key over all months.
CREATE TABLE payments.ledger_keys (
  tenant_id      uuid        NOT NULL,
  key            text        NOT NULL,
  transaction_id uuid        NOT NULL,
  posted_at      timestamptz NOT NULL,
  -- SHA-256 of the entries in one order
  digest         text        NOT NULL,
  PRIMARY KEY (tenant_id, key),
  CONSTRAINT ledger_keys_transaction_key UNIQUE (tenant_id, transaction_id)
);

CREATE TABLE payments.ledger_transactions (
  tenant_id      uuid        NOT NULL,
  transaction_id uuid        NOT NULL,
  occurred_at    timestamptz NOT NULL,
  key            text        NOT NULL,
  kind           text        NOT NULL,
  -- the type of the event that it follows from
  cause          text        NOT NULL,
  payment_id     uuid,
  PRIMARY KEY (tenant_id, transaction_id, occurred_at)
) PARTITION BY RANGE (occurred_at);

CREATE TABLE payments.ledger_entries (
  tenant_id      uuid        NOT NULL,
  transaction_id uuid        NOT NULL,
  occurred_at    timestamptz NOT NULL,
  position       smallint    NOT NULL,
  account        text        NOT NULL CHECK (account ~ '^[0-9]{4}(:.{1,200})?$'),
  side           text        NOT NULL CHECK (side IN ('debit', 'credit')),
  amount         bigint      NOT NULL CHECK (amount > 0),
  currency       text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  PRIMARY KEY (tenant_id, transaction_id, occurred_at, position)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX ledger_entries_by_account ON payments.ledger_entries (tenant_id, account, occurred_at);

CREATE TABLE payments.ledger_transactions_default PARTITION OF payments.ledger_transactions DEFAULT;
CREATE TABLE payments.ledger_entries_default PARTITION OF payments.ledger_entries DEFAULT;
SELECT installation.isolate(part::regclass) FROM unnest(ARRAY['payments.ledger_transactions_default', 'payments.ledger_entries_default']) AS part;

SELECT installation.create_table_month('payments', name, (date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month')::date)
FROM unnest(ARRAY['ledger_transactions', 'ledger_entries']) AS name, generate_series(0, 2) AS n;

-- A transaction has its header and at least two entries, and in each currency as much on one side as on the other. Looked at
-- before the commit, from both tables.
CREATE FUNCTION payments.ledger_is_balanced() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE entries bigint;
BEGIN
  SELECT count(*) INTO entries FROM payments.ledger_entries AS e
    WHERE e.tenant_id = NEW.tenant_id AND e.transaction_id = NEW.transaction_id AND e.occurred_at = NEW.occurred_at;
  IF entries < 2 THEN
    RAISE check_violation USING MESSAGE = format('the ledger transaction %s has fewer than two entries', NEW.transaction_id);
  END IF;
  IF EXISTS (SELECT FROM payments.ledger_entries AS e
             WHERE e.tenant_id = NEW.tenant_id AND e.transaction_id = NEW.transaction_id AND e.occurred_at = NEW.occurred_at
             GROUP BY e.currency HAVING sum(CASE e.side WHEN 'debit' THEN e.amount ELSE -e.amount END) <> 0) THEN
    RAISE check_violation USING MESSAGE = format('the ledger transaction %s is not balanced', NEW.transaction_id);
  END IF;
  IF NOT EXISTS (SELECT FROM payments.ledger_transactions AS t
                 WHERE t.tenant_id = NEW.tenant_id AND t.transaction_id = NEW.transaction_id AND t.occurred_at = NEW.occurred_at) THEN
    RAISE check_violation USING MESSAGE = format('the ledger transaction %s has no header', NEW.transaction_id);
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT OR UPDATE ON payments.ledger_transactions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments.ledger_is_balanced();
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT OR UPDATE ON payments.ledger_entries
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments.ledger_is_balanced();

-- Posts a transaction: true if it is new, false if the key was posted with the same entries. With others it is an error. Only for
-- the shop that the database's transaction was begun for. `header` has tenant_id, transaction_id, posted_at, key, kind, cause and
-- payment_id, `entries` is an array of account, side, amount and currency.
CREATE FUNCTION payments.ledger_post(header jsonb, entries jsonb) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  shop    uuid := (header ->> 'tenant_id')::uuid;
  own_id  uuid := (header ->> 'transaction_id')::uuid;
  at      timestamptz := (header ->> 'posted_at')::timestamptz;
  own_key text := header ->> 'key';
  digest  text;
  known   text;
BEGIN
  IF shop IS DISTINCT FROM nullif(current_setting('souk.tenant', true), '')::uuid THEN
    RAISE insufficient_privilege USING MESSAGE = 'the database transaction is of another shop';
  END IF;
  SELECT encode(sha256(convert_to(coalesce(string_agg(line, E'\n' ORDER BY line COLLATE "C"), ''), 'UTF8')), 'hex') INTO digest
    FROM (SELECT format('%s %s %s %s', e.account, e.side, e.amount, e.currency) AS line
          FROM jsonb_to_recordset(entries) AS e (account text, side text, amount bigint, currency text)) AS lines;
  INSERT INTO payments.ledger_keys (tenant_id, key, transaction_id, posted_at, digest) VALUES (shop, own_key, own_id, at, digest)
    ON CONFLICT (tenant_id, key) DO NOTHING;
  IF NOT FOUND THEN
    SELECT k.digest INTO known FROM payments.ledger_keys AS k WHERE k.tenant_id = shop AND k.key = own_key;
    IF known IS DISTINCT FROM digest THEN
      RAISE check_violation USING MESSAGE = format('%s was posted before, with other entries', own_key);
    END IF;
    RETURN false;
  END IF;
  INSERT INTO payments.ledger_transactions (tenant_id, transaction_id, occurred_at, key, kind, cause, payment_id)
    VALUES (shop, own_id, at, own_key, header ->> 'kind', header ->> 'cause', (header ->> 'payment_id')::uuid);
  INSERT INTO payments.ledger_entries (tenant_id, transaction_id, occurred_at, position, account, side, amount, currency)
    SELECT shop, own_id, at, e.n::smallint, e.entry ->> 'account', e.entry ->> 'side', (e.entry ->> 'amount')::bigint, e.entry ->> 'currency'
    FROM jsonb_array_elements(entries) WITH ORDINALITY AS e (entry, n);
  RETURN true;
END $$;

REVOKE EXECUTE ON FUNCTION payments.ledger_post(jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payments.ledger_post(jsonb, jsonb) TO souk_write;

-- As before, and the ledger stays closed, whatever is granted to the context later.
ALTER FUNCTION installation.grant_context(text) RENAME TO grant_before_ledger;
CREATE FUNCTION installation.grant_context(context text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM installation.grant_before_ledger(context);
  IF context = 'payments' THEN
    REVOKE INSERT, UPDATE, DELETE ON payments.ledger_keys, payments.ledger_transactions, payments.ledger_entries FROM souk_write;
  END IF;
END $$;
SELECT installation.grant_context('payments');
