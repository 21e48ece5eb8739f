-- In how many runs in a row the session broke at LIST, and when the last of them was. Such a server
-- is not asked for sizes for a while.
ALTER TABLE capabilities ADD COLUMN list_breaks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE capabilities ADD COLUMN list_broke_at INTEGER NOT NULL DEFAULT 0;
