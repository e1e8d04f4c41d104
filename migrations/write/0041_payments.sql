-- Payments, refunds, and what shops have agreed with payment providers; see docs/decisions/0066.
SELECT installation.create_context('payments');

CREATE TABLE payments.payments (
  tenant_id  uuid   NOT NULL,
  payment_id uuid   NOT NULL,
  version    bigint NOT NULL CHECK (version > 0),
  order_id   uuid   NOT NULL,
  status     text   NOT NULL,
  state      text   NOT NULL,
  PRIMARY KEY (tenant_id, payment_id)
);
CREATE INDEX payments_by_order ON payments.payments (tenant_id, order_id);

CREATE TABLE payments.refunds (
  tenant_id  uuid   NOT NULL,
  refund_id  uuid   NOT NULL,
  version    bigint NOT NULL CHECK (version > 0),
  payment_id uuid   NOT NULL,
  state      text   NOT NULL,
  PRIMARY KEY (tenant_id, refund_id)
);
CREATE INDEX refunds_by_payment ON payments.refunds (tenant_id, payment_id);

CREATE TABLE payments.provider_accounts (
  tenant_id  uuid   NOT NULL,
  account_id uuid   NOT NULL,
  version    bigint NOT NULL CHECK (version > 0),
  name       text   NOT NULL,
  state      text   NOT NULL,
  PRIMARY KEY (tenant_id, account_id),
  CONSTRAINT provider_accounts_name_key UNIQUE (tenant_id, name)
);
-- A webhook names the account alone.
CREATE UNIQUE INDEX provider_accounts_by_id ON payments.provider_accounts (account_id);

-- What stands below is in no event.

-- What a shop and a provider prove by who they are, sealed with the key of the shop.
CREATE TABLE payments.provider_secrets (
  tenant_id  uuid NOT NULL,
  account_id uuid NOT NULL,
  sealed     text NOT NULL,
  PRIMARY KEY (tenant_id, account_id)
);

-- When the list of a provider was last compared with what the shop knows.
CREATE TABLE payments.provider_looks (
  tenant_id  uuid        NOT NULL,
  account_id uuid        NOT NULL,
  looked_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, account_id)
);
CREATE INDEX provider_looks_by_age ON payments.provider_looks (looked_at);

-- What a provider was asked for and has not answered yet. It is written before the provider is asked, so that the very same is
-- asked for again, or looked for, whatever happens on the way.
CREATE TABLE payments.calls (
  tenant_id  uuid        NOT NULL,
  payment_id uuid        NOT NULL,
  -- such as 2:capture: with the payment it is the idempotency key
  name       text        NOT NULL,
  operation  text        NOT NULL,
  begun_at   timestamptz NOT NULL,
  -- how often what came of it was not known
  tries      integer     NOT NULL,
  next_at    timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, payment_id, name)
);
CREATE INDEX calls_by_time ON payments.calls (next_at);

-- What shoppers have to do, with the secret of the provider's page; sealed with the key of the shop.
CREATE TABLE payments.actions (
  tenant_id  uuid    NOT NULL,
  payment_id uuid    NOT NULL,
  attempt    integer NOT NULL,
  sealed     text    NOT NULL,
  PRIMARY KEY (tenant_id, payment_id)
);

-- Webhooks as they came, once each; sealed with the key of the shop.
CREATE TABLE payments.webhooks (
  tenant_id   uuid        NOT NULL,
  account_id  uuid        NOT NULL,
  event_id    text        NOT NULL,
  kind        text        NOT NULL,
  sealed      text        NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, account_id, event_id)
);
CREATE INDEX webhooks_by_age ON payments.webhooks (received_at);

-- What is to be asked for at a provider: a row for each object, however many webhooks speak of it.
CREATE TABLE payments.fetches (
  tenant_id  uuid        NOT NULL,
  account_id uuid        NOT NULL,
  reference  text        NOT NULL,
  -- counted on whenever there is a reason; who has asked deletes the row if it has not moved meanwhile
  wanted     bigint      NOT NULL,
  first_at   timestamptz NOT NULL,
  tries      integer     NOT NULL,
  next_at    timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, account_id, reference)
);
CREATE INDEX fetches_by_time ON payments.fetches (next_at);

SELECT installation.grant_context('payments');
