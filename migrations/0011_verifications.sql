-- The verifications of each account: when they were, and what they found.
CREATE TABLE verifications (
    id          INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES accounts (id),
    started_at  INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    -- Its exit status.
    exit        INTEGER NOT NULL,
    -- One of how many parts was to be read; 1 if all messages were.
    parts       INTEGER NOT NULL CHECK (parts > 0),
    -- Messages recorded, and those of them that were read and compared.
    messages    INTEGER NOT NULL,
    compared    INTEGER NOT NULL,
    missing     INTEGER NOT NULL,
    damaged     INTEGER NOT NULL,
    -- Filed under another name, and changed.
    altered     INTEGER NOT NULL,
    -- Stored by popsync, and not recorded.
    unrecorded  INTEGER NOT NULL,
    -- Left by a run that was cut short, and not yet in their places.
    unfinished  INTEGER NOT NULL,
    -- Another message under their unique-id on the server.
    differing   INTEGER NOT NULL,
    -- Missing or damaged, and put in their places again.
    repaired    INTEGER NOT NULL,
    -- What ended it early.
    error       TEXT
) STRICT;

CREATE INDEX verifications_of_account ON verifications (account);
