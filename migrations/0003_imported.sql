-- Messages that another program has had, or that were on the server when the user said that all
-- of them were had. popsync holds no copy of them: they are not retrieved, and never deleted.

CREATE TABLE imported (
    account         INTEGER NOT NULL REFERENCES accounts (id),
    -- As the server sends it, but for the slashes.
    unique_id       BLOB NOT NULL,
    -- How many messages of a listing have this unique-id: more than one only where a server
    -- breaks the rules.
    copies          INTEGER NOT NULL CHECK (copies > 0),
    -- Whether the other program wrote every `/` of it as `-`.
    without_slashes INTEGER NOT NULL CHECK (without_slashes IN (0, 1)),
    imported_at     INTEGER NOT NULL,
    PRIMARY KEY (account, unique_id)
) STRICT, WITHOUT ROWID;
