-- Takes the next task of a queue for a worker: first what was deferred and is due, then the head of the list.
-- KEYS[1]  workers
-- KEYS[2]  queues
-- KEYS[3]  queue:{name}
-- KEYS[4]  deferred:{name}
-- KEYS[5]  taken:{name}
-- KEYS[6]  deliveries:{name}
-- ARGV[1]  name of the queue
-- ARGV[2]  worker id
-- ARGV[3]  how long this heartbeat of the worker counts, ms
-- ARGV[4]  delivery id for a value that is taken for the first time
-- returns  false when nothing is there, else delivery id, value, deliveries that were lost before, failed attempts, reason or ''

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local id = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 1)[1]
local value
if id then
  value = redis.call('HGET', KEYS[6], id .. ':value')
  if not value then
    redis.call('ZREM', KEYS[4], id)
    redis.call('HDEL', KEYS[6], id .. ':lost', id .. ':attempts', id .. ':reason')
    return false
  end
else
  value = redis.call('LINDEX', KEYS[3], 0)
  if not value then
    return false
  end
  id = ARGV[4]
end

-- Everything is written before anything is removed: an error in between loses nothing.
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[2])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[5], id, ARGV[2])
if id == ARGV[4] then
  redis.call('HSET', KEYS[6], id .. ':value', value)
  redis.call('LPOP', KEYS[3])
else
  redis.call('ZREM', KEYS[4], id)
end

local known = redis.call('HMGET', KEYS[6], id .. ':lost', id .. ':attempts', id .. ':reason')
return { id, value, known[1] or '0', known[2] or '0', known[3] or '' }
