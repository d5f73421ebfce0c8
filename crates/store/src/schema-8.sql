-- Trials are stopped early: configurations are compared at rungs, steps of their training.

-- Where configurations are judged, as the newest revision says.
CREATE TABLE rung (
    configuration INTEGER NOT NULL REFERENCES configuration,
    step          INTEGER NOT NULL,
    company       BLOB NOT NULL CHECK (length(company) = 16), -- only those of the same are compared
    cut           INTEGER NOT NULL,     -- 1: stages end there; 0: it is judged by what it has measured until then
    PRIMARY KEY (configuration, step)
) STRICT, WITHOUT ROWID;

-- What was decided there.
CREATE TABLE verdict (
    configuration INTEGER NOT NULL REFERENCES configuration,
    step          INTEGER NOT NULL,
    value         ANY,                  -- as `objective` in `trial_end`: the mean over its seeds
    place         INTEGER NOT NULL,     -- among so many, itself included:
    among         INTEGER NOT NULL,
    kept          INTEGER NOT NULL,     -- so many of them go on
    goes_on       INTEGER NOT NULL,     -- 0: its trials were stopped
    PRIMARY KEY (configuration, step)
) STRICT, WITHOUT ROWID;

-- The objective that trials had at rungs inside of their stages.
CREATE TABLE reached (
    trial INTEGER NOT NULL REFERENCES trial,
    step  INTEGER NOT NULL,
    value ANY,
    PRIMARY KEY (trial, step)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER verdict_is_final BEFORE UPDATE ON verdict
BEGIN SELECT raise(ABORT, 'a verdict is given once'); END;
CREATE TRIGGER verdict_stays BEFORE DELETE ON verdict
BEGIN SELECT raise(ABORT, 'a verdict is given once'); END;
