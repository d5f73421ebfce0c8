-- Why whoever ran the sweep last began nothing more although trials were left; one row, or none while it is run and after a
-- sudden death.
CREATE TABLE halt (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    at  INTEGER NOT NULL,
    why TEXT NOT NULL                   -- for people
) STRICT;
