-- Lists name people in the order in which they were followed. Rows of before get their order from
-- where they stand in the table, which is that order as long as nobody unfollowed.
ALTER TABLE follows ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
CREATE INDEX follows_in_order ON follows (follower_id, id);
