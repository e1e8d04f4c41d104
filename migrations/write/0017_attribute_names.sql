-- The attribute names of each shop. Every name is a column in each segment of an index, whichever products have it, so
-- there is a bound for a shop. A name is written down with the first product that has it from here on, and stays.
CREATE TABLE catalog.attribute_names (
  tenant_id uuid NOT NULL,
  name      text NOT NULL,
  PRIMARY KEY (tenant_id, name)
);
