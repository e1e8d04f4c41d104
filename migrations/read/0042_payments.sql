-- Payments as staff see them, and the ledger. What is over stays as a row, so that no older event brings it back.
CREATE TABLE payments (
  tenant_id   uuid        NOT NULL,
  payment_id  uuid        NOT NULL,
  version     bigint      NOT NULL,
  order_id    uuid        NOT NULL,
  checkout_id uuid,
  -- card | transfer | cash_on_delivery
  method      text        NOT NULL,
  account     text        NOT NULL,
  status      text        NOT NULL,
  currency    text        NOT NULL,
  -- minor units
  amount      bigint      NOT NULL,
  held        bigint      NOT NULL,
  captured    bigint      NOT NULL,
  fees        bigint      NOT NULL,
  attempt     integer     NOT NULL,
  -- what the provider calls the last attempt, and why it has failed
  reference   text,
  failure     text,
  -- what differed between shop and provider last, as JSON
  mismatch    text,
  created_at  timestamptz NOT NULL,
  changed_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, payment_id)
);
CREATE INDEX payments_newest ON payments (tenant_id, created_at DESC, payment_id DESC);
CREATE INDEX payments_by_status ON payments (tenant_id, status, created_at DESC, payment_id DESC);

CREATE TABLE payment_captures (
  tenant_id   uuid        NOT NULL,
  capture_id  text        NOT NULL,
  payment_id  uuid        NOT NULL,
  -- provider | transfer | cash
  source      text        NOT NULL,
  account     text        NOT NULL,
  currency    text        NOT NULL,
  amount      bigint      NOT NULL,
  captured_at timestamptz NOT NULL,
  -- of cash that was handed over: what the carrier has kept
  kept        bigint,
  PRIMARY KEY (tenant_id, capture_id)
);
CREATE INDEX payment_captures_by_payment ON payment_captures (tenant_id, payment_id);

CREATE TABLE payment_transfers (
  tenant_id   uuid        NOT NULL,
  proof_id    uuid        NOT NULL,
  payment_id  uuid        NOT NULL,
  currency    text        NOT NULL,
  amount      bigint      NOT NULL,
  reference   text        NOT NULL,
  proof       text        NOT NULL,
  entered_by  text        NOT NULL,
  entered_at  timestamptz NOT NULL,
  approved_by text,
  approved_at timestamptz,
  PRIMARY KEY (tenant_id, proof_id)
);
CREATE INDEX payment_transfers_by_payment ON payment_transfers (tenant_id, payment_id);

CREATE TABLE refunds (
  tenant_id    uuid        NOT NULL,
  refund_id    uuid        NOT NULL,
  version      bigint      NOT NULL,
  payment_id   uuid        NOT NULL,
  -- requested | submitted | succeeded | failed
  status       text        NOT NULL,
  currency     text        NOT NULL,
  amount       bigint      NOT NULL,
  reason       text        NOT NULL,
  reference    text,
  requested_at timestamptz NOT NULL,
  changed_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, refund_id)
);
CREATE INDEX refunds_by_payment ON refunds (tenant_id, payment_id);

-- What a shop has agreed with payment providers. No secret is here.
CREATE TABLE payment_providers (
  tenant_id  uuid        NOT NULL,
  account_id uuid        NOT NULL,
  version    bigint      NOT NULL,
  name       text        NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, account_id)
);

CREATE TABLE ledger_entries (
  tenant_id      uuid        NOT NULL,
  transaction_id uuid        NOT NULL,
  position       integer     NOT NULL,
  posted_at      timestamptz NOT NULL,
  key            text        NOT NULL,
  kind           text        NOT NULL,
  payment_id     uuid,
  account        text        NOT NULL,
  currency       text        NOT NULL,
  -- minor units: one of the two is 0
  debit          bigint      NOT NULL,
  credit         bigint      NOT NULL,
  PRIMARY KEY (tenant_id, transaction_id, position)
);
CREATE INDEX ledger_entries_by_account ON ledger_entries (tenant_id, account, posted_at, transaction_id, position);
CREATE INDEX ledger_entries_by_time ON ledger_entries (tenant_id, posted_at);

-- Sums by account and hour (UTC), so that a balance is the sum of hours and of the entries since. Accounts of single orders and
-- payments are one.
CREATE TABLE ledger_hours (
  tenant_id uuid        NOT NULL,
  account   text        NOT NULL,
  currency  text        NOT NULL,
  hour      timestamptz NOT NULL,
  debit     bigint      NOT NULL,
  credit    bigint      NOT NULL,
  PRIMARY KEY (tenant_id, account, currency, hour)
);

GRANT SELECT ON payments, payment_captures, payment_transfers, refunds, payment_providers, ledger_entries, ledger_hours TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON payments, payment_captures, payment_transfers, refunds, payment_providers, ledger_entries, ledger_hours TO souk_projector;
