-- The sweep's database: what was asked, what is planned, what happened, what came out.
-- For people: query the views at the end (`trials`, `leaderboard`, `metrics`, `attempts`); the tables behind
-- them are terse, because a hundred thousand trials should stay small.
--
-- * Rows of `trial_end` and `stage_end` appear once and never change: terminal is terminal. A trial or stage
--   without such a row is waiting, or running when an attempt of it has no ending.
-- * Times are milliseconds since 1970-01-01 UTC. Steps count updates of a trial from its start.
-- * A number that is not a number is NULL; infinities are REAL.
-- * Keys are not indexed: the only writer looks them up in memory when it accepts a sweep file.

-- "plea": marks the file as a sweep's.
PRAGMA application_id = 0x706c6561;

-- The words behind the small numbers.
CREATE TABLE status (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;
INSERT INTO status VALUES (1, 'done'), (2, 'diverged'), (3, 'failed'), (4, 'stopped');

CREATE TABLE ending (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;
INSERT INTO ending VALUES
    (1, 'done'), (2, 'diverged'), (3, 'failed'), (4, 'crashed'), (5, 'nonsense'),
    (6, 'timed out'), (7, 'stalled'), (8, 'interrupted'), (9, 'lost');

-- Each sweep file that was accepted. The newest one holds.
CREATE TABLE revision (
    id       INTEGER PRIMARY KEY,
    file     TEXT NOT NULL,             -- its name, for people
    text     TEXT NOT NULL,             -- the whole file
    accepted INTEGER NOT NULL,          -- when
    metric   TEXT NOT NULL,             -- of the objective
    goal     TEXT NOT NULL CHECK (goal IN ('min', 'max')),
    reduce   TEXT NOT NULL CHECK (reduce IN ('last', 'best', 'mean')),
    mean_of  INTEGER CHECK ((reduce = 'mean') = (mean_of IS NOT NULL)),
    program  TEXT NOT NULL,             -- the worker program
    numerics TEXT NOT NULL,             -- what its results depend on
    added    INTEGER NOT NULL,          -- trials that were new
    kept     INTEGER NOT NULL,          -- trials that the revision before it held, too
    removed  INTEGER NOT NULL           -- trials that only the revision before it held
) STRICT;

-- A point of the space.
CREATE TABLE configuration (
    id         INTEGER PRIMARY KEY,     -- its number
    parameters TEXT NOT NULL,           -- JSON object of what is swept; unique
    point      INTEGER NOT NULL         -- its index in the newest revision that holds it
) STRICT;

-- A piece of training, shared by every trial whose path holds it.
CREATE TABLE stage (
    id          INTEGER PRIMARY KEY,
    key         BLOB NOT NULL CHECK (length(key) = 16), -- unique among those without replacement
    parent      INTEGER REFERENCES stage,               -- NULL: starts from initialisation
    first_step  INTEGER NOT NULL,                       -- trains after this step
    end_step    INTEGER NOT NULL,                       -- up to and with this one
    failures    INTEGER NOT NULL DEFAULT 0,
    crashes     INTEGER NOT NULL DEFAULT 0,
    replacement INTEGER REFERENCES stage                -- the next generation of it, after a retry
) STRICT;

-- A configuration with one seed. Its path is `stage` and the parents of that.
CREATE TABLE trial (
    id            INTEGER PRIMARY KEY,  -- its number
    configuration INTEGER NOT NULL REFERENCES configuration,
    seed          INTEGER NOT NULL,     -- 64 bits without sign, kept in 64 bits with sign
    key           BLOB NOT NULL CHECK (length(key) = 16), -- unique among those without replacement
    stage         INTEGER NOT NULL REFERENCES stage,
    revision      INTEGER NOT NULL REFERENCES revision,   -- the newest one that holds it
    replacement   INTEGER REFERENCES trial                -- the next generation of it, after a retry
) STRICT;

-- What came out of a stage.
CREATE TABLE stage_end (
    stage     INTEGER PRIMARY KEY REFERENCES stage,
    status    INTEGER NOT NULL REFERENCES status CHECK (status IN (1, 2, 3)),
    digest    ANY,                      -- of the training state at the end: bytes; NULL: none
    evaluated BLOB                      -- evaluations, reduced: 64-bit floats, little-endian; NULL: none
) STRICT;

-- What came out of a trial.
CREATE TABLE trial_end (
    trial     INTEGER PRIMARY KEY REFERENCES trial,
    status    INTEGER NOT NULL REFERENCES status,
    objective ANY                       -- REAL; the text 'nan'; NULL: no evaluation
        CHECK (objective IS NULL OR typeof(objective) = 'real' OR objective = 'nan')
) STRICT;

-- One execution of a stage by one worker.
CREATE TABLE attempt (
    id        INTEGER PRIMARY KEY,      -- its number, and its folder's name
    stage     INTEGER NOT NULL REFERENCES stage,
    from_step INTEGER NOT NULL,         -- where it started
    started   INTEGER NOT NULL,         -- when
    took      INTEGER,                  -- milliseconds from then to its ending
    ending    INTEGER REFERENCES ending, -- NULL: it runs
    detail    TEXT,                     -- the ending in words, if there are any
    step      INTEGER                   -- where it ended
) STRICT;
-- At most one attempt of a stage is running, and at most one is ever counted.
CREATE UNIQUE INDEX attempt_running ON attempt (stage) WHERE ending IS NULL;
CREATE UNIQUE INDEX attempt_counted ON attempt (stage) WHERE ending <= 2;
-- Those that ended otherwise are few.
CREATE INDEX attempt_uncounted ON attempt (stage) WHERE ending > 2;

-- Training states on disk.
CREATE TABLE checkpoint (
    stage     INTEGER NOT NULL REFERENCES stage,
    step      INTEGER NOT NULL,
    attempt   INTEGER NOT NULL REFERENCES attempt, -- whose folder holds it
    file      TEXT NOT NULL,            -- its name there
    digest    ANY,                      -- as in `stage_end`
    evaluated BLOB,                     -- as in `stage_end`
    bytes     INTEGER NOT NULL,         -- size of the file
    PRIMARY KEY (stage, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_name (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Evaluations.
CREATE TABLE metric (
    stage INTEGER NOT NULL REFERENCES stage,
    step  INTEGER NOT NULL,
    name  INTEGER NOT NULL REFERENCES metric_name,
    value REAL,
    PRIMARY KEY (stage, step, name)
) STRICT, WITHOUT ROWID;

-- Lines for people; never read back.
CREATE TABLE note (
    id   INTEGER PRIMARY KEY,
    at   INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE TRIGGER trial_end_is_final BEFORE UPDATE ON trial_end
BEGIN SELECT raise(ABORT, 'terminal is terminal: a trial that ended never changes'); END;
CREATE TRIGGER trial_end_stays BEFORE DELETE ON trial_end
BEGIN SELECT raise(ABORT, 'terminal is terminal: a trial that ended never changes'); END;
CREATE TRIGGER stage_end_is_final BEFORE UPDATE ON stage_end
BEGIN SELECT raise(ABORT, 'terminal is terminal: a stage that ended never changes'); END;
CREATE TRIGGER stage_end_stays BEFORE DELETE ON stage_end
BEGIN SELECT raise(ABORT, 'terminal is terminal: a stage that ended never changes'); END;
CREATE TRIGGER stage_that_ended_keeps_its_counters BEFORE UPDATE OF failures, crashes ON stage
WHEN EXISTS (SELECT 1 FROM stage_end WHERE stage_end.stage = new.id)
BEGIN SELECT raise(ABORT, 'terminal is terminal: a stage that ended never changes'); END;
CREATE TRIGGER stage_that_ended_is_not_run BEFORE INSERT ON attempt
WHEN EXISTS (SELECT 1 FROM stage_end WHERE stage_end.stage = new.stage)
BEGIN SELECT raise(ABORT, 'terminal is terminal: a stage that ended is never run'); END;
CREATE TRIGGER attempt_ends_once BEFORE UPDATE ON attempt WHEN old.ending IS NOT NULL
BEGIN SELECT raise(ABORT, 'an attempt ends once'); END;

-- Every trial of the newest revision, and (`current` = 0) those of older ones and older generations.
CREATE VIEW trials AS
SELECT
    trial.id AS trial,
    trial.configuration,
    printf('%u', trial.seed) AS seed,
    coalesce(status.name, 'waiting') AS status,
    trial_end.objective,
    stage.end_step AS steps,
    configuration.parameters,
    lower(hex(trial.key)) AS key,
    trial.replacement IS NULL AND trial.revision = (SELECT max(id) FROM revision) AS current
FROM trial
JOIN configuration ON configuration.id = trial.configuration
JOIN stage ON stage.id = trial.stage
LEFT JOIN trial_end ON trial_end.trial = trial.id
LEFT JOIN status ON status.id = trial_end.status;

-- Configurations by the mean of their finite objectives, those with a diverged or failed trial last.
-- `pleach board` ranks with more care.
CREATE VIEW leaderboard AS
SELECT
    configuration,
    avg(objective) FILTER (WHERE abs(objective) < 9e999 AND objective <> 'nan') AS objective,
    count(*) AS trials,
    sum(status = 'done') AS done,
    sum(status = 'diverged') AS diverged,
    sum(status = 'failed') AS failed,
    parameters
FROM trials
WHERE current
GROUP BY configuration
ORDER BY
    sum(status IN ('diverged', 'failed')) > 0,
    objective IS NULL,
    CASE (SELECT goal FROM revision ORDER BY id DESC LIMIT 1) WHEN 'min' THEN 1 ELSE -1 END
        * avg(objective) FILTER (WHERE abs(objective) < 9e999 AND objective <> 'nan'),
    configuration;

-- Which stages are a trial's path.
CREATE VIEW paths AS
WITH RECURSIVE path (trial, stage) AS (
    SELECT id, stage FROM trial
    UNION ALL
    SELECT path.trial, stage.parent
    FROM path JOIN stage ON stage.id = path.stage
    WHERE stage.parent IS NOT NULL
)
SELECT trial, stage FROM path;

-- Every evaluation of every trial; one of a shared stage is shown with each of its trials.
CREATE VIEW metrics AS
SELECT paths.trial, metric.step, metric_name.name, metric.value
FROM paths
JOIN metric ON metric.stage = paths.stage
JOIN metric_name ON metric_name.id = metric.name;

-- Every attempt; one of a shared stage is shown with each of its trials.
CREATE VIEW attempts AS
SELECT
    attempt.id AS attempt,
    paths.trial,
    attempt.stage,
    attempt.from_step,
    attempt.step,
    strftime('%Y-%m-%dT%H:%M:%fZ', attempt.started / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', (attempt.started + attempt.took) / 1000.0, 'unixepoch') AS ended,
    coalesce(ending.name, 'running') AS ending,
    attempt.detail
FROM attempt
JOIN paths ON paths.stage = attempt.stage
LEFT JOIN ending ON ending.id = attempt.ending;
