-- Builds give way to shoppers, unless somebody says otherwise.
ALTER TABLE index_generations ADD COLUMN at_once boolean NOT NULL DEFAULT false;
