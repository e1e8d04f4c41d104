-- The release that wants a generation: in a rolling update, writers of two releases are at work.
ALTER TABLE index_generations ADD COLUMN release text NOT NULL DEFAULT '';
