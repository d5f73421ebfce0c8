-- Configurations are judged in a drawn order, revision by revision.
ALTER TABLE configuration ADD COLUMN era INTEGER NOT NULL DEFAULT 0; -- the revision it came with; 0: an older version added it, and it is judged by its number
