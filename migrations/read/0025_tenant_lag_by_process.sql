-- A tenant's events are applied by several processes: what each has applied in the last minute, with when it said so. The
-- figures beside it are of all together. See docs/decisions/0043.
ALTER TABLE tenant_lag ADD COLUMN by_process jsonb NOT NULL DEFAULT '{}';
