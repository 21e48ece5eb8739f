-- What a deletion on the server has to be proved by.

-- Whether the row's unique-id is only probably this message's: the message was known by its
-- header alone when the server renamed it, or its unique-id was missing from a listing for a
-- while. Enough not to retrieve it again, never enough to delete it.
ALTER TABLE messages ADD COLUMN assumed INTEGER NOT NULL DEFAULT 0 CHECK (assumed IN (0, 1));

-- Why the message may not have come whole; null where nothing speaks against it. 'short': the
-- server had announced more octets. 'session': client and server were out of step later in the
-- session in which it came. A later session retrieves it again, and the same octets settle it.
ALTER TABLE messages ADD COLUMN doubt TEXT CHECK (doubt IN ('short', 'session'));

-- As before, all that a sync asks of every known message.
DROP INDEX messages_by_unique_id;
CREATE INDEX messages_by_unique_id
    ON messages (account, unique_id, stored_at, copies, deletion_asked_at, missing_since,
        listed_octets, assumed, doubt);

CREATE INDEX messages_doubtful ON messages (account) WHERE doubt IS NOT NULL;

-- A message that comes under another unique-id is looked for by its content.
CREATE INDEX messages_by_content ON messages (substr(sha256, 1, 8));

-- Files that another message took the place of: what came first was not whole. They go once the
-- whole message is where readers look.
CREATE TABLE stumps (
    -- The message that is whole.
    message INTEGER NOT NULL REFERENCES messages (id),
    -- The file of the stump, and the digest of the message that it was stored from.
    name    TEXT NOT NULL PRIMARY KEY,
    sha256  BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT;

-- Messages at which the server breaks the session: they are asked for last.
CREATE TABLE breakers (
    account   INTEGER NOT NULL REFERENCES accounts (id),
    unique_id BLOB NOT NULL,
    seen_at   INTEGER NOT NULL,
    PRIMARY KEY (account, unique_id)
) STRICT, WITHOUT ROWID;

-- STAT's octets where they agree with the sizes that are recorded; null where nobody knows. When
-- they change although UIDL shows nothing new, LIST is asked.
ALTER TABLE guards ADD COLUMN stat_octets INTEGER;
-- Whether the last listing contradicted itself: one that agrees in full, LIST too, has to clear it.
ALTER TABLE guards ADD COLUMN contradicted INTEGER NOT NULL DEFAULT 0
    CHECK (contradicted IN (0, 1));
-- Whether deletions are held back until a person releases them.
ALTER TABLE guards ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
-- Whether the messages were recorded by no run, and no person has said so far that it will do.
ALTER TABLE guards ADD COLUMN rebuilt INTEGER NOT NULL DEFAULT 0 CHECK (rebuilt IN (0, 1));
-- Whether a stamp was ever written into the store.
ALTER TABLE guards ADD COLUMN stamped INTEGER NOT NULL DEFAULT 0 CHECK (stamped IN (0, 1));
-- The last thing of lasting interest that a person was told, so that it is told once.
ALTER TABLE guards ADD COLUMN told TEXT;
-- A person has released the brake of a store that was found emptied: that none of the messages up
-- to this key is there says nothing any more. Null: nobody has.
ALTER TABLE guards ADD COLUMN released_upto INTEGER;
