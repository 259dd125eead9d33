-- Says that a replica is there, and counts those that are.
-- KEYS[1]  replicas
-- ARGV[1]  id of the replica
-- ARGV[2]  how long it counts from now, ms
-- returns  how many there are

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
