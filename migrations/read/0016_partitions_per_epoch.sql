-- How many partitions every topic of the epoch has that is followed; until now each had four.
ALTER TABLE log_epoch ADD COLUMN partitions integer NOT NULL DEFAULT 4;
