-- Number and checksum of the rows of each table, whatever their order.
\pset format unaligned
\pset tuples_only on
SELECT 'users', count(*), coalesce(sum(('x' || left(md5(u::text), 15))::bit(60)::bigint), 0) FROM users u
UNION ALL
SELECT 'messages', count(*), coalesce(sum(('x' || left(md5(m::text), 15))::bit(60)::bigint), 0) FROM messages m
UNION ALL
SELECT 'follows', count(*), coalesce(sum(('x' || left(md5(f::text), 15))::bit(60)::bigint), 0) FROM follows f
ORDER BY 1;
