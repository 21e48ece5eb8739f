-- Messages of which only the header was retrieved, because they are large. A row goes once the
-- message is stored whole.
CREATE TABLE headers_only (
    id            INTEGER PRIMARY KEY,
    account       INTEGER NOT NULL REFERENCES accounts (id),
    unique_id     BLOB NOT NULL,
    -- The size that the scan listing gave.
    listed_octets INTEGER NOT NULL,
    -- As TOP gave it; null where the server gives none.
    header        BLOB,
    header_sha256 BLOB CHECK (length(header_sha256) = 32),
    seen_at       INTEGER NOT NULL,
    -- When a person asked for the whole message.
    marked_at     INTEGER,
    -- When a listing first came without it; null while it is listed.
    missing_since INTEGER,
    -- The file in the store that stands for it; null where none was ever made.
    stub          TEXT,
    -- That file is perhaps not yet where readers look.
    stub_staged   INTEGER NOT NULL DEFAULT 0 CHECK (stub_staged IN (0, 1)),
    UNIQUE (account, unique_id)
) STRICT;

-- A header that comes under another unique-id is looked for among those that are missing.
CREATE INDEX headers_only_missing ON headers_only (account, header_sha256)
    WHERE missing_since IS NOT NULL;
