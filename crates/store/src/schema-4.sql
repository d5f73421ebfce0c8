-- With what and where the sweep was run; a new row when that has changed.
CREATE TABLE provenance (
    id         INTEGER PRIMARY KEY,
    began      INTEGER NOT NULL,        -- since when
    facts      TEXT NOT NULL,           -- JSON array of pairs: versions, programs, machine
    difference TEXT                     -- of a person's code from the commit that is named
) STRICT;
