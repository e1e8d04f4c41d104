-- How many partitions every topic of an epoch of the log has; see docs/decisions/0029. Until now each epoch had four.
-- Null in an epoch that was asked for: as many as the one before. The first epoch, whose name is empty, has a row from
-- the first start of a projector on.
ALTER TABLE log_epochs ADD COLUMN partitions integer CHECK (partitions BETWEEN 1 AND 10000);
UPDATE log_epochs SET partitions = 4;
ALTER TABLE log_epochs ADD CONSTRAINT begun_with_partitions CHECK (begun_at IS NULL OR partitions IS NOT NULL);
