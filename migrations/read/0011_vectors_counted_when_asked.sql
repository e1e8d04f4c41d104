-- What a set of vectors holds is counted where somebody asks, not by the embedding writer every second.
ALTER TABLE vector_sets DROP COLUMN vectors;
