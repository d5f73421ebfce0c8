-- Failures have classes, each with a budget of its own. How often a stage has failed in which way is told by its attempts.
DROP TRIGGER stage_that_ended_keeps_its_counters;
ALTER TABLE stage DROP COLUMN failures;
ALTER TABLE stage DROP COLUMN crashes;

UPDATE ending SET name = 'user error' WHERE id = 3;
UPDATE ending SET name = 'crash' WHERE id = 4;
UPDATE ending SET name = 'protocol' WHERE id = 5;
UPDATE ending SET name = 'timeout' WHERE id = 6;
UPDATE ending SET name = 'stall' WHERE id = 7;
INSERT INTO ending VALUES
    (12, 'no objective'), (13, 'configuration'), (14, 'preempted'), (15, 'out of memory'), (16, 'infrastructure');

-- What a person's program took, as far as it is known.
ALTER TABLE attempt ADD COLUMN memory INTEGER;  -- at most, in bytes
ALTER TABLE attempt ADD COLUMN cpu INTEGER;     -- milliseconds
