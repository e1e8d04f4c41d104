-- The current state of every aggregate, with the version its next command must expect. States are
-- written only together with their outbox rows. No key refers to another context.

CREATE TABLE tenants.tenants (
  tenant_id uuid   PRIMARY KEY,
  version   bigint NOT NULL CHECK (version > 0),
  slug      text   NOT NULL CONSTRAINT tenants_slug_key UNIQUE,
  name      text   NOT NULL
);

CREATE TABLE catalog.products (
  tenant_id   uuid   NOT NULL,
  product_id  uuid   NOT NULL,
  version     bigint NOT NULL CHECK (version > 0),
  status      text   NOT NULL CHECK (status IN ('draft', 'published', 'archived')),
  slug        text   NOT NULL,
  external_id text,
  -- ProductContent as JSON text
  content     text   NOT NULL,
  PRIMARY KEY (tenant_id, product_id),
  CONSTRAINT products_slug_key UNIQUE (tenant_id, slug),
  CONSTRAINT products_external_id_key UNIQUE (tenant_id, external_id)
);

-- Which product a variant belongs to; keeps SKUs unique. Follows from catalog.products.content.
CREATE TABLE catalog.variants (
  tenant_id  uuid NOT NULL,
  variant_id uuid NOT NULL,
  product_id uuid NOT NULL,
  sku        text NOT NULL,
  PRIMARY KEY (tenant_id, variant_id),
  CONSTRAINT variants_sku_key UNIQUE (tenant_id, sku)
);

CREATE TABLE catalog.categories (
  tenant_id   uuid    NOT NULL,
  category_id uuid    NOT NULL,
  version     bigint  NOT NULL CHECK (version > 0),
  parent_id   uuid,
  slug        text    NOT NULL,
  external_id text,
  name        text    NOT NULL,
  position    integer NOT NULL,
  PRIMARY KEY (tenant_id, category_id),
  CONSTRAINT categories_slug_key UNIQUE (tenant_id, slug),
  CONSTRAINT categories_external_id_key UNIQUE (tenant_id, external_id),
  CONSTRAINT categories_parent_exists FOREIGN KEY (tenant_id, parent_id)
    REFERENCES catalog.categories (tenant_id, category_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX categories_parent ON catalog.categories (tenant_id, parent_id);

-- A removed price sheet stays, with no entries, so that its versions go on.
CREATE TABLE pricing.price_sheets (
  tenant_id  uuid   NOT NULL,
  variant_id uuid   NOT NULL,
  product_id uuid   NOT NULL,
  version    bigint NOT NULL CHECK (version > 0),
  -- PriceEntry list as JSON text
  entries    text   NOT NULL,
  PRIMARY KEY (tenant_id, variant_id)
);

CREATE TABLE inventory.stock_items (
  tenant_id  uuid   NOT NULL,
  variant_id uuid   NOT NULL,
  product_id uuid   NOT NULL,
  version    bigint NOT NULL CHECK (version > 0),
  PRIMARY KEY (tenant_id, variant_id)
);

CREATE TABLE inventory.levels (
  tenant_id  uuid   NOT NULL,
  variant_id uuid   NOT NULL,
  location   text   NOT NULL,
  on_hand    bigint NOT NULL CONSTRAINT levels_never_below_zero CHECK (on_hand >= 0),
  PRIMARY KEY (tenant_id, variant_id, location)
);
