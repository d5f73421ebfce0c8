-- What was odd in what attempts said of their metrics. Nothing depends on it.
CREATE TABLE warning (
    attempt INTEGER NOT NULL REFERENCES attempt,
    what    TEXT NOT NULL,              -- the kind
    count   INTEGER NOT NULL,           -- how often
    line    INTEGER,                    -- of the first case, if it is one in a file or an output
    first   TEXT NOT NULL,              -- the first case
    PRIMARY KEY (attempt, what)
) STRICT, WITHOUT ROWID;
