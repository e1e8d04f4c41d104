-- What a shop decides of tax, shipping, places, channels and deadlines; see docs/decisions/0061.
SELECT installation.create_context('settings');

-- What was removed stays, without content, so that its versions go on.
CREATE TABLE settings.definitions (
  tenant_id     uuid   NOT NULL,
  -- follows from tenant, kind and name
  definition_id uuid   NOT NULL,
  kind          text   NOT NULL CHECK (kind IN ('tax-zones', 'shipping-methods', 'locations', 'channels', 'policies')),
  name          text   NOT NULL,
  version       bigint NOT NULL CHECK (version > 0),
  -- the event's content as JSON text
  content       text,
  PRIMARY KEY (tenant_id, definition_id),
  CONSTRAINT definitions_name_key UNIQUE (tenant_id, kind, name)
);

-- Which tax zone has an area; keeps two zones from having the same. Follows from the content of tax zones.
CREATE TABLE settings.tax_areas (
  tenant_id     uuid NOT NULL,
  area          text NOT NULL,
  definition_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, area)
);

SELECT installation.grant_context('settings');
