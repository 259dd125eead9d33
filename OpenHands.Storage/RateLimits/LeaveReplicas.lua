-- Says that a replica is no longer there.
-- KEYS[1]  replicas
-- ARGV[1]  id of the replica
-- returns  1 it was counted, 0 it was not

return redis.call('ZREM', KEYS[1], ARGV[1])
