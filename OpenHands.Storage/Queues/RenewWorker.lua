-- Sends the heartbeat of a worker and forgets workers whose last one no longer counts.
-- KEYS[1]  workers
-- ARGV[1]  worker id
-- ARGV[2]  how long this heartbeat counts, ms
-- returns  1

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], 3600000)
return 1
