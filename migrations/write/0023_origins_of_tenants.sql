-- The origins of web pages that may read a shop's answers, as a JSON array.
ALTER TABLE tenants.tenants ADD COLUMN origins text NOT NULL DEFAULT '[]';
