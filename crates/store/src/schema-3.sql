-- The checkpoint that an attempt was told to start from is missing, damaged or of another version.
INSERT INTO ending VALUES (11, 'unusable');
