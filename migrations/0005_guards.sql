-- What the brakes on deletion remember of each account.
CREATE TABLE guards (
    account        INTEGER PRIMARY KEY REFERENCES accounts (id),
    -- What tells the store from another one at the same path; null where there is nothing.
    store          TEXT,
    -- Messages up to this key were stored before the policy was to delete at once: that it does
    -- now is news. Null while the policy leaves messages on the server.
    deleting_after INTEGER,
    -- The store was found emptied: of the messages up to this key none was there. Null: it was not.
    emptied_upto   INTEGER
) STRICT;

-- Messages that were not in the store when it turned out to be another one, or an older copy:
-- nobody deleted them, and the server may have the last copy.
CREATE TABLE lost (
    message INTEGER PRIMARY KEY REFERENCES messages (id)
) STRICT;

-- A message that has a new file is not lost any more.
CREATE TRIGGER found_again AFTER UPDATE OF name ON messages
BEGIN
    DELETE FROM lost WHERE message = NEW.id;
END;

-- Whether the run ended with a clock that was not believed; later runs do not compare with it.
ALTER TABLE runs ADD COLUMN clock_doubted INTEGER NOT NULL DEFAULT 0
    CHECK (clock_doubted IN (0, 1));
