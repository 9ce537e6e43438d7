-- Hidden messages by author: what the probe user posted is found, and deleted when it is old.
CREATE INDEX messages_hidden_by_author ON messages (author_id, pub_date) WHERE flagged;
