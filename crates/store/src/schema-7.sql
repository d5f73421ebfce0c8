-- The results of the current revision once more, packed for whoever ranks a million of them: eight bytes a trial. They are
-- written in the transaction that writes `trial_end`, and made anew with every revision and retry.

CREATE TABLE tried (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    seeds   TEXT NOT NULL,              -- JSON array, ascending: the columns of `result_block`
    space   TEXT NOT NULL,              -- JSON: in which parameters configurations differ, and between which ends
    changed INTEGER                     -- when an attempt last began or ended
) STRICT;

-- The results of as many configurations as fit into a page, in the order of their numbers; block 0 begins with number 0.
CREATE TABLE result_block (
    id      INTEGER PRIMARY KEY,
    results BLOB NOT NULL,              -- row by row; 64-bit floats, little-endian; NaNs say what has no number
    trial   INTEGER,                    -- the first's number, if those of the others follow one by one
    trials  BLOB                        -- otherwise: 32-bit integers, little-endian; 0: there is none
) STRICT;
