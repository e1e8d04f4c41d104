-- A shop that an administrator has closed for the time being, and why.
ALTER TABLE tenants.tenants ADD COLUMN suspended text;
