-- The number under which `popsync list` showed the message last, so that a person can mark it by
-- that. Null where that list did not have it.
ALTER TABLE headers_only ADD COLUMN shown_number INTEGER CHECK (shown_number > 0);
