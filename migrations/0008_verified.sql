-- What proves a stored message, and what verifications remember.

-- Digest of the message as it is stored, with CRLF for every LF, where that is not what was sent:
-- it holds a bare CR or LF, and CRLF was stored as LF. Null where `sha256` proves the stored form,
-- and for messages of before until they are read once.
ALTER TABLE messages ADD COLUMN stored_sha256 BLOB CHECK (length(stored_sha256) = 32);

-- Whether a person has said that it is meant that the message is not in the store.
ALTER TABLE messages ADD COLUMN absence_accepted INTEGER NOT NULL DEFAULT 0
    CHECK (absence_accepted IN (0, 1));

-- How many verifications of each account have read a part of the messages only. Each reads another
-- part.
CREATE TABLE verified_parts (
    account INTEGER PRIMARY KEY REFERENCES accounts (id),
    parts   INTEGER NOT NULL CHECK (parts >= 0)
) STRICT;

CREATE INDEX messages_accepted ON messages (account) WHERE absence_accepted = 1;

-- How many messages the store of each account lacks, as far as runs have noticed.
CREATE TABLE losses (
    account    INTEGER PRIMARY KEY REFERENCES accounts (id),
    -- How many fewer files there were than messages recorded.
    gap        INTEGER NOT NULL CHECK (gap >= 0),
    -- How many messages were in the store under no name.
    missing    INTEGER NOT NULL CHECK (missing >= 0),
    -- Of how many a person was told.
    told       INTEGER NOT NULL CHECK (told >= 0),
    counted_at INTEGER NOT NULL
) STRICT;
