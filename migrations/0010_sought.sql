-- When the copy of an imported message was last looked for in the store, and not found: it is not
-- looked for in every run. Null where nobody has looked.
ALTER TABLE imported ADD COLUMN sought_at INTEGER;
