-- Where messages are in a store that is one file, an mbox: as they were when they were appended.
-- Other programs may have rewritten the file since.
CREATE TABLE extents (
    message    INTEGER PRIMARY KEY REFERENCES messages (id),
    -- In octets from the beginning of the file, with the line in front of the message and the
    -- blank line behind it; and the digest of all that.
    start      INTEGER NOT NULL CHECK (start >= 0),
    length     INTEGER NOT NULL CHECK (length > 0),
    sha256     BLOB NOT NULL CHECK (length(sha256) = 32),
    -- What it is known by in a file that was rewritten: digest of its body as it stands there,
    -- without CRs and without blank lines at its end, and of its Message-ID. Null where it has
    -- none.
    body       BLOB CHECK (length(body) = 32),
    message_id BLOB CHECK (length(message_id) = 32)
) STRICT;
