-- Digests come in no order: in a large mailbox each message of a batch changed another page of this
-- index. Few runs look for a message by its content: the first one makes the index
-- (`Cache::with_content`).
DROP INDEX IF EXISTS messages_by_content;
