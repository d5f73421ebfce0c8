-- A stage that is done may be trained again for the state at its end, when stages below it start from there and it is not
-- on disk any more. Its result stays what it was: `attempt_counted` still allows one only.

DROP TRIGGER stage_that_ended_is_not_run;
CREATE TRIGGER stage_that_ended_badly_is_not_run BEFORE INSERT ON attempt
WHEN EXISTS (SELECT 1 FROM stage_end WHERE stage_end.stage = new.stage AND stage_end.status <> 1)
BEGIN SELECT raise(ABORT, 'terminal is terminal: a stage that ended badly is never run'); END;

INSERT INTO ending VALUES (10, 'rebuilt');
