-- `status` looks for the last run of each account that ended well. If all runs of late have failed, it
-- read each of them.
CREATE INDEX IF NOT EXISTS runs_good ON runs (account, id) WHERE exit <= 1;
