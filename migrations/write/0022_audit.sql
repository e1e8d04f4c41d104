-- The context audit: what staff and administrators did. The entries are its events; a trail is their chain in one shop.
SELECT installation.create_context('audit');

CREATE TABLE audit.trails (
  tenant_id uuid   NOT NULL,
  trail_id  uuid   NOT NULL,
  -- the number of the last entry
  version   bigint NOT NULL CHECK (version > 0),
  -- its digest, in hexadecimal digits
  digest    text   NOT NULL,
  PRIMARY KEY (tenant_id, trail_id)
);

SELECT installation.grant_context('audit');
