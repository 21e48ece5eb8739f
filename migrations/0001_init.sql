-- What popsync remembers of each mailbox. Times are seconds since 1970.

CREATE TABLE accounts (
    id         INTEGER PRIMARY KEY,
    -- Name in the configuration; absolute path of the store for `popsync fetch`.
    key        TEXT NOT NULL,
    -- Host and user belong to the key: unique-ids say nothing across servers.
    host       TEXT NOT NULL,
    user       TEXT NOT NULL,
    -- What the account was called last, and where its messages went.
    name       TEXT NOT NULL,
    store      TEXT NOT NULL,
    -- Marks this account's files among those of others.
    tag        TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    UNIQUE (key, host, user)
) STRICT;

-- Every message that was ever stored. Rows are never deleted: a unique-id that is missing from
-- one listing may be in the next.
CREATE TABLE messages (
    id                INTEGER PRIMARY KEY,
    account           INTEGER NOT NULL REFERENCES accounts (id),
    -- As the server sent it. Not unique: servers break the rule.
    unique_id         BLOB NOT NULL,
    -- The file in the store.
    name              TEXT NOT NULL,
    -- The message as sent, un-stuffed: size, digest, and digest of its header without the
    -- empty line behind it.
    octets            INTEGER NOT NULL,
    sha256            BLOB NOT NULL CHECK (length(sha256) = 32),
    header_sha256     BLOB NOT NULL CHECK (length(header_sha256) = 32),
    -- The size that the scan listing gave.
    listed_octets     INTEGER,
    -- Whether it holds a bare CR or LF: then the stored form does not give the sent one back.
    bare_line_ends    INTEGER NOT NULL CHECK (bare_line_ends IN (0, 1)),
    -- Whether CRLF was stored as LF.
    line_endings      TEXT NOT NULL CHECK (line_endings IN ('lf', 'crlf')),
    -- How many messages of the listing had this unique-id when all of them were last accounted
    -- for: more than one only where a server breaks the rules. 0: it is in doubt whether the
    -- unique-id is this message's, because client and server were out of step.
    copies            INTEGER NOT NULL DEFAULT 1 CHECK (copies >= 0),
    stored_at         INTEGER NOT NULL,
    -- When the server last accepted to delete it. It is gone once `missing_since` is set too.
    deletion_asked_at INTEGER,
    -- When a listing first came without it; null while it is listed.
    missing_since     INTEGER
) STRICT;

-- Holds all that a sync asks of every known message.
CREATE INDEX messages_by_unique_id
    ON messages (account, unique_id, stored_at, copies, deletion_asked_at, missing_since,
        listed_octets);

CREATE INDEX messages_in_doubt ON messages (account) WHERE copies = 0;

-- Messages that were recorded and are perhaps not yet where readers look: step 3 to step 6 of
-- the store's order. Empty but for a run in progress or a crash.
CREATE TABLE staged (
    message INTEGER PRIMARY KEY REFERENCES messages (id)
) STRICT;

CREATE TABLE runs (
    id          INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES accounts (id),
    started_at  INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    exit        INTEGER NOT NULL,
    retrieved   INTEGER NOT NULL,
    octets      INTEGER NOT NULL,
    deleted     INTEGER NOT NULL,
    skipped     INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    -- Null where the run ended before the maildrop was listed.
    on_server   INTEGER,
    -- Why it failed; null where it did not.
    error       TEXT
) STRICT;

CREATE INDEX runs_by_account ON runs (account, id);

-- What each server could do when it was last asked, after TLS and before login.
CREATE TABLE capabilities (
    account INTEGER PRIMARY KEY REFERENCES accounts (id),
    lines   TEXT NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
